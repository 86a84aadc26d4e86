package browsertest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// monday is the time of the clocks of these tests.
var monday = time.Date(2026, 9, 14, 9, 0, 0, 0, time.UTC)

// dashboard opens a tab on the dashboard of a sandbox.
func dashboard(t *testing.T, opts ...gocardlesstest.Option) *tab {
	t.Helper()
	b := open(t, append([]gocardlesstest.Option{gocardlesstest.WithControl(), gocardlesstest.WithFrozenClock(monday), gocardlesstest.WithRateLimit(0)}, opts...)...)
	b.visit("/")
	return b
}

// visit opens a page of the dashboard and waits until the stream is connected.
func (b *tab) visit(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.sandbox.URL + path))
	b.live()
}

func (b *tab) live() {
	b.Helper()
	b.until(`document.getElementById("state").textContent == "live"`)
}

// reach presses Tab until an element with the given text has the focus, and then Enter.
func (b *tab) reach(text string) {
	b.Helper()
	for range 200 {
		b.key("\t")
		if js[bool](b, `document.activeElement.matches("a, button, summary") && document.activeElement.textContent.trim().startsWith(`+strconv.Quote(text)+`)`) {
			if !js[bool](b, `document.activeElement.matches(":focus-visible")`) {
				b.Errorf("the focus on %s cannot be seen", text)
			}
			b.key("\r")
			return
		}
	}
	b.Fatalf("the keyboard does not reach %q; the page at %s says %q", text, js[string](b, `location.href`), js[string](b, `document.querySelector("main").innerText`))
}

// shows waits until the page contains a string.
func (b *tab) shows(text string) {
	b.Helper()
	b.until(`document.querySelector("main").innerText.includes(` + strconv.Quote(text) + `)`)
}

// A person without a mouse loads a world, finds a payment, charges it back, finds the webhook that the
// program received, and sends it again.
func TestDashboardByKeyboard(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "the order was deleted")
	}))
	defer app.Close()
	b := dashboard(t, gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{URL: app.URL, Secret: "s", Events: []string{"payments.charged_back"}}))
	b.shows("Nothing has happened yet")
	b.reach("Load “shop”")
	b.until(`document.getElementById("notice").textContent.startsWith("Load “shop”: done")`)
	b.until(`!document.querySelector(".hello")`)
	b.reach("Resources")
	b.until(`location.pathname == "/_sandbox/ui/resources"`)
	b.live()
	b.reach("Payments")
	b.until(`document.querySelector("h1").textContent == "Payments"`)
	b.live()
	id := js[string](b, `[...document.querySelectorAll("tbody tr")].find(r => r.innerText.includes("paid out")).querySelector("a").textContent`)
	b.reach(id)
	b.until(`document.querySelector("h1").textContent == "` + id + `"`)
	b.live()
	b.reach("Charge back")
	b.until(`document.querySelector("h1 + .pill").textContent == "charged back"`)
	b.shows("payments.charged_back")
	if p, err := b.client.Payments.Get(b.ctx, id); err != nil || p.Status != gocardless.PaymentStatusChargedBack {
		t.Errorf("the payment is %+v, %v", p, err)
	}
	b.reach("Webhooks")
	b.until(`location.pathname == "/_sandbox/ui/webhooks"`)
	b.live()
	b.shows("the order was deleted")
	before := len(b.sandbox.Deliveries())
	b.reach("Send again")
	b.until(`document.querySelectorAll("#deliveries tbody tr").length == ` + strconv.Itoa(before+1))

	// Set a fault with the form.
	b.reach("Tools")
	b.until(`location.pathname == "/_sandbox/ui/tools"`)
	b.live()
	b.reach("Faults")
	for name, value := range map[string]string{"operation": "payments.get", "times": "2", "status": "503"} {
		b.do(chromedp.Focus(`//form[@id="form-inject"]//input[@name="` + name + `"]`))
		b.do(chromedp.SendKeys(`//form[@id="form-inject"]//input[@name="`+name+`"]`, value))
	}
	b.reach("Set the fault")
	b.until(`document.getElementById("tools").innerText.includes("2 left")`)
	if _, err := b.client.Payments.Get(b.ctx, id, gocardless.WithRetries(0)); err == nil {
		t.Error("the fault of the form does not hit")
	}
	b.do(chromedp.Focus(`//form[@id="form-inject"]//input[@name="operation"]`))
	b.do(chromedp.SendKeys(`//form[@id="form-inject"]//input[@name="operation"]`, "x"))
	b.reach("Set the fault")
	b.until(`document.getElementById("notice").className == "bad" && document.getElementById("notice").textContent.includes("operation matches no operation")`)
}

