package bulk

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

var full = flag.Bool("full", false, "make 100,000 payments in the tests of crashes, which takes minutes")

// bank is an API that creates payments, honours idempotency keys and counts requests in clock
// minutes, and a machine whose processes crash.
type bank struct {
	limit   int
	latency time.Duration

	mu      sync.Mutex
	random  *rand.Rand
	payment map[string]string // ids by key
	minute  time.Time
	used    int
	total   int
	refused int
	crashes int // still to come
	every   int // requests and journal writes between two of them, on average
	points  int // crashes that happened
}

// process is a process until it ends or crashes.
type process struct {
	bank *bank
	dead atomic.Bool
	kill context.CancelFunc
}

var errCrashed = errors.New("the process has crashed")

// point is where a process may crash.
func (p *process) point() (crash bool) {
	b := p.bank
	if b.crashes == 0 || p.dead.Load() || b.random.IntN(b.every) > 0 {
		return false
	}
	b.crashes--
	b.points++
	p.dead.Store(true)
	p.kill()
	return true
}

func (p *process) RoundTrip(req *http.Request) (*http.Response, error) {
	b := p.bank
	time.Sleep(b.latency / 2)
	b.mu.Lock()
	if p.dead.Load() || p.point() { // before the request reached the API
		b.mu.Unlock()
		return nil, errCrashed
	}
	status, body, header := b.serve(req)
	if p.point() { // before the reply reached the process
		b.mu.Unlock()
		return nil, errCrashed
	}
	b.mu.Unlock()
	time.Sleep(b.latency / 2)
	if p.dead.Load() {
		return nil, errCrashed
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

func (b *bank) serve(req *http.Request) (status int, body string, header http.Header) {
	now := time.Now()
	if m := now.Truncate(time.Minute); !m.Equal(b.minute) {
		b.minute, b.used = m, 0
	}
	b.total++
	b.used++
	header = http.Header{
		"Ratelimit-Limit": {strconv.Itoa(b.limit)}, "Ratelimit-Remaining": {strconv.Itoa(max(b.limit-b.used, 0))},
		"Ratelimit-Reset": {b.minute.Add(time.Minute).UTC().Format(http.TimeFormat)}, "Date": {now.UTC().Format(http.TimeFormat)},
	}
	if b.used > b.limit {
		b.refused++
		return 429, `{"error":{"type":"invalid_api_usage","code":429,"errors":[{"reason":"rate_limit_exceeded"}]}}`, header
	}
	if req.Method == http.MethodGet {
		id := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
		return 200, `{"payments":{"id":"` + id + `"}}`, header
	}
	key := req.Header.Get("Idempotency-Key")
	if id, ok := b.payment[key]; ok {
		return 409, `{"error":{"type":"invalid_state","code":409,"errors":[{"reason":"idempotent_creation_conflict","links":{"conflicting_resource_id":"` + id + `"}}]}}`, header
	}
	id := fmt.Sprintf("PM%06d", len(b.payment))
	b.payment[key] = id
	return 201, `{"payments":{"id":"` + id + `"}}`, header
}

// mortal is a journal that a process can use until it crashes.
type mortal struct {
	Journal
	process *process
}

func (j mortal) Claim(ctx context.Context, c []Claim, until time.Time, retryFailed bool) ([]Verdict, error) {
	if j.process.dead.Load() {
		return nil, errCrashed
	}
	v, err := j.Journal.Claim(ctx, c, until, retryFailed)
	j.process.bank.mu.Lock()
	defer j.process.bank.mu.Unlock()
	if j.process.point() {
		return nil, errCrashed
	}
	return v, err
}

func (j mortal) Record(ctx context.Context, entries []Entry) error {
	if j.process.dead.Load() {
		return errCrashed
	}
	j.process.bank.mu.Lock()
	crash := j.process.point()
	j.process.bank.mu.Unlock()
	if crash {
		entries = entries[:len(entries)/2]
	}
	if err := j.Journal.Record(ctx, entries); err != nil || !crash {
		return err
	}
	return errCrashed
}

func payments(n int) iter.Seq[Line[gocardless.PaymentCreateParams]] {
	return func(yield func(Line[gocardless.PaymentCreateParams]) bool) {
		for i := range n {
			params := gocardless.PaymentCreateParams{Amount: int64(1000 + i), Currency: gocardless.CurrencyGBP, Links: gocardless.PaymentCreateParamsLinks{Mandate: "MD" + strconv.Itoa(i)}}
			if !yield(Line[gocardless.PaymentCreateParams]{Key: "2026-11-" + strconv.Itoa(i), Params: params}) {
				return
			}
		}
	}
}

// live runs a process from its start to its end or crash.
func (b *bank) live(t *testing.T, ctx context.Context, lines, reserve int, open func() (Journal, func())) (Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &process{bank: b, kill: cancel}
	client, err := gocardless.New("token", gocardless.EnvironmentSandbox, gocardless.WithHTTPClient(&http.Client{Transport: p}), gocardless.WithRateLimitReserve(reserve))
	if err != nil {
		t.Fatal(err)
	}
	journal, closeIt := open()
	defer closeIt()
	return Run(ctx, client, Payments, payments(lines), mortal{journal, p}, Options{})
}

// check asserts that each line has exactly one payment, and the journal its id.
func (b *bank) check(t *testing.T, lines int, journal Journal) {
	t.Helper()
	if len(b.payment) != lines || b.crashes > 0 {
		t.Errorf("%d payments of %d lines; %d crashes did not happen", len(b.payment), lines, b.crashes)
	}
	entries := 0
	for e, err := range journal.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if entries++; !e.State.final() || e.ID != b.payment[e.Key] {
			t.Errorf("%+v, created as %s", e, b.payment[e.Key])
		}
	}
	if entries != lines {
		t.Errorf("the journal has %d entries", entries)
	}
}

func crashBank(seed uint64, lines, crashes int) *bank {
	// Each payment has about four points. All crashes should happen before the end.
	return &bank{
		limit: 1000, latency: 200 * time.Millisecond, payment: map[string]string{},
		random: rand.New(rand.NewPCG(seed, 17)), crashes: crashes, every: max(2*lines/max(crashes, 1), 2),
	}
}

func crashSize() (lines int) {
	if *full {
		return 100_000
	}
	return 2000
}

// One process with a journal in a file crashes at a thousand random points, and loses up to two
// hundred bytes of the file's end each time.
func TestCrashesOfOneProcess(t *testing.T) {
	lines := crashSize()
	path := filepath.Join(t.TempDir(), "run.ndjson")
	open := func() (Journal, func()) {
		j, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return j, func() { _ = j.Close() }
	}
	synctest.Test(t, func(t *testing.T) {
		b := crashBank(1, lines, 1000)
		began := time.Now()
		for {
			_, err := b.live(t, t.Context(), lines, 0, open)
			if err == nil {
				break
			}
			if !errors.Is(err, errCrashed) && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			cutTail(t, path, b.random.Int64N(200))
			time.Sleep(time.Second)
		}
		j, end := open()
		defer end()
		b.check(t, lines, j)
		t.Logf("%d payments, %d crashes, %d requests in %v", len(b.payment), b.points, b.total, time.Since(began))
	})
}

// cutTail takes bytes off the end of a file, but not off its first line.
func cutTail(t *testing.T, path string, n int64) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := int64(strings.IndexByte(string(data), '\n') + 1)
	if err := os.Truncate(path, max(int64(len(data))-n, head)); err != nil {
		t.Fatal(err)
	}
}

