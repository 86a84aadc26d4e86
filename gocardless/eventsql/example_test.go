package eventsql_test

import (
	"context"
	"database/sql"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
)

// A service that books what happened to payments, each event exactly once.
func Example() {
	ctx := context.Background()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL")) // with github.com/jackc/pgx/v5/stdlib
	if err != nil {
		log.Fatal(err)
	}
	store, err := eventsql.New(db, eventsql.PostgreSQL, eventsql.Options{Transaction: true})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.CreateSchema(ctx); err != nil {
		log.Fatal(err)
	}

	mux := gocardless.NewEventMux()
	mux.On(gocardless.EventPaymentsPaidOut, eventsql.TxHandler(func(ctx context.Context, tx *sql.Tx, event gocardless.Event) error {
		// Committed together with the mark that the event is done.
		_, err := tx.ExecContext(ctx, `UPDATE invoices SET paid_at = now() WHERE payment = $1`, event.Links.Payment)
		return err
	}))
	handler, err := gocardless.NewWebhookHandler(gocardless.Once(store, mux), gocardless.WebhookSecret(os.Getenv("WEBHOOK_SECRET")))
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /webhooks", handler)

	go func() {
		for range time.Tick(24 * time.Hour) {
			if _, err := store.Purge(ctx, 30*24*time.Hour); err != nil {
				log.Print(err)
			}
		}
	}()
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}

// A handler that begins its transaction itself.
func ExampleMarkDone() {
	var db *sql.DB
	handle := func(ctx context.Context, event gocardless.Event) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, `UPDATE invoices SET paid_at = now() WHERE payment = $1`, event.Links.Payment); err != nil {
			return err
		}
		if err := eventsql.MarkDone(ctx, tx); err != nil {
			return err
		}
		return tx.Commit()
	}
	mux := gocardless.NewEventMux()
	mux.On(gocardless.EventPaymentsPaidOut, handle)
}
