package load

import (
	"errors"
	"fmt"
)

// Problem is something in a document that the generator cannot or must not turn into code.
type Problem struct {
	Pointer string // JSON pointer into the document
	Message string
	Name    bool   // about the name of a type, which the flag -name changes
	Other   string // the place that has the name already
}

// Error returns the place and the message.
func (p *Problem) Error() string { return fmt.Sprintf("%s: %s", p.Pointer, p.Message) }

// problems gathers all problems, so that one run reports all of them.
type problems struct{ list []error }

func (p *problems) add(pointer, format string, args ...any) *Problem {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	problem := &Problem{Pointer: pointer, Message: message}
	p.list = append(p.list, problem)
	return problem
}

func (p *problems) err() error { return errors.Join(p.list...) }
