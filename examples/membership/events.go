package main

import (
	"context"
	"database/sql"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
)

// events handles webhooks. Each handler writes only to the database, in the transaction that marks
// the event as done, so an event is handled exactly once even after a crash. Work makes the API calls.
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

// authorised stores the mandate that the payer authorised on the hosted page.
func authorised(ctx context.Context, tx *sql.Tx, e gocardless.Event) error {
	_, err := tx.ExecContext(ctx, `UPDATE members SET mandate = ?, state = 'authorised' WHERE billing_request = ? AND state = 'joining'`,
		e.Links.MandateRequestMandate, e.Links.BillingRequest)
	return err
}

func lapsed(ctx context.Context, tx *sql.Tx, e gocardless.Event) error {
	_, err := tx.ExecContext(ctx, `UPDATE members SET state = 'cancelled' WHERE mandate = ?`, e.Links.Mandate)
	return err
}

// sortable is a layout for times whose order as strings is chronological.
const sortable = "2006-01-02T15:04:05.000Z"

// paymentChanged stores the latest status. Events arrive in any order, so it compares their times.
func paymentChanged(ctx context.Context, tx *sql.Tx, e gocardless.Event) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO payments (id, status, changed) VALUES (?1, ?2, ?3)
		ON CONFLICT (id) DO UPDATE SET status = ?2, changed = ?3 WHERE changed <= ?3`,
		e.Links.Payment, e.Action, e.CreatedAt.UTC().Format(sortable))
	return err
}
