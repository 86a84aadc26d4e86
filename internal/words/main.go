// Command words checks the English of the repository: Markdown, Go comments and string literals, scripts,
// templates and workflows. The rules are in rules.txt.
//
// With paths it prints only the findings below them:
//
//	go run ./internal/words gocardless/oauth README.md
package main

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

func main() {
	findings, err := check(os.DirFS("."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
	if paths := os.Args[1:]; len(paths) > 0 {
		findings = slices.DeleteFunc(findings, func(f finding) bool { return !below(f.path, paths) })
	}
	for _, f := range findings {
		fmt.Println(f)
	}
	if len(findings) > 0 {
		fmt.Fprintf(os.Stderr, "words: %d problems\n", len(findings))
		os.Exit(1)
	}
}

// below reports whether name is one of the paths or lies in a directory among them.
func below(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		p = path.Clean(p)
		return p == "." || name == p || strings.HasPrefix(name, p+"/")
	})
}

// lines returns the lines of a list without its comments and empty lines.
func lines(list string) []string {
	var out []string
	for line := range strings.Lines(list) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}
