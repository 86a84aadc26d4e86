package compare

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/exp/apidiff"

	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// A longer run with another seed finds more.
var (
	rounds = flag.Int("rounds", 24, "random changes to make")
	seed   = flag.Uint64("seed", 1, "seed of the random changes")
)

type rng struct{ *rand.Rand }

func pick[T any](r rng, list []T) T { return list[r.IntN(len(list))] }

func tree(text string) *jsontree.Value {
	v, err := jsontree.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return v
}

// member is a place in a document where an object schema has a property.
type member struct {
	owner *jsontree.Value // the object schema
	name  string
}

func (m member) schema() *jsontree.Value { return m.owner.Get("properties").Get(m.name) }

func members(root *jsontree.Value) []member {
	var out []member
	root.Walk(func(p string, v *jsontree.Value) {
		if props := v.Get("properties"); props != nil && !strings.Contains(p, "/if") && !strings.Contains(p, "/then") && v.Get("type") != nil {
			for _, m := range props.Members {
				out = append(out, member{v, m.Name})
			}
		}
	})
	return out
}

func params(root *jsontree.Value) (lists []*jsontree.Value) {
	root.At("/paths").Walk(func(p string, v *jsontree.Value) {
		if strings.HasSuffix(p, "/parameters") && v.Kind == jsontree.Array {
			lists = append(lists, v)
		}
	})
	return lists
}

func operations(root *jsontree.Value) (out []*jsontree.Value) {
	for _, p := range root.Get("paths").Members {
		for _, m := range p.Value.Members {
			if slices.Contains([]string{"get", "put", "post", "delete"}, m.Name) {
				out = append(out, m.Value)
			}
		}
	}
	return out
}

func shuffle(r rng, v *jsontree.Value) {
	if v == nil {
		return
	}
	r.Shuffle(len(v.Items), func(i, j int) { v.Items[i], v.Items[j] = v.Items[j], v.Items[i] })
	r.Shuffle(len(v.Members), func(i, j int) { v.Members[i], v.Members[j] = v.Members[j], v.Members[i] })
}

func unrequire(owner *jsontree.Value, name string) bool {
	req := owner.Get("required")
	if req == nil {
		return false
	}
	n := len(req.Items)
	req.Items = slices.DeleteFunc(req.Items, func(i *jsontree.Value) bool { return i.Str() == name })
	return len(req.Items) != n
}

func enums(root *jsontree.Value) (out []*jsontree.Value) {
	root.At("/components/schemas").Walk(func(p string, v *jsontree.Value) {
		if e := v.Get("enum"); e != nil && e.Kind == jsontree.Array && len(e.Items) > 1 {
			out = append(out, v)
		}
	})
	return out
}

