package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
)

func (a *app) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.output, "output", "o", "", "Write the output in this `format`: "+strings.Join(render.Formats, ", ")+". The default is a table.")
	f.StringSliceVar(&a.flags.columns, "columns", nil, "Show these `members` in tables and CSV, such as id,amount,links.mandate.")
	f.StringVar(&a.flags.jq, "jq", "", "Pass the reply through this jq `filter`.")
	f.StringVar(&a.flags.template, "template", "", "Format the reply with this Go `template`.")
	f.StringVar(&a.flags.profile, "profile", "", "Use the profile of this `name`. The default is GCPRO_PROFILE or the profile selected with gcpro profiles use.")
	f.StringVar(&a.flags.baseURL, "base-url", "", "Call the server at this `URL`. The default is GOCARDLESS_BASE_URL.")
	f.BoolVar(&a.flags.live, "live", false, "Use the live environment, where real money moves.")
	f.BoolVar(&a.flags.yes, "yes", false, "Write to live without asking.")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "Log requests to stderr, without their bodies.")
	f.BoolVar(&a.flags.noColor, "no-color", false, "Do not use colours. The variable NO_COLOR does the same.")
	f.BoolP("help", "h", false, "Show the help of a command.")
	f.DurationVar(&a.flags.timeout, "timeout", 0, "Stop the whole command after this `time`, such as 30s.")
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(toCompletions(render.Formats), cobra.ShellCompDirectiveNoFileComp))
}

func toCompletions(values []string) []cobra.Completion {
	out := make([]cobra.Completion, len(values))
	copy(out, values)
	return out
}

// kebabFlags accepts the API's names as flags: --created_at.gte is --created-at.gte.
func kebabFlags(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(kebab(name))
}

func kebab(wire string) string { return strings.ReplaceAll(wire, "_", "-") }

// usageError is an invalid command line; the exit code is 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func unknownCommand(c *cobra.Command, name string) error {
	text := fmt.Sprintf("%[2]s has no command %[1]q", name, c.CommandPath())
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

// ids requires one argument for each name.
func ids(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, list []string) error {
		if len(list) != len(names) {
			return usagef("needs %s: %s", map[bool]string{true: "one argument", false: fmt.Sprintf("%d arguments", len(names))}[len(names) == 1],
				strings.Join(names, " "))
		}
		return nil
	}
}

// helpWidth is the width of help if stdout is not a terminal.
const helpWidth = 100

// setTemplates makes help and usage as wide as the terminal.
func (a *app) setTemplates(root *cobra.Command) {
	width := a.width()
	if width == 0 {
		width = helpWidth
	}
	cobra.AddTemplateFuncs(template.FuncMap{"wrap": wrap, "row": row})
	fit := func(template string) string { return strings.ReplaceAll(template, "WIDTH", strconv.Itoa(width)) }
	root.SetHelpTemplate(fit(helpTemplate))
	root.SetUsageTemplate(fit(usageTemplate))
}

// wrap breaks long lines at spaces, and turns Markdown's backticks into quotes.
func wrap(width int, text string) string {
	var out []string
	for line := range strings.Lines(strings.ReplaceAll(strings.TrimSpace(text), "`", "'")) {
		line = strings.TrimRight(line, "\n")
		for utf8.RuneCountInString(line) > width {
			cut := strings.LastIndexByte(string([]rune(line)[:width+1]), ' ')
			if cut <= 0 {
				break
			}
			out = append(out, line[:cut])
			line = line[cut+1:]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// row returns the line of a command in a list, shortened to the width.
func row(width int, c *cobra.Command) string {
	return render.Clip(fmt.Sprintf("  %-*s %s", c.NamePadding(), c.Name(), c.Short), width)
}

const helpTemplate = `{{if .Long}}{{wrap WIDTH .Long}}{{else}}{{.Short}}.{{end}}

{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`

// usageTemplate is cobra's, with lines as wide as the terminal and without the global flags, which
// only the help of gcpro itself lists.
const usageTemplate = `Usage:{{if and .Runnable (not (index .Annotations "group"))}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if gt (len .Aliases) 0}}

Aliases:
  {{.NameAndAliases}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if eq (len .Groups) 0}}

Commands:{{range $cmds}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
{{row WIDTH .}}{{end}}{{end}}{{else}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
{{row WIDTH .}}{{end}}{{end}}{{end}}{{if not .AllChildCommandsHaveGroup}}

Other commands:{{range $cmds}}{{if (and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help")))}}
{{row WIDTH .}}{{end}}{{end}}{{end}}{{end}}{{end}}{{if .HasHelpSubCommands}}

Help topics:{{range .Commands}}{{if .IsAdditionalHelpTopicCommand}}
{{row WIDTH .}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped WIDTH | trimTrailingWhitespaces}}{{end}}{{if .HasParent}}

{{wrap WIDTH "\"gcpro --help\" lists the global flags, \"gcpro exit-codes\" the exit codes."}}{{end}}
`
