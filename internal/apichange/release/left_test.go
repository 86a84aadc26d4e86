package release

import (
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/apichange/adopt"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// Update adopts or reports every change that a comparison finds.
func TestUpdateNamesWhatDiffSees(t *testing.T) {
	vendored := testmodule.Part(testmodule.Schema(t, root), func(path string) bool { return strings.HasPrefix(path, "/payments") })
	vendored.Get("tags").Items = []*jsontree.Value{parseJSON(t, `{"name": "payments", "description": "Payments."}`)}
	ours := documentOf(t, vendored)
	const create = "/paths/~1payments/post"
	set := func(pointer, key, value string) func(r *jsontree.Value) {
		return func(r *jsontree.Value) { r.At(pointer).Set(key, parseJSON(t, value)) }
	}
	rename := func(pointer, old, revised string) func(r *jsontree.Value) {
		return func(r *jsontree.Value) {
			v := r.At(pointer)
			i := slices.IndexFunc(v.Members, func(m jsontree.Member) bool { return m.Name == old })
			v.Members[i].Name = revised
		}
	}
	for _, c := range []struct {
		name    string
		change  func(r *jsontree.Value)
		adopted bool // all of it
	}{
		{"a second success status", func(r *jsontree.Value) {
			responses := r.At(create + "/responses")
			responses.Set("200", responses.Get("201").Clone())
		}, true},
		{"another success status", rename(create+"/responses", "201", "200"), true},
		{"a 409", set(create+"/responses", "409", `{"$ref": "#/components/responses/Error"}`), false},
		{"another media type of the reply", set(create+"/responses/201/content", "application/xml", `{"schema": {"type": "string"}}`), false},
		{"the reply's media type", rename(create+"/responses/201/content", "application/json", "application/vnd.api+json"), false},
		{"another media type of the request", set(create+"/requestBody/content", "application/xml", `{"schema": {"type": "string"}}`), false},
		{"a body that may be missing", func(r *jsontree.Value) { r.At(create + "/requestBody").Delete("required") }, false},
		{"another error envelope", rename("/components/responses/Error/content/application~1json/schema/properties", "error", "fault"), false},
		{"a member of errors", func(r *jsontree.Value) { r.At("/components/schemas/Error/properties").Delete("request_id") }, true},
		{"another security scheme", set("/components/securitySchemes/accessToken", "scheme", `"basic"`), true},
		{"an operation without a token", set(create, "security", `[]`), false},
		{"a limit next to a reference", set("/components/schemas/PaymentCreateParams/properties/currency", "minLength", "3"), true},
		{"another server", func(r *jsontree.Value) {
			r.Get("servers").Items = append(r.Get("servers").Items, parseJSON(t, `{"url": "https://api.example.com"}`))
		}, false},
		{"the API's version", set("/info", "version", `"2027-01-01"`), true},
		{"a header of replies", set(create+"/responses/201", "headers", `{"X-Colour": {"schema": {"type": "string"}}}`), false},
		{"the API's words", set("/info", "title", `"Another title"`), true},
		{"a resource's words", func(r *jsontree.Value) {
			for _, tag := range r.Get("tags").Items {
				tag.Set("description", jsontree.NewString("Other words."))
			}
		}, true},
		{"a method's words", set(create, "summary", `"Make a payment"`), true},
		{"a field's words", set("/components/schemas/Payment/properties/amount", "description", `"Other words."`), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := vendored.Clone()
			c.change(root)
			source := documentOf(t, root)
			seen := sentences(t, ours, source)
			if len(seen) == 0 {
				t.Error("a comparison finds nothing")
			}
			n, err := adopt.Normalise(ours, source, adopt.Options{Words: true})
			if err != nil {
				t.Fatal(err)
			}
			rest, err := left(n.Root, source, n.Kept, true)
			if err != nil {
				t.Fatal(err)
			}
			told := append(sentences(t, ours, documentOf(t, n.Root)), rest...)
			for _, s := range seen {
				if !slices.Contains(told, s) {
					t.Errorf("%s: not among %q", s, told)
				}
			}
			if c.adopted != (len(rest) == 0) {
				t.Errorf("adopted %v, but left %q", c.adopted, rest)
			}
		})
	}
}

func documentOf(t *testing.T, v *jsontree.Value) *openapi.Document {
	t.Helper()
	doc, err := openapi.Read(v)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// sentences returns the changes from one description to another.
func sentences(t *testing.T, before, after *openapi.Document) (out []string) {
	t.Helper()
	report, err := compare.Compare(compare.Side{Doc: before}, compare.Side{Doc: after})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Changes {
		out = append(out, c.Sentence())
	}
	return out
}
