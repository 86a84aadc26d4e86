// Package riverinbox is an inbox for webhooks on a job queue, riverqueue/river, with PostgreSQL or
// SQLite. An endpoint writes the events of a delivery as jobs, in one transaction, and acknowledges
// it in milliseconds; workers on any number of machines handle the jobs.
//
//	inbox, err := riverinbox.NewPostgres(pool, riverinbox.Options{Handler: mux})
//	err = inbox.Migrate(ctx)
//	endpoint, err := riverinbox.NewInboxHandler(inbox, secret)
//	http.Handle("POST /webhooks", endpoint)
//	err = inbox.Start(ctx)
//
// # What is exactly once
//
// Each event is handled in a transaction, which the handler gets from [Tx]. The mark that the event
// is done is committed in the same transaction. So the handler's writes there happen exactly once,
// whenever a worker is killed and however often GoCardless delivers the event. Other work of a
// handler, such as an API call, may happen again after a crash: give it an idempotency key derived
// from Event.ID. Call the API before Tx, which begins the transaction, so that a slow call delays
// neither deliveries nor other workers.
//
// # Failures
//
// A handler that fails is called again with exponential backoff. After Options.MaxAttempts the
// event is parked: [Inbox.Parked] lists such events with their errors, and [Inbox.Release] lets
// them be handled again. [Inbox.Replay] handles any events again, selected by id, type or time. If
// a worker is killed, other workers take its events over, at the latest after Options.Timeout plus
// five minutes.
//
// # River
//
// An event is a job of the kind "gocardless_event" in the queue "gocardless_events", and
// unique by the event's id. Its arguments are the event as delivered. River's own page, riverui,
// shows and retries these jobs:
//
//	go install riverqueue.com/riverui/cmd/riverui@v0.22.0
//	DATABASE_URL=postgres://… riverui
//
// Parked events are its discarded jobs. Use its button "Retry" for those; an event that is done is
// handled again only by [Inbox.Replay], which also removes the mark. The inbox creates its River
// client; [Inbox.Client] returns it for your own jobs.
//
// The file compose.yaml runs PostgreSQL, two workers and a sandbox; the directory example has the
// program.
//
// With SQLite, limit the database to one connection (SetMaxOpenConns(1)), as River requires. From
// its call of [Tx] until it returns, a handler has exclusive use of that connection.
package riverinbox
