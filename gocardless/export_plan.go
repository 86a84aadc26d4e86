package gocardless

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// export is one run of an [Exporter]. It divides the list into segments and keeps them in order,
// newest first. Each worker takes the first segment that is still unread and reads a page of it. The
// consumer takes the pages from the front.
//
// Before a segment is read, a stretch that is expected to have a few pages is cut off at its newer
// end, and other workers continue with the rest. The pages of a stretch are read one after the
// other. A stretch with far more items than expected becomes a segment and is divided itself. The
// expectations affect only how many requests there are and how many of them run at once.
//
// Two segments never share an item. They meet at a cursor, or at an instant that belongs to the newer
// one.
type export struct {
	limit   int // of a page
	workers int

	mu       sync.Mutex
	changed  *sync.Cond
	segments []*segment
	density  density         // of the list near the segments being read
	cursors  map[string]bool // followed so far
	stopped  bool
	running  sync.WaitGroup
}

// segment is a part of the list. After one page of it is read, the rest becomes another segment.
type segment struct {
	window  listWindow
	top     time.Time // no item is newer; zero if not known
	low     time.Time // no item is older; zero if not known
	cut     bool      // a stretch or the rest of one, which is not divided
	gap     bool      // the stretch before it was empty, so it is read whole, to find the next item
	density density   // its own, if it is known to be far denser than the list

	// The part already read of the stretch, or since the segment was last divided.
	start time.Time
	items int
	pages int

	state segmentState
	page  exportPage
}

type segmentState int

const (
	waiting segmentState = iota
	reading
	read
)

// exportPage is a page whose type does not depend on that of the items.
type exportPage struct {
	items       any // []*T
	count       int
	first, last time.Time // when the first item with a readable time and the last item were created; zero if not known
	after       string    // cursor, if the window has more items
	err         error
	panicked    any
}

// A stretch wastes requests at its end, where its last page is not full: longer ones waste less, and
// shorter ones let the workers begin sooner.
const (
	exportStretch = 2.9       // pages that a stretch should have: mostly three requests, rarely four
	exportDense   = 6         // pages after which it is divided
	exportMemory  = 15.0 / 16 // the weight of an observation after the next one
	exportHeld    = 6         // pages for each worker that are being read or wait for the consumer
)

var (
	errExportWindow = errors.New("the list contains items outside the created_at filter, so it cannot be exported")
	errExportCursor = errors.New("the list repeats a cursor")
)

func newExport(filter TimestampFilter, cursor string, limit, workers int) *export {
	x := &export{limit: limit, workers: workers, cursors: map[string]bool{}}
	x.changed = sync.NewCond(&x.mu)
	all := &segment{window: listWindow{filter, cursor, limit}, low: later(filter.Gt, filter.Gte)}
	switch {
	case cursor != "":
	case filter.Lt.IsZero():
		all.top = filter.Lte
	case filter.Lte.IsZero() || filter.Lt.Before(filter.Lte):
		all.top = filter.Lt
	default:
		all.top = filter.Lte
	}
	all.start = all.top
	x.segments = []*segment{all}
	return x
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// start starts the workers.
func (x *export) start(ctx context.Context, fetch func(context.Context, listWindow) exportPage) {
	for range x.workers {
		x.running.Go(func() {
			for s := x.take(); s != nil; s = x.take() {
				x.safely(ctx, s, fetch)
			}
		})
	}
}

// errWorkerGone is the error if the transport ends the goroutine of a request, as a test's transport
// does by calling FailNow.
var errWorkerGone = errors.New("gocardless: the transport ended a goroutine of the export")

// safely reads a page. It passes a panic on to the consumer, where it can be recovered.
func (x *export) safely(ctx context.Context, s *segment, fetch func(context.Context, listWindow) exportPage) {
	page := exportPage{err: errWorkerGone}
	defer func() {
		// This also runs after runtime.Goexit.
		if p := recover(); p != nil {
			page = exportPage{panicked: p}
		}
		x.done(s, page)
	}()
	page = fetch(ctx, s.window)
}

// stop ends the reading and waits for the workers.
func (x *export) stop(cancel context.CancelFunc) {
	cancel()
	x.mu.Lock()
	x.stopped = true
	x.mu.Unlock()
	x.changed.Broadcast()
	x.running.Wait()
}

// next returns the next page in order, and false after the last.
func (x *export) next() (exportPage, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.segments) > 0 {
		if s := x.segments[0]; s.state == read {
			x.segments = slices.Delete(x.segments, 0, 1)
			x.changed.Broadcast()
			return s.page, true
		}
		x.changed.Wait()
	}
	return exportPage{}, false
}

