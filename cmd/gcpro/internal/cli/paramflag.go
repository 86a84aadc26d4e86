package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/param"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
)

// paramValue is a flag for a parameter. It keeps its arguments as strings, because their meaning may
// depend on other flags.
type paramValue struct {
	kind     string
	repeated bool
	texts    []string
}

func (v *paramValue) String() string { return strings.Join(v.texts, ",") }
func (v *paramValue) Type() string   { return v.kind }

func (v *paramValue) Set(text string) error {
	if v.repeated {
		v.texts = append(v.texts, text)
	} else {
		v.texts = []string{text}
	}
	return nil
}

var kindNames = map[spec.Kind]string{
	spec.String: "string", spec.Int: "number", spec.Money: "amount", spec.Float: "number", spec.Bool: "bool", spec.Date: "date",
	spec.Time: "time", spec.List: "list", spec.Map: "key=value", spec.JSON: "json", spec.Group: "json",
}

func addParam(c *cobra.Command, l param.Leaf) {
	f := l.Field
	v := &paramValue{kind: kindNames[f.Kind], repeated: f.Kind == spec.List || f.Kind == spec.Map}
	name := flagName(l)
	flag := c.Flags().VarPF(v, name, "", paramUsage(l))
	if f.Kind == spec.Bool {
		flag.NoOptDefVal = "true"
	}
	if enum := enumOf(f); len(enum) > 0 {
		_ = c.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var out []cobra.Completion
			for _, e := range enum {
				out = append(out, cobra.CompletionWithDesc(e.Name, firstSentence(e.Doc)))
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		})
	}
}

// enumOf returns the values of a field, or of its items.
func enumOf(f *spec.Field) []spec.Value {
	if f.Kind == spec.List {
		return f.Elem.Enum
	}
	return f.Enum
}

// maxListed limits how many values of an enum the help of a flag lists.
const maxListed = 14

func paramUsage(l param.Leaf) string {
	f := l.Field
	text := strings.ReplaceAll(f.Doc, "`", "'")
	if l.Needed {
		text = "(required) " + text
	}
	if f.RequiredWhen != "" {
		text += " Required when " + strings.ReplaceAll(f.RequiredWhen, "`", "'") + "."
	}
	if enum := enumOf(f); len(enum) > 0 {
		var names []string
		for _, e := range enum[:min(len(enum), maxListed)] {
			names = append(names, e.Name)
		}
		if len(enum) > maxListed {
			names = append(names, fmt.Sprintf("and %d more", len(enum)-maxListed))
		}
		text += " One of: " + strings.Join(names, ", ") + "."
	}
	if f.Deprecated {
		text += " (deprecated)"
	}
	return strings.TrimSpace(text)
}
