package migrate

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// function returns the name of the official client's package function that a call calls, or "" for
// any other.
func (r *rewriter) function(call *ast.CallExpr) string {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || r.info.Selections[sel] != nil {
		return ""
	}
	if _, ok := r.info.Uses[sel.Sel].(*types.Func); !ok {
		return ""
	}
	return official(r.info.Uses[sel.Sel])
}

func (r *rewriter) call(call *ast.CallExpr) {
	name := r.function(call)
	if name == "" {
		r.method(call)
		return
	}
	sel := call.Fun.(*ast.SelectorExpr)
	rename := func(by string) { r.current.replace(sel.Sel.Pos(), sel.Sel.End(), by) }
	switch name {
	case "WithClient":
		rename("WithHTTPClient")
	case "WithoutRetries":
		r.current.replace(sel.Sel.Pos(), call.End(), "WithRetries(0)")
	case "WithHeaders":
		r.headers(call, sel)
	case "NewWebhookHandler":
		r.webhookHandler(call, sel)
	case "ParseWebhook":
		r.parseWebhook(call, sel)
	case "NewIdempotencyKey":
		r.note(call.Pos(), sectionClient, "NewIdempotencyKey is not needed: every create request carries a random key unless you set one")
	case "New", "NewConfig", "WithEndpoint":
		if !r.plain[call] {
			r.note(call.Pos(), sectionClient, "%s: New takes the token, the environment and the options", name)
		}
	}
}

// method rewrites a call of an operation.
func (r *rewriter) method(call *ast.CallExpr) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	selection := r.info.Selections[sel]
	if selection == nil || selection.Kind() != types.MethodVal {
		return
	}
	if !strings.HasSuffix(strings.TrimSuffix(officialType(selection.Recv()), "Impl"), "Service") {
		return
	}
	r.rename(sel)
	for i, arg := range call.Args {
		if gone[officialType(r.info.TypeOf(arg))] && i > 0 {
			r.current.replace(call.Args[i-1].End(), arg.End(), "")
		}
	}
	if sel.Sel.Name == "All" && !r.plain[call] {
		r.note(call.Pos(), sectionPages, "All returns an iterator over the items: for item, err := range")
	}
}

// rename rewrites the names of a method and of its service if they differ.
func (r *rewriter) rename(sel *ast.SelectorExpr) {
	client, ok := sel.X.(*ast.SelectorExpr)
	if !ok {
		return
	}
	revised, ok := renamedMethods[client.Sel.Name+"."+sel.Sel.Name]
	if !ok {
		if by := strings.ReplaceAll(client.Sel.Name, "Pdf", "PDF"); by != client.Sel.Name {
			r.current.replace(client.Sel.Pos(), client.Sel.End(), by)
		}
		return
	}
	r.current.replace(client.Sel.Pos(), sel.Sel.End(), revised)
}

// headers makes an option for each header of a literal.
func (r *rewriter) headers(call *ast.CallExpr, sel *ast.SelectorExpr) {
	lit, ok := call.Args[0].(*ast.CompositeLit)
	if !ok || len(lit.Elts) == 0 {
		r.note(call.Pos(), sectionClient, "WithHeaders is WithHeader here, once for each header")
		return
	}
	var options []string
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		options = append(options, r.qualifier(sel)+".WithHeader("+r.current.text(kv.Key.Pos(), kv.Key.End())+", "+r.current.text(kv.Value.Pos(), kv.Value.End())+")")
	}
	r.current.replace(call.Pos(), call.End(), strings.Join(options, ", "))
}

// webhookHandler puts the arguments of NewWebhookHandler in their new order.
func (r *rewriter) webhookHandler(call *ast.CallExpr, sel *ast.SelectorExpr) {
	secret, handler := call.Args[0], call.Args[1]
	r.current.replace(secret.Pos(), handler.Pos(), "")
	r.current.insert(handler.End(), ", "+r.secret(sel, secret))
	r.handlerFunc(handler)
}

func (r *rewriter) secret(sel *ast.SelectorExpr, secret ast.Expr) string {
	return r.qualifier(sel) + ".WebhookSecret(" + r.current.text(secret.Pos(), secret.End()) + ")"
}

