package request

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

type part struct {
	Name  string            `json:"name"`
	Sizes []int             `json:"sizes,omitzero" limits:"minItems=2,maxItems=3,uniqueItems"`
	Level int               `json:"level" limits:"multipleOf=5"`
	Tags  map[string]string `json:"tags,omitzero" limits:"minProperties=1,maxProperties=1,keyLength=3"`
	Kind  string            `json:"kind,omitzero" when:"flat: !level,!tags; deep: day,inner/day,when"`
	Day   *date             `json:"day,omitzero"`
	When  time.Time         `json:"when,omitzero"`
	Inner *part             `json:"inner,omitzero"`
}

type box struct {
	Parts map[string]part `json:"parts,omitzero" limits:"keyLength=9"`
	List  []part          `json:"list,omitzero"`
	Part  *part           `json:"part,omitzero"`
}

func problems(v any, envelope string) string {
	var list []string
	for _, p := range (ByTags{}).Check(v, envelope) {
		list = append(list, p.Field+" "+p.Message)
	}
	return strings.Join(list, "; ")
}

// Each limit, with values just within it and just beyond it.
func TestLimits(t *testing.T) {
	type v struct {
		Min    *string           `json:"min,omitzero" limits:"minLength=3"`
		Max    string            `json:"max,omitzero" limits:"maxLength=3"`
		Code   colour            `json:"code,omitzero" limits:"pattern=^[0-9]{2,6}$"`
		Range  *int              `json:"range,omitzero" limits:"minimum=-1,maximum=28"`
		Amount int64             `json:"amount" limits:"minimum=1"`
		Limit  int               `json:"limit,omitzero" limits:"minimum=1"`
		Meta   map[string]string `json:"metadata,omitzero" limits:"maxProperties=3,keyLength=5,valueLength=1"`
		Free   map[string]string `json:"free,omitzero"`
		Ints   map[string]int    `json:"ints,omitzero" limits:"keyLength=1"`
		Inner  map[string]date   `json:"dates,omitzero" limits:"maxProperties=1"`
	}
	for _, test := range []struct {
		v    v
		want string
	}{
		{v{}, "amount must be at least 1"},
		{v{Amount: 1, Min: new("äöü"), Max: "äöü", Code: "123456", Range: new(-1), Limit: 1}, ""},
		{v{Amount: 1, Range: new(28), Meta: map[string]string{"äöüßé": "ä", "b": "", "c": ""}, Free: map[string]string{"d": strings.Repeat("x", 9999)}}, ""},
		{v{Amount: 1, Min: new("äö")}, "min must have at least 3 characters"},
		{v{Amount: 1, Min: new("")}, "min must have at least 3 characters"},
		{v{Amount: 1, Max: "äöüß"}, "max must have at most 3 characters"},
		{v{Amount: 1, Code: "12345a"}, "code must match ^[0-9]{2,6}$"},
		{v{Amount: 1, Range: new(-2)}, "range must be at least -1"},
		{v{Amount: 1, Range: new(29)}, "range must be at most 28"},
		{v{Amount: 1, Limit: -1}, "limit must be at least 1"},
		{v{Amount: 1, Meta: map[string]string{"a": "", "b": "", "c": "", "d~/e": "xx"}}, "metadata must have at most 3 members; metadata.d~/e must have at most 1 characters"},
		{v{Amount: 1, Meta: map[string]string{"toolong": "xx"}}, "metadata must not have a name of more than 5 characters"},
		{v{Amount: 1, Ints: map[string]int{"ab": 1}}, "ints must not have a name of more than 1 characters"},
		{v{Amount: 1, Inner: map[string]date{"a": {}, "b": {}}}, "dates must have at most 1 members"},
	} {
		if got := problems(&test.v, "things"); got != test.want {
			t.Errorf("%+v:\n got %s\nwant %s", test.v, got, test.want)
		}
	}
}

