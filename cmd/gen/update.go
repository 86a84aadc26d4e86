package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/release"
)

const updateUsage = `usage: gen update [flags] SOURCE

Adopts an OpenAPI 3.0 or 3.1 description from a file or URL: updates the vendored snapshot, the
generated code, the changelog and the version.

`

// updateTimeout bounds the reading of a URL.
const updateTimeout = 2 * time.Minute

// maxNotes limits the notes that are printed: one habit of an author can appear in hundreds of places.
const maxNotes = 50

// typeName matches the names of our schemas, which become Go types.
var typeName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// runUpdate adopts an API description and prints what changed.
func runUpdate(args []string, stdout, stderr io.Writer) int {
	o, format, ok := parseUpdate(args, stderr)
	if !ok {
		return 2
	}
	var err error
	if o.Root, err = moduleRoot(); err != nil {
		return fail(stderr, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	done, err := release.Update(ctx, o)
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted: nothing has changed")
	}
	if err != nil {
		return fail(stderr, err)
	}
	printNotes(stderr, done, o.DryRun)
	switch {
	case done.Report != nil:
		err = done.Report.Render(stdout, format)
	case format == "json":
		err = (&compare.Report{Changes: []compare.Change{}}).Render(stdout, format)
	default:
		_, err = fmt.Fprintln(stdout, unchanged(done))
	}
	if err != nil {
		return fail(stderr, err)
	}
	return 0
}

func parseUpdate(args []string, stderr io.Writer) (o release.UpdateOptions, format string, ok bool) {
	set := flag.NewFlagSet("gen update", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprint(stderr, updateUsage)
		set.PrintDefaults()
	}
	o = release.UpdateOptions{Names: map[string]string{}, Now: time.Now, Client: &http.Client{Timeout: updateTimeout}}
	set.StringVar(&o.Date, "date", "", "date of the new snapshot (default: the source's x-schema-date if it is later, else today)")
	set.BoolVar(&o.Words, "own-words", false, "the source's descriptions are ours: adopt them instead of marking them for rewriting")
	set.BoolVar(&o.AllowRenames, "allow-renames", false, "accept Go names that differ from generator/names.lock")
	set.BoolVar(&o.DryRun, "dry-run", false, "report what would change, and write nothing")
	formatFlag(set, &format)
	set.Func("name", "`POINTER=NAME` gives the new schema at a JSON pointer of the source a name (may be given several times)", func(s string) error {
		pointer, name, ok := strings.Cut(s, "=")
		if !ok || !strings.HasPrefix(pointer, "/") || !typeName.MatchString(name) {
			return errors.New("must be POINTER=NAME, the name in the form PaymentLinks")
		}
		o.Names[pointer] = name
		return nil
	})
	sources, ok := interleaved(set, args)
	if !ok {
		return o, "", false
	}
	if len(sources) != 1 {
		set.Usage()
		return o, "", false
	}
	o.Source = sources[0]
	return o, format, true
}

// printNotes prints what the maintainer must know besides the report.
func printNotes(stderr io.Writer, done *release.Updated, dryRun bool) {
	for _, note := range done.Notes[:min(len(done.Notes), maxNotes)] {
		fmt.Fprintln(stderr, "gen: note:", note)
	}
	if more := len(done.Notes) - maxNotes; more > 0 {
		fmt.Fprintf(stderr, "gen: note: %d more notes; info/x-left-out of schema/gocardless.json lists everything that is left out\n", more)
	}
	for _, change := range done.Left {
		fmt.Fprintln(stderr, "gen: not adopted:", change)
	}
	if done.Report == nil {
		return
	}
	if n := len(done.Unwritten); n > 0 {
		fmt.Fprintf(stderr, "gen: note: %d descriptions must be written before a release, the first at %s\n", n, done.Unwritten[0])
	}
	if dryRun {
		fmt.Fprintf(stderr, "gen: a dry run: nothing written; version %s would follow %s\n", done.New, done.Old)
	} else {
		fmt.Fprintf(stderr, "gen: %d files written; version %s, was %s\n", len(done.Files), done.New, done.Old)
	}
}

// unchanged states why nothing was written.
func unchanged(done *release.Updated) string {
	if len(done.Left) > 0 {
		return "nothing changed: schema/gocardless.json cannot express how the source differs"
	}
	return "nothing changed: the source means the same as schema/gocardless.json"
}
