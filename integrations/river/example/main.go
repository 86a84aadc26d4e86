// Command example is a webhook endpoint and a worker for its events, on PostgreSQL. Several can run at
// the same time; compose.yaml runs two.
//
//	DATABASE_URL=postgres://… GOCARDLESS_WEBHOOK_SECRET=… go run ./example
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gocardless-community/gocardless-go/gocardless"
	riverinbox "github.com/gocardless-community/gocardless-go/integrations/river"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	defer pool.Close()
	mux := gocardless.NewEventMux()
	mux.OnAny(func(ctx context.Context, event gocardless.Event) error {
		slog.InfoContext(ctx, "handled", "event", event.ID, "type", string(event.Type()), "resource", event.ResourceID())
		return nil
	})
	inbox, err := riverinbox.NewPostgres(pool, riverinbox.Options{Handler: mux, PerResource: true})
	if err != nil {
		return err
	}
	if err := inbox.Migrate(ctx); err != nil {
		return err
	}
	endpoint, err := riverinbox.NewInboxHandler(inbox, gocardless.WebhookSecret(os.Getenv("GOCARDLESS_WEBHOOK_SECRET")))
	if err != nil {
		return fmt.Errorf("GOCARDLESS_WEBHOOK_SECRET: %w", err)
	}
	if err := inbox.Start(ctx); err != nil {
		return err
	}
	http.Handle("/webhooks", endpoint)
	server := &http.Server{Addr: cmp.Or(os.Getenv("ADDR"), ":8080"), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return inbox.Stop(wait)
}
