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
	Level int               `json:"level" limits:"multipleOf=15"`
	Tags  map[string]string `json:"tags,omitzero" limits:"minProperties=1,maxProperties=1,keyLength=3"`
	Kind  *colour           `json:"kind,omitzero" when:"flat: !level,!tags; deep: day,inner/day,when,level"`
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
	long := strings.Repeat("ä", 12)
	type v struct {
		Min    *string           `json:"min,omitzero" limits:"minLength=12"`
		Max    string            `json:"max,omitzero" limits:"maxLength=12"`
		Code   colour            `json:"code,omitzero" limits:"pattern=^[0-9]{2,6}$"`
		Range  *int              `json:"range,omitzero" limits:"minimum=-12,maximum=28"`
		Amount int64             `json:"amount" limits:"minimum=1"`
		Limit  int               `json:"limit,omitzero" limits:"minimum=1"`
		Meta   map[string]string `json:"metadata,omitzero" limits:"maxProperties=3,keyLength=12,valueLength=12"`
		Free   map[string]string `json:"free,omitzero"`
		Ints   map[string]int    `json:"ints,omitzero" limits:"keyLength=1"`
		Inner  map[string]date   `json:"dates,omitzero" limits:"maxProperties=1"`
	}
	for _, test := range []struct {
		v    v
		want string
	}{
		{v{}, "amount must be at least 1"},
		{v{Amount: 1, Min: new(long), Max: long, Code: "123456", Range: new(-12), Limit: 1}, ""},
		{v{Amount: 1, Range: new(28), Meta: map[string]string{long: long, "b": "", "c": ""}, Free: map[string]string{"d": strings.Repeat("x", 9999)}}, ""},
		{v{Amount: 1, Min: new(long[2:])}, "min must have at least 12 characters"},
		{v{Amount: 1, Min: new("")}, "min must have at least 12 characters"},
		{v{Amount: 1, Max: long + "ß"}, "max must have at most 12 characters"},
		{v{Amount: 1, Code: "12345a"}, "code must match ^[0-9]{2,6}$"},
		{v{Amount: 1, Range: new(-13)}, "range must be at least -12"},
		{v{Amount: 1, Range: new(29)}, "range must be at most 28"},
		{v{Amount: 1, Limit: -1}, "limit must be at least 1"},
		{v{Amount: 1, Meta: map[string]string{"a": "", "b": "", "c": "", "d~/e": long + "x"}}, "metadata must have at most 3 members; metadata.d~/e must have at most 12 characters"},
		{v{Amount: 1, Meta: map[string]string{"a": long + "x", "b": long + "x"}}, "metadata.a must have at most 12 characters; metadata.b must have at most 12 characters"},
		{v{Amount: 1, Meta: map[string]string{long + "x": long + "x"}}, "metadata must not have a name of more than 12 characters"},
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
	good := part{Name: "x", Sizes: []int{1, 2}, Level: 30, Tags: map[string]string{"abc": ""}}
	for _, c := range []struct {
		name, want string
		change     func(*part)
	}{
		{"right", "", func(*part) {}},
		{"too few", "sizes must have at least 2 items", func(p *part) { p.Sizes = []int{1} }},
		{"none", "sizes must have at least 2 items", func(p *part) { p.Sizes = []int{} }},
		{"too many", "sizes must have at most 3 items", func(p *part) { p.Sizes = []int{1, 2, 3, 4} }},
		{"twice", "sizes must not have an item twice", func(p *part) { p.Sizes = []int{1, 1} }},
		{"no multiple", "level must be a multiple of 15", func(p *part) { p.Level = -10 }},
		{"no members", "tags must have at least 1 members", func(p *part) { p.Tags = map[string]string{} }},
		{"members", "tags must have at most 1 members", func(p *part) { p.Tags = map[string]string{"a": "", "b": ""} }},
		{"name", "tags must not have a name of more than 3 characters", func(p *part) { p.Tags = map[string]string{"abcd": ""} }},
		{"excluded", `level must not be given when kind is "flat"`, func(p *part) { p.Kind, p.Tags = new(colour("flat")), nil }},
		{"missing", "name is required", func(p *part) { p.Name = "" }},
		{"inner", "inner.name is required", func(p *part) { p.Inner = &part{} }},
		{"another kind", "", func(p *part) { p.Kind = new(colour("")) }},
		{"demanded", "day is required; when is required", func(p *part) { p.Kind = new(colour("deep")) }},
		{"demanded within", "inner.day is required; when is required", func(p *part) {
			p.Kind, p.Level, p.Day, p.Inner = new(colour("deep")), 0, &date{2026, 1, 2}, &part{Name: "x"}
		}},
		{"no date", "day must be an existing date", func(p *part) { p.Day = &date{2026, 2, 30} }},
		{"given", "", func(p *part) {
			p.Kind, p.Day, p.When, p.Inner = new(colour("deep")), &date{2026, 1, 2}, time.Unix(0, 0), &part{Name: "x", Day: &date{2026, 1, 2}}
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
	given := v{Text: "x", List: []string{}, Some: []string{"x"}, Map: map[string]string{}, Day: date{2026, 1, 2}, At: time.Unix(0, 0)}
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

// What a parameter of a query or a header breaks has no place in a body. A member of a filter has the name
// that the query gives it.
func TestProblemsOutsideTheBody(t *testing.T) {
	noDate := date{2026, 2, 30}
	v := &struct {
		ID       string       `json:"id"`
		Key      string       `json:"-" wire:"header=Gc-Key-Id,required"`
		Language string       `json:"-" wire:"header=Accept-Language" limits:"maxLength=2"`
		Version  string       `json:"-" wire:"header=Version"`
		Charged  period[date] `json:"charge_date,omitzero" wire:"query"`
		Deep     filters      `json:"deep,omitzero" wire:"query"`
		Name     string       `json:"name"`
	}{Language: "french", Charged: period[date]{Gte: noDate}, Deep: filters{Charged: period[date]{Gt: noDate}}}
	for envelope, start := range map[string]string{"": "", "things": "/things/"} {
		inBody := func(name string) Problem {
			if envelope == "" {
				return Problem{"", name, "is required"}
			}
			return Problem{start + name, name, "is required"}
		}
		want := []Problem{
			inBody("id"), {"", "Gc-Key-Id", "is required"}, {"", "Accept-Language", "must have at most 2 characters"},
			{"", "charge_date[gte]", "must be an existing date"}, {"", "deep[charge_date][gt]", "must be an existing date"}, inBody("name"),
		}
		if got := (ByTags{}).Check(v, envelope); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", envelope, got, want)
		}
	}
}

// A demand may reach into an object that is always there.
func TestDemandWithinARequiredObject(t *testing.T) {
	v := struct {
		Kind string `json:"kind" when:"deep: links/mandate"`
		In   links  `json:"links"`
	}{Kind: "deep"}
	if got := problems(&v, "things"); got != "links.mandate is required" {
		t.Errorf("got %s", got)
	}
}
