// Package goapi compares the exported Go API of two states of the SDK with apidiff. It reads source from
// memory, so that it can compare code generated from two documents without writing it to disk.
package goapi

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/exp/apidiff"

	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
)

// Source holds the Go files of a module, by slash-separated path from the module's root.
type Source struct {
	Module string // module path
	Root   string // directory whose go.mod lists the other modules; "" if the code uses none
	Files  map[string][]byte
}

// ReadDir reads the Go files below gocardless/, without tests and files for which keep returns false. A nil keep
// keeps all files.
func ReadDir(module, root string, keep func(path string) bool) (Source, error) {
	tree := os.DirFS(root)
	s := Source{Module: module, Root: root, Files: map[string][]byte{}}
	err := fs.WalkDir(tree, "gocardless", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || keep != nil && !keep(name) {
			return nil
		}
		s.Files[name], err = fs.ReadFile(tree, name)
		return err
	})
	return s, err
}

// With returns the source with more files. They replace those with the same path.
func (s Source) With(files map[string][]byte) Source {
	all := map[string][]byte{}
	for name, content := range s.Files {
		all[name] = content
	}
	for name, content := range files {
		if strings.HasPrefix(name, "gocardless/") && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			all[name] = content
		}
	}
	return Source{s.Module, s.Root, all}
}

// dirs lists the directories with Go files.
func (s Source) dirs() []string {
	dirs := map[string]bool{}
	for name := range s.Files {
		dirs[path.Dir(name)] = true
	}
	return slices.Sorted(maps.Keys(dirs))
}

// packages lists the directories with Go files that other modules may import.
func (s Source) packages() []string {
	return slices.DeleteFunc(s.dirs(), func(dir string) bool { return strings.Contains(dir+"/", "/internal/") })
}

// moving lists constants whose value changes with each release, so that programs must not rely on it.
var moving = []string{"Version", "SchemaDate"}

// Compare reports how the exported API of all packages changed, or of the packages in the given directories.
func Compare(old, revised Source, dirs ...string) (*compare.GoDiff, error) {
	before, err := newChecker(old)
	if err != nil {
		return nil, err
	}
	after, err := newChecker(revised)
	if err != nil {
		return nil, err
	}
	if len(dirs) == 0 {
		dirs = append(old.packages(), revised.packages()...)
		slices.Sort(dirs)
		dirs = slices.Compact(dirs)
	}
	out := &compare.GoDiff{}
	for _, dir := range dirs {
		had, has := slices.Contains(old.packages(), dir), slices.Contains(revised.packages(), dir)
		switch {
		case had && has:
			if err := comparePackage(out, before, after, dir); err != nil {
				return nil, err
			}
		case has:
			out.Compatible = append(out.Compatible, fmt.Sprintf("package %s: added", dir))
		case had:
			out.Incompatible = append(out.Incompatible, fmt.Sprintf("package %s: removed", dir))
		default:
			return nil, fmt.Errorf("%s: no Go package", dir)
		}
	}
	slices.Sort(out.Compatible)
	slices.Sort(out.Incompatible)
	return out, nil
}

// comparePackage adds the differences of a package that both sources have.
func comparePackage(out *compare.GoDiff, before, after *checker, dir string) error {
	o, err := before.check(dir)
	if err != nil {
		return fmt.Errorf("the old code: %w", err)
	}
	n, err := after.check(dir)
	if err != nil {
		return fmt.Errorf("the new code: %w", err)
	}
	prefix := ""
	if dir != "gocardless" {
		prefix = path.Base(dir) + "."
	}
	for _, c := range apidiff.Changes(o, n).Changes {
		switch {
		case slices.ContainsFunc(moving, func(name string) bool { return strings.HasPrefix(c.Message, name+": value changed") }):
		// A struct with a new slice can no longer be compared with ==. The SDK does not promise that
		// comparison, because then no type could get a list.
		case c.Compatible, strings.HasSuffix(c.Message, "old is comparable, new is not"):
			out.Compatible = append(out.Compatible, prefix+c.Message)
		default:
			out.Incompatible = append(out.Incompatible, prefix+c.Message)
		}
	}
	return nil
}

// TypeCheck checks the packages in the given directories, including the bodies of their functions. Without
// directories, it checks all packages, including internal ones.
func (s Source) TypeCheck(dirs ...string) error {
	c, err := newChecker(s)
	if err != nil {
		return err
	}
	c.bodies = true
	if len(dirs) == 0 {
		dirs = s.dirs()
	}
	for _, dir := range dirs {
		if _, err := c.check(dir); err != nil {
			return err
		}
	}
	return nil
}

// checker type-checks the declarations of packages. Function bodies are not part of an API.
type checker struct {
	bodies bool
	source Source
	set    *token.FileSet
	done   map[string]*types.Package
	others *library // packages of other modules and the standard library
}

func newChecker(s Source) (*checker, error) {
	if s.Module == "" {
		return nil, errors.New("no module path")
	}
	return &checker{source: s, set: token.NewFileSet(), done: map[string]*types.Package{}, others: newLibrary(s.Root, s.imports())}, nil
}

// imports lists the packages of other modules that the files import. It skips files that do not parse: they are
// an error when their package is checked.
func (s Source) imports() []string {
	seen := map[string]bool{}
	for name, content := range s.Files {
		f, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, spec := range f.Imports {
			importPath, err := strconv.Unquote(spec.Path.Value)
			if err == nil && importPath != "C" && !strings.HasPrefix(importPath, s.Module+"/") {
				seen[importPath] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Import returns the module's own packages from source, and others from export data.
func (c *checker) Import(importPath string) (*types.Package, error) {
	if dir, own := strings.CutPrefix(importPath, c.source.Module+"/"); own {
		return c.check(dir)
	}
	return c.others.importer.Import(importPath)
}

func (c *checker) check(dir string) (*types.Package, error) {
	if p, ok := c.done[dir]; ok {
		if p == nil {
			return nil, fmt.Errorf("%s: packages import each other", dir)
		}
		return p, nil
	}
	c.done[dir] = nil
	files, err := c.parse(dir)
	if err != nil {
		return nil, err
	}
	var problems []error
	config := types.Config{
		Importer: c, IgnoreFuncBodies: !c.bodies, FakeImportC: true, DisableUnusedImportCheck: !c.bodies,
		Error: func(err error) { problems = append(problems, err) },
	}
	p, _ := config.Check(c.source.Module+"/"+dir, c.set, files, nil) // errors are in problems
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s does not compile: %w", dir, problems[0])
	}
	c.done[dir] = p
	return p, nil
}

// parse parses the files of a directory that a build on this machine includes.
func (c *checker) parse(dir string) ([]*ast.File, error) {
	context := build.Default
	context.OpenFile = func(name string) (io.ReadCloser, error) {
		content, ok := c.source.Files[filepath.ToSlash(name)]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(string(content))), nil
	}
	var names []string
	for name := range c.source.Files {
		if path.Dir(name) == dir {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var files []*ast.File
	for _, name := range names {
		if match, err := context.MatchFile(filepath.FromSlash(dir), path.Base(name)); err != nil || !match {
			if err != nil {
				return nil, err
			}
			continue
		}
		f, err := parser.ParseFile(c.set, name, c.source.Files[name], parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no Go files", dir)
	}
	return files, nil
}
