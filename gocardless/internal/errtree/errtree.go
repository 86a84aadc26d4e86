// Package errtree looks for errors inside others.
package errtree

import "slices"

// Find reports whether match returns true for an error or one inside it, and looks in the order
// of errors.As. Where match is a type switch, it is less code in every program than one instance
// of errors.AsType for each type.
func Find(err error, match func(error) bool) bool {
	if err == nil {
		return false
	}
	if match(err) {
		return true
	}
	switch err := any(err).(type) {
	case interface{ Unwrap() error }:
		return Find(err.Unwrap(), match)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(err.Unwrap(), func(inner error) bool { return Find(inner, match) })
	}
	return false
}
