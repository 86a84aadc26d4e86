package gocardlesstest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// look opens a page of a server's dashboard as a browser does.
func look(t *testing.T, s *Server, path string, headers ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequest("GET", s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

var hrefs = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)

// lookSafely opens a page, which must contain nothing executable from outside, and returns its links.
func lookSafely(t *testing.T, s *Server, path string) (links []string) {
	t.Helper()
	status, header, page := look(t, s, path)
	if status != 200 {
		t.Errorf("%s: %d", path, status)
	}
	if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		return nil
	}
	if csp := header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'; script-src 'self'") || strings.Contains(csp, "unsafe") {
		t.Errorf("%s: the policy is %s", path, csp)
	}
	if n := strings.Count(page, "<script"); n != 1 || strings.Contains(page, "<img src=x") || strings.Contains(page, "style=") || strings.Contains(page, "ZgotmplZ") {
		t.Errorf("%s has %d scripts, or markup from outside", path, n)
	}
	if len(page) > 1<<20 {
		t.Errorf("%s has %d bytes", path, len(page))
	}
	for _, h := range hrefs.FindAllStringSubmatch(page, -1) {
		switch link := strings.ReplaceAll(h[1], "&amp;", "&"); {
		case strings.HasPrefix(link, "#"):
		case !strings.HasPrefix(link, "/"):
			t.Errorf("%s links to %s", path, link)
		default:
			links = append(links, link)
		}
	}
	return links
}

