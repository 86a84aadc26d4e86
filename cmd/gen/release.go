package main

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/apichange/release"
)

// runRelease checks that a tag can be released, and prints its notes from the changelog.
func runRelease(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("gen release", flag.ContinueOnError)
	tag := set.String("tag", "", "version tag to release, such as v1.2.3 (default: the constant Version)")
	if !parse(set, args, stderr) {
		return 2
	}
	root, err := moduleRoot()
	if err != nil {
		return fail(stderr, err)
	}
	if *tag == "" {
		v, err := release.CurrentVersion(root)
		if err != nil {
			return fail(stderr, err)
		}
		*tag = "v" + v.String()
	}
	if err := release.Check(root, *tag); err != nil {
		return fail(stderr, err)
	}
	v, err := release.ParseVersion(strings.TrimPrefix(*tag, "v"))
	if err != nil {
		return fail(stderr, err)
	}
	notes, err := release.Notes(root, v)
	if err != nil {
		return fail(stderr, err)
	}
	fmt.Fprint(stdout, notes)
	return 0
}
