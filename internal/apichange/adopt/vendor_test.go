package adopt

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// vendorVariants are habits of published documents that ours does not have.
var vendorVariants = []variant{
	{"words beside references by allOf", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			ref := s.Get("$ref")
			if ref == nil {
				return
			}
			words := s.Clone()
			words.Delete("$ref")
			if len(words.Members) == 0 {
				words.Set("title", jsontree.NewString("A title"))
			}
			s.Members = []jsontree.Member{{Name: "allOf", Value: array(object("$ref", ref), words)}}
		})
	}},
	{"objects composed of two", func(r *jsontree.Value) {
		components := r.At("/components/schemas")
		for _, m := range slices.Clone(components.Members) {
			halve(components, m.Name, m.Value)
		}
	}},
	{"null by nullable beside oneOf", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if forms := s.Get("anyOf"); forms != nil {
				replaceMember(s, "anyOf", "oneOf", array(forms.Items[0]))
				s.Set("nullable", jsontree.NewBool(true))
			}
		})
	}},
	{"null among the values of enums", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			forms := s.Get("anyOf")
			if forms == nil {
				return
			}
			enum := r.At(strings.TrimPrefix(forms.Items[0].Get("$ref").Str(), "#"))
			if enum.Get("enum") == nil {
				return
			}
			values := enum.Get("enum").Clone()
			values.Items = append(values.Items, &jsontree.Value{})
			s.Delete("anyOf")
			s.Set("type", jsontree.NewStrings("string", "null"))
			s.Set("enum", values)
		})
	}},
	{"keywords that say nothing", noise},
	{"objects open or closed", func(r *jsontree.Value) {
		i := 0
		schemasIn(r, func(s *jsontree.Value) {
			if s.Has("properties") {
				i++
				s.Set("additionalProperties", []*jsontree.Value{jsontree.NewBool(true), jsontree.NewBool(false), jsontree.NewObject()}[i%3])
			}
		})
	}},
	{"several media types", func(r *jsontree.Value) {
		contents(r, func(c *jsontree.Value) {
			media := c.Get("application/json")
			other := parse(`{"schema": {"type": "string", "format": "binary"}}`)
			c.Members = []jsontree.Member{{Name: "application/xml", Value: other}, {Name: "application/json; charset=utf-8", Value: media}, {Name: "multipart/form-data", Value: other}}
		})
	}},
	{"2XX for every success with a body", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			for i, m := range op.Get("responses").Members {
				if strings.HasPrefix(m.Name, "20") && m.Value.Has("content") {
					op.Get("responses").Members[i].Name = "2XX"
				}
			}
		})
	}},
	{"success as the default reply", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			responses := op.Get("responses")
			if responses.Has("204") {
				return
			}
			for _, m := range slices.Clone(responses.Members) {
				if strings.HasPrefix(m.Name, "20") && m.Value.Has("content") {
					responses.Members = []jsontree.Member{{Name: "default", Value: m.Value}}
				}
			}
		})
	}},
	{"everything in components", componentise},
	{"a slash at the end of paths", func(r *jsontree.Value) {
		for i := range r.Get("paths").Members {
			r.Get("paths").Members[i].Name += "/"
		}
	}},
	{"references escaped as in URLs", func(r *jsontree.Value) {
		renameSchemas(r)
		r.Walk(func(_ string, v *jsontree.Value) {
			if ref := v.Get("$ref").Str(); ref != "" {
				v.Set("$ref", jsontree.NewString("#"+strings.NewReplacer("_", "%5F", ".", "%2e").Replace(ref[1:])))
			}
		})
	}},
	{"references into paths", func(r *jsontree.Value) {
		const place = "/paths/~1payments~1{identity}/get/responses/200/content/application~1json/schema/properties/payments"
		payment := r.At("/components/schemas/Payment")
		r.Walk(func(pointer string, v *jsontree.Value) {
			if v.Get("$ref").Str() == ir.SchemaPrefix+"Payment" && pointer != place {
				v.Set("$ref", jsontree.NewString("#"+strings.NewReplacer("{", "%7B", "}", "%7D").Replace(place)))
			}
		})
		at := r.At(place)
		at.Members = payment.Members
		r.At("/components/schemas").Delete("Payment")
	}},
	{"enums open by anyOf", func(r *jsontree.Value) {
		for _, m := range r.At("/components/schemas").Members {
			if s := m.Value; s.Has("enum") {
				words := s.Get("description")
				s.Delete("description")
				closed := s.Clone()
				s.Members = []jsontree.Member{{Name: "anyOf", Value: array(object("type", jsontree.NewString("string")), closed)}}
				if words != nil {
					s.Set("description", words)
				}
			}
		}
	}},
	{"enums as a choice of constants", func(r *jsontree.Value) {
		for _, m := range r.At("/components/schemas").Members {
			if s := m.Value; s.Has("enum") {
				var forms []*jsontree.Value
				for _, value := range s.Get("enum").Items {
					forms = append(forms, object("const", value, "description", jsontree.NewString("Words.")))
				}
				s.Delete("enum")
				s.Delete("x-enum-descriptions")
				s.Set("oneOf", array(forms...))
			}
		}
	}},
	{"enums of one value as constants", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if e := s.Get("enum"); e != nil && len(e.Items) == 1 {
				replaceMember(s, "enum", "const", e.Items[0])
			}
		})
	}},
	{"nothing required", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) { s.Delete("required"); s.Delete("if"); s.Delete("then") })
	}},
	{"numbers for integers", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			switch t := s.Get("type"); {
			case t.Str() == "integer":
				s.Set("type", jsontree.NewString("number"))
			case slices.Contains(t.Strings(), "integer"):
				s.Set("type", jsontree.NewStrings("number", "null"))
			default:
				return
			}
			s.Delete("format")
		})
	}},
	{"formats of others", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if s.Has("format") || s.Has("enum") {
				return
			}
			switch t := append(s.Get("type").Strings(), s.Get("type").Str()); {
			case slices.Contains(t, "integer"):
				s.Set("format", jsontree.NewString("int32"))
			case slices.Contains(t, "string"):
				s.Set("format", jsontree.NewString("uuid"))
			case slices.Contains(t, "number"):
				s.Set("format", jsontree.NewString("decimal"))
			}
		})
	}},
	{"maps as bare objects", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			s.Delete("additionalProperties")
			s.Delete("propertyNames")
		})
	}},
	{"filters without explode", func(r *jsontree.Value) {
		r.Walk(func(_ string, v *jsontree.Value) {
			if v.Get("style").Str() == "deepObject" {
				v.Delete("explode")
			}
		})
	}},
	{"no types where they are plain", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if s.Get("type").Str() != "" && (s.Has("properties") || s.Has("enum")) {
				s.Delete("type")
			}
		})
	}},
	{"empty bodies described", func(r *jsontree.Value) {
		operations(r, func(op *jsontree.Value) {
			if !op.Has("requestBody") {
				op.Set("requestBody", parse(`{"content": {"application/json": {"schema": {"type": "object"}}}}`))
			}
			for _, m := range op.Get("responses").Members {
				if m.Name == "204" {
					m.Value.Set("content", jsontree.NewObject())
				}
			}
		})
	}},
	{"one schema to send and to receive", shareSchemas},
	{"empty lists of what is required", func(r *jsontree.Value) {
		schemasIn(r, func(s *jsontree.Value) {
			if s.Has("properties") && !s.Has("required") {
				s.Set("required", array())
			}
		})
	}},
}

