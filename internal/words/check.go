package main

import (
	_ "embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

//go:embed rules.txt
var ruleFile string

// A rule is a wording to avoid, and what to write instead.
type rule struct {
	form    *regexp.Regexp
	instead string
	allowed *regexp.Regexp // matches that are right, or nil
}

// A passage is a stretch of English and the line that it starts on.
type passage struct {
	line int
	text string
}

// A finding is a place that breaks a rule.
type finding struct {
	path    string
	line    int
	found   string
	instead string
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %q: write: %s", f.path, f.line, f.found, f.instead)
}

func parseRules(file string) ([]rule, error) {
	var rules []rule
	for _, line := range lines(file) {
		columns := strings.Split(line, "\t")
		if len(columns) < 2 {
			return nil, fmt.Errorf("rules.txt: no tab in %q", line)
		}
		r := rule{instead: columns[1]}
		var err error
		if r.form, err = regexp.Compile("(?i)" + columns[0]); err != nil {
			return nil, err
		}
		if len(columns) > 2 {
			if r.allowed, err = regexp.Compile("(?i)" + columns[2]); err != nil {
				return nil, err
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// check returns the findings in every file of the tree that has English in it.
func check(tree fs.FS) ([]finding, error) {
	rules, err := parseRules(ruleFile)
	if err != nil {
		return nil, err
	}
	var findings []finding
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipDir(name) {
				return fs.SkipDir
			}
			return nil
		}
		read := reader(name)
		if read == nil {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		found, err := read(name, source, rules)
		findings = append(findings, found...)
		return err
	})
	return findings, err
}

// skipDir reports whether to leave out a directory: golden files, what others wrote, version control.
func skipDir(name string) bool {
	switch base := path.Base(name); base {
	case "testdata", "node_modules", "dist", "schema":
		return true
	default:
		return len(base) > 1 && base[0] == '.' && base != ".github"
	}
}

// reader returns the function that checks a file, or nil if there is no English in it.
func reader(name string) func(string, []byte, []rule) ([]finding, error) {
	switch base := path.Base(name); {
	case path.Ext(base) == ".go":
		return checkGo
	case path.Ext(base) == ".md":
		return checkMarkdown
	case base == "Makefile", strings.HasSuffix(base, ".sh"), strings.HasSuffix(base, ".yml"), strings.HasSuffix(base, ".yaml"),
		strings.HasSuffix(base, ".tmpl"), strings.HasSuffix(base, ".html"):
		return checkLines
	}
	return nil
}

// apply returns the findings in a passage. A wording may span a line break.
func apply(rules []rule, file string, p passage) []finding {
	var findings []finding
	flat := strings.Join(strings.Split(p.text, "\n"), " ")
	for _, r := range rules {
		for _, at := range r.form.FindAllStringIndex(flat, -1) {
			match := flat[at[0]:at[1]]
			if r.allowed == nil || !r.allowed.MatchString(match) {
				line := p.line + strings.Count(p.text[:at[0]], "\n")
				findings = append(findings, finding{file, line, match, r.instead})
			}
		}
	}
	return findings
}

func checkLines(name string, source []byte, rules []rule) ([]finding, error) {
	return apply(rules, name, passage{1, string(source)}), nil
}

var (
	codeBlock  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	inlineCode = regexp.MustCompile("`[^`\n]*`")
)

// checkMarkdown checks the prose. It blanks code rather than removing it, so that line numbers are right.
func checkMarkdown(name string, source []byte, rules []rule) ([]finding, error) {
	blank := func(code string) string {
		return strings.Map(func(r rune) rune {
			if r == '\n' {
				return r
			}
			return '.'
		}, code)
	}
	prose := codeBlock.ReplaceAllStringFunc(string(source), blank)
	return checkLines(name, []byte(inlineCode.ReplaceAllStringFunc(prose, blank)), rules)
}
