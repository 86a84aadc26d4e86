package gocardlesstest

import (
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ControlPath is the path that ControlHandler serves under. No path of the API begins with it.
const ControlPath = "/_sandbox/"

// ControlHandler does for programs in other languages what methods of the Sandbox do for tests in
// Go: it moves the clock, sets faults, resets, and plays the payer of a hosted flow. WithControl
// serves it beside the API; ServeHTTP and Transport do not. Bodies are JSON objects and may be left
// out where no member is required.
//
//	GET    /_sandbox/clock
//	POST   /_sandbox/clock              {"advance": "14d"} or {"to": "2026-10-01T00:00:00Z"}
//	POST   /_sandbox/faults             {"operation": "payments.create", "after": true, "drop": true}
//	DELETE /_sandbox/faults
//	POST   /_sandbox/reset
//	POST   /_sandbox/flows/{id}/finish  {"given_name": "Penniless"}
//
// All but the last answer with the time and with how many faults are still to come:
//
//	{"now": "2026-10-01T00:00:00.000Z", "faults": 1}
//
// The clock moves as with Advance: the reply comes when all that fell due is done and its webhooks
// are answered, so a handler of webhooks must not wait for it. A fault has the members of Fault in
// snake case; its delay is text such as "2s" or "1m30s". Faults do not hit the control itself, and a
// state file does not keep them.
//
// A flow is the id of a billing request flow or a redirect flow. The body has the members of Payer
// in snake case. What is left out is TestPayer's; a bank account is taken whole, from the body or
// from TestPayer. The reply has the address that the payer's browser is sent back to, or null:
//
//	{"redirect_uri": "https://example.com/thanks?redirect_flow_id=RE000…"}
//
// What is refused answers with an error in the form of the API's.
//
// When the sandbox knows its tokens (WithToken), one of them is needed, and a read-only one can only
// ask for the time. Requests of web pages of other sites are refused, as on every path; from other
// programs that reach the socket, only a token protects.
func (sb *Sandbox) ControlHandler() http.Handler {
	return http.HandlerFunc(sb.serveControl)
}

// besideControl is the API with the control beside it.
func (sb *Sandbox) besideControl() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, ControlPath) {
			sb.serveControl(w, r)
			return
		}
		sb.ServeHTTP(w, r)
	})
}

func (sb *Sandbox) serveControl(w http.ResponseWriter, r *http.Request) {
	now := sb.Now()
	rid := sb.requestID(now)
	out := &outgoing{status: http.StatusOK, header: http.Header{}}
	reply, err := sb.control(r, out.header)
	var refused *apiError
	switch {
	case errors.As(err, &refused):
		out.status, out.body = refused.status, refused.body(rid)
	case err != nil: // of the state file
		failed := refuse("internal_server_error", err.Error())
		out.status, out.body = failed.status, failed.body(rid)
	default:
		out.body = appendJSON(nil, reply)
	}
	sb.standardHeaders(out, rid, now)
	if sb.opts.hook != nil {
		sb.opts.hook(&Request{Time: now, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header,
			Status: out.status, Reply: out.body, RequestID: rid})
	}
	maps.Copy(w.Header(), out.header)
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body)
}

// A control is one thing that can be asked for.
type control struct {
	body *typeSpec
	do   func(sb *Sandbox, id string, body object) (object, error)
}

// controls are found by path and method.
var controls = map[string]map[string]control{
	"clock": {
		http.MethodGet:  {&typeSpec{}, func(sb *Sandbox, _ string, _ object) (object, error) { return sb.controlState(), nil }},
		http.MethodPost: {&typeSpec{fields: []fieldSpec{{name: "advance"}, {name: "to", kind: kTime}}}, controlClock},
	},
	"faults": {
		http.MethodPost: {faultSpec, controlFault},
		http.MethodDelete: {&typeSpec{}, func(sb *Sandbox, _ string, _ object) (object, error) {
			sb.ClearFaults()
			return sb.controlState(), nil
		}},
	},
	"reset": {
		http.MethodPost: {&typeSpec{}, func(sb *Sandbox, _ string, _ object) (object, error) {
			err := sb.Reset()
			return sb.controlState(), err
		}},
	},
	"flows/{id}/finish": {
		http.MethodPost: {payerSpec(), controlFlow},
	},
}

