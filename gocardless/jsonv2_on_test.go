//go:build goexperiment.jsonv2

package gocardless

// nextJSON says that encoding/json is the next one, which the floor gains from.
const nextJSON = true
