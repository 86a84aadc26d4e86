// Command lint runs the checks that vet lacks: staticcheck, comparisons and assertions of errors that
// ignore wrapping, unused parameters and results, and functions that branch too much to be read easily.
//
// It runs as a tool of go vet, which loads each package once and caches the findings:
//
//	cd tools && GOWORK=off go build -trimpath -o ../build/lint ./lint
//	go vet -vettool=build/lint ./...
package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"github.com/polyfloyd/go-errorlint/errorlint"
	"github.com/uudashr/gocognit"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/analysis/unitchecker"
	"golang.org/x/tools/go/packages"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
	"honnef.co/go/tools/stylecheck"
	"honnef.co/go/tools/unused"
	"mvdan.cc/unparam/check"
)

// exceptions holds the functions that are exempt, each with the reason.
var exceptions = map[string]string{
	"gocardless.maximum":  "generated code calls it with the limits of the description, which are all 28 today",
	"sendtrace.Permanent": "walks the wrapped errors itself, because errors.AsType for five types would add 3 kB to every program",
}

func main() {
	analyzers := []*analysis.Analyzer{errorlint.NewAnalyzer(), unparam, unusedCode, complexity()}
	for _, c := range slices.Concat(staticcheck.Analyzers, simple.Analyzers, stylecheck.Analyzers) {
		if !c.Doc.NonDefault {
			analyzers = append(analyzers, c.Analyzer)
		}
	}
	for _, a := range analyzers {
		except(a)
	}
	unitchecker.Main(analyzers...)
}

// except drops the findings of an analyzer in functions that are exceptions, and in files with the
// directive of staticcheck
//
//	//lint:file-ignore NAME reason
func except(a *analysis.Analyzer) {
	filter(a, func(pass *analysis.Pass, file *ast.File, pos token.Pos) bool {
		return exceptions[pass.Pkg.Name()+"."+function(file, pos)] == "" && !ignores(file, a.Name)
	})
}

// filter drops the findings of an analyzer that keep refuses. One outside the package's files stays.
func filter(a *analysis.Analyzer, keep func(*analysis.Pass, *ast.File, token.Pos) bool) {
	run := a.Run
	a.Run = func(pass *analysis.Pass) (any, error) {
		report := pass.Report
		pass.Report = func(d analysis.Diagnostic) {
			if file := enclosing(pass.Files, d.Pos); file == nil || keep(pass, file, d.Pos) {
				report(d)
			}
		}
		return run(pass)
	}
}

// enclosing returns the file around a position, or nil.
func enclosing(files []*ast.File, pos token.Pos) *ast.File {
	for _, file := range files {
		if file.FileStart <= pos && pos <= file.FileEnd {
			return file
		}
	}
	return nil
}

// function returns the name of the function or method around a position, or "".
func function(file *ast.File, pos token.Pos) string {
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Pos() <= pos && pos < f.End() {
			return f.Name.Name
		}
	}
	return ""
}

// ignores reports whether a file has a directive to ignore the findings of an analyzer.
func ignores(file *ast.File, analyzer string) bool {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//lint:file-ignore "+analyzer+" ") {
				return true
			}
		}
	}
	return false
}

// maxComplexity is the highest cognitive complexity of a handwritten function outside tests.
const maxComplexity = "20"

// complexity returns gocognit's analyzer without its findings in tests and generated files.
func complexity() *analysis.Analyzer {
	a := gocognit.Analyzer
	if err := a.Flags.Set("over", maxComplexity); err != nil {
		panic(err)
	}
	filter(a, func(pass *analysis.Pass, file *ast.File, pos token.Pos) bool {
		return !ast.IsGenerated(file) && !strings.HasSuffix(pass.Fset.File(pos).Name(), "_test.go")
	})
	return a
}

// unusedCode reports what staticcheck's analyzer returns. That one reports nothing itself, because a
// package can be loaded with and without its tests; vet loads it with them.
var unusedCode = &analysis.Analyzer{
	Name:     "unused",
	Doc:      "reports identifiers that are never used",
	Requires: []*analysis.Analyzer{unused.Analyzer.Analyzer},
	Run: func(pass *analysis.Pass) (any, error) {
		for _, object := range pass.ResultOf[unused.Analyzer.Analyzer].(unused.Result).Unused {
			for _, file := range pass.Files {
				if f := pass.Fset.File(file.FileStart); f.Name() == object.Position.Filename {
					pass.Reportf(f.Pos(object.Position.Offset), "%s %s is unused", object.Kind, object.Name)
				}
			}
		}
		return nil, nil
	},
}

var unparam = &analysis.Analyzer{
	Name:     "unparam",
	Doc:      "reports parameters and results that no caller or function needs",
	Requires: []*analysis.Analyzer{buildssa.Analyzer},
	Run: func(pass *analysis.Pass) (any, error) {
		var c check.Checker
		c.Packages([]*packages.Package{{
			Fset: pass.Fset, Syntax: pass.Files, Types: pass.Pkg, TypesInfo: pass.TypesInfo,
		}})
		c.ProgramSSA(pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA).Pkg.Prog)
		issues, err := c.Check()
		for _, issue := range issues {
			pass.Reportf(issue.Pos(), "%s", issue.Message())
		}
		return nil, err
	},
}
