package gocardless

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// history is an events API: it lists what was created in a range, newest first. Its clock is
// ahead of the local one by ahead.
type history struct {
	events []Event
	lists  int
	read   int
	fail   error
	ahead  time.Duration
}

func (h *history) now() time.Time { return time.Now().Add(h.ahead) }

func (h *history) add(id string, created time.Time) {
	h.events = append(h.events, Event{ID: id, CreatedAt: created, ResourceType: "payments", Action: "failed"})
}

func (h *history) list(_ context.Context, from, to time.Time, limit int) (eventList, error) {
	h.lists++
	if h.fail != nil {
		return eventList{}, h.fail
	}
	list := eventList{now: h.now()}
	found := slices.DeleteFunc(slices.Clone(h.events), func(e Event) bool {
		return e.CreatedAt.Before(from) || !e.CreatedAt.Before(to) || !e.CreatedAt.Before(list.now)
	})
	slices.SortStableFunc(found, func(a, b Event) int { return b.CreatedAt.Compare(a.CreatedAt) })
	for i := range found {
		if limit > 0 && i == limit {
			break
		}
		h.read++
		list.events = append(list.events, &found[i])
	}
	return list, nil
}

// catchUpBed is a catch-up with a history, in a synctest bubble.
type catchUpBed struct {
	EventCatchUp
	history history
	store   MemoryEventStore
	seen    []string
	failing map[string]error
}

func newCatchUp() *catchUpBed {
	b := &catchUpBed{failing: map[string]error{}}
	b.Store = &b.store
	b.list = b.history.list
	b.From = time.Now()
	b.Handler = EventHandlerFunc(func(_ context.Context, e Event) error {
		if err := b.failing[e.ID]; err != nil {
			return err
		}
		b.seen = append(b.seen, e.ID)
		return nil
	})
	return b
}

func (b *catchUpBed) run(t *testing.T, wantSeen string) CatchUpReport {
	t.Helper()
	b.seen = nil
	report, err := b.Run(t.Context())
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := strings.Join(b.seen, " "); got != wantSeen {
		t.Errorf("handled %q, want %q", got, wantSeen)
	}
	return report
}

func TestCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		start := time.Now()
		b.history.add("before", start.Add(-time.Second))
		b.history.add("EV1", start)
		b.history.add("EV3", start.Add(3*time.Hour))
		b.history.add("EV2", start.Add(2*time.Hour))
		time.Sleep(4 * time.Hour)

		// EV2 arrived by webhook.
		if err := Once(&b.store, b.Handler).HandleEvent(t.Context(), b.history.events[3]); err != nil {
			t.Error(err)
		}
		r := b.run(t, "EV1 EV3")
		if r.Handled != 2 || r.Duplicates != 1 || !r.Checkpoint.CreatedAt.Equal(time.Now()) || r.Checkpoint.EventID != "EV3" {
			t.Errorf("report = %+v", r)
		}

		// Later runs begin an hour before the checkpoint: EV4 shows up late.
		b.history.add("EV4", time.Now().Add(-50*time.Minute))
		time.Sleep(10 * time.Minute)
		b.history.add("EV5", time.Now().Add(-time.Minute))
		if r := b.run(t, "EV4 EV5"); r.Since != start.Add(3*time.Hour).UTC() {
			t.Errorf("began at %s", r.Since)
		}
		if r := b.run(t, ""); r.Handled != 0 {
			t.Errorf("report = %+v", r)
		}
	})
}

