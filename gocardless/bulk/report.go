package bulk

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Report counts the lines of a run. Each line is in one of the counts below Lines.
type Report struct {
	// Lines is how many lines were read.
	Lines int
	// Created, Existing, Failed and Open count the outcomes of this call of [Run]; see
	// [State]. After a dry run Created counts the lines that would be sent, and Failed
	// those that would be refused before sending.
	Created, Existing, Failed, Open int
	// Settled lines had an outcome before, or got one from another process.
	Settled int
	// Repeated lines have the key and params of another line, and were sent only once.
	Repeated int
	// Busy lines are being sent by other processes.
	Busy int
	// Elapsed is how long the call has taken.
	Elapsed time.Duration
}

// String returns the counts.
func (r Report) String() string {
	return fmt.Sprintf("%d lines: %d created, %d existing, %d failed, %d open, %d settled before, %d repeated, %d busy, in %s",
		r.Lines, r.Created, r.Existing, r.Failed, r.Open, r.Settled, r.Repeated, r.Busy, r.Elapsed.Round(time.Millisecond))
}

// WriteCSV writes a line for each entry of a journal, after a heading.
func WriteCSV(ctx context.Context, w io.Writer, journal Entries) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"key", "state", "id", "error", "message", "request_id", "attempts", "at"}); err != nil {
		return err
	}
	for e, err := range journal.Entries(ctx) {
		if err != nil {
			return err
		}
		at := ""
		if !e.At.IsZero() {
			at = e.At.UTC().Format(time.RFC3339)
		}
		if err := out.Write([]string{e.Key, string(e.State), e.ID, e.Error, e.Message, e.RequestID, strconv.Itoa(e.Attempts), at}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// dryRun checks the lines against a copy of the journal.
func dryRun(ctx context.Context, jobs iter.Seq[job], journal Journal, options Options) (Report, error) {
	r := &runner{options: options, began: time.Now()}
	known, settled, err := settledLines(ctx, journal)
	if err != nil {
		return Report{}, err
	}
	for j := range jobs {
		if err := cmp.Or(ctx.Err(), j.err); err != nil {
			return r.snapshot(), err
		}
		f, err := j.fingerprint()
		if err != nil {
			return r.snapshot(), fmt.Errorf("bulk: the line with key %q: %w", j.key, err)
		}
		r.report.Lines++
		verdicts, _ := known.Claim(ctx, []Claim{{j.key, f}}, time.Now().Add(options.Lease), options.RetryFailed)
		switch verdict := verdicts[0]; {
		case verdict == Granted:
			delete(settled, j.key)
			r.dryLine(j)
		case verdict == Changed:
			return r.snapshot(), fmt.Errorf("%w: %s", ErrKeyReused, j.key)
		case settled[j.key]:
			r.report.Settled++
		default:
			r.report.Repeated++
		}
		r.progress()
	}
	return r.snapshot(), nil
}

// settledLines returns the lines of a journal that a run would not send again, as a journal and as a
// set of keys.
func settledLines(ctx context.Context, journal Entries) (*MemoryJournal, map[string]bool, error) {
	known, settled := new(MemoryJournal), map[string]bool{}
	for e, err := range journal.Entries(ctx) {
		if err != nil {
			return nil, nil, err
		}
		if e.State != Open {
			_ = known.Record(ctx, []Entry{e})
			settled[e.Key] = true
		}
	}
	return known, settled, nil
}

// dryLine checks a line as [Create.Step] does before it sends.
func (r *runner) dryLine(j job) {
	err := errors.Join(gocardless.CheckIdempotencyKey(j.key), j.validate())
	e := j.entry(Created, nil)
	if err != nil {
		e = j.entry(Failed, err)
		r.report.Failed++
	} else {
		r.report.Created++
	}
	if r.options.OnEntry != nil {
		r.options.OnEntry(e)
	}
}
