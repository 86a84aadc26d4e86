package gocardlesstest

import (
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// control calls the control API and returns the status, headers and body of the reply.
func (c *caller) control(method, path, body string, headers ...string) (int, http.Header, string) {
	c.t.Helper()
	req, err := http.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := newRecorder(req)
	if !rec.run(c.sb.ControlHandler()) {
		c.t.Fatalf("%s %s: the connection was closed", method, path)
	}
	if kind := rec.sent.Get("Content-Type"); kind != "application/json" {
		c.t.Errorf("%s %s: Content-Type is %q", method, path, kind)
	}
	c.described(req, rec)
	return rec.status, rec.sent, rec.body.String()
}

// described checks that a successful reply has exactly the members in its description.
func (c *caller) described(req *http.Request, rec *recorder) {
	c.t.Helper()
	ctl, _, err := findControl(req, http.Header{})
	if err != nil || rec.status != 200 || ctl.reply == nil {
		return
	}
	v, err := value.Parse(rec.body.Bytes())
	if err != nil {
		c.t.Fatal(err)
	}
	reply, _ := v.(object)
	for _, it := range ctl.reply.AllProblems(reply) {
		c.t.Errorf("%s %s: the reply is not as described: %s %s", req.Method, req.URL.Path, it.Pointer, it.Message)
	}
	if len(reply) != len(ctl.reply.Fields) {
		c.t.Errorf("%s %s: the reply has %d members, the description %d: %s", req.Method, req.URL.Path, len(reply), len(ctl.reply.Fields), rec.body.String())
	}
}

// controls calls the control API, which must reply with 200 and at least these members.
func (c *caller) controls(method, path, body, want string) {
	c.t.Helper()
	status, _, got := c.control(method, path, body)
	ok := status == 200
	if ok {
		members := literal(got)
		for _, m := range literal(want) {
			ok = ok && reflect.DeepEqual(members.Get(m.Key), m.Val)
		}
	}
	if !ok {
		c.t.Errorf("%s %s %s: %d %s\nwant %s", method, path, body, status, got, want)
	}
}

func TestControlClock(t *testing.T) {
	box := &inbox{answers: []int{500}}
	w := newWorld(t, WithWebhooks(Webhooks{Handler: box, Secret: hookSecret, Manual: true}))
	id := w.pay("100")
	w.controls("GET", "/_sandbox/clock", "", `{"now":"2026-09-14T09:00:00.000Z","faults":0}`)
	w.controls("POST", "/_sandbox/clock", `{"advance":"36h"}`, `{"now":"2026-09-15T21:00:00.000Z","faults":0}`)
	if s := w.status("payments", id); s != "pending_submission" && s != "submitted" {
		t.Errorf("payment after 36 hours is %s", s)
	}
	w.controls("POST", "/_sandbox/clock", `{"advance":"14d"}`, `{"now":"2026-09-29T21:00:00.000Z","faults":0}`)
	if s := w.status("payments", id); s != "paid_out" {
		t.Errorf("payment after 14 days is %s", s)
	}
	if n := len(w.list("/webhooks?successful=true")); n < 5 || n != len(w.list("/webhooks")) || box.count() != n+1 {
		t.Errorf("the endpoint got %d webhooks, %d were accepted", box.count(), n)
	}
	w.controls("POST", "/_sandbox/clock", `{"to":"2026-10-01T02:00:00+02:00"}`, `{"now":"2026-10-01T00:00:00.000Z","faults":0}`)
	w.controls("POST", "/_sandbox/clock", `{"to":"2026-10-01T00:00:00Z"}`, `{"now":"2026-10-01T00:00:00.000Z","faults":0}`)
	w.controls("POST", "/_sandbox/clock", `{"to":"2200-01-01T00:00:00Z"}`, `{"now":"2200-01-01T00:00:00.000Z","faults":0}`)
}

func TestControlClockIsKeptInTheStateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	c := newCaller(t)
	c.openState(file)
	c.ok("POST", "/customers", customerBody)
	c.controls("POST", "/_sandbox/clock", `{"advance":"1d"}`, `{"now":"2026-09-15T09:00:00.000Z","faults":0}`)
	c.die()
	again := newCaller(t)
	again.openState(file)
	again.controls("GET", "/_sandbox/clock", "", `{"now":"2026-09-15T09:00:00.000Z","faults":0}`)
	again.controls("POST", "/_sandbox/reset", "", `{"now":"2026-09-15T09:00:00.000Z","faults":0}`)
	again.die()
	last := newCaller(t)
	last.openState(file)
	if n := len(last.list("/customers")); n != 0 {
		t.Errorf("%d customers after a reset", n)
	}
	last.controls("GET", "/_sandbox/clock", "", `{"now":"2026-09-15T09:00:00.000Z","faults":0}`)
}