// Four processes that share a journal crash at a thousand random points. A crashed process restarts
// while the others continue.
func TestCrashesOfFourProcesses(t *testing.T) {
	lines := crashSize()
	synctest.Test(t, func(t *testing.T) {
		b := crashBank(4, lines, 1000)
		journal := new(MemoryJournal)
		began := time.Now()
		var processes sync.WaitGroup
		for range 4 {
			processes.Go(func() {
				for {
					_, err := b.live(t, t.Context(), lines, 0, func() (Journal, func()) { return journal, func() {} })
					if err == nil {
						return
					}
					if !errors.Is(err, errCrashed) && !errors.Is(err, context.Canceled) {
						t.Error(err)
						return
					}
					time.Sleep(time.Second)
				}
			})
		}
		processes.Wait()
		b.check(t, lines, journal)
		t.Logf("%d payments, %d crashes, %d requests in %v", len(b.payment), b.points, b.total, time.Since(began))
	})
}

// A run without a crash uses its lane's share of the limit: a thousand payments a minute alone and
// without a reserve, and nine hundred with the default reserve, with any number of processes.
func TestRunUsesTheLimit(t *testing.T) {
	for _, test := range []struct{ processes, reserve, perMinute int }{{1, 0, 1000}, {1, 20, 900}, {4, 20, 900}} {
		synctest.Test(t, func(t *testing.T) {
			lines := 10_000
			if *full {
				lines = 100_000
			}
			b := crashBank(0, lines, 0)
			journal := new(MemoryJournal)
			time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
			began := time.Now()
			var running sync.WaitGroup
			for range test.processes {
				running.Go(func() {
					if report, err := b.live(t, t.Context(), lines, test.reserve, func() (Journal, func()) { return journal, func() {} }); err != nil || report.Lines != lines {
						t.Errorf("%v: %v", report, err)
					}
				})
			}
			running.Wait()
			took := time.Since(began)
			b.check(t, lines, journal)
			least := time.Duration(lines) * time.Minute / time.Duration(test.perMinute)
			// Processes return later to the lines that others were sending.
			if took > least+least/50+defaultLease/4 || b.refused > 0 || b.total != lines {
				t.Errorf("%+v took %v for %d requests, %d refused", test, took, b.total, b.refused)
			}
			t.Logf("%+v: %d payments in %v", test, lines, took)
		})
	}
}
