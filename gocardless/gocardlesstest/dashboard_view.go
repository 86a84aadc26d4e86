package gocardlesstest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// dashLink is a label that may be a link.
type dashLink struct{ Text, Href string }

type requestRow struct {
	Href, Time, Method, Path, Operation, Key, Fault string
	Status                                          int
	Dropped                                         bool
	Resource                                        dashLink
}

type eventRow struct {
	Href, Time, Type, Cause, Text string
	Resource                      dashLink
	Due                           bool // still to come
}

type deliveryRow struct {
	Time, Href, Webhook, Endpoint, URL, Reply, Error, Took, Types string
	Attempt, Events, Status                                       int
}

// resourceRow is a resource in a list.
type resourceRow struct {
	ID, Href, Status, Text, Time string
}

// dashboardView returns the page of a path.
func (sb *Sandbox) dashboardView(r *http.Request) *dashView {
	v := &dashView{Status: http.StatusOK, Base: sb.seenBase(r)}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, dashboardPath), "/")
	switch {
	case r.URL.Path == "/" || r.URL.Path == dashboardPath:
		sb.overview(v)
	case len(parts) == 1 && parts[0] == "requests":
		sb.requestsView(v, r.URL.Query())
	case len(parts) == 2 && parts[0] == "requests":
		sb.requestView(v, parts[1])
	case len(parts) == 1 && parts[0] == "webhooks":
		sb.webhooksView(v)
	case len(parts) == 2 && parts[0] == "webhooks":
		sb.webhookView(v, parts[1])
	case len(parts) == 1 && parts[0] == "resources":
		sb.resourcesView(v)
	case len(parts) == 2 && parts[0] == "resources":
		sb.kindView(v, parts[1], r.URL.Query())
	case len(parts) == 3 && parts[0] == "resources":
		sb.resourceView(v, parts[1], parts[2])
	case len(parts) == 1 && parts[0] == "time":
		sb.timeView(v)
	case len(parts) == 1 && parts[0] == "tools":
		sb.toolsView(v)
	}
	if v.Page == "" {
		v.Page, v.Title, v.Status = "message", "Page not found", http.StatusNotFound
		v.Body = "There is nothing at this address. A reset or a restored snapshot may have removed it."
	}
	sb.around(v)
	return v
}

// around fills in what every page shows.
func (sb *Sandbox) around(v *dashView) {
	v.Clock = dashClock{Now: showTime(sb.Now()), Frozen: sb.frozen.Load() != nil}
	if due := sb.dueFirst(1); len(due) > 0 {
		v.Clock.Next = stepName(due[0].Name) + ", " + until(due[0].Due.Sub(sb.Now()))
	}
	resources := 0
	sb.view(func(tx *tx) {
		for _, c := range tx.sb.store.Order {
			if !c.Internal {
				resources += c.Len()
			}
		}
	})
	v.Nav = []navItem{
		{Name: "Overview", Href: "/"},
		{Name: "Requests", Href: dashboardPath + "requests", Count: sb.log.len()},
		{Name: "Webhooks", Href: dashboardPath + "webhooks", Count: sb.hooks.log.len()},
		{Name: "Resources", Href: dashboardPath + "resources", Count: resources},
		{Name: "Time", Href: dashboardPath + "time"},
		{Name: "Tools", Href: dashboardPath + "tools"},
	}
	for i := range v.Nav {
		v.Nav[i].Current = v.Nav[i].Name == v.Section
	}
}

func (sb *Sandbox) overview(v *dashView) {
	type counts struct {
		Name, Href string
		Count      int
		Statuses   []string
	}
	body := struct {
		Requests   []requestRow
		Events     []eventRow
		Due        []eventRow
		Counts     []counts
		Deliveries []deliveryRow
		Worlds     []string
		Empty      bool
	}{Requests: sb.requestRows(sb.Requests(), 8), Deliveries: sb.deliveryRows(sb.Deliveries(), 6), Worlds: ReadyWorlds()}
	sb.view(func(tx *tx) {
		body.Events = tx.eventRows(tx.sb.store.Coll("events").Recs, 8)
		for _, kind := range []string{"customers", "mandates", "payments", "subscriptions", "payouts", "billing_requests"} {
			c := tx.sb.store.Coll(kind)
			body.Counts = append(body.Counts, counts{api.TitleCase(kind), dashboardPath + "resources/" + kind, c.Len(), statusesOf(c)})
		}
	})
	body.Due = sb.dueRows("", 8)
	body.Empty = len(body.Events) == 0 && len(body.Requests) == 0
	v.Page, v.Title, v.Section, v.Body = "overview", "Overview", "Overview", body
}

