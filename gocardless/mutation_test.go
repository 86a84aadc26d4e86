package gocardless

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Odd replies, made by mutation of the types that the generator made from the schema. Whatever the
// API sends, no value that does not fit may cause a panic, another request, the loss of the
// resource's id, or a number that reads as zero.

const sampleID = "XX000001"

// sampleReply makes a JSON value that fits a type. leaf replaces strings, dates and times.
func sampleReply(t reflect.Type, name, leaf string, depth int) any {
	text := func(fitting string) any {
		if leaf != "" {
			return leaf
		}
		return fitting
	}
	switch {
	case name == "id" && depth == 1:
		return sampleID
	case t == reflect.TypeFor[time.Time]():
		return text("2026-01-02T03:04:05.678Z")
	case t == reflect.TypeFor[Date]():
		return text("2026-01-02")
	}
	switch t.Kind() {
	case reflect.Pointer:
		return sampleReply(t.Elem(), name, leaf, depth)
	case reflect.Struct:
		object := map[string]any{}
		for i := range t.NumField() {
			member, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if member != "-" && depth < 6 {
				object[member] = sampleReply(t.Field(i).Type, member, leaf, depth+1)
			}
		}
		return object
	case reflect.Slice:
		return []any{sampleReply(t.Elem(), "", leaf, depth), sampleReply(t.Elem(), "", leaf, depth)}
	case reflect.Map:
		return map[string]any{"a": text("b"), "n": text("1")}
	case reflect.Bool:
		return true
	case reflect.Int, reflect.Int64:
		return 7
	case reflect.Float64:
		return 1.5
	}
	return text("text")
}

// oddCall is an operation with a reply, to be called with whatever arguments.
type oddCall struct {
	name   string
	method reflect.Value
	item   reflect.Type // of the resource
	list   bool
}

// oddCalls are all operations whose reply has a result.
func oddCalls(t *testing.T, c *Client) (calls []oddCall) {
	client := reflect.ValueOf(c).Elem()
	for i := range client.NumField() {
		if !client.Type().Field(i).IsExported() {
			continue
		}
		service := client.Field(i)
		for j := range service.NumMethod() {
			name := client.Type().Field(i).Name + "." + service.Type().Method(j).Name
			method := service.Method(j)
			if method.Type().NumOut() != 2 || method.Type().Out(0).Kind() != reflect.Pointer {
				continue // an iterator, or an operation without a result
			}
			call := oddCall{name: name, method: method, item: method.Type().Out(0).Elem()}
			if items, ok := call.item.FieldByName("Items"); ok && strings.HasPrefix(call.item.Name(), "Page[") {
				call.item, call.list = items.Type.Elem().Elem(), true
			}
			calls = append(calls, call)
		}
	}
	if len(calls) < 130 {
		t.Fatalf("only %d operations with a result", len(calls))
	}
	return calls
}

// make calls the operation with zero params.
func (o oddCall) make(t *testing.T, opts ...RequestOption) (any, error) {
	in := []reflect.Value{reflect.ValueOf(t.Context())}
	for i := 1; i < o.method.Type().NumIn()-1; i++ {
		if kind := o.method.Type().In(i); kind.Kind() == reflect.String {
			in = append(in, reflect.ValueOf("XX1").Convert(kind))
		} else {
			in = append(in, reflect.Zero(kind))
		}
	}
	for _, opt := range append(opts, WithoutValidation()) {
		in = append(in, reflect.ValueOf(opt))
	}
	out := o.method.Call(in)
	err, _ := out[1].Interface().(error)
	return out[0].Interface(), err
}

// reply puts a resource into what the operation replies.
func (o oddCall) reply(resource any, envelope string) map[string]any {
	switch {
	case o.list:
		return map[string]any{envelope: []any{resource}, "meta": map[string]any{"limit": 50, "cursors": map[string]any{"after": nil, "before": nil}}}
	case envelope == "":
		return resource.(map[string]any)
	}
	return map[string]any{envelope: resource}
}

// oddTransport answers each request with the same body.
type oddTransport struct {
	body     []byte
	requests int
}

func (o *oddTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	o.requests++
	return replyWith(200, string(o.body))(req)
}

// envelopeOf finds the envelope of an operation by calling it.
func envelopeOf(t *testing.T, o *oddTransport, call oddCall) string {
	var name string
	policy := WithRetryPolicy(func(a RetryAttempt) RetryDecision {
		name = a.Operation.ReplyEnvelope
		return RetryDecision{}
	})
	o.body = []byte(`[`)
	if _, err := call.make(t, policy); err == nil {
		t.Fatalf("%s read half a document", call.name)
	}
	return name
}

// idOfResult is the id of the resource that a call returned.
func idOfResult(v any) string {
	r := reflect.ValueOf(v).Elem()
	if items := r.FieldByName("Items"); items.IsValid() && items.Kind() == reflect.Slice && r.FieldByName("After").IsValid() {
		if items.Len() == 0 {
			return ""
		}
		r = items.Index(0).Elem()
	}
	if id := r.FieldByName("ID"); id.IsValid() {
		return id.String()
	}
	return sampleID // has none to lose
}

// Replies that fit, and the placeholders of hand-written fixtures ("example text" for dates), are
// read by every operation.
func TestPlaceholderReplies(t *testing.T) {
	transport := new(oddTransport)
	c := clientOver(t, transport)
	for _, call := range oddCalls(t, c) {
		envelope := envelopeOf(t, transport, call)
		for _, leaf := range []string{"", "example text 123"} {
			transport.body, _ = json.Marshal(call.reply(sampleReply(call.item, "", leaf, 0), envelope))
			transport.requests = 0
			opts := []RequestOption{}
			if leaf == "" {
				opts = append(opts, WithStrictReplies())
			}
			v, err := call.make(t, opts...)
			if err != nil || idOfResult(v) != sampleID || transport.requests != 1 {
				t.Errorf("%s with %q: %v after %d requests", call.name, leaf, err, transport.requests)
			}
		}
	}
}

