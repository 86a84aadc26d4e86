package contract_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// contract describes the request that a generated method must send and the reply that it must read. The
// generated tests fill in every field of the schema.
type contract struct {
	operation string
	method    string
	path      string            // escaped
	query     string            // encoded, in any order
	headers   map[string]string // besides those of every request
	body      string            // "" for none
	status    int
	envelope  string
	reply     string // "" for none
}

// recording is a transport that keeps the request and returns a fixed reply.
type recording struct {
	request *http.Request
	body    []byte
}

func (r *recording) client(t *testing.T, status int, reply string) *gocardless.Client {
	t.Helper()
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(func(req *http.Request) (*http.Response, error) {
		if r.request != nil {
			t.Errorf("a second request: %s %s", req.Method, req.URL)
		}
		r.request = req
		if req.Body != nil {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			r.body = body
		}
		resp := httpmock.NewStringResponse(status, reply)
		if reply != "" {
			resp.Header.Set("Content-Type", "application/json")
		}
		return resp, nil
	})
	client, err := gocardless.New("secret-token", gocardless.EnvironmentSandbox, gocardless.WithHTTPClient(&http.Client{Transport: transport}), gocardless.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (c contract) run(t *testing.T, call func(context.Context, *gocardless.Client) (any, error)) {
	t.Run("request and reply", func(t *testing.T) {
		var rec recording
		got, err := call(t.Context(), rec.client(t, c.status, c.reply))
		if err != nil {
			t.Fatal(err)
		}
		c.checkRequest(t, rec)
		if c.reply != "" {
			c.checkReply(t, got)
		}
	})
	if c.reply != "" {
		t.Run("every member null", func(t *testing.T) {
			var rec recording
			if _, err := call(t.Context(), rec.client(t, c.status, c.nullReply(t))); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		const refusal = `{"error":{"message":"no","type":"invalid_state","code":422,"request_id":"req-1","errors":[{"reason":"cancellation_failed","message":"no"}]}}`
		var rec recording
		got, err := call(t.Context(), rec.client(t, 422, refusal))
		var apiErr *gocardless.Error
		if !errors.As(err, &apiErr) || !errors.Is(err, gocardless.ErrInvalidState) {
			t.Fatalf("error is %v, want an *Error that is ErrInvalidState", err)
		}
		if apiErr.Operation != c.operation || apiErr.RequestID != "req-1" || !apiErr.HasReason(gocardless.ReasonCancellationFailed) {
			t.Errorf("operation %q, request id %q, reasons %v", apiErr.Operation, apiErr.RequestID, apiErr.Details)
		}
		if v := reflect.ValueOf(got); v.IsValid() && !v.IsZero() {
			t.Errorf("a failed call returned %v", got)
		}
	})
}

func (c contract) checkRequest(t *testing.T, rec recording) {
	t.Helper()
	req := rec.request
	if req == nil {
		t.Fatal("no request was made")
	}
	if req.Method != c.method {
		t.Errorf("method %s, want %s", req.Method, c.method)
	}
	if req.URL.Scheme != "https" || req.URL.Host != "api-sandbox.gocardless.com" {
		t.Errorf("sent to %s://%s", req.URL.Scheme, req.URL.Host)
	}
	if got := req.URL.EscapedPath(); got != c.path {
		t.Errorf("path %s, want %s", got, c.path)
	}
	gotQuery, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		t.Errorf("query %q: %v", req.URL.RawQuery, err)
	}
	wantQuery, err := url.ParseQuery(c.query)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(canonicalQuery(wantQuery), canonicalQuery(gotQuery)); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	c.checkHeaders(t, req)
	if c.body == "" {
		if len(rec.body) > 0 {
			t.Errorf("body %s, want none", rec.body)
		}
		return
	}
	if diff := cmp.Diff(parse(t, []byte(c.body)), parse(t, rec.body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func (c contract) checkHeaders(t *testing.T, req *http.Request) {
	t.Helper()
	want := map[string]string{
		"Authorization":             "Bearer secret-token",
		"Gocardless-Version":        "2015-07-06",
		"Accept":                    "application/json",
		"Gocardless-Client-Library": "gocardless-community-go",
		"Gocardless-Client-Version": gocardless.Version,
	}
	if c.body != "" {
		want["Content-Type"] = "application/json"
	}
	for name, value := range c.headers {
		want[http.CanonicalHeaderKey(name)] = value
	}
	for name, value := range want {
		if got := req.Header.Values(name); !slices.Equal(got, []string{value}) {
			t.Errorf("header %s is %q, want %q", name, got, value)
		}
	}
	keys := 0
	for name, values := range req.Header {
		if strings.EqualFold(name, "Idempotency-Key") {
			keys += len(values)
			continue
		}
		if _, ok := want[name]; !ok && name != "User-Agent" && name != "Accept-Encoding" {
			t.Errorf("unexpected header %s: %q", name, values)
		}
	}
	if (keys == 1) != (c.method == "POST") || keys > 1 {
		t.Errorf("%d idempotency keys, for %s", keys, c.method)
	}
}

// checkReply compares the decoded reply, encoded as JSON again, with the reply.
func (c contract) checkReply(t *testing.T, got any) {
	t.Helper()
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, []byte(c.reply))
	if c.envelope != "" {
		envelope := want.(map[string]any)
		want = envelope[c.envelope]
		if linked, ok := envelope["linked"]; ok && bytes.Contains(data, []byte(`"linked":`)) {
			want = map[string]any{"items": want, "linked": linked}
		}
	}
	if diff := cmp.Diff(canonical(want), canonical(parse(t, data))); diff != "" {
		t.Errorf("reply (-sent +decoded):\n%s", diff)
	}
}

// nullReply returns the reply with every member of the resource set to null except its id, without
// which a reply is unreadable. The resource may be inside the result.
func (c contract) nullReply(t *testing.T) string {
	t.Helper()
	reply := parse(t, []byte(c.reply)).(map[string]any)
	object := reply
	switch inner := reply[c.envelope].(type) {
	case map[string]any:
		object = inner
	case []any:
		object = inner[0].(map[string]any)
	}
	resource, _, _ := strings.Cut(c.operation, ".")
	if inside, ok := object[resource].(map[string]any); ok {
		object[resource] = map[string]any{"id": inside["id"]}
	}
	for member := range object {
		if member != "id" && member != resource {
			object[member] = nil
		}
	}
	data, err := json.Marshal(reply)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// pageOf converts a page into the form of its reply.
func pageOf[T any](page *gocardless.Page[T], err error) (any, error) {
	if err != nil {
		if page != nil {
			return page, err
		}
		return nil, err
	}
	if page.Linked != nil {
		return map[string]any{"items": page.Items, "linked": page.Linked}, nil
	}
	return page.Items, nil
}

// collect returns the items of an iterator, which must end after an error.
func collect[T any](seq iter.Seq2[*T, error]) (any, error) {
	var items []*T
	var failure error
	for item, err := range seq {
		if failure != nil {
			return nil, errors.New("the iterator went on after an error")
		}
		if err != nil {
			failure = err
			continue
		}
		items = append(items, item)
	}
	if failure != nil {
		return nil, failure
	}
	return items, nil
}

func parse(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("not JSON: %v: %s", err, data)
	}
	return v
}

// canonical normalises timestamps, whose milliseconds are optional.
func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = canonical(member)
		}
	case []any:
		for i, element := range v {
			v[i] = canonical(element)
		}
	case string:
		return canonicalTime(v)
	}
	return v
}

func canonicalTime(s string) string {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Format(time.RFC3339Nano)
	}
	return s
}

