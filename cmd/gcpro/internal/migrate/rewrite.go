package migrate

import (
	"go/ast"
	"go/types"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Sections of the guide.
const (
	sectionDifferent = "What is different"
	sectionClient    = "Creating a client"
	sectionPages     = "Reading all pages"
	sectionErrors    = "Handling errors"
	sectionWebhooks  = "Receiving webhooks"
)

// rewriter rewrites the files of one package.
type rewriter struct {
	*migration
	info    *types.Info
	pkg     *packages.Package
	files   []*ast.File
	parents map[ast.Node]ast.Node
	local   map[string]*source
	plain   map[ast.Expr]bool // expressions whose new type fits their context
	current *source
	file    *ast.File
}

func (r *rewriter) rewrite() {
	for _, f := range r.files {
		var stack []ast.Node
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			if len(stack) > 0 {
				r.parents[n] = stack[len(stack)-1]
			}
			stack = append(stack, n)
			return true
		})
	}
	for _, f := range r.files {
		r.file, r.current = f, r.local[r.fset.Position(f.FileStart).Filename]
		// Outer constructs first: they decide what their parts become.
		ast.Inspect(f, func(n ast.Node) bool {
			r.node(n)
			return true
		})
	}
}

func (r *rewriter) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.ImportSpec:
		if path, err := strconv.Unquote(n.Path.Value); err == nil && officialPath.MatchString(path) {
			r.current.replace(n.Path.Pos(), n.Path.End(), strconv.Quote(ourPath))
			if n.Name == nil {
				return
			}
			if n.Name.Name == "." {
				r.note(n.Pos(), sectionDifferent, "names of a dot import are not rewritten; import the package by its name first")
			}
		}
	case *ast.BlockStmt:
		r.setup(n.List)
		r.loops(n.List)
	case *ast.CaseClause:
		r.setup(n.Body)
		r.loops(n.Body)
	case *ast.CompositeLit:
		r.literal(n)
	case *ast.AssignStmt:
		r.assignment(n)
	case *ast.CallExpr:
		r.call(n)
	case *ast.FuncDecl:
		r.handlerMethod(n)
	case *ast.SelectorExpr:
		r.selector(n)
	}
}

// official returns the name of an object of the official client, or "" for any other.
func official(obj types.Object) string {
	if obj == nil || obj.Pkg() == nil || !officialPath.MatchString(obj.Pkg().Path()) {
		return ""
	}
	return obj.Name()
}

// officialType returns the name of a type of the official client, or of a pointer to it, or "" for
// any other.
func officialType(t types.Type) string {
	if t == nil {
		return ""
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return ""
	}
	return official(named.Obj())
}

// written maps the types of the official client that are not resources or params to ours.
var written = map[string]string{
	"APIError": "Error", "ValidationError": "ErrorDetail", "Service": "Client", "ConfigOption": "ClientOption", "WebhookParseResult": "WebhookDelivery",
	"RequestOption": "RequestOption", "EventHandler": "EventHandler", "EventHandlerFunc": "EventHandlerFunc", "WebhookHandler": "WebhookHandler",
}

// selector rewrites a name of the package, or a field.
func (r *rewriter) selector(sel *ast.SelectorExpr) {
	if name := official(r.info.Uses[sel.Sel]); name != "" && r.info.Selections[sel] == nil {
		if _, ok := r.info.Uses[sel.Sel].(*types.TypeName); ok {
			r.typeName(sel, name)
		}
		return
	}
	selection := r.info.Selections[sel]
	if selection == nil || selection.Kind() != types.FieldVal {
		return
	}
	if owner := officialType(selection.Recv()); owner != "" {
		r.field(sel, owner)
	}
}

