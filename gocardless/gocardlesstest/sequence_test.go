package gocardlesstest

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// sequence makes random calls and then checks the invariants.
type sequence struct {
	*world
	in      []byte
	mans    []string // mandates
	pays    []string
	subs    []string
	isos    []string // instalment schedules
	refs    []string
	made    int // customers
	removed int
	keys    map[string]string // idempotency key → payment
}

// next returns a number below n from the input, or 0 at its end.
func (s *sequence) next(n int) int {
	if len(s.in) == 0 {
		return 0
	}
	b := s.in[0]
	s.in = s.in[1:]
	return int(b) % n
}

func (s *sequence) pick(list []string) string {
	if len(list) == 0 {
		return "XX0"
	}
	return list[s.next(len(list))]
}

// call makes a call that may be refused, but never with a server error.
func (s *sequence) call(method, path, body string, headers ...string) object {
	r := s.do(method, path, body, headers...)
	if r.status >= 500 || r.status == 404 && !strings.Contains(path, "XX0") {
		s.t.Fatalf("%s %s %s: %d %s", method, path, body, r.status, r.raw)
	}
	if r.status >= 300 || len(r.body) == 0 {
		return nil
	}
	o, _ := r.body[0].Val.(object)
	return o
}

func (s *sequence) keep(list *[]string, o object) {
	if id := o.Str("id"); id != "" && !slices.Contains(*list, id) {
		*list = append(*list, id)
	}
}

var actions = []string{"cancel", "retry", "pause", "resume", "reinstate"}

func (s *sequence) step1() {
	amount := 1 + s.next(250)*(1+s.next(40))
	mandate := s.pick(s.mans)
	switch s.next(16) {
	case 0:
		if s.call("POST", "/customers", customerBody) != nil {
			s.made++
		}
	case 1:
		w := newOther(s.world)
		s.made++
		s.mans = append(s.mans, w.mandate)
	case 2, 3:
		s.keep(&s.pays, s.call("POST", "/payments", fmt.Sprintf(`{"payments":{"amount":%d,"currency":"GBP","retry_if_possible":%v,"links":{"mandate":"%s"}}}`, amount, s.next(2) == 0, mandate)))
	case 4:
		key := fmt.Sprint("k", s.next(5))
		r := s.do("POST", "/payments", fmt.Sprintf(`{"payments":{"amount":%d,"currency":"GBP","links":{"mandate":"%s"}}}`, amount, mandate), "Idempotency-Key", key)
		was := s.keys[key]
		switch {
		case r.status == 201 && was != "":
			s.t.Fatalf("key %s made a second payment", key)
		case r.status == 201:
			s.keys[key] = r.body.Obj("payments").Str("id")
			s.pays = append(s.pays, s.keys[key])
		case r.status == 409:
			e := r.body.Obj("error").List("errors")[0].(object)
			if got := e.Obj("links").Str("conflicting_resource_id"); got != was {
				s.t.Fatalf("key %s conflicts with %s, made %s", key, got, was)
			}
		}
	case 5:
		s.keep(&s.subs, s.call("POST", "/subscriptions", fmt.Sprintf(`{"subscriptions":{"amount":%d,"currency":"GBP","interval_unit":"%s","links":{"mandate":"%s"}}}`, amount, []string{"weekly", "monthly", "yearly"}[s.next(3)], mandate)))
	case 6:
		s.keep(&s.isos, s.call("POST", "/instalment_schedules", fmt.Sprintf(`{"instalment_schedules":{"name":"B","currency":"GBP","total_amount":%d,"instalments":{"amounts":[%d,%d],"interval":1,"interval_unit":"weekly"},"links":{"mandate":"%s"}}}`, 2*amount, amount, amount, mandate)))
	case 7:
		pm := s.pick(s.pays)
		done := int64(0)
		if p := s.call("GET", "/payments/"+pm, ""); p != nil {
			done = p.Num("amount_refunded")
		}
		s.keep(&s.refs, s.call("POST", "/refunds", fmt.Sprintf(`{"refunds":{"amount":%d,"total_amount_confirmation":%d,"links":{"payment":"%s"}}}`, amount, done+int64(amount), pm)))
	case 8:
		kind := s.next(4)
		path := [][2]string{{"payments", s.pick(s.pays)}, {"mandates", mandate}, {"subscriptions", s.pick(s.subs)}, {"instalment_schedules", s.pick(s.isos)}}[kind]
		action := actions[s.next(len(actions))]
		if theRegistry().ops[path[0]+"."+action] != nil {
			body := `{"data":{}}`
			if action == "pause" && s.next(2) == 0 {
				body = `{"data":{"pause_cycles":2}}`
			}
			if path[0] == "instalment_schedules" {
				body = ""
			}
			s.call("POST", "/"+path[0]+"/"+path[1]+"/actions/"+action, body)
		}
	case 9, 10, 11:
		s.sb.Advance(time.Duration(1+s.next(255)) * time.Hour)
	case 12:
		spec := api.Simulators[s.next(len(api.Simulators))]
		target := map[string]string{"payments": s.pick(s.pays), "mandates": mandate, "refunds": s.pick(s.refs), "creditors": s.creditor}[spec.Resource]
		if target != "" && spec.Name != "mandate_suspended_by_payer" {
			s.call("POST", "/scenario_simulators/"+spec.Name+"/actions/run", `{"data":{"links":{"resource":"`+target+`"}}}`)
		}
	case 13:
		s.call("PUT", "/payments/"+s.pick(s.pays), `{"payments":{"metadata":{"n":"1"}}}`)
	case 14:
		if list := s.list("/customers"); len(list) > 3 && s.next(3) == 0 {
			if r := s.do("DELETE", "/customers/"+list[s.next(len(list))].Str("id"), ""); r.status == 204 {
				s.removed++
			}
		}
	case 15:
		if list := s.list("/customer_bank_accounts"); len(list) > 2 {
			s.call("POST", "/customer_bank_accounts/"+list[s.next(len(list))].Str("id")+"/actions/disable", "")
		}
	}
}

