package bulk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Options configures a run. The zero value has the defaults.
type Options struct {
	// Workers is how many requests are made at the same time, up to 64: 16 when zero.
	Workers int
	// DryRun checks all lines, without sending anything or changing the journal.
	DryRun bool
	// RetryFailed sends the lines again that the API refused before.
	RetryFailed bool
	// MaxErrorRate stops the run when more than this part of the last 100 lines failed
	// or stayed open: 0.1 when zero, 1 for never.
	MaxErrorRate float64
	// AllowOld resumes a run that began more than 29 days ago; see [ErrTooOld].
	AllowOld bool
	// Lease is the time that a claimed line belongs to a process if it is not recorded, because the
	// process crashed: 5 minutes when zero. A line that takes longer may be sent by two processes,
	// which costs only a request.
	Lease time.Duration
	// Progress is called with the state of the run while it proceeds, and OnEntry with each outcome.
	// The calls do not overlap.
	Progress func(Report)
	OnEntry  func(Entry)
}

const (
	defaultWorkers   = 16
	maxWorkers       = 64
	defaultErrorRate = 0.1
	errorWindow      = 100
	defaultLease     = 5 * time.Minute
	// The API keeps a key for 30 days at least.
	keyLifetime = 29 * 24 * time.Hour
	// The journal may take this long to record outcomes once the context has ended.
	recordTimeout = 30 * time.Second
)

var (
	// ErrIncomplete means that lines are open. Run the same lines with the same journal
	// again to finish them.
	ErrIncomplete = errors.New("bulk: lines are open")
	// ErrErrorRate means that the run stopped because too many lines failed.
	ErrErrorRate = errors.New("bulk: too many lines failed")
	// ErrKeyReused means that a key belongs to a line with other params: two lines have
	// the same key, or the line has changed since it was sent.
	ErrKeyReused = errors.New("bulk: the key belongs to a line with other params")
	// ErrTooOld means that the run began more than 29 days ago. The API may have forgotten its keys
	// since then, so a line that was sent but not recorded could be created twice. Check the open
	// lines before you set [Options.AllowOld].
	ErrTooOld = errors.New("bulk: the API may have forgotten the keys of this run")

	errWorker = errors.New("bulk: the transport panicked or ended its goroutine")
)

func (o *Options) check() error {
	if o.Workers < 0 || o.Workers > maxWorkers {
		return fmt.Errorf("bulk: Options.Workers: must be between 1 and %d", maxWorkers)
	}
	if o.MaxErrorRate < 0 || o.MaxErrorRate > 1 {
		return errors.New("bulk: Options.MaxErrorRate: must be between 0 and 1")
	}
	if o.Lease < 0 {
		return errors.New("bulk: Options.Lease: must not be negative")
	}
	if o.Workers == 0 {
		o.Workers = defaultWorkers
	}
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	return nil
}

// Run sends a create request for each line without an outcome in the journal. It returns nil when
// all lines have an outcome, and otherwise the reason: [ErrIncomplete], [ErrErrorRate], or the
// error of the context, of a line, of the journal, or of the API if it refuses every request. To
// continue, call it again.
//
// The lines must be the same each time, and the sequence must start again from the first line each
// time it is ranged over: with several processes, Run returns to lines that another process claimed
// and did not finish. Request options apply to each create.
//
// A line that the API refuses does not end the run; see Report.Failed and the journal. When its
// context ends, Run first records the outcomes that it knows.
func Run[P, R any](ctx context.Context, client *gocardless.Client, c Create[P, R], lines iter.Seq[Line[P]], journal Journal, options Options, opts ...gocardless.RequestOption) (Report, error) {
	jobs := func(yield func(job) bool) {
		for line := range lines {
			if !yield(c.job(client, line, opts)) {
				return
			}
		}
	}
	header := Header{Operation: c.operation, Started: time.Now().UTC().Truncate(time.Millisecond)}
	if client != nil {
		header.Environment = string(client.Environment())
	}
	return run(ctx, header, jobs, journal, options)
}

