package errtree

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestFind(t *testing.T) {
	inner := errors.New("inner")
	isEOF := func(err error) bool { return err == io.EOF }
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
	first := error(nil)
	Find(errors.Join(fmt.Errorf("a: %w", io.EOF), io.ErrUnexpectedEOF), func(err error) bool {
		first = err
		return err == io.EOF || err == io.ErrUnexpectedEOF
	})
	if first != io.EOF {
		t.Errorf("found %v first", first)
	}
}