// control finds out what is asked for and does it. It may add to the headers of the reply.
func (sb *Sandbox) control(r *http.Request, header http.Header) (object, error) {
	if err := sb.guard(r); err != nil {
		return nil, err
	}
	path, id := strings.TrimPrefix(r.URL.Path, ControlPath), ""
	if p := strings.Split(path, "/"); len(p) == 3 {
		id, p[1] = p[1], "{id}"
		path = strings.Join(p, "/")
	}
	methods := controls[path]
	if methods == nil {
		return nil, refuse("path_not_found", "There is no such control; there are "+ControlPath+strings.Join(slices.Sorted(maps.Keys(controls)), ", "+ControlPath))
	}
	c, ok := methods[r.Method]
	if !ok {
		allowed := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
		header.Set("Allow", allowed)
		return nil, refuse("method_not_allowed", "Method not allowed; it must be one of: "+allowed)
	}
	if !sb.tokens.open {
		op := &opSpec{kind: kindAction}
		if r.Method == http.MethodGet {
			op.kind = kindRead
		}
		if _, err := sb.authorise(r.Header, op); err != nil {
			return nil, err
		}
	}
	body, err := controlBody(r, c.body)
	if err != nil {
		return nil, err
	}
	return c.do(sb, id, body)
}

// controlBody reads a body and checks it; none is an empty object.
func controlBody(r *http.Request, spec *typeSpec) (object, error) {
	raw, tooBig, err := readBody(r.Body)
	switch {
	case tooBig:
		return nil, refuse("request_entity_too_large", "The request body is too large")
	case err != nil:
		return nil, refuse("bad_request", "The request body could not be read")
	case len(raw) == 0:
		return object{}, nil
	}
	v, err := parseJSON(raw)
	if err != nil {
		return nil, refuse("bad_request", "Bad request: "+err.Error())
	}
	body, ok := v.(object)
	if !ok {
		return nil, refuse("invalid_document_structure", "The root of the document must be an object.")
	}
	var c bodyCheck
	c.object(spec, body, "", "")
	if err := c.err(); err != nil {
		return nil, err
	}
	return body, nil
}

// controlState is what most controls answer.
func (sb *Sandbox) controlState() object {
	return object{{"now", stamp(sb.Now())}, {"faults", sb.faults.count()}}
}

