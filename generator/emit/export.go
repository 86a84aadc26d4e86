package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// exportFuncs emits the methods that NewExporter needs of a list that can be divided by time: the bounds in
// its params and the place of an item. Only such lists have them, so that the compiler refuses to export
// any other.
func exportFuncs(g *jen.File, op *ir.Operation, m *ir.Method) {
	if !exportable(op, m) {
		return
	}
	g.Func().Params(jen.Id("p").Op("*").Id(m.Params.GoName)).Id("exportRange").Params().Params(jen.Id("params"), jen.Id("TimestampFilter")).Block(
		jen.Return(jen.Id("given").Call(jen.Id("p")), jen.Id("p").Dot("CreatedAt")))
	g.Line()
	g.Func().Params(jen.Id("v").Op("*").Id(op.Reply.GoName)).Id("exportPlace").Params().
		Params(jen.String(), jen.Qual("time", "Time")).Block(
		jen.Return(jen.Id("v").Dot("ID"), jen.Id("v").Dot("CreatedAt")))
	g.Line()
}

// exportable reports whether a list has cursors, a filter by creation time, and items with an id and a
// creation time.
func exportable(op *ir.Operation, m *ir.Method) bool {
	if !op.List || !op.Cursors || m.Params == nil || op.Reply == nil {
		return false
	}
	filter, created := m.Params.Field("created_at"), op.Reply.Field("created_at")
	return filter != nil && filter.Type.Kind == ir.Named && filter.Type.Type.GoName == "TimestampFilter" &&
		created != nil && created.Type.Kind == ir.Time && identified(op.Reply)
}
