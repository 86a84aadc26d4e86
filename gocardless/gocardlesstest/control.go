package gocardlesstest

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// ControlPath is the path prefix of ControlHandler. No path of the API begins with it.
const ControlPath = "/_sandbox/"

// maxState is the maximum size of a snapshot or a world in a request.
const maxState = 256 << 20

// ControlHandler returns a handler that gives programs in other languages the methods of Sandbox over
// HTTP: it moves the clock, sets faults, plays payers and banks, saves snapshots, and reports requests
// and webhooks. WithControl serves it alongside the API, together with the dashboard; ServeHTTP and
// Transport do not.
//
// GET /_sandbox/openapi.json describes the paths. Bodies are JSON objects and may be omitted if no
// member is required. Errors have the form of the API's.
//
// The clock moves as with Advance: the reply is sent when every step that fell due has run and its
// webhooks are answered, so a webhook handler must not wait for it.
//
// If the sandbox's tokens are set (WithToken), a request needs one of them, as for the API or as the
// password of HTTP basic authentication; a read-only token can only read. As on every path, requests
// from web pages of other sites are refused. Only a token protects the sandbox from other programs that
// can reach the socket.
func (sb *Sandbox) ControlHandler() http.Handler {
	return http.HandlerFunc(sb.serveControl)
}

// A control exposes methods of Sandbox to programs in other languages. The routes, the OpenAPI
// document, the dashboard's forms and the steps of worlds all come from the table of controls.
type control struct {
	name   string   // in the OpenAPI document and, after "sandbox.", in worlds
	goes   []string // methods of Sandbox that it exposes
	method string
	path   string // after ControlPath, with {id} for an id
	group  string
	text   string
	body   *api.Type // members of the body or, for GET, of the query
	reply  *api.Type
	large  bool // the body can be a whole state
	do     func(sb *Sandbox, c *controlCall) (any, error)
}

// controlCall is the input of a control.
type controlCall struct {
	id   string
	body object
}

// perform checks a call and runs it, for a world.
func (c *control) perform(sb *Sandbox, call *controlCall) (object, error) {
	v, err := c.run(sb, call)
	o, _ := v.(object)
	return o, err
}

func (c *control) run(sb *Sandbox, call *controlCall) (any, error) {
	if c.body != nil {
		if err := c.body.Check(call.body, ""); err != nil {
			return nil, err
		}
	}
	return c.do(sb, call)
}

// controlNamed finds a control by name, or returns nil.
func controlNamed(name string) *control {
	for _, c := range theControls() {
		if c.name == name {
			return c
		}
	}
	return nil
}

// theControls returns the table. It is built on first use, because the control that loads worlds refers
// to it.
func theControls() []*control {
	controlsOnce.Do(func() { builtControls = controlTable() })
	return builtControls
}

var (
	controlsOnce  sync.Once
	builtControls []*control
)

