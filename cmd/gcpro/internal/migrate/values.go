package migrate

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

var (
	dateType = reflect.TypeFor[gocardless.Date]()
	timeType = reflect.TypeFor[time.Time]()
)

// literal rewrites the fields of a composite literal.
func (r *rewriter) literal(lit *ast.CompositeLit) {
	t := ours(officialType(r.info.TypeOf(lit)))
	if t == nil {
		return
	}
	for _, element := range lit.Elts {
		kv, ok := element.(*ast.KeyValueExpr)
		if !ok {
			r.note(lit.Pos(), sectionDifferent, "the literal of %s needs the names of its fields", t.Name())
			return
		}
		key := kv.Key.(*ast.Ident)
		revised := fieldName(key.Name)
		if revised != key.Name {
			r.current.replace(key.Pos(), key.End(), revised)
		}
		if f, ok := t.FieldByName(revised); ok {
			r.convert(kv.Value, f.Type)
		} else {
			r.note(kv.Pos(), sectionDifferent, "%s.%s has no counterpart", t.Name(), key.Name)
		}
	}
}

// assignment rewrites the values that are assigned to fields.
func (r *rewriter) assignment(a *ast.AssignStmt) {
	if len(a.Lhs) != len(a.Rhs) {
		return
	}
	for i, lhs := range a.Lhs {
		sel, ok := lhs.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		selection := r.info.Selections[sel]
		if selection == nil || selection.Kind() != types.FieldVal {
			continue
		}
		if t := ours(officialType(selection.Recv())); t != nil {
			if f, ok := t.FieldByName(fieldName(sel.Sel.Name)); ok {
				r.plain[sel] = true
				r.convert(a.Rhs[i], f.Type)
			}
		}
	}
}

// convert converts a value to the type of a field of this SDK.
func (r *rewriter) convert(value ast.Expr, want reflect.Type) {
	have := r.info.TypeOf(value)
	if have == nil {
		return
	}
	_, pointer := types.Unalias(have).(*types.Pointer)
	if id, ok := value.(*ast.Ident); ok && id.Name == "nil" {
		if want.Kind() == reflect.Struct {
			r.note(value.Pos(), sectionDifferent, "this field is a value here and cannot be nil: leave it out")
		}
		return
	}
	switch {
	case want.Kind() == reflect.Pointer && want.Elem().Kind() == reflect.Struct && want.Elem() != dateType && want.Elem() != timeType:
		r.toPointer(value, pointer)
	case want.Kind() == reflect.Pointer:
		r.optional(value, want.Elem())
	case want.Kind() == reflect.Struct && pointer:
		r.fromPointer(value)
	case want.Kind() == reflect.Slice:
		r.slice(value, want.Elem())
	default:
		r.scalar(value, want, false)
	}
}

// toPointer turns a struct into a pointer to it.
func (r *rewriter) toPointer(value ast.Expr, pointer bool) {
	switch value.(type) {
	case *ast.CompositeLit:
		r.current.wrap(value.Pos(), value.End(), "&", "")
	default:
		if !pointer {
			r.current.wrap(value.Pos(), value.End(), "new(", ")")
		}
	}
}

// fromPointer turns a pointer to a struct into the struct.
func (r *rewriter) fromPointer(value ast.Expr) {
	if u, ok := value.(*ast.UnaryExpr); ok && u.Op == token.AND {
		r.current.replace(u.Pos(), u.X.Pos(), "")
		return
	}
	r.current.wrap(value.Pos(), value.End(), "*", "")
	r.note(value.Pos(), sectionDifferent, "this field is a value here: the pointer must not be nil")
}

// optional turns a value into a pointer. A set value is always sent, so an empty value, which the
// official client leaves out, now reaches the API.
func (r *rewriter) optional(value ast.Expr, elem reflect.Type) {
	if !r.scalar(value, elem, true) {
		return
	}
	r.current.wrap(value.Pos(), value.End(), "new(", ")")
	if r.info.Types[value].Value == nil {
		r.note(value.Pos(), sectionDifferent, "this optional field is sent even if the value is empty; leave it nil to omit it")
	}
}

