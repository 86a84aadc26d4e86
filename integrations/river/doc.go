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
// is done is committed in it. So what the handler writes there happens once, whatever is killed and
// when, and however often GoCardless delivers the event. What a handler does elsewhere, such as an
// API call, may happen again after a crash: give it an idempotency key made from Event.ID. Call the API
// before Tx, which begins the transaction: then a slow call holds up neither deliveries nor other workers.
//
// # Failures
//
// A handler that fails is called again with exponential backoff. After Options.MaxAttempts the event
// is parked: [Inbox.Parked] lists such events with their errors, [Inbox.Release] lets one be handled
// again. [Inbox.Replay] does so for any events, by id, type or time. The events of a worker that was
// killed are taken over by others, at the latest after Options.Timeout and five minutes.
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
// Parked events are its discarded jobs. Its button "Retry" is for those; an event that is done is
// handled again only by [Inbox.Replay], which also takes back the mark. The inbox creates its River
// client; [Inbox.Client] returns it for jobs of your own.
//
// The file compose.yaml runs PostgreSQL, two workers and a sandbox; the directory example has the
// program.
//
// With SQLite, limit the database to one connection (SetMaxOpenConns(1)), as River asks for. From
// its call of Tx until it returns, a handler has that connection for itself.
package riverinbox
