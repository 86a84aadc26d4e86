package gocardless

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// liveBytes is how much memory is in use after a collection.
func liveBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryStaysFlat iterates over a million payments, and looks at the memory on the way.
func TestMemoryStaysFlat(t *testing.T) {
	withoutRace(t)
	pages := 2000
	if testing.Short() {
		pages = 100
	}
	for _, prefetch := range []int{0, 2} {
		if prefetch > 0 {
			pages /= 4
		}
		client := benchClient(t, newBenchList(pages))
		var first, most int64
		n := 0
		for _, err := range client.Payments.All(t.Context(), PaymentListParams{Limit: 500}, WithPrefetch(prefetch)) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n%(pages*500/10) == 0 {
				now := liveBytes()
				if first == 0 {
					first = now
				}
				most = max(most, now)
			}
		}
		if n != pages*500 {
			t.Fatalf("got %d payments, want %d", n, pages*500)
		}
		// Two pages more or less are in memory at any time, and the cursors that were used.
		if grown := most - first; grown > 2<<20 {
			t.Errorf("prefetch %d: %d bytes more in use after %d payments than after a tenth of them", prefetch, grown, n)
		}
		t.Logf("prefetch %d: %d bytes in use after a tenth of %d payments, %d at most", prefetch, first, n, most)
	}
}

// TestNoLockIsContended makes calls from 64 goroutines and looks for waits, at locks, that come
// from code of this package. The transport has no locks of its own. Each goroutine has its own
// context, as the requests of a server have: the time limit of an attempt is a child of it, and
// a context that many goroutines share has a lock that they share.
func TestNoLockIsContended(t *testing.T) {
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	client := benchClient(t, benchEnvelope)
	before := contended()
	err := benchAtOnce(64, func() error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		for range 100 {
			if _, err := client.Payments.Get(ctx, "PM000000000001"); err != nil {
				return err
			}
			if err := benchCreate(ctx, client); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, count := range contended() {
		if count -= before[where]; count > 0 {
			t.Errorf("%d waits at a lock in %s", count, where)
		}
	}
}

// contended returns how often a goroutine waited at a lock, by its holder, for holders in calls
// of this package. The locks of the runtime's memory management are left out, and the one that
// a pool takes on its first use after a collection.
func contended() map[string]int64 {
	n, _ := runtime.MutexProfile(nil)
	records := make([]runtime.BlockProfileRecord, n+100)
	n, _ = runtime.MutexProfile(records)
	found := map[string]int64{}
	for _, r := range records[:n] {
		var stack []string
		frames := runtime.CallersFrames(r.Stack())
		for more := true; more; {
			var frame runtime.Frame
			frame, more = frames.Next()
			stack = append(stack, frame.Function)
		}
		text := strings.Join(stack, " < ")
		if !strings.HasPrefix(text, "runtime.") && !strings.Contains(text, "sync.(*Pool)") && strings.Contains(text, "gocardless.(*core).call") {
			found[text] += r.Count
		}
	}
	return found
}

// TestConnectionsAreReused makes rounds of calls from 64 goroutines over HTTP/1.1 with a client
// that has no transport of its own. With net/http's default of two idle connections for a host,
// nearly every call would open one.
func TestConnectionsAreReused(t *testing.T) {
	const callers, rounds = 64, 10
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(benchEnvelope))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client, err := New("token", EnvironmentSandbox, WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range rounds {
				if _, err := client.Payments.Get(t.Context(), "PM000000000001"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := opened.Load(); got > 2*callers {
		t.Errorf("%d calls of %d goroutines opened %d connections", callers*rounds, callers, got)
	} else {
		t.Logf("%d calls of %d goroutines opened %d connections", callers*rounds, callers, got)
	}
}