func run(ctx context.Context, header Header, jobs iter.Seq[job], journal Journal, options Options) (Report, error) {
	switch {
	case header.Operation == "":
		return Report{}, errors.New("bulk: the create must be one of this package's variables")
	case header.Environment == "":
		return Report{}, errors.New("bulk: the client must not be nil")
	case journal == nil:
		return Report{}, errors.New("bulk: the journal must not be nil")
	}
	if err := options.check(); err != nil {
		return Report{}, err
	}
	if options.DryRun {
		return dryRun(ctx, jobs, journal, options)
	}
	stored, err := journal.Begin(ctx, header)
	if err == nil {
		err = stored.Check(header, options.AllowOld)
	}
	if err != nil {
		return Report{}, err
	}
	r := &runner{journal: journal, options: options, began: time.Now(), inFlight: map[string]string{}, errors: ErrorRate{Max: options.MaxErrorRate}}
	r.intake, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	err = r.passes(ctx, jobs)
	if r.panicked != nil {
		panic(r.panicked)
	}
	report := r.snapshot()
	if err == nil && report.Open > 0 {
		err = fmt.Errorf("%w: %d of %d", ErrIncomplete, report.Open, report.Lines)
	}
	return report, err
}

// runner is a run in progress.
type runner struct {
	journal Journal
	options Options
	began   time.Time

	// intake ends when no further lines are to be sent.
	intake context.Context
	stop   context.CancelCauseFunc

	calling sync.Mutex // the caller's functions are called one at a time

	mu       sync.Mutex
	report   Report
	errors   ErrorRate
	inFlight map[string]string // fingerprints of the lines being sent, by key
	panicked any
}

// passes goes over the lines until no other process holds any of them.
func (r *runner) passes(ctx context.Context, jobs iter.Seq[job]) error {
	for {
		if err := r.pass(ctx, jobs); err != nil {
			return err
		}
		if r.snapshot().Busy == 0 {
			return nil
		}
		// Another process is sending these lines, or has crashed.
		timer := time.NewTimer(r.options.Lease / 4)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// pass goes over the lines once.
func (r *runner) pass(ctx context.Context, jobs iter.Seq[job]) (err error) {
	// The journal reports the lines of earlier passes as settled: they are already counted.
	r.mu.Lock()
	own := r.report.Created + r.report.Existing + r.report.Failed
	r.report.Lines, r.report.Repeated, r.report.Settled, r.report.Busy, r.report.Open = 0, 0, -own, 0, 0
	r.mu.Unlock()
	work, outcomes := make(chan job), make(chan Entry)
	var workers, recorder sync.WaitGroup
	for range r.options.Workers {
		workers.Go(func() { r.work(ctx, work, outcomes) })
	}
	recorder.Go(func() { r.recordAll(ctx, outcomes) })
	defer func() {
		close(work)
		workers.Wait()
		close(outcomes)
		recorder.Wait()
		if cause := context.Cause(r.intake); cause != nil {
			err = cause
		}
	}()
	return r.feed(ctx, jobs, work)
}

// feed claims the lines and passes those granted to the workers.
func (r *runner) feed(ctx context.Context, jobs iter.Seq[job], work chan<- job) error {
	batch := make([]job, 0, 2*r.options.Workers)
	for j := range jobs {
		if r.intake.Err() != nil {
			return nil
		}
		if j.err != nil {
			r.stop(j.err)
			return nil
		}
		if batch = append(batch, j); len(batch) == cap(batch) {
			if err := r.claim(ctx, batch, work); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return r.claim(ctx, batch, work)
}

// claim asks the journal for a batch of lines.
func (r *runner) claim(ctx context.Context, batch []job, work chan<- job) error {
	claims, jobs, err := r.distinct(batch)
	if err != nil || len(claims) == 0 {
		return err
	}
	verdicts, err := r.journal.Claim(ctx, claims, time.Now().Add(r.options.Lease), r.options.RetryFailed)
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		switch v {
		case Granted:
			r.mu.Lock()
			r.inFlight[claims[i].Key] = claims[i].Fingerprint
			r.mu.Unlock()
			select {
			case work <- jobs[i]:
			case <-r.intake.Done():
				r.release(jobs[i:], claims[i:], verdicts[i:])
				return nil
			}
		case Changed:
			r.release(jobs[i:], claims[i:], verdicts[i:])
			return fmt.Errorf("%w: %s", ErrKeyReused, claims[i].Key)
		case Settled:
			r.count(func(p *Report) { p.Settled++ })
		case Busy:
			r.count(func(p *Report) { p.Busy++ })
		}
	}
	r.progress()
	return nil
}

// release gives back lines that were granted and will not be sent.
func (r *runner) release(jobs []job, claims []Claim, verdicts []Verdict) {
	var entries []Entry
	for i, v := range verdicts {
		if v == Granted {
			e := jobs[i].entry(Open, nil)
			e.Fingerprint = claims[i].Fingerprint
			entries = append(entries, e)
			r.count(func(p *Report) { p.Open++ })
		}
	}
	if entries == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.intake), recordTimeout)
	defer cancel()
	_ = r.journal.Record(ctx, entries) // otherwise the claims run out
}

// distinct drops lines whose key is in flight or earlier in the batch.
func (r *runner) distinct(batch []job) ([]Claim, []job, error) {
	claims, jobs := make([]Claim, 0, len(batch)), make([]job, 0, len(batch))
	seen := map[string]string{}
	for _, j := range batch {
		f, err := j.fingerprint()
		if err != nil {
			return nil, nil, fmt.Errorf("bulk: the line with key %q: %w", j.key, err)
		}
		r.mu.Lock()
		r.report.Lines++
		other, again := r.inFlight[j.key]
		if !again {
			other, again = seen[j.key]
		}
		if again && other == f {
			r.report.Repeated++
		}
		r.mu.Unlock()
		switch {
		case again && other != f:
			return nil, nil, fmt.Errorf("%w: %s", ErrKeyReused, j.key)
		case !again:
			seen[j.key] = f
			claims, jobs = append(claims, Claim{j.key, f}), append(jobs, j)
		}
	}
	return claims, jobs, nil
}

// work sends lines until the channel is closed.
func (r *runner) work(ctx context.Context, work <-chan job, outcomes chan<- Entry) {
	done := false
	defer func() {
		if p := recover(); p != nil {
			r.mu.Lock()
			r.panicked = p
			r.mu.Unlock()
			r.stop(errWorker)
		} else if !done {
			r.stop(errWorker)
		}
	}()
	for j := range work {
		outcomes <- j.send(ctx)
	}
	done = true
}

// recordAll records outcomes. Those that are waiting are recorded together.
func (r *runner) recordAll(ctx context.Context, outcomes <-chan Entry) {
	for e := range outcomes {
		entries := []Entry{e}
		for more := true; more && len(entries) < maxWorkers; {
			select {
			case e, more = <-outcomes:
				if more {
					entries = append(entries, e)
				}
			default:
				more = false
			}
		}
		r.record(ctx, entries)
	}
}

func (r *runner) record(ctx context.Context, entries []Entry) {
	r.mu.Lock()
	for i := range entries {
		entries[i].Fingerprint = r.inFlight[entries[i].Key]
	}
	r.mu.Unlock()
	// What is known is recorded even if the run is being stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := r.journal.Record(ctx, entries); err != nil {
		r.stop(err)
	}
	for _, e := range entries {
		if r.note(e) {
			r.stop(ErrErrorRate)
		}
		if hopeless(e.cause) {
			r.stop(e.cause)
		}
		if r.options.OnEntry != nil {
			r.calling.Lock()
			r.options.OnEntry(e)
			r.calling.Unlock()
		}
	}
	r.progress()
}

