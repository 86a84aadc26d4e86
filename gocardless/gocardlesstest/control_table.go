package gocardlesstest

import (
	"cmp"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// The groups of the table, in the order of the description.
const (
	groupTime      = "Time"
	groupFaults    = "Faults"
	groupState     = "State"
	groupWorlds    = "Worlds"
	groupResources = "Resources"
	groupPayers    = "Payers"
	groupWebhooks  = "Webhooks and events"
	groupRequests  = "Requests"
	groupSettings  = "Settings"
)

// builders are the methods that load a built-in world. Programs in other languages load the world
// instead.
var builders = []string{"ActiveMandate", "PendingPayment", "ConfirmedPayment", "PaidOutPayment", "FailedPayment",
	"ChargedBackPayment", "LateFailedPayment", "PaidInstantPayment", "FailedInstantPayment", "Subscriber"}

// controlTable returns all controls.
func controlTable() []*control {
	get, post, del := http.MethodGet, http.MethodPost, http.MethodDelete
	return []*control{
		{"now", []string{"Now"}, get, "clock", groupTime, "Reads the clock.", noBody, clockReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return sb.clockState(), nil
		}},
		{"advance", []string{"Advance", "AdvanceTo", "AdvanceToNext", "Freeze", "Unfreeze"}, post, "clock", groupTime,
			"Moves the clock forward, runs every step that falls due on the way, and delivers the webhooks.", clockSpec, movedReply, false, controlClock},
		{"tick", []string{"Tick"}, post, "clock/tick", groupTime, "Runs the steps that are due now; a server does so every second.", noBody, clockReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			sb.Tick()
			return sb.clockState(), nil
		}},
		{"due", []string{"Due"}, get, "clock/due", groupTime, "Lists the steps that the sandbox will take, and when.", noBody, listReply("due", dueSpec), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return listOf("due", sb.Due(), Step.object), nil
		}},

		{"faults", []string{"Faults"}, get, "faults", groupFaults, "Lists the pending faults.", noBody, listReply("faults", faultReply), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return listOf("faults", sb.Faults(), (*Injection).object), nil
		}},
		{"inject", []string{"Inject"}, post, "faults", groupFaults, "Sets a fault: the next calls that match it fail.", faultSpec, faultSetReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			f, err := controlFault(c.body)
			if err != nil {
				return nil, err
			}
			in := sb.Inject(f)
			return append(sb.controlState(), member{"id", in.ID()}), nil
		}},
		{"clear_faults", []string{"ClearFaults"}, del, "faults", groupFaults, "Removes all faults.", noBody, stateReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			sb.ClearFaults()
			return sb.controlState(), nil
		}},
		{"remove_fault", []string{"RemoveFault"}, del, "faults/{id}", groupFaults, "Removes one fault.", noBody, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			return sb.controlState(), sb.RemoveFault(c.id)
		}},

		{"reset", []string{"Reset"}, post, "reset", groupState, "Starts again with the default state. The clock, settings, tokens, endpoints and saved snapshots stay as they are.", noBody, stateReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			err := sb.Reset()
			return sb.controlState(), err
		}},
		{"snapshot", []string{"Snapshot"}, get, "snapshot", groupState, "Returns the whole state.", noBody, anyReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return sb.Snapshot(), nil
		}},
		{"restore", []string{"Restore"}, http.MethodPut, "snapshot", groupState, "Replaces the state, and the time of the clock, with one that GET returned.", nil, stateReply, true, func(sb *Sandbox, c *controlCall) (any, error) {
			if err := sb.restore(c.body); err != nil {
				return nil, err
			}
			return sb.controlState(), nil
		}},
		{"snapshots", []string{"Snapshots"}, get, "snapshots", groupState, "Lists the saved snapshots.", noBody, listReply("snapshots", savedSpec), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return listOf("snapshots", sb.Snapshots(), SavedSnapshot.object), nil
		}},
		{"save", []string{"SaveSnapshot"}, post, "snapshots", groupState, "Saves the state under a name, in memory.", nameSpec, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.SaveSnapshot(c.body.Str("name"))
			return sb.controlState(), err
		}},
		{"restore_saved", []string{"RestoreSnapshot"}, post, "snapshots/{id}/restore", groupState, "Restores a saved snapshot.", noBody, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.RestoreSnapshot(c.id)
			return sb.controlState(), err
		}},
		{"delete_snapshot", []string{"DeleteSnapshot"}, del, "snapshots/{id}", groupState, "Deletes a saved snapshot.", noBody, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.DeleteSnapshot(c.id)
			return sb.controlState(), err
		}},

		{"worlds", nil, get, "worlds", groupWorlds, "Lists the worlds that come with the sandbox.", noBody, listReply("worlds", readySpec), false, func(*Sandbox, *controlCall) (any, error) {
			return listOf("worlds", ReadyWorlds(), readyObject), nil
		}},
		{"load", append([]string{"LoadWorld"}, builders...), post, "worlds", groupWorlds, "Runs the steps of a world, which add to the state.", loadSpec, loadReply, true, controlWorld},

		{"simulate", []string{"Simulate"}, post, "simulate", groupResources, "Runs a scenario simulator on a resource.", simulateSpec, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.Simulate(c.body.Str("resource"), c.body.Str("scenario"))
			return sb.controlState(), err
		}},
		{"simulators", []string{"Simulators"}, get, "resources/{id}/simulators", groupResources, "Lists the scenario simulators that fit a resource now.", noBody, namesReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			return object{{"simulators", texts(sb.Simulators(c.id))}}, nil
		}},
		acts("activate", "ActivateMandate", "mandates/{id}/activate", "Activates a mandate, as its first payment does.", (*Sandbox).ActivateMandate),
		{"replace", []string{"ReplaceMandate"}, post, "mandates/{id}/replace", groupResources, "Replaces a mandate with a new one, as a change of creditor or scheme does.", noBody, idReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			id, err := sb.ReplaceMandate(c.id)
			return object{{"id", id}}, err
		}},
		acts("charge_back", "ChargeBack", "payments/{id}/charge_back", "Charges a collected payment back, as its payer can at any time.", (*Sandbox).ChargeBack),
		acts("cancel_chargeback", "CancelChargeback", "payments/{id}/cancel_chargeback", "Cancels a chargeback, as a bank can.", (*Sandbox).CancelChargeback),
		acts("approve_import", "ApproveOutboundPaymentImport", "outbound_payment_imports/{id}/approve", "Approves an import of outbound payments, as the account's owner does.", (*Sandbox).ApproveOutboundPaymentImport),

		{"finish", []string{"FinishBillingRequestFlow", "FinishRedirectFlow"}, post, "flows/{id}/finish", groupPayers,
			"Plays the payer on the pages of a billing request flow or a redirect flow. Missing details are those of a test payer; a bank account comes either from the body or from the test payer.", payerSpec, finishReply, false, controlFlow},
		{"exit", []string{"ExitBillingRequestFlow"}, post, "flows/{id}/exit", groupPayers, "Plays a payer who leaves a billing request flow.", noBody, finishReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			to, err := sb.ExitBillingRequestFlow(c.id)
			return object{{"redirect_uri", nilIfEmpty(to)}}, err
		}},

		{"emit", []string{"Emit"}, post, "events", groupWebhooks, "Creates an event of any type and sends it to the endpoints. The resource does not change.", emitSpec, idReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			id, err := sb.Emit(eventOf(c.body))
			return object{{"id", id}}, err
		}},
		{"endpoints", []string{"Endpoints"}, get, "webhook_endpoints", groupWebhooks, "Lists the webhook endpoints.", noBody, listReply("webhook_endpoints", endpointReply), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return listOf("webhook_endpoints", sb.Endpoints(), Endpoint.object), nil
		}},
		{"add_endpoint", []string{"AddEndpoint"}, post, "webhook_endpoints", groupWebhooks, "Adds a webhook endpoint.", endpointSpec, idReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			return controlEndpoint(sb, c)
		}},
		endpointActs("remove_endpoint", "RemoveEndpoint", del, "webhook_endpoints/{id}", "Removes a webhook endpoint.", (*Sandbox).RemoveEndpoint),
		endpointActs("pause_endpoint", "PauseEndpoint", post, "webhook_endpoints/{id}/pause", "Holds an endpoint's webhooks back until it is resumed.", (*Sandbox).PauseEndpoint),
		endpointActs("resume_endpoint", "ResumeEndpoint", post, "webhook_endpoints/{id}/resume", "Resumes an endpoint and sends the webhooks that were held back.", (*Sandbox).ResumeEndpoint),
		{"deliveries", []string{"Deliveries"}, get, "deliveries", groupWebhooks, "Lists the attempts to deliver webhooks, with the endpoint's replies, the newest last.", limitSpec, listReply("deliveries", deliverySpec), false, func(sb *Sandbox, c *controlCall) (any, error) {
			return listOf("deliveries", newest(sb.Deliveries(), c.body), (*Delivery).object), nil
		}},
		{"flush", []string{"FlushWebhooks"}, post, "webhooks/flush", groupWebhooks, "Delivers every webhook that is due.", noBody, listReply("deliveries", deliverySpec), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return listOf("deliveries", sb.FlushWebhooks(), (*Delivery).object), nil
		}},
		endpointActs("resend", "ResendWebhook", post, "webhooks/{id}/resend", "Sends a webhook again.", (*Sandbox).ResendWebhook),

		{"requests", []string{"Requests"}, get, "requests", groupRequests, "Lists the requests that the program under test made, the newest last.", limitSpec, listReply("requests", requestSpec), false, func(sb *Sandbox, c *controlCall) (any, error) {
			return listOf("requests", newest(sb.Requests(), c.body), (*Request).object), nil
		}},
		{"clear_requests", []string{"ClearRequests"}, del, "requests", groupRequests, "Clears the list of requests.", noBody, stateReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			sb.ClearRequests()
			return sb.controlState(), nil
		}},

		{"settings", nil, get, "settings", groupSettings, "Reads the options of the sandbox.", noBody, settingsSpec(), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return sb.currentSettings(), nil
		}},
		{"configure", []string{"Configure"}, http.MethodPatch, "settings", groupSettings, "Changes options; those that are left out stay as they are.", settingsSpec(), settingsSpec(), false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.changeSettings(c.body)
			return sb.currentSettings(), err
		}},
		{"set_token", []string{"RevokeToken", "DeactivateToken"}, post, "tokens", groupSettings, "Sets what an access token may do. Once a token is \"full\" or \"read_only\", tokens that were never set are refused.", tokenSpec, stateReply, false, controlToken},
	}
}

