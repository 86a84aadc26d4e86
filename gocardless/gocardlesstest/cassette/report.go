package cassette

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// A Report is the result of [Verify].
type Report struct {
	// Exchanges is how many requests were sent.
	Exchanges int `json:"exchanges"`
	// Differences are in the order of the exchanges. One that is expected has its reason in Known.
	Differences []Difference `json:"differences"`
	// Stale are known differences that were not found.
	Stale []Known `json:"stale,omitempty"`
}

// explain marks the differences that are known.
func (r *Report) explain(known []Known) {
	used := make([]bool, len(known))
	for i := range r.Differences {
		for j := range known {
			if known[j].matches(&r.Differences[i]) {
				r.Differences[i].Known = known[j].Reason
				used[j] = true
				break
			}
		}
	}
	for j, k := range known {
		if !used[j] {
			r.Stale = append(r.Stale, k)
		}
	}
}

// Unexpected returns the differences that are not known.
func (r *Report) Unexpected() []Difference {
	return slices.DeleteFunc(slices.Clone(r.Differences), func(d Difference) bool { return d.Known != "" })
}

// OK reports whether every difference is known and every known difference was found.
func (r *Report) OK() bool { return len(r.Unexpected()) == 0 && len(r.Stale) == 0 }

// WriteTable writes the report for a terminal.
func (r *Report) WriteTable(w io.Writer) error {
	unexpected := r.Unexpected()
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(unexpected) > 0 {
		_, _ = fmt.Fprintln(t, "EXCHANGE\tOPERATION\tPATH\tDIFFERENCE\tRECORDED\tGOT")
	}
	for _, d := range unexpected {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Exchange, d.Operation, d.Path, d.Kind, d.Recorded, d.Got)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, k := range r.Stale {
		if _, err := fmt.Fprintf(w, "known difference not found: %s (%s)\n", k.describe(), k.Reason); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d exchanges, %d differences, %d of them known\n", r.Exchanges, len(r.Differences), len(r.Differences)-len(unexpected))
	return err
}

func (k *Known) describe() string {
	words := []string{k.Operation, k.Path, string(k.Kind)}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " ")
}

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteJUnit writes the report in the XML form of JUnit, which CI systems show: a test case for each
// exchange with an unexpected difference, one for all others, and one for stale known differences.
func (r *Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{Name: "cassette"}
	for _, d := range r.Unexpected() {
		name := d.Exchange + " " + d.Operation
		if n := len(suite.Cases); n == 0 || suite.Cases[n-1].Name != name {
			suite.Cases = append(suite.Cases, junitCase{Name: name, Class: "cassette", Failure: &junitFailure{Message: "the reply differs from the recorded one"}})
		}
		c := &suite.Cases[len(suite.Cases)-1]
		c.Failure.Text += fmt.Sprintf("%s: %s: recorded %s, got %s\n", d.Path, d.Kind, d.Recorded, d.Got)
	}
	suite.Failures = len(suite.Cases)
	if same := r.Exchanges - suite.Failures; same > 0 {
		suite.Cases = append(suite.Cases, junitCase{Name: fmt.Sprintf("%d exchanges without unexpected differences", same), Class: "cassette"})
	}
	for _, k := range r.Stale {
		suite.Failures++
		suite.Cases = append(suite.Cases, junitCase{Name: "known: " + k.describe(), Class: "cassette", Failure: &junitFailure{Message: "the known difference was not found"}})
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}
