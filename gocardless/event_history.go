package gocardless

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// Since yields the events that were created after the event with the given id, from the oldest to
// the newest, up to now. It reads the given event for its time and then lists events by time, with a
// few thousand in memory at once. The API creates events asynchronously, so a new event can appear
// among those that were already read; [EventCatchUp] allows for that.
func (s *EventService) Since(ctx context.Context, id string, opts ...RequestOption) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		last, err := s.Get(ctx, id, append(slices.Clip(opts), requestOption(tolerateEvents))...)
		if err == nil && last.CreatedAt.IsZero() {
			err = &MalformedResponseError{
				Operation: opEventsGet.Name, StatusCode: opEventsGet.Status, ResourceID: last.ID,
				Err: misfitError{errors.New("created_at cannot be read")},
			}
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for window, err := range eventWindows(ctx, s.lister(nil, opts...), last.CreatedAt) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, e := range window.events {
				if e.ID != id && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// eventLister lists the events created at or after from and before to, newest first, as the API does.
// It stops after limit events unless limit is zero.
type eventLister = func(ctx context.Context, from, to time.Time, limit int) (eventList, error)

// eventList has the events of a stretch of time.
type eventList struct {
	events []*Event
	// now is the API's time when the listing began. Events created before it are listed.
	now time.Time
}

var errNoDate = errors.New("the reply has no valid Date header, so the API's time is not known; set EventCatchUp.Clock")

// lister returns a lister that reads from the API. A nil clock means the Date of the replies.
func (s *EventService) lister(clock func() time.Time, opts ...RequestOption) eventLister {
	return func(ctx context.Context, from, to time.Time, limit int) (list eventList, err error) {
		record, date := replyDate()
		if clock != nil {
			list.now = clock()
		}
		params := EventListParams{CreatedAt: TimestampFilter{Gte: from, Lt: to}, Limit: 500}
		for e, err := range s.All(ctx, params, slices.Concat(opts, []RequestOption{record, requestOption(tolerateEvents)})...) {
			if err != nil {
				return eventList{}, err
			}
			if list.now.IsZero() { // the later pages' times are too late
				list.now = date()
			}
			list.events = append(list.events, e)
			if limit > 0 && len(list.events) >= limit {
				break
			}
		}
		if list.now.IsZero() {
			list.now = date()
		}
		if list.now.IsZero() {
			return eventList{}, errNoDate
		}
		return list, nil
	}
}

// tolerateEvents is an option that accepts a list of events, or an event, with unreadable numbers: they
// are misfits of their events, as in a webhook.
func tolerateEvents(s *settings) {
	s.tolerates = func(misfits []Misfit) bool {
		for _, m := range misfits {
			_, path, ok := insideList(m.Path, "events")
			if !ok {
				path, ok = strings.CutPrefix(m.Path, "events.")
			}
			if !ok || path == "" || path == "id" {
				return false
			}
		}
		return len(misfits) < jsonwire.MaxMisfits // otherwise, some may be missing
	}
}

// replyDate returns an option for a call, and a function that returns the Date of its last reply.
// It shares the caller's response record, if there is one.
func replyDate() (RequestOption, func() time.Time) {
	var record *Response
	option := requestOption(func(s *settings) {
		if record == nil {
			if record = s.response; record == nil {
				record = new(Response)
			}
		}
		if s.response == nil {
			s.response = record
		}
	})
	return option, func() time.Time {
		if record == nil {
			return time.Time{}
		}
		return parseHTTPTime(headerValue(record.Header, "Date"))
	}
}

// eventWindow is a stretch of history.
type eventWindow struct {
	events []*Event  // oldest first
	end    time.Time // every event before it is in this window or an earlier one
	now    time.Time // the API's time when it listed the window
	last   bool      // there is no later one
}

const (
	windowFirst    = time.Hour
	windowShortest = time.Minute
	windowLongest  = 100 * 365 * 24 * time.Hour // twice as long still fits into a Duration
	windowFull     = 5000                       // events after which a window is made shorter
	windowSparse   = 1000                       // with fewer events, the next window is longer
)

// eventWindows yields the history from a time up to the API's present, in stretches that fit in
// memory. The API lists events from the newest to the oldest, but a run that can be resumed needs
// the oldest first, so each stretch is listed by itself and reversed.
func eventWindows(ctx context.Context, list eventLister, from time.Time) iter.Seq2[eventWindow, error] {
	return func(yield func(eventWindow, error) bool) {
		// The API's times have milliseconds. Rounding down loses nothing, because from is included.
		from = from.Truncate(time.Millisecond)
		for length := windowFirst; ; {
			w, err := readEventWindow(ctx, list, from, length)
			if !yield(w, err) || err != nil || w.last {
				return
			}
			length, from = w.end.Sub(from), w.end
			if len(w.events) < windowSparse {
				length = min(2*length, windowLongest)
			}
		}
	}
}

// readEventWindow lists a window of at most the given length, as long as fits in memory.
func readEventWindow(ctx context.Context, list eventLister, from time.Time, length time.Duration) (eventWindow, error) {
	for {
		limit := windowFull
		if length <= windowShortest {
			limit = 0
		}
		found, err := list(ctx, from, from.Add(length), limit)
		if err != nil {
			return eventWindow{}, err
		}
		if limit == 0 || len(found.events) < limit {
			return found.window(from, from.Add(length)), nil
		}
		length = shorter(found, from, length)
	}
}

// window sorts the events, and ends the window at the API's present if that comes first.
func (l eventList) window(from, end time.Time) eventWindow {
	slices.Reverse(l.events)
	slices.SortStableFunc(l.events, func(a, b *Event) int { return a.CreatedAt.Compare(b.CreatedAt) })
	w := eventWindow{events: l.events, end: end, now: l.now.UTC(), last: l.now.Before(end)}
	if w.last {
		// Events created from now on are not listed. If from is a little ahead of the API's clock,
		// the window is empty rather than negative.
		w.end = later(w.now, from)
	}
	return w
}

// shorter returns the length of the next try after a list that was too long: up to the oldest event
// that was read. It is shorter even if the API returned events outside the range.
func shorter(found eventList, from time.Time, length time.Duration) time.Duration {
	read := found.events[len(found.events)-1].CreatedAt.Sub(from)
	if read >= length {
		read = length / 2
	}
	return max(read, windowShortest)
}
