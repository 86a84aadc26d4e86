package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// inbox is an endpoint that counts how often it received each event.
type inbox struct {
	mu     sync.Mutex
	secret gocardless.WebhookSecret
	events map[string]int
	bad    int
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	d, parseErr := gocardless.ParseWebhook(body, r.Header.Get(gocardless.WebhookSignatureHeader), b.secret)
	if err != nil || parseErr != nil {
		b.bad++
		w.WriteHeader(498)
		return
	}
	for _, e := range d.Events {
		b.events[e.ID]++
	}
	fmt.Fprintln(w, "thanks")
}

// shaky is a network between the program and the sandbox that can be cut.
type shaky struct {
	to  http.Handler
	cut atomic.Bool
}

func (s *shaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.cut.Load() {
		panic(http.ErrAbortHandler)
	}
	s.to.ServeHTTP(w, r)
}

var inDoubt = regexp.MustCompile(`(EV\w+) was being sent`)

// However often the network fails and the program is killed, each event is forwarded once. One that
// was being sent when the program was killed is reported, and arrives once or not at all.
func TestListenThroughLossesAndKills(t *testing.T) {
	if testing.Short() {
		t.Skip("cuts the network or kills the program thirty times")
	}
	sandbox := gocardlesstest.NewServer(t)
	target, err := url.Parse(sandbox.URL)
	if err != nil {
		t.Fatal(err)
	}
	network := &shaky{to: httputil.NewSingleHostReverseProxy(target)}
	front := httptest.NewServer(network)
	defer front.Close()
	box := &inbox{events: map[string]int{}}
	endpoint := httptest.NewServer(box)
	defer endpoint.Close()
	config := t.TempDir()
	secret, err := program(t, front.URL, config, "listen", "--print-secret").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(secret))
	box.secret = gocardless.WebhookSecret(lines[len(lines)-1])

	made := map[string]bool{}
	more := func() {
		for range 1 + rand.IntN(4) {
			id, err := sandbox.Emit(gocardlesstest.Event{Type: "creditors.updated"})
			if err != nil {
				t.Fatal(err)
			}
			made[id] = true
		}
	}
	logFile, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logFile.Close()
	logged := func() string {
		raw, err := os.ReadFile(logFile.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	start := func(more ...string) *exec.Cmd {
		c := program(t, front.URL, config, append([]string{"listen", "--forward-to", endpoint.URL, "--every", "5ms"}, more...)...)
		c.Stderr = logFile
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := start("--since", "1h")
	// If the first run were killed before it has recorded its start, the next one would start later.
	for !strings.Contains(logged(), "forwarding to") && t.Context().Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	for range 30 {
		more()
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		if rand.IntN(2) == 0 {
			network.cut.Store(true)
			more()
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			network.cut.Store(false)
			continue
		}
		more()
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		more()
		c = start()
	}
	doubt := func() map[string]bool {
		out := map[string]bool{}
		for _, m := range inDoubt.FindAllStringSubmatch(logged(), -1) {
			out[m[1]] = true
		}
		return out
	}
	settled := func() bool {
		doubtful := doubt()
		box.mu.Lock()
		defer box.mu.Unlock()
		for id := range made {
			if box.events[id] == 0 && !doubtful[id] {
				return false
			}
		}
		return true
	}
	// After the last failure the program may be waiting to retry, on a busy machine.
	for began := time.Now(); !settled() && time.Since(began) < 90*time.Second; {
		time.Sleep(20 * time.Millisecond)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the last run ended with %v", err)
	}
	doubtful := doubt()
	box.mu.Lock()
	defer box.mu.Unlock()
	for id := range made {
		if n := box.events[id]; n > 1 || n == 0 && !doubtful[id] {
			t.Errorf("%s came %d times, reported in doubt: %t", id, n, doubtful[id])
		}
	}
	if box.bad > 0 {
		t.Errorf("%d webhooks had a wrong signature", box.bad)
	}
	t.Logf("%d events, %d in doubt", len(made), len(doubtful))
}

// A run of 5,000 lines that is killed ten times creates 5,000 payments.
func TestBulkThroughKills(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program ten times")
	}
	const lines = 5000
	var requests atomic.Int64
	sandbox := gocardlesstest.NewServer(t, gocardlesstest.WithRateLimit(0),
		gocardlesstest.WithRequestHook(func(*gocardlesstest.Request) { requests.Add(1) }))
	mandate := sandbox.ActiveMandate()
	dir := t.TempDir()
	file := filepath.Join(dir, "payments.csv")
	var csv strings.Builder
	csv.WriteString("invoice,amount,currency,links.mandate,metadata.invoice\n")
	for i := range lines {
		fmt.Fprintf(&csv, "inv-%d,%d,GBP,%s,%d\n", i, 100+i, mandate.ID, i)
	}
	if err := os.WriteFile(file, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"payments", "create", "--from", file, "--key-column", "invoice", "--journal", filepath.Join(dir, "run.ndjson")}
	kills := 0
	for began := time.Now(); kills < 10 && time.Since(began) < time.Minute; {
		until := requests.Load() + 50 + rand.Int64N(300)
		c := program(t, sandbox.URL, dir, args...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// The number of requests, not the time, makes sure that it is killed in the middle.
		for requests.Load() < until && time.Since(began) < time.Minute {
			time.Sleep(time.Millisecond)
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		kills++
	}
	out, err := program(t, sandbox.URL, dir, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seen := map[string]int{}
	for p, err := range sandbox.Client().Payments.All(t.Context(), gocardless.PaymentListParams{Limit: 500}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[p.Metadata["invoice"]]++
	}
	for i := range lines {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			t.Errorf("invoice %d was paid %d times", i, n)
		}
	}
	if len(seen) != lines || kills != 10 {
		t.Errorf("%d payments after %d kills", len(seen), kills)
	}
	t.Logf("%s", out)
}
