// Command gcpro serves a sandbox of the API for programs in any language.
//
//	gcpro sandbox -addr 127.0.0.1:8080
//	gcpro version
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const usage = `usage: gcpro <command> [flags]

commands:
  sandbox   serve a fake of the API for programs in any language
  version   the version of the SDK, and the commit that this program was built from

"gcpro <command> -h" lists the flags of a command.
`

// errUsage ends the program with status 2; what is wrong has been said.
var errUsage = errors.New("usage")

// run is the program without its process: it returns the exit status.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	name := ""
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	var err error
	switch name {
	case "sandbox":
		err = runSandbox(ctx, args, out, errs)
	case "version", "-version", "--version":
		err = runVersion(args, out, errs)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(out, usage)
	default:
		if name != "" {
			fmt.Fprintf(errs, "gcpro: no command %q\n\n", name)
		}
		fmt.Fprint(errs, usage)
		return 2
	}
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintln(errs, "gcpro "+name+": "+err.Error())
	return 1
}

// parse reads flags; arguments beside them are refused.
func parse(fs *flag.FlagSet, args []string, errs io.Writer) error {
	fs.SetOutput(errs)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(errs, "%s takes no arguments beside flags: %s\n", fs.Name(), strings.Join(fs.Args(), " "))
		return errUsage
	}
	return nil
}

func runVersion(args []string, out, errs io.Writer) error {
	if err := parse(flag.NewFlagSet("gcpro version", flag.ContinueOnError), args, errs); err != nil {
		return err
	}
	built, _ := debug.ReadBuildInfo()
	_, err := fmt.Fprintf(out, "gcpro %s%s, %s %s/%s\n", gocardless.Version, commit(built), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// commit says what the program was built from, as far as the build recorded it: a build from the
// module cache or with -buildvcs=false knows no commit.
func commit(built *debug.BuildInfo) string {
	if built == nil {
		return ""
	}
	said := map[string]string{}
	for _, s := range built.Settings {
		said[s.Key] = s.Value
	}
	switch {
	case said["vcs.revision"] == "":
		return ""
	case said["vcs.modified"] == "true":
		return fmt.Sprintf(" (commit %s, changed since)", said["vcs.revision"])
	}
	return fmt.Sprintf(" (commit %s)", said["vcs.revision"])
}
