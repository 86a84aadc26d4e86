package browsertest

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// chromium finds the browser, and installs it where possible.
var chromium = sync.OnceValues(func() (path string, why string) {
	cmd := exec.Command("../../scripts/chromium.sh")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", strings.TrimSpace(said.String())
	}
	return strings.TrimSpace(string(out)), ""
})

// browser starts the browser that all tests share, each with a tab of its own.
var (
	startBrowser   sync.Once
	browserContext context.Context
	errBrowser     error
	stopBrowser    = func() {}
)

func browser(path string) (context.Context, error) {
	startBrowser.Do(func() {
		profile, err := os.MkdirTemp("", "browsertest")
		if err != nil {
			errBrowser = err
			return
		}
		alloc, stop := chromedp.NewExecAllocator(context.Background(),
			chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
		ctx, quit := chromedp.NewContext(alloc)
		stopBrowser = func() {
			quit()
			stop()
			_ = os.RemoveAll(profile)
		}
		browserContext, errBrowser = ctx, chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	})
	return browserContext, errBrowser
}

func TestMain(m *testing.M) {
	code := m.Run()
	stopBrowser()
	os.Exit(code)
}

// tab is a browser tab on the sandbox's pages, and the shop that they lead back to.
type tab struct {
	*testing.T
	ctx     context.Context
	sandbox *gocardlesstest.Server
	client  *gocardless.Client
	shop    *httptest.Server

	mu     sync.Mutex
	visits []string // to the shop
	wrong  []string // violations
}

// open opens a tab.
func open(t *testing.T, opts ...gocardlesstest.Option) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	path, why := chromium()
	if path == "" {
		t.Skip("no Chromium: " + why)
	}
	b := &tab{T: t, sandbox: gocardlesstest.NewServer(t, opts...)}
	b.shop = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			return
		}
		b.mu.Lock()
		b.visits = append(b.visits, r.URL.String())
		b.mu.Unlock()
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Shop</title><h1>Back at the shop</h1>"))
	}))
	t.Cleanup(b.shop.Close)
	client, err := gocardless.New("token", gocardless.EnvironmentSandbox, gocardless.WithBaseURL(b.sandbox.URL))
	if err != nil {
		t.Fatal(err)
	}
	b.client = client
	parent, err := browser(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, closeTab := chromedp.NewContext(parent)
	t.Cleanup(closeTab)
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b.ctx = limited
	for _, err := range []error{
		chromedp.Listen(limited, b.watch), call(b, network.Enable, network.EnableParams{}), call(b, log.Enable, cdp.Empty{}),
		chromedp.Do(limited, chromedp.EmulateViewport(1024, 900)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, w := range b.wrong {
			t.Error(w)
		}
	})
	return b
}

// watch records dialogs, violations of the content security policy, and requests to other hosts.
func (b *tab) watch(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventJavascriptDialogOpening:
		b.wrong = append(b.wrong, "a script ran: "+ev.Message)
	case *log.EventEntryAdded:
		if ev.Entry.Source == log.EntrySourceSecurity || strings.Contains(ev.Entry.Text, "Content Security Policy") {
			b.wrong = append(b.wrong, ev.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(ev.Request.URL)
		if err != nil || u.Host != strings.TrimPrefix(b.sandbox.URL, "http://") && u.Host != strings.TrimPrefix(b.shop.URL, "http://") {
			b.wrong = append(b.wrong, "a page asked for "+ev.Request.URL)
		}
	}
}

// call sends a command and ignores the reply.
func call[P, R any](b *tab, cmd cdp.Command[P, R], params P) error {
	_, err := chromedp.Call(b.ctx, cmd, params)
	return err
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// press clicks the button with the given text.
func (b *tab) press(text string) {
	b.Helper()
	b.do(chromedp.Click(`//button[text()="` + text + `"]`))
}

// js evaluates an expression in the page. The page's policy applies to its scripts, not to the
// debugger.
func js[T any](b *tab, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// until waits until an expression is true.
func (b *tab) until(expression string) {
	b.Helper()
	for range 200 {
		// A page that is being unloaded returns an error.
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`document.readyState == "complete" && (`+expression+`)`)); err == nil && ok {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.Fatalf("never true: %s; the page at %s says %q", expression, js[string](b, `location.href`), js[string](b, `(document.querySelector("main") || document.body).innerText`))
}

// at waits for the page with a heading.
func (b *tab) at(heading string) {
	b.Helper()
	b.until(`(document.querySelector("h1") || {}).textContent == ` + strconv.Quote(heading))
}

// shot saves a screenshot if GOCARDLESS_SCREENSHOTS names a directory.
func (b *tab) shot(name string) {
	b.Helper()
	dir := os.Getenv("GOCARDLESS_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.Fatal(err)
	}
}

// key presses keys, as a person without a mouse does.
func (b *tab) key(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// follow presses Enter on a link to a field of the same page. It sends the key without its character,
// which would reach the field once it has the focus, and submit the form.
func (b *tab) follow() {
	b.Helper()
	for _, k := range kb.Encode('\r') {
		if k.Type == kb.KeyChar {
			continue
		}
		if err := call(b, input.DispatchKeyEvent, *k); err != nil {
			b.Fatal(err)
		}
	}
}

// focus returns the name or text of the element with the focus.
func (b *tab) focus() string {
	b.Helper()
	return js[string](b, `(e => e.name || e.className || e.textContent.trim())(document.activeElement)`)
}

// tabTo presses Tab until an element has the focus.
func (b *tab) tabTo(name string) {
	b.Helper()
	for range 40 {
		b.key("\t")
		if b.focus() == name {
			return
		}
	}
	b.Fatalf("the keyboard does not reach %q; it is at %q", name, b.focus())
}

// flow creates a billing request and a flow for it, and opens the page.
func (b *tab) flow(request gocardless.BillingRequestCreateParams, flow gocardless.BillingRequestFlowCreateParams) *gocardless.BillingRequest {
	b.Helper()
	r, err := b.client.BillingRequests.Create(b.ctx, request)
	if err != nil {
		b.Fatal(err)
	}
	flow.Links.BillingRequest = r.ID
	f, err := b.client.BillingRequestFlows.Create(b.ctx, flow)
	if err != nil {
		b.Fatal(err)
	}
	b.do(chromedp.Navigate(f.AuthorisationURL))
	return r
}

func (b *tab) status(id string) gocardless.BillingRequestStatus {
	b.Helper()
	r, err := b.client.BillingRequests.Get(b.ctx, id)
	if err != nil {
		b.Fatal(err)
	}
	return r.Status
}
