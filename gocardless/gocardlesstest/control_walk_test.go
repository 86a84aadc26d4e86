package gocardlesstest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Methods that the control API does not have, with the reason.
var notControlled = map[string]string{
	"Client":         "makes a client in Go",
	"Transport":      "is for programs in Go",
	"ServeHTTP":      "is the API itself",
	"ControlHandler": "is the control API itself",
	"Listen":         "starts a server",
	"OpenState":      "names a file of the server's machine",
	"Close":          "ends the server's state file",
}

// Options that a running sandbox cannot change, with the reason.
var notSettable = map[string]string{
	"WithClock":        "is a function; the clock is frozen and moved by its own controls",
	"WithFrozenClock":  "the clock is frozen and moved by its own controls",
	"WithSeed":         "ids of the state follow from it",
	"WithRequestHook":  "is a function",
	"WithDeliveryHook": "is a function",
	"WithControl":      "is on",
	"WithTLS":          "belongs to the socket",
	"WithAllowedHosts": "would let a caller open the door to others",
	"WithWebhooks":     "endpoints have their own controls",

	"WithToken":         "is the control of tokens",
	"WithReadOnlyToken": "is the control of tokens",
}

// The control API covers every method of Sandbox.
func TestControlsCoverAllMethods(t *testing.T) {
	has := map[string]bool{}
	for _, c := range theControls() {
		for _, m := range c.goes {
			has[m] = true
		}
	}
	methods := map[string]bool{}
	for m := range reflect.TypeFor[*Sandbox]().Methods() {
		methods[m.Name] = true
		if has[m.Name] == (notControlled[m.Name] != "") {
			t.Errorf("Sandbox.%s: in the table of controls %v, among those that are left out %v", m.Name, has[m.Name], notControlled[m.Name] != "")
		}
	}
	for m := range has {
		if !methods[m] {
			t.Errorf("the table names Sandbox.%s, which does not exist", m)
		}
	}
	for m := range notControlled {
		if !methods[m] {
			t.Errorf("Sandbox.%s is left out, but does not exist", m)
		}
	}
}

func TestSettingsCoverAllOptions(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	options := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			if id, ok := f.Type.Results.List[0].Type.(*ast.Ident); ok && id.Name == "Option" {
				options[f.Name.Name] = true
			}
		}
	}
	if len(options) < 20 {
		t.Fatalf("found only %d options", len(options))
	}
	for name := range options {
		set := slices.ContainsFunc(settings, func(s setting) bool { return s.option == name })
		if set == (notSettable[name] != "") {
			t.Errorf("%s: in the table of settings %v, among those that are left out %v", name, set, notSettable[name] != "")
		}
	}
	for _, s := range settings {
		if !options[s.option] {
			t.Errorf("the setting %s names %s, which does not exist", s.Name, s.option)
		}
	}
}

