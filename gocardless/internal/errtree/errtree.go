// Package errtree searches wrapped errors.
package errtree

import "slices"

// Find reports whether match returns true for an error or one that it wraps. It searches in the order
// of errors.As. With a type switch as match, it takes less code than an instance of errors.AsType for
// each type.
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
