// Package page renders the web pages on which a developer plays the payer. They are plain forms without
// scripts, load nothing from other servers, and work with the keyboard alone.
//
// Whatever a person entered or a program prefilled is untrusted: html/template escapes it, redirect URLs are
// checked when they are set and again before they are used, and a content security policy allows only the
// page's own style. A form that a page of another site submits is refused, because browsers send its origin.
package page

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// MaxForm is the maximum size of a form.
const MaxForm = 64 << 10

//go:embed pages
var pageFiles embed.FS

var (
	// Parsed when the first page is shown, because few programs that link the sandbox show any.
	pageTemplate = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("page.html").ParseFS(pageFiles, "pages/page.html"))
	})
	pageStyle   = mustRead("pages/style.css")
	crossOrigin = http.NewCrossOriginProtection()
)

func mustRead(name string) template.CSS {
	b, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return template.CSS(b) //nolint:gosec // a file of this package
}

// View is the content of a page.
type View struct {
	Status   int
	Title    string
	Merchant string
	Lang     string
	Nonce    string
	Style    template.CSS
	Theme    Theme
	Intro    string
	Steps    []Step
	Problems []Problem
	Summary  []Row
	Fields   []*Field
	Small    string // a note below the form's fields
	Hidden   []Row
	Buttons  []Button
	Links    []Link
	Exit     bool
	Good     bool // reports success

	redirect string   // URL to redirect to instead of showing a page
	Refresh  string   // URL to go to after five seconds
	Targets  []string // URLs that the forms may redirect to
}

// Step is one of the steps that the progress bar shows.
type Step struct {
	Name    string
	Link    string // back to the step
	Current bool
	Done    bool
}

// Problem is a problem of a field, or of the form if Field is "".
type Problem struct{ Field, Message string }

// Row is a line of a summary.
type Row struct{ Name, Value string }

// Button submits the form.
type Button struct {
	Name, Value, Label string
	Plain              bool
}

// Link leads away from the page.
type Link struct {
	Label string
	URL   template.URL
	Main  bool
}

// Field is one field of a form.
type Field struct {
	Name, Label, Value, Hint, Error string
	Kind                            string // input type, "select" or "radio"
	Autocomplete, Mode              string
	Options                         []Option
	Optional                        bool
}

// Option is one of the choices of a field.
type Option struct{ Value, Label, Note string }

// Theme is a creditor's colours. Write sets those of the text on them.
type Theme struct{ Header, HeaderInk, Button, ButtonInk, Border, Link string }

// Check parses the form of a request. It returns a page if it refuses the request, and otherwise nil.
func Check(w http.ResponseWriter, r *http.Request) *View {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return Message(http.StatusMethodNotAllowed, "Method not allowed", "This page accepts only GET and POST.")
	}
	if err := crossOrigin.Check(r); err != nil {
		return Message(http.StatusForbidden, "Form refused", "A page of another site sent this form, so nothing was done.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return Message(http.StatusRequestEntityTooLarge, "Form too large", "The form is larger than this page accepts.")
		}
		return Message(http.StatusBadRequest, "The form could not be read", "Go back and submit it again.")
	}
	return nil
}

// Message returns a page with one message.
func Message(status int, title, text string) *View {
	return &View{Status: status, Title: title, Intro: text}
}

// SendTo redirects the browser.
func SendTo(address string) *View { return &View{redirect: address} }

// Write replies with a page or a redirect.
func Write(w http.ResponseWriter, r *http.Request, v *View) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// Whoever has the URL of a flow can act in it, so other sites do not receive it. The pages themselves
	// receive the origin, which they check.
	h.Set("Referrer-Policy", "same-origin")
	if v.redirect != "" {
		h.Set("Location", v.redirect)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	v.Nonce = rand.Text()
	v.Style = pageStyle
	v.Theme.HeaderInk, v.Theme.ButtonInk = inkOn(v.Theme.Header), inkOn(v.Theme.Button)
	if v.Lang == "" {
		v.Lang = "en"
	}
	if v.Status == 0 {
		v.Status = http.StatusOK
	}
	if v.Refresh != "" {
		h.Set("Refresh", "5; url="+v.Refresh)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.Nonce+"'; form-action "+formTargets(v.Targets)+"; base-uri 'none'; frame-ancestors 'none'")
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, v); err != nil {
		panic(err) // the templates are this package's own
	}
	w.WriteHeader(v.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes())
	}
}

// formTargets lists the sources for the form-action directive, which browsers apply to the redirect
// after a form, too.
func formTargets(addresses []string) string {
	out := "'self'"
	for _, a := range addresses {
		u, err := url.Parse(a)
		if err != nil || !SafeRedirect(a) {
			continue
		}
		source := u.Scheme + ":"
		if u.Scheme == "http" || u.Scheme == "https" {
			source = u.Scheme + "://" + u.Host
		}
		// These characters would end the directive; no host contains them.
		if !strings.ContainsAny(source, " ;,'\"") {
			out += " " + source
		}
	}
	return out
}

// LinkTo returns a link to a URL, or nil if the URL is not safe.
func LinkTo(label, address string, main bool) []Link {
	if !SafeRedirect(address) {
		return nil
	}
	return []Link{{Label: label, URL: template.URL(address), Main: main}} //nolint:gosec // checked above
}

// ShowErrors shows problems next to the fields of the form, and lists them in the order of the fields.
func (v *View) ShowErrors(p *api.Problems) {
	v.Status = http.StatusUnprocessableEntity
	for _, f := range v.Fields {
		for _, it := range p.Items {
			if it.Field == f.Name && f.Error == "" {
				f.Error = f.Label + " " + it.Message
				v.Problems = append(v.Problems, Problem{f.Name, f.Error})
			}
		}
	}
	for _, it := range p.Items {
		if !slices.ContainsFunc(v.Fields, func(f *Field) bool { return f.Name == it.Field }) {
			v.Problems = append(v.Problems, Problem{"", api.TitleCase(it.Field) + " " + it.Message})
		}
	}
}

// Refused shows an error that does not belong to a field.
func (v *View) Refused(err error) {
	v.Status = http.StatusUnprocessableEntity
	v.Problems = append(v.Problems, Problem{"", err.Error()})
}

// inkOn returns the text colour for a background: white or nearly black, whichever has the higher
// contrast by the Web Content Accessibility Guidelines.
func inkOn(colour string) string {
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	rgb, err := strconv.ParseUint(hex, 16, 24)
	if err != nil {
		return "#fff"
	}
	light := func(shift int) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	// Above this luminance, the dark colour has more contrast than white.
	if 0.2126*light(16)+0.7152*light(8)+0.0722*light(0) > 0.21 {
		return "#17212f"
	}
	return "#fff"
}

// SafeRedirect reports whether a page may redirect to a URL: it has a host, and its scheme runs no
// code.
func SafeRedirect(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Host == "" || strings.ContainsAny(raw, "\x00\r\n\t\\") {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "javascript", "data", "vbscript", "file", "blob", "filesystem", "about", "view-source", "ws", "wss", "ftp":
		return false
	}
	return true
}

// WithParams adds query parameters to a URL.
func WithParams(raw string, params ...string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	q := u.Query()
	for i := 0; i+1 < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String()
}
