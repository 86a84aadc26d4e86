package gocardlesstest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/gate"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Sandbox is a stateful fake of the GoCardless API. It stores the resources that a program creates,
// refuses invalid requests as the API does, takes payments and mandates through their life cycles by
// its own clock, and sends signed webhooks.
//
// A Sandbox is an [http.Handler] and, through Transport, an [http.RoundTripper]; NewServer and Start
// serve it on a socket. It starts no goroutine except short-lived ones that deliver webhooks, so it
// works inside a testing/synctest bubble.
//
// All methods are safe for concurrent use.
type Sandbox struct {
	opts options
	base atomic.Pointer[string]

	// mu guards the store, the jobs and the idempotency keys. Reads of the API share it.
	mu       sync.RWMutex
	store    *store.Store
	jobs     jobQueue
	jobSeq   int64
	keys     map[string]string // path and idempotency key → id of the created resource
	newJobs  []job             // not yet in the state file, like the next two
	doneJobs []int64
	newKeys  []string
	batch    []*record // events that the next webhook carries
	journal  *journal
	saved    []SavedSnapshot
	setup    setup

	changes atomic.Int64              // number of commits
	offset  atomic.Int64              // how far the clock was advanced
	frozen  atomic.Pointer[time.Time] // the time of the options' clock when it was frozen
	nextDue atomic.Int64              // time of the next job, in Unix nanoseconds

	hooks  dispatcher
	limits gate.Rates
	faults faultList
	log    ring[*Request]
	ids    atomic.Uint64 // of requests
	tokens gate.Tokens
}

// New returns a sandbox with its default state: an organisation with one verified creditor, its bank
// accounts in pounds and euros, and a scheme identifier for every scheme. Invalid options panic,
// because they are mistakes in the test.
func New(opts ...Option) *Sandbox {
	sb := &Sandbox{opts: defaultOptions()}
	for _, o := range opts {
		o(&sb.opts)
	}
	sb.hooks.sb = sb
	sb.limits.Clear()
	sb.tokens.Init()
	sb.apply(&sb.opts)
	sb.reset()
	return sb
}

// Reset restores the state that New created: it removes resources, events, idempotency keys, planned
// steps, undelivered webhooks, rate limit windows, faults and the logs, and starts ids again. The
// clock, options, tokens, endpoints and saved snapshots stay as they are. An error means that the state
// file could not be written and that nothing was reset.
func (sb *Sandbox) Reset() error {
	sb.hooks.deliver.Lock() // waits for a delivery in progress
	defer sb.hooks.deliver.Unlock()
	sb.mu.Lock()
	defer sb.mu.Unlock()
	sb.reset()
	return sb.orRevert(sb.commitAll())
}

func (sb *Sandbox) reset() {
	reg := theRegistry()
	sb.store = store.New(reg.collections, sb.opts.seed)
	sb.jobs, sb.jobSeq = nil, 0
	sb.keys = map[string]string{}
	sb.newJobs, sb.doneJobs, sb.newKeys, sb.batch = nil, nil, nil, nil
	sb.hooks.clear()
	sb.limits.Clear()
	sb.faults.clear()
	sb.log.clear()
	sb.hooks.log.clear()
	sb.ids.Store(0)
	tx := sb.begin(sb.Now())
	for _, seed := range reg.seeds {
		seed(tx)
	}
	// The default state has no events, and no webhook reports it.
	sb.batch = nil
	sb.store.Coll("events").Clear()
	sb.store.Written()
	sb.noteNextJob()
}

// update runs and commits a step that is not an API call, such as a form of a page.
func (sb *Sandbox) update(f func(*tx) error) error {
	now := sb.Now()
	sb.mu.Lock()
	sb.runDue(now)
	err := f(sb.begin(now))
	sb.sealBatch()
	err = errors.Join(err, sb.orRevert(sb.commit()))
	sb.mu.Unlock()
	sb.kick()
	return err
}

// view runs a read.
func (sb *Sandbox) view(f func(*tx)) {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	f(sb.begin(sb.Now()))
}

// baseURL returns the base URL of the sandbox.
func (sb *Sandbox) baseURL() string {
	if b := sb.base.Load(); b != nil {
		return *b
	}
	return "https://api-sandbox.gocardless.com"
}
