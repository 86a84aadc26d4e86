package gocardless

import (
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// readable is a pointer to a generated reply struct T.
type readable[T any] interface {
	*T
	decodable
}

// decodeDocument reads a whole document into v.
func decodeDocument(data []byte, v decodable) (jsonwire.Outcome, error) {
	d := jsonwire.NewDecoder(data)
	v.decode(d)
	return d.Finish()
}

// decodeObjects reads an array of objects. Null is nil, an empty array is empty.
func decodeObjects[T any, P readable[T]](d *jsonwire.Decoder) []T {
	if !d.HasArray() {
		return nil
	}
	list := []T{}
	for d.Array(); d.Elem(); {
		var zero T
		list = append(list, zero)
		P(&list[len(list)-1]).decode(d)
	}
	return list
}

// decodeObjectMap reads a map of objects. Null is nil, an empty object is empty.
func decodeObjectMap[T any, P readable[T]](d *jsonwire.Decoder) map[string]T {
	return jsonwire.Map(d, func(d *jsonwire.Decoder) (v T) {
		P(&v).decode(d)
		return v
	})
}

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
