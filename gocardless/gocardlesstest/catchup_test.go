package gocardlesstest

import (
	"context"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// A catch-up uses the sandbox's clock, however far Advance has moved it.
func TestCatchUpAfterAdvance(t *testing.T) {
	for name, opts := range map[string][]Option{"real clock": nil, "frozen clock": {WithFrozenClock(monday)}} {
		sb := New(opts...)
		client := sb.Client()
		store := &gocardless.MemoryEventStore{}
		handled := map[string]int{}
		catchUp := &gocardless.EventCatchUp{Client: client, Store: store, From: sb.Now().Add(-time.Minute),
			Handler: gocardless.EventHandlerFunc(func(_ context.Context, e gocardless.Event) error {
				handled[string(e.ResourceType)+"."+string(e.Action)]++
				return nil
			})}
		w := &world{caller: &caller{t, sb, sb.Transport(), true}}
		w.creditor = w.list("/creditors")[0].Str("id")
		o := newOther(w)
		if _, err := catchUp.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		o.pay("1000")
		sb.Advance(14 * days)
		if _, err := catchUp.Run(t.Context()); err != nil {
			t.Errorf("%s, after Advance: %v", name, err)
		}
		sb.Advance(60 * days)
		o.pay("2000")
		if _, err := catchUp.Run(t.Context()); err != nil {
			t.Errorf("%s, after another Advance: %v", name, err)
		}
		if handled["payments.created"] != 2 || handled["payments.paid_out"] != 1 || handled["mandates.active"] != 1 {
			t.Errorf("%s: handled %v", name, handled)
		}
	}
}
