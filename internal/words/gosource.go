package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checkGo checks the comments of a Go file and, outside tests, its string literals: they hold error
// messages, output and the emitters' doc comments. The comments of generated files are descriptions from
// the schema, so only their form is checked.
func checkGo(name string, source []byte, rules []rule) ([]finding, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	at := func(pos token.Pos) int { return files.Position(pos).Line }
	var findings []finding
	if !ast.IsGenerated(file) {
		named := map[*ast.CommentGroup]string{}
		for _, d := range docs(file) {
			named[d.group] = d.name
		}
		for _, group := range file.Comments {
			findings = append(findings, apply(rules, name, comment(group, named[group], at))...)
		}
		if !strings.HasSuffix(name, "_test.go") {
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value)
					if !strings.Contains(text, " ") { // a word, not a sentence
						return true
					}
					findings = append(findings, apply(rules, name, passage{at(lit.Pos()), text})...)
				}
				return true
			})
		}
	}
	for _, d := range docs(file) {
		findings = append(findings, checkDoc(name, d, at)...)
	}
	return findings, nil
}

// comment returns the lines of a comment without the name that it documents.
func comment(group *ast.CommentGroup, name string, at func(token.Pos) int) passage {
	var text strings.Builder
	for _, c := range group.List {
		text.WriteString(strings.TrimPrefix(strings.TrimPrefix(c.Text, "//"), " ") + "\n")
	}
	return passage{at(group.Pos()), strings.TrimPrefix(text.String(), name+" ")}
}

// A doc is a doc comment with the name that it documents, or "" for a field or a group of constants.
type doc struct {
	group *ast.CommentGroup
	name  string
}

func docs(file *ast.File) []doc {
	found := []doc{{file.Doc, ""}}
	add := func(group *ast.CommentGroup, name string) { found = append(found, doc{group, name}) }
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			add(decl.Doc, decl.Name.Name)
		case *ast.GenDecl:
			add(decl.Doc, soleName(decl))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			add(n.Doc, "")
		case *ast.ValueSpec:
			add(n.Doc, "")
		case *ast.TypeSpec:
			add(n.Doc, n.Name.Name)
		}
		return true
	})
	return found
}

// soleName returns the name that a declaration without parentheses declares, or "".
func soleName(decl *ast.GenDecl) string {
	if decl.Lparen.IsValid() {
		return ""
	}
	switch spec := decl.Specs[0].(type) {
	case *ast.TypeSpec:
		return spec.Name.Name
	case *ast.ValueSpec:
		if len(spec.Names) == 1 {
			return spec.Names[0].Name
		}
	}
	return ""
}

// checkDoc checks the form of a doc comment: no backticks, which go doc prints unchanged, and the name
// first. Tests are exempt from the second: their comments state what they test.
func checkDoc(file string, d doc, at func(token.Pos) int) []finding {
	if d.group == nil {
		return nil
	}
	var findings []finding
	text := d.group.Text()
	if i := strings.IndexByte(text, '`'); i >= 0 {
		line := at(d.group.Pos()) + strings.Count(text[:i], "\n")
		findings = append(findings, finding{file, line, excerpt(text[i:]), "quotes around a value, [Name] for an identifier: go doc has no backticks"})
	}
	if d.name == "" || text == "" || startsWith(text, d.name) || !mustStart(text, d.name, strings.HasSuffix(file, "_test.go")) {
		return findings
	}
	return append(findings, finding{file, at(d.group.Pos()), excerpt(text), fmt.Sprintf("a doc comment that starts with %s", d.name)})
}

// mustStart reports whether the comment must start with the name. The comment of an exported name
// must, and so must one that starts in lower case, because it starts with another name.
func mustStart(text, name string, test bool) bool {
	return ast.IsExported(name) && !test || smallWord.MatchString(text)
}

var smallWord = regexp.MustCompile(`^[a-z]`)

// startsWith reports whether the comment's first word is the name, apart from an article.
func startsWith(text, name string) bool {
	words := strings.Fields(text)
	if len(words) > 1 && slices.Contains([]string{"A", "An", "The"}, words[0]) {
		words = words[1:]
	}
	first := strings.TrimRight(words[0], ",.:;")
	return strings.TrimSuffix(first, "'s") == name || first == "Deprecated"
}

func excerpt(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > 40 {
		text = text[:40]
	}
	return text
}
