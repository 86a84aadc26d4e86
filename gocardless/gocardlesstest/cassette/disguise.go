package cassette

import (
	"fmt"
	"hash/fnv"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// disguise replaces personal data. The same original always gets the same replacement, so related
// values still match, and a replacement has the original's form, so the cassette can be replayed. The
// mapping is never written.
type disguise struct {
	taken     map[string]string // original in lower case → replacement
	issued    map[string]bool   // replacements, which are not replaced again
	counts    map[string]int    // of replacements, by the member's name
	originals []string          // the longest first, to be found inside other strings
}

func newDisguise() *disguise {
	return &disguise{taken: map[string]string{}, issued: map[string]bool{}, counts: map[string]int{}}
}

// secrets are members whose values no cassette needs.
var secrets = map[string]bool{
	"access_token": true, "secret": true, "session_token": true, "client_secret": true, "refresh_token": true,
	"ciphertext": true, "encrypted_key": true, "tag": true, "iv": true, "protected": true, "image": true,
}

// personal maps members with personal data to functions that make replacements.
var personal = map[string]func(n int, original string) string{
	"given_name":          func(n int, _ string) string { return pick(givenNames, n) },
	"family_name":         func(n int, _ string) string { return pick(familyNames, n) },
	"company_name":        func(n int, _ string) string { return fmt.Sprintf("Example Company %d", n) },
	"creditor_name":       func(n int, _ string) string { return fmt.Sprintf("Example Creditor %d", n) },
	"account_holder_name": func(n int, _ string) string { return pick(givenNames, n) + " " + pick(familyNames, n) },
	"email":               func(n int, _ string) string { return fmt.Sprintf("person%d@example.com", n) },
	"address_line1":       func(n int, _ string) string { return fmt.Sprintf("%d Example Street", n) },
	"address_line2":       func(n int, _ string) string { return fmt.Sprintf("Floor %d", n) },
	"address_line3":       func(n int, _ string) string { return fmt.Sprintf("Building %d", n) },
	"street":              func(n int, _ string) string { return fmt.Sprintf("Example Street %d", n) },
	"city":                func(n int, _ string) string { return fmt.Sprintf("Example Town %d", n) },

	"postal_code":             sameForm(0),
	"phone_number":            sameForm(0),
	"pay_id":                  sameForm(0),
	"account_number":          sameForm(2),
	"iban":                    sameForm(2),
	"swedish_identity_number": sameForm(0),
	"danish_identity_number":  sameForm(0),
	"identity_number":         sameForm(0),
	"ip_address":              func(n int, _ string) string { return fmt.Sprintf("192.0.2.%d", n%256) },
	"payer_ip_address":        func(n int, _ string) string { return fmt.Sprintf("192.0.2.%d", n%256) },
	"date_of_birth":           func(int, string) string { return "1980-01-01" },
}

var (
	givenNames  = []string{"Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Niklaus"}
	familyNames = []string{"Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Wirth"}
)

func pick(names []string, n int) string {
	if n < len(names) {
		return names[n]
	}
	return fmt.Sprintf("%s %d", names[n%len(names)], n)
}

// sameCase returns s in capitals if like is in capitals.
func sameCase(s, like string) string {
	if like == strings.ToUpper(like) && like != strings.ToLower(like) {
		return strings.ToUpper(s)
	}
	return s
}

// harmless are values that the API's documentation gives for tests. They identify no person, and the
// API accepts or acts on only these.
var harmless = map[string]bool{
	// Bank details (API reference, "Testing": bank account test details).
	"55779911": true, "55666666": true, "FR1420041010050500013M02606": true, "DE89370400440532013000": true,
	"NL39RABO0300065264": true, "2715500356": true, "0000003": true, "198112289874": true, "012345678": true,
	"12-3113-0003869-00": true, "3179681": true, "0101701234": true, "1234567": true, "GB60BARC20000055779911": true,
	// Given names that make the sandbox environment act (API reference, "Scenario simulators").
	"Successful": true, "Penniless": true, "Fickle": true, "Late": true, "Invalid": true, "Expired": true, "Switching": true, "Faily": true,
}

// structural reports whether a member holds a value that the API defines, which is never replaced.
func structural(at place) bool {
	name := at.name()
	switch name {
	case "id", "status", "type", "reason", "field", "request_pointer", "scheme", "currency", "action", "cause", "origin", "resource_type",
		"documentation_url", "request_id", "branch_code", "bank_code", "bank_name", "country_code", "account_type", "account_number_ending":
		return true
	}
	return at.parent() == "links" || strings.HasSuffix(name, "_at") || strings.HasSuffix(name, "_date")
}

// learn records the personal data of a document. All of a document is learnt before it is hidden, so
// that a name is also found in the members before its own.
func (d *disguise) learn(v *value) {
	v.eachString(nil, func(at place, s string) string {
		if personalMember(at) != nil && s != "" && !harmless[s] {
			d.replacement(at, s)
		}
		return s
	})
}

// personalMember returns how to replace a member's value, or nil if it is not personal.
func personalMember(at place) func(int, string) string {
	if at.name() == "name" && (at.parent() == "creditors" || at.parent() == "creditor") {
		return personal["creditor_name"]
	}
	return personal[at.name()]
}

// replacement returns the replacement of an original. Case is ignored, because the API returns some
// values in capitals.
func (d *disguise) replacement(at place, s string) string {
	if d.issued[s] {
		return s
	}
	key := strings.ToLower(s)
	r, ok := d.taken[key]
	if !ok {
		r = personalMember(at)(d.counts[at.name()], s)
		d.counts[at.name()]++
		d.taken[key] = r
		if len(s) >= 4 {
			d.originals = append(d.originals, s, strings.ToUpper(s))
			slices.SortStableFunc(d.originals, func(a, b string) int { return len(b) - len(a) })
		}
	}
	r = sameCase(r, s)
	d.issued[r] = true
	return r
}

// hide replaces the personal data of a document.
func (d *disguise) hide(v *value) {
	v.eachString(nil, func(at place, s string) string {
		switch {
		case s == "" || harmless[s]:
			return s
		case secrets[at.name()]:
			return "secret"
		case personalMember(at) != nil:
			return d.replacement(at, s)
		case structural(at):
			return s
		case strings.HasPrefix(s, "https://"), strings.HasPrefix(s, "http://"):
			return hideURL(d.hideIn(s))
		}
		return d.hideIn(s)
	})
}

var (
	emailForm = regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)+`)
	ibanForm  = regexp.MustCompile(`\b[A-Z]{2}[0-9]{2}[ -]?(?:[A-Z0-9]{4}[ -]?){2,7}[A-Z0-9]{1,4}\b`)
)

// hideIn replaces known personal data in free text, and anything that looks like an e-mail address or
// an IBAN.
func (d *disguise) hideIn(s string) string {
	for _, original := range d.originals {
		s = replaceWord(s, original, sameCase(d.taken[strings.ToLower(original)], original))
	}
	s = emailForm.ReplaceAllStringFunc(s, func(m string) string {
		return d.replacement(place{"email"}, m)
	})
	return ibanForm.ReplaceAllStringFunc(s, func(m string) string {
		if harmless[m] || looksLikeID(m) && !validIBAN(m) {
			return m
		}
		return d.replacement(place{"iban"}, m)
	})
}

// replaceWord replaces a word where it is not part of a longer one.
func replaceWord(s, word, by string) string {
	var out strings.Builder
	for {
		i := strings.Index(s, word)
		if i < 0 {
			return out.String() + s
		}
		end := i + len(word)
		out.WriteString(s[:i])
		if (i == 0 || !wordByte(s[i-1])) && (end == len(s) || !wordByte(s[end])) {
			out.WriteString(by)
		} else {
			out.WriteString(word)
		}
		s = s[end:]
	}
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c >= 0x80
}

// hideURL hides the host of a caller's own site and the values of a query. Ids in the paths of
// GoCardless's own pages stay.
func hideURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "https://example.com/"
	}
	u.User, u.Fragment = nil, ""
	if host := u.Hostname(); host != "gocardless.com" && !strings.HasSuffix(host, ".gocardless.com") {
		u.Scheme, u.Host = "https", "example.com"
	}
	query := u.Query()
	for name, values := range query {
		for i, v := range values {
			if !looksLikeID(v) {
				query[name][i] = "hidden"
			}
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// sameForm returns a function that replaces each digit with a digit and each letter with a letter. The
// last keep characters stay, because the API shows them in account_number_ending. An IBAN stays a valid
// IBAN of the same bank.
func sameForm(keep int) func(int, string) string {
	return func(n int, s string) string {
		h := fnv.New64a()
		_, _ = fmt.Fprintf(h, "%d", n)
		state := h.Sum64()
		out := []byte(s)
		start := 0
		if validIBAN(s) {
			start = 8 // country, check digits, the beginning of the bank's code
		} else if strings.HasPrefix(s, "+") {
			start = 4
		}
		for i := start; i < len(out)-keep; i++ {
			state = state*6364136223846793005 + 1442695040888963407
			switch c := out[i]; {
			case c >= '0' && c <= '9':
				out[i] = '0' + byte(state>>33%10)
			case c >= 'A' && c <= 'Z':
				out[i] = 'A' + byte(state>>33%26)
			case c >= 'a' && c <= 'z':
				out[i] = 'a' + byte(state>>33%26)
			}
		}
		if start == 8 {
			copy(out[2:4], checkDigits(string(out)))
		}
		return string(out)
	}
}

// mod97 returns the remainder that ISO 13616 computes over an IBAN, or -1 if it is malformed.
func mod97(iban string) int64 {
	iban = strings.NewReplacer(" ", "", "-", "").Replace(iban)
	if len(iban) < 15 {
		return -1
	}
	var digits strings.Builder
	for _, c := range iban[4:] + iban[:4] {
		switch {
		case c >= '0' && c <= '9':
			digits.WriteRune(c)
		case c >= 'A' && c <= 'Z':
			fmt.Fprintf(&digits, "%d", c-'A'+10)
		default:
			return -1
		}
	}
	n, _ := new(big.Int).SetString(digits.String(), 10)
	return n.Mod(n, big.NewInt(97)).Int64()
}

func validIBAN(s string) bool { return mod97(s) == 1 }

func checkDigits(iban string) string {
	return fmt.Sprintf("%02d", 98-mod97(iban[:2]+"00"+iban[4:]))
}
