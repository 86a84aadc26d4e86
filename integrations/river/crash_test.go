package riverinbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventstoretest"
	riverinbox "github.com/gocardless-community/gocardless-go/integrations/river"
	"github.com/gocardless-community/gocardless-go/integrations/river/internal/rivertest"
)

// deliveries is how many deliveries the large tests send: GOCARDLESS_TEST_DELIVERIES, or few.
func deliveries(few int) int {
	if n, err := strconv.Atoi(os.Getenv("GOCARDLESS_TEST_DELIVERIES")); err == nil {
		return n
	}
	return few
}

// skewed is the clock of a machine, which is wrong.
type skewed time.Duration

func (s skewed) Now() time.Time { return time.Now().Add(time.Duration(s)) }
func (s skewed) NowOrNil() *time.Time {
	now := s.Now()
	return &now
}

// shaky is a handler that writes to the ledger, and then sometimes fails.
func shaky(b **bed) gocardless.EventHandlerFunc {
	return func(ctx context.Context, e gocardless.Event) error {
		if err := (*b).write(ctx, e); err != nil {
			return err
		}
		switch rand.IntN(30) {
		case 0:
			return errors.New("fails now and then")
		case 1:
			panic("panics now and then")
		}
		return nil
	}
}

// send posts the deliveries of a plan, several at a time, each until it is acknowledged.
func send(t *testing.T, plan eventstoretest.Plan, endpoint *bed) {
	var senders sync.WaitGroup
	for sender := range 8 {
		senders.Go(func() {
			for i := sender; i < len(plan.Deliveries); i += 8 {
				events := make([]string, len(plan.Deliveries[i]))
				for k, id := range plan.Deliveries[i] {
					events[k] = event(id, k, "PM"+id)
				}
				for endpoint.deliver(delivery(events...)) != http.StatusNoContent {
					if t.Context().Err() != nil {
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	senders.Wait()
}

// ledgerIs checks that each event of a plan is in the ledger once.
func ledgerIs(t *testing.T, b *bed, plan eventstoretest.Plan) {
	t.Helper()
	all, different := b.count("SELECT count(*) FROM ledger"), b.count("SELECT count(DISTINCT event) FROM ledger")
	if all != plan.Events || different != plan.Events {
		t.Errorf("%d rows of %d events in the ledger, want %d of each", all, different, plan.Events)
	}
}

// Deliveries with duplicates, in any order, to workers whose clocks disagree by minutes.
func TestDeliveriesWithSkewedClocks(t *testing.T) {
	t.Parallel()
	source := rivertest.Postgres(t)
	plan := eventstoretest.NewPlan(deliveries(600), 7)
	var first *bed
	for _, skew := range []time.Duration{0, 4 * time.Minute, -4 * time.Minute, 90 * time.Second} {
		var b *bed
		b = newPostgresBed(t, source, riverinbox.Options{
			Workers: 2, MaxAttempts: 1000, Handler: shaky(&b),
			Configure: func(c *river.Config) {
				rivertest.Quick(c)
				c.Test.Time = skewed(skew)
				c.RetryPolicy = rivertest.AtOnce(skewed(skew).Now)
			},
		})
		if first == nil {
			first = b
			b.prepare(t)
		}
		b.start(t)
	}
	send(t, plan, first)
	rivertest.Until(t, "all are handled", first.drained(t))
	ledgerIs(t, first, plan)
	t.Logf("%d deliveries, %d events, each once", len(plan.Deliveries), plan.Events)
}

// workerVariable makes the test program a worker that can be killed. Its value is the data source.
const workerVariable = "RIVERINBOX_TEST_WORKER"

func TestMain(m *testing.M) {
	if source := os.Getenv(workerVariable); source != "" {
		work(source)
	}
	os.Exit(m.Run())
}

// crashing is the configuration of workers that are killed: their jobs are soon taken over.
func crashing(c *river.Config) {
	rivertest.Quick(c)
	c.JobTimeout, c.RescueStuckJobsAfter = 2*time.Second, 3*time.Second
}

// work is the worker. It ends when its standard input does, so that it does not outlive the test.
func work(source string) {
	t := &testing.B{}
	var b *bed
	b = newPostgresBed(t, source, riverinbox.Options{Workers: 4, MaxAttempts: 1000, Handler: shaky(&b), Configure: crashing})
	if err := b.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("started")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(0)
}

// startWorker starts a worker process. The returned function kills it.
func startWorker(t *testing.T, source string) (kill func()) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerVariable+"="+source)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A worker whose connection is cut while it starts ends by itself.
	_, _ = bufio.NewReader(out).ReadString('\n')
	var once sync.Once
	kill = func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			_ = in.Close()
		})
	}
	t.Cleanup(kill)
	return kill
}

// Workers are killed, and connections cut by the server, while deliveries come in: each event is
// handled once, and none is lost.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute of waiting")
	}
	t.Parallel()
	source := rivertest.Postgres(t)
	var endpoint *bed
	endpoint = newPostgresBed(t, source, riverinbox.Options{Workers: 2, MaxAttempts: 1000, Handler: shaky(&endpoint), Configure: crashing})
	endpoint.prepare(t)
	plan := eventstoretest.NewPlan(deliveries(600), 8)

	stop := make(chan struct{})
	var chaos sync.WaitGroup
	kills, cuts := 0, 0
	chaos.Go(func() {
		for {
			kill := startWorker(t, source)
			select {
			case <-stop:
				kill()
				return
			case <-time.After(time.Duration(200+rand.IntN(400)) * time.Millisecond):
			}
			kill()
			kills++
		}
	})
	schema := source[strings.LastIndex(source, "=")+1:]
	chaos.Go(func() {
		conn, err := pgx.Connect(context.Background(), os.Getenv("GOCARDLESS_TEST_POSTGRES"))
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close(context.Background()) }()
		for {
			select {
			case <-stop:
				return
			case <-time.After(150 * time.Millisecond):
			}
			var n int
			// Only connections that use this test's tables: other tests use the same server.
			err := conn.QueryRow(context.Background(), `SELECT count(pg_terminate_backend(pid)) FROM
				(SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND pid IN
					(SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)
				ORDER BY random() LIMIT 2) AS victims`, schema).Scan(&n)
			if err != nil {
				t.Error(err)
				return
			}
			cuts += n
		}
	})
	send(t, plan, endpoint)
	for deadline := time.Now().Add(10 * time.Second); kills < 5 && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	close(stop)
	chaos.Wait()

	endpoint.start(t) // the survivor
	rivertest.Until(t, "all are handled", endpoint.drained(t))
	ledgerIs(t, endpoint, plan)
	t.Logf("%d deliveries, %d events, each once; %d workers killed, %d connections cut", len(plan.Deliveries), plan.Events, kills, cuts)
	if kills == 0 || cuts == 0 {
		t.Errorf("%d workers killed, %d connections cut", kills, cuts)
	}
}
