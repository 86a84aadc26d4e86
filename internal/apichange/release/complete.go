package release

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/internal/apichange/changelog"
)

// Complete returns an error if something is missing that an update writes besides generated files: the
// constant Version must be the newest version of the changelog, every version that breaks the previous one
// needs a guide, and the other modules must require that version.
func Complete(root string) error {
	text, err := os.ReadFile(filepath.Join(root, changelog.File))
	if err != nil {
		return err
	}
	now, err := CurrentVersion(root)
	if err != nil {
		return err
	}
	var versions []Version
	for _, s := range changelog.Versions(text) {
		v, err := ParseVersion(s)
		if err != nil {
			return fmt.Errorf("%s: %w", changelog.File, err)
		}
		versions = append(versions, v)
	}
	if len(versions) == 0 {
		return fmt.Errorf("%s has no section for a version", changelog.File)
	}
	var errs []error
	if versions[0] != now {
		errs = append(errs, fmt.Errorf("the newest version in %s is %s, but %s has %s: commit both, or write the missing section", changelog.File, versions[0], VersionFile, now))
	}
	for i, v := range versions[:len(versions)-1] {
		if !v.Breaks(versions[i+1]) {
			continue
		}
		guide := MigrationFile(v)
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(guide))); err != nil {
			errs = append(errs, fmt.Errorf("version %s breaks %s and has no guide: commit %s, which gen update wrote, or write one", v, versions[i+1], guide))
		}
	}
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(root, filepath.FromSlash(name))) }
	goMod, err := read("go.mod")
	if err != nil {
		return err
	}
	module, err := generator.ModulePath(goMod)
	if err != nil {
		return err
	}
	return errors.Join(append(errs, checkRequired(read, module, now))...)
}
