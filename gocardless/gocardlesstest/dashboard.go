package gocardlesstest

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// The dashboard: pages that show what the program under test did and what the banks will do next, and
// that control the sandbox. Pages are rendered here and can be read without JavaScript. The script
// sends the forms, which are generated from the controls, to the control API, and reloads the pages
// when something has changed.
//
// Whatever the program under test sent is untrusted: html/template escapes it, only the sandbox's own
// URLs become links, and a content security policy allows only the dashboard's own files.

// dashboardPath is the path prefix of the dashboard's pages and files.
const dashboardPath = ControlPath + "ui/"

//go:embed dashboard
var dashboardFiles embed.FS

// dashboardPages returns the pages by name, each with the layout around it. It parses them when the first
// is shown: few programs that link the sandbox show any, and all would search the megabyte in every
// garbage collection.
var dashboardPages = sync.OnceValue(func() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(dashboardFuncs).ParseFS(dashboardFiles, "dashboard/layout.html", "dashboard/parts.html"))
	out := map[string]*template.Template{}
	for _, name := range []string{"overview", "requests", "request", "webhooks", "webhook", "resources", "kind", "resource", "time", "tools", "message"} {
		out[name] = template.Must(template.Must(layout.Clone()).ParseFS(dashboardFiles, "dashboard/"+name+".html"))
	}
	return out
})

// dashView is the content of a page.
type dashView struct {
	Page    string
	Title   string
	Section string // of the navigation
	Status  int
	Base    string // base URL of the API
	Clock   dashClock
	Nav     []navItem
	Body    any
}

type dashClock struct {
	Now    string
	Frozen bool
	Next   string // the next step and when it is due
}

type navItem struct {
	Name, Href string
	Count      int
	Current    bool
}

// isDashboard reports whether a request is for the dashboard: below its path, or from a browser for the
// root.
func isDashboard(r *http.Request) bool {
	if r.URL.Path == "/" {
		return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
	}
	return strings.HasPrefix(r.URL.Path, dashboardPath) || r.URL.Path == ControlPath+"stream" || r.URL.Path == "/favicon.ico"
}

func (sb *Sandbox) serveDashboard(w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	if err := sb.guard(r); err != nil {
		sb.writeRefusal(w, err)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		sb.writeRefusal(w, api.Refuse("method_not_allowed", "Method not allowed; it must be one of: GET, HEAD"))
		return
	}
	if sb.serveDashboardFile(w, r) {
		return
	}
	header := http.Header{}
	if err := sb.authoriseControl(r, header); err != nil {
		maps.Copy(h, header)
		var refused *api.Error
		if errors.As(err, &refused) {
			sb.writeRefusal(w, refused)
		}
		return
	}
	h.Set("Cache-Control", "no-store")
	if r.URL.Path == ControlPath+"stream" {
		sb.stream(w, r, stop)
		return
	}
	sb.writeDashboard(w, r, sb.dashboardView(r))
}

// serveDashboardFile serves a file of the dashboard. It reports whether the path names one.
func (sb *Sandbox) serveDashboardFile(w http.ResponseWriter, r *http.Request) bool {
	name, kind := strings.TrimPrefix(r.URL.Path, dashboardPath), ""
	switch {
	case r.URL.Path == "/favicon.ico" || name == "icon.svg":
		name, kind = "icon.svg", "image/svg+xml"
	case name == "style.css":
		kind = "text/css; charset=utf-8"
	case name == "app.js":
		kind = "text/javascript; charset=utf-8"
	default:
		return false
	}
	b, err := dashboardFiles.ReadFile("dashboard/" + name)
	if err != nil {
		panic(err) // a file of this package
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	if r.Method != http.MethodHead {
		_, _ = w.Write(b)
	}
	return true
}

func (sb *Sandbox) writeDashboard(w http.ResponseWriter, r *http.Request, v *dashView) {
	var b bytes.Buffer
	if err := dashboardPages()[v.Page].Execute(&b, v); err != nil {
		panic(err) // the templates are this package's own
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(v.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes())
	}
}

// streamGap is how often the stream looks for changes, so that an open dashboard costs little, however
// much changes.
const streamGap = 300 * time.Millisecond

// stream sends an event whenever something has changed.
func (sb *Sandbox) stream(w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // a stream has no end
	seen, quiet := sb.fingerprint(), 0  // before the first byte, at which the browser loads the page
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = w.Write([]byte("retry: 1000\n\n"))
	_ = rc.Flush()
	ticker := time.NewTicker(streamGap)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-stop:
			return
		}
		now := sb.fingerprint()
		quiet++
		text := ""
		switch {
		case now != seen:
			text = "event: change\ndata: {}\n\n"
		case quiet > 50:
			text = ": still here\n\n"
		default:
			continue
		}
		seen, quiet = now, 0
		if _, err := w.Write([]byte(text)); err != nil || rc.Flush() != nil {
			return
		}
	}
}

// fingerprint returns a string that changes whenever a page of the dashboard changes.
func (sb *Sandbox) fingerprint() string {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	paused := 0
	for _, ep := range sb.hooks.endpoints {
		if ep.paused {
			paused++
		}
	}
	return fmt.Sprint(sb.log.total.Load(), sb.hooks.log.total.Load(), sb.changes.Load(), sb.faults.count(), sb.offset.Load(), sb.frozen.Load() != nil,
		len(sb.saved), sb.hooks.made, len(sb.hooks.endpoints), paused)
}
