package gocardless

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample has a field for each method of the decoder. Its json tags say the same to
// encoding/json, which the fuzz tests compare with.
type sample struct {
	ID       string            `json:"id"`
	Amount   int64             `json:"amount"`
	Fee      *int64            `json:"fee"`
	Count    int               `json:"count"`
	Day      *int              `json:"day"`
	Rate     *float64          `json:"rate"`
	Enabled  bool              `json:"enabled"`
	Retry    *bool             `json:"retry"`
	Status   sampleStatus      `json:"status"`
	Schemes  []sampleStatus    `json:"schemes"`
	Names    []string          `json:"names"`
	Created  time.Time         `json:"created"`
	Charge   Date              `json:"charge"`
	Metadata Metadata          `json:"metadata"`
	Texts    map[string]string `json:"texts"`
	Any      map[string]any    `json:"any"`
	Links    *sampleLinks      `json:"links"`
	Parts    []sample          `json:"parts"`
}

type sampleStatus string

type sampleLinks struct {
	Mandate string         `json:"mandate"`
	Extra   map[string]any `json:"-"`
}

func (v *sample) decode(d *decoder) {
	for d.object(); d.more(); {
		switch string(d.key) {
		case "id":
			v.ID = d.string()
		case "amount":
			v.Amount = d.int64()
		case "fee":
			v.Fee = d.int64Ptr()
		case "count":
			v.Count = d.int()
		case "day":
			v.Day = d.intPtr()
		case "rate":
			v.Rate = d.float64Ptr()
		case "enabled":
			v.Enabled = d.bool()
		case "retry":
			v.Retry = d.boolPtr()
		case "status":
			v.Status = sampleStatus(d.enum())
		case "schemes":
			v.Schemes = decodeEnums[sampleStatus](d)
		case "names":
			v.Names = d.strings()
		case "created":
			v.Created = d.time()
		case "charge":
			v.Charge = d.date()
		case "metadata":
			v.Metadata = d.metadata()
		case "texts":
			v.Texts = d.stringMap()
		case "any":
			v.Any = d.anyMap()
		case "links":
			v.Links = decodeObject[sampleLinks](d)
		case "parts":
			v.Parts = decodeObjects[sample](d)
		default:
			d.unknown()
		}
	}
}

func (v *sampleLinks) decode(d *decoder) {
	for d.object(); d.more(); {
		switch string(d.key) {
		case "mandate":
			v.Mandate = d.string()
		default:
			d.extra(&v.Extra)
		}
	}
}

func decodeSample(t *testing.T, text string) sample {
	t.Helper()
	var v sample
	if err := decodeDocument([]byte(text), &v); err != nil {
		t.Fatalf("decoding %s: %v", text, err)
	}
	return v
}

