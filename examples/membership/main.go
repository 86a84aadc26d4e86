// Membership is a small service of a club, to copy from. Members join through GoCardless's hosted
// page, pay a subscription, and are charged for extras; webhooks keep the club's database up to date.
// Start it against a sandbox:
//
//	GOCARDLESS_ACCESS_TOKEN=… GOCARDLESS_WEBHOOK_SECRET=… go run .
//
// The pages under /members have no login: add one.
package main

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client, err := gocardless.NewFromEnv()
	if err != nil {
		return err
	}
	db, err := openDatabase("membership.db")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	club, err := NewClub(ctx, client, db, "http://localhost:8080", gocardless.WebhookSecret(os.Getenv("GOCARDLESS_WEBHOOK_SECRET")))
	if err != nil {
		return err
	}
	go club.workEvery(ctx, 10*time.Second)
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: club.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.WithoutCancel(ctx))
	}()
	log.Print("http://localhost:8080/")
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// openDatabase opens a SQLite database whose transactions take the write lock when they begin. A
// transaction that begins with a read can fail to write if another one has written since.
func openDatabase(path string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)")
}
