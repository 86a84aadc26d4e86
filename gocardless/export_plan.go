package gocardless

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// export is one run of an [Exporter]. It divides the list into segments, which it keeps in
// order, newest first. Workers read the first segment that is still unread, one page each; the
// consumer takes the pages from the front.
//
// A segment whose items per unit of time are roughly known is not read whole: a
// piece is cut off its new end, so that other workers can continue with the rest. What a piece has
// beyond a page remains as a segment and is read from the cursor on; when that too has more than
// a page, it is divided itself. So nothing depends on the estimates but the number of requests
// and how many of them can be made at once. A piece that is too short wastes a part of a page. A
// piece that is too long wastes nothing, but its pages have to be read one after the other.
//
// Two segments never share an item. They meet at an instant, which is excluded from the older
// and included in the newer one, or at a cursor.
type export struct {
	limit   int     // of a page
	fill    float64 // pages that a piece should have
	workers int

	mu       sync.Mutex
	changed  *sync.Cond
	segments []*segment
	cursors  map[string]bool // that were followed
	stopped  bool
	running  sync.WaitGroup
}

// segment is a part of the list.
type segment struct {
	window listWindow
	top    time.Time // nothing in it is newer; zero if not known
	low    time.Time // nothing in it is older; zero if not known

	// For a segment to be cut.
	span time.Duration // that a page of items takes, roughly; 0 if not known
	gap  bool          // a piece of it was empty: what comes next is read without an end

	// For a piece, and what remains of one.
	rest  *segment // what it was cut from
	start time.Time
	items int // that were read of it
	pages int // that were read of it

	state segmentState
	page  exportPage
}

type segmentState int

const (
	waiting segmentState = iota
	reading
	read
)

// exportPage is a page without its type.
type exportPage struct {
	items       any // []*T
	count       int
	first, last time.Time // when the first item with a readable time and the last item were created; zero if not known
	after       string    // cursor, if there is more in the window
	err         error
	panicked    any
}

// How pieces are sized. For random times the number of items in a piece differs from its mean by
// one part in twenty when that is 500, so that nine tenths of a page rarely overflow. Where times
// come in bursts, pieces of some pages waste less: what they waste is at their ends.
const (
	exportFill      = 0.9  // pages that a piece should have, to begin with and at least
	exportMaxFill   = 4    // and at most
	exportMore      = 1.5  // factor after a piece with less than half a page
	exportLess      = 0.97 // factor after another piece
	exportSmoothing = 4    // an estimate counts for one part in so many
	exportLongest   = 8    // times the length of a piece that an estimate can be
	exportHeld      = 6    // pages for each worker that are being read or wait for the consumer
)

var (
	errExportWindow = errors.New("the list contains items outside the created_at filter, so it cannot be exported")
	errExportCursor = errors.New("the list repeats a cursor")
)

func newExport(filter TimestampFilter, cursor string, limit, workers int) *export {
	x := &export{limit: limit, fill: exportFill, workers: workers, cursors: map[string]bool{}}
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
	x.segments = []*segment{all}
	return x
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// start begins to read.
func (x *export) start(ctx context.Context, fetch func(context.Context, listWindow) exportPage) {
	for range x.workers {
		x.running.Go(func() {
			for s := x.take(); s != nil; s = x.take() {
				x.safely(ctx, s, fetch)
			}
		})
	}
}

// errWorkerGone is the end of an export whose transport ended the goroutine of a request, as a
// test's own does by calling FailNow.
var errWorkerGone = errors.New("gocardless: the transport ended a goroutine of the export")

// safely reads a page. It hands a panic on to the consumer, where it can be recovered.
func (x *export) safely(ctx context.Context, s *segment, fetch func(context.Context, listWindow) exportPage) {
	page := exportPage{err: errWorkerGone}
	defer func() {
		// Also after runtime.Goexit, which runs deferred functions and nothing else.
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

// take waits for something to read. It returns nil when there is nothing left.
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
			// What the consumer waits for is always read, however much is held.
			return x.cut(first)
		}
		x.changed.Wait()
	}
	return nil
}

