package gocardlesstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/gate"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Remote controls a sandbox in another process over HTTP: one that the command "gcpro sandbox" serves,
// or any [Server] with [WithControl]. Its methods do the same as those of [Sandbox] with the same
// names, and also return an error.
//
// All methods are safe for concurrent use.
type Remote struct {
	base   string
	token  string
	client *http.Client
}

// Connect returns a Remote for the sandbox at a base URL, such as "http://127.0.0.1:8080". It sends no
// request.
func Connect(baseURL string) (*Remote, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("gocardlesstest: Connect needs a base URL such as http://127.0.0.1:8080")
	}
	return &Remote{base: strings.TrimSuffix(baseURL, "/"), client: &http.Client{}}, nil
}

// WithToken returns a Remote that sends an access token, which a sandbox needs if its tokens are set.
func (r *Remote) WithToken(token string) *Remote { return &Remote{r.base, token, r.client} }

// WithHTTPClient returns a Remote that uses another HTTP client, such as [Server.HTTPClient].
func (r *Remote) WithHTTPClient(c *http.Client) *Remote { return &Remote{r.base, r.token, c} }

// Client returns a client of the sandbox. The options are applied after its own.
func (r *Remote) Client(opts ...gocardless.ClientOption) (*gocardless.Client, error) {
	opts = append([]gocardless.ClientOption{gocardless.WithBaseURL(r.base), gocardless.WithHTTPClient(r.client)}, opts...)
	return gocardless.New(cmp.Or(r.token, clientToken), gocardless.EnvironmentSandbox, opts...)
}

// call runs a control and returns its reply.
func (r *Remote) call(name, id string, body object) (object, error) {
	raw, err := r.send(name, id, value.Append(nil, body))
	if err != nil {
		return nil, err
	}
	v, err := value.Parse(raw)
	o, ok := v.(object)
	if err != nil || !ok {
		return nil, fmt.Errorf("gocardlesstest: the sandbox's reply to %s is not a JSON object", name)
	}
	return o, nil
}