func array(items ...*jsontree.Value) *jsontree.Value {
	return &jsontree.Value{Kind: jsontree.Array, Items: items}
}

// object returns an object made of alternating names and values.
func object(members ...any) *jsontree.Value {
	v := jsontree.NewObject()
	for i := 0; i < len(members); i += 2 {
		v.Set(members[i].(string), members[i+1].(*jsontree.Value))
	}
	return v
}

// halve splits an object into a base with half of its properties and the rest, either as a second object in
// allOf or as keywords next to allOf.
func halve(components *jsontree.Value, name string, s *jsontree.Value) {
	properties := s.Get("properties")
	if properties == nil || len(properties.Members) < 2 || s.Has("if") {
		return
	}
	half := len(properties.Members) / 2
	base := object("type", jsontree.NewString("object"), "properties", &jsontree.Value{Kind: jsontree.Object, Members: properties.Members[:half]})
	rest := object("properties", &jsontree.Value{Kind: jsontree.Object, Members: properties.Members[half:]})
	if required := s.Get("required"); required != nil {
		rest.Set("required", required)
	}
	components.Set(name+"Base", base)
	whole := object("allOf", array(object("$ref", jsontree.NewString(ir.SchemaPrefix+name+"Base"))))
	if half%2 == 0 {
		whole.Get("allOf").Items = append(whole.Get("allOf").Items, rest)
		whole.Set("type", jsontree.NewString("object"))
	} else {
		whole.Members = append(whole.Members, rest.Members...)
	}
	if d := s.Get("description"); d != nil {
		whole.Set("description", d)
	}
	s.Members = whole.Members
}