// acts returns a control that changes a resource and replies with the state.
func acts(name, method, path, text string, do func(*Sandbox, string) error) *control {
	return &control{name, []string{method}, http.MethodPost, path, groupResources, text, noBody, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
		err := do(sb, c.id)
		return sb.controlState(), err
	}}
}

func endpointActs(name, goes, method, path, text string, do func(*Sandbox, string) error) *control {
	c := acts(name, goes, path, text, do)
	c.method, c.group = method, groupWebhooks
	return c
}

// newest returns the last entries of a list, as many as the query asks for.
func newest[T any](list []T, query object) []T {
	limit := 100
	if query.Has("limit") {
		limit = int(query.Num("limit"))
	}
	return list[max(0, len(list)-limit):]
}

func controlEndpoint(sb *Sandbox, c *controlCall) (any, error) {
	w := endpointOf(c.body)
	if err := w.Validate(); err != nil {
		p := &api.Problems{}
		field := "url"
		for _, name := range []string{"secret", "Events"} {
			if strings.Contains(err.Error(), name) {
				field = strings.ToLower(name)
			}
		}
		p.Add(field, "%s", strings.TrimPrefix(err.Error(), "gocardlesstest: "))
		return nil, p.Err()
	}
	id, err := sb.AddEndpoint(w)
	return object{{"id", id}}, err
}

