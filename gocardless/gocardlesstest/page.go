package gocardlesstest

import (
	"net/http"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/page"
)

// The hosted pages of the sandbox, on which a developer plays the payer.

const (
	flowPath     = "/billing/static/flow"
	bankPath     = "/billing/static/bank"
	templatePath = "/billing/static/template"
)

func pageFamily(r *registry) {
	r.page(templatePath, servePage(templatePage))
	r.page(bankPath, servePage(bankPage))
	r.page(flowPath, servePage(flowPage))
}

// servePage turns a page into a handler.
func servePage(show func(tx *tx, r *http.Request) *page.View) func(*Sandbox, http.ResponseWriter, *http.Request) {
	return func(sb *Sandbox, w http.ResponseWriter, r *http.Request) {
		v := page.Check(w, r)
		if v == nil {
			_ = sb.update(func(tx *tx) error {
				tx.origin = "payer"
				tx.base = sb.seenBase(r)
				v = show(tx, r)
				return nil
			})
		}
		page.Write(w, r, v)
	}
}

// themeOf returns a creditor's colours, or the default ones.
func (tx *tx) themeOf(creditor string) page.Theme {
	t := page.Theme{Header: "#12263f", Button: "#1d4ed8", Border: "#d5dbe5", Link: "#1d4ed8"}
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
	return t
}