func runSequence(t testing.TB, in []byte, strict bool) {
	w := newSequenceWorld(t, strict)
	s := &sequence{world: w, in: in, mans: []string{w.mandate}, made: 1, keys: map[string]string{}}
	for len(s.in) > 0 {
		s.step1()
	}
	s.invariants()
	s.restores()
	if strict {
		s.invariants() // of the restored sandbox
	}
}

// newSequenceWorld returns a world for a sequence. If strict, replies are checked against the API's
// description, which dominates the run time.
func newSequenceWorld(t testing.TB, strict bool) *world {
	c := newCaller(t)
	c.strict = strict
	return c.world()
}

// restores checks that a snapshot is complete: a sandbox restored from it has the same content. The
// sequence continues with the restored one.
func (s *sequence) restores() {
	s.t.Helper()
	snapshot := s.sb.Snapshot()
	again := newCaller(s.t)
	again.strict = s.strict
	if err := again.sb.Restore(snapshot); err != nil {
		s.t.Fatal(err)
	}
	s.caller = again
	if got := again.sb.Snapshot(); !bytes.Equal(got, snapshot) {
		s.t.Errorf("the restored state is another:\n%s\nwant\n%s", got, snapshot)
	}
}

// all reads a whole list page by page.
func (s *sequence) all(path string, limit int) []object {
	var out []object
	after := ""
	for {
		r := s.do("GET", fmt.Sprintf("%s&limit=%d%s", path, limit, after), "")
		if r.status != 200 {
			s.t.Fatalf("%s: %d %s", path, r.status, r.raw)
		}
		for _, v := range r.body[0].Val.([]any) {
			out = append(out, v.(object))
		}
		next := r.body.Obj("meta").Obj("cursors").Str("after")
		if next == "" {
			return out
		}
		after = "&after=" + next
	}
}

