// Package cli is the program gcpro: its commands, flags and exit codes.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/account"
)

// app is one run of the program: its environment and its global flags.
type app struct {
	in        io.Reader
	out, errs io.Writer
	env       func(string) string
	now       func() time.Time

	inTTY, outTTY, errTTY bool
	ansi                  bool // the terminal interprets ANSI sequences

	currency string // of amounts whose object has none

	flags struct {
		output, jq, template, profile, baseURL string
		columns                                []string
		live, yes, verbose, noColor            bool
		timeout                                time.Duration
	}
}

// Main runs the program and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	a := &app{
		in: os.Stdin, out: os.Stdout, errs: os.Stderr, env: os.Getenv, now: time.Now,
		inTTY: isTerminal(os.Stdin), outTTY: isTerminal(os.Stdout), errTTY: isTerminal(os.Stderr),
	}
	a.ansi = a.env("TERM") != "dumb" && (!a.outTTY || ansi(os.Stdout)) && (!a.errTTY || ansi(os.Stderr))
	return a.run(ctx, os.Args[1:])
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return a.report(command, err)
}

// color reports whether output on a terminal may have colours (see no-color.org).
func (a *app) color(tty bool) bool {
	return tty && a.ansi && !a.flags.noColor && a.env("NO_COLOR") == ""
}

// width returns the width of the terminal, or 0 if stdout is not one.
func (a *app) width() int {
	if f, ok := a.out.(*os.File); ok && a.outTTY {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return w
		}
	}
	return 0
}

// configDir returns the directory of the profiles and of the state of gcpro listen.
func (a *app) configDir() (string, error) {
	if dir := a.env("GCPRO_CONFIG_DIR"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("the system has no directory for configuration; set GCPRO_CONFIG_DIR")
	}
	return filepath.Join(dir, "gcpro"), nil
}

func (a *app) store() (*account.Store, error) {
	dir, err := a.configDir()
	if err != nil {
		return nil, err
	}
	return &account.Store{Dir: dir, NoKeyring: a.env("GCPRO_KEYRING") == "off"}, nil
}

const rootLong = `gcpro calls the GoCardless API from a shell. It has a command for every operation, forwards webhooks to your machine, and serves a sandbox.

It is a community program, independent of GoCardless. It calls GoCardless's sandbox environment unless you pass --live. GOCARDLESS_BASE_URL or --base-url names another server, such as a running gcpro sandbox.`

const rootExample = `  gcpro login
  gcpro payments list --status failed --created-at.gte 7d
  gcpro payments create --amount £15.00 --links.mandate MD123 --dry-run
  gcpro get PM123 --tree
  gcpro listen --forward-to localhost:3000/webhooks
  gcpro sandbox`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "gcpro", Short: "The GoCardless API from a shell", Long: rootLong, Example: rootExample,
		SilenceErrors: true, SilenceUsage: true,
		Version:           version(),
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.checkOutput() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.errs)
	root.SetVersionTemplate("gcpro {{.Version}}\n")
	a.setTemplates(root)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.SetGlobalNormalizationFunc(kebabFlags)
	root.Flags().Bool("version", false, "Print the version.")
	a.globalFlags(root)
	root.AddGroup(
		&cobra.Group{ID: "daily", Title: "Shortcuts:"},
		&cobra.Group{ID: "develop", Title: "Webhooks and sandboxes:"},
		&cobra.Group{ID: "account", Title: "Accounts:"},
		&cobra.Group{ID: "api", Title: "Operations of the API by resource:"},
	)
	for _, c := range a.resourceCommands() {
		root.AddCommand(c)
	}
	a.addWritten(root)
	subcommandsOnly(root)
	return root
}

// addWritten adds the commands that do more than call one operation. Some belong to a resource.
func (a *app) addWritten(root *cobra.Command) {
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("daily", a.getCommand(), a.eventsShortcut(root), a.apiCommand(), a.openCommand())
	add("develop", a.listenCommand(), a.triggerCommand(), a.sandboxCommand(), a.migrateCommand())
	add("account", a.loginCommand(), a.logoutCommand(), a.profilesCommand())
	a.addPayoutItems(root)
	root.AddCommand(a.manCommand(root), a.versionCommand(), exitCodesTopic())
}

// subcommandsOnly makes a command that only groups others refuse arguments.
func subcommandsOnly(c *cobra.Command) {
	for _, sub := range c.Commands() {
		subcommandsOnly(sub)
	}
	if c.Runnable() || !c.HasSubCommands() {
		return
	}
	c.Annotations = map[string]string{"group": "true"} // for usageTemplate
	c.DisableFlagsInUseLine = true                     // in man pages
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknownCommand(c, args[0])
	}
}
