package eventsqltest

import (
	"context"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
	"github.com/gocardless-community/gocardless-go/gocardless/eventstoretest"
)

// The mark of another worker does not count as that of a transaction that was rolled back.
func TestMarkOfAnotherWorker(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.store(t, eventsql.Options{})
		event := eventstoretest.NewEvent("EV1")
		o, err := store.HandleOnce(t.Context(), event, func(ctx context.Context) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			if err := eventsql.MarkDone(ctx, tx); err != nil {
				t.Error(err)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
			expire(t, d, db)
			o, err := store.HandleOnce(t.Context(), event, func(context.Context) error { return nil })
			if o != gocardless.EventOutcomeHandled || err != nil {
				t.Errorf("taking over: %s, %v", o, err)
			}
			return nil
		})
		if o != gocardless.EventOutcomeFailed || err == nil {
			t.Errorf("coming back: %s, %v", o, err)
		}
	})
}
