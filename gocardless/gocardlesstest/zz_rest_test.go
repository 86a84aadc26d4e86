package gocardlesstest

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRestAnswers calls every operation that no test before it has called, with a request made from
// the tables: an operation that an update of the API brings is checked from its first day. It is
// last in the last file, so that it sees what the others did.
func TestRestAnswers(t *testing.T) {
	w := newWorld(t)
	for i := range operations {
		op := &operations[i]
		if _, done := checked.Load(op.name); done || !wholeRun() {
			continue
		}
		if r := w.do(op.method, w.pathOf(op), bodyOf(op)); r.status >= 300 {
			t.Errorf("%s: a request made from the tables gets %d: add a call to TestOperationsAnswer\n%s", op.name, r.status, r.raw)
		}
	}
}

// The request of a new resource's operations is made from the tables.
func TestRequestsFromTables(t *testing.T) {
	op := theOps("customers.create")
	var body struct{ Customers map[string]any }
	if err := json.Unmarshal([]byte(bodyOf(op)), &body); err != nil || body.Customers["given_name"] == nil || body.Customers["metadata"] == nil {
		t.Errorf("%v: %s", err, bodyOf(op))
	}
	w := newWorld(t)
	get := theOps("exports.get")
	if r := w.do(get.method, w.pathOf(get), ""); r.status != 200 {
		t.Errorf("%d %s", r.status, r.raw)
	}
}

// pathOf returns the path and query of a request that an operation answers: the resource in the path
// is there.
func (w *world) pathOf(op *opSpec) string {
	path := op.path
	if owner := theRegistry().ownerOf(op); strings.Contains(path, "{") {
		id := "ID1"
		if owner != "" {
			w.sb.update(func(tx *tx) error {
				id = tx.add(tx.make(owner)).id
				return nil
			})
		}
		path = path[:strings.IndexByte(path, '{')] + id + path[strings.IndexByte(path, '}')+1:]
	}
	separator := "?"
	for i := range op.query {
		if f := &op.query[i]; f.required && f.kind != kObject {
			path += separator + f.name + "=" + strings.Trim(sampleValue(f, 0), `"`)
			separator = "&"
		}
	}
	return path
}

func bodyOf(op *opSpec) string {
	if op.request == "" || len(op.bodies) == 0 {
		return ""
	}
	return `{"` + op.request + `":` + sampleObject(op.bodies[0], 0) + `}`
}

func sampleObject(t *typeSpec, depth int) string {
	var members []string
	for i := range t.fields {
		f := &t.fields[i]
		if !f.required && depth > 2 {
			continue
		}
		members = append(members, `"`+f.name+`":`+sampleValue(f, depth))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func sampleValue(f *fieldSpec, depth int) string {
	switch f.kind {
	case kInt, kFloat:
		return "1"
	case kBool:
		return "true"
	case kDate:
		return `"2026-10-01"`
	case kTime:
		return `"2026-10-01T10:00:00Z"`
	case kObject:
		return sampleObject(f.typ, depth+1)
	case kArray:
		return "[" + sampleValue(f.elem, depth+1) + "]"
	case kMetadata, kStringMap, kAnyMap:
		return `{"key":"value"}`
	}
	switch {
	case len(f.enum) > 0:
		return `"` + f.enum[0] + `"`
	case f.format == "uri":
		return `"https://example.com/a"`
	case f.format == "email":
		return `"a@example.com"`
	case strings.HasSuffix(f.name, "country_code"):
		return `"GB"`
	}
	return `"sample"`
}
