package gocardless

import (
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// isOneOf reports whether a value is among those of an enum. It is not inlined: every enum would hold
// a copy of its loop.
//
//go:noinline
func isOneOf(v string, values []string) bool { return slices.Contains(values, v) }

// encodable is a pointer to a generated nested object of a request.
type encodable[T any] interface {
	*T
	encode(*jsonwire.Encoder)
}

// encodeObjects writes an array of objects; nil is written as an empty one.
func encodeObjects[T any, P encodable[T]](e *jsonwire.Encoder, name string, v []T) {
	e.BeginArray(name)
	for i := range v {
		e.Elem()
		P(&v[i]).encode(e)
	}
	e.EndArray()
}

// encodeObjectMap writes a map of objects by name; nil is written as an empty one.
func encodeObjectMap[T any, P encodable[T]](e *jsonwire.Encoder, name string, m map[string]T) {
	jsonwire.EncodeMap(e, name, m, func(e *jsonwire.Encoder, name string, v T) {
		e.Name(name)
		P(&v).encode(e)
	})
}