// The checkpoint stays before an event that failed, until it is done; others are not held up.
func TestCatchUpFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		var log bytes.Buffer
		b.Logger = slog.New(slog.NewTextHandler(&log, nil))
		start := time.Now()
		for i, id := range []string{"EV1", "EV2", "EV3", "EV4"} {
			b.history.add(id, start.Add(time.Duration(i)*10*time.Hour))
		}
		time.Sleep(100 * time.Hour)
		failure := errors.New("failed")
		b.failing["EV2"], b.failing["EV3"] = failure, failure
		for range 3 {
			r, err := b.Run(t.Context())
			if !errors.Is(err, failure) || !strings.Contains(err.Error(), "EV2") || !strings.Contains(err.Error(), "1 more") {
				t.Errorf("error = %v", err)
			}
			if r.Failed != 2 || !r.Checkpoint.CreatedAt.Equal(start.Add(10*time.Hour)) || r.Checkpoint.EventID != "EV1" {
				t.Errorf("report = %+v", r)
			}
			time.Sleep(time.Hour)
		}
		if got := strings.Join(b.seen, " "); got != "EV1 EV4" {
			t.Errorf("handled %q", got)
		}
		if !strings.Contains(log.String(), "EV2") || strings.Contains(log.String(), "EV1") {
			t.Errorf("log = %s", &log)
		}
		b.failing = nil
		if r := b.run(t, "EV2 EV3"); !r.Checkpoint.CreatedAt.Equal(time.Now()) {
			t.Errorf("report = %+v", r)
		}
	})
}

// A parked event holds the checkpoint only for a while; a busy one holds it until it is done.
func TestCatchUpParkedAndBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		b.store.MaxAttempts = 2
		start := time.Now()
		b.history.add("EV1", start.Add(time.Hour))
		b.failing["EV1"] = errors.New("poison")
		time.Sleep(5 * time.Hour)
		for range 2 {
			if r, err := b.Run(t.Context()); err == nil || !r.Checkpoint.CreatedAt.Equal(start.Add(time.Hour)) {
				t.Errorf("report = %+v, %v", r, err)
			}
		}
		if r := b.run(t, ""); r.Parked != 1 || !r.Checkpoint.CreatedAt.Equal(time.Now()) {
			t.Errorf("report = %+v", r)
		}

		b.history.add("EV2", time.Now().Add(time.Minute))
		created := b.history.events[1].CreatedAt
		time.Sleep(time.Hour)
		_, err := b.store.HandleOnce(t.Context(), b.history.events[1], func(context.Context) error {
			if r := b.run(t, ""); r.Busy != 1 || !r.Checkpoint.CreatedAt.Equal(created) {
				t.Errorf("report = %+v", r)
			}
			return errors.New("the other worker fails")
		})
		if err == nil {
			t.Error("no error")
		}
		b.run(t, "EV2")
	})
}

// A run after one that was interrupted resumes where that one stopped.
func TestCatchUpStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		for i := range 20 {
			b.history.add(fmt.Sprintf("EV%02d", i), time.Now().Add(time.Duration(i)*time.Hour))
		}
		time.Sleep(30 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		handler := b.Handler
		b.Handler = EventHandlerFunc(func(c context.Context, e Event) error {
			if e.ID == "EV07" {
				cancel()
			}
			return handler.HandleEvent(c, e)
		})
		r, err := b.Run(ctx)
		if !errors.Is(err, context.Canceled) || r.Handled != 8 {
			t.Errorf("report = %+v, %v", r, err)
		}
		before := b.history.read
		b.run(t, "EV08 EV09 EV10 EV11 EV12 EV13 EV14 EV15 EV16 EV17 EV18 EV19")
		if again := b.history.read - before; again > 20-3+1 {
			t.Errorf("the second run read %d events: not from the checkpoint", again)
		}

		b.history.fail = errors.New("unavailable")
		if _, err := b.Run(t.Context()); !errors.Is(err, b.history.fail) {
			t.Errorf("error = %v", err)
		}
	})
}

