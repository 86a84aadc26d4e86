package gocardlesstest

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// checked holds the operations with a successful reply that was checked against the API description.
var checked sync.Map

// TestMain checks, after all tests have run, that every operation of the API was called and its reply
// checked.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && wholeRun() {
		for i := range api.Operations {
			if _, ok := checked.Load(api.Operations[i].Name); !ok {
				fmt.Fprintf(os.Stderr, "no test has checked a reply of %s: add a call to TestOperationsAnswer\n", api.Operations[i].Name)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// wholeRun reports whether all tests run.
func wholeRun() bool {
	value := func(name string) string { return flag.Lookup("test." + name).Value.String() }
	return value("run") == "" && value("skip") == "" && value("list") == "" && value("fuzz") == "" && value("fuzzworker") == "false"
}

// atSpeed reduces garbage collection: collecting whenever the small heap doubles takes a third of the
// CPU time.
func atSpeed(tb testing.TB) {
	old := debug.SetGCPercent(800)
	tb.Cleanup(func() { debug.SetGCPercent(old) })
}

// monday is the start of the tests' clocks: a working day in every scheme, before the cut-off.
var monday = time.Date(2026, 9, 14, 9, 0, 0, 0, time.UTC)

// caller makes raw API calls without a socket.
type caller struct {
	t  testing.TB
	sb *Sandbox
	rt http.RoundTripper

	strict bool // every reply is checked against the API description
}

func newCaller(t testing.TB, opts ...Option) *caller {
	t.Helper()
	sb := New(append([]Option{WithFrozenClock(monday), WithRateLimit(0)}, opts...)...)
	return &caller{t, sb, sb.Transport(), true}
}

// reply is the reply to a raw call.
type reply struct {
	status int
	header http.Header
	raw    []byte
	body   object
}

// do makes a call. Headers are names and values in turn, and replace the default ones.
func (c *caller) do(method, path, body string, headers ...string) *reply {
	c.t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, "https://api-sandbox.gocardless.com"+path, rd)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer test")
	req.Header.Set("GoCardless-Version", "2015-07-06")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		} else {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := c.rt.RoundTrip(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if op, _, _ := theRegistry().routes.Find(method, req.URL.EscapedPath()); op != nil || resp.StatusCode >= 400 {
		if c.strict {
			checkReply(c.t, op, resp.StatusCode, raw)
			if resp.StatusCode < 300 {
				checked.Store(op.Name, true)
			}
		}
	}
	r := &reply{status: resp.StatusCode, header: resp.Header, raw: raw}
	if len(bytes.TrimSpace(raw)) > 0 {
		v, err := value.Parse(raw)
		if err != nil {
			c.t.Fatalf("%s %s: reply is not JSON: %s", method, path, raw)
		}
		r.body, _ = v.(object)
	}
	return r
}

// ok makes a call that must succeed, and returns the content of the reply's envelope.
func (c *caller) ok(method, path, body string, headers ...string) object {
	c.t.Helper()
	r := c.do(method, path, body, headers...)
	if r.status >= 300 {
		c.t.Fatalf("%s %s %s: %d %s", method, path, body, r.status, r.raw)
	}
	for _, m := range r.body {
		if o, ok := m.Val.(object); ok && m.Key != "meta" {
			return o
		}
	}
	return nil
}

// list makes a list call and returns the items.
func (c *caller) list(path string) []object {
	c.t.Helper()
	r := c.do("GET", path, "")
	if r.status != 200 {
		c.t.Fatalf("GET %s: %d %s", path, r.status, r.raw)
	}
	var out []object
	for _, v := range r.body[0].Val.([]any) {
		out = append(out, v.(object))
	}
	return out
}

// refused makes a call that must fail with a status and a reason (or, for errors without reasons, a
// pointer), and returns the first problem.
func (c *caller) refused(status int, reason, method, path, body string, headers ...string) object {
	c.t.Helper()
	r := c.do(method, path, body, headers...)
	e := r.body.Obj("error")
	var first object
	if l := e.List("errors"); len(l) > 0 {
		first = l[0].(object)
	}
	found := first.Str("reason")
	if reason == "invalid_state" && e.Str("type") == reason && found != "" {
		found = reason // where the API's own reason is not known
	}
	if r.status != status || found != reason && first.Str("request_pointer") != reason {
		c.t.Fatalf("%s %s %s: got %d %s, want %d %s", method, path, body, r.status, r.raw, status, reason)
	}
	return first
}
