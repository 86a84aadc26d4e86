package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gocardless-community/gocardless-go/internal/apichange/changelog"
	"github.com/gocardless-community/gocardless-go/internal/apichange/release"
	"github.com/gocardless-community/gocardless-go/internal/filetx"
)

// runChangelog writes the generated sections of CHANGELOG.md, or checks them.
func runChangelog(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("gen changelog", flag.ContinueOnError)
	check := set.Bool("check", false, "write nothing; exit with 1 if the file is not up to date or disagrees with the constant Version or docs/migrations/")
	if !parse(set, args, stderr) {
		return 2
	}
	root, err := moduleRoot()
	if err != nil {
		return fail(stderr, err)
	}
	text, err := release.Changelog(root)
	if err != nil {
		return fail(stderr, err)
	}
	have, err := os.ReadFile(filepath.Join(root, changelog.File))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(stderr, err)
	}
	if bytes.Equal(have, text) {
		if *check {
			if err := release.Complete(root); err != nil {
				return fail(stderr, err)
			}
		}
		fmt.Fprintln(stdout, changelog.File, "is up to date")
		return 0
	}
	if *check {
		return fail(stderr, fmt.Errorf("%s is not up to date: run go run ./cmd/gen changelog and commit the result", changelog.File))
	}
	tx := filetx.New(root)
	tx.Write(changelog.File, text)
	if _, err := tx.Commit(); err != nil {
		return fail(stderr, err)
	}
	fmt.Fprintln(stdout, "wrote", changelog.File)
	return 0
}
