// Command lint checks what vet and staticcheck do not: comparisons and assertions of errors that ignore
// wrapping, and unused parameters and results.
//
// It runs as a tool of go vet, which loads the packages and caches the findings:
//
//	go vet -vettool=$(cd tools && GOWORK=off go tool -n lint) ./...
package main

import (
	"go/ast"
	"go/token"

	"github.com/polyfloyd/go-errorlint/errorlint"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/analysis/unitchecker"
	"golang.org/x/tools/go/packages"
	"mvdan.cc/unparam/check"
)

// exceptions holds the functions that are exempt, each with the reason.
var exceptions = map[string]string{
	"gocardless.maximum":  "generated code calls it with the limits of the description, which are all 28 today",
	"sendtrace.Permanent": "walks the wrapped errors itself, because errors.AsType for five types would add 3 kB to every program",
}

func main() {
	unitchecker.Main(except(errorlint.NewAnalyzer()), except(unparam))
}

// except drops the findings of an analyzer in functions that are exceptions.
func except(a *analysis.Analyzer) *analysis.Analyzer {
	run := a.Run
	a.Run = func(pass *analysis.Pass) (any, error) {
		report := pass.Report
		pass.Report = func(d analysis.Diagnostic) {
			if exceptions[pass.Pkg.Name()+"."+enclosing(pass.Files, d.Pos)] == "" {
				report(d)
			}
		}
		return run(pass)
	}
	return a
}

// enclosing returns the name of the function or method around a position, or "".
func enclosing(files []*ast.File, pos token.Pos) string {
	for _, file := range files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Pos() <= pos && pos < f.End() {
				return f.Name.Name
			}
		}
	}
	return ""
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