// odd are values to put in the place of others, and whether they read as integers and as numbers.
var odd = []struct {
	json        string
	int, number bool
}{
	{`null`, true, true}, {`""`, false, false}, {`"x"`, false, false}, {`"31/12/2031"`, false, false}, {`1700000000`, true, true},
	{`-1`, true, true}, {`1.5`, false, true}, {`1e400`, false, false}, {`true`, false, false}, {`"true"`, false, false}, {`[]`, false, false},
	{`[1,"x",null]`, false, false}, {`{}`, false, false}, {`{"a":[{"id":7}]}`, false, false}, {`"12"`, true, true}, {`"1,000"`, false, false},
	{`"` + strings.Repeat("long ", 100) + `"`, false, false}, {`[[[[[[[[]]]]]]]]`, false, false}, {`"\ud800\u0000"`, false, false},
}

// mutation is a place in a sample.
type mutation struct {
	path []string
	set  func(json.RawMessage)
	old  any
}

// places lists the places in a JSON value.
func places(v any, path []string) (list []mutation) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			at := append(slices.Clone(path), name)
			list = append(list, mutation{at, func(raw json.RawMessage) { v[name] = raw }, member})
			list = append(list, places(member, at)...)
		}
	case []any:
		for i, element := range v {
			at := append(slices.Clone(path), strconv.Itoa(i))
			list = append(list, mutation{at, func(raw json.RawMessage) { v[i] = raw }, element})
			list = append(list, places(element, at)...)
		}
	}
	slices.SortFunc(list, func(a, b mutation) int { return slices.Compare(a.path, b.path) })
	return list
}

func TestOddReplies(t *testing.T) {
	withoutRace(t)
	total := 10_000
	if testing.Short() {
		total = 2_000
	}
	random := rand.New(rand.NewPCG(1, 2))
	transport := new(oddTransport)
	c := clientOver(t, transport)
	calls := oddCalls(t, c)
	envelopes := map[string]string{}
	for _, call := range calls {
		envelopes[call.name] = envelopeOf(t, transport, call)
	}
	refused := 0
	for n := range total {
		call := calls[n%len(calls)]
		resource := sampleReply(call.item, "", "", 0)
		all := places(resource, nil)
		if len(all) == 0 {
			continue
		}
		m, o := all[random.IntN(len(all))], odd[random.IntN(len(odd))]
		m.set(json.RawMessage(o.json))
		transport.body, _ = json.Marshal(call.reply(resource, envelopes[call.name]))
		transport.requests = 0
		var r Response
		v, err := call.make(t, WithResponse(&r), WithRetries(0))
		what := fmt.Sprintf("%s, %s = %.40s", call.name, strings.Join(m.path, "."), o.json)
		if err != nil {
			refused++
		}
		if transport.requests != 1 {
			t.Errorf("%s: %d requests", what, transport.requests)
		}
		isID := len(m.path) == 1 && m.path[0] == "id"
		var malformed *MalformedResponseError
		switch _, number := m.old.(int); {
		case err != nil && !errors.As(err, &malformed):
			t.Errorf("%s: got %T", what, err)
		case isID && err == nil && !call.list && idOfResult(v) == "":
			t.Errorf("%s: succeeded without an id", what)
		case isID:
		case err == nil && idOfResult(v) != sampleID:
			t.Errorf("%s: lost the id", what)
		case err != nil && !errors.Is(err, ErrMisfit):
			t.Errorf("%s: %v is retried", what, err)
		case err != nil && malformed.ResourceID != sampleID && hasID(call.item):
			t.Errorf("%s: %v lost the id", what, err)
		case number && o.int != (err == nil):
			t.Errorf("%s: an integer gives %v", what, err)
		case m.old == 1.5 && o.number != (err == nil):
			t.Errorf("%s: a number gives %v", what, err)
		case err == nil && len(r.Misfits) > 0 && (r.Misfits[0].Path == "" || r.Misfits[0].Expected == "" || r.Misfits[0].Found == ""):
			t.Errorf("%s: says %v", what, r.Misfits)
		}
	}
	t.Logf("%d replies, %d refused", total, refused)
	if refused == 0 || refused > total/3 {
		t.Errorf("%d of %d refused", refused, total)
	}
}

func hasID(t reflect.Type) bool {
	_, ok := t.FieldByName("ID")
	return ok
}

// Documents that are cut off or garbled cause no panic either, and are never taken for a result
// without its id.
func TestGarbledReplies(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	transport := new(oddTransport)
	c := clientOver(t, transport)
	for _, call := range oddCalls(t, c) {
		envelope := envelopeOf(t, transport, call)
		whole, _ := json.Marshal(call.reply(sampleReply(call.item, "", "", 0), envelope))
		for range 10 {
			body := slices.Clone(whole)
			for range 1 + random.IntN(4) {
				body[random.IntN(len(body))] = `"{}[],:0\x`[random.IntN(10)]
			}
			transport.body = body[:random.IntN(len(body)+1)]
			v, err := call.make(t, WithRetries(0))
			if err == nil && !call.list && idOfResult(v) == "" {
				t.Errorf("%s: %s succeeds without an id", call.name, transport.body)
			}
		}
	}
}
