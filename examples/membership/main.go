// Membership is a small club's service, to copy from. A member joins through GoCardless's hosted
// page, pays a subscription, and is charged for extras; webhooks keep the club's own database up to
// date. Start it against a sandbox:
//
//	GOCARDLESS_ACCESS_TOKEN=… GOCARDLESS_WEBHOOK_SECRET=… go run .
//
// The pages under /members have no login: put one before them.
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

// openDatabase opens a SQLite database whose transactions take the write lock when they begin: a
// transaction that reads first could not become a writing one under load.
func openDatabase(path string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)")
}
