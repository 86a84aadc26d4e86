package request

import (
	"regexp"
	"sync"
)

// pattern is a regular expression. Package regexp is large, and few params have patterns: the types that
// do call Patterns before they are used first, so that other programs do not link it.
type pattern interface {
	MatchString(s string) bool
	String() string
}

var (
	compile      func(expr string) pattern
	patternsOnce sync.Once
)

// Patterns prepares for limits that are patterns.
func Patterns() {
	patternsOnce.Do(func() {
		compile = func(expr string) pattern { return regexp.MustCompile(expr) }
	})
}
