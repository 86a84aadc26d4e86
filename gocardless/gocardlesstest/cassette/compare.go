package cassette

import (
	"mime"
	"net/http"
	"regexp"
	"strconv"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonpointer"
)

// A Kind is the kind of a difference between two replies.
type Kind string

// The kinds of differences.
const (
	Status   Kind = "status"   // the HTTP status
	Value    Kind = "value"    // the type, reason, field or pointer of an error, or an action of a billing request
	Missing  Kind = "missing"  // a member, an item or a header that only the recorded reply has
	Extra    Kind = "extra"    // a member, an item or a header that only the other reply has
	Type     Kind = "type"     // a value of another JSON type, or a date that is a timestamp
	Null     Kind = "null"     // null in one, a value in the other
	Order    Kind = "order"    // the items of a list in another order
	Unmapped Kind = "unmapped" // the request refers to a resource without a counterpart
	Body     Kind = "body"     // a body that only one reply has, or that is JSON in only one
)

// A Difference is one difference between a reply and the recorded one.
type Difference struct {
	Exchange  string `json:"exchange"`  // the file of the exchange
	Operation string `json:"operation"` // such as "POST /payments"
	Path      string `json:"path"`      // JSON pointer into the body, or the name of a header, or ""
	Kind      Kind   `json:"kind"`
	Recorded  string `json:"recorded"` // a type, a value that the API defines, or a number of items; never personal data
	Got       string `json:"got"`
	Known     string `json:"known,omitempty"` // why it is expected
}

// comparison collects the differences of one exchange.
type comparison struct {
	ids                 *ids
	exchange, operation string
	partial             bool
	found               []Difference
}

func (c *comparison) add(path string, kind Kind, recorded, got string) {
	c.found = append(c.found, Difference{Exchange: c.exchange, Operation: c.operation, Path: path, Kind: kind, Recorded: recorded, Got: got})
}

func (c *comparison) reply(recorded *Reply, got *http.Response, raw []byte) {
	if recorded.Status != got.StatusCode {
		c.add("", Status, strconv.Itoa(recorded.Status), strconv.Itoa(got.StatusCode))
	}
	c.headers(recorded.Header, got.Header)
	want, _ := parse(recorded.Body)
	have, _ := parse(raw)
	switch {
	case want != nil && have != nil:
		// A success and an error have no members to compare.
		if recorded.Status/100 == got.StatusCode/100 {
			c.learn(nil, want, have)
			c.value("", want, have)
		}
	case (want != nil) != (have != nil) || (recorded.Text == "") != (len(raw) == 0):
		c.add("", Body, bodyForm(want, recorded.Text), bodyForm(have, string(raw)))
	}
}

func bodyForm(v *value, raw string) string {
	switch {
	case v != nil:
		return "JSON"
	case raw == "":
		return "no body"
	}
	return "not JSON"
}

// headers compares which headers are present, and the media type.
func (c *comparison) headers(recorded map[string]string, got http.Header) {
	for _, name := range replyHeaders {
		want, have := recorded[name], got.Get(name)
		switch {
		case want != "" && have == "":
			c.add(name, Missing, "header", "no header")
		case want == "" && have != "" && !c.partial:
			c.add(name, Extra, "no header", "header")
		case name == "Content-Type" && want != "" && mediaType(want) != mediaType(have):
			c.add(name, Value, mediaType(want), mediaType(have))
		}
	}
}

func mediaType(s string) string {
	t, _, err := mime.ParseMediaType(s)
	if err != nil {
		return s
	}
	return t
}

// learn pairs the ids of two replies to the same request.
func (c *comparison) learn(at place, want, have *value) {
	if want.kind == text && have.kind == text && (at.name() == "id" || at.parent() == "links") && looksLikeID(want.text) {
		c.ids.learn(want.text, have.text)
	}
	if want.kind == list && have.kind == list && len(want.items) == len(have.items) {
		if c.inLists(want) {
			return // pairing by position would hide a different order
		}
		for i := range want.items {
			c.learn(at, want.items[i], have.items[i])
		}
	}
	for _, m := range want.members {
		if other := have.get(m.name); other != nil {
			c.learn(append(at[:len(at):len(at)], m.name), m.value, other)
		}
	}
}

