package gocardlesstest

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Logos and payer themes. The hosted pages use the theme's colours.

func brandingFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "logos"})
	r.collection(store.CollectionSpec{Name: "payer_themes"})
	r.on("logos.create_for_creditor", createLogo)
	r.on("payer_themes.create_for_creditor", createTheme)
}

// ofCreditor returns a creditor's record in a collection that has at most one for each creditor, or
// nil.
func (tx *tx) ofCreditor(coll, creditor string) *record {
	for _, r := range tx.sb.store.Coll(coll).Recs {
		if r.Ref("creditor") == creditor {
			return r
		}
	}
	return nil
}

// ofCreditorOrNew does the same, and creates the record if there is none.
func (tx *tx) ofCreditorOrNew(coll, creditor string) *record {
	r := tx.ofCreditor(coll, creditor)
	if r == nil {
		r = tx.make(coll)
		r.SetRef("creditor", creditor)
		tx.add(r)
	}
	return r
}

// createLogo checks an image in base64, with or without a data URL around it. The sandbox does not keep
// the image.
func createLogo(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	text := tx.body.Str("image")
	if rest, ok := strings.CutPrefix(text, "data:"); ok {
		_, text, _ = strings.Cut(rest, ",")
	}
	image, err := base64.StdEncoding.DecodeString(text)
	switch {
	case text == "":
		p.Add("image", "can't be blank")
	case err != nil:
		p.Add("image", "must be encoded in base64")
	case !bytes.HasPrefix(image, []byte("\x89PNG\r\n\x1a\n")) && !bytes.HasPrefix(image, []byte("\xff\xd8\xff")):
		p.Add("image", "must be a JPG or PNG")
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	l := tx.ofCreditorOrNew("logos", creditor.ID)
	creditor.Set("logo_url", "https://assets.example.com/logos/"+l.ID+".png")
	tx.event(creditor, event{action: "updated", cause: "creditor_updated", origin: "gocardless", property: "logo_url"})
	return one(l), nil
}

var colourForm = regexp.MustCompile(`^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$`)

// createTheme sets or replaces a creditor's colours.
func createTheme(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	for _, m := range tx.body {
		if s, text := m.Val.(string); text && !colourForm.MatchString(s) {
			p.Add(m.Key, "must be a hex code such as #1a2b3c")
		}
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	t := tx.ofCreditorOrNew("payer_themes", creditor.ID)
	for _, m := range tx.body {
		if s, text := m.Val.(string); text {
			t.SetRef(m.Key, s)
		}
	}
	return one(t), nil
}