func TestDecodeIntegers(t *testing.T) {
	for text, want := range map[string]int64{
		`100`: 100, `"100"`: 100, `100.0`: 100, `1e2`: 100, `1.5e1`: 15, `-0`: 0, `0.0`: 0, `0e999999999999`: 0,
		`9223372036854775807`: 1<<63 - 1, `-9223372036854775808`: -1 << 63, `"-12.00"`: -12,
		`9007199254740993`: 9007199254740993, `9007199254740993.000`: 9007199254740993, `null`: 0,
		`0.00000000000000000000001e23`: 1, `1000000000000000000000e-20`: 10,
	} {
		if got := decodeSample(t, `{"amount":`+text+`}`).Amount; got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}

func TestDecodeErrorsCarryThePath(t *testing.T) {
	for _, test := range []struct{ text, path, what string }{
		{`{"amount":true}`, "amount", "expected an integer, found a boolean"},
		{`{"amount":1.5}`, "amount", "expected an integer, found a fraction"},
		{`{"amount":"x"}`, "amount", "expected an integer, found a string"},
		{`{"amount":9223372036854775808}`, "amount", "integer out of range"},
		{`{"amount":1e400}`, "amount", "integer out of range"},
		{`{"rate":1e400}`, "rate", "number out of range"},
		{`{"id":"a","parts":[{"id":"b"},{"links":{"mandate":7}}]}`, "parts[1].links.mandate", "expected a string, found a number"},
		{`{"parts":[{"id":"b"},{"charge":"2025-02-29"}]}`, "parts[1].charge", "not a date"},
		{`{"created":"yesterday"}`, "created", "not a timestamp"},
		{`{"names":["a",["b"]]}`, "names[1]", "expected a string, found an array"},
		{`{"links":[]}`, "links", "expected an object, found an array"},
		{`{"parts":{}}`, "parts", "expected an array, found an object"},
		{`{"any":{"x":[1,2,{"y":01}]}}`, "any.x[2].y", "invalid character"},
		{`{"id":"a`, "id", "unexpected end in a string"},
		{`{"id":`, "id", "unexpected end"},
		{`{"id"`, "id", "unexpected end"},
		{`{"id":"a"`, "id", "unexpected end"},
		{`{"id":"a"} x`, "", "unexpected data after the document"},
		{``, "", "unexpected end"},
		{`{"id":"\x"}`, "id", "invalid escape"},
		{"{\"id\":\"\n\"}", "id", "control character"},
		{`{"id":nul}`, "id", "invalid literal"},
		{`{"unknown":[` + strings.Repeat("[", maxDepth) + `]}`, "", "nested too deeply"},
	} {
		var v sample
		err := decodeDocument([]byte(test.text), &v)
		var e *jsonError
		if !errors.As(err, &e) {
			t.Errorf("%.60s: got error %v, want a *jsonError", test.text, err)
			continue
		}
		if !strings.Contains(e.What, test.what) || test.path != e.Path && test.what != "nested too deeply" {
			t.Errorf("%.60s: got %q at %.80q, want %q at %q", test.text, e.What, e.Path, test.what, test.path)
		}
	}
}

func TestDecodeUnusualValues(t *testing.T) {
	v := decodeSample(t, ` {
		"id" : "a\u00e9\ud83d\ude00\ud800x\"\\\/`+"\xff"+`é", "unknown": {"a":[1,{"b":null}]},
		"status": "one", "status": "two",
		"metadata": {"n": 1.50, "b": true, "o": {"x":[1]}, "s": "t", "null": null},
		"names": [], "schemes": null, "links": {"mandate":"MD1","new":"X","deep":{"y":[1,"z"]}},
		"created": "2014-05-08T17:01:06.123Z", "charge": "2014-05-08T17:01:06.000Z",
		"fee": null, "retry": false, "parts": [null, {"id":"p"}]
	} `)
	if want := "aé😀\ufffdx\"\\/\ufffdé"; v.ID != want {
		t.Errorf("id: got %q, want %q", v.ID, want)
	}
	if v.Status != "two" {
		t.Errorf("the last duplicate must win, got %q", v.Status)
	}
	for name, want := range map[string]string{"n": "1.50", "b": "true", "o": `{"x":[1]}`, "s": "t", "null": ""} {
		if got, ok := v.Metadata[name]; !ok || got != want {
			t.Errorf("metadata %s: got %q, want %q", name, got, want)
		}
	}
	if v.Names == nil || len(v.Names) != 0 {
		t.Errorf("an empty array must be empty and not nil, got %#v", v.Names)
	}
	if v.Schemes != nil || v.Fee != nil {
		t.Errorf("null must be nil, got %#v, %v", v.Schemes, v.Fee)
	}
	if v.Retry == nil || *v.Retry {
		t.Errorf("retry: got %v, want a pointer to false", v.Retry)
	}
	if got := v.Links.Extra["new"]; got != "X" {
		t.Errorf("extra member: got %v", got)
	}
	if want := time.Date(2014, 5, 8, 17, 1, 6, 123e6, time.UTC); v.Created != want {
		t.Errorf("created: got %v, want %v", v.Created, want)
	}
	if v.Charge != (Date{2014, 5, 8}) {
		t.Errorf("charge: got %v", v.Charge)
	}
	if len(v.Parts) != 2 || v.Parts[1].ID != "p" {
		t.Errorf("parts: got %+v", v.Parts)
	}
}

func TestDecodeIgnoresTheCaseOfKeys(t *testing.T) {
	v := decodeSample(t, `{"id":"a","ID":"b","\u017ftatu\u017f":"s","LINKS":{"Mandate":"MD1","Other":1},"Parts":[{"Id":"p","X":{"y":1}}],`+
		`"XYZ":[1],"Größe":"l","METADATA":{"Key":"v"},"any":{"A":1}}`)
	if v.ID != "b" || v.Status != "s" || v.Links == nil || v.Links.Mandate != "MD1" || len(v.Parts) != 1 || v.Parts[0].ID != "p" {
		t.Errorf("got %+v, links %+v", v, v.Links)
	}
	if got, ok := v.Links.Extra["Other"]; !ok || got != 1.0 || len(v.Links.Extra) != 1 {
		t.Errorf("extra members must keep their spelling, got %v", v.Links.Extra)
	}
	if v.Metadata["Key"] != "v" || v.Any["A"] != 1.0 {
		t.Errorf("keys of maps must keep their spelling, got %v and %v", v.Metadata, v.Any)
	}

	client := benchClient(t, benchFixed(`{"Payments":[{"Id":"PM1"}],"Meta":{"Cursors":{"After":"PM1"},"Limit":7}}`))
	page, err := client.Payments.List(t.Context(), PaymentListParams{})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != "PM1" || page.After != "PM1" || page.Limit != 7 {
		t.Errorf("got %+v, %v", page, err)
	}
	var e Error
	decodeError(&e, []byte(`{"Error":{"Type":"invalid_state","Errors":[{"Reason":"mandate_is_inactive"}]}}`))
	if e.Type != "invalid_state" || !e.HasReason(ReasonMandateIsInactive) {
		t.Errorf("got %+v", e)
	}
}

// Every resource keeps the text of an enum value that is newer than this library.
func TestUnknownEnumValuesAreKept(t *testing.T) {
	enum := reflect.TypeFor[interface{ Known() bool }]()
	seen := 0
	for service := range reflect.TypeFor[Client]().Fields() {
		get, ok := service.Type.MethodByName("Get")
		if !ok {
			continue
		}
		resource := get.Type.Out(0).Elem()
		sent := map[string]string{}
		members := map[string]int{}
		for i := range resource.NumField() {
			if m := resource.Field(i); m.Type.Kind() == reflect.String && m.Type.Implements(enum) {
				name, _, _ := strings.Cut(m.Tag.Get("json"), ",")
				sent[name], members[name] = "brand_new_"+name, i
			}
		}
		data, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.New(resource)
		if err := decodeDocument(data, v.Interface().(interface{ decode(*decoder) })); err != nil {
			t.Errorf("%s: %v", resource, err)
		}
		for name, i := range members {
			seen++
			if got := v.Elem().Field(i); got.String() != sent[name] || got.Interface().(interface{ Known() bool }).Known() {
				t.Errorf("%s: %s is %q, want %q and not known", resource, name, got, sent[name])
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d enums seen", seen)
	}
}

func TestDecodeKeepsNothingOfTheInput(t *testing.T) {
	data := []byte(`{"id":"PM123","status":"paid_out","metadata":{"k":"v"},"names":["n"]}`)
	var v sample
	if err := decodeDocument(data, &v); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'X'
	}
	if v.ID != "PM123" || v.Status != "paid_out" || v.Metadata["k"] != "v" || v.Names[0] != "n" {
		t.Errorf("values changed with the input: %+v", v)
	}
}

func TestDecodeDifferencesFromEncodingJSON(t *testing.T) {
	v := decodeSample(t, `{"amount":1,"amount":null,"links":{"mandate":"MD1"},"links":{"x":1},`+
		`"metadata":{"a":"1"},"metadata":{"b":"2"},"names":["a","b"],"names":["c"],"parts":[{"id":"p"}],"parts":[{"count":1}]}`)
	if v.Amount != 0 || v.Links.Mandate != "" || len(v.Metadata) != 1 || len(v.Names) != 1 || v.Parts[0].ID != "" {
		t.Errorf("the last duplicate must win as a whole, got %+v, links %+v", v, v.Links)
	}
	if v := decodeSample(t, "{\"metadata\":{\"a\":[\"\xff\xff\"]}}"); v.Metadata["a"] != "[\"\uFFFD\"]" {
		t.Errorf("metadata must be valid UTF-8, got %q", v.Metadata["a"])
	}
}