func TestControlFaults(t *testing.T) {
	w := newWorld(t)
	body := `{"payments":{"amount":100,"currency":"GBP","links":{"mandate":"` + w.mandate + `"}}}`
	state := func(faults string) string { return `{"now":"2026-09-14T09:00:00.000Z","faults":` + faults + `}` }
	w.controls("POST", "/_sandbox/faults", `{"operation":"payments.create","after":true,"reason":"internal_server_error"}`, state("1"))
	w.refused(500, "internal_server_error", "POST", "/payments", body)
	if n := len(w.list("/payments")); n != 1 {
		t.Errorf("%d payments, want the one of the spoilt reply", n)
	}
	w.controls("GET", "/_sandbox/clock", "", state("0"))

	// Every member is read.
	w.controls("POST", "/_sandbox/faults", `{"operation":"payments.*","skip":1,"times":2,"after":true,"reason":"forbidden","status":503,"header":{"retry-after":"7"},
		"body":"<b>","content_type":"text/plain","bare":"x","delay":"1m30s","drop":true,"truncate":5}`, state("2"))
	want := Fault{Operation: "payments.*", Skip: 1, Times: 2, After: true, Reason: "forbidden", Status: 503, Header: http.Header{"Retry-After": {"7"}},
		Body: "<b>", ContentType: "text/plain", Bare: "x", Delay: 90 * time.Second, Drop: true, Truncate: 5}
	if got := w.sb.faults.list[0].fault; !reflect.DeepEqual(got, want) {
		t.Errorf("the fault is %+v\nwant %+v", got, want)
	}
	w.controls("DELETE", "/_sandbox/faults", "", state("0"))
	w.controls("POST", "/_sandbox/faults", `{"status":418,"times":-1}`, state("1"))
	w.controls("POST", "/_sandbox/faults", `{"header":{"X-Note":"here"},"operation":"payments.list"}`, state("2"))
	if r := send1(w.caller, "GET", "/payments", ""); r.status != 418 {
		t.Errorf("got %d, want the fault that hits every call", r.status)
	}
	w.controls("POST", "/_sandbox/reset", `{}`, state("0"))
	if n := len(w.list("/payments")); n != 0 {
		t.Errorf("%d payments after a reset", n)
	}
}

// The control API accepts every field that Go has.
func TestControlHasAllMembers(t *testing.T) {
	snake := func(s string) string {
		return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(s, "${1}_$2"))
	}
	for _, x := range []struct {
		typ  reflect.Type
		spec *api.Type
	}{{reflect.TypeFor[Fault](), faultSpec}, {reflect.TypeFor[Payer](), payerSpec}, {reflect.TypeFor[Event](), emitSpec}} {
		var want, got []string
		for i := range x.typ.NumField() {
			want = append(want, snake(x.typ.Field(i).Name))
		}
		for _, f := range x.spec.Fields {
			got = append(got, f.Name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%v has %v\nthe control takes %v", x.typ, want, got)
		}
	}
}

