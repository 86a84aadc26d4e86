package gocardless_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// The soak through a proxy: 64 goroutines call all operations of a sandbox in another process,
// through a proxy that resets connections before and after the work, cuts replies, answers twice,
// delays and talks rubbish. It runs for two seconds, or for the duration in this variable, such as
// "5m".
const soakVariable = "GOCARDLESS_SOAK"

const soakToken = "soak_0123456789abcdefgh"

// TestSoakSandbox is the other process: it serves until its standard input ends.
func TestSoakSandbox(t *testing.T) {
	if os.Getenv("GOCARDLESS_SOAK_SANDBOX") == "" {
		t.Skip("runs in the process that TestSoakThroughAProxy starts")
	}
	server, err := gocardlesstest.Start("127.0.0.1:0", gocardlesstest.WithToken(soakToken), gocardlesstest.WithRateLimit(0), gocardlesstest.WithRequestLog(0))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("soak sandbox at " + server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Shutdown(context.Background())
}

// startSoakSandbox starts it and returns its address.
func startSoakSandbox(t *testing.T) string {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSoakSandbox$")
	cmd.Env = append(os.Environ(), "GOCARDLESS_SOAK_SANDBOX=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "soak sandbox at "); ok {
			return address
		}
	}
	t.Fatal("the sandbox did not start")
	return ""
}

// flakyProxy stands between the client and the sandbox.
type flakyProxy struct {
	target string
	client *http.Client

	mu      sync.Mutex
	actions map[string]int // requests handed on, by key
	faults  atomic.Int64
}

func (p *flakyProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	dice := rand.IntN(100)
	if dice < 30 {
		p.faults.Add(1)
	}
	switch {
	case dice < 5: // before the work
		resetConn(w)
		return
	case dice < 8:
		http.Error(w, "<html>Bad gateway</html>", http.StatusBadGateway)
		return
	case dice < 10: // rubbish on the connection
		if conn := hijack(w); conn != nil {
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n")
			_ = conn.Close()
		}
		return
	}
	repeatable := r.Method == http.MethodGet || r.Method == http.MethodPost && !strings.Contains(r.URL.Path, "/actions/")
	if dice < 13 && repeatable { // twice
		if resp, err := p.forward(r, body); err == nil {
			_ = resp.Body.Close()
		}
	}
	resp, err := p.forward(r, body)
	if err != nil {
		http.Error(w, "unreachable", http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	reply, _ := io.ReadAll(resp.Body)
	switch {
	case dice < 18: // after the work
		resetConn(w)
		return
	case dice < 21:
		http.Error(w, "gateway timeout", http.StatusGatewayTimeout)
		return
	case dice < 23: // a page instead of the reply
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>Sign in to the network</html>")
		return
	case dice < 26:
		time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
	w.WriteHeader(resp.StatusCode)
	if dice >= 26 && dice < 30 && len(reply) > 1 { // half of it
		_, _ = w.Write(reply[:len(reply)/2])
		_ = http.NewResponseController(w).Flush()
		resetConn(w)
		return
	}
	_, _ = w.Write(reply)
}

func (p *flakyProxy) forward(r *http.Request, body []byte) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/actions/") {
		p.mu.Lock()
		p.actions[r.Header.Get("Idempotency-Key")]++
		p.mu.Unlock()
	}
	req, err := http.NewRequestWithContext(context.Background(), r.Method, p.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header.Clone()
	return p.client.Do(req)
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil
	}
	return conn
}

// resetConn ends the connection with a reset.
func resetConn(w http.ResponseWriter) {
	conn := hijack(w)
	if conn == nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// soakCalls are all operations, with zero params.
func soakCalls(client *gocardless.Client) (calls []func(context.Context) error) {
	v := reflect.ValueOf(client).Elem()
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		for j := range v.Field(i).NumMethod() {
			method := v.Field(i).Method(j)
			kind := method.Type()
			last := kind.NumOut() - 1
			if last < 0 || kind.Out(last) != reflect.TypeFor[error]() || kind.NumIn() < 2 || kind.In(0) != reflect.TypeFor[context.Context]() {
				continue // an iterator
			}
			calls = append(calls, func(ctx context.Context) error {
				in := []reflect.Value{reflect.ValueOf(ctx)}
				for k := 1; k < kind.NumIn()-1; k++ {
					if kind.In(k).Kind() == reflect.String {
						in = append(in, reflect.ValueOf("XX1").Convert(kind.In(k)))
					} else {
						in = append(in, reflect.Zero(kind.In(k)))
					}
				}
				out := method.Call(append(in, reflect.ValueOf(gocardless.WithoutValidation())))
				err, _ := out[last].Interface().(error)
				return err
			})
		}
	}
	return calls
}

// soak holds the counts of one run.
type soak struct {
	t      *testing.T
	client *gocardless.Client
	calls  []func(context.Context) error

	next, done, failed atomic.Int64
	mu                 sync.Mutex
	created            map[string]string // number of a create to id
	denied             map[string]bool   // creates whose error rules out that they ran
}

func (s *soak) step(ctx context.Context) {
	s.done.Add(1)
	if rand.IntN(4) > 0 {
		s.classify(s.calls[rand.IntN(len(s.calls))](ctx))
		return
	}
	n := strconv.FormatInt(s.next.Add(1), 10)
	customer, err := s.client.Customers.Create(ctx, gocardless.CustomerCreateParams{
		Email: new("c" + n + "@example.com"), GivenName: new("A"), FamilyName: new("B"), Metadata: gocardless.Metadata{"n": n}})
	s.classify(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		if customer.Metadata["n"] != n {
			s.t.Errorf("create %s returned the customer of %q", n, customer.Metadata["n"])
		}
		s.created[n] = customer.ID
		return
	}
	s.denied[n] = !mayHaveRun(err)
}

// classify fails the test for an error that is none of the SDK's kinds.
func (s *soak) classify(err error) {
	if err == nil {
		return
	}
	s.failed.Add(1)
	var api *gocardless.Error
	var connection *gocardless.ConnectionError
	var malformed *gocardless.MalformedResponseError
	if !errors.As(err, &api) && !errors.As(err, &connection) && !errors.As(err, &malformed) {
		s.t.Errorf("an error of no kind: %T %v", err, err)
	}
	// A conflict comes through only if the existing resource could not be read, and the error names
	// it, or if its body broke off in the last attempt.
	if api != nil && api.StatusCode == http.StatusConflict && api.Link("conflicting_resource_id") == "" &&
		(json.Valid(api.Body) || api.Attempts < 4 || !api.MayHaveRun) {
		s.t.Errorf("a bare conflict came through: %v", err)
	}
}

func mayHaveRun(err error) bool {
	if e, ok := errors.AsType[*gocardless.Error](err); ok {
		return e.MayHaveRun
	}
	if e, ok := errors.AsType[*gocardless.ConnectionError](err); ok {
		return e.MayHaveRun
	}
	return true
}

func TestSoakThroughAProxy(t *testing.T) {
	duration := 2 * time.Second
	if text := os.Getenv(soakVariable); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", soakVariable, err)
		}
	}
	sandbox := startSoakSandbox(t)
	proxy := &flakyProxy{target: sandbox, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, actions: map[string]int{}}
	server := httptest.NewUnstartedServer(proxy)
	server.Config.ErrorLog = nil
	server.Start()
	defer server.Close()
	quick := gocardless.WithRetryPolicy(func(a gocardless.RetryAttempt) gocardless.RetryDecision {
		d := gocardless.DefaultRetry(a)
		d.Wait = min(d.Wait, time.Millisecond)
		return d
	})
	client, err := gocardless.New(soakToken, gocardless.EnvironmentSandbox, gocardless.WithBaseURL(server.URL), quick)
	if err != nil {
		t.Fatal(err)
	}
	s := &soak{t: t, client: client, calls: soakCalls(client), created: map[string]string{}, denied: map[string]bool{}}
	if len(s.calls) < 130 {
		t.Fatalf("only %d operations", len(s.calls))
	}
	s.run(t.Context(), duration/4)
	quarter := heapInUse()
	s.run(t.Context(), duration-duration/4)
	s.check(t, sandbox, proxy)
	// Without what the test has noted of each call.
	s.created, s.denied, proxy.actions = nil, nil, nil
	end := heapInUse()
	t.Logf("%d calls, %d faults, %d errors, %d creates; heap %.1f MB after a quarter, %.1f MB at the end",
		s.done.Load(), proxy.faults.Load(), s.failed.Load(), s.next.Load(), quarter, end)
	if end > quarter+4 {
		t.Errorf("the heap grew by %.1f MB", end-quarter)
	}
}