// noise adds keywords that OpenAPI allows and a client can ignore.
func noise(r *jsontree.Value) {
	docs := parse(`{"url": "https://example.com"}`)
	schemasIn(r, func(s *jsontree.Value) {
		s.Set("x-internal-id", jsontree.NewString("7"))
		if s.Has("$ref") {
			return
		}
		s.Set("title", jsontree.NewString("Some title"))
		s.Set("externalDocs", docs)
		s.Set("readOnly", jsontree.NewBool(false))
		s.Set("writeOnly", jsontree.NewBool(false))
		s.Set("nullable", jsontree.NewBool(false))
		s.Set("xml", parse(`{"name": "x"}`))
		if s.Has("oneOf") {
			s.Set("discriminator", parse(`{"propertyName": "kind"}`))
		}
	})
	r.Set("externalDocs", docs)
	r.Set("x-generator", jsontree.NewBool(true))
	r.Set("webhooks", parse(`{"paid": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}, "responses": {"200": {"description": ""}}}}}`))
	r.Set("servers", parse(`[{"url": "https://{host}.gocardless.com/", "variables": {"host": {"default": "api"}}}]`))
	r.Get("paths").Set("x-note", jsontree.NewString("none"))
	for _, path := range r.Get("paths").Members {
		if path.Value.Kind == jsontree.Object {
			for _, op := range path.Value.Members {
				op.Value.Set("security", parse(`[{"oauth": ["read"]}]`))
				op.Value.Set("servers", r.Get("servers"))
				op.Value.Set("externalDocs", docs)
				op.Value.Set("callbacks", parse(`{"done": {"{$request.body#/url}": {"post": {"responses": {"200": {"description": ""}}}}}}`))
				op.Value.Set("x-code-samples", array())
				for _, m := range op.Value.Get("responses").Members {
					m.Value.Set("headers", parse(`{"RateLimit-Limit": {"schema": {"type": "integer"}}}`))
					m.Value.Set("links", jsontree.NewObject())
				}
			}
			path.Value.Set("summary", jsontree.NewString("A path"))
			path.Value.Set("x-area", jsontree.NewString("money"))
		}
	}
	r.At("/paths").Delete("x-note")
}

// contents visits the content of every body and reply.
func contents(r *jsontree.Value, do func(c *jsontree.Value)) {
	r.Walk(func(pointer string, v *jsontree.Value) {
		if strings.HasSuffix(pointer, "/content") && v.Kind == jsontree.Object && v.Has("application/json") {
			do(v)
		}
	})
}

