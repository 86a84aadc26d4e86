package riverbulk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/bulk"
)

// DryRun checks all lines against the rules of the params and the jobs of the run, and inserts
// nothing. In its report, Created counts the lines that would be sent, and Failed those that would
// be refused; OnEntry receives the reasons. Call it before Insert, which inserts in batches as it
// reads.
func DryRun[P, R, TTx any](ctx context.Context, client *gocardless.Client, c bulk.Create[P, R], lines iter.Seq[bulk.Line[P]], run *Run[TTx], options bulk.Options) (bulk.Report, error) {
	options.DryRun, options.RetryFailed = true, run.options.RetryFailed
	return bulk.Run(ctx, client, c, lines, dryJournal{new(bulk.MemoryJournal), run}, options)
}

// dryJournal is a read-only journal of the jobs of a run.
type dryJournal struct {
	*bulk.MemoryJournal
	entries bulk.Entries
}

// Entries implements [bulk.Journal].
func (j dryJournal) Entries(ctx context.Context) iter.Seq2[bulk.Entry, error] {
	return j.entries.Entries(ctx)
}

// Insert inserts a job for each line that has none, restarts the jobs that have stopped, and
// returns the report of the run. The client must be for the workers' environment. If Insert returns
// an error or its process crashes, call it again with the same lines.
//
// A job may be worked as soon as it is inserted. If the key of a line belongs to a line with other
// params, Insert ends with [bulk.ErrKeyReused], unless the API refused the earlier line.
func Insert[P, R, TTx any](ctx context.Context, client *gocardless.Client, c bulk.Create[P, R], lines iter.Seq[bulk.Line[P]], run *Run[TTx]) (Report, error) {
	if client == nil {
		return Report{}, errors.New("riverbulk: Insert: nil client")
	}
	if _, ok := bulk.Find(c.Operation()); !ok {
		return Report{}, errors.New("riverbulk: Insert: the create must be a variable of package bulk")
	}
	header := bulk.Header{Operation: c.Operation(), Environment: string(client.Environment()), Started: time.Now()}
	if err := run.begin(ctx, header); err != nil {
		return Report{}, err
	}
	batch := batch{}
	for line := range lines {
		args, err := newArgs(run.options.Run, header, line)
		if err == nil {
			err = batch.add(args)
		}
		if err == nil && len(batch) == page {
			err = run.insert(ctx, batch)
			batch = nil
		}
		if err != nil {
			return Report{}, err
		}
	}
	if err := run.insert(ctx, batch); err != nil {
		return Report{}, err
	}
	return run.Report(ctx)
}

// newArgs returns the arguments of the job for a line.
func newArgs[P any](run string, h bulk.Header, line bulk.Line[P]) (Args, error) {
	if line.Err != nil {
		return Args{}, line.Err
	}
	refuse := func(err error) (Args, error) {
		return Args{}, fmt.Errorf("riverbulk: the line with key %q: %w", line.Key, err)
	}
	if err := gocardless.CheckIdempotencyKey(line.Key); err != nil {
		return refuse(err)
	}
	params, err := json.Marshal(line.Params)
	if err != nil {
		return refuse(err)
	}
	if bytes.Contains(params, []byte(`\u0000`)) {
		return refuse(errors.New("the params contain a NUL character, which PostgreSQL cannot store"))
	}
	fingerprint, err := bulk.Fingerprint(line.Params)
	if err != nil {
		return refuse(err)
	}
	return Args{Run: run, Key: line.Key, Operation: h.Operation, Environment: h.Environment, Fingerprint: fingerprint, Params: params}, nil
}

// batch is lines with different keys, in the order in which they were read.
type batch []Args

// add adds a line, unless the batch contains it.
func (b *batch) add(args Args) error {
	for _, other := range *b {
		if other.Key == args.Key {
			return sameParams(other, args)
		}
	}
	*b = append(*b, args)
	return nil
}

func sameParams(a, b Args) error {
	if a.Fingerprint != b.Fingerprint {
		return fmt.Errorf("%w: %s", bulk.ErrKeyReused, b.Key)
	}
	return nil
}

func (r *Run[TTx]) params(args Args) river.InsertManyParams {
	return river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{
		Queue: r.options.Queue, MaxAttempts: r.options.MaxAttempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()},
	}}
}

// insert inserts the jobs of a batch, and restarts those that exist and have stopped.
func (r *Run[TTx]) insert(ctx context.Context, batch batch) error {
	if len(batch) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(batch))
	lines := make(map[string]Args, len(batch))
	for i, args := range batch {
		params[i] = r.params(args)
		lines[args.Key] = args
	}
	results, err := r.queue.InsertMany(ctx, params)
	if err != nil {
		return failed("inserting lines", err)
	}
	for _, result := range results {
		if !result.UniqueSkippedAsDuplicate {
			continue
		}
		var old Args
		if err := json.Unmarshal(result.Job.EncodedArgs, &old); err != nil {
			return failed("reading a job", err)
		}
		if err := r.again(ctx, result.Job, old, lines[old.Key]); err != nil {
			return err
		}
	}
	return nil
}

// again restarts the job of a line, if it has stopped.
func (r *Run[TTx]) again(ctx context.Context, job *rivertype.JobRow, old, args Args) error {
	stopped := job.State == rivertype.JobStateCancelled || job.State == rivertype.JobStateDiscarded
	refused := stopped && entryOf(old, job.Output()).State == bulk.Failed
	err := sameParams(old, args)
	switch {
	case refused && err != nil:
		return failed("replacing the line with key "+args.Key, r.replace(ctx, job.ID, args))
	case err != nil:
		return err
	case stopped && (!refused || r.options.RetryFailed):
		_, err = r.queue.JobRetry(ctx, job.ID)
	}
	return failed("restarting the line with key "+args.Key, err)
}

// replace gives a line new params. The API refused the old ones, so there is no resource for them.
func (r *Run[TTx]) replace(ctx context.Context, job int64, args Args) error {
	tx, err := r.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer r.db.Rollback(ctx, tx)
	if _, err := r.queue.JobDeleteTx(ctx, tx, job); err != nil {
		return err
	}
	p := r.params(args)
	if _, err := r.queue.InsertTx(ctx, tx, p.Args, p.InsertOpts); err != nil {
		return err
	}
	return r.db.Commit(ctx, tx)
}
