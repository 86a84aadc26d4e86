// Package jsonpointer writes JSON pointers (RFC 6901).
package jsonpointer

import "strings"

// Escape returns the name of a member as a step of a pointer.
func Escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// Join appends members to a pointer.
func Join(pointer string, names ...string) string {
	for _, name := range names {
		pointer += "/" + Escape(name)
	}
	return pointer
}

// Split returns the names in a pointer without its leading slash.
func Split(steps string) []string {
	names := strings.Split(steps, "/")
	for i, step := range names {
		names[i] = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
	}
	return names
}