func (s *sequence) invariants() {
	t := s.t
	t.Helper()
	if n := len(s.all("/customers?", 100)); n != s.made-s.removed {
		t.Errorf("%d customers, made %d and removed %d", n, s.made, s.removed)
	}
	id := func(o object) string { return o.Str("id") }
	for _, list := range []string{"/payments?", "/events?", "/mandates?", "/refunds?refund_type=payment"} {
		whole, parts := mapped(s.all(list, 500), id), mapped(s.all(list, 3), id)
		if !slices.Equal(whole, parts) {
			t.Errorf("%s: %v in one page, in pages of 3 %v", list, whole, parts)
		}
	}
	s.checkPayouts()
	paidOut := map[string]int{}
	for _, po := range s.all("/payouts?", 100) {
		for _, it := range s.all("/payout_items?payout="+po.Str("id"), 100) {
			if it.Str("type") == "payment_paid_out" {
				paidOut[it.Obj("links").Str("payment")]++
			}
		}
	}
	for _, p := range s.all("/payments?", 100) {
		if p.Num("amount_refunded") > p.Num("amount") {
			t.Errorf("payment %s of %d is refunded by %d", p.Str("id"), p.Num("amount"), p.Num("amount_refunded"))
		}
		if n := paidOut[p.Str("id")]; n > 1 || p.Str("status") == "paid_out" && n != 1 {
			t.Errorf("%s payment %s is in %d payouts", p.Str("status"), p.Str("id"), n)
		}
	}
	s.checkEvents()
}

// linkedCollections are the collections of links whose names are not those of resources.
var linkedCollections = map[string]string{
	"parent_event": "events", "mandate_request_mandate": "mandates", "payment_request_payment": "payments",
	"new_mandate": "mandates", "new_customer_bank_account": "customer_bank_accounts", "previous_customer_bank_account": "customer_bank_accounts",
}

// checkEvents checks that the links of events exist, and that the catalogue has their causes and origins.
func (s *sequence) checkEvents() {
	s.t.Helper()
	s.sb.view(func(tx *tx) {
		for _, e := range tx.sb.store.Coll("events").Recs {
			for _, l := range e.Obj("links") {
				if tx.sb.store.Coll(cmp.Or(linkedCollections[l.Key], l.Key+"s")).ByID[l.Val.(string)] == nil {
					s.t.Errorf("event %s links to %s %v, which does not exist", e.ID, l.Key, l.Val)
				}
			}
			spec := api.EventsByName()[e.Str("resource_type")+"."+e.Str("action")]
			if d := e.Obj("details"); len(spec.Causes) > 0 && !spec.Allows(d.Str("cause"), d.Str("origin")) {
				s.t.Errorf("%s %s: the catalogue has no %s from %s", e.Str("resource_type"), e.Str("action"), d.Str("cause"), d.Str("origin"))
			}
		}
	})
}

func TestSequences(t *testing.T) {
	n := 25
	if testing.Short() {
		n = 10
	}
	if raceDetector {
		n = 2
	}
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		in := make([]byte, 400)
		for i := range in {
			in[i] = byte(r.Uint32())
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runSequence(t, in, true) })
	}
}

func FuzzSequences(f *testing.F) {
	atSpeed(f)
	f.Add([]byte{2, 1, 9, 200, 9, 200, 9, 200, 7, 0, 0})
	f.Add([]byte("a walk through the sandbox that does a bit of everything"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 600 {
			in = in[:600]
		}
		runSequence(t, in, false) // at speed
	})
}

// FuzzBodies sends random bytes to a create, which must reply with the resource or one of the API's
// errors.
func FuzzBodies(f *testing.F) {
	f.Add(customerBody)
	f.Add(`{"customers":{"metadata":{"a":null},"email":[1,{"b":2.5}]}}`)
	c := newCaller(f, WithRequestLog(0))
	f.Fuzz(func(t *testing.T, body string) {
		c := &caller{t, c.sb, c.rt, true}
		if r := c.do("POST", "/customers", body, "Content-Type", "application/json"); r.status >= 500 {
			t.Errorf("%d %s", r.status, r.raw)
		}
	})
}
