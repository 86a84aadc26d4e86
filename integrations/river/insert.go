package riverinbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/riverqueue/river"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// NewInboxHandler returns a webhook endpoint that stores the events of a delivery in the inbox, in
// one transaction, and acknowledges it. A delivery that cannot be stored is answered with 500, so
// that GoCardless sends it again.
func NewInboxHandler[TTx any](inbox *Inbox[TTx], secrets ...gocardless.WebhookSecret) (*gocardless.WebhookHandler, error) {
	if inbox == nil {
		return nil, errors.New("riverinbox: NewInboxHandler: nil inbox")
	}
	return gocardless.NewWebhookDeliveryHandler(func(ctx context.Context, d *gocardless.WebhookDelivery) error {
		tx, err := inbox.db.Begin(ctx)
		if err != nil {
			return fmt.Errorf("riverinbox: beginning a transaction: %w", err)
		}
		defer inbox.db.Rollback(ctx, tx)
		if _, err := inbox.InsertTx(ctx, tx, d); err != nil {
			return err
		}
		if err := inbox.db.Commit(ctx, tx); err != nil {
			return fmt.Errorf("riverinbox: committing: %w", err)
		}
		return nil
	}, secrets...)
}

// InsertTx stores the events of a delivery in your own transaction, and returns how many of them
// are new. Use it in a [gocardless.NewWebhookDeliveryHandler] of your own, to write to other tables
// together with the events.
func (b *Inbox[TTx]) InsertTx(ctx context.Context, tx TTx, delivery *gocardless.WebhookDelivery) (int, error) {
	raws, err := delivery.RawEvents()
	if err == nil && len(raws) != len(delivery.Events) {
		err = gocardless.ErrMalformedWebhook
	}
	if err != nil {
		return 0, fmt.Errorf("riverinbox: delivery %s: %w", delivery.ID, err)
	}
	params := make([]river.InsertManyParams, 0, len(raws))
	seen := make(map[string]bool, len(raws)) // one statement must not insert an event twice
	for i, raw := range raws {
		event := delivery.Events[i]
		if !seen[event.ID] {
			seen[event.ID] = true
			params = append(params, river.InsertManyParams{Args: newArgs(event, raw), InsertOpts: b.insertOpts()})
		}
	}
	// River works jobs in the order of insertion. One order for all deliveries also keeps concurrent
	// ones with the same events from a deadlock.
	slices.SortStableFunc(params, func(x, y river.InsertManyParams) int {
		a, b := x.Args.(EventArgs), y.Args.(EventArgs)
		if n := strings.Compare(a.CreatedAt, b.CreatedAt); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	if len(params) == 0 {
		return 0, nil
	}
	results, err := b.client.InsertManyTx(ctx, tx, params)
	if err != nil {
		return 0, fmt.Errorf("riverinbox: storing events: %w", err)
	}
	inserted := 0
	for _, r := range results {
		if !r.UniqueSkippedAsDuplicate {
			inserted++
		}
	}
	return inserted, nil
}

// insert stores one event and reports whether it is new.
func (b *Inbox[TTx]) insert(ctx context.Context, event gocardless.Event) (bool, error) {
	raw, err := gocardless.EventJSON(ctx, event)
	if err != nil {
		return false, err
	}
	result, err := b.client.Insert(ctx, newArgs(event, raw), b.insertOpts())
	if err != nil {
		return false, fmt.Errorf("riverinbox: storing event %s: %w", event.ID, err)
	}
	return !result.UniqueSkippedAsDuplicate, nil
}
