package gocardlesstest

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// The web pages of the sandbox, on which a developer plays the payer. They are plain forms: no
// script, nothing loaded from elsewhere, and every step can be taken with the keyboard alone.
//
// What people entered or a program prefilled is untrusted: html/template escapes it, addresses to
// go back to are checked when they come in and again before they are used, and a content security
// policy allows this page's own style and nothing else. A form that another site's page submits is
// refused by what browsers say about its origin.

const (
	flowPath     = "/billing/static/flow"
	bankPath     = "/billing/static/bank"
	templatePath = "/billing/static/template"
	maxForm      = 64 << 10
)

//go:embed pages
var pageFiles embed.FS

var (
	pageTemplate = template.Must(template.New("page.html").ParseFS(pageFiles, "pages/page.html"))
	pageStyle    = mustRead("pages/style.css")
	crossOrigin  = http.NewCrossOriginProtection()
)

func mustRead(name string) template.CSS {
	b, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return template.CSS(b) //nolint:gosec // a file of this package
}

func pageFamily(r *registry) {
	// Opening a template makes something, so that the longer path is looked for first.
	r.page(templatePath, servePage(templatePage))
	r.page(bankPath, servePage(bankPage))
	r.page(flowPath, servePage(flowPage))
}

// view is what a page shows.
type view struct {
	Status   int
	Title    string
	Merchant string
	Lang     string
	Nonce    string
	Style    template.CSS
	Theme    pageTheme
	Intro    string
	Steps    []viewStep
	Problems []viewProblem
	Summary  []viewRow
	Fields   []*viewField
	Small    string // text below the form's fields
	Hidden   []viewRow
	Buttons  []viewButton
	Links    []viewLink
	Exit     bool
	Good     bool // a message of success

	redirect string   // instead of a page
	refresh  string   // address to go to after a while
	targets  []string // addresses that the forms may lead to
}

type viewStep struct {
	Name    string
	Link    string // to go back to it
	Current bool
	Done    bool
}

type viewProblem struct{ Field, Message string }

type viewRow struct{ Name, Value string }

type viewButton struct {
	Name, Value, Label string
	Plain              bool
}

type viewLink struct {
	Label string
	URL   template.URL
	Main  bool
}

// viewField is one field of a form.
type viewField struct {
	Name, Label, Value, Hint, Error string
	Kind                            string // input type, "select" or "radio"
	Autocomplete, Mode              string
	Options                         []viewOption
	Optional                        bool
}

type viewOption struct{ Value, Label, Note string }

// pageTheme is a creditor's colours, and those of the text on them.
type pageTheme struct{ Header, HeaderInk, Button, ButtonInk, Border, Link string }

// servePage turns a page into a handler.
func servePage(page func(tx *tx, r *http.Request) *view) func(*Sandbox, http.ResponseWriter, *http.Request) {
	return func(sb *Sandbox, w http.ResponseWriter, r *http.Request) {
		v := checkPageRequest(w, r)
		if v == nil {
			_ = sb.update(func(tx *tx) error {
				tx.origin = "payer"
				tx.base = sb.seenBase(r)
				v = page(tx, r)
				return nil
			})
		}
		writePage(w, r, v)
	}
}

// checkPageRequest refuses what no form of these pages sends.
func checkPageRequest(w http.ResponseWriter, r *http.Request) *view {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return message(http.StatusMethodNotAllowed, "This cannot be done", "The page was asked for in a way that it does not know.")
	}
	if err := crossOrigin.Check(r); err != nil {
		return message(http.StatusForbidden, "This form came from elsewhere", "The form was sent by a page of another site, so nothing was done.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return message(http.StatusRequestEntityTooLarge, "That was too much", "The form is larger than this page takes.")
		}
		return message(http.StatusBadRequest, "The form could not be read", "Go back and send it again.")
	}
	return nil
}

// message is a page with one message.
func message(status int, title, text string) *view {
	return &view{Status: status, Title: title, Intro: text}
}

