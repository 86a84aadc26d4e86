package gocardless

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// maxPrefetch bounds the memory that read-ahead can use.
const maxPrefetch = 16

// WithPrefetch makes the iterators that All returns fetch up to the given number of pages, at most
// 16, while the caller works on an earlier page. The default is 0: a page is fetched when it is
// needed. With 1, the caller does not wait if the work on a page takes longer than fetching the
// next. A higher number helps if these times vary.
//
// It uses one goroutine, which ends with the loop. If the loop breaks, up to that many pages were
// fetched in vain; they count towards the rate limit. The option has no effect on other calls. To
// read pages concurrently, see [NewExporter].
func WithPrefetch(pages int) Option {
	return option(func(s *settings) {
		if s.prefetch = pages; pages < 0 || pages > maxPrefetch {
			s.refuse("WithPrefetch", "must be between 0 and 16")
			s.prefetch = 0
		}
	})
}

// fetched is what the goroutine of ahead passes to the loop.
type fetched struct {
	page     *pageReply
	err      error
	response Response
	panicked any
}

// ahead calls yield with each page, and fetches up to the given number of pages while yield runs.
func (s *pageSource) ahead(ctx context.Context, pages int, response *Response, yield func(*pageReply, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan fetched, pages-1) // the goroutine holds one more
	stop := make(chan struct{})
	var running sync.WaitGroup
	defer running.Wait()
	defer close(stop)
	defer cancel()
	running.Go(func() {
		defer close(queue)
		s.produce(ctx, stop, queue, response != nil)
	})
	for f := range queue {
		if f.panicked != nil {
			panic(f.panicked)
		}
		if response != nil {
			*response = f.response
		}
		if !yield(f.page, f.err) {
			return
		}
	}
}

var errReaderGone = errors.New("gocardless: the transport ended the goroutine that reads ahead")

// produce is the goroutine of ahead. It fills a response record of its own, because the caller may
// be reading theirs.
func (s *pageSource) produce(ctx context.Context, stop <-chan struct{}, queue chan<- fetched, record bool) {
	var response Response
	send := func(f fetched) bool {
		select {
		case queue <- f:
			return true
		case <-stop:
			return false
		}
	}
	done := false
	defer func() {
		// The caller's goroutine panics, as it would without prefetching.
		if p := recover(); p != nil {
			send(fetched{panicked: p})
		} else if !done {
			// After runtime.Goexit. The end of the queue would look like that of the list.
			send(fetched{err: errReaderGone})
		}
	}()
	own := *s
	if record {
		own.opts = append(slices.Clip(s.opts), WithResponse(&response))
	}
	own.pages(ctx, func(page *pageReply, err error) bool {
		return send(fetched{page: page, err: err, response: response})
	})
	done = true
}