func canonicalQuery(q url.Values) url.Values {
	for _, values := range q {
		for i, value := range values {
			values[i] = canonicalTime(value)
		}
	}
	return q
}

// methods visits every generated method with params, with the type of the params.
func methods(client *gocardless.Client, visit func(name string, method reflect.Value, params reflect.Type)) {
	services := reflect.ValueOf(client).Elem()
	for i := range services.NumField() {
		field := services.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		service := services.Field(i)
		for j := range service.NumMethod() {
			method := service.Method(j)
			for k := range method.Type().NumIn() {
				if in := method.Type().In(k); in.Kind() == reflect.Struct && strings.HasSuffix(in.Name(), "Params") {
					visit(field.Name+"."+service.Type().Method(j).Name, method, in)
				}
			}
		}
	}
}

// invoke calls a method without validation, and returns the body that was sent.
func invoke(t *testing.T, name string, params func(reflect.Value)) map[string]any {
	t.Helper()
	var rec recording
	client := rec.client(t, 204, "")
	service, methodName, _ := strings.Cut(name, ".")
	method := reflect.ValueOf(client).Elem().FieldByName(service).MethodByName(methodName)
	var args []reflect.Value
	for k := range method.Type().NumIn() - 1 { // the last is the options
		in := method.Type().In(k)
		switch {
		case k == 0:
			args = append(args, reflect.ValueOf(t.Context()))
		case in.Kind() == reflect.String:
			args = append(args, reflect.ValueOf("ID1"))
		default:
			value := reflect.New(in).Elem()
			params(value)
			args = append(args, value)
		}
	}
	args = append(args, reflect.ValueOf(gocardless.WithoutValidation()))
	results := method.Call(args)
	var unreadable *gocardless.MalformedResponseError // the empty reply does not matter
	if err, _ := results[len(results)-1].Interface().(error); err != nil && !errors.As(err, &unreadable) {
		t.Fatal(err)
	}
	if len(rec.body) == 0 {
		return nil
	}
	envelope := parse(t, rec.body).(map[string]any)
	for _, inner := range envelope {
		return inner.(map[string]any)
	}
	return nil
}