// componentise moves parameters, bodies, replies and path items to the components.
func componentise(r *jsontree.Value) {
	components := r.Get("components")
	for _, part := range []string{"parameters", "requestBodies", "responses", "pathItems"} {
		if !components.Has(part) {
			components.Set(part, jsontree.NewObject())
		}
	}
	n := 0
	move := func(part string, v *jsontree.Value) {
		if v.Has("$ref") {
			return
		}
		n++
		name := fmt.Sprintf("Shared%d", n)
		components.Get(part).Set(name, v.Clone())
		v.Members = object("$ref", jsontree.NewString("#/components/"+part+"/"+name)).Members
	}
	for _, path := range r.Get("paths").Members {
		for _, op := range path.Value.Members {
			if body := op.Value.Get("requestBody"); body != nil {
				move("requestBodies", body)
			}
			for _, m := range op.Value.Get("responses").Members {
				move("responses", m.Value)
			}
			var own, shared []*jsontree.Value
			if list := op.Value.Get("parameters"); list != nil {
				for _, p := range list.Items {
					if p.Get("in").Str() == "path" {
						shared = append(shared, p)
						continue
					}
					move("parameters", p)
					own = append(own, p)
				}
				list.Items = own
			}
			if shared != nil {
				path.Value.Set("parameters", array(shared...))
			}
		}
		move("pathItems", path.Value)
	}
}

// shareSchemas merges the params that create a resource into the resource's schema where they do not
// contradict each other; readOnly and writeOnly mark the properties of one direction.
func shareSchemas(r *jsontree.Value) {
	schemasIn(r, func(s *jsontree.Value) {
		for _, key := range []string{"required", "if", "then", "default", "x-required-when"} {
			s.Delete(key)
		}
	})
	bare := func(v *jsontree.Value) string {
		v = v.Clone()
		for _, key := range []string{"description", "examples"} {
			v.Delete(key)
		}
		return v.Compact()
	}
	shared := map[string]string{}
next:
	for _, m := range r.At("/components/schemas").Members {
		sent, received := m.Value.Get("properties"), r.At("/components/schemas/"+strings.TrimSuffix(m.Name, "CreateParams")).Get("properties")
		if !strings.HasSuffix(m.Name, "CreateParams") || sent == nil || received == nil {
			continue
		}
		for _, p := range sent.Members {
			if q := received.Get(p.Name); q != nil && bare(q) != bare(p.Value) {
				continue next
			}
		}
		for _, p := range received.Members {
			if !sent.Has(p.Name) {
				p.Value.Set("readOnly", jsontree.NewBool(true))
			}
		}
		for _, p := range sent.Members {
			if !received.Has(p.Name) {
				p.Value.Set("writeOnly", jsontree.NewBool(true))
				received.Set(p.Name, p.Value)
			}
		}
		shared[ir.SchemaPrefix+m.Name] = ir.SchemaPrefix + strings.TrimSuffix(m.Name, "CreateParams")
	}
	r.Walk(func(_ string, v *jsontree.Value) {
		if to := shared[v.Get("$ref").Str()]; to != "" {
			v.Set("$ref", jsontree.NewString(to))
		}
		if p := v.Get("params").Str(); shared[p] != "" {
			v.Set("params", jsontree.NewString(shared[p]))
		}
	})
	for name := range shared {
		r.At("/components/schemas").Delete(strings.TrimPrefix(name, ir.SchemaPrefix))
	}
}

// foreignWays are the spellings in which the real changes below are tested.
var foreignWays = []variant{
	{"inline in 3.0", func(r *jsontree.Value) {
		renamePathParameters(r)
		operations(r, func(op *jsontree.Value) { op.Delete("operationId"); op.Delete("tags") })
		toHTML(r)
		toOpenAPI30(r)
		inlineAll(r)
		shuffle(r, rand.New(rand.NewPCG(8, 9)))
	}},
	{"composed components in 3.1", func(r *jsontree.Value) {
		for _, name := range []string{"objects composed of two", "enums open by anyOf", "several media types", "2XX for every success with a body", "everything in components"} {
			i := slices.IndexFunc(vendorVariants, func(v variant) bool { return v.name == name })
			vendorVariants[i].vary(r)
		}
		renameSchemas(r)
	}},
}

