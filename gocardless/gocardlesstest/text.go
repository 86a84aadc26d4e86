package gocardlesstest

import "strings"

// Helpers for strings and lists.

func nilIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// humanList joins words for a message: "a, b or c".
func humanList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// mapped turns each item of a list into a string.
func mapped[T any](list []T, f func(T) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// pairs returns an object of the names and values that are not empty.
func pairs(list ...string) object {
	o := object{}
	for i := 0; i+1 < len(list); i += 2 {
		if list[i+1] != "" {
			o = append(o, member{list[i], list[i+1]})
		}
	}
	return o
}

// singular returns the link name of a resource type.
func singular(resource string) string {
	if s, ok := strings.CutSuffix(resource, "ies"); ok {
		return s + "y"
	}
	return strings.TrimSuffix(resource, "s")
}
