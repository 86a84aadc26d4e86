package eventsqltest

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
	"github.com/gocardless-community/gocardless-go/gocardless/eventstoretest"
)

// workerVariable makes the test program a worker that can be killed. Its value is the driver,
// the data source and whether to use transactions, separated by bars.
const workerVariable = "EVENTSQLTEST_WORKER"

func TestMain(m *testing.M) {
	if what := os.Getenv(workerVariable); what != "" {
		if err := work(what); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work is the worker: a webhook endpoint whose handler writes a row for each event. It ends
// when its standard input does, so that it does not outlive the test.
func work(what string) error {
	part := strings.SplitN(what, "|", 3)
	var d database
	for _, candidate := range databases() {
		if candidate.driver == part[0] {
			d = candidate
		}
	}
	db, err := sql.Open(d.driver, part[2])
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(12)
	store, err := eventsql.New(db, d.dialect, eventsql.Options{
		// Short, so that the events of killed workers are soon taken over. The handlers are quick.
		Lease:       500 * time.Millisecond,
		MaxAttempts: -1,
		Transaction: part[1] == "true",
	})
	if err != nil {
		return err
	}
	name := fmt.Sprint(os.Getpid())
	handle := func(ctx context.Context, e gocardless.Event) error {
		run := db.ExecContext
		if tx := eventsql.Tx(ctx); tx != nil {
			run = tx.ExecContext
		}
		if _, err := run(ctx, d.insert(), e.ID, name); err != nil {
			return err
		}
		if rand.IntN(20) == 0 {
			return fmt.Errorf("fails now and then")
		}
		return nil
	}
	if part[1] != "true" {
		// Without a transaction a failure after the write would leave the row behind.
		handle = func(ctx context.Context, e gocardless.Event) error {
			if rand.IntN(20) == 0 {
				return fmt.Errorf("fails now and then")
			}
			_, err := db.ExecContext(ctx, d.insert(), e.ID, name)
			return err
		}
	}
	_, secret := eventstoretest.Request(nil)
	handler, err := gocardless.NewWebhookHandler(gocardless.Once(store, gocardless.EventHandlerFunc(handle)), secret)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	go http.Serve(listener, handler)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// worker is a worker process that is started again whenever it is killed.
type worker struct {
	what string

	mu      sync.Mutex
	cmd     *exec.Cmd
	stdin   io.Closer
	address string
}

func (w *worker) start(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cmd = exec.Command(os.Args[0])
	w.cmd.Env = append(os.Environ(), workerVariable+"="+w.what)
	w.cmd.Stderr = os.Stderr
	stdin, err := w.cmd.StdinPipe()
	if err != nil {
		t.Error(err)
		return
	}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return
	}
	if err := w.cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Errorf("worker does not start: %v", err)
	}
	w.stdin, w.address = stdin, strings.TrimSpace(line)
}

// kill ends the worker as a power failure does.
func (w *worker) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	_ = w.stdin.Close()
}

func (w *worker) url() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return "http://" + w.address + "/"
}

// 3,000 deliveries with repeated events arrive at two worker processes, which are killed repeatedly in
// the middle of their work. Every event takes effect exactly once; without a transaction, at least
// once, and more often only if a worker was killed.
func TestKilledWorkers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some sixty processes")
	}
	each(t, func(t *testing.T, d database) {
		if d.driver == "postgres" {
			t.Skip("the store does the same with either driver")
		}
		t.Run("Transaction", func(t *testing.T) {
			plan, counts, _ := deliverToKilled(t, d, true, 3_000)
			for i := range plan.Events {
				id := fmt.Sprintf("EV%08d", i)
				if counts[id] != 1 {
					t.Errorf("event %s took effect %d times", id, counts[id])
				}
			}
		})
		t.Run("After", func(t *testing.T) {
			plan, counts, kills := deliverToKilled(t, d, false, 600)
			again := 0
			for i := range plan.Events {
				id := fmt.Sprintf("EV%08d", i)
				if counts[id] == 0 {
					t.Errorf("event %s was lost", id)
				}
				again += counts[id] - 1
			}
			if again > kills*senders {
				t.Errorf("%d events again after %d kills", again, kills)
			}
			t.Logf("%d events took effect again after %d kills", again, kills)
		})
	})
}

const senders = 8

func deliverToKilled(t *testing.T, d database, transaction bool, n int) (plan eventstoretest.Plan, counts map[string]int, kills int) {
	source := d.dataSource(t)
	db := d.open(t, source)
	d.storeIn(t, db, eventsql.Options{})
	ledger(t, db)
	plan = eventstoretest.NewPlan(n, 7)

	workers := make([]*worker, 2)
	for i := range workers {
		workers[i] = &worker{what: fmt.Sprintf("%s|%v|%s", d.driver, transaction, source)}
		workers[i].start(t)
	}
	defer func() {
		for _, w := range workers {
			w.kill()
		}
	}()

	queue := make(chan int, 2*n)
	for i := range n {
		queue <- i
	}
	var open, senderGroup sync.WaitGroup
	open.Add(n)
	var acknowledged, broken atomic.Int64
	tick := make(chan struct{}, n)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}, Timeout: 10 * time.Second}
	for s := range senders {
		senderGroup.Go(func() {
			for i := range queue {
				status := post(client, workers[(s+i)%len(workers)].url(), eventstoretest.Body(fmt.Sprintf("WB%d", i), plan.Deliveries[i]))
				switch status {
				case http.StatusNoContent:
					acknowledged.Add(1)
					tick <- struct{}{}
					open.Done()
					continue
				case 0:
					broken.Add(1)
					time.Sleep(10 * time.Millisecond) // until there is a worker again
				case http.StatusInternalServerError, http.StatusServiceUnavailable:
				default:
					t.Errorf("delivery %d: reply %d", i, status)
				}
				queue <- i
			}
		})
	}
	// A kill for every fifteenth part of the deliveries, at the workers in turn.
	finished := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for count := 1; ; count++ {
			select {
			case <-tick:
			case <-finished:
				return
			}
			if count%(n/15) == 0 {
				w := workers[kills%len(workers)]
				w.kill()
				kills++
				w.start(t)
			}
		}
	})
	open.Wait()
	close(finished)
	close(queue)
	senderGroup.Wait()
	killer.Wait()

	if kills < 10 || broken.Load() == 0 {
		t.Errorf("%d kills broke %d deliveries: nothing was tested", kills, broken.Load())
	}
	var left int
	if err := db.QueryRow("SELECT count(*) FROM gocardless_events WHERE state <> 'done'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d events are not done, %v", left, err)
	}
	t.Logf("%d deliveries of %d events, %d kills, %d deliveries broken off", n, plan.Events, kills, broken.Load())
	return plan, rows(t, db), kills
}

// post returns the status of a delivery, or 0 without a reply.
func post(client *http.Client, url string, body []byte) int {
	signed, _ := eventstoretest.Request(body)
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header = signed.Header
	reply, err := client.Do(r)
	if err != nil {
		return 0
	}
	_ = reply.Body.Close()
	return reply.StatusCode
}
