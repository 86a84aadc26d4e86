package changelog

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
)

var templates = os.DirFS("../../../templates")

func report(old, revised string) *compare.Report {
	return &compare.Report{Old: old, New: revised, Changes: []compare.Change{
		{Class: compare.Documentation, Code: "documentation-changed", Text: "The documentation of Payment changed.", Subject: "Payment"},
		{Class: compare.Addition, Code: "field-added", Resource: "payments", Text: "Payment.Colour (`colour`) was added.", Subject: "Payment.Colour", Operations: []string{"client.Payments.Get", "client.Payments.List"}},
		{Class: compare.Behaviour, Code: "deprecated", Resource: "payments", Text: "Payment.Old is deprecated.", Subject: "Payment.Old"},
		{Class: compare.Behaviour, Code: "default-changed", Resource: "payments", Text: "The default changed."},
		{Class: compare.Breaking, Code: "operation-removed", Resource: "payments", Text: "client.Payments.Retry was removed.", Subject: "client.Payments.Retry",
			Advice: "Stop calling it.", Before: "client.Payments.Retry(ctx, id)", After: "client.Payments.Again(ctx, id)"},
	}}
}

func render(t *testing.T, existing string, sections ...Section) string {
	t.Helper()
	out, err := Render([]byte(existing), sections, templates)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func order(t *testing.T, text string, parts ...string) {
	t.Helper()
	at := 0
	for _, part := range parts {
		i := strings.Index(text[at:], part)
		if i < 0 {
			t.Fatalf("%q is missing after byte %d of:\n%s", part, at, text)
		}
		at += i + len(part)
	}
}

func TestRender(t *testing.T) {
	first := Section{Date: "2026-01-01", Summary: "This is the first vendored description: 3 operations."}
	second := Section{Date: "2026-02-01", Version: "1.1.0", Report: report("2026-01-01", "2026-02-01")}
	text := render(t, "", second, first)
	order(t, text,
		"# Changelog\n", "## [Unreleased]\n",
		"## [1.1.0] - 2026-02-01\n", "compared with that of 2026-01-01.",
		"### Breaking\n\n- `client.Payments.Retry` was removed. Stop calling it.\n\n  ```go\n  client.Payments.Retry(ctx, id) // before\n  client.Payments.Again(ctx, id) // now\n  ```\n",
		"### Changed\n\n- The default changed.\n",
		"### Deprecated\n\n- `Payment.Old` is deprecated.\n",
		"### Added\n\n- `Payment.Colour` (`colour`) was added in client.Payments (Get and List).\n",
		"### Documentation\n",
		"## [API 2026-01-01] - 2026-01-01\n", "This is the first vendored description: 3 operations.",
	)
	if again := render(t, text, second, first); again != text {
		t.Errorf("a second run changes the text:\n%s", again)
	}
	if strings.Contains(text, "\n\n\n") {
		t.Error("two empty lines in a row")
	}
	dates, err := Dates([]byte(text))
	if err != nil || !slices.Equal(dates, []string{"2026-02-01", "2026-01-01"}) {
		t.Errorf("dates %v, %v", dates, err)
	}
}

// Notes around the generated part survive wherever they are, and so does a changed heading.
func TestNotesSurvive(t *testing.T) {
	first := Section{Date: "2026-01-01", Summary: "One."}
	text := render(t, "", first)
	text = strings.Replace(text, "## [Unreleased]\n", "## [Unreleased]\n\n- Note at the top.\n\n## [1.0.1] - 2026-01-15\n\n- A fix of the library alone.\n", 1)
	text = strings.Replace(text, "## [API 2026-01-01] - 2026-01-01\n", "## [1.0.0] - 2026-01-03\n\nNote before.\n", 1)
	text += "\nNote after.\n\n[1.0.0]: https://example.com\n"
	if again := render(t, text, first); again != text {
		t.Errorf("notes were changed:\n%s", again)
	}
	// A new version goes to the top, whatever the dates: the API's may be older than the library's.
	second := Section{Date: "2026-01-10", Version: "1.1.0", Day: "2026-02-01", Report: report("2026-01-01", "2026-01-10")}
	text = render(t, text, second, first)
	order(t, text,
		"## [Unreleased]\n\n- Note at the top.",
		"## [1.1.0] - 2026-02-01", "<!-- end of snapshot 2026-01-10 -->\n\n",
		"## [1.0.1] - 2026-01-15\n\n- A fix of the library alone.\n",
		"## [1.0.0] - 2026-01-03\n\nNote before.", "<!-- snapshot 2026-01-01", "One.", "<!-- end of snapshot 2026-01-01 -->\n\nNote after.\n\n[1.0.0]: https://example.com\n",
	)
	// An edited generated part is restored. Here, only the newest section is rendered.
	broken := strings.Replace(text, "- The default changed.", "- Something else.", 1)
	if got := render(t, broken, second); got != text {
		t.Errorf("generated text was not mended:\n%s", got)
	}
}

// A file with the line ends of Windows keeps them, and its marks are found anyway.
func TestWindowsLineEnds(t *testing.T) {
	first, second := Section{Date: "2026-01-01", Summary: "One."}, Section{Date: "2026-02-01", Report: report("2026-01-01", "2026-02-01")}
	text := render(t, "", second, first)
	windows := strings.ReplaceAll(text, "\n", "\r\n")
	if got := render(t, windows, second, first); got != windows {
		t.Errorf("got %q", got)
	}
	if dates, err := Dates([]byte(windows)); err != nil || len(dates) != 2 {
		t.Errorf("dates %v, %v", dates, err)
	}
	if got := render(t, strings.ReplaceAll(render(t, "", first), "\n", "\r\n"), second, first); got != windows {
		t.Errorf("a new section: got %q", got)
	}
}

func TestOlderSectionIsInserted(t *testing.T) {
	text := render(t, "", Section{Date: "2026-03-01", Summary: "Three."}, Section{Date: "2026-01-01", Summary: "One."})
	text = render(t, text, Section{Date: "2026-02-01", Summary: "Two."})
	order(t, text, "Three.", "<!-- end of snapshot 2026-03-01 -->\n\n## [API 2026-02-01]", "Two.", "<!-- end of snapshot 2026-02-01 -->\n\n## [API 2026-01-01]", "One.")
}

func TestManyDescriptions(t *testing.T) {
	r := &compare.Report{Old: "2026-01-01", New: "2026-02-01"}
	for range 20 {
		r.Changes = append(r.Changes, compare.Change{Class: compare.Documentation, Code: "documentation-changed", Text: "x"})
	}
	text := render(t, "", Section{Date: "2026-02-01", Report: r})
	order(t, text, "### Documentation\n\n- The descriptions of 20 types, methods and fields changed.\n")
	text = render(t, "", Section{Date: "2026-02-01", Report: &compare.Report{Old: "2026-01-01", New: "2026-02-01"}})
	order(t, text, "compared with that of 2026-01-01. Nothing changed for users.")
}

func TestBrokenMarks(t *testing.T) {
	good := render(t, "", Section{Date: "2026-01-01", Summary: "One."})
	for name, c := range map[string]struct{ text, want string }{
		"no end":        {strings.Replace(good, "<!-- end of snapshot 2026-01-01 -->", "", 1), "has no end"},
		"no beginning":  {strings.Replace(good, "<!-- snapshot 2026-01-01: generated, see the top -->", "", 1), "an end without its beginning"},
		"twice":         {good + good[strings.Index(good, "## [API"):], "a second time"},
		"one in other":  {strings.Replace(good, "One.", "\n<!-- snapshot 2025-01-01: generated, see the top -->", 1), "has no end"},
		"end of others": {strings.Replace(good, "<!-- end of snapshot 2026-01-01 -->", "<!-- end of snapshot 2026-01-02 -->", 1), "an end without"},
	} {
		if _, err := Render([]byte(c.text), nil, templates); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "CHANGELOG.md: line") && !strings.Contains(err.Error(), "has no end") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Render(nil, []Section{{Date: "2026-01-01"}}, templates); err == nil {
		t.Error("a section without a report or a summary passes")
	}
}
