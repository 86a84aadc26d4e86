// Command words checks the English of the repository: Markdown, Go comments, string literals and
// the other files that a reader meets. The rules are in rules.txt.
//
// Without arguments it checks everything that baseline.txt does not exempt, and fails if an
// exemption is no longer needed. With paths it prints every finding below them, exempt or not:
//
//	go run ./internal/words gocardless/oauth README.md
package main

import (
	_ "embed"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

//go:embed baseline.txt
var baseline string

func main() {
	findings, err := check(os.DirFS("."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
	exempt := lines(baseline)
	if paths := os.Args[1:]; len(paths) > 0 {
		findings = slices.DeleteFunc(findings, func(f finding) bool { return !below(f.path, paths) })
		exempt = nil
	}
	problems := judge(findings, exempt)
	for _, p := range problems {
		fmt.Println(p)
	}
	if len(problems) > 0 {
		fmt.Fprintf(os.Stderr, "words: %d problems\n", len(problems))
		os.Exit(1)
	}
}

// judge returns the findings outside the exempt files and directories, and the exemptions that no
// longer have a finding.
func judge(findings []finding, exempt []string) []string {
	var problems []string
	used := map[string]bool{}
	for _, f := range findings {
		i := slices.IndexFunc(exempt, func(entry string) bool { return entry == f.path || entry == path.Dir(f.path) })
		if i < 0 {
			problems = append(problems, f.String())
			continue
		}
		used[exempt[i]] = true
	}
	for _, entry := range exempt {
		if !used[entry] {
			problems = append(problems, fmt.Sprintf("internal/words/baseline.txt: %s is clean: delete its line", entry))
		}
	}
	return problems
}

// below reports whether name is one of the paths or lies in a directory among them.
func below(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		p = path.Clean(p)
		return p == "." || name == p || strings.HasPrefix(name, p+"/")
	})
}

// lines returns the lines of a list without its comments.
func lines(list string) []string {
	var out []string
	for line := range strings.Lines(list) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}
