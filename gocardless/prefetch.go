package gocardless

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// maxPrefetch bounds the memory that read-ahead can be told to use.
const maxPrefetch = 16

// WithPrefetch makes the iterators that All returns fetch up to the given number of pages, at
// most 16, while the caller works on the items of an earlier one. The default is 0: a page is
// fetched when it is needed. 1 is enough to keep the caller from waiting when working on a page
// takes as long as fetching one; more even out differences.
//
// It takes a goroutine, which has ended when the loop has. After a break up to that many pages
// were fetched in vain, which count for the rate limit. It has no effect on other calls. To
// read a large account faster than one page after the other, see [NewExporter].
func WithPrefetch(pages int) Option {
	return option(func(s *settings) {
		if s.prefetch = pages; pages < 0 || pages > maxPrefetch {
			s.refuse("WithPrefetch", "must be between 0 and 16")
			s.prefetch = 0
		}
	})
}

// fetched is what the goroutine of ahead hands over.
type fetched[V any] struct {
	value    V
	err      error
	response Response
	panicked any
}

// ahead iterates over seq, and runs it in a goroutine if the options ask for prefetching. V is
// a pointer, so that there is one copy of this code for all types of pages.
func ahead[V any](ctx context.Context, defaults *settings, opts []RequestOption, seq func(context.Context, []RequestOption) iter.Seq2[V, error]) iter.Seq2[V, error] {
	s := *defaults
	for _, o := range opts {
		if o != nil {
			o.applyRequest(&s)
		}
	}
	if s.prefetch == 0 {
		return seq(ctx, opts)
	}
	return func(yield func(V, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		queue := make(chan fetched[V], s.prefetch-1) // the goroutine holds one more
		stop := make(chan struct{})
		var running sync.WaitGroup
		defer running.Wait()
		defer close(stop)
		defer cancel()
		running.Go(func() {
			defer close(queue)
			produce(ctx, stop, queue, s.response != nil, opts, seq)
		})
		for f := range queue {
			if f.panicked != nil {
				panic(f.panicked)
			}
			if s.response != nil {
				*s.response = f.response
			}
			if !yield(f.value, f.err) {
				return
			}
		}
	}
}

// produce is the goroutine of ahead. It fills a response record of its own: the caller reads
// theirs at the same time.
func produce[V any](ctx context.Context, stop <-chan struct{}, queue chan<- fetched[V], record bool,
	opts []RequestOption, seq func(context.Context, []RequestOption) iter.Seq2[V, error]) {
	var response Response
	send := func(f fetched[V]) bool {
		select {
		case queue <- f:
			return true
		case <-stop:
			return false
		}
	}
	defer func() {
		// A panic belongs to the caller, as it would without prefetching.
		if p := recover(); p != nil {
			send(fetched[V]{panicked: p})
		}
	}()
	if record {
		opts = append(slices.Clip(opts), WithResponse(&response))
	}
	for value, err := range seq(ctx, opts) {
		if !send(fetched[V]{value: value, err: err, response: response}) {
			return
		}
	}
}
