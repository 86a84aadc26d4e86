package migrate

import (
	"bytes"
	"cmp"
	"fmt"
	"go/token"
	"slices"

	"golang.org/x/tools/imports"
)

// An edit replaces the bytes from start to end.
type edit struct {
	start, end token.Pos
	text       string
	outer      int // the order of insertions at the same place; see wrap
}

// source is a file with its edits.
type source struct {
	file    *token.File
	content []byte
	edits   []edit
}

func (s *source) replace(start, end token.Pos, text string) {
	s.edits = append(s.edits, edit{start: start, end: end, text: text})
}

func (s *source) insert(at token.Pos, text string) { s.replace(at, at, text) }

// wrap puts strings around an expression, outside the strings of earlier calls for the same
// expression or a part of it.
func (s *source) wrap(start, end token.Pos, before, after string) {
	outer := int(end-start)<<20 + len(s.edits)
	s.edits = append(s.edits, edit{start: start, end: start, text: before, outer: outer}, edit{start: end, end: end, text: after, outer: -outer})
}

// text returns the original source between two positions.
func (s *source) text(start, end token.Pos) string {
	return string(s.content[s.file.Offset(start):s.file.Offset(end)])
}

// apply makes the edits, formats the result and corrects its imports. Edits inside a part that is
// replaced are dropped, because the replacement includes them.
func (s *source) apply() ([]byte, error) {
	slices.SortStableFunc(s.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.start, b.start), -cmp.Compare(a.outer, b.outer), cmp.Compare(b.end, a.end))
	})
	var out bytes.Buffer
	done := 0
	for _, e := range s.edits {
		start, end := s.file.Offset(e.start), s.file.Offset(e.end)
		if start < done {
			continue
		}
		out.Write(s.content[done:start])
		out.WriteString(e.text)
		done = end
	}
	out.Write(s.content[done:])
	formatted, err := imports.Process(s.file.Name(), out.Bytes(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: the rewritten file does not parse: %w", s.file.Name(), err)
	}
	return formatted, nil
}
