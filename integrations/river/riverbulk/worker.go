package riverbulk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/bulk"
)

// Kind is the kind of River's jobs for lines.
const Kind = "gocardless_create"

// Args are the arguments of a job: a line. The params may hold personal data.
type Args struct {
	Run         string          `json:"run" river:"unique"`
	Key         string          `json:"key" river:"unique"`
	Operation   string          `json:"operation"`
	Environment string          `json:"environment"`
	Fingerprint string          `json:"fingerprint"`
	Params      json.RawMessage `json:"params"`
}

// Kind implements [river.JobArgs].
func (Args) Kind() string { return Kind }

// Defaults of [WorkerOptions].
const (
	DefaultQueue   = "gocardless_bulk"
	DefaultWorkers = 16
	DefaultTimeout = 5 * time.Minute
)

// retention is how long jobs are kept at least: longer than the API keeps keys.
const retention = 60 * 24 * time.Hour

// WorkerOptions are the settings of a [Worker]. The zero value has the defaults.
type WorkerOptions struct {
	// Queue is the name of River's queue, which should be for this worker alone, since it may be
	// paused; empty means DefaultQueue.
	Queue string
	// Workers is how many requests this process makes at the same time; zero means DefaultWorkers.
	Workers int
	// MaxErrorRate pauses the queue when more than this part of the last 100 attempts of this
	// process failed: 0.1 when zero, 1 for never.
	MaxErrorRate float64
	// Timeout is how long an attempt may take, with the SDK's retries and its wait for the rate
	// limit; zero means DefaultTimeout.
	Timeout time.Duration
}

// Worker is River's worker for lines. TTx is the transaction of River's driver.
type Worker[TTx any] struct {
	river.WorkerDefaults[Args]
	client  *gocardless.Client
	options WorkerOptions
	opts    []gocardless.RequestOption

	mu   sync.Mutex
	rate bulk.ErrorRate
}

// NewWorker returns a worker. The client should have a limiter ([gocardless.WithRateLimitWait]);
// lines are sent on its bulk lane. Request options apply to each create.
func NewWorker[TTx any](client *gocardless.Client, options WorkerOptions, opts ...gocardless.RequestOption) (*Worker[TTx], error) {
	if client == nil {
		return nil, errors.New("riverbulk: NewWorker: nil client")
	}
	if options.Workers < 0 || options.Timeout < 0 || options.MaxErrorRate < 0 || options.MaxErrorRate > 1 {
		return nil, errors.New("riverbulk: WorkerOptions.Workers and Timeout must not be negative, and MaxErrorRate must be between 0 and 1")
	}
	options.Queue = cmp.Or(options.Queue, DefaultQueue)
	options.Workers = cmp.Or(options.Workers, DefaultWorkers)
	options.Timeout = cmp.Or(options.Timeout, DefaultTimeout)
	return &Worker[TTx]{client: client, options: options, opts: opts, rate: bulk.ErrorRate{Max: options.MaxErrorRate}}, nil
}

// Configure adds the worker and its queue to a configuration, and has River keep finished jobs for
// at least 60 days. The settings of the River client that is the leader apply to all jobs of the
// database.
func (w *Worker[TTx]) Configure(config *river.Config) {
	if config.Workers == nil {
		config.Workers = river.NewWorkers()
	}
	river.AddWorker(config.Workers, w)
	if config.Queues == nil {
		config.Queues = map[string]river.QueueConfig{}
	}
	config.Queues[w.options.Queue] = river.QueueConfig{MaxWorkers: w.options.Workers}
	for _, keep := range []*time.Duration{&config.CompletedJobRetentionPeriod, &config.CancelledJobRetentionPeriod, &config.DiscardedJobRetentionPeriod} {
		if *keep >= 0 { // negative: indefinitely
			*keep = max(*keep, retention)
		}
	}
}

// Timeout implements [river.Worker].
func (w *Worker[TTx]) Timeout(*river.Job[Args]) time.Duration { return w.options.Timeout }

// Work sends the create request of a line.
func (w *Worker[TTx]) Work(ctx context.Context, job *river.Job[Args]) error {
	if settled(entryOf(job.Args, job.Output()).State) {
		return nil // the job was retried after it was done, perhaps after the API has forgotten the key
	}
	operation, ok := bulk.Find(job.Args.Operation)
	if !ok {
		return river.JobCancel(fmt.Errorf("riverbulk: there is no create %q", job.Args.Operation))
	}
	began := bulk.Header{Operation: job.Args.Operation, Environment: job.Args.Environment, Started: job.CreatedAt}
	now := bulk.Header{Operation: job.Args.Operation, Environment: string(w.client.Environment()), Started: time.Now()}
	err := began.Check(now, job.Attempt == 1) // a line that was never sent is never too old
	if errors.Is(err, bulk.ErrTooOld) {
		return river.JobCancel(err)
	}
	entry := bulk.Entry{State: bulk.Open}
	if err == nil {
		entry = operation.StepJSON(ctx, w.client, job.Args.Key, job.Args.Params, w.opts...)
		if err := river.RecordOutput(ctx, entry); err != nil {
			return fmt.Errorf("riverbulk: recording the outcome: %w", err)
		}
		if entry.State != bulk.Created && entry.State != bulk.Existing {
			err = errors.New(entry.Message)
		}
	}
	if ctx.Err() == nil && w.tooMany(entry.State) {
		if err := river.ClientFromContext[TTx](ctx).QueuePause(ctx, job.Queue, nil); err != nil {
			return fmt.Errorf("riverbulk: pausing the queue: %w", err)
		}
	}
	if entry.State == bulk.Failed {
		return river.JobCancel(err)
	}
	return err
}

// tooMany adds an outcome, and reports whether too many lines failed. If so, it starts counting again,
// because the queue is paused.
func (w *Worker[TTx]) tooMany(s bulk.State) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	tooMany := w.rate.Add(s)
	if tooMany {
		w.rate = bulk.ErrorRate{Max: w.options.MaxErrorRate}
	}
	return tooMany
}
