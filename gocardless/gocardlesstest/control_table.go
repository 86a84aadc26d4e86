package gocardlesstest

import (
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
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

// builders are the methods that load a world of their own: programs in other languages load it.
var builders = []string{"ActiveMandate", "PendingPayment", "ConfirmedPayment", "PaidOutPayment", "FailedPayment",
	"ChargedBackPayment", "LateFailedPayment", "Subscriber"}

// controlTable is all that the control API can do.
func controlTable() []*control {
	get, post, del := http.MethodGet, http.MethodPost, http.MethodDelete
	return []*control{
		{"now", []string{"Now"}, get, "clock", groupTime, "Reads the clock.", noBody, clockReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return sb.clockState(), nil
		}},
		{"advance", []string{"Advance", "AdvanceTo", "AdvanceToNext", "Freeze", "Unfreeze"}, post, "clock", groupTime,
			"Moves the clock forward, does everything that falls due on the way, and delivers its webhooks.", clockSpec, movedReply, false, controlClock},
		{"tick", []string{"Tick"}, post, "clock/tick", groupTime, "Does what has fallen due by now; a server does so every second.", noBody, clockReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			sb.Tick()
			return sb.clockState(), nil
		}},
		{"due", []string{"Due"}, get, "clock/due", groupTime, "Lists what the sandbox will do, and when.", noBody, listReply("due", dueSpec), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return listOf("due", sb.Due(), Step.object), nil
		}},

		{"faults", []string{"Faults"}, get, "faults", groupFaults, "Lists the faults that are still to come.", noBody, listReply("faults", faultReply), false, func(sb *Sandbox, _ *controlCall) (any, error) {
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

		{"reset", []string{"Reset"}, post, "reset", groupState, "Starts again with the default state. The clock stays where it is, and so do settings, tokens, endpoints and saved snapshots.", noBody, stateReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			err := sb.Reset()
			return sb.controlState(), err
		}},
		{"snapshot", []string{"Snapshot"}, get, "snapshot", groupState, "Returns the whole state.", noBody, anyReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return sb.Snapshot(), nil
		}},
		{"restore", []string{"Restore"}, http.MethodPut, "snapshot", groupState, "Replaces the state by one that GET returned. The clock goes back to it, too.", nil, stateReply, true, func(sb *Sandbox, c *controlCall) (any, error) {
			if err := sb.restore(c.body); err != nil {
				return nil, err
			}
			return sb.controlState(), nil
		}},
		{"snapshots", []string{"Snapshots"}, get, "snapshots", groupState, "Lists the saved snapshots.", noBody, listReply("snapshots", savedSpec), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return listOf("snapshots", sb.Snapshots(), SavedSnapshot.object), nil
		}},
		{"save", []string{"SaveSnapshot"}, post, "snapshots", groupState, "Saves the state under a name, in memory.", nameSpec, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.SaveSnapshot(c.body.str("name"))
			return sb.controlState(), err
		}},
		{"restore_saved", []string{"RestoreSnapshot"}, post, "snapshots/{id}/restore", groupState, "Goes back to a saved snapshot.", noBody, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.RestoreSnapshot(c.id)
			return sb.controlState(), err
		}},
		{"delete_snapshot", []string{"DeleteSnapshot"}, del, "snapshots/{id}", groupState, "Forgets a saved snapshot.", noBody, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.DeleteSnapshot(c.id)
			return sb.controlState(), err
		}},

		{"worlds", nil, get, "worlds", groupWorlds, "Lists the worlds that come with the sandbox.", noBody, listReply("worlds", readySpec), false, func(*Sandbox, *controlCall) (any, error) {
			return listOf("worlds", ReadyWorlds(), readyObject), nil
		}},
		{"load", append([]string{"LoadWorld"}, builders...), post, "worlds", groupWorlds, "Takes the steps of a world, which add to what is there.", loadSpec, loadReply, true, controlWorld},

		{"simulate", []string{"Simulate"}, post, "simulate", groupResources, "Runs a scenario simulator on a resource.", simulateSpec, stateReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.Simulate(c.body.str("resource"), c.body.str("scenario"))
			return sb.controlState(), err
		}},
		{"simulators", []string{"Simulators"}, get, "resources/{id}/simulators", groupResources, "Lists the scenario simulators that fit a resource now.", noBody, namesReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			return object{{"simulators", texts(sb.Simulators(c.id))}}, nil
		}},
		acts("activate", "ActivateMandate", "mandates/{id}/activate", "Brings a mandate to active, as its first payment does.", (*Sandbox).ActivateMandate),
		{"replace", []string{"ReplaceMandate"}, post, "mandates/{id}/replace", groupResources, "Replaces a mandate by a new one, as a change of creditor or scheme does.", noBody, idReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			id, err := sb.ReplaceMandate(c.id)
			return object{{"id", id}}, err
		}},
		acts("charge_back", "ChargeBack", "payments/{id}/charge_back", "Plays the payer who takes a payment back, whenever it was collected.", (*Sandbox).ChargeBack),
		acts("cancel_chargeback", "CancelChargeback", "payments/{id}/cancel_chargeback", "Plays the bank that takes back a chargeback.", (*Sandbox).CancelChargeback),
		acts("approve_import", "ApproveOutboundPaymentImport", "outbound_payment_imports/{id}/approve", "Plays the person who approves an import of outbound payments.", (*Sandbox).ApproveOutboundPaymentImport),

		{"finish", []string{"FinishBillingRequestFlow", "FinishRedirectFlow"}, post, "flows/{id}/finish", groupPayers,
			"Plays the payer on the pages of a billing request flow or a redirect flow. What is left out is a test payer's; a bank account is taken whole, from the body or from the test payer.", payerSpec, finishReply, false, controlFlow},
		{"exit", []string{"ExitBillingRequestFlow"}, post, "flows/{id}/exit", groupPayers, "Plays a payer who leaves a billing request flow.", noBody, finishReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			to, err := sb.ExitBillingRequestFlow(c.id)
			return object{{"redirect_uri", nilIfEmpty(to)}}, err
		}},

		{"emit", []string{"Emit"}, post, "events", groupWebhooks, "Makes an event of any type and sends it to the endpoints. The resource does not change.", emitSpec, idReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			id, err := sb.Emit(eventOf(c.body))
			return object{{"id", id}}, err
		}},
		{"endpoints", []string{"Endpoints"}, get, "webhook_endpoints", groupWebhooks, "Lists the endpoints for webhooks.", noBody, listReply("webhook_endpoints", endpointReply), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return listOf("webhook_endpoints", sb.Endpoints(), Endpoint.object), nil
		}},
		{"add_endpoint", []string{"AddEndpoint"}, post, "webhook_endpoints", groupWebhooks, "Adds an endpoint for webhooks.", endpointSpec, idReply, false, func(sb *Sandbox, c *controlCall) (any, error) {
			return controlEndpoint(sb, c)
		}},
		endpointActs("remove_endpoint", "RemoveEndpoint", del, "webhook_endpoints/{id}", "Removes an endpoint.", (*Sandbox).RemoveEndpoint),
		endpointActs("pause_endpoint", "PauseEndpoint", post, "webhook_endpoints/{id}/pause", "Holds an endpoint's webhooks back until it is resumed.", (*Sandbox).PauseEndpoint),
		endpointActs("resume_endpoint", "ResumeEndpoint", post, "webhook_endpoints/{id}/resume", "Sends what a pause has held back.", (*Sandbox).ResumeEndpoint),
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
		{"clear_requests", []string{"ClearRequests"}, del, "requests", groupRequests, "Forgets the requests so far.", noBody, stateReply, false, func(sb *Sandbox, _ *controlCall) (any, error) {
			sb.ClearRequests()
			return sb.controlState(), nil
		}},

		{"settings", nil, get, "settings", groupSettings, "Reads the options of the sandbox.", noBody, settingsSpec(), false, func(sb *Sandbox, _ *controlCall) (any, error) {
			return sb.currentSettings(), nil
		}},
		{"configure", []string{"Configure"}, http.MethodPatch, "settings", groupSettings, "Changes options; those left out stay.", settingsSpec(), settingsSpec(), false, func(sb *Sandbox, c *controlCall) (any, error) {
			err := sb.changeSettings(c.body)
			return sb.currentSettings(), err
		}},
		{"set_token", []string{"RevokeToken", "DeactivateToken"}, post, "tokens", groupSettings, "Says what an access token may do. Once a token is \"full\" or \"read_only\", tokens that nothing was said of are refused.", tokenSpec, stateReply, false, controlToken},
	}
}

