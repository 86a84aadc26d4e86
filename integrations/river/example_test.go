package riverinbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/gocardless-community/gocardless-go/gocardless"
	riverinbox "github.com/gocardless-community/gocardless-go/integrations/river"
)

// An inbox in SQLite: the endpoint stores events, the worker handles them in a transaction.
func ExampleNewSQLite() {
	dir, err := os.MkdirTemp("", "inbox")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "inbox.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)

	done := make(chan struct{})
	mux := gocardless.NewEventMux()
	mux.On(gocardless.EventPaymentsFailed, func(ctx context.Context, event gocardless.Event) error {
		tx, _ := riverinbox.Tx[*sql.Tx](ctx)
		defer close(done)
		_, err := tx.ExecContext(ctx, "CREATE TABLE reminders AS SELECT ?1 AS payment", event.Links.Payment)
		fmt.Println("reminder for", event.Links.Payment)
		return err
	})

	ctx := context.Background()
	inbox, err := riverinbox.NewSQLite(db, riverinbox.Options{Handler: mux, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = inbox.Migrate(ctx)
	}
	if err == nil {
		err = inbox.Start(ctx)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	endpoint, err := riverinbox.NewInboxHandler(inbox, secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux2 := http.NewServeMux()
	mux2.Handle("POST /webhooks", endpoint) // http.ListenAndServe(":8080", mux2)

	fmt.Println((&bed{endpoint: endpoint}).deliver(delivery(event("EV123", 0, "PM123"))))
	<-done
	fmt.Println(inbox.Stop(ctx))
	// Output:
	// 204
	// reminder for PM123
	// <nil>
}