// changes are the kinds of random change. Each returns what it did, or "" if there was nothing to do at the
// chosen place.
var changes = []struct {
	name  string
	apply func(r rng, root *jsontree.Value) string
}{
	{"remove property", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		m.owner.Get("properties").Delete(m.name)
		unrequire(m.owner, m.name)
		return m.name
	}},
	{"rename property", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		props := m.owner.Get("properties")
		for i := range props.Members {
			if props.Members[i].Name == m.name {
				props.Members[i].Name = m.name + "_x"
			}
		}
		if unrequire(m.owner, m.name) {
			m.owner.Get("required").Items = append(m.owner.Get("required").Items, jsontree.NewString(m.name+"_x"))
		}
		return m.name
	}},
	{"add property", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		kind := pick(r, []string{`{"type":"string"}`, `{"type":"integer","format":"int64"}`, `{"type":["boolean","null"]}`, `{"type":"array","items":{"type":"string"}}`, `{"type":"string","format":"date"}`, `{"$ref":"#/components/schemas/Currency"}`, `{"$ref":"#/components/schemas/Metadata"}`, `{"$ref":"#/components/schemas/PaymentCreateParamsLinks"}`, `{"type":"object","additionalProperties":{"type":"string"}}`})
		m.owner.Get("properties").Set("shiny_new", tree(kind))
		if r.IntN(3) == 0 {
			if m.owner.Get("required") == nil {
				m.owner.Set("required", tree(`[]`))
			}
			m.owner.Get("required").Items = append(m.owner.Get("required").Items, jsontree.NewString("shiny_new"))
		}
		return m.name + " " + kind
	}},
	{"retype property", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		kind := pick(r, []string{`{"type":"string"}`, `{"type":"integer","format":"int64"}`, `{"type":"integer"}`, `{"type":"number"}`, `{"type":["boolean","null"]}`, `{"type":"array","items":{"type":"string"}}`, `{"type":"string","format":"date"}`, `{"type":"string","format":"date-time"}`, `{"$ref":"#/components/schemas/Currency"}`, `{"$ref":"#/components/schemas/Metadata"}`, `{"type":"object","additionalProperties":{"type":"string"}}`, `{"type":"object","additionalProperties":true}`, `{"$ref":"#/components/schemas/PaymentCreateParamsLinks"}`, `{"$ref":"#/components/schemas/PaymentLinks"}`, `{"type":"array","items":{"$ref":"#/components/schemas/Currency"}}`, `{"type":"array","items":{"$ref":"#/components/schemas/PaymentLinks"}}`})
		m.owner.Get("properties").Set(m.name, tree(kind))
		return m.name + " " + kind
	}},
	{"toggle required", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		if !unrequire(m.owner, m.name) {
			if m.owner.Get("required") == nil {
				m.owner.Set("required", tree(`[]`))
			}
			m.owner.Get("required").Items = append(m.owner.Get("required").Items, jsontree.NewString(m.name))
		}
		return m.name
	}},
	{"toggle null", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		s := m.schema()
		switch t := s.Get("type"); {
		case t != nil && t.Kind == jsontree.String:
			s.Set("type", jsontree.NewStrings(t.Str(), "null"))
		case t != nil && t.Kind == jsontree.Array:
			s.Set("type", t.Items[0])
		case s.Has("$ref"):
			inner := s.Clone()
			m.owner.Get("properties").Set(m.name, jsontree.NewObject(jsontree.Member{Name: "anyOf", Value: &jsontree.Value{Kind: jsontree.Array, Items: []*jsontree.Value{inner, tree(`{"type":"null"}`)}}}))
		case s.Has("anyOf"):
			m.owner.Get("properties").Set(m.name, s.Get("anyOf").Items[0])
		default:
			return ""
		}
		return m.name
	}},
	{"format", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		s := m.schema()
		if s.Has("$ref") || s.Has("anyOf") {
			return ""
		}
		f := pick(r, []string{"", "date", "date-time", "int64", "uri", "email"})
		if f == "" {
			s.Delete("format")
		} else {
			s.Set("format", jsontree.NewString(f))
		}
		return m.name + " " + f
	}},
	{"limit", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		k := pick(r, []string{"maxLength", "minLength", "minimum", "maximum", "pattern", "maxItems", "minItems", "multipleOf", "exclusiveMinimum", "maxProperties", "uniqueItems"})
		v := strconv.Itoa(r.IntN(20))
		switch k {
		case "pattern":
			v = `"^[a-z]+$"`
		case "multipleOf":
			v = "5"
		case "uniqueItems":
			v = "true"
		}
		m.schema().Set(k, tree(v))
		return m.name + " " + k
	}},
	{"drop limits", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		s := m.schema()
		for _, k := range []string{"maxLength", "minLength", "minimum", "maximum", "pattern", "default", "format"} {
			s.Delete(k)
		}
		return m.name
	}},
	{"annotate", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		k := pick(r, []string{"description", "deprecated", "x-restricted", "default", "examples", "x-required-when", "const", "title"})
		m.schema().Set(k, tree(map[string]string{"description": `"Other words."`, "deprecated": "true", "x-restricted": "true", "default": `"x"`, "examples": `["x"]`, "x-required-when": `"it rains"`, "const": `"x"`, "title": `"T"`}[k]))
		return m.name + " " + k
	}},
	{"enum", func(r rng, root *jsontree.Value) string {
		e := pick(r, enums(root))
		if r.IntN(2) == 0 {
			e.Get("enum").Items = append(e.Get("enum").Items, jsontree.NewString("brand_new"))
			return "add"
		}
		last := e.Get("enum").Items[len(e.Get("enum").Items)-1].Str()
		e.Get("enum").Items = e.Get("enum").Items[:len(e.Get("enum").Items)-1]
		if d := e.Get("x-enum-descriptions"); d != nil {
			d.Delete(last)
		}
		return "remove " + last
	}},
	{"param", func(r rng, root *jsontree.Value) string {
		l := pick(r, params(root))
		if len(l.Items) == 0 {
			return ""
		}
		i := r.IntN(len(l.Items))
		p := l.Items[i]
		if p.Has("$ref") || p.Get("in").Str() == "path" {
			return ""
		}
		switch r.IntN(7) {
		case 0:
			l.Items = slices.Delete(l.Items, i, i+1)
			return "remove " + p.Get("name").Str()
		case 1:
			p.Set("name", jsontree.NewString(p.Get("name").Str()+"_x"))
			return "rename " + p.Get("name").Str()
		case 2:
			p.Set("required", jsontree.NewBool(!p.Get("required").True()))
			return "required " + p.Get("name").Str()
		case 3:
			p.Delete("style")
			p.Delete("explode")
			p.Set("schema", tree(pick(r, []string{`{"type":"string"}`, `{"type":"integer"}`, `{"type":"boolean"}`, `{"type":"string","format":"date"}`, `{"$ref":"#/components/schemas/Currency"}`, `{"type":"string","format":"date-time"}`})))
			return "retype " + p.Get("name").Str()
		case 4:
			p.Get("schema").Set("default", tree(`"x"`))
			return "default " + p.Get("name").Str()
		case 5:
			p.Get("schema").Set("maximum", tree(`7`))
			return "maximum " + p.Get("name").Str()
		case 6:
			l.Items = append(l.Items, tree(`{"name":"shiny_filter","in":"query","schema":{"type":"boolean"}}`))
			return "add"
		}
		return ""
	}},
	{"operation", func(r rng, root *jsontree.Value) string {
		paths := root.Get("paths")
		i := r.IntN(len(paths.Members))
		p := paths.Members[i]
		switch r.IntN(4) {
		case 0:
			paths.Members = slices.Delete(paths.Members, i, i+1)
			return "remove " + p.Name
		case 1:
			pick(r, p.Value.Members).Value.Set("deprecated", jsontree.NewBool(true))
			return "deprecate in " + p.Name
		case 2:
			pick(r, p.Value.Members).Value.Delete("requestBody")
			return "drop body in " + p.Name
		case 3:
			op := pick(r, p.Value.Members).Value
			for _, m := range op.Get("responses").Members {
				if strings.HasPrefix(m.Name, "2") {
					m.Value.Delete("content")
				}
			}
			return "drop reply in " + p.Name
		}
		return ""
	}},
	{"condition", func(r rng, root *jsontree.Value) string {
		var m member
		for range 100 {
			m = pick(r, members(root))
			if m.schema().Get("$ref").Str() == "#/components/schemas/Currency" || m.schema().Get("$ref").Str() == "#/components/schemas/Scheme" {
				break
			}
		}
		other := pick(r, m.owner.Get("properties").Members).Name
		m.owner.Set("if", tree(fmt.Sprintf(`{"required":[%q],"properties":{%q:{"const":"USD"}}}`, m.name, m.name)))
		m.owner.Set("then", tree(fmt.Sprintf(`{"required":[%q]}`, other)))
		return m.name + " demands " + other
	}},
	{"array", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		m.owner.Get("properties").Set(m.name, jsontree.NewObject(jsontree.Member{Name: "type", Value: jsontree.NewString("array")}, jsontree.Member{Name: "items", Value: m.schema()}))
		return m.name
	}},
	{"rename component", func(r rng, root *jsontree.Value) string {
		s := pick(r, root.At("/components/schemas").Members).Name
		if s == "Metadata" || s == "ListMeta" || s == "ListCursors" {
			return "" // handwritten Go code uses these names
		}
		renameComponent(root, s, s+"Renamed")
		return s
	}},
	{"ref elsewhere", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		if !m.schema().Has("$ref") {
			return ""
		}
		to := pick(r, root.At("/components/schemas").Members).Name
		m.schema().Set("$ref", jsontree.NewString("#/components/schemas/"+to))
		return m.name + " to " + to
	}},
}