// acts is a control that does something to a resource and answers with the state.
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

// newest is the end of a list, as long as the query says.
func newest[T any](list []T, query object) []T {
	limit := 100
	if query.has("limit") {
		limit = int(query.num("limit"))
	}
	return list[max(0, len(list)-limit):]
}

func controlEndpoint(sb *Sandbox, c *controlCall) (any, error) {
	w := Webhooks{URL: c.body.str("url"), Secret: gocardless.WebhookSecret(c.body.str("secret")),
		Duplicate: c.body.flag("duplicate"), Shuffle: c.body.flag("shuffle"), Manual: c.body.flag("manual")}
	for _, v := range c.body.list("events") {
		pattern, _ := v.(string)
		w.Events = append(w.Events, pattern)
	}
	id, err := sb.AddEndpoint(w)
	if err != nil {
		p := &problems{}
		field := "url"
		for _, name := range []string{"secret", "Events"} {
			if strings.Contains(err.Error(), name) {
				field = strings.ToLower(name)
			}
		}
		p.add(field, "%s", strings.TrimPrefix(err.Error(), "gocardlesstest: "))
		return nil, p.err()
	}
	return object{{"id", id}}, nil
}

func controlToken(sb *Sandbox, c *controlCall) (any, error) {
	token := c.body.str("token")
	switch c.body.str("access") {
	case "full":
		sb.Configure(WithToken(token))
	case "read_only":
		sb.Configure(WithReadOnlyToken(token))
	case "revoked":
		sb.RevokeToken(token)
	default:
		sb.DeactivateToken(token)
	}
	return sb.controlState(), nil
}

