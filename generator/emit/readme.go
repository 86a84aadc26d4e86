package emit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

const (
	tableBegin = "<!-- generated: resources -->\n"
	tableEnd   = "<!-- end of generated part -->\n"
)

// Readme returns the README with its table of resources and methods brought up to date. The rest
// of the file is left as it is.
func Readme(api *ir.API, path string) (File, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(tableBegin + tableEnd)
	} else if err != nil {
		return File{}, err
	}
	before, rest, ok := bytes.Cut(text, []byte(tableBegin))
	if !ok {
		return File{}, fmt.Errorf("%s: no line %q", path, strings.TrimSpace(tableBegin))
	}
	_, after, ok := bytes.Cut(rest, []byte(tableEnd))
	if !ok {
		return File{}, fmt.Errorf("%s: no line %q", path, strings.TrimSpace(tableEnd))
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(tableBegin)
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
	b.WriteString(tableEnd)
	b.Write(after)
	return File{Path: "README.md", Content: b.Bytes()}, nil
}

func mark(method string, deprecated bool) string {
	if deprecated {
		return "~~`" + method + "`~~"
	}
	return "`" + method + "`"
}
