// Package changelog writes CHANGELOG.md: one section for each snapshot of the API's description, with the
// changes since the previous snapshot. Two marks enclose the generated part of a section; everything outside
// them is kept.
package changelog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
)

// File is the path of the changelog.
const File = "CHANGELOG.md"

// Section describes the changes of one snapshot of the API.
type Section struct {
	Date    string          // of the snapshot: "2026-08-13"
	Version string          // of the first SDK with the snapshot, or "" if there is none
	Day     string          // of that version; "" for the snapshot's date
	Report  *compare.Report // changes since the previous snapshot; nil for the first one
	Summary string          // of the whole API, for the first one
}

const header = `# Changelog

This file lists the changes that affect programs that use this library. The format is [Keep a Changelog](https://keepachangelog.com/en/1.1.0/),
and versions follow [Semantic Versioning](https://semver.org/): before 1.0.0 a breaking change raises the minor number.

` + "`go run ./cmd/gen changelog`" + ` generates the parts between two ` + "`snapshot`" + ` comments from ` + "`schema/history/`" + ` and keeps the notes around them.

## [Unreleased]
`

func begin(date string) string { return "<!-- snapshot " + date + ": generated, see the top -->" }

func end(date string) string { return "<!-- end of snapshot " + date + " -->" }

var (
	beginMark = regexp.MustCompile(`^<!-- snapshot (\d{4}-\d{2}-\d{2}[b-z]?): generated, see the top -->$`)
	endMark   = regexp.MustCompile(`^<!-- end of snapshot (\d{4}-\d{2}-\d{2}[b-z]?) -->$`)
)

// Render updates a changelog. existing is the current file, or nil; sections start with the newest; templates
// holds changelog.md.tmpl.
func Render(existing []byte, sections []Section, templates fs.FS) ([]byte, error) {
	body, err := template.ParseFS(templates, "changelog.md.tmpl")
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(existing)) == 0 {
		existing = []byte(header)
	}
	// A file with Windows line ends keeps them.
	windows := bytes.Contains(existing, []byte("\r\n"))
	lines := split(existing)
	blocks, err := find(lines)
	if err != nil {
		return nil, err
	}
	// The oldest first, so that a new section is inserted above the older ones.
	for _, s := range slices.Backward(sections) {
		text, err := s.text(body)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(blocks, func(b block) bool { return b.date == s.Date }); i >= 0 {
			lines = slices.Replace(lines, blocks[i].from, blocks[i].to+1, text...)
		} else {
			at := s.place(lines, blocks)
			lines = slices.Insert(lines, at, append(append([]string{s.heading(), ""}, text...), "")...)
			if at > 0 && lines[at-1] != "" {
				lines = slices.Insert(lines, at, "")
			}
		}
		if blocks, err = find(lines); err != nil {
			return nil, err
		}
	}
	out := strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
	if windows {
		out = strings.ReplaceAll(out, "\n", "\r\n")
	}
	return []byte(out), nil
}

// split returns the lines of a file without their ends.
func split(text []byte) []string {
	return strings.Split(strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
}

// heading returns the heading of a section: its version, or the API's date if no version of the SDK has it.
func (s Section) heading() string {
	if s.Version == "" {
		return fmt.Sprintf("## [API %s] - %s", s.Date, s.Date)
	}
	return fmt.Sprintf("## [%s] - %s", s.Version, cmp.Or(s.Day, s.Date))
}

var headingForm = regexp.MustCompile(`^## \[([^\]]+)\] - \d{4}-\d{2}-\d{2}[b-z]?$`)

// place returns the line before which to insert a new section. A version goes above all others, including
// versions without a snapshot; a snapshot without a version is placed by its date.
func (s Section) place(lines []string, blocks []block) int {
	if s.Version != "" {
		if i := slices.IndexFunc(lines, headingForm.MatchString); i >= 0 {
			return i
		}
	}
	for _, b := range blocks {
		if b.date < s.Date {
			return heading(lines, b.from)
		}
	}
	return len(lines)
}

var blankLines = regexp.MustCompile(`\n{3,}`)

type block struct {
	date     string
	from, to int // lines of the two marks
}

// find returns the generated blocks of a changelog, in the order of the file.
func find(lines []string) ([]block, error) {
	blocks, err := marks(lines)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", File, err)
	}
	return blocks, nil
}

