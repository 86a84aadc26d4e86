package adopt

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

const root = "../../.."

var vendored = sync.OnceValue(func() *jsontree.Value {
	data, err := os.ReadFile(root + "/schema/gocardless.json")
	if err != nil {
		panic(err)
	}
	v, err := jsontree.Parse(data)
	if err != nil {
		panic(err)
	}
	return v
})

// ours returns the vendored document. Adopting another one does not change it.
var ours = sync.OnceValue(func() *openapi.Document {
	d, err := openapi.Read(vendored())
	if err != nil {
		panic(err)
	}
	return d
})

func document(t testing.TB, v *jsontree.Value) *openapi.Document {
	t.Helper()
	d, err := openapi.Read(v)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A variant rewrites the vendored document as another author could have written it.
type variant struct {
	name string
	vary func(root *jsontree.Value)
}

var variants = []variant{
	{"as it is", func(*jsontree.Value) {}},
	{"OpenAPI 3.0", toOpenAPI30},
	{"no operationIds", func(r *jsontree.Value) { operations(r, func(op *jsontree.Value) { op.Delete("operationId") }) }},
	{"other operationIds", func(r *jsontree.Value) {
		i := 0
		operations(r, func(op *jsontree.Value) {
			i++
			op.Set("operationId", jsontree.NewString(fmt.Sprintf("doThing%dNow", i)))
		})
	}},
	{"references resolved", inlineAll},
	{"other schema names", renameSchemas},
	{"another order", func(r *jsontree.Value) { shuffle(r, rand.New(rand.NewPCG(1, 2))) }},
	{"descriptions in HTML", toHTML},
	{"no descriptions, examples or extensions", stripWords},
	{"no tags, titles or servers", func(r *jsontree.Value) {
		r.Delete("tags")
		r.Delete("servers")
		r.Delete("security")
		r.Get("info").Delete("description")
		r.Get("info").Delete("x-schema-date")
		r.Get("info").Set("title", jsontree.NewString("Pro"))
		operations(r, func(op *jsontree.Value) { op.Delete("tags") })
	}},
	{"other path parameters", renamePathParameters},
	{"filters in brackets", brackets},
	{"bodies as components", extractBodies},
	{"null first, as oneOf", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if forms := s.Get("anyOf"); forms != nil {
				forms.Items[0], forms.Items[1] = forms.Items[1], forms.Items[0]
				replaceMember(s, "anyOf", "oneOf", forms)
			}
		})
	}},
	{"no limits, conditions or defaults", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			for _, key := range []string{"maxLength", "minLength", "minimum", "maximum", "pattern", "default", "deprecated", "if", "then", "propertyNames", "maxProperties"} {
				s.Delete(key)
			}
			if f := s.Get("format").Str(); f == "uri" || f == "email" || f == "int64" {
				s.Delete("format")
			}
		})
		operations(r, func(op *jsontree.Value) { op.Delete("deprecated") })
	}},
	{"transport headers and refusals listed", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			if !op.Has("parameters") {
				op.Set("parameters", &jsontree.Value{Kind: jsontree.Array})
			}
			list := op.Get("parameters")
			for _, name := range []string{"GoCardless-Version", "Authorization", "Content-Type"} {
				list.Items = append(list.Items, parse(fmt.Sprintf(`{"name": %q, "in": "header", "required": true, "schema": {"type": "string"}}`, name)))
			}
			op.Get("responses").Delete("default")
			op.Get("responses").Set("422", parse(`{"description": "Refused", "content": {"application/json": {"schema": {"type": "object"}}}}`))
		})
	}},
	{"everything at once", func(r *jsontree.Value) {
		renamePathParameters(r)
		toHTML(r)
		toOpenAPI30(r)
		inlineAll(r)
		operations(r, func(op *jsontree.Value) { op.Delete("operationId") })
		shuffle(r, rand.New(rand.NewPCG(3, 4)))
	}},
	{"everything but resolved, with other names", func(r *jsontree.Value) {
		extractBodies(r)
		renameSchemas(r)
		stripWords(r)
		toOpenAPI30(r)
		shuffle(r, rand.New(rand.NewPCG(5, 6)))
	}},
}