// note counts an outcome, and reports whether there were too many errors.
func (r *runner) note(e Entry) (tooMany bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inFlight, e.Key)
	switch e.State {
	case Created:
		r.report.Created++
	case Existing:
		r.report.Existing++
	case Failed:
		r.report.Failed++
	default:
		r.report.Open++
	}
	// A line interrupted by the end of the run does not count.
	if r.intake.Err() != nil {
		return false
	}
	return r.errors.Add(e.State)
}

func (r *runner) count(f func(*Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.report)
}

func (r *runner) snapshot() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := r.report
	report.Settled = max(report.Settled, 0)
	report.Elapsed = time.Since(r.began)
	return report
}

func (r *runner) progress() {
	if r.options.Progress == nil {
		return
	}
	r.calling.Lock()
	defer r.calling.Unlock()
	r.options.Progress(r.snapshot())
}

// ErrorRate watches the outcomes of the last 100 lines. It is for programs that call [Create.Step]
// themselves, and not safe for concurrent use.
type ErrorRate struct {
	// Max is [Options.MaxErrorRate].
	Max float64

	bad   [errorWindow]bool
	next  int
	count int
}

// Add adds the outcome of a line, and reports whether too many lines failed or stayed open.
func (r *ErrorRate) Add(s State) (tooMany bool) {
	if r.bad[r.next] {
		r.count--
	}
	bad := !s.final()
	if bad {
		r.count++
	}
	r.bad[r.next] = bad
	r.next = (r.next + 1) % errorWindow
	return r.count > int(cmp.Or(r.Max, defaultErrorRate)*errorWindow)
}