func marks(lines []string) ([]block, error) {
	var out []block
	open := -1
	for i, line := range lines {
		if m := beginMark.FindStringSubmatch(line); m != nil {
			if open >= 0 {
				return nil, fmt.Errorf("line %d: the snapshot that begins on line %d has no end", i+1, open+1)
			}
			if slices.ContainsFunc(out, func(b block) bool { return b.date == m[1] }) {
				return nil, fmt.Errorf("line %d: snapshot %s appears a second time", i+1, m[1])
			}
			out, open = append(out, block{date: m[1], from: i}), i
		} else if m := endMark.FindStringSubmatch(line); m != nil {
			if open < 0 || out[len(out)-1].date != m[1] {
				return nil, fmt.Errorf("line %d: an end without its beginning", i+1)
			}
			out[len(out)-1].to, open = i, -1
		}
	}
	if open >= 0 {
		return nil, fmt.Errorf("the snapshot that begins on line %d has no end", open+1)
	}
	return out, nil
}

// heading returns the line of the heading above a block.
func heading(lines []string, from int) int {
	for i := from - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], "## ") {
			return i
		}
		if endMark.MatchString(lines[i]) {
			return i + 1
		}
	}
	return from
}

// Dates lists the snapshots that a changelog has.
func Dates(existing []byte) ([]string, error) {
	blocks, err := find(split(existing))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, b := range blocks {
		out = append(out, b.date)
	}
	return out, nil
}

// Versions lists the versions that a changelog has a section for, in its order: the newest first.
func Versions(existing []byte) []string {
	var out []string
	for line := range strings.Lines(string(existing)) {
		if m := headingForm.FindStringSubmatch(strings.TrimSpace(line)); m != nil && !strings.HasPrefix(m[1], "API ") {
			out = append(out, m[1])
		}
	}
	return out
}

// view holds the prepared values for the template.
type view struct {
	Date, Since, Summary string
	Parts                []part
}

type part struct {
	Title string
	Items []entry
}

type entry struct {
	Text string
	Code []string
}

func (s Section) text(body *template.Template) ([]string, error) {
	v := view{Date: s.Date, Summary: s.Summary}
	if s.Report != nil {
		v.Since = s.Report.Old
		v.Parts = parts(s.Report)
	} else if s.Summary == "" {
		return nil, errors.New("a section needs a report or a summary")
	}
	var b bytes.Buffer
	if err := body.Execute(&b, v); err != nil {
		return nil, err
	}
	text := []string{begin(s.Date), ""}
	text = append(text, strings.Split(strings.Trim(blankLines.ReplaceAllString(b.String(), "\n\n"), "\n"), "\n")...)
	return append(text, "", end(s.Date)), nil
}

// parts arranges a report under headings in the style of Keep a Changelog, breaking changes first.
func parts(r *compare.Report) []part {
	var deprecated, changed []compare.Change
	for _, c := range r.Of(compare.Behaviour) {
		if strings.HasSuffix(c.Code, "deprecated") {
			deprecated = append(deprecated, c)
		} else {
			changed = append(changed, c)
		}
	}
	all := []part{
		{"Breaking", entries(r.Of(compare.Breaking))},
		{"Changed", entries(changed)},
		{"Deprecated", entries(deprecated)},
		{"Added", entries(r.Of(compare.Addition))},
		{"Documentation", documentation(r.Of(compare.Documentation))},
	}
	return slices.DeleteFunc(all, func(p part) bool { return len(p.Items) == 0 })
}

func entries(changes []compare.Change) []entry {
	var out []entry
	for _, g := range compare.Groups(changes) {
		for _, c := range g.Changes {
			e := entry{Text: c.Markdown()}
			if code := c.Snippet(); code != "" {
				e.Code = strings.Split(code, "\n")
			}
			out = append(out, e)
		}
	}
	return out
}

// few is the number of changed descriptions that are listed one by one.
const few = 12

func documentation(changes []compare.Change) []entry {
	if len(changes) <= few {
		return entries(changes)
	}
	return []entry{{Text: fmt.Sprintf("The descriptions of %d types, methods and fields changed.", len(changes))}}
}
