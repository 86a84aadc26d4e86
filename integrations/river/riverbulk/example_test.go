package riverbulk_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/bulk"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/integrations/river/riverbulk"
)

// An import of customers as jobs of River in SQLite. In production the workers are other processes.
func ExampleInsert() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "bulk")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "jobs.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)

	// The worker and its River client.
	client := gocardlesstest.New().Client(gocardless.WithRateLimitWait())
	worker, err := riverbulk.NewWorker[*sql.Tx](client, riverbulk.WorkerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	config := &river.Config{Logger: slog.New(slog.DiscardHandler)}
	worker.Configure(config)
	driver := riversqlite.New(db)
	queue, err := river.NewClient(driver, config)
	if err != nil {
		log.Fatal(err)
	}

	// The run.
	run, err := riverbulk.NewSQLite(db, queue, riverbulk.Options{Run: "import-1"})
	if err != nil {
		log.Fatal(err)
	}
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: config.Logger})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		log.Fatal(err)
	}
	if err := run.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	lines := func(yield func(bulk.Line[gocardless.CustomerCreateParams]) bool) {
		for i, name := range []string{"Frank", "Grace", "Heinz"} {
			params := gocardless.CustomerCreateParams{GivenName: new(name), FamilyName: new("Osborne"), Email: new("office@acmeplc.com")}
			if !yield(bulk.Line[gocardless.CustomerCreateParams]{Key: fmt.Sprint("import-1-line-", i), Params: params}) {
				return
			}
		}
	}
	check, err := riverbulk.DryRun(ctx, client, bulk.Customers, lines, run, bulk.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(check.Created, "to create,", check.Failed, "not valid")
	report, err := riverbulk.Insert(ctx, client, bulk.Customers, lines, run)
	if err != nil {
		log.Fatal(err) // call it again to finish
	}
	fmt.Println(report)

	if err := queue.Start(ctx); err != nil {
		log.Fatal(err)
	}
	report, err = run.Wait(ctx, 100*time.Millisecond, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report)
	if err := queue.Stop(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 3 to create, 0 not valid
	// 3 lines: 0 created, 0 existing, 0 failed, 3 waiting, 0 running, 0 retrying, 0 stopped
	// 3 lines: 3 created, 0 existing, 0 failed, 0 waiting, 0 running, 0 retrying, 0 stopped
}