// realChanges are changes of the API with the expected report, which does not depend on the spelling.
var realChanges = []struct {
	name   string
	change func(r *jsontree.Value)
	want   string
}{
	{"optional field", func(r *jsontree.Value) {
		properties(r, "Payment").Set("settled_on", parse(`{"type": ["string", "null"], "format": "date"}`))
	}, "addition: Payment.SettledOn (`settled_on`) was added."},
	{"required field", func(r *jsontree.Value) {
		properties(r, "PaymentCreateParams").Set("reason", parse(`{"type": "string"}`))
		required := r.At("/components/schemas/PaymentCreateParams/required")
		required.Items = append(required.Items, jsontree.NewString("reason"))
	}, "breaking: PaymentCreateParams.Reason (`reason`) was added and is required."},
	{"field gone", func(r *jsontree.Value) { properties(r, "Customer").Delete("phone_number") }, "breaking: Customer.PhoneNumber (`phone_number`) was removed."},
	{"type of a field", func(r *jsontree.Value) { properties(r, "Payment").Set("amount_refunded", parse(`{"type": "string"}`)) }, "breaking: Payment.AmountRefunded (`amount_refunded`) changed type from int64 to string."},
	{"field may be null", func(r *jsontree.Value) {
		properties(r, "Payment").Get("amount").Set("type", jsontree.NewStrings("integer", "null"))
	}, "breaking: Payment.Amount (`amount`) can now be null: its type changed from int64 to *int64."},
	{"nested object", func(r *jsontree.Value) {
		properties(r, "PaymentCreateParams").Set("risk", parse(`{"type": "object", "properties": {"level": {"type": "string"}, "score": {"type": "integer"}}}`))
	}, "addition: PaymentCreateParams.Risk (`risk`) was added."},
	{"new value", func(r *jsontree.Value) {
		values := r.At("/components/schemas/PaymentStatus/enum")
		values.Items = append(values.Items, jsontree.NewString("frozen"))
	}, "addition: PaymentStatus has a new value PaymentStatusFrozen (`frozen`)."},
	{"value gone", func(r *jsontree.Value) {
		values := r.At("/components/schemas/PaymentStatus/enum")
		values.Items = values.Items[1:]
	}, "breaking: The value PaymentStatusPendingCustomerApproval (`pending_customer_approval`) was removed from PaymentStatus."},
	{"operation gone", func(r *jsontree.Value) { r.Get("paths").Delete("/payments/{identity}/actions/retry") }, "breaking: client.Payments.Retry was removed (POST /payments/{identity}/actions/retry)."},
	{"new parameter", func(r *jsontree.Value) {
		list := r.At("/paths/~1payments/get/parameters")
		list.Items = append(list.Items, parse(`{"name": "colour", "in": "query", "schema": {"type": "string"}}`))
	}, "addition: PaymentListParams.Colour (`colour`) was added."},
	{"new action", func(r *jsontree.Value) {
		action := r.At("/paths/~1payments~1{identity}~1actions~1retry").Clone()
		action.Get("post").Set("operationId", jsontree.NewString("payments.pause"))
		action.Get("post").Delete("requestBody") // a name of its own, or the one of retry, by where it is written
		r.Get("paths").Set("/payments/{identity}/actions/pause", action)
	}, "addition: client.Payments.Pause was added (POST /payments/{identity}/actions/pause)."},
}

func properties(r *jsontree.Value, component string) *jsontree.Value {
	return r.At("/components/schemas/" + component + "/properties")
}

