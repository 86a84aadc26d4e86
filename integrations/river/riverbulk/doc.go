// Package riverbulk runs many create requests, such as the payments of a month, as River jobs
// (riverqueue/river), one job for each line, in PostgreSQL or SQLite. It is package bulk for
// programs that already use River.
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
// A job is unique by run and key, and each attempt sends the key of the line as the idempotency
// key. Workers on any number of machines may therefore be killed at any time: an attempt without a
// record is made again, and the API returns the resource that the first one created. The API keeps
// keys for 30 days, so after 29 days a further attempt is refused ([bulk.ErrTooOld]), and so is
// Insert. The record of the run itself is kept indefinitely, even after River has removed its jobs.
//
// # States
//
// The jobs are the journal of the run. A line that was created is a completed job whose output is
// its [bulk.Entry]. A line that the API refused is a cancelled job, with the reason. What is not
// settled is retried by River with backoff. [Run.Report] counts the lines, [Run.Entries] lists them
// ([bulk.WriteCSV]), and River's page shows them.
//
// When too many attempts fail, the worker pauses the queue, and [Run.Wait] returns [ErrPaused].
// River's QueueResume resumes it. Insert with the same lines restarts lines that were cancelled,
// used up their attempts, or were refused and now have other params.
package riverbulk