// A long outage with a burst in it is read in stretches that fit in memory, without a gap.
func TestCatchUpWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC()
		var h history
		for i := range 30 { // a quiet month
			h.add(fmt.Sprintf("quiet%02d", i), start.Add(time.Duration(i)*24*time.Hour))
		}
		for i := range 12_000 { // a run of payments within ten minutes
			h.add(fmt.Sprintf("burst%05d", i), start.Add(20*24*time.Hour+time.Duration(i)*50*time.Millisecond))
		}
		for i := range 6_000 { // more at one instant than a stretch should have
			h.add(fmt.Sprintf("instant%04d", i), start.Add(25*24*time.Hour))
		}
		var last time.Time
		end := start
		seen := map[string]bool{}
		h.ahead = time.Until(start.Add(30 * 24 * time.Hour))
		for w, err := range eventWindows(t.Context(), h.list, start) {
			if err != nil {
				t.Fatal(err)
			}
			if len(w.events) > windowFull+1500 {
				t.Errorf("%d events in one stretch", len(w.events))
			}
			if !w.end.After(end) {
				t.Fatalf("stretch ends at %s, not after %s", w.end, end)
			}
			for _, e := range w.events {
				if e.CreatedAt.Before(last) || e.CreatedAt.Before(end) || !e.CreatedAt.Before(w.end) {
					t.Fatalf("event %s out of order", e.ID)
				}
				last = e.CreatedAt
				if seen[e.ID] {
					t.Fatalf("event %s twice", e.ID)
				}
				seen[e.ID] = true
			}
			end = w.end
		}
		if len(seen) != len(h.events) || !end.Equal(start.Add(30*24*time.Hour)) {
			t.Errorf("%d of %d events, up to %s", len(seen), len(h.events), end)
		}
		if h.lists > 60 || h.read > 5*len(h.events) {
			t.Errorf("%d lists, %d events read for %d", h.lists, h.read, len(h.events))
		}
	})
}

func TestCatchUpRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type plain struct{ EventStore }
		for name, spoil := range map[string]func(*catchUpBed){
			"Client":      func(b *catchUpBed) { b.list = nil },
			"Store":       func(b *catchUpBed) { b.Store = nil },
			"Handler":     func(b *catchUpBed) { b.Handler = nil },
			"Checkpoints": func(b *catchUpBed) { b.Store = plain{&b.store} },
			"Overlap":     func(b *catchUpBed) { b.Overlap = 25 * time.Hour },
			"From":        func(b *catchUpBed) { b.From = time.Time{} },
		} {
			b := newCatchUp()
			spoil(b)
			if _, err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		b := newCatchUp()
		b.Store = plain{&b.store}
		b.Checkpoints = &b.store
		b.run(t, "")

		// Events that the store has forgotten must not be read again.
		b = newCatchUp()
		b.store.Retention = time.Hour
		old := Event{ID: "EV1", CreatedAt: time.Now()}
		ok := func(context.Context) error { return nil }
		_, _ = b.store.HandleOnce(t.Context(), old, ok)
		time.Sleep(2 * time.Hour)
		b.From = old.CreatedAt.Add(-time.Minute)
		if _, err := b.Run(t.Context()); !errors.Is(err, ErrEventsForgotten) {
			t.Errorf("error = %v, want ErrEventsForgotten", err)
		}
		if p, _ := b.store.EventCheckpoint(t.Context(), "default"); !p.CreatedAt.IsZero() {
			t.Errorf("a run that was refused left the checkpoint %+v", p)
		}
		b.From = old.CreatedAt.Add(time.Minute)
		b.run(t, "")
	})
}

// What a first run is about to read is not forgotten while it runs, however old.
func TestCatchUpKeepsWhatItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		b.store.Retention = 10 * time.Hour
		for i := range 5 {
			b.history.add(fmt.Sprintf("EV%d", i), time.Now().Add(time.Duration(i)*time.Minute))
		}
		time.Sleep(time.Hour)
		for _, e := range b.history.events { // all arrived by webhook
			if err := Once(&b.store, b.Handler).HandleEvent(t.Context(), e); err != nil {
				t.Error(err)
			}
		}
		b.history.add("EV5", time.Now())
		time.Sleep(9*time.Hour + 59*time.Minute)
		slow := b.history.list
		b.list = func(ctx context.Context, from, to time.Time, limit int) (eventList, error) {
			time.Sleep(time.Hour)
			return slow(ctx, from, to, limit)
		}
		if r := b.run(t, "EV5"); r.Duplicates != 5 {
			t.Errorf("report = %+v", r)
		}
	})
}

