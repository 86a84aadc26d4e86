package cassette

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// A document is unchanged after it is read and written, and hiding personal data changes only its
// strings.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{`{"customers":{"email":"a@b.co","n":[1,null,true,{"iban":"GB60BARC20000055779911"}]}}`, `"x"`, `[[]]`, `{"a":1,"a":2}`, `{"url":"https://x.example/?q=1#f"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := parse(raw)
		if err != nil {
			return
		}
		if !json.Valid(v.encode(nil)) {
			t.Fatalf("%q became %q", raw, v.encode(nil))
		}
		again, err := parse(v.encode(nil))
		if err != nil || !bytes.Equal(again.encode(nil), v.encode(nil)) {
			t.Fatalf("%q: %v", raw, err)
		}
		d := newDisguise()
		d.learn(v)
		d.hide(v)
		blank := func(v *value) string {
			v.eachString(nil, func(place, string) string { return "" })
			return string(v.encode(nil))
		}
		if a, b := blank(again), blank(v); a != b {
			t.Fatalf("hiding made %s of %s", b, a)
		}
	})
}

func TestDocumentDepth(t *testing.T) {
	if _, err := parse([]byte(strings.Repeat("[", 10_000_000))); !errors.Is(err, errTooDeep) {
		t.Errorf("%v", err)
	}
}

func TestDisguise(t *testing.T) {
	d := newDisguise()
	document := `{"customers":{"given_name":"Zebediah","family_name":"Quill","email":"zq@home.example","phone_number":"+44 20 7946 0018","postal_code":"SW1A 2AA"},
		"creditor_bank_accounts":{"iban":"GB33BUKB20201555555555"},"creditors":{"name":"Quill Ltd","links":{"x":"Quill"}},
		"mandates":{"id":"MD000Quill","description":"for Zebediah QUILL, zq@home.example or other@home.example, GB33 BUKB 2020 1555 5555 55","metadata":{"Zebediah":"Quillfish"}},
		"flows":{"redirect_uri":"https://user:pw@shop.home.example/back?token=abc&flow=BRF123#top","authorisation_url":"https://pay-sandbox.gocardless.com/flow/BRF123"},
		"session_token":"abc"}`
	v, err := parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	d.learn(v)
	d.hide(v)
	got := string(v.encode(nil))
	// Names of members and values that the API defines stay.
	hidden := strings.NewReplacer(`"Zebediah":"Quillfish"`, "", `"x":"Quill"`, "", "MD000Quill", "").Replace(got)
	for _, word := range []string{"Zebediah", "Quill", "QUILL", "home.example", "7946", "2AA", "BUKB20201", "2020 1555", "abc", "pw"} {
		if strings.Contains(hidden, word) {
			t.Errorf("%q is left in %s", word, hidden)
		}
	}
	for _, word := range []string{`"id":"MD000Quill"`, `"Quillfish"`, "https://example.com/back?flow=BRF123&token=hidden", "https://pay-sandbox.gocardless.com/flow/BRF123", `"x":"Quill"`} {
		if !strings.Contains(got, word) {
			t.Errorf("%q is not in %s", word, got)
		}
	}
	if iban := v.get("creditor_bank_accounts").get("iban").text; !validIBAN(iban) || !strings.HasPrefix(iban, "GB") || !strings.HasSuffix(iban, "55") {
		t.Errorf("IBAN %s", iban)
	}
}
