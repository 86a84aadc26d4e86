package gocardlesstest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Remote has every method that the control API covers, with the same parameters and results and an
// additional error.
func TestRemoteHasTheSameMethods(t *testing.T) {
	failure := reflect.TypeFor[error]()
	signature := func(m reflect.Method) (in, out []reflect.Type) {
		for i := 1; i < m.Type.NumIn(); i++ {
			in = append(in, m.Type.In(i))
		}
		for i := range m.Type.NumOut() {
			if m.Type.Out(i) != failure {
				out = append(out, m.Type.Out(i))
			}
		}
		return in, out
	}
	remote := reflect.TypeFor[*Remote]()
	for m := range reflect.TypeFor[*Sandbox]().Methods() {
		if notControlled[m.Name] != "" {
			continue
		}
		r, ok := remote.MethodByName(m.Name)
		if !ok {
			t.Errorf("Remote has no %s", m.Name)
			continue
		}
		in, out := signature(m)
		rin, rout := signature(r)
		if !reflect.DeepEqual(in, rin) || !reflect.DeepEqual(out, rout) || r.Type.Out(r.Type.NumOut()-1) != failure {
			t.Errorf("%s is %v, Remote's %v", m.Name, m.Type, r.Type)
		}
	}
}

func check[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestRemote(t *testing.T) {
	s := NewServer(t, WithControl(), WithFrozenClock(monday), WithToken("secret"))
	plain, err := Connect(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Now(); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without a token: %v", err)
	}
	r := plain.WithToken("secret").WithHTTPClient(s.HTTPClient())
	client := check(r.Client())(t)

	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("no"))
	}))
	defer hook.Close()
	ep := check(r.AddEndpoint(Webhooks{URL: hook.URL, Secret: "x", Events: []string{"payments.*"}, Manual: true}))(t)

	m := check(r.ActiveMandate(GivenName("Ada"), Metadata(map[string]string{"k": "v"})))(t)
	if m.Status != gocardless.MandateStatusActive || m.Metadata["k"] != "v" {
		t.Errorf("the mandate is %+v", m)
	}
	p := check(r.PendingPayment(Under(m.ID), Amount(4200)))(t)
	if due := check(r.Due())(t); len(due) == 0 || due[0].Due.IsZero() {
		t.Errorf("due is %v", due)
	}
	made := check(r.Advance(30 * days))(t)
	if len(made) == 0 || made[0].Status != http.StatusTeapot || string(made[0].Reply) != "no" || made[0].Endpoint != ep || made[0].Accepted() {
		t.Errorf("%d deliveries", len(made))
	}
	got, err := client.Payments.Get(t.Context(), p.ID)
	if err != nil || got.Status != gocardless.PaymentStatusPaidOut {
		t.Errorf("the payment is %+v, %v", got, err)
	}
	if all := check(r.Requests())(t); len(all) != 1 || all[0].Operation != "payments.get" || all[0].Resource != p.ID || len(all[0].Reply) == 0 {
		t.Errorf("the requests are %+v", all)
	}
	f := check(r.Inject(Fault{Operation: "payments.get", Reason: "internal_server_error", Times: 2, Header: http.Header{"Retry-After": {"1"}}}))(t)
	if _, err := client.Payments.Get(t.Context(), p.ID, gocardless.WithRetries(0)); err == nil {
		t.Error("the fault did not hit")
	}
	list := check(r.Faults())(t)
	if len(list) != 1 || list[0].ID() != f.ID() || list[0].Hits() != 1 || list[0].Left() != 1 || !reflect.DeepEqual(list[0].Fault(), f.Fault()) {
		t.Errorf("the faults are %+v", list)
	}
	f.Remove()
	if list := check(r.Faults())(t); len(list) != 0 {
		t.Errorf("%d faults after it was removed", len(list))
	}
	snapshot := check(r.Snapshot())(t)
	if err := r.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := r.Restore(snapshot); err != nil || !bytes.Equal(check(r.Snapshot())(t), snapshot) {
		t.Errorf("restored: %v", err)
	}
	if err := r.Configure(WithRefundLimit(3), WithReadOnlyToken("reader"), WithInstalmentDelay(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if s.opts.refundLimit != 3 || s.opts.asyncInstalments != time.Minute || !s.opts.refunds {
		t.Errorf("the options are %+v", s.opts.live)
	}
	if _, err := plain.WithToken("reader").Now(); err != nil {
		t.Error(err)
	}
	if err := plain.WithToken("reader").Reset(); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("a read-only token: %v", err)
	}
	id := check(r.Emit(Event{Type: "payments.failed", Resource: p.ID}))(t)
	if _, err := client.Events.Get(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := r.Emit(Event{Type: "payments.flown"}); err == nil || !strings.Contains(err.Error(), "type must be an event type") {
		t.Errorf("a bad event: %v", err)
	}
	if sub := check(r.Subscriber())(t); sub.Status != gocardless.SubscriptionStatusActive {
		t.Errorf("the subscription is %+v", sub)
	}
	for _, bad := range []string{"", "127.0.0.1:8080", "ftp://x", "http://"} {
		if _, err := Connect(bad); err == nil {
			t.Errorf("Connect(%q) is no error", bad)
		}
	}
}
