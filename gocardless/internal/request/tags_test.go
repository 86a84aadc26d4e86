package request

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// date has the form of the SDK's Date.
type date struct {
	Year  int
	Month time.Month
	Day   int
}

type colour string

func init() {
	Patterns()
	jsonwire.WritesAnyMaps()
}

// A tag that the generator never writes is found when the type is used first.
func TestTagsThatMakeNoSense(t *testing.T) {
	for name, v := range map[string]any{
		"limit without a number": &struct {
			A string `json:"a" limits:"maxLength"`
		}{},
		"limit of no number": &struct {
			A string `json:"a" limits:"maxLength=many"`
		}{},
		"limit of a later version": &struct {
			A string `json:"a" limits:"contains=1"`
		}{},
		"pattern": &struct {
			A string `json:"a" limits:"pattern=("`
		}{},
		"escape": &struct {
			A string `json:"a" when:"%zz: a"`
		}{},
		"no such member": &struct {
			A string `json:"a" when:": b"`
		}{},
	} {
		for range 2 { // the first failure leaves nothing that a later call would use
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: accepted", name)
					}
				}()
				ByTags{}.Check(v, "")
			}()
		}
	}
}

// Calls that use a type first at the same time all see the whole of it, although it contains itself.
func TestFirstUses(t *testing.T) {
	type node struct {
		Name string `json:"name"`
		Down *node  `json:"down,omitzero"`
	}
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if got := problems(&node{Down: &node{Down: &node{}}}, "nodes"); got != "name is required; down.name is required; down.down.name is required" {
				t.Error(got)
			}
		})
	}
	calls.Wait()
}

func TestTags(t *testing.T) {
	type inner struct {
		Deep *string `json:"deep,omitzero"`
	}
	type params struct {
		Kind   colour           `json:"kind" when:"a%3A+b: in/deep,x%2Fy,!z; c: !in"`
		In     *inner           `json:"in,omitzero"`
		Many   map[string]inner `json:"many,omitzero"`
		XY     *string          `json:"x/y,omitzero" limits:"minLength=1,pattern=^[a,b]{1,2}$"`
		Z      []date           `json:"z,omitzero" limits:"uniqueItems,maxItems=-1"`
		Header string           `json:"-" wire:"header=Accept-Language"`
		Query  []string         `json:"q" wire:"query,repeat"`
		At     *time.Time       `json:"at,omitzero"`
	}
	_, s := tagged(&params{})
	in := s.fields[1].inner
	want := []useCase{
		{value: "a: b", required: [][]string{{"in", "deep"}, {"x/y"}}, excluded: []string{"z"}},
		{value: "c", excluded: []string{"in"}},
	}
	if got := s.fields[0].cases; !reflect.DeepEqual(got, want) {
		t.Errorf("cases %+v", got)
	}
	if xy := s.fields[3].limits; xy.pattern.String() != "^[a,b]{1,2}$" || xy.least != 1 {
		t.Errorf("limits %+v", xy)
	}
	type fact struct {
		name                                  string
		place                                 place
		required, repeat, date, inner, unique bool
	}
	var got []fact
	for _, f := range s.fields {
		got = append(got, fact{f.name, f.place, f.required, f.repeat, f.date, f.inner == in, f.limits.unique})
	}
	if want := []fact{
		{name: "kind", required: true},
		{name: "in", inner: true},
		{name: "many", inner: true},
		{name: "x/y"},
		{name: "z", date: true, unique: true},
		{name: "Accept-Language", place: inHeader},
		{name: "q", place: inQuery, required: true, repeat: true},
		{name: "at"},
	}; in == nil || !reflect.DeepEqual(got, want) {
		t.Errorf("fields\n%+v, want\n%+v", got, want)
	}
	if !s.body {
		t.Error("no body")
	}
}
