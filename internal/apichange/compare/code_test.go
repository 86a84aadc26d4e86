package compare

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

const modulePath = "example.com/m"

// standard imports the standard library from its export data. One run of the go command finds everything that
// the SDK uses, for all checks.
var standard = sync.OnceValue(func() types.Importer {
	args := []string{"list", "-deps", "-export", "-f", "{{.ImportPath}}\t{{.Export}}", "--"}
	for _, f := range byHand() {
		for _, spec := range f.Imports {
			importPath, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				panic(err)
			}
			if first, _, _ := strings.Cut(importPath, "/"); !strings.Contains(first, ".") {
				args = append(args, importPath)
			}
		}
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		panic(err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		importPath, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[importPath] = file
	}
	return &locked{inner: importer.ForCompiler(token.NewFileSet(), "gc", func(importPath string) (io.ReadCloser, error) {
		return os.Open(exports[importPath])
	})}
})

// locked makes an importer safe for concurrent use.
type locked struct {
	sync.Mutex
	inner types.Importer
}

func (l *locked) Import(path string) (*types.Package, error) {
	l.Lock()
	defer l.Unlock()
	return l.inner.Import(path)
}

// byHand returns the handwritten code of the SDK.
var byHand = sync.OnceValue(func() []*ast.File {
	names, err := filepath.Glob("../../../gocardless/*.go")
	if err != nil {
		panic(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_gen.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			panic(err)
		}
		files = append(files, f)
	}
	return files
})

// code is a document with the Go code that is generated from it.
type code struct {
	Side
	sdk *types.Package
	err error // why the generator refuses the document, or nil; then sdk is nil and the names follow the rules
}

// generated generates the code of a document; exceptions holds the overlay and the catalogue for a whole one.
func generated(t testing.TB, root *jsontree.Value, exceptions load.Input) code {
	t.Helper()
	doc, err := openapi.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	c := code{Side: Side{Doc: doc}}
	exceptions.Schema, exceptions.ModulePath = root.Format(), modulePath
	api, err := load.Load(exceptions)
	if err != nil {
		c.err = err
		return c
	}
	sources, err := emit.SDK(api)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	files := byHand()[:len(byHand()):len(byHand())]
	for _, s := range sources {
		f, err := parser.ParseFile(set, s.Path, s.Content, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	// Handwritten code may use resources that a partial document leaves out; only the generated declarations
	// matter here.
	config := types.Config{Importer: standard(), IgnoreFuncBodies: true, DisableUnusedImportCheck: true, Error: func(error) {}}
	c.sdk, _ = config.Check(modulePath+"/gocardless", set, files, nil)
	c.Names = NamesOf(api)
	return c
}

// Import returns the SDK or a package of the standard library.
func (c code) Import(path string) (*types.Package, error) {
	if path == modulePath+"/gocardless" {
		return c.sdk, nil
	}
	return standard().Import(path)
}

// compile checks a snippet of a report as the body of a function; v is a value of the type that
// owns the subject.
func (c code) compile(snippet, subject string) error {
	owner, _, _ := strings.Cut(subject, ".")
	v := ""
	if _, ok := c.sdk.Scope().Lookup(owner).(*types.TypeName); ok {
		v = ", v gocardless." + owner
	}
	body := snippet
	if e, err := parser.ParseExpr(snippet); err == nil {
		if _, call := e.(*ast.CallExpr); !call || !strings.HasPrefix(snippet, "client.") {
			body = "_ = " + snippet
		}
	} else if name, _, ok := strings.Cut(strings.TrimPrefix(snippet, "var "), " "); ok && strings.HasPrefix(snippet, "var ") {
		body += "\n_ = " + name
	}
	text := fmt.Sprintf("package p\nimport (\"context\"; \"time\"; %q)\nfunc f(ctx context.Context, client *gocardless.Client, id string%s) {\n%s\n}\nvar _ time.Time\n", modulePath+"/gocardless", v, body)
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "snippet.go", text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	_, err = (&types.Config{Importer: c}).Check("p", set, []*ast.File{f}, nil)
	return err
}

// ours returns the report without oasdiff's findings, which take longest and show no code.
func ours(old, revised code) *Report {
	c := &comparison{old: old.Side, new: revised.Side, changes: map[string]*Change{}}
	c.document()
	c.operations()
	return &Report{Changes: c.list()}
}

// compileSnippets checks the code of all changes of a report: what worked before against the old
// SDK, what works now against the new one.
func compileSnippets(t testing.TB, r *Report, old, revised code) {
	t.Helper()
	for _, change := range r.Changes {
		for _, c := range []struct {
			which, snippet string
			in             code
		}{{"before", change.Before, old}, {"after", change.After, revised}} {
			if c.snippet == "" || c.in.sdk == nil {
				continue
			}
			if err := c.in.compile(c.snippet, change.Subject); err != nil {
				t.Errorf("%s: %s\n\t%s: %s\n\t%v", change.Code, change.Text, c.which, c.snippet, err)
			}
		}
	}
}