func (r *Remote) send(name, id string, body []byte) ([]byte, error) {
	c := controlNamed(name)
	if c.method == http.MethodGet || string(body) == "null" {
		body = nil
	}
	path, query, _ := strings.Cut(id, "?")
	req, err := http.NewRequest(c.method, r.base+ControlPath+strings.ReplaceAll(c.path, "{id}", url.PathEscape(path)), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.URL.RawQuery = query
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("gocardlesstest: %s: %w", name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxState))
	if err != nil {
		return nil, fmt.Errorf("gocardlesstest: %s: %w", name, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, remoteError(name, resp.StatusCode, raw)
	}
	return raw, nil
}

// remoteError returns an error with everything that the sandbox reported.
func remoteError(name string, status int, raw []byte) error {
	v, _ := value.Parse(raw)
	o, _ := v.(object)
	e := o.Obj("error")
	said := []string{}
	for _, it := range e.List("errors") {
		item, _ := it.(object)
		said = append(said, strings.TrimSpace(item.Str("field")+" "+item.Str("message")))
	}
	return fmt.Errorf("gocardlesstest: %s: %d %s", name, status, value.Short(cmp.Or(strings.Join(said, "; "), e.Str("message"))))
}

func (r *Remote) do(name, id string, body object) error {
	_, err := r.call(name, id, body)
	return err
}

// made runs a control and returns the id of what it created.
func (r *Remote) made(name, id string, body object) (string, error) {
	o, err := r.call(name, id, body)
	return o.Str("id"), err
}

// remoteList runs a control and returns a list of its reply.
func remoteList[T any](r *Remote, name, id, of string, read func(object) T) ([]T, error) {
	o, err := r.call(name, id, nil)
	if err != nil {
		return nil, err
	}
	out := []T{}
	for _, v := range o.List(of) {
		item, _ := v.(object)
		out = append(out, read(item))
	}
	return out, nil
}

func instant(s string) time.Time { t, _ := time.Parse(time.RFC3339, s); return t }

func span(s string) time.Duration { d, _ := time.ParseDuration(s); return d }

func strs(list []any) []string {
	return mapped(list, func(v any) string { s, _ := v.(string); return s })
}

func readStep(o object) Step {
	return Step{instant(o.Str("due")), o.Str("step"), o.Str("resource")}
}

func readSaved(o object) SavedSnapshot {
	return SavedSnapshot{Name: o.Str("name"), Time: instant(o.Str("time")), Size: int(o.Num("size"))}
}

func readEndpoint(o object) Endpoint {
	return Endpoint{ID: o.Str("id"), Paused: o.Flag("paused"), Waiting: int(o.Num("waiting")), Webhooks: Webhooks{
		URL: o.Str("url"), Events: strs(o.List("events")), Duplicate: o.Flag("duplicate"), Shuffle: o.Flag("shuffle"), Manual: o.Flag("manual")}}
}

func readDelivery(o object) *Delivery {
	return &Delivery{Time: instant(o.Str("time")), Webhook: o.Str("webhook"), Endpoint: o.Str("endpoint"), URL: o.Str("url"), Attempt: int(o.Num("attempt")),
		Events: int(o.Num("events")), Status: int(o.Num("status")), Reply: []byte(o.Str("reply")), EventIDs: strs(o.List("event_ids")), Types: strs(o.List("types")), Error: o.Str("error"), Took: span(o.Str("took"))}
}

func readRequest(o object) *Request {
	q := &Request{Time: instant(o.Str("time")), Method: o.Str("method"), Path: o.Str("path"), Query: o.Str("query"), Operation: o.Str("operation"),
		Header: http.Header{}, Body: []byte(o.Str("body")), Status: int(o.Num("status")), Reply: []byte(o.Str("reply")), RequestID: o.Str("id"),
		Resource: o.Str("resource"), Dropped: o.Flag("dropped")}
	for _, m := range o.Obj("header") {
		s, _ := m.Val.(string)
		q.Header.Set(m.Key, s)
	}
	if f := o.Obj("fault"); f != nil {
		fault, _ := controlFault(f)
		q.Fault = &fault
	}
	return q
}

// readFault returns a fault as the sandbox reports it. Removing it removes the fault in the sandbox.
func (r *Remote) readFault(o object) *Injection {
	f, _ := controlFault(o)
	in := &Injection{fault: f, from: &faultList{}, left: int(o.Num("left")), remote: r}
	_, _ = fmt.Sscanf(o.Str("id"), "F%d", &in.id)
	in.hits.Store(o.Num("hits"))
	return in
}

// Now returns the sandbox's time.
func (r *Remote) Now() (time.Time, error) {
	o, err := r.call("now", "", nil)
	return instant(o.Str("now")), err
}

// Advance moves the clock forward, as Sandbox.Advance does.
func (r *Remote) Advance(d time.Duration) ([]*Delivery, error) {
	return r.move(object{{"advance", d.String()}})
}

// AdvanceTo moves the clock forward to the given time.
func (r *Remote) AdvanceTo(t time.Time) ([]*Delivery, error) {
	return r.move(object{{"to", t.UTC().Format(time.RFC3339Nano)}})
}

// AdvanceToNext moves the clock forward to the next step that is due.
func (r *Remote) AdvanceToNext() ([]*Delivery, error) { return r.move(object{{"next", true}}) }

// move moves the clock and returns the delivery attempts that this caused.
func (r *Remote) move(body object) ([]*Delivery, error) {
	o, err := r.call("advance", "", body)
	if err != nil {
		return nil, err
	}
	return remoteList(r, "deliveries", fmt.Sprintf("?limit=%d", o.Num("delivered")+o.Num("refused")), "deliveries", readDelivery)
}

// Freeze stops the clock.
func (r *Remote) Freeze() error { return r.do("advance", "", object{{"frozen", true}}) }

// Unfreeze lets the clock continue.
func (r *Remote) Unfreeze() error { return r.do("advance", "", object{{"frozen", false}}) }

// Tick runs the steps that are due.
func (r *Remote) Tick() error { return r.do("tick", "", nil) }

// Due lists the steps that the sandbox will take.
func (r *Remote) Due() ([]Step, error) { return remoteList(r, "due", "", "due", readStep) }

// Faults lists the pending faults.
func (r *Remote) Faults() ([]*Injection, error) {
	return remoteList(r, "faults", "", "faults", r.readFault)
}

// Inject sets a fault. If Sandbox.Inject would panic, it returns an error.
func (r *Remote) Inject(f Fault) (*Injection, error) {
	id, err := r.made("inject", "", f.object())
	if err != nil {
		return nil, err
	}
	return r.readFault(append(f.object(), member{"id", id}, member{"left", int64(max(1, f.Times))})), nil
}

// ClearFaults removes all faults.
func (r *Remote) ClearFaults() error { return r.do("clear_faults", "", nil) }

// RemoveFault removes a fault.
func (r *Remote) RemoveFault(id string) error { return r.do("remove_fault", id, nil) }

// Reset restores the default state.
func (r *Remote) Reset() error { return r.do("reset", "", nil) }

// Snapshot returns the whole state as JSON.
func (r *Remote) Snapshot() ([]byte, error) { return r.send("snapshot", "", nil) }

// Restore replaces the state with a snapshot.
func (r *Remote) Restore(snapshot []byte) error {
	_, err := r.send("restore", "", snapshot)
	return err
}

// SaveSnapshot saves the state in the sandbox's memory.
func (r *Remote) SaveSnapshot(name string) error { return r.do("save", "", object{{"name", name}}) }

// Snapshots lists the saved snapshots.
func (r *Remote) Snapshots() ([]SavedSnapshot, error) {
	return remoteList(r, "snapshots", "", "snapshots", readSaved)
}

// RestoreSnapshot replaces the state with a saved snapshot.
func (r *Remote) RestoreSnapshot(name string) error { return r.do("restore_saved", name, nil) }

// DeleteSnapshot deletes a saved snapshot.
func (r *Remote) DeleteSnapshot(name string) error { return r.do("delete_snapshot", name, nil) }

// LoadWorld runs the steps of a world.
func (r *Remote) LoadWorld(world []byte) (map[string]json.RawMessage, error) {
	raw, err := r.send("load", "", world)
	if err != nil {
		return nil, err
	}
	var reply struct {
		Made map[string]json.RawMessage `json:"made"`
	}
	return reply.Made, json.Unmarshal(raw, &reply)
}

func (r *Remote) loadWorld(world object) (object, error) {
	o, err := r.call("load", "", world)
	return o.Obj("made"), err
}

func (r *Remote) payment(list []Detail, scenario string) (*gocardless.Payment, error) {
	w, err := paymentWorld(list, scenario)
	return build[gocardless.Payment](r.loadWorld, "payment", w, err)
}

// ActiveMandate creates a customer, a bank account and an active mandate.
func (r *Remote) ActiveMandate(details ...Detail) (*gocardless.Mandate, error) {
	w, err := newDetails(details).world()
	return build[gocardless.Mandate](r.loadWorld, "mandate", w, err)
}

// PendingPayment creates a payment that is not submitted yet.
func (r *Remote) PendingPayment(details ...Detail) (*gocardless.Payment, error) {
	return r.payment(details, "")
}

// ConfirmedPayment creates a payment that was collected.
func (r *Remote) ConfirmedPayment(details ...Detail) (*gocardless.Payment, error) {
	return r.payment(details, "payment_confirmed")
}

// PaidOutPayment creates a payment that was paid out.
func (r *Remote) PaidOutPayment(details ...Detail) (*gocardless.Payment, error) {
	return r.payment(details, "payment_paid_out")
}

// FailedPayment creates a payment that the payer's bank refused.
func (r *Remote) FailedPayment(details ...Detail) (*gocardless.Payment, error) {
	return r.payment(details, "payment_failed")
}

// ChargedBackPayment creates a payment that was paid out and then charged back by the payer.
func (r *Remote) ChargedBackPayment(details ...Detail) (*gocardless.Payment, error) {
	return r.payment(details, "payment_charged_back")
}

// LateFailedPayment creates a payment that was paid out and then refused by the payer's bank.
func (r *Remote) LateFailedPayment(details ...Detail) (*gocardless.Payment, error) {
	return r.payment(details, "payment_late_failure")
}

// PaidInstantPayment creates a payment by instant bank transfer that was paid out.
func (r *Remote) PaidInstantPayment(details ...Detail) (*gocardless.Payment, error) {
	w, err := instantWorld(details, "paid_out")
	return build[gocardless.Payment](r.loadWorld, "payment", w, err)
}

// FailedInstantPayment creates a payment by instant bank transfer that failed.
func (r *Remote) FailedInstantPayment(details ...Detail) (*gocardless.Payment, error) {
	w, err := instantWorld(details, "failed")
	return build[gocardless.Payment](r.loadWorld, "payment", w, err)
}

// Subscriber creates a subscription with an active mandate.
func (r *Remote) Subscriber(details ...Detail) (*gocardless.Subscription, error) {
	w, err := subscriptionWorld(details)
	return build[gocardless.Subscription](r.loadWorld, "subscription", w, err)
}

// Simulate runs a scenario simulator on a resource.
func (r *Remote) Simulate(id, scenario string) error {
	return r.do("simulate", "", object{{"resource", id}, {"scenario", scenario}})
}

// Simulators lists the scenario simulators that fit a resource.
func (r *Remote) Simulators(id string) ([]string, error) {
	o, err := r.call("simulators", id, nil)
	return strs(o.List("simulators")), err
}

// ActivateMandate activates a pending mandate.
func (r *Remote) ActivateMandate(id string) error { return r.do("activate", id, nil) }

// ReplaceMandate replaces a mandate with a new one.
func (r *Remote) ReplaceMandate(id string) (string, error) { return r.made("replace", id, nil) }

// ChargeBack charges a collected payment back, as its payer can.
func (r *Remote) ChargeBack(id string) error { return r.do("charge_back", id, nil) }

// CancelChargeback withdraws a chargeback, as a bank can.
func (r *Remote) CancelChargeback(id string) error { return r.do("cancel_chargeback", id, nil) }

// ApproveOutboundPaymentImport approves an import of outbound payments.
func (r *Remote) ApproveOutboundPaymentImport(id string) error {
	return r.do("approve_import", id, nil)
}

// FinishBillingRequestFlow plays the payer on the pages of a billing request flow.
func (r *Remote) FinishBillingRequestFlow(id string, payer Payer) (string, error) {
	body := object{}
	members, _ := payer.members()
	for _, m := range members {
		if *m.val != "" {
			body = append(body, member{m.name, *m.val})
		}
	}
	o, err := r.call("finish", id, body)
	return o.Str("redirect_uri"), err
}

// FinishRedirectFlow plays the payer on the page of a redirect flow.
func (r *Remote) FinishRedirectFlow(id string, payer Payer) (string, error) {
	return r.FinishBillingRequestFlow(id, payer)
}

// ExitBillingRequestFlow plays a payer who leaves a flow.
func (r *Remote) ExitBillingRequestFlow(id string) (string, error) {
	o, err := r.call("exit", id, nil)
	return o.Str("redirect_uri"), err
}

// Emit creates an event of any type.
func (r *Remote) Emit(e Event) (string, error) {
	body := object{}
	for _, m := range e.members() {
		if *m.val != "" {
			body = append(body, member{m.name, *m.val})
		}
	}
	if e.WillAttemptRetry != nil {
		body = append(body, member{"will_attempt_retry", *e.WillAttemptRetry})
	}
	if e.ItemCount != nil {
		body = append(body, member{"item_count", *e.ItemCount})
	}
	return r.made("emit", "", body)
}

// Endpoints lists the webhook endpoints, without their secrets.
func (r *Remote) Endpoints() ([]Endpoint, error) {
	return remoteList(r, "endpoints", "", "webhook_endpoints", readEndpoint)
}

// AddEndpoint adds a webhook endpoint. It must have a URL that the sandbox can reach, because a
// Handler exists only in this process.
func (r *Remote) AddEndpoint(w Webhooks) (string, error) {
	return r.made("add_endpoint", "", object{{"url", w.URL}, {"secret", string(w.Secret)}, {"events", texts(w.Events)},
		{"duplicate", w.Duplicate}, {"shuffle", w.Shuffle}, {"manual", w.Manual}})
}

// RemoveEndpoint removes an endpoint.
func (r *Remote) RemoveEndpoint(id string) error { return r.do("remove_endpoint", id, nil) }

// PauseEndpoint holds an endpoint's webhooks back.
func (r *Remote) PauseEndpoint(id string) error { return r.do("pause_endpoint", id, nil) }

// ResumeEndpoint resumes an endpoint and sends the webhooks that were held back.
func (r *Remote) ResumeEndpoint(id string) error { return r.do("resume_endpoint", id, nil) }

// Deliveries lists the attempts to deliver webhooks.
func (r *Remote) Deliveries() ([]*Delivery, error) {
	return remoteList(r, "deliveries", everything, "deliveries", readDelivery)
}

// everything is the query of a list without a limit.
const everything = "?limit=1000000000"

// FlushWebhooks delivers every webhook that is due.
func (r *Remote) FlushWebhooks() ([]*Delivery, error) {
	return remoteList(r, "flush", "", "deliveries", readDelivery)
}

// ResendWebhook sends a webhook again.
func (r *Remote) ResendWebhook(id string) error { return r.do("resend", id, nil) }

// Requests lists the requests that the sandbox keeps, without access tokens.
func (r *Remote) Requests() ([]*Request, error) {
	return remoteList(r, "requests", everything, "requests", readRequest)
}

// ClearRequests clears the list of requests.
func (r *Remote) ClearRequests() error { return r.do("clear_requests", "", nil) }

// Configure changes options of the sandbox. For tokens use RevokeToken and DeactivateToken, for
// endpoints AddEndpoint.
func (r *Remote) Configure(opts ...Option) error {
	now, err := r.call("settings", "", nil)
	if err != nil {
		return err
	}
	o := options{}
	for i := range settings {
		if v, there := now.Lookup(settings[i].Name); there {
			err = errors.Join(err, settings[i].set(&o, v))
		}
	}
	for _, opt := range opts {
		opt(&o)
	}
	body := object{}
	for i := range settings {
		if settings[i].option != "WithEncryptionKey" {
			body = append(body, member{settings[i].Name, settings[i].get(&o)})
		}
	}
	for token, state := range o.tokens {
		access := map[gate.Access]string{gate.Full: "full", gate.ReadOnly: "read_only"}[state]
		err = errors.Join(err, r.do("set_token", "", object{{"token", token}, {"access", access}}))
	}
	return errors.Join(err, r.do("configure", "", body))
}

// RevokeToken makes requests with a token fail with 401 access_token_revoked.
func (r *Remote) RevokeToken(token string) error {
	return r.do("set_token", "", object{{"token", token}, {"access", "revoked"}})
}

// DeactivateToken makes requests with a token fail with 401 access_token_not_active.
func (r *Remote) DeactivateToken(token string) error {
	return r.do("set_token", "", object{{"token", token}, {"access", "inactive"}})
}