func TestControlFlows(t *testing.T) {
	w := newWorld(t)
	// A bank account is not completed from TestPayer: an account number alone does not get its sort code.
	plain := w.flow(w.request(mandateRequest).Str("id"), "").Str("id")
	status, _, body := w.control("POST", "/_sandbox/flows/"+plain+"/finish", `{"account_number":"55779911"}`)
	if status != 422 || !strings.Contains(body, `"field":"branch_code"`) {
		t.Errorf("half an account: %d %s", status, body)
	}
	w.controls("POST", "/_sandbox/flows/"+plain+"/finish", "", `{"redirect_uri":null}`)

	br := w.request(mandateRequest).Str("id")
	flow := w.flow(br, `"redirect_uri":"https://shop.example.com/done"`).Str("id")
	w.controls("POST", "/_sandbox/flows/"+flow+"/finish", `{"given_name":"Penniless"}`,
		`{"redirect_uri":"https://shop.example.com/done?id=`+flow+`&outcome=success"}`)
	if s := w.status("billing_requests", br); s != "fulfilled" {
		t.Errorf("billing request is %s", s)
	}
	if name := w.ok("GET", "/customers/"+w.ok("GET", "/billing_requests/"+br, "").Obj("links").Str("customer"), "").Str("given_name"); name != "Penniless" {
		t.Errorf("the payer's name is %q", name)
	}
	old := w.flow(w.request(mandateRequest).Str("id"), "").Str("id")
	w.sb.Advance(flowLife)
	status, _, body = w.control("POST", "/_sandbox/flows/"+old+"/finish", "")
	if status != 422 || !strings.Contains(body, `"type":"invalid_state"`) {
		t.Errorf("an expired billing request flow: %d %s", status, body)
	}

	re := w.ok("POST", "/redirect_flows", `{"redirect_flows":{"session_token":"s1","success_redirect_url":"https://shop.example/done"}}`).Str("id")
	w.controls("POST", "/_sandbox/flows/"+re+"/finish", `{"country_code":"DE","iban":"DE89370400440532013000"}`,
		`{"redirect_uri":"https://shop.example/done?redirect_flow_id=`+re+`"}`)
	mandate := w.ok("POST", "/redirect_flows/"+re+"/actions/complete", `{"data":{"session_token":"s1"}}`).Obj("links").Str("mandate")
	if s := w.ok("GET", "/mandates/"+mandate, "").Str("scheme"); s != "sepa_core" {
		t.Errorf("the mandate's scheme is %s", s)
	}
	late := w.ok("POST", "/redirect_flows", `{"redirect_flows":{"session_token":"s1","success_redirect_url":"https://shop.example/done"}}`).Str("id")
	w.controls("POST", "/_sandbox/clock", `{"advance":"31m"}`, `{"now":"2026-09-21T09:31:00.000Z","faults":0}`)
	if status, _, body = w.control("POST", "/_sandbox/flows/"+late+"/finish", ""); status != 400 || !strings.Contains(body, "has expired") {
		t.Errorf("an expired flow: %d %s", status, body)
	}
}