func (sb *Sandbox) serveControl(w http.ResponseWriter, r *http.Request) {
	now := sb.Now()
	rid := sb.requestID(now)
	out := &outgoing{status: http.StatusOK, header: http.Header{}}
	reply, err := sb.control(r, out.header)
	var refused *api.Error
	switch {
	case errors.As(err, &refused):
		out.status, out.body = refused.Status, refused.Body(rid)
	case err != nil: // the state file cannot be written
		failed := api.Refuse("internal_server_error", err.Error())
		out.status, out.body = failed.Status, failed.Body(rid)
	default:
		if raw, ok := reply.([]byte); ok {
			out.body = raw
		} else {
			out.body = value.Append(nil, reply)
		}
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

// control routes a call of the control API and runs it. It may add headers to the reply.
func (sb *Sandbox) control(r *http.Request, header http.Header) (any, error) {
	if err := sb.guard(r); err != nil {
		return nil, err
	}
	if err := sb.authoriseControl(r, header); err != nil {
		return nil, err
	}
	if r.URL.Path == ControlPath+"openapi.json" && r.Method == http.MethodGet {
		return describeControls(sb.seenBase(r)), nil
	}
	c, id, err := findControl(r, header)
	if err != nil {
		return nil, err
	}
	call := &controlCall{id: id}
	if r.Method == http.MethodGet {
		call.body, err = controlQuery(r, c.body)
	} else {
		call.body, err = controlBody(r, c.large)
	}
	if err != nil {
		return nil, err
	}
	return c.run(sb, call)
}

// findControl finds the control of a request and the id in its path.
func findControl(r *http.Request, header http.Header) (*control, string, error) {
	path, id := strings.TrimPrefix(r.URL.EscapedPath(), ControlPath), ""
	methods := map[string]*control{}
	for _, c := range theControls() {
		if of, ok := matchPath(c.path, path); ok {
			methods[c.method], id = c, of
		}
	}
	if len(methods) == 0 {
		paths := slices.Compact(slices.Sorted(maps.Keys(controlPaths())))
		return nil, "", api.Refuse("path_not_found", "Path not found; the control API has "+ControlPath+strings.Join(paths, ", "+ControlPath))
	}
	c := methods[r.Method]
	if c == nil {
		allowed := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
		header.Set("Allow", allowed)
		return nil, "", api.Refuse("method_not_allowed", "Method not allowed; it must be one of: "+allowed)
	}
	return c, id, nil
}

func controlPaths() map[string]bool {
	paths := map[string]bool{"openapi.json": true}
	for _, c := range theControls() {
		paths[c.path] = true
	}
	return paths
}

// matchPath compares a path with a pattern that may contain one {id}.
func matchPath(form, path string) (id string, ok bool) {
	before, after, has := strings.Cut(form, "{id}")
	if !has {
		return "", form == path
	}
	rest, ok := strings.CutPrefix(path, before)
	if !ok {
		return "", false
	}
	id, ok = strings.CutSuffix(rest, after)
	if !ok || strings.Contains(id, "/") {
		return "", false
	}
	plain, err := url.PathUnescape(id)
	return plain, err == nil
}

// authoriseControl checks the access token if tokens are set. Browsers ask the user for it.
func (sb *Sandbox) authoriseControl(r *http.Request, header http.Header) error {
	if sb.tokens.IsOpen() {
		return nil
	}
	h := r.Header
	if kind, pair, ok := strings.Cut(h.Get("Authorization"), " "); ok && strings.EqualFold(kind, "basic") {
		plain, _ := base64.StdEncoding.DecodeString(pair)
		_, password, _ := strings.Cut(string(plain), ":")
		h = http.Header{"Authorization": {"Bearer " + password}}
	}
	op := &api.Operation{Kind: api.OpAction}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		op.Kind = api.OpRead
	}
	if _, err := sb.tokens.Authorise(h, op); err != nil {
		if err.Status == http.StatusUnauthorized {
			header.Set("WWW-Authenticate", `Basic realm="GoCardless sandbox: any name, and the access token as the password", charset="UTF-8"`)
		}
		return err
	}
	return nil
}

// controlBody reads a body. An empty body is an empty object.
func controlBody(r *http.Request, large bool) (object, error) {
	limit := maxBody
	if large {
		limit = maxState
	}
	raw, tooBig, err := readUpTo(r.Body, limit)
	switch {
	case tooBig:
		return nil, api.Refuse("request_entity_too_large", "The request body is too large")
	case err != nil:
		return nil, api.Refuse("bad_request", "The request body could not be read")
	case len(raw) == 0:
		return object{}, nil
	}
	v, err := value.Parse(raw)
	if err != nil {
		return nil, api.Refuse("bad_request", "Bad request: "+err.Error())
	}
	body, ok := v.(object)
	if !ok {
		return nil, api.Refuse("invalid_document_structure", "The root of the document must be an object.")
	}
	return body, nil
}

// controlQuery reads a query as an object.
func controlQuery(r *http.Request, spec *api.Type) (object, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, api.Refuse("bad_request", "The query is malformed")
	}
	out := object{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		var v any = query.Get(name)
		if f := spec.Field(name); f != nil && f.Kind == api.KindInt {
			if n, err := strconv.ParseInt(query.Get(name), 10, 64); err == nil {
				v = n
			}
		}
		out = append(out, member{name, v})
	}
	return out, nil
}