// parseWebhook puts the arguments of ParseWebhook in their new order.
func (r *rewriter) parseWebhook(call *ast.CallExpr, sel *ast.SelectorExpr) {
	secret, signature := call.Args[1], call.Args[2]
	r.current.replace(secret.Pos(), signature.Pos(), "")
	r.current.insert(signature.End(), ", "+r.secret(sel, secret))
}

// handlerFunc gives a handler its context: a function literal here, a function of this package
// where it is declared.
func (r *rewriter) handlerFunc(handler ast.Expr) {
	if conversion, ok := handler.(*ast.CallExpr); ok && officialType(r.info.TypeOf(conversion)) == "EventHandlerFunc" && len(conversion.Args) == 1 {
		handler = conversion.Args[0]
	}
	switch h := handler.(type) {
	case *ast.FuncLit:
		r.addContext(h.Type)
	case *ast.Ident:
		r.declared(h)
	case *ast.SelectorExpr:
		r.declared(h.Sel)
	}
}

// declared gives a function or method of this package its context.
func (r *rewriter) declared(id *ast.Ident) {
	if _, ok := r.info.Uses[id].(*types.Func); !ok {
		return // a value of the type EventHandler, whose method is rewritten
	}
	if f := r.declaration(id); f != nil {
		r.addContext(f.Type)
		return
	}
	r.note(id.Pos(), sectionWebhooks, "%s must take a context before the event", id.Name)
}

// declaration finds a function or method of this package.
func (r *rewriter) declaration(id *ast.Ident) *ast.FuncDecl {
	for _, file := range r.files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && r.info.Defs[f.Name] != nil && r.info.Defs[f.Name] == r.info.Uses[id] {
				return f
			}
		}
	}
	return nil
}

// handlerMethod gives a method HandleEvent its context.
func (r *rewriter) handlerMethod(f *ast.FuncDecl) {
	if f.Recv == nil || f.Name.Name != "HandleEvent" || len(f.Type.Params.List) != 1 || officialType(r.info.TypeOf(f.Type.Params.List[0].Type)) != "Event" {
		return
	}
	r.addContext(f.Type)
}

func (r *rewriter) addContext(f *ast.FuncType) {
	name := "ctx "
	if params := f.Params.List; len(params) > 0 && len(params[0].Names) == 0 {
		name = ""
	}
	r.local[r.fset.Position(f.Pos()).Filename].insert(f.Params.Opening+1, name+"context.Context, ")
}

// setup merges NewConfig into New.
func (r *rewriter) setup(list []ast.Stmt) {
	for i, s := range list {
		a, ok := s.(*ast.AssignStmt)
		if !ok || len(a.Rhs) != 1 || len(a.Lhs) != 2 {
			continue
		}
		config, ok := a.Rhs[0].(*ast.CallExpr)
		if !ok || r.function(config) != "NewConfig" {
			continue
		}
		client := r.newCall(list[i+1:], a.Lhs[0])
		if client == nil {
			continue
		}
		end := a.End()
		if i+1 < len(list) {
			if check, ok := list[i+1].(*ast.IfStmt); ok && check.Init == nil && check.Else == nil {
				end = check.End()
			}
		}
		r.join(config, client, s.Pos(), end)
	}
}

// newCall finds the call of New that uses a configuration. It returns nil if the configuration has
// other uses.
func (r *rewriter) newCall(list []ast.Stmt, config ast.Expr) (call *ast.CallExpr) {
	id, ok := config.(*ast.Ident)
	if !ok {
		return nil
	}
	uses := 0
	for _, s := range list {
		ast.Inspect(s, func(n ast.Node) bool {
			if u, ok := n.(*ast.Ident); ok && r.info.Uses[u] != nil && r.info.Uses[u] == r.object(id) {
				uses++
			}
			if c, ok := n.(*ast.CallExpr); ok && r.function(c) == "New" && len(c.Args) == 1 {
				if arg, ok := c.Args[0].(*ast.Ident); ok && r.info.Uses[arg] == r.object(id) {
					call = c
				}
			}
			return true
		})
	}
	if uses != 1 {
		return nil
	}
	return call
}

func (r *rewriter) object(id *ast.Ident) types.Object {
	if o := r.info.Defs[id]; o != nil {
		return o
	}
	return r.info.Uses[id]
}

