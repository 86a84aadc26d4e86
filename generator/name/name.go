// Package name turns the API's names into Go's.
package name

import (
	"regexp"
	"strings"
	"unicode"
)

// initialisms are written in capitals wherever they are a whole word of a name.
var initialisms = map[string]string{
	"id": "ID", "ids": "IDs", "url": "URL", "uri": "URI", "iban": "IBAN", "bic": "BIC", "pdf": "PDF", "pdfs": "PDFs",
	"fx": "FX", "ach": "ACH", "psu": "PSU", "ip": "IP", "json": "JSON",
}

// special holds words with a capital inside.
var special = map[string]string{"payto": "PayTo"}

// Go returns the exported Go name for a name of the API: snake_case, kebab-case, CamelCase or an
// upper-case code.
func Go(wire string) string {
	var b strings.Builder
	for _, word := range words(wire) {
		lower := strings.ToLower(word)
		switch {
		case initialisms[lower] != "":
			b.WriteString(initialisms[lower])
		case special[lower] != "":
			b.WriteString(special[lower])
		case isCode(word):
			b.WriteString(word)
		default:
			r := []rune(lower)
			r[0] = unicode.ToUpper(r[0])
			b.WriteString(string(r))
		}
	}
	out := b.String()
	if out == "" || unicode.IsDigit(rune(out[0])) {
		out = "N" + out
	}
	return out
}

// Request returns the name that the type of a component schema has inside request bodies. The reply
// side has the plain name; in requests optional fields are pointers, so the request side is a type of
// its own where both exist.
func Request(schema, goType string) string {
	if strings.Contains(schema, "Params") {
		return goType
	}
	return goType + "Params"
}

// Params returns the name of the type that holds the query and headers of an operation.
func Params(resource, verb string) string { return Go(Singular(resource)) + Go(verb) + "Params" }

// Value returns the name of a value of an enum.
func Value(goType, wire string) string { return goType + Go(wire) }

// Argument returns the name of the argument for a variable segment of a path, given the number of such
// segments. A single segment is the id; of several, the one called identity is.
func Argument(segment string, of int) string {
	if segment == "identity" || of == 1 {
		return "id"
	}
	return Lower(Go(segment))
}

// Lower returns a variable name for a type: "billingRequest" for "BillingRequest", "fx" for "FX".
func Lower(goName string) string {
	n := 1
	for n < len(goName) && goName[n] >= 'A' && goName[n] <= 'Z' && (n+1 == len(goName) || goName[n+1] < 'a') {
		n++
	}
	return strings.ToLower(goName[:n]) + goName[n:]
}

// isCode reports whether a word consists of capitals and digits, such as GBP. Such codes stay unchanged.
func isCode(word string) bool {
	return strings.ToUpper(word) == word && strings.IndexFunc(word, unicode.IsLetter) >= 0
}

// words splits at separators, at a change from lower to upper case, and before the last of several capitals
// if a lower-case letter follows (PSUType is PSU and Type).
func words(s string) []string {
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, string(word))
			word = nil
		}
	}
	runes := []rune(s)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if i > 0 && unicode.IsUpper(r) {
			afterLower := unicode.IsLower(runes[i-1])
			beforeLower := unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if afterLower || beforeLower {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return out
}

// singulars holds irregular plurals and words without a plural.
var singulars = map[string]string{"funds_availability": "funds_availability"}

// Singular returns the singular of a resource's name: mandate_import_entries is
// mandate_import_entry.
func Singular(resource string) string {
	if s, ok := singulars[resource]; ok {
		return s
	}
	if stem, ok := strings.CutSuffix(resource, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(resource, "s")
}

// Noun returns a resource's singular for prose: "mandate import entry".
func Noun(resource string) string {
	parts := strings.Split(Singular(resource), "_")
	for i, p := range parts {
		switch p {
		case "pdf", "fx", "ach":
			parts[i] = strings.ToUpper(p)
		}
	}
	return strings.Join(parts, " ")
}

var (
	collection = regexp.MustCompile(`^/([a-z_]+)$`)
	member     = regexp.MustCompile(`^/([a-z_]+)/\{[a-z_]+\}$`)
	action     = regexp.MustCompile(`^/([a-z_]+)/\{[a-z_]+\}/actions/([a-z_]+)$`)
	// A second way to create in a collection: billing_requests/create_with_actions.
	variant = regexp.MustCompile(`^/([a-z_]+)/(create_with_[a-z_]+)$`)
	ours    = regexp.MustCompile(`^[a-z][a-z_]*\.[a-z][a-z_]*$`)
)

// Operation returns the id of an operation by the rules for its method and path, or "" when no
// rule fits: GET /payments is payments.list, POST /payments/{identity}/actions/retry is
// payments.retry.
func Operation(method, path string) string {
	if m := action.FindStringSubmatch(path); m != nil && method == "POST" {
		return m[1] + "." + m[2]
	}
	if m := variant.FindStringSubmatch(path); m != nil && method == "POST" {
		return m[1] + "." + m[2]
	}
	if m := collection.FindStringSubmatch(path); m != nil {
		switch method {
		case "GET":
			return m[1] + ".list"
		case "POST":
			return m[1] + ".create"
		}
	}
	if m := member.FindStringSubmatch(path); m != nil {
		switch method {
		case "GET":
			return m[1] + ".get"
		case "PUT":
			return m[1] + ".update"
		case "DELETE":
			return m[1] + ".remove"
		}
	}
	return ""
}

// ID returns the id of an operation: by the rules, or its own if that has our form. A PATCH without either
// is named patch, because update is the PUT of the same path.
func ID(method, path, own string) string {
	if id := Operation(method, path); id != "" {
		return id
	}
	if IsOperation(own) {
		return own
	}
	if m := member.FindStringSubmatch(path); m != nil && method == "PATCH" {
		return m[1] + ".patch"
	}
	return ""
}

// IsOperation reports whether an operationId has the form resource.method.
func IsOperation(id string) bool { return ours.MatchString(id) }
