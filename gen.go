// Package gocardlessgo holds the generator's directive; the SDK is in the directory gocardless.
package gocardlessgo

//go:generate go run ./cmd/gen
