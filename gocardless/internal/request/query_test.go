package request

import (
	"errors"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// filters has a field of each type that a query may have.
type filters struct {
	Empty   string            `json:"empty,omitzero"`
	Text    string            `json:"text,omitzero"`
	Zero    int               `json:"zero,omitzero"`
	Limit   int               `json:"limit,omitzero"`
	Amount  int64             `json:"amount,omitzero"`
	Unset   *bool             `json:"unset,omitzero"`
	No      *bool             `json:"no,omitzero"`
	Yes     *bool             `json:"yes,omitzero"`
	Created period[time.Time] `json:"created_at,omitzero"`
	Charged period[date]      `json:"charge_date,omitzero"`
	Status  []colour          `json:"status,omitzero"`
	None    []string          `json:"none,omitzero"`
	Meta    map[string]string `json:"metadata,omitzero"`
	After   string            `json:"after,omitzero"`
	Before  string            `json:"before,omitzero"`
}

type period[T any] struct {
	Gt  T `json:"gt,omitzero"`
	Gte T `json:"gte,omitzero"`
}

// written returns the parts that come from the params at v.
func written(t testing.TB, v any, o Options) Parts {
	t.Helper()
	parts, err := ByTags{}.Write(v, o)
	if err != nil || parts.Header != nil || parts.Body != nil {
		t.Fatalf("%+v, %v", parts, err)
	}
	return parts
}

func TestQuery(t *testing.T) {
	v := filters{
		Text: "a b&c=d+é-_.~", Limit: 50, Amount: -7, No: new(false), Yes: new(true),
		Created: period[time.Time]{Gt: time.Time{}.In(time.FixedZone("", 3600)), Gte: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.FixedZone("", 3600))},
		Charged: period[date]{Gt: date{2026, 1, 2}}, Status: []colour{"paid_out", "a,b"}, Meta: map[string]string{"b": "2", "a&": "1", "": ""},
	}
	const want = "text=a%20b%26c%3Dd%2B%C3%A9-_.~&limit=50&amount=-7&no=false&yes=true&created_at%5Bgte%5D=2026-01-02T02%3A04%3A05.6Z" +
		"&charge_date%5Bgt%5D=2026-01-02&status=paid_out,a%2Cb&metadata%5B%5D=&metadata%5Ba%26%5D=1&metadata%5Bb%5D=2"
	if got := written(t, &v, Options{}).Query; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	v = filters{Charged: period[date]{Gte: date{2026, 2, 30}}}
	parts, err := ByTags{}.Write(&v, Options{})
	var wrong *jsonwire.ValueError
	if !errors.As(err, &wrong) || *wrong != (jsonwire.ValueError{Name: "charge_date[gte]", What: "no such date"}) || !reflect.DeepEqual(parts, Parts{}) {
		t.Errorf("30 February: %+v, %v", parts, err)
	}
}

func TestQueryCursor(t *testing.T) {
	for _, test := range []struct {
		name, cursor string
		want         string
	}{
		{"", "", "limit=2&after=A&before=B"}, {"after", "", "limit=2&after=A&before=B"}, {"after", "X&", "limit=2&before=B&after=X%26"}, {"before", "Y", "limit=2&after=A&before=Y"},
	} {
		got := written(t, &filters{After: "A", Before: "B", Limit: 2}, Options{CursorName: test.name, Cursor: test.cursor})
		if got.Query != test.want || got.After != "A" || got.Before != "B" {
			t.Errorf("%+v: got %+v", test, got)
		}
	}
	if got := written(t, &filters{Limit: 2}, Options{CursorName: After, Cursor: "X"}); got.Query != "limit=2&after=X" || got.After != "" {
		t.Errorf("without a cursor of the caller: %+v", got)
	}
}

// window is a page of an export.
type window struct{}

func (window) Write(q *Query) { q.Add(Limit, "500") }

// A window replaces the filter by time and the limit, and leaves the rest.
func TestQueryWindow(t *testing.T) {
	v := filters{Limit: 2, Text: "x", Created: period[time.Time]{Gte: time.Unix(0, 0)}, Charged: period[date]{Gt: date{2026, 1, 2}}}
	query := written(t, &v, Options{Window: window{}}).Query
	var pairs []string
	for name, value := range Pairs(query) {
		pairs = append(pairs, name+"="+value)
	}
	if want := []string{"text=x", "charge_date%5Bgt%5D=2026-01-02", "limit=500"}; !slices.Equal(pairs, want) {
		t.Errorf("%s has the pairs %q", query, pairs)
	}
	for name := range Pairs("") {
		t.Errorf("nothing has %q", name)
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("value", "key", int64(1))
	f.Add("2026-01-01T00:00:00Z", "a,b", int64(0))
	f.Add("c=d;e#f%", "\xff\x00 +", int64(-1<<63))
	f.Fuzz(func(t *testing.T, value, key string, amount int64) {
		v := filters{Text: value, Amount: amount, Meta: map[string]string{key: value}, None: []string{key, value}}
		text := written(t, &v, Options{}).Query
		parsed, err := url.ParseQuery(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want := url.Values{"metadata[" + key + "]": {value}, "none": {key + "," + value}}
		if value != "" {
			want.Set("text", value)
		}
		if amount != 0 {
			want.Set("amount", parsed.Get("amount"))
		}
		if !reflect.DeepEqual(parsed, want) {
			t.Fatalf("got %q, want %q", parsed, want)
		}
	})
}
