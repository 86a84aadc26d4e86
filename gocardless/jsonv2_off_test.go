//go:build !goexperiment.jsonv2

package gocardless

const nextJSON = false