// take waits for a segment to read. It returns nil when none is left.
func (x *export) take() *segment {
	x.mu.Lock()
	defer x.mu.Unlock()
	for !x.stopped {
		first, held, busy := -1, 0, false
		for i, s := range x.segments {
			if s.state != waiting {
				held++
				busy = busy || s.state == reading
			} else if first < 0 {
				first = i
			}
		}
		switch {
		case first < 0 && !busy:
			return nil
		case first == 0, first > 0 && held < exportHeld*x.workers:
			// The segment that the consumer waits for is read whatever the number of held pages.
			return x.cut(first)
		}
		x.changed.Wait()
	}
	return nil
}

// cut returns the part of the segment at index i to read: a stretch at its newer end, or all of it.
func (x *export) cut(i int) *segment {
	rest := x.segments[i]
	edge, ok := x.edge(rest)
	if !ok {
		rest.state = reading
		return rest
	}
	stretch := &segment{window: rest.window, top: rest.top, low: edge, cut: true, start: rest.top, state: reading}
	stretch.window.filter.Gt, stretch.window.filter.Gte = time.Time{}, edge
	rest.window.filter.Lt, rest.window.filter.Lte, rest.window.after = edge, time.Time{}, ""
	rest.top, rest.start = edge, edge
	x.segments = slices.Insert(x.segments, i, stretch)
	x.changed.Broadcast()
	return stretch
}

// edge returns the instant at which a stretch of the segment ends, and false if the segment is not to
// be divided.
func (x *export) edge(s *segment) (time.Time, bool) {
	length := cmp.Or(s.density, x.density).length(exportStretch * float64(x.limit))
	if s.cut || s.gap || s.top.IsZero() || length == 0 {
		return time.Time{}, false
	}
	// The API's times have whole milliseconds, so an edge has, too.
	edge := s.top.Add(-max(length, time.Millisecond)).Truncate(time.Millisecond)
	return edge, edge.After(s.low)
}

// done records the page that was read of a segment.
func (x *export) done(s *segment, page exportPage) {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.changed.Broadcast()
	i := slices.Index(x.segments, s)
	if i < 0 {
		return // removed, because it comes after an error
	}
	if page.err == nil && page.panicked == nil {
		page.err = x.check(s, &page)
	}
	s.state, s.page = read, page
	switch {
	case page.err != nil || page.panicked != nil:
		x.segments = slices.Delete(x.segments, i+1, len(x.segments))
	case page.after != "":
		x.cursors[page.after] = true
		x.segments = slices.Insert(x.segments, i+1, x.remainder(s, &page))
	default:
		x.finished(s, x.segments[i+1:])
	}
}

// check returns an error if the page repeats a cursor or has items outside its window. A list that
// ignores the filter would return its items in several windows.
func (x *export) check(s *segment, page *exportPage) error {
	if x.cursors[page.after] {
		return errExportCursor
	}
	if page.count == 0 {
		return nil
	}
	// The times of items have whole milliseconds, even if a bound is more exact.
	low, top := s.low.Truncate(time.Millisecond), s.top
	if !top.IsZero() && page.first.After(top) || !page.last.IsZero() && (page.last.Before(low) || page.last.After(page.first)) {
		return errExportWindow
	}
	return nil
}

// remainder returns the part of a segment after its first page.
func (x *export) remainder(s *segment, page *exportPage) *segment {
	r := &segment{
		window: s.window, top: page.last, low: s.low, cut: s.cut, density: s.density,
		start: s.start, items: s.items + page.count, pages: s.pages + 1,
	}
	r.window.after = page.after
	if page.count > 0 {
		x.limit = min(x.limit, page.count) // a server may return fewer items than the limit
	}
	if r.start.IsZero() {
		r.start = page.first
	}
	if page.last.IsZero() {
		// The time of the last item cannot be read, so the rest is read from its cursor: an edge in
		// time might lie before it.
		return r
	}
	length := r.start.Sub(page.last)
	dense := r.pages >= exportDense
	if dense {
		r.density = density{}.with(length, r.items)
	}
	if dense || !s.cut {
		x.density = x.density.with(length, r.items)
		r.cut, r.start, r.items, r.pages = false, page.last, 0, 0
	}
	return r
}

// finished records that all of a segment was read. Older ones follow it.
func (x *export) finished(s *segment, older []*segment) {
	items := s.items + s.page.count
	if !s.low.IsZero() {
		x.density = x.density.with(s.start.Sub(s.low), items)
	}
	if items > 0 {
		return
	}
	if i := slices.IndexFunc(older, func(o *segment) bool { return o.state == waiting }); i >= 0 {
		older[i].gap = true
	}
}

// density is the number of items that a list has in a time, in the part read so far.
type density struct{ items, time float64 }

// with adds an observation. Older ones have less weight.
func (d density) with(length time.Duration, items int) density {
	return density{exportMemory*d.items + float64(items), exportMemory*d.time + float64(max(length, 1))}
}

// length returns how long it takes until that number of items is created, or 0 if that is not known or
// too long for a Duration.
func (d density) length(items float64) time.Duration {
	length := items * d.time / d.items
	if d.items == 0 || length > math.MaxInt64/2 {
		return 0
	}
	return time.Duration(length)
}
