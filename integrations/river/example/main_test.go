package main

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/integrations/river/internal/rivertest"
)

// TestMain makes the test program the example if it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv("DATABASE_URL") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// log is the output of the workers.
type log struct {
	sync.Mutex
	handled map[string][]string // the workers that handled an event
}

// startWorker starts the example. When it listens, it returns its address and a function that stops
// it.
func (l *log) startWorker(t *testing.T, name, source string) (address string, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	_ = listener.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DATABASE_URL="+source, "GOCARDLESS_WEBHOOK_SECRET=of the endpoint", "ADDR="+address)
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var text bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			text.Write(append(lines.Bytes(), '\n'))
			if _, event, ok := strings.Cut(lines.Text(), " handled event="); ok {
				l.Lock()
				id, _, _ := strings.Cut(event, " ")
				l.handled[id] = append(l.handled[id], name)
				l.Unlock()
			}
		}
	}()
	rivertest.Until(t, name+" listens", func() bool {
		resp, err := http.Get("http://" + address + "/webhooks")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	})
	return address, func() error {
		_ = cmd.Process.Signal(os.Interrupt)
		<-read
		err := cmd.Wait()
		if err != nil {
			t.Log(text.String())
		}
		return err
	}
}

// The processes of compose.yaml without containers: a sandbox sends its webhooks to one of two
// workers, which share the events, and one continues when the other has stopped.
func TestTwoWorkers(t *testing.T) {
	source := rivertest.Postgres(t)
	l := &log{handled: map[string][]string{}}
	address, stop1 := l.startWorker(t, "worker1", source)
	_, stop2 := l.startWorker(t, "worker2", source)
	sandbox := gocardlesstest.NewServer(t, gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{URL: "http://" + address + "/webhooks", Secret: "of the endpoint"}))
	client := sandbox.Client()
	create := func() {
		for range 20 {
			customer, err := client.Customers.Create(t.Context(), gocardless.CustomerCreateParams{
				GivenName: new("Frank"), FamilyName: new("Osborne"), Email: new("frank@acmeplc.com"), CountryCode: new("GB"),
			})
			if err != nil {
				t.Fatal(err)
			}
			account, err := client.CustomerBankAccounts.Create(t.Context(), gocardless.CustomerBankAccountCreateParams{
				AccountHolderName: new("Frank Osborne"), IBAN: new("GB60BARC20000055779911"),
				Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Mandates.Create(t.Context(), gocardless.MandateCreateParams{
				Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID},
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	events := func() (n int) {
		for _, err := range client.Events.All(t.Context(), gocardless.EventListParams{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	done := func() bool {
		l.Lock()
		defer l.Unlock()
		return len(l.handled) > 0 && len(l.handled) == events()
	}
	share := func() map[string]int {
		l.Lock()
		defer l.Unlock()
		workers := map[string]int{}
		for id, by := range l.handled {
			if len(by) != 1 {
				t.Errorf("%s was handled by %v", id, by)
			}
			workers[by[0]]++
		}
		return workers
	}
	for round := 0; len(share()) < 2; round++ {
		if round == 10 {
			t.Fatalf("events by worker: %v", share())
		}
		create()
		rivertest.Until(t, "all events are handled", done)
	}
	if err := stop2(); err != nil {
		t.Errorf("worker2: %v", err)
	}
	create()
	rivertest.Until(t, "all events are handled by worker1", done)
	if err := stop1(); err != nil {
		t.Errorf("worker1: %v", err)
	}
	t.Logf("events by worker: %v", share())
}