// Every way to write the same API results in the vendored document, byte for byte, and therefore in the same
// Go code.
func TestVariantsComeBackAsVendored(t *testing.T) {
	want := string(vendored().Format())
	for _, v := range append(variants, vendorVariants...) {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			source := vendored().Clone()
			v.vary(source)
			got, err := Normalise(ours(), document(t, source), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if text := string(got.Root.Format()); text != want {
				t.Errorf("the result differs:\n%s", firstDifferences(want, text))
			}
		})
	}
}

// Every variant changes the document; otherwise it would prove nothing.
func TestVariantsDiffer(t *testing.T) {
	if testing.Short() {
		t.Skip("rewrites the whole description in many ways")
	}
	for _, v := range append(variants[1:], vendorVariants...) {
		source := vendored().Clone()
		v.vary(source)
		if source.Compact() == vendored().Compact() {
			t.Errorf("%s: nothing changed", v.name)
		}
	}
}

func firstDifferences(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for i := 0; i < min(len(a), len(b)) && len(out) < 12; i++ {
		if a[i] != b[i] {
			from := max(0, i-4)
			out = append(out, fmt.Sprintf("line %d:\n%s\n- %s\n+ %s", i+1, strings.Join(a[from:i], "\n"), a[i], b[i]))
			if len(a) != len(b) {
				break
			}
		}
	}
	return fmt.Sprintf("%d and %d lines\n%s", len(a), len(b), strings.Join(out, "\n"))
}

func parse(text string) *jsontree.Value {
	v, err := jsontree.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return v
}

func operations(r *jsontree.Value, do func(op *jsontree.Value)) {
	for _, path := range r.Get("paths").Members {
		for _, op := range path.Value.Members {
			do(op.Value)
		}
	}
}

// schemasIn visits every schema of a document, the inner ones first.
func schemasIn(r *jsontree.Value, do func(s *jsontree.Value)) {
	var visit func(s *jsontree.Value)
	visit = func(s *jsontree.Value) {
		if s == nil || s.Kind != jsontree.Object {
			return
		}
		for _, key := range []string{"items", "additionalProperties"} {
			visit(s.Get(key))
		}
		for _, key := range []string{"properties", "anyOf", "oneOf", "allOf"} {
			for _, inner := range values(s.Get(key)) {
				visit(inner)
			}
		}
		do(s)
	}
	content := func(v *jsontree.Value) {
		for _, media := range values(v.Get("content")) {
			visit(media.Get("schema"))
		}
	}
	for _, s := range values(r.At("/components/schemas")) {
		visit(s)
	}
	operations(r, func(op *jsontree.Value) {
		for _, p := range values(op.Get("parameters")) {
			visit(p.Get("schema"))
		}
		content(op.Get("requestBody"))
		for _, reply := range values(op.Get("responses")) {
			content(reply)
		}
	})
	for _, reply := range values(r.At("/components/responses")) {
		content(reply)
	}
	for _, p := range values(r.At("/components/parameters")) {
		visit(p.Get("schema"))
	}
}

// values returns the values of the members or items of v, which may be nil.
func values(v *jsontree.Value) []*jsontree.Value {
	if v == nil {
		return nil
	}
	list := slices.Clone(v.Items)
	for _, m := range v.Members {
		list = append(list, m.Value)
	}
	return list
}

func toOpenAPI30(r *jsontree.Value) {
	r.Set("openapi", jsontree.NewString("3.0.3"))
	schemasIn(r, func(s *jsontree.Value) {
		for _, key := range []string{"if", "then", "propertyNames"} {
			s.Delete(key)
		}
		if e := s.Get("examples"); e != nil {
			replaceMember(s, "examples", "example", e.Items[0])
		}
		if t := s.Get("type"); t != nil && t.Kind == jsontree.Array {
			s.Set("type", t.Items[0])
			s.Set("nullable", jsontree.NewBool(true))
		}
		if forms := s.Get("anyOf"); forms != nil {
			replaceMember(s, "anyOf", "allOf", &jsontree.Value{Kind: jsontree.Array, Items: forms.Items[:1]})
			s.Set("nullable", jsontree.NewBool(true))
		}
		if ref := s.Get("$ref"); ref != nil && len(s.Members) > 1 {
			all := &jsontree.Value{Kind: jsontree.Array, Items: []*jsontree.Value{jsontree.NewObject(jsontree.Member{Name: "$ref", Value: ref})}}
			replaceMember(s, "$ref", "allOf", all)
		}
	})
}