// Every setting accepts the value that it reports, and reports the value that it accepts.
func TestSettings(t *testing.T) {
	c := newCaller(t)
	before := c.sb.currentSettings()
	_, _, same := c.control("PATCH", "/_sandbox/settings", string(value.Append(nil, before)))
	if same != string(value.Append(nil, before)) {
		t.Errorf("the settings became %s\nwere %s", same, value.Append(nil, before))
	}
	change := `{"bank_timings":false,"refunds":false,"refund_limit":3,"refund_confirmation":false,"institution_meta":false,"fee_taxes":true,"surcharge_fee":50,"service_user_number":false,"removal_body":true,` +
		`"customer_notifications":true,"payer_approval":true,"rate_limit":0,"request_log":7,"instalment_delay":"1h0m0s","webhook_retries":["1m0s","2h0m0s"]}`
	c.controls("PATCH", "/_sandbox/settings", change, change)
	c.controls("GET", "/_sandbox/settings", "", change)
	c.sb.opts.rateLimit = 1000 // the default, which newCaller changes
	for _, m := range c.sb.currentSettings() {
		if was := New().currentSettings().Get(m.Key); m.Key != "encryption_keys" && m.Key != "rate_limit" && reflect.DeepEqual(m.Val, was) {
			t.Errorf("%s did not change", m.Key)
		}
	}
	id := c.ok("POST", "/customers", customerBody).Str("id")
	if r := c.do("DELETE", "/customers/"+id, ""); r.status != 200 {
		t.Errorf("a removal answers %d, want 200 with a body", r.status)
	}
	for body, field := range map[string]string{
		`{"instalment_delay":"soon"}`: "instalment_delay", `{"webhook_retries":["-1m"]}`: "webhook_retries",
		`{"encryption_keys":{"k":"no key"}}`: "encryption_keys", `{"rate_limit":-1}`: "rate_limit", `{"refunds":1}`: "refunds",
	} {
		if status, _, reply := c.control("PATCH", "/_sandbox/settings", body); status != 422 || !strings.Contains(reply, `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", body, status, reply)
		}
	}
}

// The description is a valid OpenAPI document with all controls and their members.
func TestControlDescription(t *testing.T) {
	c := newCaller(t)
	status, _, body := c.control("GET", "/_sandbox/openapi.json", "")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(body))
	if err != nil || status != 200 {
		t.Fatalf("%d: %v", status, err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	n := 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			n++
			ctl := controlNamed(op.OperationID)
			if ctl == nil || ctl.method != method || ControlPath+ctl.path != path || op.Summary == "" {
				t.Errorf("%s %s is described as %+v", method, path, op)
			}
		}
	}
	if n != len(theControls()) {
		t.Errorf("%d controls, %d are described", len(theControls()), n)
	}
	for _, ctl := range theControls() {
		for _, spec := range []*api.Type{ctl.body, ctl.reply} {
			if spec == nil {
				continue
			}
			for _, f := range spec.Fields {
				if !strings.HasSuffix(f.Text, ".") {
					t.Errorf("%s: %s is not described: %q", ctl.name, f.Name, f.Text)
				}
			}
		}
	}
}

// Each control is called successfully once, and its reply is checked against its description.
func TestEveryControl(t *testing.T) {
	box := &inbox{}
	w := newWorld(t, WithWebhooks(Webhooks{Handler: box, Secret: hookSecret, Manual: true}))
	called := map[string]bool{}
	do := func(name, id, body string) object {
		t.Helper()
		called[name] = true
		c := controlNamed(name)
		if c == nil {
			t.Fatalf("no control %s", name)
		}
		path := ControlPath + strings.ReplaceAll(c.path, "{id}", id)
		if !strings.Contains(c.path, "{id}") {
			path += id // a query
		}
		status, _, reply := w.control(c.method, path, body)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", name, status, reply)
		}
		return literal(reply)
	}
	do("save", "", `{"name":"start"}`)
	if s := do("snapshots", "", "").List("snapshots"); len(s) != 1 || s[0].(object).Str("name") != "start" {
		t.Errorf("the snapshots are %v", s)
	}
	state := string(value.Append(nil, do("snapshot", "", "")))
	do("tick", "", "")
	if next := do("now", "", "").Str("next"); next == "" {
		t.Error("nothing is due")
	}
	payment := w.pay("100")
	if due := do("due", "", "").List("due"); len(due) == 0 || due[0].(object).Str("step") != "webhook" {
		t.Errorf("due is %v", due)
	}
	if names := do("simulators", w.mandate, "").List("simulators"); !slices.Contains(names, any("mandate_failed")) {
		t.Errorf("the simulators are %v", names)
	}
	do("activate", w.mandate, "")
	do("simulate", "", `{"resource":"`+payment+`","scenario":"payment_paid_out"}`)
	do("charge_back", payment, "")
	do("cancel_chargeback", payment, "")
	if s := w.status("payments", payment); s != "paid_out" {
		t.Errorf("the payment is %s", s)
	}
	event := do("emit", "", `{"type":"payments.failed","resource":"`+payment+`","cause":"bank_account_closed","origin":"bank","reason_code":"ARUDD-B","will_attempt_retry":false}`).Str("id")
	if d := w.ok("GET", "/events/"+event, "").Obj("details"); d.Str("cause") != "bank_account_closed" || d.Get("will_attempt_retry") != false {
		t.Errorf("the event is %v", d)
	}
	if d := do("flush", "", "").List("deliveries"); len(d) == 0 {
		t.Error("no deliveries")
	}
	last := do("deliveries", "?limit=1", "").List("deliveries")
	if len(last) != 1 {
		t.Fatalf("%d deliveries, want the limit", len(last))
	}
	do("resend", last[0].(object).Str("webhook"), "")
	ep := do("add_endpoint", "", `{"url":"http://127.0.0.1:1/","secret":"s","events":["payments.*"],"manual":true}`).Str("id")
	do("pause_endpoint", ep, "")
	if e := do("endpoints", "", "").List("webhook_endpoints"); len(e) != 2 || !e[1].(object).Flag("paused") || e[1].(object).Has("secret") {
		t.Errorf("the endpoints are %v", e)
	}
	do("resume_endpoint", ep, "")
	do("remove_endpoint", ep, "")
	do("replace", w.mandate, "")
	fault := do("inject", "", `{"operation":"payments.list","status":503,"times":2}`)
	if fault.Num("faults") != 2 {
		t.Errorf("%d calls are to be hit, want 2", fault.Num("faults"))
	}
	if list := do("faults", "", "").List("faults"); len(list) != 1 || list[0].(object).Num("left") != 2 || list[0].(object).Num("status") != 503 {
		t.Errorf("the faults are %v", list)
	}
	do("remove_fault", fault.Str("id"), "")
	do("clear_faults", "", "")
	requests := do("requests", "", "").List("requests")
	if r := requests[len(requests)-1].(object); r.Str("operation") == "" || r.Obj("header").Has("Authorization") {
		t.Errorf("the request is %v", r)
	}
	do("clear_requests", "", "")
	if n := len(w.sb.Requests()); n != 0 {
		t.Errorf("%d requests after they were forgotten", n)
	}
	flow := w.flow(w.request(mandateRequest).Str("id"), `"redirect_uri":"https://shop.example.com/","exit_uri":"https://shop.example.com/exit"`).Str("id")
	do("exit", flow, "")
	do("finish", w.flow(w.request(mandateRequest).Str("id"), "").Str("id"), "")
	do("worlds", "", "")
	made := do("load", "", `{"steps":[{"do":"customers.create","as":"c","with":{"given_name":"A","family_name":"B","email":"a@example.com"}}]}`)
	if made.Obj("made").Obj("c").Str("given_name") != "A" {
		t.Errorf("the world made %v", made)
	}
	im := w.ok("POST", "/outbound_payment_imports", `{"outbound_payment_imports":{"entry_items":[{"amount":100,"scheme":"faster_payments","recipient_bank_account_id":"`+w.account+`"}]}}`).Str("id")
	w.sb.Advance(time.Minute)
	do("approve_import", im, "")
	do("settings", "", "")
	do("configure", "", `{"refund_limit":5}`)
	if moved := do("advance", "", `{"next":true,"frozen":true}`); !moved.Flag("frozen") || moved.Num("delivered") == 0 {
		t.Errorf("the clock moved: %v", moved)
	}
	do("restore_saved", "start", "")
	do("delete_snapshot", "start", "")
	do("restore", "", state)
	if got := string(w.sb.Snapshot()); got != state {
		t.Error("the restored state differs")
	}
	do("reset", "", "")
	do("set_token", "", `{"token":"gone","access":"revoked"}`)
	do("set_token", "", `{"token":"old","access":"inactive"}`)
	do("set_token", "", `{"token":"reader","access":"read_only"}`)
	if status, _, _ := w.control("GET", "/_sandbox/clock", ""); status != 401 {
		t.Errorf("without a token: %d", status)
	}
	for _, c := range theControls() {
		if !called[c.name] {
			t.Errorf("no call of %s", c.name)
		}
	}
}

// Emit can create every event of the API.
func TestEmitMakesEveryEvent(t *testing.T) {
	sb := New(WithFrozenClock(monday))
	for i := range api.Events {
		e := &api.Events[i]
		causes := append([]api.Cause{{}}, e.Causes...)
		for _, cause := range causes {
			if _, err := sb.Emit(Event{Type: e.Resource + "." + e.Action, Cause: cause.Name}); err != nil {
				t.Errorf("%s.%s, cause %q: %v", e.Resource, e.Action, cause.Name, err)
			}
		}
	}
	for _, bad := range []Event{{}, {Type: "payments.flown"}, {Type: "payments.failed", Resource: "PM1"}, {Type: "payments.failed", Cause: "x"}, {Type: "payments.failed", Origin: "x"}} {
		if _, err := sb.Emit(bad); err == nil {
			t.Errorf("%+v is no error", bad)
		}
	}
}

func TestFreeze(t *testing.T) {
	now := monday
	sb := New(WithClock(func() time.Time { return now }))
	sb.Freeze()
	now = now.Add(days)
	if !sb.Now().Equal(monday) {
		t.Errorf("a frozen clock shows %v", sb.Now())
	}
	sb.Advance(2 * days)
	sb.Unfreeze()
	if want := monday.Add(2 * days); !sb.Now().Equal(want) {
		t.Errorf("the clock shows %v, want %v", sb.Now(), want)
	}
	now = now.Add(days)
	if want := monday.Add(3 * days); !sb.Now().Equal(want) {
		t.Errorf("the clock shows %v, want %v", sb.Now(), want)
	}
}
