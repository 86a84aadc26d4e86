package gocardless

import "slices"

// isOneOf reports whether a value is among those of an enum. It is not inlined: every enum would hold
// a copy of its loop.
//
//go:noinline
func isOneOf(v string, values []string) bool { return slices.Contains(values, v) }
