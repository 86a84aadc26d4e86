package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// version is the SDK's, with the commit that the program was built from.
func version() string {
	built, _ := debug.ReadBuildInfo()
	return fmt.Sprintf("%s%s, %s %s/%s", gocardless.Version, commit(built), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// commit names the commit that the program was built from, if the build recorded it: a build from
// the module cache or with -buildvcs=false did not.
func commit(built *debug.BuildInfo) string {
	if built == nil {
		return ""
	}
	settings := map[string]string{}
	for _, s := range built.Settings {
		settings[s.Key] = s.Value
	}
	switch {
	case settings["vcs.revision"] == "":
		return ""
	case settings["vcs.modified"] == "true":
		return fmt.Sprintf(" (commit %s, changed since)", settings["vcs.revision"])
	}
	return fmt.Sprintf(" (commit %s)", settings["vcs.revision"])
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version and the commit it was built from", Args: args(cobra.NoArgs),
		Example: "  gcpro version",
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.out, "gcpro "+version())
			return err
		},
	}
}

func (a *app) manCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write man pages to a directory", Args: args(ids("DIR")),
		Example: "  gcpro man /usr/local/share/man/man1",
		RunE: func(_ *cobra.Command, dirs []string) error {
			dir := filepath.Clean(dirs[0])
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{Title: "GCPRO", Section: "1", Source: "gcpro " + gocardless.Version}, dir)
		},
	}
}
