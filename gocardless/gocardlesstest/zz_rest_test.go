package gocardlesstest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// TestRestAnswers calls every operation that no other test has called, including those of later
// versions of the API, with a request made from the tables. It is the last test of the last file, so
// that it runs after the others.
func TestRestAnswers(t *testing.T) {
	w := newWorld(t)
	for i := range api.Operations {
		op := &api.Operations[i]
		if _, done := checked.Load(op.Name); done || !wholeRun() {
			continue
		}
		if r := w.do(op.Method, w.pathOf(op), bodyOf(op)); r.status >= 300 {
			t.Errorf("%s: a request made from the tables gets %d: add a call to TestOperationsAnswer\n%s", op.Name, r.status, r.raw)
		}
	}
}

// A request for any resource can be made from the tables.
func TestRequestsFromTables(t *testing.T) {
	op := api.Op("customers.create")
	var body struct{ Customers map[string]any }
	if err := json.Unmarshal([]byte(bodyOf(op)), &body); err != nil || body.Customers["given_name"] == nil || body.Customers["metadata"] == nil {
		t.Errorf("%v: %s", err, bodyOf(op))
	}
	w := newWorld(t)
	get := api.Op("exports.get")
	if r := w.do(get.Method, w.pathOf(get), ""); r.status != 200 {
		t.Errorf("%d %s", r.status, r.raw)
	}
}

// pathOf returns the path and query of a request that succeeds: the resource in the path exists.
func (w *world) pathOf(op *api.Operation) string {
	path := op.Path
	if owner := theRegistry().ownerOf(op); strings.Contains(path, "{") {
		id := "ID1"
		if owner != "" {
			w.sb.update(func(tx *tx) error {
				id = tx.add(tx.make(owner)).ID
				return nil
			})
		}
		if n := op.Nesting(); n.Parent != "" && !n.Inside {
			path = strings.Replace(path, path[strings.IndexByte(path, '{'):strings.IndexByte(path, '}')+1], w.parentOf(op, id), 1)
		}
		path = path[:strings.IndexByte(path, '{')] + id + path[strings.IndexByte(path, '}')+1:]
	}
	separator := "?"
	for i := range op.Query {
		if f := &op.Query[i]; f.Required && f.Kind != api.KindObject {
			path += separator + f.Name + "=" + strings.Trim(sampleValue(f, 0), `"`)
			separator = "&"
		}
	}
	return path
}

// parentOf creates the resource that a path leads through.
func (w *world) parentOf(op *api.Operation, child string) string {
	id := "ID1"
	w.sb.update(func(tx *tx) error {
		if parent := op.Nesting().Parent; theRegistry().hasCollection(parent) {
			id = tx.add(tx.make(parent)).ID
		}
		parentRef.Set(tx.find(op.Resource(), child), id)
		return nil
	})
	return id
}

func bodyOf(op *api.Operation) string {
	if op.Request == "" || len(op.Bodies) == 0 {
		return ""
	}
	return `{"` + op.Request + `":` + sampleObject(op.Bodies[0], 0) + `}`
}

func sampleObject(t *api.Type, depth int) string {
	var members []string
	for i := range t.Fields {
		f := &t.Fields[i]
		if !f.Required && depth > 2 || excluded(t, f.Name) {
			continue
		}
		members = append(members, `"`+f.Name+`":`+sampleValue(f, depth))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// excluded reports whether a member is not part of the sample of an object that is one of several.
func excluded(t *api.Type, name string) bool {
	return slices.ContainsFunc(t.Conditions, func(c api.Condition) bool {
		return slices.Contains(c.Not, name) && strings.Trim(sampleValue(t.Field(c.Field), 0), `"`) == c.Is
	})
}

func sampleValue(f *api.Field, depth int) string {
	switch f.Kind {
	case api.KindInt:
		return sampleNumber(f.Limits)
	case api.KindFloat:
		return "1"
	case api.KindBool:
		return "true"
	case api.KindDate:
		return `"2026-10-01"`
	case api.KindTime:
		return `"2026-10-01T10:00:00Z"`
	case api.KindObject:
		return sampleObject(f.Type, depth+1)
	case api.KindArray:
		item := sampleValue(f.Elem, depth+1)
		if f.Limits != nil && f.Limits.MinItems != nil && *f.Limits.MinItems > 1 && len(f.Elem.Enum) > 1 {
			item += `,"` + f.Elem.Enum[1] + `"`
		}
		return "[" + item + "]"
	case api.KindMap:
		return `{"key":` + sampleValue(f.Elem, depth+1) + `}`
	case api.KindMetadata, api.KindStringMap, api.KindAnyMap:
		return `{"key":"value"}`
	}
	switch {
	case len(f.Enum) > 0:
		return `"` + f.Enum[0] + `"`
	case f.Format == "uri":
		return `"https://example.com/a"`
	case f.Format == "email":
		return `"a@example.com"`
	case strings.HasSuffix(f.Name, "country_code"):
		return `"GB"`
	}
	return `"sample"`
}

func sampleNumber(lim *api.Limits) string {
	if lim == nil || lim.MultipleOf == nil {
		return "1"
	}
	n := *lim.MultipleOf
	for lim.Minimum != nil && n < *lim.Minimum {
		n += *lim.MultipleOf
	}
	return fmt.Sprint(n)
}
