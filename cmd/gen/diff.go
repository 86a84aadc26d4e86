package main

import (
	"errors"
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

// runDiff compares API descriptions. It returns 1 after an error, and if there is a change of the class given
// with -fail-on or a more severe one.
func runDiff(args []string, stdout, stderr io.Writer) int {
	o, ok := parseDiff(args, stderr)
	if !ok {
		return 2
	}
	root, err := moduleRoot()
	if err != nil {
		return fail(stderr, err)
	}
	report, err := o.compare(root, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	if err := report.Render(stdout, o.format); err != nil {
		return fail(stderr, err)
	}
	if o.checkVersion {
		if err := release.CheckVersion(root, o.since, report.Bump); err != nil {
			return fail(stderr, err)
		}
	}
	if o.failOn != 0 && report.Worst() >= o.failOn {
		fmt.Fprintf(stderr, "gen: the worst change is of class %s\n", report.Worst())
		return 1
	}
	return 0
}

type diffOptions struct {
	files        []string // the two descriptions, or none with since
	format       string
	failOn       compare.Class // 0 for none
	goAPI        bool
	since        string
	checkVersion bool
}

func parseDiff(args []string, stderr io.Writer) (o diffOptions, ok bool) {
	set := flag.NewFlagSet("gen diff", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprint(stderr, diffUsage)
		set.PrintDefaults()
	}
	formatFlag(set, &o.format)
	set.Func("fail-on", "exit with 1 if there is a change of this class or a more severe one: breaking, behaviour, addition or documentation", func(s string) error {
		if o.failOn, ok = compare.ParseClass(s); !ok {
			return errors.New("must be breaking, behaviour, addition or documentation")
		}
		return nil
	})
	set.BoolVar(&o.goAPI, "go", true, "compare the exported Go API as well")
	set.StringVar(&o.since, "since", "", "compare the working tree with this commit or tag; \"tag\" stands for the last version tag")
	set.BoolVar(&o.checkVersion, "check-version", false, "with -since: exit with 1 if the constant Version has not risen as far as the changes call for")
	if o.files, ok = interleaved(set, args); !ok {
		return o, false
	}
	if o.checkVersion && o.since == "" {
		fmt.Fprintln(stderr, "gen: -check-version needs -since")
		return o, false
	}
	want := 2
	if o.since != "" {
		want = 0
	}
	if len(o.files) != want {
		set.Usage()
		return o, false
	}
	return o, true
}

// compare compares the two files or, with -since, the working tree with a commit. If there is no version tag
// to compare with, the report is empty.
func (o *diffOptions) compare(root string, stderr io.Writer) (*compare.Report, error) {
	if o.since == "" {
		return release.Diff(root, o.files[0], o.files[1], o.goAPI)
	}
	if o.since == "tag" {
		tag, err := release.LastTag(root)
		if err != nil {
			return nil, err
		}
		if tag == "" {
			fmt.Fprintln(stderr, "gen: note: no version tag to compare with")
			o.checkVersion = false
			return &compare.Report{Changes: []compare.Change{}}, nil
		}
		o.since = tag
	}
	return release.Since(root, o.since, o.goAPI)
}

// formatFlag defines the flag for the format of a report.
func formatFlag(set *flag.FlagSet, format *string) {
	*format = compare.Formats[0]
	formats := strings.Join(compare.Formats, ", ")
	set.Func("format", "format of the report: one of "+formats+" (default "+*format+")", func(s string) error {
		if !slices.Contains(compare.Formats, s) {
			return errors.New("must be one of " + formats)
		}
		*format = s
		return nil
	})
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
