package eventsqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
)

// What a handler writes, and the mark that the event is done, are one transaction.
func Example() {
	dir, err := os.MkdirTemp("", "eventsql")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "app.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	ctx := context.Background()
	store, err := eventsql.New(db, eventsql.SQLite, eventsql.Options{Transaction: true})
	if err == nil {
		err = store.CreateSchema(ctx)
	}
	if err == nil {
		_, err = db.Exec(`CREATE TABLE bookings (payment text)`)
	}
	if err != nil {
		fmt.Println(err)
		return
	}

	failures := 1
	handler := gocardless.Once(store, eventsql.TxHandler(func(ctx context.Context, tx *sql.Tx, event gocardless.Event) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO bookings VALUES (?)`, event.Links.Payment); err != nil {
			return err
		}
		if failures > 0 {
			failures--
			return errors.New("a later step fails")
		}
		return nil
	}))
	event := gocardless.Event{
		ID: "EV000123", ResourceType: "payments", Action: "paid_out",
		Links: &gocardless.EventLinks{Payment: "PM000123"},
	}
	for range 3 {
		err := handler.HandleEvent(ctx, event)
		var n int
		if err := db.QueryRow(`SELECT count(*) FROM bookings`).Scan(&n); err != nil {
			fmt.Println(err)
		}
		fmt.Println(n, "booked, error:", err)
	}
	// Output:
	// 0 booked, error: a later step fails
	// 1 booked, error: <nil>
	// 1 booked, error: <nil>
}