// controlState is the reply of most controls.
func (sb *Sandbox) controlState() object {
	return object{{"now", value.Stamp(sb.Now())}, {"faults", int64(sb.faults.count())}}
}

// clockState is the reply of the clock's controls: controlState and what only they report.
func (sb *Sandbox) clockState() object {
	o := append(sb.controlState(), member{"frozen", sb.frozen.Load() != nil}, member{"next", nil})
	if due := sb.dueFirst(1); len(due) > 0 {
		o = o.With("next", value.Stamp(due[0].Due))
	}
	return o
}

// lastTime is the last time that the clock can be moved to. Times in nanoseconds end in 2262.
var lastTime = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func controlClock(sb *Sandbox, c *controlCall) (any, error) {
	to, err := sb.clockTarget(c.body)
	if err != nil {
		return nil, err
	}
	if still, given := c.body.Lookup("frozen"); given {
		sb.setFrozen(still == true)
	}
	var made []*Delivery
	if c.body.Flag("next") {
		made, err = sb.advanceToNext()
	} else {
		made, err = sb.advance(to.Sub(sb.Now()))
	}
	accepted := int64(0)
	for _, d := range made {
		if d.Accepted() {
			accepted++
		}
	}
	return append(sb.clockState(), member{"delivered", accepted}, member{"refused", int64(len(made)) - accepted}), err
}

// clockTarget returns the time to move the clock to.
func (sb *Sandbox) clockTarget(body object) (time.Time, error) {
	p := &api.Problems{}
	now := sb.Now()
	to, field := now, "to"
	moves := 0
	for _, name := range []string{"advance", "to", "next"} {
		if _, given := body.Lookup(name); given {
			moves++
		}
	}
	switch {
	case moves > 1:
		p.Add("advance", `excludes "to" and "next", which also exclude each other`)
	case moves == 0 && !body.Has("frozen"):
		p.Add("advance", `is required, unless "to", "next" or "frozen" is given`)
	case body.Has("advance"):
		d, err := parseSpan(body.Str("advance"))
		if err != nil {
			p.Add("advance", `must be a duration such as "36h", "90m", "14d" or "2w"`)
		}
		to, field = now.Add(d), "advance"
	case body.Has("to"):
		to, _ = time.Parse(time.RFC3339, body.Str("to")) // its form was checked
	}
	switch {
	case len(p.Items) > 0:
	case to.Before(now):
		p.Add(field, "leads to %s, but the clock shows %s and never moves back", value.Stamp(to), value.Stamp(now))
	case to.After(lastTime):
		p.Add(field, "leads beyond %s, the end of the clock", value.Stamp(lastTime))
	}
	return to, p.Err()
}

// parseSpan reads a duration in Go's form, or in days or weeks. The limit of 65,536 days is beyond the
// end of the clock and does not overflow.
func parseSpan(s string) (time.Duration, error) {
	for unit, days := range map[string]time.Duration{"d": 1, "w": 7} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseInt(number, 10, 17)
			if span := time.Duration(n) * days; err == nil && span <= 1<<16 && span >= -1<<16 {
				return span * 24 * time.Hour, nil
			}
			return 0, errBadSpan
		}
	}
	return time.ParseDuration(s)
}