// run calls operations from 64 goroutines.
func (s *soak) run(ctx context.Context, duration time.Duration) {
	until := time.Now().Add(duration)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for time.Now().Before(until) {
				s.step(ctx)
			}
		})
	}
	all.Wait()
}

// heapInUse returns the size of what is reachable, in MB.
func heapInUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// check compares what the client returned with what the sandbox has, over a good network.
func (s *soak) check(t *testing.T, sandbox string, proxy *flakyProxy) {
	direct, err := gocardless.New(soakToken, gocardless.EnvironmentSandbox, gocardless.WithBaseURL(sandbox))
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for customer, err := range direct.Customers.All(t.Context(), gocardless.CustomerListParams{Limit: 500}) {
		if err != nil {
			t.Fatal(err)
		}
		n := customer.Metadata["n"]
		if n == "" {
			continue // of the calls with zero params
		}
		if other, twice := have[n]; twice {
			t.Errorf("create %s made %s and %s", n, other, customer.ID)
		}
		have[n] = customer.ID
	}
	for n, id := range s.created {
		if have[n] != id {
			t.Errorf("create %s returned %s, and the API has %q", n, id, have[n])
		}
	}
	for n, denied := range s.denied {
		if denied && have[n] != "" {
			t.Errorf("create %s denies having run, and made %s", n, have[n])
		}
	}
	for key, times := range proxy.actions {
		if times > 1 {
			t.Errorf("the action with the key %s was sent %d times", key, times)
		}
	}
	if len(s.created) == 0 || proxy.faults.Load() == 0 || len(proxy.actions) == 0 {
		t.Error("the soak was dry")
	}
}