func renameComponent(root *jsontree.Value, old, revised string) {
	s := root.At("/components/schemas")
	for i := range s.Members {
		if s.Members[i].Name == old {
			s.Members[i].Name = revised
		}
	}
	root.Walk(func(_ string, v *jsontree.Value) {
		for _, k := range []string{"$ref", "params"} {
			if v.Get(k).Str() == "#/components/schemas/"+old {
				v.Set(k, jsontree.NewString("#/components/schemas/"+revised))
			}
		}
	})
}

// The reports on random changes, one or two at a time, agree with the Go code generated from the two documents
// and with the report on the reverse change.
func TestRandomChanges(t *testing.T) {
	base := part(t)
	old := generated(t, base, load.Input{})
	if old.err != nil {
		t.Fatal(old.err)
	}
	n := *rounds
	if testing.Short() {
		n = min(n, 5)
	}
	for i := range n {
		r := rng{rand.New(rand.NewPCG(*seed, uint64(i)))}
		root := base.Clone()
		var did []string
		for range 1 + r.IntN(2) {
			c := pick(r, changes)
			if what := c.apply(r, root); what != "" {
				did = append(did, c.name+": "+what)
			}
		}
		t.Run(fmt.Sprint(i, did), func(t *testing.T) {
			t.Parallel()
			checkPair(t, old, generated(t, root, load.Input{}))
		})
	}
}

