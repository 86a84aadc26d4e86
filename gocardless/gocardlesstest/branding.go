package gocardlesstest

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
)

// Logos and payer themes. The hosted pages wear the theme's colours.

func brandingFamily(r *registry) {
	r.collection(collectionSpec{name: "logos"})
	r.collection(collectionSpec{name: "payer_themes"})
	r.on("logos.create_for_creditor", createLogo)
	r.on("payer_themes.create_for_creditor", createTheme)
}

// ofCreditor is the creditor's record in a collection that has at most one for each, nil when it
// has none.
func (tx *tx) ofCreditor(coll, creditor string) *record {
	for _, r := range tx.sb.store.coll(coll).recs {
		if r.ref("creditor") == creditor {
			return r
		}
	}
	return nil
}

// createLogo checks a picture, in base64 with or without a data URL around it. Nothing of it is
// kept but that there is one.
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
	l := tx.ofCreditor("logos", creditor.id)
	if l == nil {
		l = tx.make("logos")
		l.setRef("creditor", creditor.id)
		tx.add(l)
	}
	creditor.set("logo_url", "https://assets.example.com/logos/"+l.id+".png")
	tx.event(creditor, event{action: "updated", cause: "creditor_updated", origin: "gocardless", property: "logo_url"})
	return one(l), nil
}

var colourForm = regexp.MustCompile(`^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$`)

// createTheme keeps a creditor's colours, or replaces those it had.
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
	t := tx.ofCreditor("payer_themes", creditor.id)
	if t == nil {
		t = tx.make("payer_themes")
		t.setRef("creditor", creditor.id)
		tx.add(t)
	}
	for _, m := range tx.body {
		if s, text := m.Val.(string); text {
			t.setRef(m.Key, s)
		}
	}
	return one(t), nil
}