// cut returns the piece to read of the segment at index i.
func (x *export) cut(i int) *segment {
	s := x.segments[i]
	s.state = reading
	if s.span == 0 || s.gap || s.top.IsZero() {
		return s
	}
	length := max(x.fill*float64(s.span), float64(time.Millisecond))
	if length > math.MaxInt64/2 {
		return s
	}
	// The API shows milliseconds, and an edge between two is not worth the doubt.
	edge := s.top.Add(-time.Duration(length)).Truncate(time.Millisecond)
	if !edge.After(s.low) {
		return s
	}
	piece := &segment{window: s.window, top: s.top, low: edge, rest: s, start: s.top, state: reading}
	piece.window.filter.Gt, piece.window.filter.Gte = time.Time{}, edge
	s.window.filter.Lt, s.window.filter.Lte, s.window.after = edge, time.Time{}, ""
	s.top, s.state = edge, waiting
	x.segments = slices.Insert(x.segments, i, piece)
	x.changed.Broadcast()
	return piece
}

// done takes in what was read of a segment.
func (x *export) done(s *segment, page exportPage) {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.changed.Broadcast()
	i := slices.Index(x.segments, s)
	if i < 0 {
		return // it comes after an error
	}
	if page.err == nil && page.panicked == nil {
		page.err = x.check(s, &page)
	}
	s.state, s.page = read, page
	if page.err != nil || page.panicked != nil {
		x.segments = slices.Delete(x.segments, i+1, len(x.segments))
		return
	}
	if page.after != "" {
		x.cursors[page.after] = true
		x.segments = slices.Insert(x.segments, i+1, x.remainder(s, &page))
		return
	}
	if s.rest != nil {
		x.finished(s, page.count)
	}
}

// check makes sure that the page is of the window that was asked for. A list that ignores the
// filter would have its items in several windows.
func (x *export) check(s *segment, page *exportPage) error {
	if x.cursors[page.after] {
		return errExportCursor
	}
	if page.count == 0 {
		return nil
	}
	// Items show whole milliseconds, also when a bound has more.
	low, top := s.low.Truncate(time.Millisecond), s.top
	if !top.IsZero() && page.first.After(top) || !page.last.IsZero() && (page.last.Before(low) || page.last.After(page.first)) {
		return errExportWindow
	}
	return nil
}

// remainder returns the part of a segment after its first page.
func (x *export) remainder(s *segment, page *exportPage) *segment {
	r := &segment{
		window: s.window, top: s.top, low: s.low, span: s.span,
		rest: s.rest, start: s.start, items: s.items + page.count, pages: s.pages + 1,
	}
	r.window.after = page.after
	if page.count == 0 {
		return r
	}
	x.limit = min(x.limit, page.count) // a server may give less than what is asked for
	if r.top = page.last; r.top.IsZero() {
		// The last item has a time that cannot be read: what follows is read from its cursor, since
		// an edge in time might lie before it.
		return r
	}
	switch {
	case s.rest == nil:
		// The list, read without an end: in the beginning, after a gap, or where it is dense.
		top := s.top
		if top.IsZero() {
			top = page.first
		}
		r.span = max(top.Sub(page.last), time.Millisecond)
		if s.span > 0 {
			r.span = smooth(s.span, r.span)
		}
	case r.pages >= 2+int(x.fill):
		// Much denser than what it was cut from: divide it.
		r.span = x.learn(s.rest, r.start.Sub(page.last), r.items)
		r.rest = nil
	}
	return r
}

// finished notes that all of a piece was read, with the given number of items on its last page.
func (x *export) finished(s *segment, last int) {
	if s.items == 0 {
		if 2*last < x.limit {
			x.fill = min(x.fill*exportMore, exportMaxFill)
		} else {
			x.fill = max(x.fill*exportLess, exportFill)
		}
	}
	if s.items+last == 0 {
		s.rest.gap = true
		return
	}
	x.learn(s.rest, s.start.Sub(s.low), s.items+last)
}

// learn corrects the estimate of a segment by the number of items in a part of it, and returns
// the estimate for that part.
func (x *export) learn(s *segment, length time.Duration, items int) time.Duration {
	pages := max(float64(items)/float64(x.limit), 1.0/exportLongest)
	seen := time.Duration(min(float64(max(length, time.Millisecond))/pages, math.MaxInt64/2))
	s.span = smooth(s.span, seen)
	return seen
}

func smooth(old, seen time.Duration) time.Duration { return old + (seen-old)/exportSmoothing }
