//go:build unix

package gocardlesstest

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// cpuTime returns the CPU time that the process has used.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// An open dashboard costs at most a tenth of the throughput at 10,000 requests a second. The test
// compares the process's CPU time with and without a dashboard, in turns, and uses the best of several
// rounds.
func TestOpenDashboardIsCheap(t *testing.T) {
	withoutRace(t)
	if testing.Short() {
		t.Skip("measures CPU time")
	}
	best := [2]time.Duration{1 << 62, 1 << 62}
	cost := func() float64 { return float64(best[1])/float64(best[0]) - 1 }
	for round := 0; round < 2 || round < 6 && cost() > 0.1; round++ {
		for open := range best {
			synctest.Test(t, func(t *testing.T) {
				sb := New(WithRateLimit(0))
				p := newPayer(t, sb)
				if open == 1 {
					_, closeIt := openDashboard(sb, "/")
					defer closeIt()
				}
				began := cpuTime(t)
				p.second()
				best[open] = min(best[open], cpuTime(t)-began)
			})
		}
	}
	t.Logf("10,000 requests take %v of CPU time, %v with an open dashboard: %.1f%% more", best[0], best[1], 100*cost())
	if cost() > 0.1 {
		t.Errorf("an open dashboard costs %.1f%% of the throughput, want at most 10%%", 100*cost())
	}
}

// BenchmarkSequences runs the sequences of the fuzz tests. The rate is per second of CPU time of one
// core.
func BenchmarkSequences(b *testing.B) {
	atSpeed(b)
	for _, x := range []struct {
		name string
		play func(testing.TB)
	}{
		{"money", func(tb testing.TB) { playLedger(tb, []byte("payments, simulators, refunds and time")) }},
		{"api", func(tb testing.TB) {
			runSequence(tb, []byte("a walk through the sandbox that does a bit of everything"), false)
		}},
		{"billing", func(tb testing.TB) {
			runBillingSequence(tb, []byte("a walk through billing requests, their pages and their banks"), false, map[string]int{})
		}},
	} {
		b.Run(x.name, func(b *testing.B) {
			began := cpuTime(b)
			for b.Loop() {
				x.play(b)
			}
			b.ReportMetric(float64(b.N)/(cpuTime(b)-began).Seconds(), "sequences/cpu-s")
		})
	}
}
