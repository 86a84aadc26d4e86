// Command gen generates the SDK from the vendored description of the API.
//
//	gen [-schema FILE] [-out DIR] [-allow-renames]   generate
//	gen check                                        fail if the files on disk are not what would be generated
//	gen diff [flags] OLD NEW                         report the changes between two API descriptions
//	gen update [flags] SOURCE                        adopt an API description from a file or URL
//	gen changelog [-check]                           write CHANGELOG.md from schema/history/
//	gen release [-tag TAG]                           check that a tag can be released, print its notes
//
// go generate runs it in the module's root.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/gocardless-community/gocardless-go/generator"
)

// commands holds the subcommands. Without one, gen generates.
var commands = map[string]func(args []string, stdout, stderr io.Writer) int{
	"check":     runCheck,
	"diff":      runDiff,
	"changelog": runChangelog,
	"release":   runRelease,
	"update":    runUpdate,
}

func main() {
	debug.SetGCPercent(400) // a run takes a second; collecting garbage less often saves a quarter of it
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if command, ok := commands[args[0]]; ok {
			return command(args[1:], stdout, stderr)
		}
	}
	return runGenerate(args, stdout, stderr)
}

// parse reads flags and refuses superfluous arguments.
func parse(set *flag.FlagSet, args []string, stderr io.Writer) bool {
	set.SetOutput(stderr)
	if err := set.Parse(args); err != nil {
		return false
	}
	if set.NArg() > 0 {
		fmt.Fprintf(stderr, "gen: unknown command %q\n", set.Arg(0))
		return false
	}
	return true
}

func runGenerate(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("gen", flag.ContinueOnError)
	schema := set.String("schema", "", "OpenAPI document to generate from (default schema/gocardless.json)")
	out := set.String("out", "", "module directory to generate into (default this module)")
	renames := set.Bool("allow-renames", false, "accept Go names that differ from generator/names.lock")
	if !parse(set, args, stderr) {
		return 2
	}
	result, err := generate(generator.Config{Schema: *schema, Out: *out, AllowRenames: *renames})
	if err != nil {
		return fail(stderr, err)
	}
	changed, err := result.Write()
	if err != nil {
		return fail(stderr, err)
	}
	for _, path := range changed {
		fmt.Fprintln(stdout, "wrote", path)
	}
	fmt.Fprintln(stdout, result.Summary())
	noteLeftOut(stderr, result)
	return 0
}

// noteLeftOut prints a note for each part of the API that the SDK does not have.
func noteLeftOut(stderr io.Writer, result *generator.Result) {
	for _, l := range result.API.LeftOut {
		fmt.Fprintln(stderr, "gen: note:", l)
	}
}

func runCheck(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("gen check", flag.ContinueOnError)
	if !parse(set, args, stderr) {
		return 2
	}
	result, err := generate(generator.Config{})
	if err != nil {
		return fail(stderr, err)
	}
	differences, err := result.Check()
	if err != nil {
		return fail(stderr, err)
	}
	for _, d := range differences {
		fmt.Fprintln(stderr, "gen:", d)
	}
	if len(differences) > 0 {
		fmt.Fprintf(stderr, "gen: %d files are not up to date: run go generate and commit the result\n", len(differences))
		return 1
	}
	root, err := moduleRoot()
	if err != nil {
		return fail(stderr, err)
	}
	gaps, err := generator.SandboxGaps(root, result.API)
	if err != nil {
		return fail(stderr, err)
	}
	for _, gap := range gaps.Gone {
		fmt.Fprintln(stderr, "gen:", gap)
	}
	if len(gaps.Gone) > 0 {
		fmt.Fprintln(stderr, "gen: the sandbox serves operations that the API does not have: remove the handlers named above")
		return 1
	}
	for _, filter := range gaps.Filters {
		fmt.Fprintln(stderr, "gen: note:", filter)
	}
	noteLeftOut(stderr, result)
	fmt.Fprintln(stdout, "up to date:", result.Summary())
	return 0
}

func generate(cfg generator.Config) (*generator.Result, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	cfg.Root = root
	return generator.Generate(cfg)
}

// moduleRoot finds the directory of go.mod at or above the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod here or above: run this inside the module")
		}
		dir = parent
	}
}

func fail(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "gen:", err)
	return 1
}