func controlWorld(sb *Sandbox, c *controlCall) (any, error) {
	world := c.body
	if name := world.str("ready"); name != "" {
		b, err := ReadyWorld(name)
		if err != nil {
			p := &problems{}
			p.add("ready", "must be one of: %s", humanList(ReadyWorlds()))
			return nil, p.err()
		}
		v, err := parseJSON(b)
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
		*m.val = body.str(m.name)
	}
	if body.has("will_attempt_retry") {
		e.WillAttemptRetry = new(body.flag("will_attempt_retry"))
	}
	if body.has("item_count") {
		e.ItemCount = new(body.num("item_count"))
	}
	return e
}

// listOf is a reply with a list.
func listOf[T any](name string, list []T, f func(T) object) object {
	items := make([]any, 0, len(list))
	for _, v := range list {
		items = append(items, f(v))
	}
	return object{{name, items}}
}

func (s Step) object() object {
	return object{{"due", stamp(s.Due)}, {"step", s.Name}, {"resource", s.Resource}}
}

func (i *Injection) object() object {
	o := object{{"id", i.ID()}, {"hits", int64(i.Hits())}, {"left", int64(i.Left())}}
	return append(o, i.fault.object()...)
}

func (s SavedSnapshot) object() object {
	return object{{"name", s.Name}, {"time", stamp(s.Time)}, {"size", int64(s.Size)}}
}

func readyObject(name string) object {
	b, _ := ReadyWorld(name)
	v, _ := parseJSON(b)
	o, _ := v.(object)
	return object{{"name", name}, {"about", o.str("about")}}
}

// object leaves the secret out.
func (e Endpoint) object() object {
	return object{{"id", e.ID}, {"url", e.URL}, {"events", texts(e.Events)}, {"duplicate", e.Duplicate}, {"shuffle", e.Shuffle},
		{"manual", e.Manual}, {"paused", e.Paused}, {"waiting", int64(e.Waiting)}}
}

