package scrub

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"amount must be greater than 0":                         "amount must be greater than 0",
		"start_date must be on or after 2026-05-01":             "start_date must be on or after 2026-05-01",
		"before 2026-05-01T10:00:00.000Z.":                      "before 2026-05-01T10:00:00.000Z.",
		"jane.doe@example.com is taken":                         "[e-mail] is taken",
		"<jane+tag@example.co.uk>, bob@x":                       "<[e-mail]>, [e-mail]",
		"GB33BUKB20201555555555 is invalid":                     "[IBAN] is invalid",
		"IBAN DE89 3704 0044 0532 0130 00 is invalid":           "IBAN [IBAN] is invalid",
		"GB33.BUKB.2020.1555.5555.55 is invalid":                "[IBAN] is invalid",
		"DE89/3704/0044/0532/0130/00":                           "[IBAN]",
		"(DE89-3704.0044 0532/0130 00)":                         "([IBAN])",
		"IBAN GB33BUKB20201555555555. It":                       "IBAN [IBAN]. It",
		"sort code 20/00/00, account 55.779.911":                "sort code [number], account [number]",
		"born 01/02/1990":                                       "born [number]",
		"amount 5000.00 of 10.5":                                "amount 5000.00 of 10.5",
		"up to 1/2 of 3/4":                                      "up to 1/2 of 3/4",
		"NO9386011117947":                                       "[IBAN]",
		"account 55779911, sort code 20-00-00":                  "account [number], sort code [number]",
		"card 4242 4242 4242 4242 declined":                     "card [number] declined",
		"call +44 20 7946 0958 now":                             "call [number] now",
		"number 20140522 is not a string":                       "number [number] is not a string",
		"20140522X is not":                                      "[number] is not",
		`"charge_date" is not a permitted key.`:                 `"charge_date" is not a permitted key.`,
		`"Jane Smith" is not a country`:                         `"…" is not a country`,
		"`12 High Street` and \"open":                           "`…` and \"open",
		"invalid character '<' looking for beginning":           "invalid character '<' looking for beginning",
		"dial tcp 127.0.0.1:43817: connect: connection refused": "dial tcp 127.0.0.1:43817: connect: connection refused",
		"dial tcp [::1]:443: i/o timeout":                       "dial tcp [::1]:443: i/o timeout",
		"lookup api.gocardless.com: no such host":               "lookup api.gocardless.com: no such host",
		"proxy http://user:pw@proxy.example:3128/x?y failed":    "proxy http://proxy.example:3128/… failed",
		"proxy http://user:p/w@proxy.example:3128 failed":       "proxy http://… failed",
		"http://user@proxy.example":                             "http://proxy.example/…",
		"see https://a.example/x#y and http://b.example":        "see https://a.example/… and http://b.example",
		"a\nb\x00c\u0085d\xffe":                                 "a b c d e",
		"Überweisung für Größe":                                 "Überweisung für Größe",
		"":                                                      "",
		strings.Repeat("a", 90):                                 "[long text]",
		"up to 10000 per day":                                   "up to 10000 per day",
		"limit is 3-5":                                          "limit is 3-5",
		"on 2026-05-01 10:00:00, 2026-06-01/2026-07-01":         "on 2026-05-01 10:00:00, 2026-06-01/2026-07-01",
		"account 1234-56-78":                                    "account [number]",
		"account 55.77.99.11":                                   "account [number]",
		"dial tcp 192.168.10.20:443: i/o timeout":               "dial tcp 192.168.10.20:443: i/o timeout",
		"read tcp 10.0.0.12:51234->10.11.12.13:443: read":       "read tcp 10.0.0.12:51234->10.11.12.13:443: read",
		"mary.o'brien@example.com is taken":                     "[e-mail] is taken",
		"'jane/x@example.com' is taken":                         "'[e-mail] is taken",
		"/payments?email=jane%40example.com":                    "/[e-mail]",
		"jane＠example.com":                                      "[e-mail]",
		"fr14 2004 1010 0505 0001 3m02 606 is invalid":          "[IBAN] is invalid",
	} {
		if got := Text(text); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
	if got := Text(strings.Repeat("word ", 1000)); len(got) > maxText+10 {
		t.Errorf("%d bytes", len(got))
	}
}

// Errors quote what a server sent with %q, which puts a backslash before each quote inside.
func TestQuotesInsideQuotes(t *testing.T) {
	for text, want := range map[string]string{
		fmt.Sprintf("malformed %q line", `{"name":"Jane Smith","street":"12 High Street"`): `malformed "…" line`,
		fmt.Sprintf("%q is a name", `Jane "JS" Smith`):                                     `"…" is a name`,
		`open "C:\Jane Smith\": denied`:                                                    `open "…": denied`,
		`open \"Jane Smith\" denied`:                                                       `open \"…" denied`,
	} {
		if got := Text(text); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestToken(t *testing.T) {
	const long, middle = "sandbox_abcDEF0123456789", "sandbox_x1"
	for _, test := range []struct{ token, text, want string }{
		// A short token may be part of any message, and the API's are long.
		{"t", "Resource not found", "Resource not found"},
		{"any", "company any", "company any"},
		{"payment", "payments: payment", "payments: payment"},
		{middle, "Bearer sandbox_x1, sandbox_x12 and my_sandbox_x1", "Bearer [token], sandbox_x12 and my_sandbox_x1"},
		{long, "Bearer%20" + long + "x", "Bearer%20[token]x"},
	} {
		if got := Token(test.token).Text(test.text); got != test.want {
			t.Errorf("%s: got %q, want %q", test.token, got, test.want)
		}
	}
}

// Nothing that looks like an address survives, and the text stays short and clean.
func FuzzText(f *testing.F) {
	for _, s := range []string{"jane@example.com", "a@b", "GB33BUKB20201555555555", "DE89 3704 0044 0532 0130 00", "55779911", "\"x@y\"", "http://u:p@h/x", "2026-01-01", "+44 20 7946 0958", "\xff\x00", strings.Repeat("9 ", 500), "１２\u00a0３４–５６", "a%40b", "x'y@z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if len(got) > maxText+200 || !utf8.ValidString(got) {
			t.Fatalf("%q becomes %q", s, got)
		}
		for _, r := range got {
			if r < ' ' || r == 0x7f {
				t.Fatalf("%q becomes %q", s, got)
			}
		}
		if longestDigits(got) >= 8 && !strings.Contains(got, "://") {
			t.Fatalf("%q becomes %q", s, got)
		}
		for i := range len(got) - 2 {
			if got[i+1] == '@' && isAlnum(got[i]) && isAlnum(got[i+2]) {
				t.Fatalf("%q becomes %q", s, got)
			}
		}
	})
}