// typeName rewrites the name of a type.
func (r *rewriter) typeName(sel *ast.SelectorExpr, name string) {
	replace := func(by string) { r.current.replace(sel.Sel.Pos(), sel.Sel.End(), by) }
	item, list := strings.CutSuffix(name, "ListResult")
	service, isInterface := strings.CutSuffix(name, "Service")
	switch t := ours(name); {
	case t != nil && t.Name() != name:
		replace(t.Name())
	case t != nil:
	case written[name] != "":
		if written[name] != name {
			replace(written[name])
		}
	case list && ours(item) != nil:
		replace("Page")
		r.current.insert(sel.End(), "["+r.qualifier(sel)+"."+ours(item).Name()+"]")
	case isInterface && ours(service) != nil:
		// Services are structs here: a parameter of that type is a pointer.
		r.current.insert(sel.Pos(), "*")
		if revised := strings.ReplaceAll(name, "Pdf", "PDF"); revised != name {
			replace(revised)
		}
	case strings.HasSuffix(name, "PagingIterator"), strings.HasSuffix(name, "ListResultMeta"), strings.HasSuffix(name, "ListResultMetaCursors"):
		r.note(sel.Pos(), sectionPages, "%s has no counterpart: All returns an iterator over the items, and a Page holds its cursors", name)
	case gone[name]:
		if _, inCall := r.parents[r.parents[sel]].(*ast.CallExpr); !inCall {
			r.note(sel.Pos(), sectionDifferent, "%s is not needed: the method takes no params", name)
		}
	default:
		r.note(sel.Pos(), sectionDifferent, "%s has no counterpart", name)
	}
}

// ours returns our type for an official one, or nil if there is none.
func ours(name string) reflect.Type { return counterparts[name] }

// qualifier returns the name of the package in a selector.
func (r *rewriter) qualifier(sel *ast.SelectorExpr) string {
	if id, ok := sel.X.(*ast.Ident); ok {
		return id.Name
	}
	return "gocardless"
}

// packageName returns the name of the package in the current file.
func (r *rewriter) packageName() string {
	for _, spec := range r.file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && officialPath.MatchString(path) && spec.Name != nil {
			return spec.Name.Name
		}
	}
	return "gocardless"
}

// errorFields maps the fields of the official client's errors, webhooks included, whose names differ.
var errorFields = map[string]string{"Code": "StatusCode", "Errors": "Details", "DocumentationUrl": "DocumentationURL", "WebhookID": "ID"}

// field rewrites the name of a field, and its value where its type differs.
func (r *rewriter) field(sel *ast.SelectorExpr, owner string) {
	name := sel.Sel.Name
	replace := func(by string) {
		if by != name {
			r.current.replace(sel.Sel.Pos(), sel.Sel.End(), by)
		}
	}
	switch {
	case strings.HasSuffix(owner, "ListResult"):
		if name != "Meta" && name != "Linked" {
			replace("Items")
		} else if name == "Meta" && !r.meta(sel) {
			r.note(sel.Pos(), sectionPages, "Meta has no counterpart: a Page has After, Before and Limit")
		}
	case strings.Contains(owner, "ListResultMeta"), owner == "Service":
		// Rewritten together with the code around them.
	case written[owner] != "":
		if by := errorFields[name]; by != "" {
			replace(by)
		}
		if owner == "ValidationError" && name == "Links" {
			r.note(sel.Pos(), sectionErrors, "ErrorDetail.Links is a map of every link")
		}
	case ours(owner) != nil:
		revised := fieldName(name)
		replace(revised)
		if f, ok := ours(owner).FieldByName(revised); ok {
			r.read(sel, f.Type)
		} else {
			r.note(sel.Pos(), sectionDifferent, "%s.%s has no counterpart", owner, name)
		}
	}
}

func fieldName(official string) string {
	if revised := renamedFields[official]; revised != "" {
		return revised
	}
	return official
}

// meta rewrites result.Meta.Cursors.After and result.Meta.Limit.
func (r *rewriter) meta(sel *ast.SelectorExpr) bool {
	outer, ok := r.parents[sel].(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if outer.Sel.Name == "Cursors" {
		if outer, ok = r.parents[outer].(*ast.SelectorExpr); !ok {
			return false
		}
	}
	r.current.replace(sel.Sel.Pos(), outer.End(), outer.Sel.Name)
	return true
}