// statusesOf counts the resources of a kind by their status: "3 active".
func statusesOf(c *store.Collection) []string {
	if c.Spec.Index("status") < 0 {
		return nil
	}
	n, order := map[string]int{}, []string{}
	for _, r := range c.Recs {
		if !r.Removed {
			if n[r.Status()] == 0 {
				order = append(order, r.Status())
			}
			n[r.Status()]++
		}
	}
	return mapped(order, func(s string) string { return strconv.Itoa(n[s]) + " " + strings.ReplaceAll(s, "_", " ") })
}

// resourcePath returns the path of a resource's page.
func resourcePath(kind, id string) string {
	return dashboardPath + "resources/" + kind + "/" + url.PathEscape(id)
}

// linkTo returns a link to the resource with an id, or only the id if no resource has it.
func (tx *tx) linkTo(id string) dashLink {
	if id != "" {
		for _, c := range tx.sb.store.Order {
			if r := c.ByID[id]; r != nil && !c.Internal && !r.Removed {
				return dashLink{id, resourcePath(c.Name, id)}
			}
		}
	}
	return dashLink{Text: id}
}

// requestRows returns rows of the last n requests, newest first.
func (sb *Sandbox) requestRows(list []*Request, n int) []requestRow {
	rows := []requestRow{}
	sb.view(func(tx *tx) {
		for _, r := range slices.Backward(list) {
			if len(rows) == n {
				break
			}
			row := requestRow{Href: dashboardPath + "requests/" + r.RequestID, Time: showTime(r.Time), Method: r.Method, Path: r.Path, Operation: r.Operation,
				Key: r.Header.Get("Idempotency-Key"), Status: r.Status, Dropped: r.Dropped, Resource: tx.linkTo(r.Resource)}
			if r.Fault != nil {
				row.Fault = r.Fault.summary()
			}
			rows = append(rows, row)
		}
	})
	return rows
}

