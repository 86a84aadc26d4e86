// Package riverbulk makes the creates of a run, such as the payments of a month, as jobs of River
// (riverqueue/river), with PostgreSQL or SQLite: one job a line. It is package bulk for programs
// that have River already.
//
//	worker, err := riverbulk.NewWorker[pgx.Tx](client, riverbulk.WorkerOptions{})
//	config := &river.Config{}
//	worker.Configure(config) // the worker, its queue, how long jobs are kept
//	queue, err := river.NewClient(riverpgxv5.New(pool), config)
//
//	run, err := riverbulk.NewPostgres(pool, queue, riverbulk.Options{Run: "2026-11"})
//	err = run.Migrate(ctx) // after River's own migrations
//	report, err := riverbulk.Insert(ctx, client, bulk.Payments, lines, run)
//	report, err = run.Wait(ctx, 10*time.Second, func(r riverbulk.Report) { log.Print(r) })
//
// With an inbox in the same program, Worker.Configure fits its Options.Configure, and its Client
// is the queue.
//
// # What is exactly once
//
// A job is unique by run and key, and each attempt sends the key of the line as idempotency key. So
// workers on any number of machines may be killed at any time: an attempt without a record is
// made again, and the API returns what the first one created. The API keeps keys for 30 days, so
// after 29 days an attempt that follows another one is refused ([bulk.ErrTooOld]), and so is
// [Insert]. The run itself is recorded for good, also when River has removed its jobs.
//
// # States
//
// The jobs are the journal of the run. A line that was created is a completed job whose output is
// its [bulk.Entry]. A line that the API refused is a cancelled job, with the reason. What is not
// settled is retried by River with backoff. [Run.Report] counts the lines, [Run.Entries] lists them
// ([bulk.WriteCSV]), and River's page shows them.
//
// When too many attempts fail, the worker pauses the queue, and [Run.Wait] returns [ErrPaused].
// River's QueueResume goes on. [Insert] with the same lines takes up those that have been cancelled,
// have failed too often, or were refused and have other params now.
package riverbulk
