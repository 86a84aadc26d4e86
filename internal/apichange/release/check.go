package release

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/internal/apichange/adopt"
	"github.com/gocardless-community/gocardless-go/internal/apichange/changelog"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// CurrentVersion reads the constant Version of the module at root.
func CurrentVersion(root string) (Version, error) {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(VersionFile)))
	if err != nil {
		return Version{}, err
	}
	v, err := ReadVersion(source)
	if err != nil {
		return v, fmt.Errorf("%s: %w", VersionFile, err)
	}
	return v, nil
}

// CheckVersion returns an error if the constant Version has not risen as far as the changes since a tag call
// for.
func CheckVersion(root, tag string, bump compare.Bump) error {
	last, err := ParseVersion(strings.TrimPrefix(tag, "v"))
	if err != nil {
		return fmt.Errorf("to check the version, compare with a version tag: %w", err)
	}
	now, err := CurrentVersion(root)
	if err != nil {
		return err
	}
	if least := last.Next(bump); now.Less(least) {
		return fmt.Errorf("%s has %s, but the changes since %s call for %s (%s)", VersionFile, now, tag, least, bump)
	}
	return nil
}

// Check returns all reasons not to release the module with a tag such as v1.2.3, or nil.
func Check(root, tag string) error {
	var errs []error
	v, err := CurrentVersion(root)
	if err != nil {
		return err
	}
	if tag != "v"+v.String() {
		errs = append(errs, fmt.Errorf("the tag is %s, but %s has %s", tag, VersionFile, v))
	}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	module, err := generator.ModulePath(goMod)
	if err != nil {
		return err
	}
	if want := ModulePath(module, v); module != want {
		errs = append(errs, fmt.Errorf("at version %s the module must be called %s, not %s", v, want, module))
	}
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(schemaFile)))
	if err != nil {
		return err
	}
	schema, err := jsontree.Parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", schemaFile, err)
	}
	for _, place := range adopt.Unwritten(schema) {
		errs = append(errs, fmt.Errorf("%s: %s: a description must still be written", schemaFile, place))
	}
	api, err := generator.Load(generator.Config{Root: root})
	if err != nil {
		return err
	}
	for _, l := range api.LeftOut {
		if l.Open {
			errs = append(errs, errors.New(l.String()))
		}
	}
	missing, err := generator.MissingExamples(root, api)
	if err != nil {
		return err
	}
	for _, method := range missing {
		errs = append(errs, fmt.Errorf("generator/examples.json: client.%s has no example", method))
	}
	gaps, err := generator.SandboxGaps(root, api)
	if err != nil {
		return err
	}
	for _, gap := range gaps.All() {
		errs = append(errs, errors.New(gap))
	}
	text, err := Changelog(root)
	if err != nil {
		return err
	}
	have, err := os.ReadFile(filepath.Join(root, changelog.File))
	if err != nil {
		return err
	}
	if !bytes.Equal(have, text) {
		errs = append(errs, fmt.Errorf("%s is not up to date: run go run ./cmd/gen changelog", changelog.File))
	}
	if _, err := Notes(root, v); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, Complete(root))
	return errors.Join(errs...)
}

// Notes returns the changelog's section of a version, for a release.
func Notes(root string, v Version) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, changelog.File))
	if err != nil {
		return "", err
	}
	_, rest, found := strings.Cut("\n"+strings.ReplaceAll(string(data), "\r\n", "\n"), "\n## ["+v.String()+"]")
	if !found {
		return "", fmt.Errorf("%s has no section for %s", changelog.File, v)
	}
	_, rest, _ = strings.Cut(rest, "\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	var out []string
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "<!--") {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	text := strings.TrimSpace(strings.Join(out, "\n"))
	if text == "" {
		return "", fmt.Errorf("the section for %s in %s is empty", v, changelog.File)
	}
	return blankLines.ReplaceAllString(text, "\n\n") + "\n", nil
}