// summary describes a fault in a few words.
func (f *Fault) summary() string {
	words := []string{}
	add := func(when bool, format string, args ...any) {
		if when {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(f.Delay > 0, "delayed %s", f.Delay)
	add(f.Reason != "", "%s", f.Reason)
	add(f.Status != 0, "status %d", f.Status)
	add(f.Bare != "" || f.Body != "", "custom body")
	add(f.Drop, "dropped")
	add(f.Truncate > 0, "truncated")
	add(len(f.Header) > 0, "headers")
	add(f.After, "after taking effect")
	return strings.Join(words, ", ")
}

func (sb *Sandbox) requestsView(v *dashView, query url.Values) {
	list := sb.Requests()
	want, status := query.Get("operation"), query.Get("status")
	list = slices.DeleteFunc(list, func(r *Request) bool {
		return want != "" && !strings.Contains(r.Operation+" "+r.Path, want) || status == "failed" && r.Status < 400 && !r.Dropped
	})
	if before := query.Get("before"); before != "" {
		if i := slices.IndexFunc(list, func(r *Request) bool { return r.RequestID == before }); i >= 0 {
			list = list[:i]
		}
	}
	const shown = 100
	body := struct {
		Rows                     []requestRow
		Operation, Status, Older string
	}{Rows: sb.requestRows(list, shown), Operation: want, Status: status}
	if len(list) > shown {
		query.Set("before", list[len(list)-shown].RequestID)
		body.Older = dashboardPath + "requests?" + query.Encode()
	}
	v.Page, v.Title, v.Section, v.Body = "requests", "Requests", "Requests", body
}

func (sb *Sandbox) requestView(v *dashView, id string) {
	list := sb.Requests()
	i := slices.IndexFunc(list, func(r *Request) bool { return r.RequestID == id })
	if i < 0 {
		return
	}
	r := list[i]
	type header struct{ Name, Value string }
	body := struct {
		Row         requestRow
		Query       string
		Headers     []header
		Body, Reply dashJSON
		Curl        string
		Cut         bool
	}{Row: sb.requestRows(list[i:i+1], 1)[0], Query: r.Query, Curl: r.curl(v.Base), Cut: len(r.Body) == keptBody || len(r.Reply) == keptBody}
	for _, m := range headerObject(r.Header) {
		value, _ := m.Val.(string)
		if m.Key == "Authorization" {
			value = "(not shown)"
		}
		body.Headers = append(body.Headers, header{m.Key, value})
	}
	sb.view(func(tx *tx) { body.Body, body.Reply = tx.prettyJSON(r.Body), tx.prettyJSON(r.Reply) })
	v.Page, v.Title, v.Section, v.Body = "request", r.Method+" "+value.Short(r.Path), "Requests", body
}

// curl returns the request as a shell command. The token is a variable of the shell.
func (r *Request) curl(base string) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	address := base + (&url.URL{Path: r.Path, RawQuery: r.Query}).String()
	out := "curl -X " + r.Method + " " + quote(address) + " \\\n  -H \"Authorization: Bearer $TOKEN\""
	for _, name := range []string{"GoCardless-Version", "Content-Type", "Idempotency-Key"} {
		if value := r.Header.Get(name); value != "" {
			out += " \\\n  -H " + quote(name+": "+value)
		}
	}
	if len(r.Body) > 0 {
		out += " \\\n  --data-binary " + quote(validText(r.Body))
	}
	return out
}

// eventRows returns rows of the last n events, newest first.
func (tx *tx) eventRows(list []*record, n int) []eventRow {
	rows := []eventRow{}
	for _, e := range slices.Backward(list) {
		if len(rows) == n {
			break
		}
		kind := e.Str("resource_type")
		d := e.Obj("details")
		created, _ := time.Parse(value.StampForm, e.Str("created_at"))
		rows = append(rows, eventRow{Href: resourcePath("events", e.ID), Time: showTime(created), Type: kind + "." + e.Str("action"), Cause: d.Str("cause"),
			Text: d.Str("description"), Resource: tx.linkTo(e.Link(singular(kind)))})
	}
	return rows
}

// dueRows returns rows of the next n steps: all, or those of a resource and of the resources that link
// to it.
func (sb *Sandbox) dueRows(id string, n int) []eventRow {
	rows := []eventRow{}
	now := sb.Now()
	due := sb.dueFirst(n)
	if id != "" {
		due = sb.Due()
	}
	sb.view(func(tx *tx) {
		for _, s := range due {
			if len(rows) == n {
				break
			}
			if id == "" || s.Resource == id || tx.linksTo(s.Resource, id) {
				rows = append(rows, eventRow{Time: showTime(s.Due), Type: stepName(s.Name), Text: until(s.Due.Sub(now)), Resource: tx.linkTo(s.Resource), Due: true})
			}
		}
	})
	return rows
}

// linksTo reports whether a resource links to an id.
func (tx *tx) linksTo(resource, id string) bool {
	for _, c := range tx.sb.store.Order {
		if r := c.ByID[resource]; r != nil {
			return linksTo(r, id)
		}
	}
	return false
}

func linksTo(r *record, id string) bool {
	if r.Coll.Spec.Index("links") < 0 {
		return false
	}
	return slices.ContainsFunc(r.Obj("links"), func(m member) bool { return m.Val == id })
}

// stepName returns the readable name of a step: "Payment: pay out".
func stepName(name string) string {
	what, does, ok := strings.Cut(name, ".")
	if !ok {
		return api.TitleCase(name)
	}
	return api.TitleCase(what) + ": " + strings.ReplaceAll(does, "_", " ")
}

func (sb *Sandbox) deliveryRows(list []*Delivery, n int) []deliveryRow {
	rows := []deliveryRow{}
	for _, d := range slices.Backward(list) {
		if len(rows) == n {
			break
		}
		rows = append(rows, deliveryRow{showTime(d.Time), dashboardPath + "webhooks/" + d.Webhook, d.Webhook, d.Endpoint, d.URL, validText(d.Reply), d.Error,
			d.Took.Round(time.Microsecond).String(), typesOf(d), d.Attempt, d.Events, d.Status})
	}
	return rows
}

// typesOf lists the first event types of a webhook.
func typesOf(d *Delivery) string {
	types := slices.Compact(slices.Sorted(slices.Values(d.Types)))
	if len(types) > 3 {
		types = append(types[:3:3], "…")
	}
	return strings.Join(types, ", ")
}

func (sb *Sandbox) webhooksView(v *dashView) {
	v.Page, v.Title, v.Section = "webhooks", "Webhooks", "Webhooks"
	v.Body = struct {
		Endpoints []Endpoint
		Rows      []deliveryRow
		Add       dashForm
	}{sb.Endpoints(), sb.deliveryRows(sb.Deliveries(), 100), formOf("add_endpoint")}
}

func (sb *Sandbox) webhookView(v *dashView, id string) {
	attempts := slices.DeleteFunc(sb.Deliveries(), func(d *Delivery) bool { return d.Webhook != id })
	body := struct {
		ID, URL    string
		Successful bool
		Due        string
		Attempts   []deliveryRow
		Payload    dashJSON
	}{ID: id, Attempts: sb.deliveryRows(attempts, 20)}
	found := false
	sb.view(func(tx *tx) {
		w := tx.find("webhooks", id)
		if w == nil {
			return
		}
		found = true
		body.URL, body.Successful = w.Str("url"), w.Flag("successful")
		if due, err := time.Parse(value.StampForm, w.Ref("due")); err == nil {
			body.Due = showTime(due)
		}
		body.Payload = tx.prettyJSON([]byte(w.Str("request_body")))
	})
	if found {
		v.Page, v.Title, v.Section, v.Body = "webhook", "Webhook "+id, "Webhooks", body
	}
}

func (sb *Sandbox) resourcesView(v *dashView) {
	type kind struct {
		Name, Href string
		Count      int
		Statuses   []string
	}
	kinds := []kind{}
	sb.view(func(tx *tx) {
		for _, c := range tx.sb.store.Order {
			if n := c.Len(); n > 0 && !c.Internal {
				kinds = append(kinds, kind{api.TitleCase(c.Name), dashboardPath + "resources/" + c.Name, n, statusesOf(c)})
			}
		}
	})
	v.Page, v.Title, v.Section, v.Body = "resources", "Resources", "Resources", kinds
}

func (sb *Sandbox) kindView(v *dashView, kind string, query url.Values) {
	const shown = 100
	body := struct {
		Rows        []resourceRow
		Find, Older string
	}{Find: strings.TrimSpace(query.Get("find"))}
	known := false
	sb.view(func(tx *tx) {
		c := tx.sb.store.Colls[kind]
		if c == nil || c.Internal {
			return
		}
		known = true
		from := query.Get("before")
		for _, r := range slices.Backward(c.Recs) {
			switch {
			case r.Removed || body.Find != "" && !strings.Contains(strings.ToLower(string(r.Body(tx.now))), strings.ToLower(body.Find)):
			case from != "":
				if r.ID == from {
					from = ""
				}
			case len(body.Rows) == shown:
				query.Set("before", body.Rows[shown-1].ID)
				body.Older = dashboardPath + "resources/" + kind + "?" + query.Encode()
				return
			default:
				body.Rows = append(body.Rows, tx.resourceRow(r))
			}
		}
	})
	if known {
		v.Page, v.Title, v.Section, v.Body = "kind", api.TitleCase(kind), "Resources", body
	}
}

// resourceRow returns the row of a resource, with the members that identify it.
func (tx *tx) resourceRow(r *record) resourceRow {
	row := resourceRow{ID: r.ID, Href: resourcePath(r.Coll.Name, r.ID)}
	has := func(name string) bool { return r.Coll.Spec.Index(name) >= 0 }
	words := []string{}
	if has("amount") && has("currency") && r.Get("amount") != nil {
		words = append(words, money.Format(r.Num("amount"), gocardless.Currency(r.Str("currency"))))
	}
	if has("resource_type") {
		words = append(words, r.Str("resource_type")+"."+r.Str("action"))
	}
	name := []string{}
	for _, member := range []string{"given_name", "family_name", "company_name", "name", "account_holder_name", "bank_name", "account_number_ending", "scheme", "description", "charge_date", "reference"} {
		if has(member) && r.Str(member) != "" {
			name = append(name, r.Str(member))
		}
	}
	row.Text = strings.Join(append(words, strings.Join(name, " ")), " ")
	if has("status") {
		row.Status = r.Status()
	}
	if has("created_at") {
		if t, err := time.Parse(value.StampForm, r.Str("created_at")); err == nil {
			row.Time = showTime(t)
		}
	}
	return row
}

func (sb *Sandbox) resourceView(v *dashView, kind, id string) {
	body := struct {
		Row        resourceRow
		Kind       string
		Removed    bool
		JSON       dashJSON
		Timeline   []eventRow
		LinkedFrom []resourceRow
		Simulators []string
		Actions    []dashButton
		Page       string // path of the payer's page
	}{Kind: kind, Simulators: sb.Simulators(id), Timeline: sb.dueRows(id, 20)}
	slices.Reverse(body.Timeline)
	found := false
	sb.view(func(tx *tx) {
		c := tx.sb.store.Colls[kind]
		if c == nil || c.Internal || c.ByID[id] == nil || c.ByID[id].Removed {
			return
		}
		r := c.ByID[id]
		found = true
		body.Row = tx.resourceRow(r)
		body.JSON = tx.prettyJSON(r.Body(tx.now))
		about := slices.DeleteFunc(slices.Clone(tx.sb.store.Coll("events").Recs), func(e *record) bool { return !linksTo(e, id) })
		body.Timeline = append(body.Timeline, tx.eventRows(about, 200)...)
		for i := range body.Timeline {
			if row := &body.Timeline[i]; row.Resource.Text == id {
				row.Resource = dashLink{} // the page's own
			}
		}
		body.LinkedFrom = tx.linkedFrom(id, 50)
		body.Page = hostedPage(r)
	})
	body.Actions = actionsOn(kind, id, body.Row.Status)
	if found {
		v.Page, v.Title, v.Section, v.Body = "resource", api.TitleCase(singular(kind))+" "+id, "Resources", body
	}
}

// linkedFrom returns rows of the resources that link to an id, except events.
func (tx *tx) linkedFrom(id string, limit int) []resourceRow {
	var rows []resourceRow
	for _, c := range tx.sb.store.Order {
		if c.Internal || c.Name == "events" {
			continue
		}
		for _, r := range slices.Backward(c.Recs) {
			if len(rows) < limit && !r.Removed && linksTo(r, id) {
				rows = append(rows, tx.resourceRow(r))
			}
		}
	}
	return rows
}

// hostedPage returns the path of a resource's page for the payer, without the host name that the
// program used for the sandbox.
func hostedPage(r *record) string {
	for _, name := range []string{"authorisation_url", "redirect_url"} {
		if r.Coll.Spec.Index(name) < 0 {
			continue
		}
		if u, err := url.Parse(r.Str(name)); err == nil && pageFor(u.Path) != nil {
			return u.RequestURI()
		}
	}
	return ""
}

func (sb *Sandbox) timeView(v *dashView) {
	v.Page, v.Title, v.Section = "time", "Time", "Time"
	v.Body = struct {
		Move dashForm
		Rows []eventRow
	}{formOf("advance"), sb.dueRows("", 200)}
}

func (sb *Sandbox) toolsView(v *dashView) {
	type fault struct {
		ID, Operation, Summary string
		Hits, Left             int
	}
	body := struct {
		Faults    []fault
		Snapshots []SavedSnapshot
		Worlds    []struct{ Name, About string }
		Forms     []dashGroup
		Settings  dashForm
		Catalogue []dashControl
	}{Snapshots: sb.Snapshots(), Settings: formOf("configure").with(sb.currentSettings())}
	for _, in := range sb.Faults() {
		body.Faults = append(body.Faults, fault{in.ID(), cmp.Or(in.fault.Operation, "every call"), in.fault.summary(), in.Hits(), in.Left()})
	}
	for _, name := range ReadyWorlds() {
		body.Worlds = append(body.Worlds, struct{ Name, About string }{name, readyObject(name).Str("about")})
	}
	body.Forms = []dashGroup{
		{"faults", "Faults", []dashForm{formOf("inject")}},
		{"events", "Emit an event", []dashForm{formOf("emit")}},
		{"worlds", "Worlds", []dashForm{formOf("load")}},
		{"snapshots", "Snapshots", []dashForm{formOf("save"), formOf("restore")}},
		{"tokens", "Access tokens", []dashForm{formOf("set_token")}},
	}
	for _, c := range theControls() {
		body.Catalogue = append(body.Catalogue, dashControl{c.method, ControlPath + c.path, c.text})
	}
	v.Page, v.Title, v.Section, v.Body = "tools", "Tools", "Tools", body
}

// showTime formats a time, in UTC.
func showTime(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05") }

// until describes how long a duration is from now.
func until(d time.Duration) string {
	switch {
	case d <= 0:
		return "now"
	case d < time.Minute:
		return "in " + d.Round(time.Second).String()
	case d < 2*time.Hour:
		return "in " + plural(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return "in " + plural(int(d.Hours()), "hour")
	}
	return "in " + plural(int(d.Hours()/24), "day")
}

func plural(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}
