package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
)

func (a *app) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.output, "output", "o", "", "`format`: "+strings.Join(render.Formats, ", ")+" (default a table)")
	f.StringSliceVar(&a.flags.columns, "columns", nil, "`members` to show in tables and CSV, as id,amount,links.mandate")
	f.StringVar(&a.flags.jq, "jq", "", "jq `filter` for the reply")
	f.StringVar(&a.flags.template, "template", "", "Go `template` for the reply")
	f.StringVar(&a.flags.profile, "profile", "", "`name` of the profile to use (default GCPRO_PROFILE, or as gcpro profiles use)")
	f.StringVar(&a.flags.baseURL, "base-url", "", "`URL` of another server (default GOCARDLESS_BASE_URL)")
	f.BoolVar(&a.flags.live, "live", false, "use the live environment, where money moves")
	f.BoolVar(&a.flags.yes, "yes", false, "do not ask before a write to live")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "log requests to stderr, without bodies")
	f.BoolVar(&a.flags.noColor, "no-color", false, "no colours; NO_COLOR does the same")
	f.DurationVar(&a.flags.timeout, "timeout", 0, "`time` for the whole command, such as 30s")
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(toCompletions(render.Formats), cobra.ShellCompDirectiveNoFileComp))
}

func toCompletions(values []string) []cobra.Completion {
	out := make([]cobra.Completion, len(values))
	copy(out, values)
	return out
}

// kebabFlags lets the names of the API stand for flags: --created_at.gte is --created-at.gte.
func kebabFlags(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(kebab(name))
}

func kebab(wire string) string { return strings.ReplaceAll(wire, "_", "-") }

// usageError is a command line that makes no sense; the exit code is 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func unknownCommand(c *cobra.Command, name string) error {
	text := fmt.Sprintf("there is no command %q in %s", name, c.CommandPath())
	if c.SuggestionsMinimumDistance <= 0 {
		c.SuggestionsMinimumDistance = 2
	}
	if near := c.SuggestionsFor(name); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError{errors.New(text)}
}

// args wraps a check of positional arguments so that its failure is a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, list []string) error {
		if err := check(c, list); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// ids asks for one argument for each name.
func ids(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, list []string) error {
		if len(list) != len(names) {
			return usagef("needs %s: %s", map[bool]string{true: "one argument", false: fmt.Sprintf("%d arguments", len(names))}[len(names) == 1],
				strings.Join(names, " "))
		}
		return nil
	}
}

// usageTemplate is cobra's, with flags wrapped and the global ones left to the root.
const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if gt (len .Aliases) 0}}

Aliases:
  {{.NameAndAliases}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if eq (len .Groups) 0}}

Commands:{{range $cmds}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{else}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{if not .AllChildCommandsHaveGroup}}

Other commands:{{range $cmds}}{{if (and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 100 | trimTrailingWhitespaces}}{{end}}{{if .HasParent}}

"gcpro --help" lists the flags that every command takes, "gcpro help exit-codes" the exit codes.{{end}}
`