func TestControlRefuses(t *testing.T) {
	c := newCaller(t)
	const structure, typed, values = "invalid_document_structure", "invalid_type", "validation_failed"
	for _, x := range []struct {
		method, path, body string
		status             int
		fragment           string
		says               []string
	}{
		{"GET", "/_sandbox/", "", 404, "path_not_found", []string{"/_sandbox/clock", "/_sandbox/flows/{id}/finish"}},
		{"POST", "/_sandbox/clocks", "", 404, "path_not_found", nil},
		{"POST", "/_sandbox/flows/BRF1", "", 404, "path_not_found", nil},
		{"POST", "/_sandbox/flows/BRF1/start", "", 404, "path_not_found", nil},
		{"POST", "/_sandbox/flows/BRF1/finish", "", 404, "resource_not_found", nil},
		{"POST", "/_sandbox/flows//finish", "", 404, "resource_not_found", nil},
		{"PUT", "/_sandbox/clock", `{}`, 405, "method_not_allowed", []string{"GET, POST"}},
		{"GET", "/_sandbox/reset", "", 405, "method_not_allowed", []string{"POST"}},
		{"POST", "/_sandbox/clock", `{`, 400, "bad_request", []string{"not JSON"}},
		{"POST", "/_sandbox/clock", `{"advance":"1d"}{}`, 400, "bad_request", []string{"not JSON"}},
		{"POST", "/_sandbox/clock", `["14d"]`, 400, structure, []string{"must be an object"}},
		{"POST", "/_sandbox/clock", `{"advance":"14d","speed":2}`, 400, structure, []string{`\"speed\" is not a permitted key`}},
		{"POST", "/_sandbox/clock", `{"advance":14}`, 422, typed, []string{`"field":"advance"`, "14 is not a string"}},
		{"POST", "/_sandbox/clock", `{"to":null}`, 422, typed, []string{`"field":"to"`}},
		{"POST", "/_sandbox/clock", ``, 422, values, []string{`"field":"advance"`, "is required"}},
		{"POST", "/_sandbox/clock", `{"advance":"1d","to":"2026-10-01T00:00:00Z"}`, 422, values, []string{"exclude each other"}},
		{"POST", "/_sandbox/clock", `{"advance":"two weeks"}`, 422, values, []string{`"request_pointer":"/advance"`, "must be a duration"}},
		{"POST", "/_sandbox/clock", `{"advance":"1.5d"}`, 422, values, []string{"must be a duration"}},
		{"POST", "/_sandbox/clock", `{"advance":"999999d"}`, 422, values, []string{"must be a duration"}},
		{"POST", "/_sandbox/clock", `{"advance":"9999999h"}`, 422, values, []string{"must be a duration"}},
		{"POST", "/_sandbox/clock", `{"advance":"65535d"}`, 422, values, []string{"beyond 2200-01-01"}},
		{"POST", "/_sandbox/clock", `{"advance":"-1d"}`, 422, values, []string{`"field":"advance"`, "leads to 2026-09-13T09:00:00.000Z", "never moves back"}},
		{"POST", "/_sandbox/clock", `{"to":"2026-09-14"}`, 422, values, []string{`"field":"to"`, "must be a timestamp"}},
		{"POST", "/_sandbox/clock", `{"to":"2026-09-14T08:59:59Z"}`, 422, values, []string{`"field":"to"`, "the clock shows 2026-09-14T09:00:00.000Z and never moves back"}},
		{"POST", "/_sandbox/clock", `{"to":"9999-12-31T00:00:00Z"}`, 422, values, []string{"beyond 2200-01-01"}},
		{"POST", "/_sandbox/faults", `{}`, 422, values, []string{`"field":"reason"`, "is required"}},
		{"POST", "/_sandbox/faults", `{"operation":"payments.create","after":true}`, 422, values, []string{"is required"}},
		{"POST", "/_sandbox/faults", `{"operation":"payment.create","reason":"oops","delay":"long"}`, 422, values, []string{`"field":"operation"`, `"field":"reason"`, `"field":"delay"`}},
		{"POST", "/_sandbox/faults", `{"operation":"[","drop":true}`, 422, values, []string{`"field":"operation"`}},
		{"POST", "/_sandbox/faults", `{"delay":"-1s"}`, 422, values, []string{`"field":"delay"`}},
		{"POST", "/_sandbox/faults", `{"status":99}`, 422, values, []string{`"field":"status"`}},
		{"POST", "/_sandbox/faults", `{"drop":true,"skip":-1,"times":-2,"truncate":2147483648}`, 422, values, []string{`"field":"skip"`, `"field":"times"`, `"field":"truncate"`}},
		{"POST", "/_sandbox/faults", `{"status":500,"header":{"Retry-After":2}}`, 422, typed, []string{`"request_pointer":"/header/Retry-After"`}},
		{"POST", "/_sandbox/faults", `{"status":500,"Drop":true}`, 400, structure, []string{`\"Drop\"`}},
		{"DELETE", "/_sandbox/faults", `{"operation":"payments.create"}`, 400, structure, []string{`\"operation\"`}},
		{"POST", "/_sandbox/reset", `{"clock":true}`, 400, structure, []string{`\"clock\"`}},
		{"POST", "/_sandbox/reset", `"` + strings.Repeat("x", maxBody) + `"`, 413, "request_entity_too_large", nil},
	} {
		status, header, body := c.control(x.method, x.path, x.body)
		v, err := value.Parse([]byte(body))
		if err != nil {
			t.Fatalf("%s %s: %s is not JSON", x.method, x.path, body)
		}
		e := v.(object).Obj("error")
		if status != x.status || e.Num("code") != int64(x.status) || !strings.HasSuffix(e.Str("documentation_url"), "#"+x.fragment) || e.Str("request_id") != header.Get("X-Request-Id") {
			t.Errorf("%s %s %.80s: %d %s\nwant %d %s", x.method, x.path, x.body, status, body, x.status, x.fragment)
		}
		for _, s := range x.says {
			if !strings.Contains(body, s) {
				t.Errorf("%s %s %.80s: the reply does not say %s: %s", x.method, x.path, x.body, s, body)
			}
		}
		if allow := header.Get("Allow"); (allow != "") != (status == 405) {
			t.Errorf("%s %s: Allow is %q", x.method, x.path, allow)
		}
	}
	c.controls("GET", "/_sandbox/clock", "", `{"now":"2026-09-14T09:00:00.000Z","faults":0}`)
}