// scalar converts a value if its type differs, and reports whether it could. Inside new, a constant
// needs a conversion to its type.
func (r *rewriter) scalar(value ast.Expr, want reflect.Type, inNew bool) bool {
	constantValue := r.info.Types[value].Value
	if r.sameField(value, want) {
		return true
	}
	switch {
	case want == dateType:
		return r.date(value, constantValue)
	case want == timeType:
		return r.time(value, constantValue)
	case want.Kind() == reflect.String && want.PkgPath() != "":
		if constantValue == nil || inNew {
			r.current.wrap(value.Pos(), value.End(), r.packageName()+"."+want.Name()+"(", ")")
		}
	case want.Kind() == reflect.Int64:
		if constantValue == nil || inNew {
			r.current.wrap(value.Pos(), value.End(), "int64(", ")")
		}
	}
	return true
}

// sameField reports whether a value is a field of a resource that has the wanted type in this SDK.
func (r *rewriter) sameField(value ast.Expr, want reflect.Type) bool {
	sel, ok := value.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	selection := r.info.Selections[sel]
	if selection == nil {
		return false
	}
	t := ours(officialType(selection.Recv()))
	if t == nil {
		return false
	}
	f, ok := t.FieldByName(fieldName(sel.Sel.Name))
	if ok && f.Type == want {
		r.plain[sel] = true
		return true
	}
	return false
}

func (r *rewriter) date(value ast.Expr, c constant.Value) bool {
	if c != nil && c.Kind() == constant.String {
		if d, err := gocardless.ParseDate(constant.StringVal(c)); err == nil {
			r.current.replace(value.Pos(), value.End(), fmt.Sprintf("%s.Date{Year: %d, Month: %d, Day: %d}", r.packageName(), d.Year, d.Month, d.Day))
			return true
		}
	}
	if x := r.formatted(value, time.DateOnly); x != nil {
		r.current.replace(value.Pos(), x.Pos(), r.packageName()+".DateOf(")
		r.current.replace(x.End(), value.End(), ")")
		return true
	}
	r.note(value.Pos(), sectionDifferent, "dates are of type Date here: use ParseDate or DateOf")
	return false
}

// formatted returns x if an expression is x.Format(layout), the usual way to make a string for the
// official client, or nil. An empty layout means any.
func (r *rewriter) formatted(value ast.Expr, layout string) ast.Expr {
	call, ok := value.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return nil
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Format" || r.info.TypeOf(sel.X).String() != "time.Time" {
		return nil
	}
	if c := r.info.Types[call.Args[0]].Value; layout != "" && (c == nil || constant.StringVal(c) != layout) {
		return nil
	}
	return sel.X
}

func (r *rewriter) time(value ast.Expr, c constant.Value) bool {
	if c != nil && c.Kind() == constant.String {
		if t, err := time.Parse(time.RFC3339, constant.StringVal(c)); err == nil {
			t = t.UTC()
			r.current.replace(value.Pos(), value.End(), fmt.Sprintf("time.Date(%d, %d, %d, %d, %d, %d, %d, time.UTC)", t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond()))
			return true
		}
	}
	if x := r.formatted(value, ""); x != nil {
		r.current.replace(x.End(), value.End(), "")
		return true
	}
	r.note(value.Pos(), sectionDifferent, "times are of type time.Time here")
	return false
}

// slice changes the element type of a literal whose elements are enums or dates in this SDK.
func (r *rewriter) slice(value ast.Expr, elem reflect.Type) {
	lit, ok := value.(*ast.CompositeLit)
	if elem.PkgPath() == "" || elem.Kind() == reflect.Struct && elem != dateType {
		return
	}
	if !ok {
		r.note(value.Pos(), sectionDifferent, "the elements of this field are of type %s here", elem.Name())
		return
	}
	if array, ok := lit.Type.(*ast.ArrayType); ok {
		r.current.replace(array.Elt.Pos(), array.Elt.End(), r.packageName()+"."+elem.Name())
	}
	for _, e := range lit.Elts {
		r.scalar(e, elem, false)
	}
}