// goChanges compares the Go code generated from the two documents.
func goChanges(old, revised code) (incompatible, compatible []string) {
	for _, c := range apidiff.Changes(old.sdk, revised.sdk).Changes {
		if c.Compatible || strings.HasSuffix(c.Message, "old is comparable, new is not") {
			compatible = append(compatible, c.Message)
		} else {
			incompatible = append(incompatible, c.Message)
		}
	}
	return incompatible, compatible
}

func checkPair(t *testing.T, old, revised code) {
	t.Helper()
	there, back := compare(t, old.Side, revised.Side), compare(t, revised.Side, old.Side)
	if (len(there.Changes) == 0) != (len(back.Changes) == 0) {
		t.Errorf("%d changes one way, %d back\n%s%s", len(there.Changes), len(back.Changes), there.text(), back.text())
	}
	for _, x := range []struct {
		report       *Report
		old, revised code
	}{{there, old, revised}, {back, revised, old}} {
		for _, c := range x.report.Changes {
			if c.Class == Breaking && c.Advice == "" {
				t.Errorf("no advice for: %s", c.Text)
			}
			for _, bad := range []string{"%!", "``", "  ", " .", " ,"} {
				if strings.Contains(c.Text, bad) {
					t.Errorf("%s: %q in: %s", c.Code, bad, c.Text)
				}
			}
		}
		if x.old.sdk == nil || x.revised.sdk == nil {
			continue // the generator refuses such a document
		}
		compileSnippets(t, x.report, x.old, x.revised)
		incompatible, compatible := goChanges(x.old, x.revised)
		if len(incompatible) > 0 && x.report.Worst() < Breaking {
			t.Errorf("the Go API breaks, the report does not: %q\n%s", incompatible, x.report.text())
		}
		if len(compatible) > 0 && x.report.Worst() < Addition {
			t.Errorf("the Go API grew, the report does not: %q\n%s", compatible, x.report.text())
		}
	}
}