// some returns the vendored document with only a few of its resources, to make many tests faster.
func some(t *testing.T) *jsontree.Value {
	t.Helper()
	source := vendored().Clone()
	paths := source.Get("paths")
	paths.Members = slices.DeleteFunc(paths.Members, func(m jsontree.Member) bool {
		return !slices.Contains([]string{"customers", "mandates", "payments", "subscriptions"}, strings.Split(m.Name, "/")[1])
	})
	n, err := Normalise(ours(), document(t, source), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return n.Root
}

// Exactly the real change is found. The result is the same in any spelling, and adopting it again changes
// nothing more.
func TestRealChangesInForeignSpelling(t *testing.T) {
	base := some(t)
	before := document(t, base)
	for _, c := range realChanges {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changed := base.Clone()
			c.change(changed)
			revised, err := Normalise(before, document(t, changed), Options{})
			if err != nil {
				t.Fatal(err)
			}
			report, err := compare.Compare(compare.Side{Doc: before}, compare.Side{Doc: document(t, revised.Root)})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Changes) != 1 || report.Changes[0].Class.String()+": "+report.Changes[0].Text != c.want {
				t.Errorf("reported %v, want %s", report.Changes, c.want)
			}
			want := string(revised.Root.Format())
			for _, way := range foreignWays {
				source := changed.Clone()
				way.vary(source)
				theirs, err := Normalise(before, document(t, source), Options{})
				if err != nil {
					t.Fatalf("%s: %v", way.name, err)
				}
				if text := string(theirs.Root.Format()); text != want {
					t.Errorf("%s: the result differs:\n%s", way.name, firstDifferences(want, text))
				}
				again, err := Normalise(document(t, theirs.Root), document(t, source), Options{Lock: theirs.Lock})
				if err != nil {
					t.Fatalf("%s: %v", way.name, err)
				}
				if text := string(again.Root.Format()); text != want {
					t.Errorf("%s: the second time differs:\n%s", way.name, firstDifferences(want, text))
				}
			}
		})
	}
}

