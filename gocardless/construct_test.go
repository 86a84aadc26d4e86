package gocardless

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// Tests of code that generated code uses only if the API's description has certain constructs; see
// generator/testdata/golden/constructs.

// part is a nested object as the generator writes it, in both directions.
type part struct {
	Name  string `json:"name"`
	Sizes []int
	Level int
	Tags  map[string]string
	Kind  string
}

func (p *part) encode(e *jsonwire.Encoder) {
	e.Begin()
	e.Text("name", p.Name)
	e.End()
}

func (p *part) check(c *checker) {
	c.required("name", p.Name != "")
	c.items("sizes", len(p.Sizes), 2, 3)
	checkUnique(c, "sizes", p.Sizes)
	c.multipleOf("level", int64(p.Level), 5)
	if p.Tags != nil {
		c.members("tags", len(p.Tags), 1)
	}
	checkMap(c, "tags", p.Tags, 1, 3)
	if p.Kind == "flat" {
		c.excluded("level", p.Level != 0, "kind", "flat")
	}
}

type box struct{ parts map[string]part }

func (b *box) write(*requestParts) {}

func (b *box) check(c *checker) {
	for key, v := range inOrder(b.parts) {
		c.enterKey("parts", key)
		v.check(c)
		c.leave()
	}
}

var _ = jsonwire.ReadsMaps()

func TestMapsOfObjects(t *testing.T) {
	const text = `{"parts":{"a\"b":{"name":"x"},"z":{"name":"y"}}}`
	d := jsonwire.NewDecoder([]byte(text))
	var boxes struct {
		Parts map[string]part `json:"parts"`
	}
	d.Read(&boxes)
	if _, err := d.Finish(); err != nil {
		t.Fatal(err)
	}
	if want := map[string]part{`a"b`: {Name: "x"}, "z": {Name: "y"}}; !reflect.DeepEqual(boxes.Parts, want) {
		t.Errorf("read %v", boxes.Parts)
	}
	e := jsonwire.NewEncoder()
	e.Begin()
	encodeObjectMap(e, "parts", boxes.Parts)
	e.End()
	if got, err := e.Bytes(); err != nil || string(got) != text {
		t.Errorf("wrote %s, %v", got, err)
	}
}

// A key may have the characters that separate steps in fields and pointers.
func TestProblemBelowAnOddKey(t *testing.T) {
	err := validate("boxes", &box{map[string]part{"a.b/~c": {}}})
	want := Problem{Pointer: "/boxes/parts/a.b~1~0c/name", Field: "parts.a.b/~c.name", Message: "is required"}
	var problems *ParamsError
	if !errors.As(err, &problems) || !slices.Contains(problems.Problems, want) {
		t.Errorf("got %+v, want %+v", err, want)
	}
}

func TestChecksOfLists(t *testing.T) {
	good := part{Name: "x", Sizes: []int{1, 2}, Level: 10, Tags: map[string]string{"abc": ""}}
	for _, c := range []struct {
		name, want string
		change     func(*part)
	}{
		{"right", "", func(*part) {}},
		{"too few", "parts.k.sizes must have at least 2 items", func(p *part) { p.Sizes = []int{1} }},
		{"too many", "parts.k.sizes must have at most 3 items", func(p *part) { p.Sizes = []int{1, 2, 3, 4} }},
		{"twice", "parts.k.sizes must not have an item twice", func(p *part) { p.Sizes = []int{1, 1} }},
		{"no multiple", "parts.k.level must be a multiple of 5", func(p *part) { p.Level = -6 }},
		{"no members", "parts.k.tags must have at least 1 members", func(p *part) { p.Tags = map[string]string{} }},
		{"members", "parts.k.tags must have at most 1 members", func(p *part) { p.Tags = map[string]string{"a": "", "b": ""} }},
		{"name", "parts.k.tags must not have a name of more than 3 characters", func(p *part) { p.Tags = map[string]string{"abcd": ""} }},
		{"excluded", `parts.k.level must not be given when kind is "flat"`, func(p *part) { p.Kind = "flat" }},
		{"missing", "parts.k.name is required (/boxes/parts/k/name)", func(p *part) { p.Name = "" }},
	} {
		p := good
		c.change(&p)
		got := ""
		if err := validate("boxes", &box{map[string]part{"k": p}}); err != nil {
			got = err.Error()
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	var params *ParamsError
	err := validate("boxes", &box{map[string]part{"b": {}, "a": {}}})
	if !errors.As(err, &params) || len(params.Problems) != 4 || params.Problems[0].Field != "parts.a.name" {
		t.Errorf("problems of a map are %v", err)
	}
}

func TestRepeatedParameter(t *testing.T) {
	var q query
	queryRepeat(&q, "status", []string{"a", "b&c"})
	queryRepeat(&q, "other", []string(nil))
	if got := q.finish(); got != "status=a&status=b%26c" {
		t.Errorf("query is %s", got)
	}
}

// Two ids go into a path in order. No id leads to another path, and the error names each wrong one.
func TestPathWithSeveralIDs(t *testing.T) {
	base, err := url.Parse("https://example.com/v1")
	if err != nil {
		t.Fatal(err)
	}
	const template = "/creditors/{creditor_id}/notes/{identity}/actions/read"
	for _, c := range []struct {
		ids           []string
		path, escaped string
		fields        string
	}{
		{[]string{"CR1", "NO1"}, "/v1/creditors/CR1/notes/NO1/actions/read", "", ""},
		{[]string{"CR/1", "a b"}, "/v1/creditors/CR/1/notes/a b/actions/read", "/v1/creditors/CR%2F1/notes/a%20b/actions/read", ""},
		{[]string{"{identity}", "{x}"}, "/v1/creditors/{identity}/notes/{x}/actions/read", "/v1/creditors/%7Bidentity%7D/notes/%7Bx%7D/actions/read", ""},
		{[]string{"CR1", "{x}"}, "/v1/creditors/CR1/notes/{x}/actions/read", "/v1/creditors/CR1/notes/%7Bx%7D/actions/read", ""},
		{[]string{"", "NO1"}, "", "", "creditor_id"},
		{[]string{"..", "."}, "", "", "creditor_id id"},
		{[]string{"CR1", ""}, "", "", "id"},
	} {
		path, escaped, problems := expandPath(base, template, c.ids)
		var fields []string
		for _, p := range problems {
			fields = append(fields, p.Field)
		}
		if strings.Join(fields, " ") != c.fields || c.fields == "" && (path != c.path || escaped != c.escaped) {
			t.Errorf("%q: %q, %q, %v", c.ids, path, escaped, problems)
		}
	}
}

// A PATCH may change a value relative to the old one, so Do retries it only if it has not run.
func TestPatchIsRetriedLikeAnAction(t *testing.T) {
	for status, attempts := range map[int]int{500: 1, 429: 2} {
		c, s := scripted(t, replyWith(status, `{}`), replyWith(200, `{}`))
		err := c.Do(t.Context(), "PATCH", "/things/TH1", json.RawMessage(`{"things":{}}`), nil, WithRetryPolicy(atOnce))
		if len(s.got) != attempts || (err == nil) != (attempts == 2) || s.got[0].Header.Get("Idempotency-Key") != "" {
			t.Errorf("after %d: %d attempts, %v", status, len(s.got), err)
		}
	}
}
