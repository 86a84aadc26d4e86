// Package eventsql keeps the memory of handled events in PostgreSQL or SQLite, through
// database/sql and with any driver: a [gocardless.EventStore] for several workers and for ones
// that crash.
//
//	store, err := eventsql.New(db, eventsql.PostgreSQL, eventsql.Options{Transaction: true})
//	err = store.CreateSchema(ctx)
//	handler, err := gocardless.NewWebhookHandler(gocardless.Once(store, mux), secret)
//
// # What is exactly once
//
// A worker claims an event with a time limit, the lease, which it extends while the handler
// runs. If the worker is killed, or loses the database, the lease runs out and the next delivery
// of the event is handled by whoever gets it. What the killed worker had done is then decided by
// the way the event is marked as done:
//
//   - In the handler's transaction. With Options.Transaction the store begins one for each
//     event; the handler finds it with [Tx], and the mark is committed together with what the
//     handler writes. Or the handler uses a transaction of its own and calls [MarkDone] in it.
//     Either all of it happened or nothing, and the writes of a worker that lost its claim are
//     undone: exactly once, whatever is killed and when.
//   - After the handler. Without a transaction the mark is written when the handler has
//     returned. A worker that is killed between the two leaves an event that was handled and is
//     handled again.
//
// What a handler does outside of the database, such as another call of the API, is in no
// transaction: give it an idempotency key made from the id of the event.
//
// # Parked events
//
// The store keeps the body of an event until the event is done. [Store.Unfinished] lists what
// failed or is parked, with the last error, and [Store.Retry] handles such an event again.
//
// # Databases
//
// PostgreSQL 9.5 or later, also behind a pooler. Leases are measured by the database's clock,
// so the clocks of the workers do not matter. Transactions may be READ COMMITTED, REPEATABLE READ
// or SERIALIZABLE, and last as long as they need. Where a stricter level makes a statement of the
// store fail, the statement is retried; where it makes the handler's transaction fail, the event
// is handled again with its next delivery, and the attempt does not count.
//
// SQLite 3.24 or later. It has one writer at a time: set a busy timeout, and prefer the
// write-ahead log, both in the driver's data source name. With Options.Transaction the store's
// transaction writes first of all, so that the handler does not run into a snapshot that is out
// of date; other writers wait while a handler runs. A transaction of the handler's own should begin
// with a write for the same reason. A database in memory must be limited to one
// connection, and then cannot be used with Options.Transaction and handlers that open another.
package eventsql
