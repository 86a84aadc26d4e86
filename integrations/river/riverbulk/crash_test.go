package riverbulk_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/integrations/river/riverbulk"
)

// The variables that make the test program a worker that can be killed.
const (
	sourceVariable  = "RIVERBULK_TEST_SOURCE"
	sandboxVariable = "RIVERBULK_TEST_SANDBOX"
)

func TestMain(m *testing.M) {
	if source := os.Getenv(sourceVariable); source != "" {
		b := crashBed(&testing.B{}, source, os.Getenv(sandboxVariable))
		if err := b.Start(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("started")
		_, _ = bufio.NewReader(os.Stdin).ReadByte() // it does not outlive the test
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crashBed returns a run whose worker calls a sandbox behind a socket.
func crashBed(t testing.TB, source, sandbox string) *bed {
	client, err := gocardless.New("token", gocardless.EnvironmentSandbox, gocardless.WithBaseURL(sandbox), gocardless.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return openBed(t, source, client, riverbulk.WorkerOptions{Workers: 4, MaxErrorRate: 1, Timeout: 2 * time.Second}, riverbulk.Options{MaxAttempts: 1000})
}

// startWorker starts a worker process, and returns when it is working.
func startWorker(t *testing.T, source, sandbox string) (kill func()) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sourceVariable+"="+source, sandboxVariable+"="+sandbox)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = in.Close()
	})
	t.Cleanup(kill)
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the worker did not start: %v", err)
	}
	return kill
}

// Workers are killed in the middle of their requests, and the last one finishes the run: each line has
// exactly one payment.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for River to notice the dead")
	}
	each(t, func(t *testing.T, source string) {
		const n, kills = 400, 6
		var mu sync.Mutex
		creates := 0
		s := gocardlesstest.NewServer(t, gocardlesstest.WithRateLimit(1_000_000), gocardlesstest.WithRequestHook(func(r *gocardlesstest.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Operation == "payments.create" {
				creates++
			}
		}))
		done := func() int {
			mu.Lock()
			defer mu.Unlock()
			return creates
		}
		mandate := newMandate(t, s.Client())
		b := crashBed(t, source, s.URL)
		var want []int64
		for i := range n {
			want = append(want, int64(1000+i))
		}
		all := slices.Values(bill(mandate, want...))
		if _, err := b.insert(s.Client(), all); err != nil {
			t.Fatal(err)
		}
		// Replies are delayed after the payment is created, so that most kills come in between.
		slow := s.Inject(gocardlesstest.Fault{Operation: "payments.create", After: true, Delay: 50 * time.Millisecond, Times: -1})
		for i := range kills {
			kill := startWorker(t, source, s.URL)
			for deadline := time.Now().Add(time.Minute); done() < 20*(i+1) && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			kill()
		}
		slow.Remove()
		before, err := b.run.Report(t.Context())
		if err != nil || before.Created+before.Existing == n || done() < 20*kills {
			t.Fatalf("nothing is left after the kills: %v, %v", before, err)
		}
		if _, err := b.insert(s.Client(), all); err != nil { // as a run that crashed itself does
			t.Fatal(err)
		}
		b.start(t)
		after, err := b.run.Wait(t.Context(), 50*time.Millisecond, nil)
		if err != nil || after.Created+after.Existing != n || after.Existing == 0 {
			t.Errorf("report: %v, %v", after, err)
		}
		if got := amounts(t, s.Client()); !slices.Equal(got, want) {
			t.Errorf("%d payments for %d lines", len(got), n)
		}
		t.Logf("%d workers killed with %v; then %v; %d requests", kills, before, after, done())
	})
}