// inlineAll replaces all references by what they refer to.
func inlineAll(r *jsontree.Value) {
	var resolve func(v *jsontree.Value) *jsontree.Value
	resolve = func(v *jsontree.Value) *jsontree.Value {
		out := &jsontree.Value{Kind: v.Kind, Text: v.Text}
		for _, item := range v.Items {
			out.Items = append(out.Items, resolve(item))
		}
		if ref := v.Get("$ref").Str(); ref != "" {
			out = resolve(r.At(strings.TrimPrefix(ref, "#")))
			for _, m := range v.Members {
				if m.Name != "$ref" {
					out.Set(m.Name, resolve(m.Value))
				}
			}
			return out
		}
		for _, m := range v.Members {
			if m.Name == "x-variants" {
				continue
			}
			out.Members = append(out.Members, jsontree.Member{Name: m.Name, Value: resolve(m.Value)})
		}
		return out
	}
	r.Set("paths", resolve(r.Get("paths")))
	r.Get("components").Delete("responses")
	r.Get("components").Delete("parameters")
	r.Get("components").Set("schemas", jsontree.NewObject())
	r.Get("components").Set("responses", jsontree.NewObject())
}

func renameSchemas(r *jsontree.Value) {
	other := func(name string) string { return "api." + strings.ToLower(name) + "_v1" }
	for i := range r.At("/components/schemas").Members {
		m := &r.At("/components/schemas").Members[i]
		m.Name = other(m.Name)
	}
	r.Walk(func(_ string, v *jsontree.Value) {
		for _, key := range []string{"$ref", "params"} {
			if name, ok := strings.CutPrefix(v.Get(key).Str(), ir.SchemaPrefix); ok {
				v.Set(key, jsontree.NewString(ir.SchemaPrefix+other(name)))
			}
		}
	})
}

// shuffle changes every order that has no meaning.
func shuffle(r *jsontree.Value, random *rand.Rand) {
	r.Walk(func(pointer string, v *jsontree.Value) {
		random.Shuffle(len(v.Members), func(i, j int) { v.Members[i], v.Members[j] = v.Members[j], v.Members[i] })
		for _, key := range []string{"enum", "required", "parameters", "oneOf", "tags"} {
			if list := v.Get(key); list != nil && list.Kind == jsontree.Array {
				random.Shuffle(len(list.Items), func(i, j int) { list.Items[i], list.Items[j] = list.Items[j], list.Items[i] })
			}
		}
	})
}

func toHTML(r *jsontree.Value) {
	r.Walk(func(_ string, v *jsontree.Value) {
		d := v.Get("description")
		if d.Str() == "" {
			return
		}
		text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(d.Text)
		parts := strings.Split(text, "`")
		for i := range parts {
			if i%2 == 1 {
				parts[i] = "<code>" + parts[i] + "</code>"
			}
		}
		text = strings.Join(parts, "")
		v.Set("description", jsontree.NewString("<p>"+strings.Replace(text, ". ", ".</p>\n<p class=\"more\">", 1)+"</p>\n"))
	})
}

func stripWords(r *jsontree.Value) {
	r.Walk(func(pointer string, v *jsontree.Value) {
		if strings.HasSuffix(pointer, "/properties") {
			return // its members are properties, one of them may be called description
		}
		for _, name := range v.Names() {
			if name == "description" || name == "summary" || name == "examples" || strings.HasPrefix(name, "x-") {
				v.Delete(name)
			}
		}
	})
}

