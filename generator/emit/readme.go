package emit

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

const (
	tableBegin = "<!-- generated: resources -->\n"
	tableEnd   = "<!-- end of generated part -->\n"
)

// Readme returns the README with an updated table of resources and methods. The rest of it stays unchanged.
func Readme(api *ir.API, text []byte) (File, error) {
	before, after, err := around(text, "README.md", tableBegin)
	if err != nil {
		return File{}, err
	}
	var b bytes.Buffer
	b.Write(before)
	fmt.Fprintf(&b, "| Field of the client | Methods |\n|---|---|\n")
	for _, s := range api.Services {
		var methods []string
		for _, op := range s.Operations {
			for _, m := range op.Methods {
				methods = append(methods, mark(m.GoName, op.Deprecated))
				if m.AllName != "" {
					methods = append(methods, mark(m.AllName, op.Deprecated))
				}
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", s.GoName, strings.Join(methods, ", "))
	}
	b.Write(after)
	return File{Path: "README.md", Content: b.Bytes()}, nil
}

// around returns what comes before and after the generated part of a document, including the marks. A
// document that does not exist yet consists only of the marks.
func around(text []byte, path, begin string) (before, after []byte, err error) {
	if text == nil {
		return []byte(begin), []byte(tableEnd), nil
	}
	_, rest, ok := bytes.Cut(text, []byte(begin))
	if !ok {
		return nil, nil, fmt.Errorf("%s: no line %q", path, strings.TrimSpace(begin))
	}
	end := bytes.Index(rest, []byte(tableEnd))
	if end < 0 {
		return nil, nil, fmt.Errorf("%s: no line %q", path, strings.TrimSpace(tableEnd))
	}
	return text[:len(text)-len(rest)], rest[end:], nil
}

func mark(method string, deprecated bool) string {
	if deprecated {
		return "~~`" + method + "`~~"
	}
	return "`" + method + "`"
}