// inLists reports whether the id of at least one item is known.
func (c *comparison) inLists(v *value) bool {
	for _, item := range v.items {
		if id := item.get("id"); id != nil && c.ids.other[id.text] != "" {
			return true
		}
	}
	return false
}

// exact matches the members whose values the API defines: the kind of an error, and the actions of a
// billing request and their order.
var exact = regexp.MustCompile(`^/error/(type|code)$|^/error/errors/\d+/(reason|field|request_pointer)$` +
	`|/actions/\d+/(type|required|status|(requires|completes)_actions/\d+)$`)

// value compares two values at a JSON pointer.
func (c *comparison) value(path string, want, have *value) {
	switch {
	case (want.kind == null) != (have.kind == null):
		c.add(path, Null, form(want), form(have))
	case form(want) != form(have):
		c.add(path, Type, form(want), form(have))
	case want.kind == object:
		c.object(path, want, have)
	case want.kind == list:
		c.list(path, want, have)
	case exact.MatchString(path) && want.text != have.text:
		c.add(path, Value, want.text, have.text)
	}
}

var (
	dateForm      = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	timestampForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$`)
)

// form returns the type of a value, distinguishing dates from other strings.
func form(v *value) string {
	if v.kind == text {
		switch {
		case dateForm.MatchString(v.text):
			return "date"
		case timestampForm.MatchString(v.text):
			return "timestamp"
		}
	}
	return string(v.kind)
}

func (c *comparison) object(path string, want, have *value) {
	for _, m := range want.members {
		if other := have.get(m.name); other != nil {
			c.value(jsonpointer.Join(path, m.name), m.value, other)
		} else {
			c.add(jsonpointer.Join(path, m.name), Missing, form(m.value), "no member")
		}
	}
	for _, m := range have.members {
		if want.get(m.name) == nil && !c.partial {
			c.add(jsonpointer.Join(path, m.name), Extra, "no member", form(m.value))
		}
	}
}

// list compares lists of resources by their ids, and others by position.
func (c *comparison) list(path string, want, have *value) {
	if !ofResources(want) || !ofResources(have) {
		for i := range min(len(want.items), len(have.items)) {
			c.value(path+"/"+strconv.Itoa(i), want.items[i], have.items[i])
		}
		if len(want.items) > len(have.items) {
			c.add(path, Missing, count(want), count(have))
		}
		if len(want.items) < len(have.items) && !c.partial {
			c.add(path, Extra, count(want), count(have))
		}
		return
	}
	c.resources(path, want, have)
}

func count(v *value) string { return strconv.Itoa(len(v.items)) + " items" }

func ofResources(v *value) bool {
	for _, item := range v.items {
		if id := item.get("id"); id == nil || id.kind != text {
			return false
		}
	}
	return true
}

// resources compares lists of resources. It ignores resources that exist in only one account and that
// the cassette did not create, because two accounts have different histories.
func (c *comparison) resources(path string, want, have *value) {
	at := map[string]int{}
	for i, item := range have.items {
		at[item.get("id").text] = i
	}
	last := -1
	ordered := true
	for i, item := range want.items {
		other, known := c.ids.other[item.get("id").text]
		j, there := at[other]
		switch {
		case known && !there:
			c.add(path+"/"+strconv.Itoa(i), Missing, "item", "no item")
		case known:
			ordered = ordered && j > last
			last = j
			c.value(path+"/"+strconv.Itoa(i), item, have.items[j])
			delete(at, other)
		}
	}
	if !ordered {
		c.add(path, Order, "recorded order", "different order")
	}
	for i, item := range have.items {
		id := item.get("id").text
		if _, left := at[id]; left && c.ids.back[id] != "" && !c.partial {
			c.add(path+"/"+strconv.Itoa(i), Extra, "no item", "item")
		}
	}
}
