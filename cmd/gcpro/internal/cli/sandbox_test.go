package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// buffer is a bytes.Buffer that is safe for concurrent use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run runs the program in this process, without an environment or a terminal.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	a := &app{in: strings.NewReader(""), out: out, errs: errs, env: func(string) string { return "" }, now: time.Now}
	return a.run(ctx, args)
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"nonsense"}, 2, `no command "nonsense"`},
		{[]string{"sandbox", "--nonsense"}, 2, "unknown flag"},
		{[]string{"sandbox", "extra"}, 2, `no command "extra"`},
		{[]string{"sandbox", "--webhook-url", "http://localhost:1"}, 2, "must be given together"},
		{[]string{"sandbox", "--token", "live_abc"}, 3, "--token looks like a live access token"},
		{[]string{"sandbox", "--token", "@/does/not/exist"}, 1, "--token: open"},
		{[]string{"sandbox", "--webhook-url", "http://localhost:1", "--webhook-secret", "@" + os.DevNull}, 2, "--webhook-secret is empty"},
		{[]string{"sandbox", "--webhook-url", "ftp://x", "--webhook-secret", "s"}, 2, "http(s) URL"},
		{[]string{"sandbox", "--clock", "yesterday"}, 2, "--clock"},
		{[]string{"sandbox", "--addr", "nowhere:99999"}, 1, "starting the sandbox"},
		{[]string{"sandbox", "--state", "/does/not/exist/state"}, 1, "state"},
		{[]string{"version", "1"}, 2, "unknown command"},
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), c.args, &out, &errs); got != c.status || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%q: status %d, want %d; said %q, want %q", c.args, got, c.status, errs.String(), c.says)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), []string{arg}, &out, &errs); got != 0 || !strings.HasPrefix(out.String(), "gcpro "+gocardless.Version) {
			t.Errorf("%s: status %d, said %q and %q", arg, got, out.String(), errs.String())
		}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "abc"}
	for _, c := range []struct {
		built *debug.BuildInfo
		want  string
	}{
		{nil, ""},
		{&debug.BuildInfo{}, ""},
		{&debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.modified", Value: "false"}, revision}}, " (commit abc)"},
		{&debug.BuildInfo{Settings: []debug.BuildSetting{revision, {Key: "vcs.modified", Value: "true"}}}, " (commit abc, changed since)"},
	} {
		if got := commit(c.built); got != c.want {
			t.Errorf("%+v: %q, want %q", c.built, got, c.want)
		}
	}
}

// serve runs gcpro sandbox on a free port until the returned function is called.
func serve(t *testing.T, args ...string) (url string, logged *buffer, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	logged = &buffer{}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"sandbox", "--addr", "127.0.0.1:0"}, args...), w, logged)
		_ = w.Close()
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, logged)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("first line is %q", line)
	}
	return url, logged, func() {
		t.Helper()
		cancel()
		if status := <-done; status != 0 {
			t.Errorf("status %d: %s", status, logged)
		}
	}
}