func controlToken(sb *Sandbox, c *controlCall) (any, error) {
	err := sb.changeToken(c.body.Str("token"), c.body.Str("access"))
	return sb.controlState(), err
}

func controlWorld(sb *Sandbox, c *controlCall) (any, error) {
	world := c.body
	if name := world.Str("ready"); name != "" {
		b, err := ReadyWorld(name)
		if err != nil {
			p := &api.Problems{}
			p.Add("ready", "must be one of: %s", humanList(ReadyWorlds()))
			return nil, p.Err()
		}
		v, err := value.Parse(b)
		if err != nil {
			return nil, err
		}
		world = v.(object)
	}
	made, err := sb.loadWorld(world)
	if err != nil {
		return nil, err
	}
	return object{{"made", made}}, nil
}

func eventOf(body object) Event {
	e := Event{}
	for _, m := range e.members() {
		*m.val = body.Str(m.name)
	}
	if body.Has("will_attempt_retry") {
		e.WillAttemptRetry = new(body.Flag("will_attempt_retry"))
	}
	if body.Has("item_count") {
		e.ItemCount = new(body.Num("item_count"))
	}
	return e
}

// listOf returns a reply with a list.
func listOf[T any](name string, list []T, f func(T) object) object {
	items := make([]any, 0, len(list))
	for _, v := range list {
		items = append(items, f(v))
	}
	return object{{name, items}}
}

