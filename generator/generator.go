// Package generator turns the vendored API description into the SDK: it loads the model, runs the
// emitters, and writes or compares the files.
package generator

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/filetx"
)

// Config names what to generate and where.
type Config struct {
	Root         string // directory of the module: go.mod, schema/, generator/, templates/
	Schema       string // OpenAPI document; "" for schema/gocardless.json below Root
	Overlay      string // "" for generator/overlay.json below Root
	Out          string // directory to write to; "" for Root
	AllowRenames bool   // accept Go names that differ from generator/names.lock
}

// Result holds everything that is generated from one document.
type Result struct {
	API   *ir.API
	Files []emit.File // by path
	out   string
}

// Generate loads the document and runs all emitters. It writes nothing.
func Generate(cfg Config) (*Result, error) {
	api, err := Load(cfg)
	if err != nil {
		return nil, err
	}
	return Emit(cfg, api)
}

// Emit runs all emitters on a loaded model. It writes nothing.
func Emit(cfg Config, api *ir.API) (*Result, error) {
	files, err := emit.SDK(api)
	if err != nil {
		return nil, err
	}
	tests, err := emit.ContractTests(api, os.DirFS(filepath.Join(cfg.Root, "templates")))
	if err != nil {
		return nil, err
	}
	files = append(files, tests...)
	out := cmp.Or(cfg.Out, cfg.Root)
	if out == cfg.Root {
		own, err := emitOwn(api, cfg)
		if err != nil {
			return nil, err
		}
		files = append(files, own...)
	}
	slices.SortFunc(files, func(a, b emit.File) int { return strings.Compare(a.Path, b.Path) })
	for i := 1; i < len(files); i++ {
		if files[i].Path == files[i-1].Path {
			return nil, fmt.Errorf("two emitters write %s", files[i].Path)
		}
	}
	return &Result{API: api, Files: files, out: out}, nil
}