// setZero sets every optional field of params to its zero value, or the first day of the calendar.
func setZero(params reflect.Value) {
	for i := range params.NumField() {
		switch f := params.Field(i); f.Kind() {
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
			if d, ok := f.Interface().(*gocardless.Date); ok {
				d.Year, d.Month, d.Day = 1, time.January, 1
			}
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 0, 0))
		case reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
		}
	}
}

// checkAbsentAndZero checks how a field is sent that is not set, and that is set to its zero value.
func checkAbsentAndZero(t *testing.T, field reflect.StructField, absent, zero map[string]any) {
	t.Helper()
	wire, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	if wire == "-" {
		return
	}
	if _, sent := absent[wire]; sent != (options == "") {
		t.Errorf("%s unset: sent is %v", wire, sent)
	}
	value, sent := zero[wire]
	if !sent {
		t.Errorf("%s set to its zero value is not sent", wire)
	}
	if value == nil && field.Type.Kind() != reflect.Slice && field.Type.Kind() != reflect.Map {
		t.Errorf("%s set to its zero value is sent as null", wire)
	}
}

// Absent, zero and null are three different requests: an unset field is not sent, and one set to its
// zero value is.
func TestAbsentAndZeroDiffer(t *testing.T) {
	seen := 0
	methods(new(recording).client(t, 204, ""), func(name string, method reflect.Value, params reflect.Type) {
		if strings.HasPrefix(name, "Client.") || method.Type().NumOut() != 2 || strings.Contains(name, ".List") {
			return
		}
		t.Run(name, func(t *testing.T) {
			absent := invoke(t, name, func(reflect.Value) {})
			if absent == nil {
				return // no body: a query leaves zero values out
			}
			seen++
			zero := invoke(t, name, setZero)
			for i := range params.NumField() {
				checkAbsentAndZero(t, params.Field(i), absent, zero)
			}
		})
	})
	if seen < 50 {
		t.Errorf("only %d methods were tried", seen)
	}
}