func (d *Delivery) object() object {
	o := object{{"time", stamp(d.Time)}, {"webhook", d.Webhook}, {"endpoint", d.Endpoint}, {"url", d.URL}, {"attempt", int64(d.Attempt)},
		{"events", int64(d.Events)}, {"event_ids", texts(d.EventIDs)}, {"types", texts(d.Types)}, {"status", nil}, {"accepted", d.Accepted()}, {"reply", validText(d.Reply)}, {"error", nilIfEmpty(d.Error)},
		{"took", d.Took.Round(time.Microsecond).String()}}
	if d.Status != 0 {
		o = o.with("status", int64(d.Status))
	}
	return o
}

// object leaves the access token out.
func (r *Request) object() object {
	h := r.Header.Clone()
	h.Del("Authorization")
	o := object{{"id", r.RequestID}, {"time", stamp(r.Time)}, {"method", r.Method}, {"path", r.Path}, {"query", r.Query}, {"operation", nilIfEmpty(r.Operation)},
		{"status", int64(r.Status)}, {"resource", nilIfEmpty(r.Resource)}, {"idempotency_key", nilIfEmpty(h.Get("Idempotency-Key"))},
		{"dropped", r.Dropped}, {"header", headerObject(h)}, {"body", validText(r.Body)}, {"reply", validText(r.Reply)}, {"fault", nil}}
	if r.Fault != nil {
		o = o.with("fault", r.Fault.object())
	}
	return o
}