// A run begins with the events of its first millisecond, so that millisecond has to be
// remembered too.
func TestCatchUpFromTheHorizon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		b.store.Retention = time.Hour
		created := time.Now().Truncate(time.Second)
		b.history.add("EV1", created)
		if err := Once(&b.store, b.Handler).HandleEvent(t.Context(), b.history.events[0]); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Hour)
		for _, from := range []time.Time{created, created.Add(999 * time.Microsecond)} {
			b.From = from
			if r, err := b.Run(t.Context()); !errors.Is(err, ErrEventsForgotten) || r.Handled != 0 {
				t.Errorf("from %s after the horizon: %+v, %v", from.Sub(created), r, err)
			}
		}
		b.From = created.Add(time.Millisecond)
		if r, err := b.Run(t.Context()); err != nil || r.Handled != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestCatchUpOrganisation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		b.Organisation = "OR1"
		b.history.add("EV1", time.Now())
		time.Sleep(time.Hour)
		var organisation string
		b.Handler = EventHandlerFunc(func(_ context.Context, e Event) error { organisation = e.Organisation(); return nil })
		b.run(t, "")
		if organisation != "OR1" {
			t.Errorf("organisation = %q", organisation)
		}
		if p, _ := b.store.EventCheckpoint(t.Context(), "OR1"); p.EventID != "EV1" {
			t.Errorf("checkpoint = %+v", p)
		}
		if p, _ := b.store.EventCheckpoint(t.Context(), "default"); !p.CreatedAt.IsZero() {
			t.Errorf("default checkpoint = %+v", p)
		}
	})
}

// The requests of a catch-up and of Since.
func TestEventsSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
		time.Sleep(time.Until(start.Add(30 * time.Minute)))
		var requests []string
		client, err := New("token", EnvironmentSandbox, WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			requests = append(requests, r.Method+" "+r.URL.Path+"?"+strings.Join(slices.Sorted(func(yield func(string) bool) {
				for k, v := range r.URL.Query() {
					if !yield(k + "=" + v[0]) {
						return
					}
				}
			}), "&"))
			body := `{"events":[{"id":"EV3","created_at":"2026-05-04T09:20:00.000Z","resource_type":"payments","action":"failed"},` +
				`{"id":"EV2","created_at":"2026-05-04T09:00:00.500Z","resource_type":"payments","action":"failed"},` +
				`{"id":"EV1","created_at":"2026-05-04T09:00:00.500Z","resource_type":"payments","action":"failed"}],"meta":{"cursors":{"before":null,"after":null},"limit":500}}`
			if strings.HasSuffix(r.URL.Path, "/EV1") {
				body = `{"events":{"id":"EV1","created_at":"2026-05-04T09:00:00.500Z","resource_type":"payments","action":"failed"}}`
			}
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}, "Date": {httpDate(time.Now())}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})}))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for e, err := range client.Events.Since(t.Context(), "EV1") {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, e.ID)
		}
		if fmt.Sprint(ids) != "[EV2 EV3]" {
			t.Errorf("events = %v", ids)
		}
		want := "[GET /events/EV1? GET /events?created_at[gte]=2026-05-04T09:00:00.5Z&created_at[lt]=2026-05-04T10:00:00.5Z&limit=500]"
		if fmt.Sprint(requests) != want {
			t.Errorf("requests = %v\nwant %s", requests, want)
		}

		requests = nil
		var store MemoryEventStore
		catchUp := EventCatchUp{Client: client, Store: &store, From: start, Handler: NewEventMux()}
		if r, err := catchUp.Run(t.Context()); err != nil || r.Handled != 3 {
			t.Errorf("report = %+v, %v", r, err)
		}
		want = "[GET /events?created_at[gte]=2026-05-04T09:00:00Z&created_at[lt]=2026-05-04T10:00:00Z&limit=500]"
		if fmt.Sprint(requests) != want {
			t.Errorf("requests = %v\nwant %s", requests, want)
		}
	})
}