// call makes a request without the SDK, as a program in another language does.
func call(t *testing.T, method, url, body string) (status int, reply string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer any")
	req.Header.Set("GoCardless-Version", "2015-07-06")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// A program in another language can do what a test in Go can: advance the clock, inject faults, play
// a payer and reset the sandbox.
func TestSandboxIsControlledFromOutside(t *testing.T) {
	var events buffer
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(&events, r.Body) }))
	defer endpoint.Close()
	state := filepath.Join(t.TempDir(), "state")
	url, logged, stop := serve(t, "--clock", "2026-09-14T09:00:00Z", "--state", state, "--webhook-url", endpoint.URL, "--webhook-secret", "s")
	want := func(status int, says, method, path, body string) {
		t.Helper()
		if got, reply := call(t, method, url+path, body); got != status || !strings.Contains(reply, says) {
			t.Fatalf("%s %s %s: %d %s\nwant %d with %s", method, path, body, got, reply, status, says)
		}
	}
	create := func(path, body string) string {
		t.Helper()
		status, reply := call(t, http.MethodPost, url+path, body)
		_, id, ok := strings.Cut(reply, `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		if status != http.StatusCreated || !ok {
			t.Fatalf("%s: %d %s", path, status, reply)
		}
		return id
	}
	request := create("/billing_requests", `{"billing_requests":{"mandate_request":{"scheme":"bacs","currency":"GBP"}}}`)
	flow := create("/billing_request_flows", `{"billing_request_flows":{"redirect_uri":"https://shop.example.com/","links":{"billing_request":"`+request+`"}}}`)
	want(200, `{"redirect_uri":"https://shop.example.com/`, "POST", "/_sandbox/flows/"+flow+"/finish", "")
	_, reply := call(t, http.MethodGet, url+"/mandates", "")
	_, mandate, _ := strings.Cut(reply, `"id":"`)
	mandate, _, _ = strings.Cut(mandate, `"`)
	body := `{"payments":{"amount":1500,"currency":"GBP","links":{"mandate":"` + mandate + `"}}}`
	payment := create("/payments", body)
	want(200, `"status":"pending_submission"`, "GET", "/payments/"+payment, "")
	want(200, `{"now":"2026-09-28T09:0`, "POST", "/_sandbox/clock", `{"advance":"14d"}`)
	if !strings.Contains(events.String(), "payment_paid_out") {
		t.Error("the clock moved, and its webhooks had not come")
	}
	want(200, `"status":"paid_out"`, "GET", "/payments/"+payment, "")
	want(422, "never moves back", "POST", "/_sandbox/clock", `{"to":"2026-09-14T09:00:00Z"}`)
	want(422, `"field":"operation"`, "POST", "/_sandbox/faults", `{"operation":"payment.create","drop":true}`)
	want(200, `"faults":1`, "POST", "/_sandbox/faults", `{"operation":"payments.create","reason":"internal_server_error","after":true}`)
	want(500, "internal_server_error", "POST", "/payments", body)
	want(200, `"faults":0`, "GET", "/_sandbox/clock", "")
	if _, reply := call(t, http.MethodGet, url+"/payments", ""); strings.Count(reply, `"amount":1500`) != 2 {
		t.Errorf("the payment of the spoilt reply is missing: %s", reply)
	}
	stop()
	if log := logged.String(); !strings.Contains(log, "method=POST path=/_sandbox/clock") {
		t.Errorf("the log does not say that the clock was moved:\n%s", log)
	}

	url, _, stop = serve(t, "--clock", "2026-09-14T09:00:00Z", "--state", state, "--quiet")
	defer stop()
	// The clock starts at --clock, plus the two weeks by which it was advanced.
	want(200, `{"now":"2026-09-28T0`, "GET", "/_sandbox/clock", "")
	want(200, `"status":"paid_out"`, "GET", "/payments/"+payment, "")
	want(200, `{"now":"2026-09-28T0`, "POST", "/_sandbox/reset", "")
	want(404, "resource_not_found", "GET", "/payments/"+payment, "")
}

func TestSandboxKeepsItsState(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret_token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url, logged, stop := serve(t, "--state", state, "--token", "@"+token)
	client := func(url, token string) *gocardless.Client {
		c, err := gocardless.New(token, gocardless.EnvironmentSandbox, gocardless.WithBaseURL(url), gocardless.WithRetries(0))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	made, err := client(url, "secret_token").Customers.Create(t.Context(), gocardless.CustomerCreateParams{CompanyName: new("ACME"), Email: new("private@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(url, "other").Customers.Get(t.Context(), made.ID); err == nil {
		t.Error("another token was accepted")
	}
	stop()
	log := logged.String()
	if !strings.Contains(log, "operation=customers.create") || !strings.Contains(log, "status=201") {
		t.Errorf("the log does not show the request: %s", log)
	}
	for _, private := range []string{"secret_token", "private@example.com", "ACME"} {
		if strings.Contains(log, private) {
			t.Errorf("the log holds %q: %s", private, log)
		}
	}
	url, _, stop = serve(t, "--state", state, "--token", "secret_token", "--quiet", "--clock", "2030-01-01T00:00:00Z")
	defer stop()
	again, err := client(url, "secret_token").Customers.Get(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if again.CompanyName != "ACME" {
		t.Errorf("the customer came back as %+v", again)
	}
	later, err := client(url, "secret_token").Customers.Create(t.Context(), gocardless.CustomerCreateParams{CompanyName: new("ACME"), Email: new("private@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	if later.CreatedAt.Year() != 2030 {
		t.Errorf("created at %v by a clock that starts in 2030", later.CreatedAt)
	}
	if later.ID == made.ID {
		t.Error("an id was given twice")
	}
}

// The log shows the result of every delivery.
func TestSandboxLogsWebhooks(t *testing.T) {
	for _, c := range []struct {
		status int
		args   []string
		want   string
	}{
		{500, nil, `types=billing_requests.created status=500 reason="Internal Server Error"`},
		{302, nil, `types=billing_requests.created status=302 reason=Found`},
		{204, nil, "types=billing_requests.created status=204"},
		{0, nil, `types=billing_requests.created error="dial tcp`},
		{0, []string{"--quiet"}, ""},
	} {
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) }))
		if c.status == 0 {
			endpoint.Close()
		}
		url, logged, stop := serve(t, append(c.args, "--webhook-url", endpoint.URL+"/hidden?key=hidden", "--webhook-secret", "hidden")...)
		client, err := gocardless.New("any", gocardless.EnvironmentSandbox, gocardless.WithBaseURL(url))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.BillingRequests.Create(t.Context(), gocardless.BillingRequestCreateParams{
			MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{Scheme: new(gocardless.SchemeBacs)},
		}); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); !strings.Contains(logged.String(), c.want) && time.Since(began) < 10*time.Second; {
			time.Sleep(5 * time.Millisecond)
		}
		stop()
		endpoint.Close()
		if log := logged.String(); !strings.Contains(log, c.want) || strings.Contains(log, "hidden") || c.want == "" && log != "" {
			t.Errorf("status %d, %v: the log is\n%s", c.status, c.args, log)
		}
	}
}

// The commands of the guide work as printed, with their ids. Only the payment in another currency is
// refused.
func TestGuideWalkThrough(t *testing.T) {
	guide, err := os.ReadFile("../../../../docs/guides/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(guide), "```console\n$ gcpro sandbox &\n")
	block, _, ended := strings.Cut(rest, "```")
	if !ok || !ended {
		t.Fatal("the guide has no walk through the sandbox")
	}
	url, _, stop := serve(t, "--quiet")
	defer stop()
	commands, refused := 0, 0
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ gcpro ")
		if !ok {
			continue
		}
		commands++
		var out, errs bytes.Buffer
		args := append([]string{"--base-url", url}, words(command)...)
		switch status := run(t.Context(), args, &out, &errs); {
		case strings.Contains(command, "EUR") && status == exitRefused:
			refused++
		case status != exitOK:
			t.Errorf("%s: %d\n%s", command, status, errs.String())
		}
	}
	if commands < 12 || refused != 1 {
		t.Errorf("%d commands, of which %d were refused as they should be", commands, refused)
	}
}

// words splits a command line at spaces outside single quotes.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}
