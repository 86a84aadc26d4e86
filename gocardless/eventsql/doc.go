// Package eventsql stores which events were handled in PostgreSQL or SQLite, through database/sql
// with any driver. Its [Store] is a [gocardless.EventStore] for several workers that survives their
// crashes.
//
//	store, err := eventsql.New(db, eventsql.PostgreSQL, eventsql.Options{Transaction: true})
//	err = store.CreateSchema(ctx)
//	handler, err := gocardless.NewWebhookHandler(gocardless.Once(store, mux), secret)
//
// # What is exactly once
//
// A worker claims an event for a limited time, the lease, which it extends while the handler runs.
// If the worker is killed or loses the database, the lease expires, and the worker that receives
// the next delivery of the event handles it. Whether the killed worker's work counts depends on how
// the event is marked as done:
//
//   - In the handler's transaction. With Options.Transaction the store begins a transaction for
//     each event; the handler gets it from [Tx], and the mark is committed together with the
//     handler's writes. Alternatively, the handler uses a transaction of its own and calls
//     [MarkDone] in it. Either everything is committed or nothing, and the writes of a worker that
//     lost its claim are rolled back: the event is handled exactly once, whenever a worker is
//     killed.
//   - After the handler. Without a transaction, the store writes the mark when the handler has
//     returned. If the worker is killed in between, the event is handled again.
//
// A handler's work outside the database, such as another API call, is not part of any transaction:
// give it an idempotency key derived from the id of the event.
//
// # Parked events
//
// The store keeps the body of an event until the event is done. [Store.Unfinished] lists the events
// that failed or are parked, with the last error, and [Store.Retry] handles such an event again.
//
// # Databases
//
// PostgreSQL 9.5 or later, with or without a pooler. Leases use the database's clock, so the clocks
// of the workers do not matter. Transactions may be READ COMMITTED, REPEATABLE READ
// or SERIALIZABLE, and may last as long as they need. If a stricter level makes a statement of the
// store fail, the statement is retried; if it makes the handler's transaction fail, the event is
// handled again with its next delivery, and the attempt does not count.
//
// SQLite 3.24 or later. It allows one writer at a time: set a busy timeout, and prefer the
// write-ahead log, both in the driver's data source name. With [Options.Transaction] the store's
// transaction begins with a write, so that the handler does not fail on an outdated snapshot; other
// writers wait while a handler runs. For the same reason, a transaction of the handler's own should
// begin with a write. Limit a database in memory to one connection; it then cannot be used with
// [Options.Transaction] and handlers that open another connection.
package eventsql