// The checkpoint is a time of the API's clock: a run on a machine whose clock is ahead loses
// nothing between the two, and one whose clock is behind reads up to the present.
func TestCatchUpOnTheServersClock(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"local clock ahead": -3 * time.Hour, "local clock behind": 3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newCatchUp()
				b.history.ahead = ahead
				b.From = b.history.now()
				b.history.add("EV1", b.history.now())
				time.Sleep(time.Second)
				if r := b.run(t, "EV1"); !r.Checkpoint.CreatedAt.Equal(b.history.now()) {
					t.Errorf("checkpoint %s, the API's clock says %s", r.Checkpoint.CreatedAt, b.history.now())
				}
				time.Sleep(time.Minute)
				b.history.add("EV2", b.history.now())
				time.Sleep(3 * time.Hour)
				b.history.add("EV3", b.history.now())
				time.Sleep(time.Second)
				b.run(t, "EV2 EV3")
			})
		})
	}
}

// A checkpoint that a wrong clock left in the future is an error, not a run that finds nothing.
func TestCatchUpFromTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		b.history.add("EV1", time.Now())
		time.Sleep(time.Minute)
		future := EventCheckpoint{CreatedAt: time.Now().Add(3 * time.Hour)}
		if err := b.store.SetEventCheckpoint(t.Context(), "default", future); err != nil {
			t.Fatal(err)
		}
		if r, err := b.Run(t.Context()); !errors.Is(err, ErrCheckpointAhead) || r.Handled != 0 {
			t.Errorf("report = %+v, %v", r, err)
		}
		if !b.store.DeleteEventCheckpoint("default") || b.store.DeleteEventCheckpoint("default") {
			t.Error("DeleteEventCheckpoint does not report whether there was one")
		}
		b.run(t, "EV1")

		b = newCatchUp()
		b.From = time.Now().Add(500 * time.Millisecond) // the Date header has seconds
		b.run(t, "")
	})
}

// dated is an events API whose replies have the given header and one event.
func dated(t *testing.T, header http.Header) *Client {
	client, err := New("token", EnvironmentSandbox, WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		body := `{"events":[{"id":"EV1","created_at":"2026-05-04T09:20:00.000Z","resource_type":"payments","action":"failed"}],"meta":{"cursors":{},"limit":500}}`
		if r.URL.Path != "/events" {
			body = `{"events":{"id":"EV0","created_at":"2026-05-04T09:00:00.000Z","resource_type":"payments","action":"failed"}}`
		}
		return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// If the replies have no Date, the local clock is not used instead: Clock has to be set.
func TestCatchUpWithoutDate(t *testing.T) {
	for _, date := range []string{"", "yesterday"} {
		header := http.Header{"Content-Type": {"application/json"}}
		if date != "" {
			header.Set("Date", date)
		}
		var store MemoryEventStore
		catchUp := EventCatchUp{Client: dated(t, header), Store: &store, From: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC), Handler: NewEventMux()}
		if _, err := catchUp.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "EventCatchUp.Clock") {
			t.Errorf("Date %q: error = %v", date, err)
		}
		now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
		catchUp.Clock = func() time.Time { return now }
		if r, err := catchUp.Run(t.Context()); err != nil || r.Handled != 1 || !r.Checkpoint.CreatedAt.Equal(now) {
			t.Errorf("Date %q with a clock: %+v, %v", date, r, err)
		}
	}
}

// A caller's response record is filled as in any other call.
func TestSinceKeepsTheCallersRecord(t *testing.T) {
	header := http.Header{"Content-Type": {"application/json"}, "Date": {"Mon, 04 May 2026 09:30:00 GMT"}, "X-Request-Id": {"RQ1"}}
	for _, more := range [][]RequestOption{nil, {WithPrefetch(2)}} {
		var r Response
		n := 0
		for _, err := range dated(t, header).Events.Since(t.Context(), "EV0", append(more, WithResponse(&r))...) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 1 || r.RequestID != "RQ1" || r.StatusCode != 200 {
			t.Errorf("%d events, record %+v", n, r)
		}
	}
}