// sendTo leads the browser on.
func sendTo(address string) *view { return &view{redirect: address} }

func writePage(w http.ResponseWriter, r *http.Request, v *view) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// The address of a flow is all that it takes to act in it, so other sites do not get it. The
	// origin is still sent to the pages themselves, which check it.
	h.Set("Referrer-Policy", "same-origin")
	if v.redirect != "" {
		h.Set("Location", v.redirect)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	v.Nonce = rand.Text()
	v.Style = pageStyle
	if v.Lang == "" {
		v.Lang = "en"
	}
	if v.Status == 0 {
		v.Status = http.StatusOK
	}
	if v.refresh != "" {
		h.Set("Refresh", "5; url="+v.refresh)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.Nonce+"'; form-action "+formTargets(v.targets)+"; base-uri 'none'; frame-ancestors 'none'")
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		panic(err) // the templates are this package's own
	}
	w.WriteHeader(v.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes())
	}
}

// formTargets lists where forms may lead: browsers hold the redirects after a form against it.
func formTargets(addresses []string) string {
	out := "'self'"
	for _, a := range addresses {
		u, err := url.Parse(a)
		if err != nil || !safeRedirect(a) {
			continue
		}
		source := u.Scheme + ":"
		if u.Scheme == "http" || u.Scheme == "https" {
			source = u.Scheme + "://" + u.Host
		}
		// Quotes, spaces and semicolons would end the directive; no host has them.
		if !strings.ContainsAny(source, " ;,'\"") {
			out += " " + source
		}
	}
	return out
}

// link is an address that was checked, for use in a page.
func link(label, address string, main bool) []viewLink {
	if !safeRedirect(address) {
		return nil
	}
	return []viewLink{{Label: label, URL: template.URL(address), Main: main}} //nolint:gosec // checked above
}

// showErrors puts the problems of an action next to the fields of the form, and lists them in the
// order of the fields.
func (v *view) showErrors(p *api.Problems) {
	v.Status = http.StatusUnprocessableEntity
	for _, f := range v.Fields {
		for _, it := range p.Items {
			if it.Field == f.Name && f.Error == "" {
				f.Error = f.Label + " " + it.Message
				v.Problems = append(v.Problems, viewProblem{f.Name, f.Error})
			}
		}
	}
	for _, it := range p.Items {
		if !v.hasField(it.Field) {
			v.Problems = append(v.Problems, viewProblem{"", api.TitleCase(it.Field) + " " + it.Message})
		}
	}
}

func (v *view) hasField(name string) bool {
	for _, f := range v.Fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

// refused shows a refusal that no field can be blamed for.
func (v *view) refused(err error) {
	v.Status = http.StatusUnprocessableEntity
	v.Problems = append(v.Problems, viewProblem{"", err.Error()})
}

// themeOf is the look that a creditor chose.
func (tx *tx) themeOf(creditor string) pageTheme {
	t := pageTheme{Header: "#12263f", Button: "#1d4ed8", Border: "#d5dbe5", Link: "#1d4ed8"}
	if r := tx.ofCreditor("payer_themes", creditor); r != nil {
		for name, to := range map[string]*string{
			"header_background_colour": &t.Header, "button_background_colour": &t.Button,
			"content_box_border_colour": &t.Border, "link_text_colour": &t.Link,
		} {
			if c := r.Ref(name); c != "" {
				*to = c
			}
		}
	}
	t.HeaderInk, t.ButtonInk = inkOn(t.Header), inkOn(t.Button)
	return t
}

// inkOn is the colour of letters that can be read on a colour, white or nearly black: the one with
// the larger contrast as the Web Content Accessibility Guidelines measure it.
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
	// Beyond this luminance the dark text has more contrast than white.
	if 0.2126*light(16)+0.7152*light(8)+0.0722*light(0) > 0.21 {
		return "#17212f"
	}
	return "#fff"
}
