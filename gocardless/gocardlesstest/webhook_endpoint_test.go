package gocardlesstest

import (
	"io"
	"net/http"
	"slices"
	"testing"
)

// Each endpoint receives the events of its own filter, signed with its own secret, and can be paused,
// added and removed.
func TestSeveralEndpoints(t *testing.T) {
	all, failures, later := &inbox{}, &inbox{}, &inbox{}
	w := newWorld(t,
		WithWebhooks(Webhooks{Handler: all, Secret: hookSecret, Manual: true}),
		WithWebhooks(Webhooks{Handler: failures, Secret: "another", Manual: true, Events: []string{"payments.failed", "mandates.*"}}))
	late, err := w.sb.AddEndpoint(Webhooks{Handler: later, Secret: "third", Events: []string{"payments.*"}, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	w.pay("100")
	w.sb.FlushWebhooks()
	if all.count() == 0 || failures.count() != 1 || later.count() != 1 {
		t.Errorf("%d, %d and %d webhooks", all.count(), failures.count(), later.count())
	}
	if err := w.sb.PauseEndpoint(late); err != nil {
		t.Fatal(err)
	}
	made := w.sb.Advance(30 * days)
	if later.count() != 1 || slices.ContainsFunc(made, func(d *Delivery) bool { return d.Endpoint == late }) {
		t.Errorf("a paused endpoint got %d webhooks", later.count())
	}
	if e := w.sb.Endpoints(); len(e) != 3 || !e[2].Paused || e[2].Waiting == 0 {
		t.Errorf("the endpoints are %+v", e)
	}
	if err := w.sb.ResumeEndpoint(late); err != nil {
		t.Fatal(err)
	}
	if made := w.sb.FlushWebhooks(); len(made) == 0 || !made[0].Accepted() || later.count() != 1+len(made) {
		t.Errorf("%d deliveries after the pause, %d in all", len(made), later.count())
	}
	if err := w.sb.RemoveEndpoint(late); err != nil {
		t.Fatal(err)
	}
	n := later.count()
	w.pay("200")
	w.sb.Advance(30 * days)
	if later.count() != n {
		t.Error("a removed endpoint got webhooks")
	}
	again, err := w.sb.AddEndpoint(Webhooks{Handler: later, Secret: "x"})
	if err != nil || again == late {
		t.Errorf("an id was used twice: %s, %v", again, err)
	}
	for _, f := range []func(string) error{w.sb.RemoveEndpoint, w.sb.PauseEndpoint, w.sb.ResumeEndpoint, w.sb.ResendWebhook} {
		if f(late) == nil {
			t.Error("an unknown id is no error")
		}
	}
	for _, bad := range [][]string{{"payment.failed"}, {"["}, {""}} {
		if _, err := w.sb.AddEndpoint(Webhooks{Handler: all, Secret: "x", Events: bad}); err == nil {
			t.Errorf("the filter %v is no error", bad)
		}
	}
}

// The log of deliveries has each attempt with the reply of the endpoint, and a webhook can be sent
// again.
func TestDeliveries(t *testing.T) {
	status := 500
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no such payment")
	})
	w := newWorld(t, WithWebhooks(Webhooks{Handler: h, Secret: hookSecret, Manual: true}))
	w.sb.FlushWebhooks()
	first := w.sb.Deliveries()[0]
	if first.Status != 500 || string(first.Reply) != "no such payment" || first.Attempt != 1 || first.Events == 0 || first.Accepted() {
		t.Errorf("the first delivery is %+v", first)
	}
	status = 204
	if err := w.sb.ResendWebhook(first.Webhook); err != nil {
		t.Fatal(err)
	}
	if made := w.sb.FlushWebhooks(); len(made) == 0 || made[0].Webhook != first.Webhook && made[len(made)-1].Webhook != first.Webhook {
		t.Errorf("resending made %+v", made)
	}
	if got := w.ok("GET", "/webhooks/"+first.Webhook, ""); !got.Flag("successful") {
		t.Errorf("the webhook is %v", got)
	}
}