// rewrites change the form of a document but not its meaning.
var rewrites = []struct {
	name  string
	apply func(r rng, root *jsontree.Value) string
}{
	{"shuffle components", func(r rng, root *jsontree.Value) string { shuffle(r, root.At("/components/schemas")); return "x" }},
	{"shuffle paths", func(r rng, root *jsontree.Value) string { shuffle(r, root.Get("paths")); return "x" }},
	{"shuffle tags", func(r rng, root *jsontree.Value) string { shuffle(r, root.Get("tags")); return "x" }},
	{"shuffle servers", func(r rng, root *jsontree.Value) string { shuffle(r, root.Get("servers")); return "x" }},
	{"shuffle params", func(r rng, root *jsontree.Value) string {
		for _, l := range params(root) {
			shuffle(r, l)
		}
		return "x"
	}},
	{"shuffle properties", func(r rng, root *jsontree.Value) string {
		for _, m := range members(root) {
			shuffle(r, m.owner.Get("properties"))
			shuffle(r, m.owner.Get("required"))
			shuffle(r, m.owner)
		}
		return "x"
	}},
	{"shuffle enums", func(r rng, root *jsontree.Value) string {
		for _, e := range enums(root) {
			shuffle(r, e.Get("enum"))
		}
		return "x"
	}},
	{"null as anyOf", func(r rng, root *jsontree.Value) string {
		for _, m := range members(root) {
			s := m.schema()
			if t := s.Get("type"); t != nil && t.Kind == jsontree.Array && r.IntN(3) == 0 {
				inner := s.Clone()
				inner.Set("type", t.Items[0])
				m.owner.Get("properties").Set(m.name, jsontree.NewObject(jsontree.Member{Name: pick(r, []string{"anyOf", "oneOf"}), Value: &jsontree.Value{Kind: jsontree.Array, Items: []*jsontree.Value{inner, tree(`{"type":"null"}`)}}}))
			}
		}
		return "x"
	}},
	{"null type order", func(r rng, root *jsontree.Value) string {
		for _, m := range members(root) {
			shuffle(r, m.schema().Get("type"))
		}
		return "x"
	}},
	{"wrap in allOf", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		if m.schema().Has("$ref") {
			m.owner.Get("properties").Set(m.name, jsontree.NewObject(jsontree.Member{Name: "allOf", Value: &jsontree.Value{Kind: jsontree.Array, Items: []*jsontree.Value{m.schema()}}}))
			return m.name
		}
		return ""
	}},
	{"move scalar to component", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		s := m.schema()
		for _, key := range []string{"$ref", "anyOf", "oneOf", "properties", "default", "deprecated", "x-restricted", "x-required-when"} {
			if s.Has(key) {
				return "" // not a plain value, or a use with annotations of its own
			}
		}
		root.At("/components/schemas").Set("MovedScalar", s)
		m.owner.Get("properties").Set(m.name, tree(`{"$ref":"#/components/schemas/MovedScalar"}`))
		return m.name
	}},
	{"empty required", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		if m.owner.Has("required") {
			return ""
		}
		m.owner.Set("required", tree("[]"))
		return m.name
	}},
	{"required twice", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		if req := m.owner.Get("required"); req != nil {
			req.Items = append(req.Items, req.Items...)
			return m.name
		}
		return ""
	}},
	{"drop ids", func(r rng, root *jsontree.Value) string {
		for _, o := range operations(root) {
			o.Delete("operationId")
		}
		return "x"
	}},
	{"params to components", func(r rng, root *jsontree.Value) string {
		l := pick(r, params(root))
		if len(l.Items) == 0 {
			return ""
		}
		if root.At("/components/parameters") == nil {
			root.Get("components").Set("parameters", tree("{}"))
		}
		i := r.IntN(len(l.Items))
		if l.Items[i].Has("$ref") {
			return ""
		}
		root.At("/components/parameters").Set("Moved", l.Items[i])
		l.Items[i] = tree(`{"$ref":"#/components/parameters/Moved"}`)
		return "x"
	}},
	{"params to path", func(r rng, root *jsontree.Value) string {
		var p *jsontree.Value
		for range 50 {
			p = pick(r, root.Get("paths").Members).Value
			if len(p.Members) == 1 && p.Members[0].Value.Has("parameters") {
				p.Set("parameters", p.Members[0].Value.Get("parameters"))
				p.Members[0].Value.Delete("parameters")
				return "x"
			}
		}
		return ""
	}},
	{"reply to components", func(r rng, root *jsontree.Value) string {
		o := pick(r, operations(root))
		for i, m := range o.Get("responses").Members {
			if strings.HasPrefix(m.Name, "2") {
				root.At("/components/responses").Set("MovedReply", m.Value)
				o.Get("responses").Members[i].Value = tree(`{"$ref":"#/components/responses/MovedReply"}`)
				return m.Name
			}
		}
		return ""
	}},
	{"body to components", func(r rng, root *jsontree.Value) string {
		o := pick(r, operations(root))
		if b := o.Get("requestBody"); b != nil {
			root.Get("components").Set("requestBodies", jsontree.NewObject(jsontree.Member{Name: "Moved", Value: b}))
			o.Set("requestBody", tree(`{"$ref":"#/components/requestBodies/Moved"}`))
			return "x"
		}
		return ""
	}},
	{"media type", func(r rng, root *jsontree.Value) string {
		o := pick(r, operations(root))
		for _, m := range o.Get("responses").Members {
			if c := m.Value.Get("content"); c != nil {
				c.Members[0].Name = "application/json; charset=utf-8"
				return m.Name
			}
		}
		return ""
	}},
	{"envelope to component", func(r rng, root *jsontree.Value) string {
		o := pick(r, operations(root))
		for _, m := range o.Get("responses").Members {
			if c := m.Value.Get("content"); c != nil && strings.HasPrefix(m.Name, "2") {
				root.At("/components/schemas").Set("MovedEnvelope", c.Members[0].Value.Get("schema"))
				c.Members[0].Value.Set("schema", tree(`{"$ref":"#/components/schemas/MovedEnvelope"}`))
				return m.Name
			}
		}
		return ""
	}},
	{"request envelope to component", func(r rng, root *jsontree.Value) string {
		o := pick(r, operations(root))
		if c := o.Get("requestBody").Get("content"); c != nil {
			root.At("/components/schemas").Set("MovedEnvelope", c.Members[0].Value.Get("schema"))
			c.Members[0].Value.Set("schema", tree(`{"$ref":"#/components/schemas/MovedEnvelope"}`))
			return "x"
		}
		return ""
	}},
	{"example", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		if e := m.schema().Get("examples"); e != nil && len(e.Items) == 1 {
			m.schema().Delete("examples")
			m.schema().Set("example", e.Items[0])
			return m.name
		}
		return ""
	}},
	{"condition by enum", func(r rng, root *jsontree.Value) string {
		done := ""
		root.At("/components/schemas").Walk(func(_ string, v *jsontree.Value) {
			if c := v.Get("const"); c != nil {
				v.Delete("const")
				v.Set("enum", &jsontree.Value{Kind: jsontree.Array, Items: []*jsontree.Value{c}})
				done = "x"
			}
		})
		return done
	}},
	{"integer limits as floats", func(r rng, root *jsontree.Value) string {
		root.At("/components/schemas").Walk(func(_ string, v *jsontree.Value) {
			for _, k := range []string{"minimum", "maximum"} {
				if n := v.Get(k); n != nil && n.Kind == jsontree.Number {
					v.Set(k, tree(n.Text+".0"))
				}
			}
		})
		return "x"
	}},
	{"additional properties true on object", func(r rng, root *jsontree.Value) string {
		m := pick(r, members(root))
		if m.owner.Has("additionalProperties") {
			return ""
		}
		m.owner.Set("additionalProperties", tree("true"))
		return m.name
	}},
}

// A rewrite is not a change, or at most one of documentation.
func TestRewrites(t *testing.T) {
	base := part(t)
	for i, c := range rewrites {
		root := base.Clone()
		r := rng{rand.New(rand.NewPCG(*seed, uint64(i)))}
		what := ""
		for range 50 {
			if what = c.apply(r, root); what != "" {
				break
			}
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if what == "" {
				t.Fatal("found no place to rewrite")
			}
			for _, report := range []*Report{compare(t, sideOf(t, base), sideOf(t, root)), compare(t, sideOf(t, root), sideOf(t, base))} {
				if report.Worst() > Documentation {
					t.Errorf("%s: %s", what, report.text())
				}
			}
		})
	}
}
