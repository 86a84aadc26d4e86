package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/migrate"
)

func (a *app) migrateCommand() *cobra.Command {
	var write, show bool
	c := &cobra.Command{
		Use: "migrate [PACKAGES]", Short: "Rewrite a Go program from the official client to this SDK",
		Long: "Rewrites the packages that match the patterns, by default ./...: imports, the setup of the client, names, optional fields, iterators, errors and the webhook handler.\n\n" +
			"It prints the differences; -w writes the files instead. It lists each place that is left to you, with the section of the guide that explains it.",
		Example: "  gcpro migrate ./...\n  gcpro migrate -w ./...",
	}
	c.Flags().BoolVarP(&write, "write", "w", false, "Write the files instead of printing the differences.")
	c.Flags().BoolVar(&show, "diff", true, "Print the differences.")
	c.RunE = func(c *cobra.Command, patterns []string) error {
		if len(patterns) == 0 {
			patterns = []string{"./..."}
		}
		ctx, cancel := a.context(c.Context())
		defer cancel()
		result, err := migrate.Run(ctx, ".", patterns...)
		if err != nil {
			return err
		}
		for _, f := range result.Files {
			if write {
				err = rewrite(f)
			} else if show {
				err = a.diff(f)
			}
			if err != nil {
				return err
			}
		}
		for _, n := range result.Notes {
			fmt.Fprintln(a.errs, n.String())
		}
		verb := map[bool]string{true: "changed", false: "would change"}[write]
		a.note("%d files %s, %d places are left to you", len(result.Files), verb, len(result.Notes))
		return nil
	}
	return c
}

// rewrite replaces a file in one step and keeps its mode.
func rewrite(f migrate.File) error {
	info, err := os.Stat(f.Path)
	if err != nil {
		return err
	}
	temporary := f.Path + ".gcpro"
	if err := os.WriteFile(temporary, f.New, info.Mode().Perm()); err != nil {
		return err
	}
	if err := os.Rename(temporary, f.Path); err != nil {
		_ = os.Remove(temporary)
		return err
	}
	return nil
}

// diff prints the differences of a file.
func (a *app) diff(f migrate.File) error {
	name := f.Path
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, f.Path); err == nil {
			name = filepath.ToSlash(rel)
		}
	}
	_, err := a.out.Write(diff.Diff("a/"+name, f.Old, "b/"+name, f.New))
	return err
}