func renamePathParameters(r *jsontree.Value) {
	paths := r.Get("paths")
	for i := range paths.Members {
		paths.Members[i].Name = strings.Replace(paths.Members[i].Name, "{identity}", "{resource_id}", 1)
	}
	operations(r, func(op *jsontree.Value) {
		if list := op.Get("parameters"); list != nil {
			for _, p := range list.Items {
				if p.Get("in").Str() == "path" {
					p.Set("name", jsontree.NewString("resource_id"))
				}
			}
		}
	})
}

// brackets turns each member of a range filter into a parameter.
func brackets(r *jsontree.Value) {
	operations(r, func(op *jsontree.Value) {
		list := op.Get("parameters")
		if list == nil {
			return
		}
		var out []*jsontree.Value
		for _, p := range list.Items {
			ref := strings.TrimPrefix(p.Get("schema").Get("$ref").Str(), "#")
			if p.Get("style").Str() != "deepObject" || ref == "" {
				out = append(out, p)
				continue
			}
			for _, m := range r.At(ref).Get("properties").Members {
				out = append(out, jsontree.NewObject(
					jsontree.Member{Name: "name", Value: jsontree.NewString(p.Get("name").Str() + "[" + m.Name + "]")},
					jsontree.Member{Name: "in", Value: jsontree.NewString("query")},
					jsontree.Member{Name: "schema", Value: m.Value},
				))
			}
		}
		list.Items = out
	})
}

// extractBodies moves the objects around bodies to the components.
func extractBodies(r *jsontree.Value) {
	n := 0
	extract := func(v *jsontree.Value) {
		media := v.At("/content/application~1json")
		if media == nil || media.Get("schema").Has("$ref") {
			return
		}
		n++
		name := fmt.Sprintf("Body%d", n)
		r.At("/components/schemas").Set(name, media.Get("schema"))
		media.Set("schema", jsontree.NewObject(jsontree.Member{Name: "$ref", Value: jsontree.NewString(ir.SchemaPrefix + name)}))
	}
	operations(r, func(op *jsontree.Value) {
		if b := op.Get("requestBody"); b != nil {
			extract(b)
		}
		for _, m := range op.Get("responses").Members {
			extract(m.Value)
		}
	})
}

// history returns the vendored snapshots, the oldest first.
func history(t testing.TB) []*jsontree.Value {
	t.Helper()
	files, _ := filepath.Glob(root + "/schema/history/*.json")
	var out []*jsontree.Value
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parse(string(data)))
	}
	return append(out, vendored())
}

// Adopting each real step of the API's history from a foreign spelling results in what was vendored then,
// except for the names of new schemas, which follow rules. Package release adopts each step as
// it is.
func TestHistoryIsAdopted(t *testing.T) {
	steps := history(t)
	if testing.Short() {
		steps = steps[len(steps)-3:]
	}
	for i := 1; i < len(steps); i++ {
		want := steps[i]
		t.Run(want.At("/info/x-schema-date").Str(), func(t *testing.T) {
			t.Parallel()
			source := want.Clone()
			renamePathParameters(source)
			operations(source, func(op *jsontree.Value) {
				op.Set("operationId", jsontree.NewString("Op"+op.Get("operationId").Str()))
			})
			inlineAll(source)
			shuffle(source, rand.New(rand.NewPCG(7, uint64(i))))
			got, err := Normalise(document(t, steps[i-1]), document(t, source), Options{Words: true, Rules: overlay(t)})
			if err != nil {
				t.Fatal(err)
			}
			r, err := compare.Compare(compare.Side{Doc: document(t, want)}, compare.Side{Doc: document(t, got.Root)})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range r.Changes {
				if c.Class > compare.Documentation && c.Code != "type-renamed" {
					t.Errorf("%s: %s", c.Class, c.Text)
				}
			}
		})
	}
}

// overlay returns the rules of the generator's overlay.
func overlay(t testing.TB) *load.Overlay {
	t.Helper()
	data, err := os.ReadFile(root + "/generator/overlay.json")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := load.ParseOverlay(data)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}
