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
// order, newest first. Workers read the first segment that nobody reads yet, one page each; the
// consumer takes the pages from the front.
//
// A segment of which is known how many items it has in a time is not read as it is: a piece
// that should fill nine tenths of a page is cut off its new end. When a piece turns out to have
// more than a page, what remains of it is a segment again. So nothing depends on the estimate
// but the number of requests: too short a piece wastes part of a page; too long a one wastes
// nothing, but has to be read before the rest of it can be divided.
//
// Two pieces never share an item. They meet at an instant, which is excluded from the older and
// included in the newer one, or at a cursor.
type export struct {
	limit   int // of a page
	workers int
	held    int // segments being read or waiting for the consumer, at most

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
	rate   float64   // items in a nanosecond, roughly; 0 if not known
	rest   *segment  // what it was cut from

	state segmentState
	page  exportPage
}

type segmentState int

const (
	waiting segmentState = iota
	reading
	finished
)

// exportPage is a page without its type.
type exportPage struct {
	items       any // []*T
	count       int
	first, last time.Time // when the first and the last item were created
	after       string    // cursor, if there is more in the window
	err         error
	panicked    any
}

// How pieces are sized. Random times differ from their mean by one part in twenty for a page of
// 500, so that nine tenths rarely overflow; with 100,000 random items fuller and emptier pieces
// alike take more requests.
const (
	exportFill      = 0.9 // of a page that a piece should fill
	exportSparse    = 0.5 // of a page, below which the estimate was wrong and not only inexact
	exportSmoothing = 4   // of estimates, a page's share being one in four
)

var (
	errExportWindow = errors.New("the list has items outside of the created_at filter, or without created_at: it cannot be exported")
	errExportCursor = errors.New("the list repeats a cursor")
)

func newExport(filter TimestampFilter, cursor string, limit, workers int) *export {
	x := &export{limit: limit, workers: workers, held: 2 * workers, cursors: map[string]bool{}}
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
func (x *export) start(ctx context.Context, read func(context.Context, listWindow) exportPage) {
	for range x.workers {
		x.running.Go(func() {
			for s := x.take(); s != nil; s = x.take() {
				x.done(s, safely(ctx, s.window, read))
			}
		})
	}
}

// safely reads a page and hands a panic on to the consumer, where it can be recovered.
func safely(ctx context.Context, w listWindow, read func(context.Context, listWindow) exportPage) (page exportPage) {
	defer func() {
		if p := recover(); p != nil {
			page = exportPage{panicked: p}
		}
	}()
	return read(ctx, w)
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
		if s := x.segments[0]; s.state == finished {
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
		case first == 0, first > 0 && held < x.held:
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
	if s.rate == 0 || s.top.IsZero() {
		return s
	}
	length := max(exportFill*float64(x.limit)/s.rate, float64(time.Millisecond))
	if length > math.MaxInt64/2 {
		return s
	}
	// The API shows milliseconds, and an edge between two is not worth the doubt.
	edge := s.top.Add(-time.Duration(length)).Truncate(time.Millisecond)
	if !edge.After(s.low) {
		return s
	}
	piece := &segment{window: s.window, top: s.top, low: edge, rate: s.rate, rest: s, state: reading}
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
	s.state, s.page = finished, page
	if page.err != nil || page.panicked != nil {
		x.segments = slices.Delete(x.segments, i+1, len(x.segments))
		return
	}
	if page.after != "" {
		x.cursors[page.after] = true
		x.segments = slices.Insert(x.segments, i+1, x.remainder(s, &page))
		return
	}
	x.learn(s, page.count)
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
	if page.last.IsZero() || page.last.Before(low) || !top.IsZero() && page.first.After(top) || page.last.After(page.first) {
		return errExportWindow
	}
	return nil
}

// remainder returns the part of a segment after its first page.
func (x *export) remainder(s *segment, page *exportPage) *segment {
	r := &segment{window: s.window, top: s.top, low: s.low, rate: s.rate}
	r.window.after = page.after
	if page.count == 0 {
		return r
	}
	x.limit = min(x.limit, page.count) // a server may give less than what is asked for
	top := s.top
	if top.IsZero() {
		top = page.first
	}
	r.rate = float64(page.count) / float64(max(top.Sub(page.last), time.Millisecond))
	r.top = page.last
	if s.rest != nil {
		s.rest.rate += (r.rate - s.rest.rate) / exportSmoothing
	}
	return r
}

// learn corrects the estimate for what a piece was cut from, when all of the piece was read.
func (x *export) learn(s *segment, count int) {
	if s.rest == nil || s.top.IsZero() {
		return
	}
	seen := float64(count) / float64(max(s.top.Sub(s.low), time.Millisecond))
	if float64(count) >= exportSparse*float64(x.limit) {
		s.rest.rate += (seen - s.rest.rate) / exportSmoothing
		return
	}
	// A gap, or the end of a busy time. Not at once to nothing: the pieces that are being read
	// may know better.
	s.rest.rate = max(min(seen, s.rest.rate), s.rest.rate/8)
}
