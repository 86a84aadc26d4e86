package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Guide is the page whose sections the notes name.
const Guide = "docs/from-the-official-client.md"

// officialPath matches the import paths of the official client.
var officialPath = regexp.MustCompile(`^github\.com/gocardless/gocardless-pro-go(/v\d+)?$`)

var ourPath = reflect.TypeFor[gocardless.Client]().PkgPath()

// A File is a file that changes.
type File struct {
	Path     string
	Old, New []byte
}

// A Note is a change that is left to the programmer.
type Note struct {
	Position token.Position
	Message  string
	Section  string // of the guide
}

func (n Note) String() string {
	return fmt.Sprintf("%s: %s (%s, %q)", n.Position, n.Message, Guide, n.Section)
}

// Result is a rewritten program.
type Result struct {
	Files []File // in the order of their paths
	Notes []Note // in the order of their positions
}

// Run reads the packages that match the patterns, in a directory, and returns the files that change.
// It writes nothing. If the packages do not compile, the error lists the problems.
func Run(ctx context.Context, dir string, patterns ...string) (*Result, error) {
	fset := token.NewFileSet()
	loaded, err := packages.Load(&packages.Config{
		Context: ctx, Dir: dir, Fset: fset, Tests: true,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps,
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err := compileErrors(loaded); err != nil {
		return nil, err
	}
	m := &migration{fset: fset, sources: map[string]*source{}, noted: map[Note]bool{}}
	for _, p := range loaded {
		if err := m.pkg(p); err != nil {
			return nil, err
		}
	}
	return m.result()
}

func compileErrors(loaded []*packages.Package) error {
	var all []error
	packages.Visit(loaded, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			all = append(all, e)
		}
	})
	if len(all) == 0 {
		return nil
	}
	more := ""
	if len(all) > 5 {
		more = fmt.Sprintf("\n(and %d more)", len(all)-5)
		all = all[:5]
	}
	return fmt.Errorf("migrate: the program must compile before it is rewritten:\n%w%s", errors.Join(all...), more)
}

// migration collects the changes of all packages. A package and its tests share files: each file is
// rewritten once.
type migration struct {
	fset    *token.FileSet
	sources map[string]*source // by file name
	notes   []Note
	noted   map[Note]bool
}

func (m *migration) pkg(p *packages.Package) error {
	uses := false
	for path := range p.Imports {
		uses = uses || officialPath.MatchString(path)
	}
	if !uses {
		return nil
	}
	r := &rewriter{migration: m, info: p.TypesInfo, pkg: p, parents: map[ast.Node]ast.Node{}, plain: map[ast.Expr]bool{}, local: map[string]*source{}}
	for _, f := range p.Syntax {
		name := m.fset.Position(f.FileStart).Filename
		if m.sources[name] != nil || !slices.Contains(p.GoFiles, name) {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		s := &source{file: m.fset.File(f.FileStart), content: content}
		m.sources[name], r.local[name] = s, s
		r.files = append(r.files, f)
	}
	r.rewrite()
	return nil
}

func (m *migration) note(at token.Pos, section, format string, args ...any) {
	n := Note{Position: m.fset.Position(at), Section: section, Message: fmt.Sprintf(format, args...)}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, n.Position.Filename); err == nil && !strings.HasPrefix(rel, "..") {
			n.Position.Filename = rel
		}
	}
	if !m.noted[n] {
		m.noted[n] = true
		m.notes = append(m.notes, n)
	}
}

func (m *migration) result() (*Result, error) {
	res := &Result{Notes: m.notes}
	for name, s := range m.sources {
		if len(s.edits) == 0 {
			continue
		}
		revised, err := s.apply()
		if err != nil {
			return nil, err
		}
		res.Files = append(res.Files, File{Path: name, Old: s.content, New: revised})
	}
	slices.SortFunc(res.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(res.Notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Position.Filename, b.Position.Filename), cmp.Compare(a.Position.Offset, b.Position.Offset))
	})
	return res, nil
}