func TestControlRefusesBrowsersAndStrangers(t *testing.T) {
	c := newCaller(t, WithToken("good"), WithReadOnlyToken("reader"))
	c.sb.RevokeToken("revoked")
	for _, x := range []struct {
		method  string
		headers []string
		status  int
	}{
		{"POST", []string{"Authorization", "Bearer good"}, 200},
		{"GET", []string{"Authorization", "Bearer reader"}, 200},
		{"POST", []string{"Authorization", "Bearer reader"}, 403},
		{"POST", []string{"Authorization", "Bearer bad"}, 401},
		{"GET", []string{"Authorization", "Bearer revoked"}, 401},
		{"POST", nil, 401},
	} {
		body := ""
		if x.method == "POST" {
			body = `{"advance":"1h"}`
		}
		if status, _, reply := c.control(x.method, "/_sandbox/clock", body, x.headers...); status != x.status {
			t.Errorf("%s %v: %d %s, want %d", x.method, x.headers, status, reply, x.status)
		}
	}
	if now := c.sb.Now(); !now.Equal(monday.Add(time.Hour)) {
		t.Errorf("the clock is at %v: a refused call moved it", now)
	}
}

// The control API is served only if the option is set, which does not change the API.
func TestControlIsServedOnRequest(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	get := func(url string) (int, string) {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	without := NewServer(t, WithFrozenClock(monday))
	if status, body := get(without.URL + "/_sandbox/clock"); status != 400 || !strings.Contains(body, "missing_version_header") {
		t.Errorf("without the option: %d %s", status, body)
	}
	with := NewServer(t, WithFrozenClock(monday), WithControl(), WithRequestHook(func(r *Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Method+" "+r.Path)
	}))
	if status, body := get(with.URL + "/_sandbox/clock"); status != 200 || !strings.HasPrefix(body, `{"now":"2026-09-14T09:00:00.000Z","faults":0,`) {
		t.Errorf("with the option: %d %s", status, body)
	}
	for _, path := range []string{"/customers", "/_sandbox"} {
		if status, body := get(with.URL + path); status != 400 || !strings.Contains(body, "missing_version_header") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if n := len(with.Requests()); n != 2 {
		t.Errorf("%d requests of the API, want 2", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, []string{"GET /_sandbox/clock", "GET /customers", "GET /_sandbox"}) {
		t.Errorf("the hook saw %v", seen)
	}
	for i := range api.Operations {
		if strings.HasPrefix(api.Operations[i].Path, "/_") {
			t.Errorf("%s may collide with %s", api.Operations[i].Path, ControlPath)
		}
	}
}

func TestControlFromManySides(t *testing.T) {
	w := newWorld(t, WithWebhooks(Webhooks{Handler: &inbox{}, Secret: hookSecret}))
	w.strict = false
	var wg sync.WaitGroup
	for _, x := range [][3]string{
		{"POST", "clock", `{"advance":"1h"}`}, {"GET", "clock", ""}, {"POST", "faults", `{"operation":"payments.list","status":500}`}, {"DELETE", "faults", ""}, {"POST", "reset", ""},
	} {
		wg.Go(func() {
			for range 20 {
				if status, _, body := w.control(x[0], "/_sandbox/"+x[1], x[2]); status != 200 {
					t.Errorf("%v: %d %s", x, status, body)
				}
				w.do("POST", "/customers", customerBody)
			}
		})
	}
	wg.Wait()
	if now := w.sb.Now(); now.Before(monday.Add(20 * time.Hour)) {
		t.Errorf("the clock is at %v", now)
	}
}