// join writes the call of New with the arguments of NewConfig, and removes NewConfig.
func (r *rewriter) join(config, client *ast.CallExpr, start, end token.Pos) {
	r.plain[config], r.plain[client] = true, true
	qualifier := r.qualifier(config.Fun.(*ast.SelectorExpr))
	environment := qualifier + ".EnvironmentLive"
	args := []string{r.current.text(config.Args[0].Pos(), config.Args[0].End())}
	var options []string
	for _, arg := range config.Args[1:] {
		option, ok := arg.(*ast.CallExpr)
		switch {
		case ok && r.function(option) == "WithEndpoint":
			r.plain[option] = true
			endpoint := r.current.text(option.Args[0].Pos(), option.Args[0].End())
			switch {
			case strings.HasSuffix(endpoint, ".SandboxEndpoint"):
				environment = qualifier + ".EnvironmentSandbox"
			case strings.HasSuffix(endpoint, ".LiveEndpoint"):
			default:
				environment = qualifier + ".EnvironmentSandbox"
				options = append(options, qualifier+".WithBaseURL("+endpoint+")")
				r.note(option.Pos(), sectionClient, "check the environment: the endpoint did not name it")
			}
		case ok && r.function(option) == "WithClient":
			options = append(options, qualifier+".WithHTTPClient("+r.current.text(option.Args[0].Pos(), option.Args[0].End())+")")
		default:
			options = append(options, r.current.text(arg.Pos(), arg.End()))
			r.note(arg.Pos(), sectionClient, "check this option")
		}
	}
	// The rest of its line goes as well.
	for end < token.Pos(r.current.file.Base()+r.current.file.Size()) && r.current.text(end, end+1) != "\n" {
		end++
	}
	r.current.replace(start, end+1, "")
	r.current.replace(client.Args[0].Pos(), client.Args[0].End(), strings.Join(append(append(args, environment), options...), ", "))
}

// loops rewrites the loop over the pages of an iterator into one over its items.
//
//	it := client.Payments.All(ctx, params)
//	for it.Next() {
//		page, err := it.Value(ctx)
//		if err != nil { … }
//		for _, payment := range page.Payments { … }
//	}
func (r *rewriter) loops(list []ast.Stmt) {
	for i, s := range list {
		a, ok := s.(*ast.AssignStmt)
		if !ok || i+1 >= len(list) || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
			continue
		}
		all, ok := a.Rhs[0].(*ast.CallExpr)
		if !ok || !strings.HasSuffix(officialType(r.info.TypeOf(all)), "PagingIterator") {
			continue
		}
		outer, ok := list[i+1].(*ast.ForStmt)
		if !ok || !r.calls(outer.Cond, a.Lhs[0], "Next") || outer.Init != nil || outer.Post != nil {
			continue
		}
		r.loop(a, all, outer)
	}
}

// calls reports whether an expression calls a method of a variable.
func (r *rewriter) calls(e ast.Expr, variable ast.Expr, method string) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != method {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	v, isIdent := variable.(*ast.Ident)
	return ok && isIdent && r.object(x) == r.object(v)
}

func (r *rewriter) loop(a *ast.AssignStmt, all *ast.CallExpr, outer *ast.ForStmt) {
	body := outer.Body.List
	if len(body) != 3 {
		return
	}
	value, ok := body[0].(*ast.AssignStmt)
	if !ok || len(value.Rhs) != 1 || len(value.Lhs) != 2 || !r.calls(value.Rhs[0], a.Lhs[0], "Value") {
		return
	}
	check, ok := body[1].(*ast.IfStmt)
	inner, isRange := body[2].(*ast.RangeStmt)
	if !ok || !isRange || inner.Value == nil || r.text(inner.Key) != "_" {
		return
	}
	r.plain[all] = true
	item, failure := r.text(inner.Value), r.text(value.Lhs[1])
	// The call keeps its place; the code around it is replaced.
	r.current.replace(a.Pos(), all.Pos(), "for "+item+", "+failure+" := range ")
	r.current.replace(all.End(), check.Pos(), " {\n")
	r.current.replace(check.End(), inner.Body.Lbrace+1, "")
	r.current.replace(inner.Body.Rbrace, outer.End(), "}")
}

func (r *rewriter) text(e ast.Expr) string {
	if e == nil {
		return ""
	}
	return r.current.text(e.Pos(), e.End())
}
