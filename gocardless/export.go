package gocardless

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/request"
)

// Limits of an [Exporter].
const (
	defaultExportWorkers = 8
	maxExportWorkers     = 64
	exportPageSize       = 500 // the most that the API gives
)

// ExportOptions configures an [Exporter].
type ExportOptions struct {
	// Workers is the number of concurrent requests: 1 to 64, or 8 when zero.
	//
	// The API allows 1000 requests a minute for each access token. If a reply takes 50 ms, 8 workers
	// use them up in about six seconds. A client with a rate limiter ([WithRateLimitWait]) then waits
	// for the next minute; any other gets errors, retries, and may fail.
	Workers int
	// Cursor resumes an earlier export of the same list with the same params after the item with this
	// cursor; see [Exporter.Cursor]. Empty means the beginning.
	Cursor string
}

// An Exporter reads a whole list with several concurrent requests. Create one with [NewExporter].
type Exporter[T any] struct {
	read    func(context.Context, listWindow) exportPage
	place   func(*T) (id string, createdAt time.Time)
	filter  TimestampFilter
	limit   int
	options ExportOptions
	problem error

	last atomic.Pointer[T]
}

// exportParams are the params of a list with a filter of created_at.
type exportParams[Q any] interface {
	*Q
	// exportRange returns the generated params, which the type Q of a caller may embed, and their bounds.
	exportRange() (params, TimestampFilter)
}

// exportItem is an item that an export can place in its list.
type exportItem[T any] interface {
	*T
	exportPlace() (id string, createdAt time.Time)
}

// NewExporter returns an exporter of a list, to read a large account as fast as the API allows.
// Pass the method of a list that has a created_at filter; other methods do not compile:
//
//	exporter := gocardless.NewExporter(client.Payments.List, gocardless.PaymentListParams{
//		CreatedAt: gocardless.TimestampFilter{Gte: since},
//	}, gocardless.ExportOptions{Workers: 8})
//	for payment, err := range exporter.All(ctx) {
//		if err != nil {
//			return err // exporter.Cursor() is where to continue
//		}
//		// …
//	}
//
// It yields the same items in the same order as the list's All, from the newest to the oldest, each
// exactly once. It divides the time that the list covers into windows, estimates from the replies
// how many items a window has, and reads several windows at once. If more items than fit on a page
// were created at the same moment, their pages are read one after the other. Items created while
// the export runs are left out: the first item is the newest one at its start. As with any list
// that is read page by page, resources that are deleted or changed in the meantime may be missing.
//
// Params may filter, but must not sort or contain cursors. Their Limit is the size of a page, 500
// when zero. Request options apply to each request; [WithResponse] cannot be used, because requests
// overlap. All reports mistakes in the arguments.
func NewExporter[T, Q any, I exportItem[T], P exportParams[Q]](
	list func(context.Context, Q, ...RequestOption) (*Page[T], error),
	params Q, options ExportOptions, opts ...RequestOption,
) *Exporter[T] {
	opts = slices.Clone(opts)
	generated, filter := P(&params).exportRange()
	e := &Exporter[T]{
		place:   func(v *T) (string, time.Time) { return I(v).exportPlace() },
		filter:  filter,
		options: options,
	}
	e.limit, e.problem = checkExport(generated, &e.options, opts)
	e.read = func(ctx context.Context, w listWindow) exportPage {
		page, err := list(ctx, params, append(slices.Clip(opts), &w)...)
		if err != nil {
			return exportPage{err: err}
		}
		p := exportPage{items: page.Items, count: len(page.Items), after: page.After}
		for _, item := range page.Items {
			if _, p.last = e.place(item); p.first.IsZero() {
				p.first = p.last
			}
		}
		return p
	}
	return e
}

// checkExport checks the arguments of NewExporter, fills in defaults, and returns the size of a page.
func checkExport(params params, options *ExportOptions, opts []RequestOption) (int, error) {
	var problems []Problem
	refuse := func(field, message string) {
		problems = append(problems, Problem{Field: field, Message: message})
	}
	parts, _ := params.use.Write(params.v, request.Options{}) // the calls report the error
	limit := exportPageSize
	for name, value := range request.Pairs(parts.Query) {
		switch name {
		case request.Limit:
			if n := parseLimit(value); n > 0 {
				limit = n
			} else {
				refuse(request.Limit, "must be between 1 and 500")
			}
		case request.After, request.Before:
			refuse(name, "cannot be used for an export; use ExportOptions.Cursor")
		case "sort_field", "sort_direction":
			refuse(name, "cannot be used for an export, which is in order of time")
		}
	}
	switch n := options.Workers; {
	case n == 0:
		options.Workers = defaultExportWorkers
	case n < 0 || n > maxExportWorkers:
		refuse("Workers", "must be between 1 and 64")
	}
	var s settings
	for _, o := range opts {
		if o != nil {
			o.applyRequest(&s)
		}
	}
	if s.response != nil {
		refuse("WithResponse", "cannot be used for an export, which makes several requests at once")
	}
	if len(problems) > 0 {
		return 0, &ParamsError{Operation: "NewExporter", Problems: problems}
	}
	return limit, nil
}

// parseLimit reads a limit between 1 and 500. It returns 0 for anything else.
func parseLimit(s string) int {
	n, problem := jsonwire.ParseInteger([]byte(s))
	if problem != "" || n < 1 || n > exportPageSize {
		return 0
	}
	return int(n)
}

var errNoExporter = errors.New("gocardless: an Exporter must be created with NewExporter")

// All iterates over the items, from the newest to the oldest. If a request fails, it yields the
// items before the failure and then the error with a nil item, and stops. When the loop ends, so do
// its goroutines. It holds at most six pages for each worker in memory, and the one that the loop is
// at. Each range starts from the beginning; do not range twice at the same time.
func (e *Exporter[T]) All(ctx context.Context) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		problem := e.problem
		switch {
		case e.read == nil:
			problem = errNoExporter
		case problem == nil && ctx == nil:
			problem = nilContext("Exporter.All")
		}
		if problem != nil {
			yield(nil, problem)
			return
		}
		e.last.Store(nil)
		ctx, cancel := context.WithCancel(ctx)
		x := newExport(e.filter, e.options.Cursor, e.limit, e.options.Workers)
		defer x.stop(cancel)
		x.start(ctx, e.read)
		for {
			page, ok := x.next()
			switch {
			case !ok:
				return
			case page.panicked != nil:
				panic(page.panicked)
			case page.err != nil:
				yield(nil, page.err)
				return
			}
			for _, item := range page.items.([]*T) {
				e.last.Store(item)
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// Cursor returns the cursor of the item that All yielded last: its id. Save it when the loop is done
// with an item. Another exporter of the same list and params that receives it as
// ExportOptions.Cursor continues with the next item. Before the first item, Cursor returns the
// cursor that this exporter began with. It may be called from any goroutine while the loop runs.
func (e *Exporter[T]) Cursor() string {
	item := e.last.Load()
	if item == nil {
		return e.options.Cursor
	}
	id, _ := e.place(item)
	return id
}

// listWindow is a part of a list. As a request option it replaces the created_at filter, the cursor
// and the limit of the params.
type listWindow struct {
	filter TimestampFilter
	after  string
	limit  int
}

func (w *listWindow) applyRequest(s *settings) { s.window = w }

// Write adds the window to a query.
func (w *listWindow) Write(q *request.Query) {
	if w.after != "" {
		q.Add(request.After, w.after)
	}
	q.Object("created_at", &w.filter)
	q.Add(request.Limit, strconv.Itoa(w.limit))
}