// Every page that a link leads to exists, and none contains a script, a style or a link from the data.
func TestDashboardPages(t *testing.T) {
	withoutRace(t)
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>javascript:alert(3)`
	hook := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		_, _ = io.WriteString(w, evil)
	})
	s := NewServer(t, WithControl(), WithFrozenClock(monday), WithWebhooks(Webhooks{Handler: hook, Secret: "x", Manual: true}))
	c := &world{caller: &caller{t, s.Sandbox, s.Transport(), false}}
	for _, name := range ReadyWorlds() {
		w, err := ReadyWorld(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.LoadWorld(w); err != nil {
			t.Fatal(err)
		}
	}
	m := s.ActiveMandate(GivenName("<b>"+evil), FamilyName("javascript:alert(1)"), Metadata(map[string]string{"<i>": evil}))
	body := string(value.Append(nil, object{{"payments", object{{"amount", int64(100)}, {"currency", "GBP"}, {"description", evil}, {"links", object{{"mandate", m.ID}}}}}}))
	payment := c.ok("POST", "/payments", body, "Idempotency-Key", `<script>alert("key")</script>`).Str("id")
	c.do("GET", "/"+strings.ReplaceAll("<script>alert(1)</script>", "/", "%2F")+"?x=<b>", "")
	c.do("POST", "/payments", `{"payments":"`+strings.Repeat("<b>", 400_000)+`"}`)
	c.ok("POST", "/redirect_flows", `{"redirect_flows":{"session_token":"s","success_redirect_url":"https://evil.example/x","description":"<script>"}}`)
	s.Inject(Fault{Operation: "payments.*", Body: evil, Header: http.Header{"X-Evil": {evil}}})
	s.FlushWebhooks()
	if err := s.SaveSnapshot(strings.ReplaceAll(evil, "/", "")[:60]); err != nil {
		t.Fatal(err)
	}

	seen, queue := map[string]bool{}, []string{"/"}
	kinds, hosted := map[string]int{}, 0
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		// Three pages of a kind are enough.
		kind := regexp.MustCompile(`[A-Z0-9_]{8,}(%.*)?$|\?.*`).ReplaceAllString(path, "*")
		if kinds[kind]++; kinds[kind] > 3 && !strings.Contains(path, payment) && !strings.Contains(path, m.ID) {
			continue
		}
		for _, link := range lookSafely(t, s, path) {
			switch {
			case pageFor(link) != nil:
				hosted++
			case !seen[link]:
				seen[link] = true
				queue = append(queue, link)
			}
		}
	}
	for _, want := range []string{"/_sandbox/ui/resources/payments/" + payment, "/_sandbox/ui/resources/mandates/" + m.ID, "/_sandbox/ui/tools", "/_sandbox/ui/style.css", "/_sandbox/openapi.json"} {
		if !seen[want] {
			t.Errorf("no link leads to %s", want)
		}
	}
	if hosted == 0 {
		t.Error("no link leads to a page on which a payer can be played")
	}
	for path, want := range map[string]string{
		"/_sandbox/ui/resources/payments/" + payment:         "Payment: submit",
		"/_sandbox/ui/resources/mandates/" + m.ID:            "mandates.active",
		"/_sandbox/ui/webhooks":                              "&lt;script&gt;alert(1)",
		"/_sandbox/ui/requests?operation=payments.create":    "payments.create",
		"/_sandbox/ui/requests?status=failed":                "404",
		"/_sandbox/ui/resources/customers?find=okafor":       "Okafor",
		"/_sandbox/ui/time":                                  "Payment: submit",
		"/_sandbox/ui/tools":                                 "custom body",
		"/_sandbox/ui/resources/payments?find=nothing+of+it": "None found.",
	} {
		if _, _, page := look(t, s, path); !strings.Contains(page, want) {
			t.Errorf("%s does not show %s", path, want)
		}
	}
	for _, path := range []string{"/_sandbox/ui/nothing", "/_sandbox/ui/requests/X", "/_sandbox/ui/resources/payments/PM0", "/_sandbox/ui/resources/settlements", "/_sandbox/ui/webhooks/WB0"} {
		if status, _, page := look(t, s, path); status != 404 || !strings.Contains(page, "Page not found") {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// The dashboard does not change the API: a program that requests the root is not a browser.
func TestDashboardIsForBrowsers(t *testing.T) {
	s := NewServer(t, WithControl())
	if status, body := read(t, http.DefaultClient, s.URL+"/"); status != 400 || !strings.Contains(body, "missing_version_header") {
		t.Errorf("a program: %d %s", status, body)
	}
	without := NewServer(t)
	if status, _, body := look(t, without, "/"); status != 400 || !strings.Contains(body, "missing_version_header") {
		t.Errorf("without the control: %d", status)
	}
	resp, err := http.Post(s.URL+"/_sandbox/ui/requests", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("a POST: %d", resp.StatusCode)
	}
	head, err := http.Head(s.URL + "/_sandbox/ui/requests")
	if err != nil {
		t.Fatal(err)
	}
	_ = head.Body.Close()
	if head.StatusCode != 200 {
		t.Errorf("a HEAD: %d", head.StatusCode)
	}
}

// If tokens are set, the dashboard asks for one as the password of basic authentication.
func TestDashboardWantsTheToken(t *testing.T) {
	s := NewServer(t, WithControl(), WithToken("secret"), WithReadOnlyToken("reader"))
	for auth, want := range map[string]int{"": 401, "Basic eDp3cm9uZw==": 401, "Basic eDpzZWNyZXQ=": 200, "Bearer secret": 200, "Basic eDpyZWFkZXI=": 200} {
		status, header, page := look(t, s, "/", "Authorization", auth)
		if status != want || (status == 401) != strings.HasPrefix(header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%q: %d %v", auth, status, header)
		}
		if strings.Contains(page, "secret") {
			t.Errorf("%q: the page has the token", auth)
		}
	}
	if status, _, _ := look(t, s, "/_sandbox/stream"); status != 401 {
		t.Errorf("the stream: %d", status)
	}
}

// The stream reports a change within a second, and ends with the server.
func TestStream(t *testing.T) {
	s, err := Start("127.0.0.1:0", WithControl())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.URL + "/_sandbox/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			lines <- in.Text()
		}
	}()
	if first := <-lines; first != "retry: 1000" {
		t.Errorf("the stream begins with %q", first)
	}
	c := &caller{t, s.Sandbox, s.Transport(), false}
	for _, change := range []func(){
		func() { c.ok("POST", "/customers", customerBody) },
		func() { s.Inject(Fault{Drop: true}) },
		func() { s.ClearFaults() },
		func() { s.Advance(time.Hour) },
		func() { s.Freeze() },
		func() { _ = s.SaveSnapshot("x") },
	} {
		change()
		for line := range lines {
			if line == "event: change" {
				break
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("shutting down with an open stream: %v", err)
	}
	for range lines {
	}
}

func TestCurl(t *testing.T) {
	r := &Request{Method: "POST", Path: "/payments", Query: "a=b'c", Body: []byte(`{"a":"it's"}`),
		Header: http.Header{"Authorization": {"Bearer secret"}, "Gocardless-Version": {"2015-07-06"}, "Idempotency-Key": {"$(rm -rf /)"}}}
	got := r.curl("http://127.0.0.1:1")
	for _, want := range []string{`'http://127.0.0.1:1/payments?a=b'\''c'`, `"Authorization: Bearer $TOKEN"`, `'Idempotency-Key: $(rm -rf /)'`, `'{"a":"it'\''s"}'`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if strings.Contains(got, "secret") {
		t.Error("the token is in the command")
	}
	if got := fmt.Sprint((&Fault{Operation: "x", Delay: time.Second, Drop: true}).summary()); got != "delayed 1s, dropped" {
		t.Errorf("a fault is summed up as %q", got)
	}
}