// lastTime is as far as the control moves the clock: times are kept in nanoseconds, which end in
// 2262.
var lastTime = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func controlClock(sb *Sandbox, _ string, body object) (object, error) {
	p := &problems{}
	now := sb.Now()
	to, field := now, "to"
	switch text := body.str("advance"); {
	case len(body) != 1:
		p.add("advance", `must be given, or else "to", and not both`)
	case body.has("advance"):
		d, err := parseSpan(text)
		if err != nil {
			p.add("advance", `must be a duration such as "36h", "90m" or "14d"`)
		}
		to, field = now.Add(d), "advance"
	default:
		to, _ = time.Parse(time.RFC3339, body.str("to")) // its form was checked
	}
	switch {
	case len(p.items) > 0:
	case to.Before(now):
		p.add(field, "leads back to %s; it is %s, and the clock never goes back", stamp(to), stamp(now))
	case to.After(lastTime):
		p.add(field, "leads beyond %s, where the clock ends", stamp(lastTime))
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	_, err := sb.advance(to.Sub(now))
	return sb.controlState(), err
}

// parseSpan reads a duration in Go's form, or in days. (Seventeen bits hold more days than the
// clock has, and fewer than would overflow.)
func parseSpan(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 17)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

// faultSpec has the members of Fault.
var faultSpec = func() *typeSpec {
	count := &limits{minimum: new(int64(0)), maximum: new(int64(math.MaxInt32))}
	return &typeSpec{fields: []fieldSpec{
		{name: "operation"},
		{name: "skip", kind: kInt, lim: count},
		{name: "times", kind: kInt, lim: &limits{minimum: new(int64(-1)), maximum: count.maximum}},
		{name: "after", kind: kBool},
		{name: "reason"},
		{name: "status", kind: kInt, lim: &limits{minimum: new(int64(200)), maximum: new(int64(599))}},
		{name: "header", kind: kStringMap},
		{name: "body"},
		{name: "content_type"},
		{name: "bare"},
		{name: "delay"},
		{name: "drop", kind: kBool},
		{name: "truncate", kind: kInt, lim: count},
	}}
}()

func controlFault(sb *Sandbox, _ string, body object) (object, error) {
	f := Fault{
		Operation: body.str("operation"), Skip: int(body.num("skip")), Times: int(body.num("times")), After: body.flag("after"),
		Reason: body.str("reason"), Status: int(body.num("status")), Header: http.Header{}, Body: body.str("body"),
		ContentType: body.str("content_type"), Bare: body.str("bare"), Drop: body.flag("drop"), Truncate: int(body.num("truncate")),
	}
	for _, m := range body.obj("header") {
		s, _ := m.val.(string)
		f.Header.Set(m.key, s)
	}
	p := &problems{}
	if body.has("delay") {
		d, err := parseSpan(body.str("delay"))
		if err != nil || d < 0 {
			p.add("delay", `must be a duration such as "2s" or "1m30s"`)
		}
		f.Delay = d
	}
	if !f.hitsAny() {
		p.add("operation", "matches no operation of the API")
	}
	if !f.reasonKnown() {
		p.add("reason", "is not a reason of the API")
	}
	if !f.answers() && !f.Drop && f.Delay == 0 && f.Truncate == 0 && len(f.Header) == 0 && len(p.items) == 0 {
		p.add("reason", "must be given, or else one of: status, header, body, bare, delay, drop, truncate")
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	sb.Inject(f)
	return sb.controlState(), nil
}

// members are the details of a payer by name; those of the bank account come first.
func (p *Payer) members() (list []payerMember, bank int) {
	return []payerMember{
		{"iban", &p.IBAN}, {"account_number", &p.AccountNumber}, {"branch_code", &p.BranchCode}, {"bank_code", &p.BankCode}, {"account_type", &p.AccountType},
		{"given_name", &p.GivenName}, {"family_name", &p.FamilyName}, {"company_name", &p.CompanyName}, {"email", &p.Email},
		{"address_line1", &p.AddressLine1}, {"city", &p.City}, {"postal_code", &p.PostalCode}, {"country_code", &p.CountryCode},
		{"account_holder_name", &p.AccountHolderName},
	}, 5
}

type payerMember struct {
	name string
	val  *string
}

// payerSpec has the members of Payer.
func payerSpec() *typeSpec {
	t := &typeSpec{}
	members, _ := new(Payer).members()
	for _, m := range members {
		t.fields = append(t.fields, fieldSpec{name: m.name})
	}
	return t
}

func controlFlow(sb *Sandbox, id string, body object) (object, error) {
	payer := TestPayer
	members, bank := payer.members()
	if slices.ContainsFunc(members[:bank], func(m payerMember) bool { return body.has(m.name) }) {
		for _, m := range members[:bank] {
			*m.val = ""
		}
	}
	for _, m := range members {
		if body.has(m.name) {
			*m.val = body.str(m.name)
		}
	}
	finish := sb.FinishBillingRequestFlow
	sb.view(func(tx *tx) {
		if tx.find("redirect_flows", id) != nil {
			finish = sb.FinishRedirectFlow
		}
	})
	back, err := finish(id, payer)
	if err != nil {
		return nil, err
	}
	return object{{"redirect_uri", nilIfEmpty(back)}}, nil
}
