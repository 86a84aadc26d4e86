package release

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"

	"golang.org/x/mod/modfile"
)

// workFile joins the modules of the repository for development.
const workFile = "go.work"

// requiring returns the files that contain the version of the root module: go.work, which replaces it, and the
// go.mod files of the modules that go.work joins. read returns a file's content by its path from the root.
func requiring(read func(name string) ([]byte, error)) (map[string][]byte, error) {
	work, err := read(workFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	parsed, err := modfile.ParseWork(workFile, work, nil)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{workFile: work}
	for _, use := range parsed.Use {
		name := path.Join(use.Path, "go.mod")
		if name == "go.mod" {
			continue
		}
		if files[name], err = read(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// requirement matches the version after a module's path in go.mod and go.work.
func requirement(module string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[\s"])(` + regexp.QuoteMeta(module) + `) (v[0-9]\S*)`)
}

// requireVersion raises the version of the root module in the other modules.
func (u *updater) requireVersion(module string) error {
	files, err := requiring(u.tx.Content)
	if err != nil {
		return err
	}
	for name, content := range files {
		u.tx.Write(name, requirement(module).ReplaceAll(content, []byte("${1}${2} v"+u.out.New.String())))
	}
	return nil
}

// checkRequired returns an error for each module that requires a version of the root module other than the
// current one.
func checkRequired(read func(name string) ([]byte, error), module string, v Version) error {
	files, err := requiring(read)
	if err != nil {
		return err
	}
	var errs []error
	for name, content := range files {
		for _, m := range requirement(module).FindAllSubmatch(content, -1) {
			if got := string(m[3]); got != "v"+v.String() {
				errs = append(errs, fmt.Errorf("%s refers to %s %s, but %s has %s", name, module, got, VersionFile, v))
			}
		}
	}
	return errors.Join(errs...)
}