// emitOwn emits the files that only this module has: names.lock, the examples, the tables of the sandbox,
// of gcpro and of billing runs, and the documents with a generated part.
func emitOwn(api *ir.API, cfg Config) ([]emit.File, error) {
	lock, err := lockNames(api, filepath.Join(cfg.Root, lockPath), cfg.AllowRenames)
	if err != nil {
		return nil, err
	}
	files, err := emit.Sandbox(api)
	if err != nil {
		return nil, err
	}
	command, err := emit.Command(api)
	if err != nil {
		return nil, err
	}
	bulk, err := emit.Bulk(api)
	if err != nil {
		return nil, err
	}
	examples, err := emitExamples(api, cfg.Root)
	if err != nil {
		return nil, err
	}
	official, err := readOfficial(cfg.Root)
	if err != nil {
		return nil, err
	}
	table, err := emit.MigrationTable(api, official)
	if err != nil {
		return nil, err
	}
	guide := func(api *ir.API, text []byte) (emit.File, error) { return emit.MigrationGuide(api, official, text) }
	files = slices.Concat(files, []emit.File{lock, examples, table}, command, bulk)
	for path, document := range map[string]func(*ir.API, []byte) (emit.File, error){
		"README.md":             emit.Readme,
		emit.MigrationGuidePath: guide,
	} {
		text, err := os.ReadFile(filepath.Join(cfg.Root, filepath.FromSlash(path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		f, err := document(api, text)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Load reads the model that the configuration names.
func Load(cfg Config) (*ir.API, error) {
	in, err := input(cfg)
	if err != nil {
		return nil, err
	}
	api, err := load.Load(in)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", schemaOf(cfg), err)
	}
	return api, nil
}

// Read is [load.Read] for the given document, with everything else from the configuration.
func Read(cfg Config, document []byte) (*ir.API, []load.Stale, error) {
	in, err := input(cfg)
	if err != nil {
		return nil, nil, err
	}
	in.Schema = document
	return load.Read(in)
}

func schemaOf(cfg Config) string {
	return cmp.Or(cfg.Schema, filepath.Join(cfg.Root, "schema", "gocardless.json"))
}

func input(cfg Config) (in load.Input, err error) {
	var goMod []byte
	for _, part := range []struct {
		path string
		to   *[]byte
	}{
		{schemaOf(cfg), &in.Schema},
		{filepath.Join(cfg.Root, "schema", "catalogue.json"), &in.Catalogue},
		{cmp.Or(cfg.Overlay, filepath.Join(cfg.Root, "generator", "overlay.json")), &in.Overlay},
		{filepath.Join(cfg.Root, "go.mod"), &goMod},
	} {
		if *part.to, err = os.ReadFile(part.path); err != nil {
			return in, err
		}
	}
	if in.ModulePath, err = ModulePath(goMod); err != nil {
		return in, err
	}
	in.Reserved, err = Reserved(cfg.Root)
	return in, err
}

// ModulePath reads the module's path from go.mod.
func ModulePath(goMod []byte) (string, error) {
	path := modfile.ModulePath(goMod)
	if path == "" {
		return "", errors.New("go.mod has no module line")
	}
	return path, nil
}

// readOfficial reads the names of the official client.
func readOfficial(root string) (*emit.Official, error) {
	data, err := os.ReadFile(filepath.Join(root, "generator", "official.json"))
	if err != nil {
		return nil, err
	}
	return emit.ParseOfficial(data)
}

// MissingExamples lists the methods that have no example in examples.json, or none with its output. A
// release needs all of them.
func MissingExamples(root string, api *ir.API) ([]string, error) {
	examples, err := readExamples(root)
	if err != nil {
		return nil, err
	}
	var missing []string
	for s, op := range api.Operations() {
		for _, m := range op.Methods {
			if e := examples[s.GoName][m.GoName]; e == nil || len(e.Output) == 0 && op.Reply != nil && !op.List {
				missing = append(missing, s.GoName+"."+m.GoName)
			}
		}
	}
	return missing, nil
}

func emitExamples(api *ir.API, root string) (emit.File, error) {
	examples, err := readExamples(root)
	if err != nil {
		return emit.File{}, err
	}
	file, _, err := emit.Examples(api, examples, os.DirFS(filepath.Join(root, "templates")))
	return file, err
}

func readExamples(root string) (map[string]map[string]*emit.Example, error) {
	data, err := os.ReadFile(filepath.Join(root, "generator", "examples.json"))
	if err != nil {
		return nil, err
	}
	return emit.ParseExamples(data)
}

// Difference is a file on disk that differs from what would be generated.
type Difference struct {
	Path string
	What string // "differs", "is missing" or "is no longer generated"
}

func (d Difference) String() string { return d.Path + " " + d.What }

// Check compares the result with the files on disk.
func (r *Result) Check() ([]Difference, error) {
	var out []Difference
	for _, f := range r.Files {
		have, err := os.ReadFile(filepath.Join(r.out, filepath.FromSlash(f.Path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			out = append(out, Difference{f.Path, "is missing"})
		case err != nil:
			return nil, err
		case !bytes.Equal(have, f.Content):
			out = append(out, Difference{f.Path, "differs"})
		}
	}
	stale, err := r.stale()
	if err != nil {
		return nil, err
	}
	for _, path := range stale {
		out = append(out, Difference{path, "is no longer generated"})
	}
	return out, nil
}

// stale lists files on disk that start with the generator's line but are not among the results.
func (r *Result) stale() ([]string, error) {
	expected := map[string]bool{}
	dirs := map[string]bool{}
	for _, f := range r.Files {
		expected[f.Path] = true
		if isGenerated(f.Content) {
			dirs[filepath.ToSlash(filepath.Dir(f.Path))] = true
		}
	}
	var out []string
	for dir := range dirs {
		entries, err := os.ReadDir(filepath.Join(r.out, filepath.FromSlash(dir)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			path := dir + "/" + entry.Name()
			if entry.IsDir() || !strings.HasSuffix(path, ".go") || expected[path] {
				continue
			}
			data, err := os.ReadFile(filepath.Join(r.out, filepath.FromSlash(path)))
			if err != nil {
				return nil, err
			}
			if isGenerated(data) {
				out = append(out, path)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

func isGenerated(content []byte) bool {
	line, _, _ := bytes.Cut(content, []byte("\n"))
	return bytes.HasPrefix(line, []byte("// Code generated by cmd/gen from ")) && bytes.HasSuffix(line, []byte(" DO NOT EDIT."))
}

// Write updates the files on disk in one transaction and returns the paths that changed. It does not touch
// files with the same content.
func (r *Result) Write() ([]string, error) {
	unlock, err := filetx.Lock(r.out)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := filetx.Recover(r.out); err != nil {
		return nil, fmt.Errorf("undoing an interrupted run: %w", err)
	}
	tx := filetx.New(r.out)
	if err := r.Plan(tx); err != nil {
		return nil, err
	}
	return tx.Commit()
}

// Plan adds to a transaction the files, and the removal of those that are no longer generated.
func (r *Result) Plan(tx *filetx.Tx) error {
	stale, err := r.stale()
	if err != nil {
		return err
	}
	for _, path := range stale {
		tx.Remove(path)
	}
	for _, f := range r.Files {
		tx.Write(f.Path, f.Content)
	}
	return nil
}

// Summary counts what was generated, in one line.
func (r *Result) Summary() string {
	var operations, methods, iterators, enums, values, objects, fields int
	for _, s := range r.API.Services {
		operations += len(s.Operations)
		for _, op := range s.Operations {
			methods += len(op.Methods)
			for _, m := range op.Methods {
				if m.AllName != "" {
					iterators++
				}
			}
		}
	}
	for _, t := range r.API.Types {
		if t.Kind == ir.Enum {
			enums++
			values += len(t.Values)
			continue
		}
		objects++
		fields += len(t.Fields)
	}
	var events, reasons int
	if c := r.API.Catalogue; c != nil {
		events, reasons = len(c.Events), len(c.Reasons)
	}
	return fmt.Sprintf("%d operations, %d methods, %d services, %d iterators, %d structs with %d fields, %d enums with %d values, %d event types, %d reasons, %d files",
		operations, methods, len(r.API.Services), iterators, objects, fields, enums, values, events, reasons, len(r.Files))
}
