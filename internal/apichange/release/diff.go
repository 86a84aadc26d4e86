// Package release compares two states of the API and of the generated Go code, updates the module to a new
// description, and runs the checks before a release.
package release

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/goapi"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// Diff compares two API descriptions and, with goAPI, the Go code generated from them. If the generator refuses
// a document, such as one in the vendor's form, the report gives the reason for the missing Go API.
func Diff(root, old, revised string, goAPI bool) (*compare.Report, error) {
	before, err := side(old)
	if err != nil {
		return nil, err
	}
	after, err := side(revised)
	if err != nil {
		return nil, err
	}
	before.Names, _ = names(root, old) // otherwise by rule
	after.Names, _ = names(root, revised)
	var difference *compare.GoDiff
	if goAPI {
		difference = &compare.GoDiff{}
		o, oldErr := goapi.Generate(root, old)
		n, newErr := goapi.Generate(root, revised)
		if err := errors.Join(oldErr, newErr); err != nil {
			difference.Unavailable = firstLine(err)
		} else if difference, err = goapi.BetweenSchemas(o, n); err != nil {
			difference = &compare.GoDiff{Unavailable: firstLine(err)}
		}
	}
	return report(before, after, difference)
}

func report(before, after compare.Side, difference *compare.GoDiff) (*compare.Report, error) {
	report, err := compare.Compare(before, after)
	if err != nil {
		return nil, err
	}
	if difference != nil {
		report.SetGo(difference)
	}
	return report, nil
}

func firstLine(err error) string {
	line, _, more := strings.Cut(err.Error(), "\n")
	if more && strings.HasSuffix(line, ":") {
		rest, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), line+"\n"), "\n")
		line += " " + rest
	}
	return line
}

func side(file string) (compare.Side, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return compare.Side{}, err
	}
	doc, err := openapi.Parse(data)
	if err != nil {
		return compare.Side{}, fmt.Errorf("%s: %w", file, err)
	}
	// The comparison would not notice changes of what the model cannot hold.
	var problems []error
	for _, p := range doc.Problems {
		problems = append(problems, fmt.Errorf("%s: %w", file, p))
	}
	return compare.Side{Doc: doc}, errors.Join(problems...)
}

// names returns the names that the generator gives the parts of a description, or an error if it refuses the
// description.
func names(root, file string) (*compare.Names, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	api, _, err := generator.Read(generator.Config{Root: root}, data)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", file, err)
	}
	return compare.NamesOf(api), nil
}

// Since compares the module at root with an earlier commit or tag: the description and, with goAPI, the exported
// Go API of every public package.
func Since(root, ref string, goAPI bool) (*compare.Report, error) {
	past, err := at(root, ref)
	if err != nil {
		return nil, err
	}
	const schema = "schema/gocardless.json"
	old, err := os.MkdirTemp("", "gen-since-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(old)
	oldSchema := filepath.Join(old, "gocardless.json")
	if past[schema] == nil {
		return nil, fmt.Errorf("%s has no %s", ref, schema)
	}
	if err := os.WriteFile(oldSchema, past[schema], 0o600); err != nil {
		return nil, err
	}
	report, err := Diff(root, oldSchema, filepath.Join(root, filepath.FromSlash(schema)), false)
	if err != nil {
		return nil, err
	}
	if !goAPI {
		return report, nil
	}
	oldModule, err := generator.ModulePath(past["go.mod"])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	module, err := generator.ModulePath(goMod)
	if err != nil {
		return nil, err
	}
	present, err := goapi.ReadDir(module, root, nil)
	if err != nil {
		return nil, err
	}
	difference, err := goapi.Compare(goapi.Source{Module: oldModule, Root: root}.With(past), present)
	if err != nil {
		return nil, err
	}
	report.SetGo(difference)
	return report, nil
}

// at returns the files of a commit that make up the public API.
func at(root, ref string) (map[string][]byte, error) {
	if strings.HasPrefix(ref, "-") || ref == "" {
		return nil, fmt.Errorf("%q is not a commit", ref)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("git", "archive", "--format=tar", ref, "--", "go.mod", "schema/gocardless.json", "gocardless")
	cmd.Dir, cmd.Stderr = root, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git archive %s: %w: %s", ref, err, strings.TrimSpace(stderr.String()))
	}
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(out)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("git archive %s: %w", ref, err)
		}
		if h.Typeflag != tar.TypeReg || strings.Contains(h.Name, "/testdata/") {
			continue
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("git archive %s: %w", ref, err)
		}
	}
}

// LastTag returns the newest version tag before the working tree, or "" if there is none. In a shallow clone, it
// is an error to find none, because older tags may be missing.
func LastTag(root string) (string, error) {
	cmd := exec.Command("git", "tag", "--list", "v*", "--sort=-version:refname", "--merged", "HEAD")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git tag: %w", err)
	}
	for tag := range strings.Lines(string(out)) {
		if _, err := ParseVersion(strings.TrimPrefix(strings.TrimSpace(tag), "v")); err == nil {
			return strings.TrimSpace(tag), nil
		}
	}
	cmd = exec.Command("git", "rev-parse", "--is-shallow-repository")
	cmd.Dir = root
	if out, err = cmd.Output(); err != nil {
		return "", fmt.Errorf("git rev-parse: %w", err)
	}
	if strings.TrimSpace(string(out)) == "true" {
		return "", errors.New("no version tag in this shallow clone: fetch the whole history with git fetch --unshallow --tags")
	}
	return "", nil
}