func (s Step) object() object {
	return object{{"due", value.Stamp(s.Due)}, {"step", s.Name}, {"resource", s.Resource}}
}

func (i *Injection) object() object {
	o := object{{"id", i.ID()}, {"hits", int64(i.Hits())}, {"left", int64(i.Left())}}
	return append(o, i.fault.object()...)
}

func (s SavedSnapshot) object() object {
	return object{{"name", s.Name}, {"time", value.Stamp(s.Time)}, {"size", int64(s.Size)}}
}

func readyObject(name string) object {
	b, _ := ReadyWorld(name)
	v, _ := value.Parse(b)
	o, _ := v.(object)
	return object{{"name", name}, {"about", o.Str("about")}}
}

// object omits the secret.
func (e Endpoint) object() object {
	return object{{"id", e.ID}, {"url", e.URL}, {"events", texts(e.Events)}, {"duplicate", e.Duplicate}, {"shuffle", e.Shuffle},
		{"manual", e.Manual}, {"paused", e.Paused}, {"waiting", int64(e.Waiting)}}
}

func (d *Delivery) object() object {
	o := object{{"time", value.Stamp(d.Time)}, {"webhook", d.Webhook}, {"endpoint", d.Endpoint}, {"url", d.URL}, {"attempt", int64(d.Attempt)},
		{"events", int64(d.Events)}, {"event_ids", texts(d.EventIDs)}, {"types", texts(d.Types)}, {"status", nil}, {"accepted", d.Accepted()}, {"reply", validText(d.Reply)}, {"error", nilIfEmpty(d.Error)},
		{"took", d.Took.Round(time.Microsecond).String()}}
	if d.Status != 0 {
		o = o.With("status", int64(d.Status))
	}
	return o
}

// object omits the access token.
func (r *Request) object() object {
	h := r.Header.Clone()
	h.Del("Authorization")
	o := object{{"id", r.RequestID}, {"time", value.Stamp(r.Time)}, {"method", r.Method}, {"path", r.Path}, {"query", r.Query}, {"operation", nilIfEmpty(r.Operation)},
		{"status", int64(r.Status)}, {"resource", nilIfEmpty(r.Resource)}, {"idempotency_key", nilIfEmpty(h.Get("Idempotency-Key"))},
		{"dropped", r.Dropped}, {"header", headerObject(h)}, {"body", validText(r.Body)}, {"reply", validText(r.Reply)}, {"fault", nil}}
	if r.Fault != nil {
		o = o.With("fault", r.Fault.object())
	}
	return o
}

