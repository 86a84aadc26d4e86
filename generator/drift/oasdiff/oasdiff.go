// Package oasdiff runs the checks of github.com/oasdiff/oasdiff over two documents. It is the only
// place that knows that library, whose interface is stable in name only.
package oasdiff

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"

	"github.com/gocardless-community/gocardless-go/generator/jsontree"
)

// Level is how grave oasdiff thinks a finding is.
type Level int

// The levels.
const (
	Info Level = iota + 1
	Warning
	Error
)

// Finding is one result of oasdiff's checks.
type Finding struct {
	Rule   string // "request-property-removed"
	Level  Level
	Method string // "" when the finding is not about an operation
	Path   string
	Args   []string // among them the place, such as "payments/links/mandate"
	Text   string   // oasdiff's own sentence
}

// Compare returns the findings of all checks.
//
// Null is taken out of both documents first: the many ways to allow it read to oasdiff as different
// types, and the model of generator/apidoc compares it better.
func Compare(old, revised *jsontree.Value) ([]Finding, error) {
	before, err := spec("the old document", old)
	if err != nil {
		return nil, err
	}
	after, err := spec("the new document", revised)
	if err != nil {
		return nil, err
	}
	difference, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), before, after)
	if err != nil {
		return nil, fmt.Errorf("oasdiff: %w", err)
	}
	config := checker.NewConfig(checker.GetAllChecks())
	localize := checker.NewDefaultLocalizer()
	var out []Finding
	for _, c := range checker.CheckBackwardCompatibilityUntilLevel(config, difference, sources, checker.INFO) {
		f := Finding{Rule: c.GetId(), Level: level(c.GetLevel()), Text: c.GetUncolorizedText(localize)}
		if c.GetPath() != "" {
			f.Method, f.Path = c.GetOperation(), c.GetPath()
		}
		for _, arg := range c.GetArgs() {
			f.Args = append(f.Args, strings.Trim(fmt.Sprint(arg), "/"))
		}
		out = append(out, f)
	}
	return out, nil
}

func level(l checker.Level) Level {
	switch l {
	case checker.ERR:
		return Error
	case checker.WARN:
		return Warning
	}
	return Info
}

func spec(which string, root *jsontree.Value) (*load.SpecInfo, error) {
	s, err := load.NewSpecInfoFromData(openapi3.NewLoader(), withoutNull(root.Clone()).Format(), "document.json")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", which, err)
	}
	return s, nil
}

// withoutNull takes the ways to allow null out of a document.
func withoutNull(root *jsontree.Value) *jsontree.Value {
	root.Walk(func(_ string, v *jsontree.Value) {
		for _, key := range []string{"anyOf", "oneOf"} {
			forms := v.Get(key)
			if forms == nil || forms.Kind != jsontree.Array {
				continue
			}
			var rest []*jsontree.Value
			for _, form := range forms.Items {
				if form.Get("type").Str() != "null" {
					rest = append(rest, form)
				}
			}
			if len(rest) == len(forms.Items) || len(rest) == 0 {
				continue
			}
			forms.Items = rest
			if len(rest) == 1 {
				v.Delete(key)
				for _, m := range rest[0].Members {
					if !v.Has(m.Name) {
						v.Members = append(v.Members, m)
					}
				}
			}
		}
		if t := v.Get("type"); t != nil && t.Kind == jsontree.Array {
			var rest []string
			for _, name := range t.Strings() {
				if name != "null" {
					rest = append(rest, name)
				}
			}
			if len(rest) == 1 {
				v.Set("type", jsontree.NewString(rest[0]))
			} else if len(rest) > 1 {
				v.Set("type", jsontree.NewStrings(rest...))
			}
		}
		if n := v.Get("nullable"); n != nil && n.Kind == jsontree.Bool {
			v.Delete("nullable")
		}
	})
	return root
}
