// Package oasdiff runs the checks of github.com/oasdiff/oasdiff on two documents. It is the only package that
// imports that library, because the library's interface changes often.
package oasdiff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Level is the severity of a finding according to oasdiff.
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
	Method string // "" if the finding is not about an operation
	Path   string
	Args   []string // among them the place, such as "payments/links/mandate"
	Text   string   // oasdiff's own message
}

// Compare returns the findings of all checks.
//
// It first normalises both documents. It removes null, because oasdiff takes the different ways to allow it for
// different types, and the model of package openapi compares it better. It also replaces alternative spellings
// by one.
func Compare(old, revised *jsontree.Value) ([]Finding, error) {
	old, revised = plain(old.Clone()), plain(revised.Clone())
	differing(old, revised)
	return findings(old, revised)
}

// findings runs the checks on two normalised documents.
func findings(old, revised *jsontree.Value) ([]Finding, error) {
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
	// Without white space, because the loader decodes each level again.
	s, err := load.NewSpecInfoFromData(openapi3.NewLoader(), []byte(root.Compact()), "document.json")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", which, err)
	}
	return s, nil
}

// plain removes null and differences of spelling from a document.
func plain(root *jsontree.Value) *jsontree.Value {
	withoutNull(root).Walk(func(_ string, v *jsontree.Value) {
		unwrap(v)
		plainCondition(v)
		plainMedia(v)
	})
	if paths := root.Get("paths"); paths != nil {
		for _, path := range paths.Members {
			spread(root, path.Value)
		}
	}
	return root
}

// unwrap replaces a wrapper around one schema that only annotates it by that schema.
func unwrap(v *jsontree.Value) {
	for all := v.Get("allOf"); all != nil && len(all.Items) == 1 && openapi.OnlyAnnotates(v, "allOf"); all = v.Get("allOf") {
		v.Delete("allOf")
		merge(v, all.Items[0])
	}
}

// plainCondition replaces enums of one value in a condition by constants.
func plainCondition(v *jsontree.Value) {
	properties := v.Get("if").Get("properties")
	if properties == nil {
		return
	}
	for _, m := range properties.Members {
		if values := m.Value.Get("enum"); values != nil && len(values.Items) == 1 && !m.Value.Has("const") {
			m.Value.Delete("enum")
			m.Value.Set("const", values.Items[0])
		}
	}
}

// plainMedia removes the parameters of media types, such as the charset.
func plainMedia(v *jsontree.Value) {
	content := v.Get("content")
	if content == nil {
		return
	}
	for i, m := range content.Members {
		kind, _, _ := strings.Cut(m.Name, ";")
		content.Members[i].Name = strings.TrimSpace(kind)
	}
}

// spread copies the parameters of a whole path to its operations, unless they have parameters of the same name.
func spread(root, path *jsontree.Value) {
	shared := path.Get("parameters")
	if shared == nil {
		return
	}
	path.Delete("parameters")
	key := func(p *jsontree.Value) string {
		if ref, ok := strings.CutPrefix(p.Get("$ref").Str(), "#"); ok {
			p = root.At(ref)
		}
		return p.Get("in").Str() + " " + p.Get("name").Str()
	}
	for _, m := range path.Members {
		if !m.Value.Has("responses") {
			continue // not an operation, but for example a description
		}
		own := m.Value.Get("parameters")
		if own == nil {
			own = &jsontree.Value{Kind: jsontree.Array}
			m.Value.Set("parameters", own)
		}
		for _, p := range shared.Items {
			if !slices.ContainsFunc(own.Items, func(q *jsontree.Value) bool { return key(p) == key(q) }) {
				own.Items = append(own.Items, p)
			}
		}
	}
}

// merge adds the members of another object that v lacks.
func merge(v, other *jsontree.Value) {
	for _, m := range other.Members {
		if !v.Has(m.Name) {
			v.Members = append(v.Members, m)
		}
	}
}

// withoutNull removes the ways to allow null from a document.
func withoutNull(root *jsontree.Value) *jsontree.Value {
	root.Walk(func(_ string, v *jsontree.Value) {
		withoutNullForm(v, "anyOf")
		withoutNullForm(v, "oneOf")
		withoutNullType(v)
		if n := v.Get("nullable"); n != nil && n.Kind == jsontree.Bool {
			v.Delete("nullable")
		}
	})
	return root
}

// withoutNullForm removes null from a choice. It replaces a choice with one form left by that form.
func withoutNullForm(v *jsontree.Value, key string) {
	forms := v.Get(key)
	if forms == nil || forms.Kind != jsontree.Array {
		return
	}
	isNull := func(form *jsontree.Value) bool { return form.Get("type").Str() == "null" }
	rest := slices.DeleteFunc(slices.Clone(forms.Items), isNull)
	if len(rest) == len(forms.Items) || len(rest) == 0 {
		return
	}
	forms.Items = rest
	if len(rest) == 1 {
		v.Delete(key)
		merge(v, rest[0])
	}
}

// withoutNullType removes null from a list of types. It replaces a list with one type left by that type.
func withoutNullType(v *jsontree.Value) {
	t := v.Get("type")
	if t == nil || t.Kind != jsontree.Array {
		return
	}
	rest := slices.DeleteFunc(slices.Clone(t.Strings()), func(name string) bool { return name == "null" })
	switch len(rest) {
	case 0:
	case 1:
		v.Set("type", jsontree.NewString(rest[0]))
	default:
		v.Set("type", jsontree.NewStrings(rest...))
	}
}