func validText(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// The types of bodies and replies.
var (
	noBody    = &api.Type{}
	anyReply  = (*api.Type)(nil)
	someCount = &api.Limits{Minimum: new(int64(0)), Maximum: new(int64(math.MaxInt32))}

	stateFields = []api.Field{
		{Name: "now", Kind: api.KindTime, Text: "Time of the sandbox's clock."},
		{Name: "faults", Kind: api.KindInt, Text: "How many more calls the faults will hit; an unlimited fault counts as one."},
	}
	clockFields = append(stateFields[:2:2],
		api.Field{Name: "frozen", Kind: api.KindBool, Text: "The clock moves only when it is advanced."},
		api.Field{Name: "next", Kind: api.KindTime, Nullable: true, Text: "When the next step is due."})
	stateReply = &api.Type{Name: "State", Fields: stateFields}
	clockReply = &api.Type{Name: "Clock", Fields: clockFields}
	movedReply = &api.Type{Name: "Moved", Fields: append(clockFields[:4:4],
		api.Field{Name: "delivered", Kind: api.KindInt, Text: "How many webhooks the endpoints accepted."},
		api.Field{Name: "refused", Kind: api.KindInt, Text: "How many delivery attempts failed."})}
	idReply    = &api.Type{Name: "Made", Fields: []api.Field{{Name: "id", Text: "Id of the new resource."}}}
	namesReply = &api.Type{Name: "Simulators", Fields: []api.Field{{Name: "simulators", Kind: api.KindArray, Elem: &api.Field{}, Text: "Names for /_sandbox/simulate."}}}

	clockSpec = &api.Type{Name: "Move", Fields: []api.Field{
		{Name: "advance", Text: "How far, such as \"36h\", \"14d\" or \"2w\"."},
		{Name: "to", Kind: api.KindTime, Text: "Up to when, such as \"2030-01-01T00:00:00Z\"."},
		{Name: "next", Kind: api.KindBool, Text: "Advance to the next step that is due."},
		{Name: "frozen", Kind: api.KindBool, Text: "Whether to freeze the clock."},
	}}
	dueSpec = &api.Type{Name: "Due", Fields: []api.Field{
		{Name: "due", Kind: api.KindTime, Text: "When the step runs."},
		{Name: "step", Text: "What is done, such as \"payment.submit\"."},
		{Name: "resource", Text: "Resource that it changes."},
	}}

	faultSpec = &api.Type{Name: "Fault", Fields: []api.Field{
		{Name: "operation", Text: "Calls to hit: a name such as \"payments.create\", a pattern such as \"payments.*\", or all if left out."},
		{Name: "skip", Kind: api.KindInt, Limits: someCount, Text: "How many matching calls to let pass first."},
		{Name: "times", Kind: api.KindInt, Limits: &api.Limits{Minimum: new(int64(-1)), Maximum: someCount.Maximum}, Text: "How many calls to hit: 1 by default, -1 for all."},
		{Name: "after", Kind: api.KindBool, Text: "Carry the call out first, and then spoil the reply."},
		{Name: "reason", Text: "Answer with the API's error of that name, such as \"rate_limit_exceeded\"."},
		{Name: "status", Kind: api.KindInt, Limits: &api.Limits{Minimum: new(int64(200)), Maximum: new(int64(599))}, Text: "Answer with this status."},
		{Name: "header", Kind: api.KindStringMap, Text: "Headers to add to the reply."},
		{Name: "body", Text: "Body of the reply."},
		{Name: "content_type", Text: "Type of the body, by default text/html."},
		{Name: "bare", Text: "Answer 400 with {\"error\": \"…\"}."},
		{Name: "delay", Text: "Wait before the call or, with after, before the reply, such as \"2s\"."},
		{Name: "drop", Kind: api.KindBool, Text: "Close the connection without a reply."},
		{Name: "truncate", Kind: api.KindInt, Limits: someCount, Text: "Close the connection after this many bytes of the body."},
	}}
	faultReply = &api.Type{Name: "PendingFault", Fields: append([]api.Field{
		{Name: "id", Text: "Id of the fault."}, {Name: "hits", Kind: api.KindInt, Text: "How many calls it has hit."},
		{Name: "left", Kind: api.KindInt, Text: "How many more calls it will hit, -1 for all."},
	}, faultSpec.Fields...)}
	faultSetReply = &api.Type{Name: "FaultSet", Fields: append(stateFields[:2:2], api.Field{Name: "id", Text: "Id of the fault."})}

	nameSpec  = &api.Type{Name: "Save", Fields: []api.Field{{Name: "name", Required: true, Text: "Name of the snapshot."}}}
	savedSpec = &api.Type{Name: "SavedSnapshot", Fields: []api.Field{
		{Name: "name", Text: "Name of the snapshot."}, {Name: "time", Kind: api.KindTime, Text: "Time of the sandbox's clock when it was saved."}, {Name: "size", Kind: api.KindInt, Text: "Size in bytes."},
	}}
	readySpec = &api.Type{Name: "ReadyWorld", Fields: []api.Field{{Name: "name", Text: "Name of the world."}, {Name: "about", Text: "Description of the world."}}}
	loadSpec  = &api.Type{Name: "Load", Fields: append([]api.Field{{Name: "ready", Text: "Name of a world that comes with the sandbox, instead of steps."}},
		api.Field{Name: "about", Text: worldSpec.Fields[0].Text}, api.Field{Name: "steps", Kind: api.KindArray, Elem: worldSpec.Fields[1].Elem, Text: worldSpec.Fields[1].Text})}
	loadReply = &api.Type{Name: "Loaded", Fields: []api.Field{{Name: "made", Kind: api.KindAnyMap, Text: "The resources that the steps named, as they were at that step."}}}

	simulateSpec = &api.Type{Name: "Simulate", Fields: []api.Field{
		{Name: "resource", Required: true, Text: "Id of the resource."}, {Name: "scenario", Required: true, Text: "Simulator, such as \"payment_failed\"."},
	}}
	payerSpec = func() *api.Type {
		t := &api.Type{Name: "Payer"}
		members, _ := new(Payer).members()
		for _, m := range members {
			t.Fields = append(t.Fields, api.Field{Name: m.name, Text: "The payer's " + strings.ReplaceAll(m.name, "_", " ") + "."})
		}
		return t
	}()
	finishReply = &api.Type{Name: "Finished", Fields: []api.Field{{Name: "redirect_uri", Nullable: true, Text: "Address that the payer's browser is sent to."}}}

	emitSpec = func() *api.Type {
		t := &api.Type{Name: "Emit"}
		about := map[string]string{
			"type": "Resource type and action, such as \"payments.failed\".", "resource": "Id of the resource; by default the newest of its type.",
			"cause": "Cause, by default the first that the API lists for the type.", "origin": "Origin, by default the first of the cause.",
		}
		for _, m := range new(Event).members() {
			t.Fields = append(t.Fields, api.Field{Name: m.name, Required: m.name == "type", Text: cmp.Or(about[m.name], "Detail of the event.")})
		}
		return &api.Type{Name: t.Name, Fields: append(t.Fields,
			api.Field{Name: "will_attempt_retry", Kind: api.KindBool, Text: "Detail of the event."}, api.Field{Name: "item_count", Kind: api.KindInt, Text: "Detail of the event."})}
	}()
	endpointSpec = &api.Type{Name: "Endpoint", Fields: []api.Field{
		{Name: "url", Required: true, Text: "Address that webhooks are sent to."},
		{Name: "secret", Required: true, Text: "Secret that signs the webhooks."},
		{Name: "events", Kind: api.KindArray, Elem: &api.Field{}, Text: "Events to send, such as [\"payments.failed\", \"mandates.*\"]; all if left out."},
		{Name: "duplicate", Kind: api.KindBool, Text: "Send every webhook twice."},
		{Name: "shuffle", Kind: api.KindBool, Text: "Put the events of a webhook out of order."},
		{Name: "manual", Kind: api.KindBool, Text: "Hold webhooks back until they are flushed or the clock is advanced."},
	}}
	endpointReply = &api.Type{Name: "WebhookEndpoint", Fields: append([]api.Field{
		{Name: "id", Text: "Id of the endpoint."}, {Name: "paused", Kind: api.KindBool, Text: "Webhooks are held back until the endpoint is resumed."},
		{Name: "waiting", Kind: api.KindInt, Text: "How many webhooks are to be sent, or sent again."},
	}, endpointSpec.Fields[0], endpointSpec.Fields[2], endpointSpec.Fields[3], endpointSpec.Fields[4], endpointSpec.Fields[5])}
	deliverySpec = &api.Type{Name: "Delivery", Fields: []api.Field{
		{Name: "time", Kind: api.KindTime, Text: "Time of the clock."}, {Name: "webhook", Text: "Id of the webhook."}, {Name: "endpoint", Text: "Id of the endpoint."},
		{Name: "url", Text: "Address that it was sent to."}, {Name: "attempt", Kind: api.KindInt, Text: "Number of the attempt, from 1."}, {Name: "events", Kind: api.KindInt, Text: "How many events are in the webhook."},
		{Name: "event_ids", Kind: api.KindArray, Elem: &api.Field{}, Text: "Their ids."}, {Name: "types", Kind: api.KindArray, Elem: &api.Field{}, Text: "Their types, such as \"payments.failed\"."},
		{Name: "status", Kind: api.KindInt, Nullable: true, Text: "Status of the reply."}, {Name: "accepted", Kind: api.KindBool, Text: "The reply was a 2xx."},
		{Name: "reply", Text: "Body of the reply, up to 4 KiB."}, {Name: "error", Nullable: true, Text: "Why there was no reply."}, {Name: "took", Text: "Time until the reply, by the wall clock."},
	}}
	limitSpec   = &api.Type{Fields: []api.Field{{Name: "limit", Kind: api.KindInt, Limits: someCount, Text: "How many entries to list, by default 100."}}}
	requestSpec = &api.Type{Name: "Request", Fields: []api.Field{
		{Name: "id", Text: "Id of the request, as in its X-Request-Id."}, {Name: "time", Kind: api.KindTime, Text: "Time of the clock."}, {Name: "method", Text: "HTTP method."},
		{Name: "path", Text: "Path."}, {Name: "query", Text: "Query string."}, {Name: "operation", Nullable: true, Text: "Operation, such as \"payments.create\"."},
		{Name: "status", Kind: api.KindInt, Text: "Status of the reply."}, {Name: "resource", Nullable: true, Text: "Id of the resource in the reply."},
		{Name: "idempotency_key", Nullable: true, Text: "The request's idempotency key."}, {Name: "dropped", Kind: api.KindBool, Text: "No reply was sent."},
		{Name: "header", Kind: api.KindStringMap, Text: "Headers without the access token."}, {Name: "body", Text: "Body, up to 64 KiB."}, {Name: "reply", Text: "Body of the reply, up to 64 KiB."},
		{Name: "fault", Kind: api.KindAnyMap, Nullable: true, Text: "The fault that hit it."},
	}}
	tokenSpec = &api.Type{Name: "Token", Fields: []api.Field{
		{Name: "token", Required: true, Text: "Access token."},
		{Name: "access", Required: true, Enum: []string{"full", "read_only", "revoked", "inactive"}, Text: "Access that the token gives."},
	}}
)

// listReply returns the type of a reply with a list.
func listReply(name string, of *api.Type) *api.Type {
	return &api.Type{Name: of.Name + "List", Fields: []api.Field{{Name: name, Kind: api.KindArray, Elem: &api.Field{Kind: api.KindObject, Type: of}, Text: "The list."}}}
}
