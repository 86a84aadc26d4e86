package main

import (
	"context"
	"database/sql"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
)

// events handles webhooks. Each handler writes to the database alone, in the transaction that marks
// the event as done: whatever crashes, an event is handled once. API calls are left to Work.
func (c *Club) events() *gocardless.EventMux {
	mux := gocardless.NewEventMux()
	mux.On(gocardless.EventBillingRequestsFulfilled, eventsql.TxHandler(authorised))
	for _, ended := range []gocardless.EventType{gocardless.EventMandatesCancelled, gocardless.EventMandatesFailed, gocardless.EventMandatesExpired} {
		mux.On(ended, eventsql.TxHandler(lapsed))
	}
	for _, changed := range []gocardless.EventType{
		gocardless.EventPaymentsCreated, gocardless.EventPaymentsSubmitted, gocardless.EventPaymentsConfirmed, gocardless.EventPaymentsPaidOut,
		gocardless.EventPaymentsFailed, gocardless.EventPaymentsCancelled, gocardless.EventPaymentsChargedBack, gocardless.EventPaymentsLateFailureSettled,
		gocardless.EventPaymentsResubmissionRequested,
	} {
		mux.On(changed, eventsql.TxHandler(paymentChanged))
	}
	return mux
}

// authorised notes the mandate that the hosted page has made.
func authorised(ctx context.Context, tx *sql.Tx, e gocardless.Event) error {
	_, err := tx.ExecContext(ctx, `UPDATE members SET mandate = ?, state = 'authorised' WHERE billing_request = ? AND state = 'joining'`,
		e.Links.MandateRequestMandate, e.Links.BillingRequest)
	return err
}

func lapsed(ctx context.Context, tx *sql.Tx, e gocardless.Event) error {
	_, err := tx.ExecContext(ctx, `UPDATE members SET state = 'cancelled' WHERE mandate = ?`, e.Links.Mandate)
	return err
}

// sortable is a form of times whose order as strings is that of time.
const sortable = "2006-01-02T15:04:05.000Z"

// paymentChanged keeps the latest status. Events may arrive in any order: the time that each carries
// decides.
func paymentChanged(ctx context.Context, tx *sql.Tx, e gocardless.Event) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO payments (id, status, changed) VALUES (?1, ?2, ?3)
		ON CONFLICT (id) DO UPDATE SET status = ?2, changed = ?3 WHERE changed <= ?3`,
		e.Links.Payment, e.Action, e.CreatedAt.UTC().Format(sortable))
	return err
}