// A source that cannot be adopted is an error with the place; a single member that cannot be is left out.
func TestRefusedSources(t *testing.T) {
	if testing.Short() {
		t.Skip("one update for each of many sources")
	}
	colour := func(schema string) func(r *jsontree.Value) {
		return func(r *jsontree.Value) { properties(r, "Payment").Set("colour", parse(schema)) }
	}
	const at = "/components/schemas/Payment/properties/colour"
	const left = at + " is left out: "
	for _, c := range []struct {
		name   string
		change func(r *jsontree.Value)
		want   string // the error, or the note about what is left out
	}{
		{"another API", func(r *jsontree.Value) {
			r.Set("paths", parse(`{"/pets": {"get": {"responses": {"204": {"description": ""}}}}}`))
		}, "/paths: none of the vendored operations is among these 1: is this a description of the same API"},
		{"an operation twice", func(r *jsontree.Value) {
			r.Get("paths").Set("/payments/{id}", r.At("/paths/~1payments~1{identity}").Clone())
		}, "/paths/~1payments~1{id}/get: is the same operation as /paths/~1payments~1{identity}/get"},
		{"numbers listed", colour(`{"type": "integer", "enum": [1, 2]}`), left + at + ": keyword enum is not understood: [1,2]"},
		{"choice combined", colour(`{"allOf": [{"$ref": "#/components/schemas/PaymentLinks"}, {"oneOf": [{"$ref": "#/components/schemas/FX"}, {"$ref": "#/components/schemas/Payment"}]}]}`), left + at + "/allOf/1: a choice between several schemas cannot be combined by allOf"},
		{"choice beside", colour(`{"allOf": [{"$ref": "#/components/schemas/PaymentLinks"}], "oneOf": [{"$ref": "#/components/schemas/FX"}, {"type": "string"}]}`), left + at + ": a choice between several schemas cannot be combined by allOf"},
		{"strings combined", colour(`{"allOf": [{"type": "string"}, {"type": "string", "maxLength": 5}]}`), left + at + `/allOf/0: only objects can be combined by allOf, this is "string"`},
		{"combined with itself", func(r *jsontree.Value) {
			r.At("/components/schemas").Set("A", parse(`{"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"b": {"type": "string"}}}]}`))
			properties(r, "Payment").Set("a", parse(`{"$ref": "#/components/schemas/A"}`))
		}, "/components/schemas/Payment/properties/a is left out: /components/schemas/A/allOf/0: a schema cannot be combined with one that it is a part of"},
		{"circle", func(r *jsontree.Value) {
			r.At("/components/schemas").Set("A", parse(`{"$ref": "#/components/schemas/B"}`))
			r.At("/components/schemas").Set("B", parse(`{"$ref": "#/components/schemas/A"}`))
		}, "/components/schemas/A: refers to itself"},
		{"another file", colour(`{"$ref": "common.yaml#/Colour"}`), at + `/$ref: "common.yaml#/Colour" leads nowhere in this document: bundle both into one file first`},
		{"not", colour(`{"type": "string", "not": {"enum": ["red"]}}`), left + at + ": keyword not is not understood"},
		{"patterns of names", colour(`{"type": "object", "patternProperties": {"^x": {"type": "string"}}}`), left + at + ": keyword patternProperties is not understood"},
		{"array of anything", colour(`{"type": "array"}`), left + at + `: a schema of type "array of anything" is not supported`},
		{"no path item", func(r *jsontree.Value) { r.Get("paths").Set("/payments", &jsontree.Value{}) }, "/paths/~1payments: an object is expected here"},
		{"no operation", func(r *jsontree.Value) { r.At("/paths/~1payments").Set("get", array()) }, "/paths/~1payments/get: an object is expected here"},
		{"no list of parameters", func(r *jsontree.Value) { r.At("/paths/~1payments/get").Set("parameters", object()) }, "/paths/~1payments/get/parameters: a list is expected here"},
		{"no properties", func(r *jsontree.Value) { r.At("/components/schemas/Payment").Set("properties", array()) }, "/components/schemas/Payment/properties: an object is expected here"},
		{"no list of values", func(r *jsontree.Value) { r.At("/components/schemas/PaymentStatus").Set("enum", object()) }, "/components/schemas/PaymentStatus/enum: a list is expected here"},
		{"no list of what is required", func(r *jsontree.Value) {
			r.At("/components/schemas/Payment").Set("required", jsontree.NewString("id"))
		}, "/components/schemas/Payment/required: a list is expected here"},
		{"name without a place", nil, "/components/schemas/Nothing: -name names this place, but the source does not have it"},
	} {
		source, opts := vendored().Clone(), Options{}
		if c.change != nil {
			c.change(source)
		} else {
			opts.Names = map[string]string{"/components/schemas/Nothing": "Something"}
		}
		doc, err := openapi.Read(source)
		var got *Normalised
		if err == nil {
			got, err = Normalise(ours(), doc, opts)
		}
		if strings.Contains(c.want, " is left out: ") {
			if err != nil || !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.HasPrefix(n, c.want) }) {
				t.Errorf("%s: got %v, want a note with %q", c.name, err, c.want)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// A construct in every schema that is not understood leaves everything else unchanged.
func TestManyLeftOut(t *testing.T) {
	source := vendored().Clone()
	objects := 0
	for _, m := range source.At("/components/schemas").Members {
		if p := m.Value.Get("properties"); p != nil {
			p.Set("colour", parse(`{"type": "string", "contentEncoding": "base64"}`))
			objects++
		}
	}
	got, err := Normalise(ours(), document(t, source), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Notes); n < objects-10 || n > objects { // some schemas are only of refusals
		t.Errorf("%d notes about %d objects", n, objects)
	}
	if text := string(got.Root.At("/components").Format()); text != string(vendored().At("/components").Format()) {
		t.Error("the schemas differ")
	}
}