// Limits of an object hold wherever it is: in a field, a list or a map.
func TestLimitsWithin(t *testing.T) {
	good := part{Name: "x", Sizes: []int{1, 2}, Level: 10, Tags: map[string]string{"abc": ""}}
	for _, c := range []struct {
		name, want string
		change     func(*part)
	}{
		{"right", "", func(*part) {}},
		{"too few", "sizes must have at least 2 items", func(p *part) { p.Sizes = []int{1} }},
		{"none", "sizes must have at least 2 items", func(p *part) { p.Sizes = []int{} }},
		{"too many", "sizes must have at most 3 items", func(p *part) { p.Sizes = []int{1, 2, 3, 4} }},
		{"twice", "sizes must not have an item twice", func(p *part) { p.Sizes = []int{1, 1} }},
		{"no multiple", "level must be a multiple of 5", func(p *part) { p.Level = -6 }},
		{"no members", "tags must have at least 1 members", func(p *part) { p.Tags = map[string]string{} }},
		{"members", "tags must have at most 1 members", func(p *part) { p.Tags = map[string]string{"a": "", "b": ""} }},
		{"name", "tags must not have a name of more than 3 characters", func(p *part) { p.Tags = map[string]string{"abcd": ""} }},
		{"excluded", `level must not be given when kind is "flat"`, func(p *part) { p.Kind, p.Tags = "flat", nil }},
		{"missing", "name is required", func(p *part) { p.Name = "" }},
		{"inner", "inner.name is required", func(p *part) { p.Inner = &part{} }},
		{"demanded", "day is required; when is required", func(p *part) { p.Kind = "deep" }},
		{"demanded within", "inner.day is required; when is required", func(p *part) { p.Kind, p.Day, p.Inner = "deep", &date{}, &part{Name: "x"} }},
		{"given", "", func(p *part) {
			p.Kind, p.Day, p.When, p.Inner = "deep", &date{}, time.Unix(0, 0), &part{Name: "x", Day: &date{}}
		}},
	} {
		p := good
		c.change(&p)
		for place, v := range map[string]box{"parts.k": {Parts: map[string]part{"k": p}}, "list.1": {List: []part{good, p}}, "part": {Part: &p}} {
			want := ""
			if c.want != "" {
				want = place + "." + strings.ReplaceAll(c.want, "; ", "; "+place+".")
			}
			if got := problems(&v, "boxes"); got != want {
				t.Errorf("%s in %s: %q, want %q", c.name, place, got, want)
			}
		}
	}
}

// What is required is missing if its zero value cannot be meant. An empty list or map can. The limits of
// what is missing add nothing.
func TestRequired(t *testing.T) {
	type v struct {
		Text  string            `json:"text" limits:"minLength=1,pattern=^x$"`
		List  []string          `json:"list"`
		Some  []string          `json:"some" limits:"minItems=1"`
		Map   map[string]string `json:"map"`
		Day   date              `json:"day"`
		At    time.Time         `json:"at"`
		Count int               `json:"count"`
		On    bool              `json:"on"`
		Rate  float64           `json:"rate"`
	}
	const want = "text is required; list is required; some is required; map is required; day is required; at is required"
	if got := problems(&v{At: time.Time{}.In(time.FixedZone("", 3600))}, "things"); got != want {
		t.Errorf("got %s", got)
	}
	given := v{Text: "x", List: []string{}, Some: []string{"x"}, Map: map[string]string{}, Day: date{Year: 1}, At: time.Unix(0, 0)}
	if got := problems(&given, "things"); got != "" {
		t.Errorf("got %s", got)
	}
}

// Problems of a map are in the order of its keys. A key may have the characters that separate steps in
// fields and pointers.
func TestProblemsOfMaps(t *testing.T) {
	got := ByTags{}.Check(&box{Parts: map[string]part{"b": {}, "a.b/~c": {}}}, "boxes")
	want := []Problem{
		{"/boxes/parts/a.b~1~0c/name", "parts.a.b/~c.name", "is required"},
		{"/boxes/parts/b/name", "parts.b.name", "is required"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What a parameter of a query or a header breaks has no place in a body.
func TestProblemsOutsideTheBody(t *testing.T) {
	got := ByTags{}.Check(&struct {
		ID       string `json:"id"`
		Key      string `json:"-" wire:"header=Gc-Key-Id,required"`
		Language string `json:"-" wire:"header=Accept-Language" limits:"maxLength=2"`
		Version  string `json:"-" wire:"header=Version"`
	}{Language: "french"}, "")
	if want := []Problem{{"", "id", "is required"}, {"", "Gc-Key-Id", "is required"}, {"", "Accept-Language", "must have at most 2 characters"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