// read converts a field where its value is used, if its type differs from the official one.
func (r *rewriter) read(sel *ast.SelectorExpr, have reflect.Type) {
	if r.plain[sel] || r.assigned(sel) {
		return
	}
	old := types.Unalias(r.info.TypeOf(sel)).Underlying()
	basic, ok := old.(*types.Basic)
	if !ok {
		r.readObject(sel, have)
		return
	}
	wrap := func(before, after string) { r.current.wrap(sel.Pos(), sel.End(), before, after) }
	switch {
	case (have == dateType || have == timeType) && r.comparedWithEmpty(sel):
	case have == dateType && !r.anyValue(sel):
		wrap("", ".String()")
	case have == timeType && !r.anyValue(sel):
		wrap("", ".Format(time.RFC3339)")
	case have == dateType, have == timeType:
	case have.Kind() == reflect.Pointer:
		r.note(sel.Pos(), sectionDifferent, "%s may be null and is a pointer here", sel.Sel.Name)
	case have.Kind() == reflect.String && have.PkgPath() != "" && !r.untyped(sel):
		wrap("string(", ")")
	case have.Kind() == reflect.Int64 && basic.Kind() == types.Int && !r.untyped(sel):
		wrap("int(", ")")
	}
}

// comparedWithEmpty rewrites a comparison of a date or a time with "".
func (r *rewriter) comparedWithEmpty(sel *ast.SelectorExpr) bool {
	b, ok := r.parents[sel].(*ast.BinaryExpr)
	if !ok || b.X != sel || b.Op != token.EQL && b.Op != token.NEQ || r.text(b.Y) != `""` {
		return false
	}
	if b.Op == token.NEQ {
		r.current.insert(b.Pos(), "!")
	}
	r.current.replace(sel.End(), b.End(), ".IsZero()")
	return true
}

// readObject notes uses of a pointer that is a value here, and of a map whose values are strings here.
func (r *rewriter) readObject(sel *ast.SelectorExpr, have reflect.Type) {
	if b, ok := r.parents[sel].(*ast.BinaryExpr); ok && have.Kind() == reflect.Struct && (b.Op == token.EQL || b.Op == token.NEQ) {
		r.note(sel.Pos(), sectionDifferent, "%s is a value here, and never nil", sel.Sel.Name)
	}
	if m, ok := r.info.TypeOf(sel).Underlying().(*types.Map); ok && have.Kind() == reflect.Map && types.IsInterface(m.Elem()) {
		r.note(sel.Pos(), sectionDifferent, "the values of %s are strings here", sel.Sel.Name)
	}
}

// assigned reports whether a field is assigned to, or its address is taken.
func (r *rewriter) assigned(sel *ast.SelectorExpr) bool {
	switch p := r.parents[sel].(type) {
	case *ast.AssignStmt:
		for _, lhs := range p.Lhs {
			if lhs == sel {
				return true
			}
		}
	case *ast.UnaryExpr:
		return p.Op == token.AND
	}
	return false
}

// anyValue reports whether an expression is an argument whose parameter is an interface, as in a call
// of fmt.Println.
func (r *rewriter) anyValue(e ast.Expr) bool {
	call, ok := r.parents[e].(*ast.CallExpr)
	if !ok || call.Fun == e {
		return false
	}
	signature, ok := r.info.TypeOf(call.Fun).(*types.Signature)
	if !ok {
		return false
	}
	for i, arg := range call.Args {
		if arg == e {
			return types.IsInterface(parameter(signature, i))
		}
	}
	return false
}

// parameter returns the type of the parameter for argument i.
func parameter(s *types.Signature, i int) types.Type {
	if last := s.Params().Len() - 1; s.Variadic() && i >= last {
		return s.Params().At(last).Type().(*types.Slice).Elem()
	}
	return s.Params().At(i).Type()
}

// untyped reports whether the context of an expression accepts a string or an integer of any type: a
// comparison with a literal, a switch whose cases are literals, or an argument of an interface type.
func (r *rewriter) untyped(e ast.Expr) bool {
	switch p := r.parents[e].(type) {
	case *ast.BinaryExpr:
		other := p.X
		if other == e {
			other = p.Y
		}
		comparison := p.Op == token.EQL || p.Op == token.NEQ || p.Op == token.LSS || p.Op == token.LEQ || p.Op == token.GTR || p.Op == token.GEQ
		_, literal := other.(*ast.BasicLit)
		return comparison && literal
	case *ast.SwitchStmt:
		return r.literalCases(p)
	}
	return r.anyValue(e)
}

func (r *rewriter) literalCases(s *ast.SwitchStmt) bool {
	for _, c := range s.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			if _, ok := e.(*ast.BasicLit); !ok {
				return false
			}
		}
	}
	return true
}
