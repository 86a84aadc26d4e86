package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/release"
)

const diffUsage = `usage: gen diff [flags] OLD NEW        compare two API descriptions
       gen diff [flags] -since REF      compare the working tree with a commit or tag

A text or Markdown report ends with the part of the version that must rise.
`

// runDiff compares API descriptions. It exits with 1 on an error and on a change of the class given
// with -fail-on, or worse.
func runDiff(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("gen diff", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprint(stderr, diffUsage)
		set.PrintDefaults()
	}
	format := set.String("format", "text", "one of "+strings.Join(compare.Formats, ", "))
	failOn := set.String("fail-on", "", "exit with 1 if there is a change of this class or a worse one: breaking, behaviour, addition or documentation")
	goAPI := set.Bool("go", true, "compare the exported Go API as well")
	since := set.String("since", "", "compare the working tree with this commit or tag; \"tag\" stands for the last version tag")
	checkVersion := set.Bool("check-version", false, "with -since: exit with 1 if the constant Version has not risen as far as the changes call for")
	files, ok := interleaved(set, args)
	if !ok {
		return 2
	}
	var limit compare.Class
	if *failOn != "" {
		if limit, ok = compare.ParseClass(*failOn); !ok {
			fmt.Fprintf(stderr, "gen: -fail-on %q: one of breaking, behaviour, addition, documentation\n", *failOn)
			return 2
		}
	}
	if !knownFormat(*format, stderr) {
		return 2
	}
	if *checkVersion && *since == "" {
		fmt.Fprintln(stderr, "gen: -check-version goes with -since")
		return 2
	}
	root, err := moduleRoot()
	if err != nil {
		return fail(stderr, err)
	}
	var report *compare.Report
	switch {
	case *since != "" && len(files) == 0:
		if *since == "tag" {
			if *since, err = release.LastTag(root); err != nil {
				return fail(stderr, err)
			}
			if *since == "" {
				fmt.Fprintln(stderr, "gen: note: no version tag to compare with")
				report, *checkVersion = &compare.Report{Changes: []compare.Change{}}, false
				break
			}
		}
		report, err = release.Since(root, *since, *goAPI)
	case *since == "" && len(files) == 2:
		report, err = release.Diff(root, files[0], files[1], *goAPI)
	default:
		set.Usage()
		return 2
	}
	if err != nil {
		return fail(stderr, err)
	}
	if err := report.Render(stdout, *format); err != nil {
		return fail(stderr, err)
	}
	if *checkVersion && *since != "" {
		if err := release.CheckVersion(root, *since, report.Bump); err != nil {
			return fail(stderr, err)
		}
	}
	if limit != 0 && report.Worst() >= limit {
		fmt.Fprintf(stderr, "gen: the worst change is of class %s\n", report.Worst())
		return 1
	}
	return 0
}

// knownFormat reports whether a report can have the given format, and prints an error if not. Commands ask
// before any work, because they write the report last.
func knownFormat(format string, stderr io.Writer) bool {
	if slices.Contains(compare.Formats, format) {
		return true
	}
	fmt.Fprintf(stderr, "gen: -format %q: one of %s\n", format, strings.Join(compare.Formats, ", "))
	return false
}

// interleaved parses flags that appear before, between or after the other arguments, and returns the
// latter.
func interleaved(set *flag.FlagSet, args []string) (rest []string, ok bool) {
	for {
		if err := set.Parse(args); err != nil {
			return nil, false
		}
		if set.NArg() == 0 {
			return rest, true
		}
		rest = append(rest, set.Arg(0))
		args = set.Args()[1:]
	}
}
