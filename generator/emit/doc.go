package emit

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// width is the column that comments are wrapped at.
const width = 100

// docLines wraps paragraphs into comments, one per line, because jennifer writes a comment with a line break
// as /* */. The comment will be indented by indent columns.
func docLines(indent int, paragraphs ...string) []jen.Code {
	var out []jen.Code
	for _, p := range paragraphs {
		if p = strings.TrimSpace(quoted(p)); p == "" {
			continue
		}
		if len(out) > 0 {
			out = append(out, jen.Comment("//"))
		}
		for _, line := range wrap(p, width-indent-len("// ")) {
			// The slashes are given, because jennifer takes a string that starts with them for a whole comment.
			out = append(out, jen.Comment("// "+line))
		}
	}
	return out
}

var codeSpan = regexp.MustCompile("`([^`]*)`")

// quoted replaces the backticks of a description by quotation marks, or removes them around code that
// contains quotation marks.
func quoted(text string) string {
	return codeSpan.ReplaceAllStringFunc(text, func(code string) string {
		code = strings.Trim(code, "`")
		if strings.Contains(code, `"`) {
			return code
		}
		return `"` + code + `"`
	})
}

// wrap breaks text at spaces into lines of at most n columns.
func wrap(text string, n int) []string {
	var lines []string
	line, columns := "", 0
	for _, word := range strings.Fields(text) {
		w := utf8.RuneCountInString(word)
		if columns > 0 && columns+1+w > n {
			lines = append(lines, line)
			line, columns = "", 0
		}
		if columns > 0 {
			line += " "
			columns++
		}
		line += word
		columns += w
	}
	return append(lines, line)
}

// connectives maps the first word of a type's description to the verb between the type's name and the
// description, or to "" if the word is the verb. Other descriptions get "is the".
var connectives = map[string]string{
	"a": "is", "an": "is", "the": "is", "one": "is",
	"what": "describes", "whether": "reports", "how": "describes", "why": "describes", "where": "describes", "who": "describes",
	"tells": "", "groups": "", "gathers": "", "creates": "",
}

// holders lists first words of descriptions that state what a type holds.
const holders = " actions address bank caps contact copies cursors customer details facts full hints identifiers instalments " +
	"limits name names notifications parameters payment people problems resources results settings steps tallies taxes totals "

// continues reports whether a description continues the name of one thing, as in "Payment is a
// single collection".
func continues(description string) bool {
	first, _, _ := strings.Cut(strings.ToLower(description), " ")
	_, known := connectives[first]
	return known || strings.Contains(holders, " "+first+" ")
}

// sentence returns the first paragraph of a type's doc comment, which starts with the Go name.
func sentence(t *ir.Type) string {
	goName, description := t.GoName, t.Doc
	if description == "" {
		return ""
	}
	first, after, _ := strings.Cut(description, " ")
	second, _, _ := strings.Cut(after, " ")
	key := strings.ToLower(first)
	rest := lowerFirst(description)
	connective, known := connectives[key]
	if key == "limits" && second == "a" { // a verb here, "limits on" a noun
		connective, known = "", true
	}
	switch {
	case known && connective == "":
		return goName + " " + rest
	case known:
		return goName + " " + connective + " " + rest
	case t.Kind == ir.Object && strings.Contains(holders, " "+key+" "):
		return goName + " holds the " + rest
	}
	return goName + " is the " + rest
}

// spoken returns the name of a resource as words: "mandate PDFs" for mandate_pdfs.
func spoken(resource string) string {
	return strings.ReplaceAll(strings.ReplaceAll(resource, "_", " "), " pdfs", " PDFs")
}

// action returns the first paragraph of a method's doc comment for a description that starts with a verb:
// "Creates a payment" becomes "Create creates a payment".
func action(goName, description string) string {
	description = strings.TrimSpace(description)
	first, _, _ := strings.Cut(description, " ")
	if description == "" || !strings.HasSuffix(first, "s") {
		return ""
	}
	return goName + " " + lowerFirst(description)
}

// lowerFirst puts the first letter in lower case, unless the first word is an acronym or a name such
// as GoCardless or PayTo.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	word, _, _ := strings.Cut(s[n:], " ")
	if !unicode.IsUpper(r) || strings.ContainsFunc(word, unicode.IsUpper) {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

// fullStop ends a description as a sentence.
func fullStop(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}
