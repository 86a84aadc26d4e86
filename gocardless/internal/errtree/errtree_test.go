package errtree

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestFind(t *testing.T) {
	inner := errors.New("inner")
	isEOF := func(err error) bool { return err.Error() == "EOF" }
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{inner, false},
		{io.EOF, true},
		{fmt.Errorf("x: %w", fmt.Errorf("y: %w", io.EOF)), true},
		{fmt.Errorf("x: %v", io.EOF), false},
		{errors.Join(inner, fmt.Errorf("y: %w", io.EOF)), true},
		{errors.Join(inner, inner), false},
	} {
		if got := Find(c.err, isEOF); got != c.want || got != errors.Is(c.err, io.EOF) {
			t.Errorf("%v: got %t", c.err, got)
		}
	}
	first := ""
	Find(errors.Join(fmt.Errorf("a: %w", io.EOF), io.ErrUnexpectedEOF), func(err error) bool {
		first = err.Error()
		return isEOF(err) || first == "unexpected EOF"
	})
	if first != "EOF" {
		t.Errorf("found %q first", first)
	}
}
