// Command gocardless is the SDK's companion: a tour of it, and a sandbox for programs in any
// language.
//
//	gocardless demo
//	gocardless sandbox -addr 127.0.0.1:8080
//	gocardless version
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
	"github.com/gocardless-community/gocardless-go/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

const usage = `usage: gocardless <command> [flags]

commands:
  demo      a tour of the SDK against a sandbox in this process; with
            GOCARDLESS_ACCESS_TOKEN set, against your sandbox account
  sandbox   serve a fake of the API for programs in any language
  version   the version of the SDK, and the commit that this program was built from

"gocardless <command> -h" lists the flags of a command.
`

const demoUsage = `usage: gocardless demo

A tour of the SDK against a sandbox in this process. It has no flags.

With GOCARDLESS_ACCESS_TOKEN set it runs against your sandbox account and creates
customers, mandates and payments there; GOCARDLESS_BASE_URL names another server.
`

// errUsage ends the program with status 2; what is wrong has been said.
var errUsage = errors.New("usage")

// run is the program without its process: it returns the exit status.
func run(ctx context.Context, args []string, out, errs io.Writer, env func(string) string) int {
	name := ""
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	var err error
	switch name {
	case "demo":
		err = runDemo(ctx, args, out, errs, env)
	case "sandbox":
		err = runSandbox(ctx, args, out, errs)
	case "version", "-version", "--version":
		err = runVersion(args, out, errs)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(out, usage)
	default:
		if name != "" {
			fmt.Fprintf(errs, "gocardless: no command %q\n\n", name)
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
	fmt.Fprintln(errs, "gocardless "+name+": "+err.Error())
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

func runDemo(ctx context.Context, args []string, out, errs io.Writer, env func(string) string) error {
	fs := flag.NewFlagSet("gocardless demo", flag.ContinueOnError)
	fs.Usage = func() { fmt.Fprint(errs, demoUsage) }
	if err := parse(fs, args, errs); err != nil {
		return err
	}
	token := env("GOCARDLESS_ACCESS_TOKEN")
	if token == "" {
		return demo.Local(ctx, out)
	}
	if e := env("GOCARDLESS_ENVIRONMENT"); e != "" && e != string(gocardless.EnvironmentSandbox) {
		return fmt.Errorf("GOCARDLESS_ENVIRONMENT is %q; the demo creates payments and runs in the sandbox only", e)
	}
	var opts []gocardless.ClientOption
	if u := env("GOCARDLESS_BASE_URL"); u != "" {
		opts = append(opts, gocardless.WithBaseURL(u))
	}
	client, err := gocardless.New(token, gocardless.EnvironmentSandbox, opts...)
	if err != nil {
		return err
	}
	return demo.Remote(ctx, out, client)
}

func runVersion(args []string, out, errs io.Writer) error {
	if err := parse(flag.NewFlagSet("gocardless version", flag.ContinueOnError), args, errs); err != nil {
		return err
	}
	built, _ := debug.ReadBuildInfo()
	_, err := fmt.Fprintf(out, "gocardless %s%s, %s %s/%s\n", gocardless.Version, commit(built), runtime.Version(), runtime.GOOS, runtime.GOARCH)
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