// A page shows what a program does without reloading, and keeps the selection.
func TestDashboardIsLive(t *testing.T) {
	b := dashboard(t)
	b.visit("/_sandbox/ui/requests")
	b.do(chromedp.Focus(`//input[@name="operation"]`))
	// On a busy machine one round may be slow, but not every one.
	best := time.Hour
	for try := 1; try <= 10 && best > time.Second; try++ {
		if _, err := b.client.Customers.Create(b.ctx, gocardless.CustomerCreateParams{GivenName: new("Ada"), FamilyName: new("Byron"), Email: new("ada@example.com")}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		b.until(`[...document.querySelectorAll("#requests tbody tr")].filter(r => r.innerText.includes("customers.create")).length == ` + strconv.Itoa(try))
		best = min(best, time.Since(began))
	}
	t.Logf("a request was on the page after %v", best)
	if best > time.Second {
		t.Errorf("a request was on the page after %v at best", best)
	}
	if at := b.focus(); at != "operation" {
		t.Errorf("the focus went to %q", at)
	}
	b.sandbox.Advance(24 * time.Hour)
	b.until(`document.getElementById("clock").innerText.includes("15 Sep 2026")`)
	b.sandbox.Freeze()
	b.until(`document.getElementById("clock").innerText.includes("frozen")`)
}

// Without JavaScript the pages are readable, and explain what needs it.
func TestDashboardWithoutJavaScript(t *testing.T) {
	b := dashboard(t)
	if err := call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	m := b.sandbox.ActiveMandate()
	b.do(chromedp.Navigate(b.sandbox.URL + "/_sandbox/ui/resources/mandates/" + m.ID))
	b.shows("Without JavaScript you can read this page")
	b.shows("mandates.active")
	if n := js[int](b, `document.querySelectorAll("button:not([disabled])").length`); n > 0 {
		t.Errorf("%d buttons that do nothing can be pressed", n)
	}
}

// Whatever a program sends, the pages run no script of its and stay small and quick.
func TestDashboardOfAHostileWorld(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">x</a>`
	b := dashboard(t, gocardlesstest.WithRequestLog(10_000))
	m := b.sandbox.ActiveMandate(gocardlesstest.GivenName(evil), gocardlesstest.FamilyName("javascript:alert(4)"))
	post := func(path, body string) {
		req, err := http.NewRequest("POST", "https://api.example"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer t"}, "Gocardless-Version": {"2015-07-06"}, "Content-Type": {"application/json"}, "Idempotency-Key": {evil}}
		resp, err := b.sandbox.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	large := strings.Repeat(evil, 1<<20/len(evil))
	for i := range 10_000 {
		body := fmt.Sprintf(`{"payments":{"amount":100,"currency":"GBP","description":%q,"links":{"mandate":%q}}}`, evil, m.ID)
		if i%500 == 0 {
			body = `{"payments":` + strconv.Quote(large) + `}`
		}
		post("/payments", body)
	}
	payment := b.sandbox.PendingPayment(gocardlesstest.Under(m.ID))
	requests := b.sandbox.Requests()
	for _, path := range []string{"/", "/_sandbox/ui/requests", "/_sandbox/ui/requests/" + requests[0].RequestID, "/_sandbox/ui/requests/" + requests[9500].RequestID,
		"/_sandbox/ui/resources/customers", "/_sandbox/ui/resources/customers/" + m.Links.Customer, "/_sandbox/ui/resources/payments", "/_sandbox/ui/resources/payments/" + payment.ID} {
		b.visit(path)
		if n := js[int](b, `document.querySelectorAll("body *").length`); n > 5000 {
			t.Errorf("%s has %d elements", path, n)
		}
		if n := js[int](b, `document.querySelectorAll("main script, main img, main [onerror], a[href^=javascript]").length`); n > 0 {
			t.Errorf("%s has %d elements from outside", path, n)
		}
		// After a change the script loads the page again.
		b.sandbox.Advance(time.Minute)
		b.until(`document.getElementById("clock").innerText.includes(` + strconv.Quote(b.sandbox.Now().Format("15:04:05")) + `)`)
		if w := js[int](b, `document.documentElement.scrollWidth - innerWidth`); w > 0 {
			t.Errorf("%s is %d pixels wider than the window", path, w)
		}
	}
}

// The pages fit a phone without scrolling sideways. If GOCARDLESS_SCREENSHOTS is set, screenshots are
// saved at both widths, in light and dark.
func TestDashboardFits(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if bytes.Contains(b, []byte(`"failed"`)) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"error":"no order for this payment"}`)
		}
	}))
	defer app.Close()
	b := dashboard(t, gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{URL: app.URL, Secret: "s"}))
	b.fits("empty", "/")
	world, err := gocardlesstest.ReadyWorld("gym")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.sandbox.LoadWorld(world); err != nil {
		t.Fatal(err)
	}
	m := b.sandbox.ActiveMandate()
	params := gocardless.PaymentCreateParams{Amount: 4200, Currency: gocardless.CurrencyGBP, Links: gocardless.PaymentCreateParamsLinks{Mandate: m.ID}}
	b.sandbox.Inject(gocardlesstest.Fault{Operation: "payments.create", Reason: "internal_server_error"})
	p, err := b.client.Payments.Create(b.ctx, params) // the fault, and a retry
	if err != nil {
		t.Fatal(err)
	}
	_, _ = b.client.Payments.Get(b.ctx, "PM0")
	b.sandbox.Inject(gocardlesstest.Fault{Operation: "mandates.*", Status: 503, Times: 3, Delay: time.Second})
	if err := b.sandbox.SaveSnapshot("before the outage"); err != nil {
		t.Fatal(err)
	}
	b.sandbox.FlushWebhooks()
	requests := b.sandbox.Requests()
	for name, path := range map[string]string{
		"overview": "/", "requests": "/_sandbox/ui/requests", "request": "/_sandbox/ui/requests/" + requests[1].RequestID,
		"webhooks": "/_sandbox/ui/webhooks", "webhook": "/_sandbox/ui/webhooks/" + b.sandbox.Deliveries()[0].Webhook, "resources": "/_sandbox/ui/resources",
		"payments": "/_sandbox/ui/resources/payments", "payment": "/_sandbox/ui/resources/payments/" + p.ID, "mandate": "/_sandbox/ui/resources/mandates/" + m.ID,
		"time": "/_sandbox/ui/time", "tools": "/_sandbox/ui/tools", "nothing": "/_sandbox/ui/nothing",
	} {
		b.fits(name, path)
	}
}

// fits opens a page at the widths of a laptop and of a phone.
func (b *tab) fits(name, path string) {
	b.Helper()
	schemes := []string{"light"}
	if os.Getenv("GOCARDLESS_SCREENSHOTS") != "" {
		schemes = append(schemes, "dark")
	}
	for width, device := range map[int64]string{1280: "wide", 390: "phone"} {
		for _, scheme := range schemes {
			b.do(chromedp.EmulateViewport(width, 844))
			features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
			if err := call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
				b.Fatal(err)
			}
			b.visit(path)
			if w := js[int](b, `document.documentElement.scrollWidth - innerWidth`); w > 0 {
				b.Errorf("%s is %d pixels wider than a window of %d", name, w, width)
			}
			if small := js[int](b, `[...document.querySelectorAll("main button, main select")].filter(e => e.offsetHeight > 0 && e.offsetHeight < 28).length`); small > 0 {
				b.Errorf("%s has %d controls that are too small for a finger", name, small)
			}
			b.picture("dashboard-" + name + "-" + device + "-" + scheme)
		}
	}
}

// picture saves a screenshot of the window if GOCARDLESS_SCREENSHOTS names a directory.
func (b *tab) picture(name string) {
	b.Helper()
	dir := os.Getenv("GOCARDLESS_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.Fatal(err)
	}
}