// controlFault reads a fault from a body whose form was checked.
func controlFault(body object) (Fault, error) {
	f := Fault{
		Operation: body.Str("operation"), Skip: int(body.Num("skip")), Times: int(body.Num("times")), After: body.Flag("after"),
		Reason: body.Str("reason"), Status: int(body.Num("status")), Header: http.Header{}, Body: body.Str("body"),
		ContentType: body.Str("content_type"), Bare: body.Str("bare"), Drop: body.Flag("drop"), Truncate: int(body.Num("truncate")),
	}
	for _, m := range body.Obj("header") {
		s, _ := m.Val.(string)
		f.Header.Set(m.Key, s)
	}
	p := &api.Problems{}
	if body.Has("delay") {
		d, err := parseSpan(body.Str("delay"))
		if err != nil || d < 0 {
			p.Add("delay", `must be a duration such as "2s" or "1m30s"`)
		}
		f.Delay = d
	}
	if !f.hitsAny() {
		p.Add("operation", "matches no operation of the API")
	}
	if !f.reasonKnown() {
		p.Add("reason", "is not a reason of the API")
	}
	if !f.answers() && !f.Drop && f.Delay == 0 && f.Truncate == 0 && len(f.Header) == 0 && len(p.Items) == 0 {
		p.Add("reason", "is required, unless status, header, body, bare, delay, drop or truncate is given")
	}
	return f, p.Err()
}

// object returns the fault in the form that controlFault reads, without zero values.
func (f *Fault) object() object {
	o := pairs("operation", f.Operation, "reason", f.Reason, "body", f.Body, "content_type", f.ContentType, "bare", f.Bare)
	for name, n := range map[string]int{"skip": f.Skip, "times": f.Times, "status": f.Status, "truncate": f.Truncate} {
		if n != 0 {
			o = append(o, member{name, int64(n)})
		}
	}
	for name, on := range map[string]bool{"after": f.After, "drop": f.Drop} {
		if on {
			o = append(o, member{name, true})
		}
	}
	if f.Delay > 0 {
		o = append(o, member{"delay", f.Delay.String()})
	}
	if len(f.Header) > 0 {
		o = append(o, member{"header", headerObject(f.Header)})
	}
	slices.SortFunc(o, func(a, b member) int { return strings.Compare(a.Key, b.Key) })
	return o
}

func headerObject(h http.Header) object {
	o := object{}
	for _, k := range slices.Sorted(maps.Keys(h)) {
		o = append(o, member{k, strings.Join(h[k], ", ")})
	}
	return o
}

// members lists the details of a payer by name. The first ones, bank of them, are the account's.
func (p *Payer) members() (list []stringMember, bank int) {
	return []stringMember{
		{"iban", &p.IBAN}, {"account_number", &p.AccountNumber}, {"branch_code", &p.BranchCode}, {"bank_code", &p.BankCode}, {"account_type", &p.AccountType},
		{"given_name", &p.GivenName}, {"family_name", &p.FamilyName}, {"company_name", &p.CompanyName}, {"email", &p.Email},
		{"address_line1", &p.AddressLine1}, {"city", &p.City}, {"postal_code", &p.PostalCode}, {"country_code", &p.CountryCode},
		{"account_holder_name", &p.AccountHolderName},
	}, 5
}

// stringMember is a string of a Go struct under its name in JSON.
type stringMember struct {
	name string
	val  *string
}

func controlFlow(sb *Sandbox, c *controlCall) (any, error) {
	payer := TestPayer
	members, bank := payer.members()
	if slices.ContainsFunc(members[:bank], func(m stringMember) bool { return c.body.Has(m.name) }) {
		for _, m := range members[:bank] {
			*m.val = ""
		}
	}
	for _, m := range members {
		if c.body.Has(m.name) {
			*m.val = c.body.Str(m.name)
		}
	}
	finish := sb.FinishBillingRequestFlow
	sb.view(func(tx *tx) {
		if tx.find("redirect_flows", c.id) != nil {
			finish = sb.FinishRedirectFlow
		}
	})
	back, err := finish(c.id, payer)
	if err != nil {
		return nil, err
	}
	return object{{"redirect_uri", nilIfEmpty(back)}}, nil
}
