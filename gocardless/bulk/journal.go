package bulk

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"
)

// State is the outcome of a line.
type State string

// The states.
const (
	// Created means that the resource was created.
	Created State = "created"
	// Existing means that an earlier request with the key created the resource: a request of this
	// run whose reply or record was lost, or one from long ago.
	Existing State = "existing"
	// Failed means that the API, or the check before sending, refused the params. A
	// run sends the line again only when its params have changed, or with
	// [Options.RetryFailed].
	Failed State = "failed"
	// Open means that the outcome is not known: the line is being sent, or its last attempt ended
	// with an error that leaves the outcome open. A run sends it again.
	Open State = "open"
)

// final reports whether the state is not replaced by a later outcome. A slow process may record a
// line that another process has finished in the meantime.
func (s State) final() bool { return s == Created || s == Existing }

// Entry is the record of a line.
type Entry struct {
	Key   string `json:"key"`
	State State  `json:"state"`
	// ID is the id of the resource. Some kinds of resources have no id.
	ID string `json:"id,omitzero"`
	// Error is the class of the error ([gocardless.ErrorClass]) and Message its message, which
	// contains no personal data.
	Error     string    `json:"error,omitzero"`
	Message   string    `json:"message,omitzero"`
	RequestID string    `json:"request_id,omitzero"`
	Attempts  int       `json:"attempts,omitzero"`
	At        time.Time `json:"at,omitzero"`
	// Fingerprint identifies the params of the line.
	Fingerprint string `json:"fingerprint,omitzero"`

	cause error
}

// Header identifies the run that a journal belongs to.
type Header struct {
	Operation   string    `json:"operation"`
	Environment string    `json:"environment"`
	Started     time.Time `json:"started"`
}

// Claim asks for the right to send a line.
type Claim struct {
	Key, Fingerprint string
}

// Verdict is the answer to a claim.
type Verdict uint8

// The verdicts.
const (
	// Granted: the line has no outcome, and this process may send it.
	Granted Verdict = iota
	// Settled: the line has an outcome.
	Settled
	// Busy: another process is sending it.
	Busy
	// Changed: the key belongs to a line with other params.
	Changed
)

// A Journal records the outcomes of a run. It must be safe for concurrent use. The idempotency
// keys, not the journal, keep a create from being carried out twice. Thanks to the journal, lines
// that are done need no request, and the run has a report.
type Journal interface {
	Entries
	// Begin stores the header, or returns the one that is stored.
	Begin(ctx context.Context, h Header) (Header, error)
	// Claim answers claims of different keys, in their order. A line that is granted is busy for
	// other processes until it is recorded or the given time is reached.
	Claim(ctx context.Context, claims []Claim, until time.Time, retryFailed bool) ([]Verdict, error)
	// Record stores outcomes of lines that were granted.
	Record(ctx context.Context, entries []Entry) error
}

// Entries has the records of a run.
type Entries interface {
	// Entries iterates over all lines that were claimed or recorded.
	Entries(ctx context.Context) iter.Seq2[Entry, error]
}

// record is a journal's record of a line.
type record struct {
	Entry
	until time.Time // of the claim
}

// verdict decides a claim. SQLJournal has the same rule in SQL.
func (r *record) verdict(c Claim, now time.Time, retryFailed bool) Verdict {
	same := r.Fingerprint == c.Fingerprint
	switch {
	case r.State == Failed && (retryFailed || !same):
		return Granted
	case !same:
		return Changed
	case r.State != Open:
		return Settled
	case now.Before(r.until):
		return Busy
	}
	return Granted
}

// MemoryJournal is a journal in memory, for tests and for runs that need not be resumed. The zero
// value is ready to use.
type MemoryJournal struct {
	mu     sync.Mutex
	header Header
	lines  map[string]*record
	order  []string
}

// Begin implements [Journal].
func (j *MemoryJournal) Begin(_ context.Context, h Header) (Header, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.header == (Header{}) {
		j.header = h
	}
	return j.header, nil
}

// Claim implements [Journal].
func (j *MemoryJournal) Claim(_ context.Context, claims []Claim, until time.Time, retryFailed bool) ([]Verdict, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	verdicts := make([]Verdict, len(claims))
	for i, c := range claims {
		r := j.line(c.Key, c.Fingerprint)
		if verdicts[i] = r.verdict(c, now, retryFailed); verdicts[i] == Granted {
			r.State, r.Fingerprint, r.until = Open, c.Fingerprint, until
		}
	}
	return verdicts, nil
}

// line returns the record of a key, new if there is none.
func (j *MemoryJournal) line(key, fingerprint string) *record {
	r := j.lines[key]
	if r == nil {
		if j.lines == nil {
			j.lines = map[string]*record{}
		}
		r = &record{Entry: Entry{Key: key, State: Open, Fingerprint: fingerprint}}
		j.lines[key] = r
		j.order = append(j.order, key)
	}
	return r
}

// Record implements [Journal].
func (j *MemoryJournal) Record(_ context.Context, entries []Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range entries {
		if r := j.line(e.Key, e.Fingerprint); !r.State.final() {
			e.cause = nil
			*r = record{Entry: e}
		}
	}
	return nil
}

// Entries implements [Journal], in the order in which the lines were first claimed.
func (j *MemoryJournal) Entries(context.Context) iter.Seq2[Entry, error] {
	j.mu.Lock()
	order := slices.Clone(j.order)
	lines := maps.Clone(j.lines)
	j.mu.Unlock()
	return func(yield func(Entry, error) bool) {
		for _, key := range order {
			j.mu.Lock()
			e := lines[key].Entry
			j.mu.Unlock()
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Check returns an error if the journal belongs to another run, and [ErrTooOld] if its run began
// more than 29 days ago, unless allowOld is set.
func (h Header) Check(want Header, allowOld bool) error {
	switch {
	case h.Operation != want.Operation:
		return fmt.Errorf("bulk: the run is of the operation %s, not of %s", h.Operation, want.Operation)
	case h.Environment != want.Environment:
		return fmt.Errorf("bulk: the run is of the environment %s, not of %s", h.Environment, want.Environment)
	case !allowOld && want.Started.Sub(h.Started) > keyLifetime:
		return fmt.Errorf("%w: it began on %s", ErrTooOld, h.Started.UTC().Format(time.DateOnly))
	}
	return nil
}
