//go:build goexperiment.jsonv2

package gocardless

// nextJSON reports whether encoding/json is the next one, which makes the floor faster.
const nextJSON = true