func validText(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// The forms of bodies and replies.
var (
	noBody    = &typeSpec{}
	anyReply  = (*typeSpec)(nil)
	someCount = &limits{minimum: new(int64(0)), maximum: new(int64(math.MaxInt32))}

	stateFields = []fieldSpec{
		{name: "now", kind: kTime, text: "Time of the sandbox's clock."},
		{name: "faults", kind: kInt, text: "How many calls the faults are still to hit; a fault without end counts once."},
	}
	clockFields = append(stateFields[:2:2],
		fieldSpec{name: "frozen", kind: kBool, text: "The clock stands still but for being advanced."},
		fieldSpec{name: "next", kind: kTime, nullable: true, text: "When the next step is due."})
	stateReply = &typeSpec{name: "State", fields: stateFields}
	clockReply = &typeSpec{name: "Clock", fields: clockFields}
	movedReply = &typeSpec{name: "Moved", fields: append(clockFields[:4:4],
		fieldSpec{name: "delivered", kind: kInt, text: "How many webhooks the endpoints accepted."},
		fieldSpec{name: "refused", kind: kInt, text: "How many attempts to deliver one were refused."})}
	idReply    = &typeSpec{name: "Made", fields: []fieldSpec{{name: "id", text: "Id of what was made."}}}
	namesReply = &typeSpec{name: "Simulators", fields: []fieldSpec{{name: "simulators", kind: kArray, elem: &fieldSpec{}, text: "Names for /_sandbox/simulate."}}}

	clockSpec = &typeSpec{name: "Move", fields: []fieldSpec{
		{name: "advance", text: "How far, such as \"36h\", \"14d\" or \"2w\"."},
		{name: "to", kind: kTime, text: "Up to when, such as \"2030-01-01T00:00:00Z\"."},
		{name: "next", kind: kBool, text: "Up to the next step that is due."},
		{name: "frozen", kind: kBool, text: "Whether the clock stands still from now on."},
	}}
	dueSpec = &typeSpec{name: "Due", fields: []fieldSpec{
		{name: "due", kind: kTime, text: "When it is done."},
		{name: "step", text: "What is done, such as \"payment.submit\"."},
		{name: "resource", text: "What it is done to."},
	}}

	faultSpec = &typeSpec{name: "Fault", fields: []fieldSpec{
		{name: "operation", text: "Calls to hit: a name such as \"payments.create\", a pattern such as \"payments.*\", or all if left out."},
		{name: "skip", kind: kInt, lim: someCount, text: "Let so many matching calls pass first."},
		{name: "times", kind: kInt, lim: &limits{minimum: new(int64(-1)), maximum: someCount.maximum}, text: "How many calls to hit: 1 if left out, -1 for all."},
		{name: "after", kind: kBool, text: "Do the work first and then spoil the reply."},
		{name: "reason", text: "Answer with the API's error of that name, such as \"rate_limit_exceeded\"."},
		{name: "status", kind: kInt, lim: &limits{minimum: new(int64(200)), maximum: new(int64(599))}, text: "Answer with this status."},
		{name: "header", kind: kStringMap, text: "Headers to add to the reply."},
		{name: "body", text: "Body of the reply."},
		{name: "content_type", text: "Type of the body, by default text/html."},
		{name: "bare", text: "Answer 400 with {\"error\": \"…\"}."},
		{name: "delay", text: "Wait before the call or, with after, before the reply, such as \"2s\"."},
		{name: "drop", kind: kBool, text: "Close the connection without a reply."},
		{name: "truncate", kind: kInt, lim: someCount, text: "Send so many bytes of the body and close the connection."},
	}}
	faultReply = &typeSpec{name: "PendingFault", fields: append([]fieldSpec{
		{name: "id", text: "Id for removing it."}, {name: "hits", kind: kInt, text: "How many calls it has hit."},
		{name: "left", kind: kInt, text: "How many calls it is still to hit, -1 for all."},
	}, faultSpec.fields...)}
	faultSetReply = &typeSpec{name: "FaultSet", fields: append(stateFields[:2:2], fieldSpec{name: "id", text: "Id for removing it."})}

	nameSpec  = &typeSpec{name: "Save", fields: []fieldSpec{{name: "name", required: true, text: "Name to save the state under."}}}
	savedSpec = &typeSpec{name: "SavedSnapshot", fields: []fieldSpec{
		{name: "name", text: "Name it was saved under."}, {name: "time", kind: kTime, text: "Time of the clock then."}, {name: "size", kind: kInt, text: "Size in bytes."},
	}}
	readySpec = &typeSpec{name: "ReadyWorld", fields: []fieldSpec{{name: "name", text: "Name for loading it."}, {name: "about", text: "What it is."}}}
	loadSpec  = &typeSpec{name: "Load", fields: append([]fieldSpec{{name: "ready", text: "Name of a world that comes with the sandbox, instead of steps."}},
		fieldSpec{name: "about", text: worldSpec.fields[0].text}, fieldSpec{name: "steps", kind: kArray, elem: worldSpec.fields[1].elem, text: worldSpec.fields[1].text})}
	loadReply = &typeSpec{name: "Loaded", fields: []fieldSpec{{name: "made", kind: kAnyMap, text: "The resources that steps named, as they were then."}}}

	simulateSpec = &typeSpec{name: "Simulate", fields: []fieldSpec{
		{name: "resource", required: true, text: "Id of the resource."}, {name: "scenario", required: true, text: "Simulator, such as \"payment_failed\"."},
	}}
	payerSpec = func() *typeSpec {
		t := &typeSpec{name: "Payer"}
		members, _ := new(Payer).members()
		for _, m := range members {
			t.fields = append(t.fields, fieldSpec{name: m.name, text: "The payer's " + strings.ReplaceAll(m.name, "_", " ") + "."})
		}
		return t
	}()
	finishReply = &typeSpec{name: "Finished", fields: []fieldSpec{{name: "redirect_uri", nullable: true, text: "Where the payer's browser is sent."}}}

	emitSpec = func() *typeSpec {
		t := &typeSpec{name: "Emit"}
		about := map[string]string{
			"type": "Resource type and action, such as \"payments.failed\".", "resource": "Id of the resource; by default the newest of its type.",
			"cause": "Cause, by default the first that the API has for the type.", "origin": "Origin, by default the first that the cause has.",
		}
		for _, m := range new(Event).members() {
			t.fields = append(t.fields, fieldSpec{name: m.name, required: m.name == "type", text: orDefault(about[m.name], "Detail of the event.")})
		}
		return &typeSpec{name: t.name, fields: append(t.fields,
			fieldSpec{name: "will_attempt_retry", kind: kBool, text: "Detail of the event."}, fieldSpec{name: "item_count", kind: kInt, text: "Detail of the event."})}
	}()
	endpointSpec = &typeSpec{name: "Endpoint", fields: []fieldSpec{
		{name: "url", required: true, text: "Where webhooks are sent."},
		{name: "secret", required: true, text: "What they are signed with."},
		{name: "events", kind: kArray, elem: &fieldSpec{}, text: "Events to send, such as [\"payments.failed\", \"mandates.*\"]; all if left out."},
		{name: "duplicate", kind: kBool, text: "Send every webhook twice."},
		{name: "shuffle", kind: kBool, text: "Put the events of a webhook out of order."},
		{name: "manual", kind: kBool, text: "Hold webhooks back until they are flushed or the clock is advanced."},
	}}
	endpointReply = &typeSpec{name: "WebhookEndpoint", fields: append([]fieldSpec{
		{name: "id", text: "Id for changing it."}, {name: "paused", kind: kBool, text: "It gets nothing until it is resumed."},
		{name: "waiting", kind: kInt, text: "Webhooks that are to be sent, or sent again."},
	}, endpointSpec.fields[0], endpointSpec.fields[2], endpointSpec.fields[3], endpointSpec.fields[4], endpointSpec.fields[5])}
	deliverySpec = &typeSpec{name: "Delivery", fields: []fieldSpec{
		{name: "time", kind: kTime, text: "Time of the clock."}, {name: "webhook", text: "Id of the webhook."}, {name: "endpoint", text: "Id of the endpoint."},
		{name: "url", text: "Where it was sent."}, {name: "attempt", kind: kInt, text: "1 for the first."}, {name: "events", kind: kInt, text: "How many events are in the webhook."},
		{name: "event_ids", kind: kArray, elem: &fieldSpec{}, text: "Their ids."}, {name: "types", kind: kArray, elem: &fieldSpec{}, text: "Their types, such as \"payments.failed\"."},
		{name: "status", kind: kInt, nullable: true, text: "Status of the reply."}, {name: "accepted", kind: kBool, text: "The reply was a 2xx."},
		{name: "reply", text: "Body of the reply, up to 4 KiB."}, {name: "error", nullable: true, text: "Why there was no reply."}, {name: "took", text: "Real time until the reply."},
	}}
	limitSpec   = &typeSpec{fields: []fieldSpec{{name: "limit", kind: kInt, lim: someCount, text: "How many, by default 100."}}}
	requestSpec = &typeSpec{name: "Request", fields: []fieldSpec{
		{name: "id", text: "Id of the request, as in its X-Request-Id."}, {name: "time", kind: kTime, text: "Time of the clock."}, {name: "method", text: "HTTP method."},
		{name: "path", text: "Path."}, {name: "query", text: "Query, as it was sent."}, {name: "operation", nullable: true, text: "Operation, such as \"payments.create\"."},
		{name: "status", kind: kInt, text: "Status of the reply."}, {name: "resource", nullable: true, text: "Id of the resource in the reply."},
		{name: "idempotency_key", nullable: true, text: "The request's idempotency key."}, {name: "dropped", kind: kBool, text: "No reply was sent."},
		{name: "header", kind: kStringMap, text: "Headers without the access token."}, {name: "body", text: "Body, up to 64 KiB."}, {name: "reply", text: "Body of the reply, up to 64 KiB."},
		{name: "fault", kind: kAnyMap, nullable: true, text: "The fault that hit it."},
	}}
	tokenSpec = &typeSpec{name: "Token", fields: []fieldSpec{
		{name: "token", required: true, text: "Access token."},
		{name: "access", required: true, enum: []string{"full", "read_only", "revoked", "inactive"}, text: "What it may do."},
	}}
)

// listReply is a reply with one list.
func listReply(name string, of *typeSpec) *typeSpec {
	return &typeSpec{name: of.name + "List", fields: []fieldSpec{{name: name, kind: kArray, elem: &fieldSpec{kind: kObject, typ: of}, text: "The list."}}}
}
