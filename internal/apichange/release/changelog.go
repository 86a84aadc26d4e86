package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gocardless-community/gocardless-go/internal/apichange/changelog"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

const (
	schemaFile = "schema/gocardless.json"
	historyDir = "schema/history"
)

// snapshots lists the vendored descriptions, the oldest first and the current one last.
func snapshots(root string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(historyDir), "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	return append(files, filepath.Join(root, filepath.FromSlash(schemaFile))), nil
}

// named reads a description with the names that the generator gives its parts.
func named(root, file string) (compare.Side, error) {
	s, err := side(file)
	if err != nil {
		return s, err
	}
	s.Names, err = names(root, file)
	return s, err
}

// sections compares each file with the one before it. It returns the newest section first.
func sections(root string, files []string) ([]changelog.Section, error) {
	var out []changelog.Section
	var before *compare.Side
	for _, file := range files {
		after, err := named(root, file)
		if err != nil {
			return nil, err
		}
		s := changelog.Section{Date: after.Doc.Date}
		if before == nil {
			s.Summary = summary(after.Doc)
		} else if s.Report, err = compare.Compare(*before, after); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if before != nil && before.Doc.Date >= after.Doc.Date {
			return nil, fmt.Errorf("%s: its date %s is not after %s", file, after.Doc.Date, before.Doc.Date)
		}
		out = append(out, s)
		before = &after
	}
	slices.Reverse(out)
	return out, nil
}

func summary(d *openapi.Document) string {
	resources := map[string]bool{}
	for _, o := range d.Operations {
		for _, t := range o.Tags {
			resources[t] = true
		}
	}
	return fmt.Sprintf("This is the first vendored description: %d operations on %d resources.", len(d.Operations), len(resources))
}

// Changelog returns the up-to-date CHANGELOG.md for the snapshots in the module.
func Changelog(root string) ([]byte, error) {
	files, err := snapshots(root)
	if err != nil {
		return nil, err
	}
	list, err := sections(root, files)
	if err != nil {
		return nil, err
	}
	existing, err := os.ReadFile(filepath.Join(root, changelog.File))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	known, err := changelog.Dates(existing)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(known, list[0].Date) {
		version, err := CurrentVersion(root)
		if err != nil {
			return nil, err
		}
		// A version that has a section already belongs to another snapshot.
		if !slices.Contains(changelog.Versions(existing), version.String()) {
			list[0].Version = version.String()
		}
	}
	return changelog.Render(existing, list, templates(root))
}

func templates(root string) fs.FS { return os.DirFS(filepath.Join(root, "templates")) }