// Windows that grow for thousands of years stay in order and end at the API's present.
func TestEventWindowsOfAges(t *testing.T) {
	day := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ from, now time.Time }{
		"from the first year": {time.Time{}.Add(time.Hour), day},
		"up to the last year": {day, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
	} {
		end, n := c.from, 0
		list := func(_ context.Context, from, to time.Time, _ int) (eventList, error) {
			if n++; n > 200 || !from.Equal(end) || !to.After(from) {
				return eventList{}, fmt.Errorf("window %d from %s to %s", n, from, to)
			}
			return eventList{now: c.now}, nil
		}
		for w, err := range eventWindows(t.Context(), list, c.from) {
			if end = w.end; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !end.Equal(c.now) {
			t.Errorf("%s: the last window ends at %s", name, end)
		}
	}
}

// Without the time of its event, Since has nowhere to begin.
func TestSinceAnEventWithoutTime(t *testing.T) {
	c, s := scripted(t, replyWith(200, `{"events":{"id":"EV1","created_at":1700000000,"resource_type":"payments","action":"failed"}}`))
	n := 0
	for _, err := range c.Events.Since(t.Context(), "EV1") {
		if e := as[*MalformedResponseError](t, err); e.ResourceID != "EV1" || !errors.Is(err, ErrMisfit) {
			t.Errorf("got %v", err)
		}
		n++
	}
	if n != 1 || len(s.requests()) != 1 {
		t.Errorf("%d results of %d requests", n, len(s.requests()))
	}
}

// A number that cannot be read holds up neither its event nor the others, as in a webhook. A list
// without a readable id or cursor is an error.
func TestCatchUpOddNumber(t *testing.T) {
	const good = `{"id":"EV1","resource_type":"payments","action":"failed","created_at":"2026-05-04T09:00:00Z","details":{"item_count":7}}`
	odd := strings.NewReplacer("EV1", "EV2", "7", `"some"`).Replace(good)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"number": {`{"events":[` + odd + "," + good + `],"meta":{"cursors":{"after":null}}}`, 2},
		"id":     {`{"events":[` + odd + "," + strings.Replace(good, `"EV1"`, "1", 1) + `]}`, 0},
		"cursor": {`{"events":[` + odd + "," + good + `],"meta":{"cursors":{"after":[]}}}`, 0},
		"event":  {`{"events":[` + odd + `,"EV1"]}`, 0},
	} {
		client, s := scripted(t, replyWith(200, c.body, "Date", httpDate(time.Now())))
		var seen, misfits int
		catchUp := EventCatchUp{Client: client, Store: new(MemoryEventStore), From: time.Now().Add(-time.Minute), Handler: EventHandlerFunc(func(_ context.Context, e Event) error {
			seen, misfits = seen+1, misfits+len(e.Misfits)
			return nil
		})}
		_, err := catchUp.Run(t.Context())
		if seen != c.want || misfits != c.want/2 || (err == nil) != (c.want > 0) || len(s.requests()) != 1 {
			t.Errorf("%s: %d events with %d misfits after %d requests, %v", name, seen, misfits, len(s.requests()), err)
		}
	}
}

// An event with an unreadable number does not keep Since from the events after it, unless it lacks what
// Since needs of it.
func TestEventsSinceAnOddNumber(t *testing.T) {
	for event, want := range map[string]int{
		`{"id":"EV1","created_at":"2026-05-04T09:00:00Z","details":{"item_count":"some"}}`: 1,
		`{"id":7,"created_at":"2026-05-04T09:00:00Z","details":{"item_count":"some"}}`:     0,
		`{"id":"EV1","created_at":"soon","details":{"item_count":"some"}}`:                 0,
	} {
		c, _ := scripted(t, replyWith(200, `{"events":`+event+`}`),
			replyWith(200, `{"events":[{"id":"EV2","resource_type":"payments","action":"failed"}]}`, "Date", httpDate(time.Now())))
		seen := 0
		var failed error
		for e, err := range c.Events.Since(t.Context(), "EV1") {
			if failed = err; err == nil && e.ID == "EV2" {
				seen++
			}
			if seen > 1 {
				break
			}
		}
		if min(seen, 1) != want || want == 0 && !errors.Is(failed, ErrMisfit) {
			t.Errorf("%s: %d events, %v", event, seen, failed)
		}
	}
}
