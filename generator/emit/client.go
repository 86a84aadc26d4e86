package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// clientSource holds the client's struct with a field for each service.
func clientSource(api *ir.API) *source {
	src := newSource(api, "client")
	g := src.file
	g.Comment("apiVersion is the version of the API that requests ask for.")
	g.Const().Id("apiVersion").Op("=").Lit(api.Version)
	g.Line()
	for _, line := range docLines(0, "SchemaDate is the date of the API description that this version of the library was generated from, as YYYY-MM-DD. A second description of the same day has a letter, as in 2026-01-31b.") {
		g.Add(line)
	}
	g.Const().Id("SchemaDate").Op("=").Lit(api.SchemaDate)
	g.Line()
	for _, line := range docLines(0,
		"Client calls the GoCardless Pro API. Create one with [New] or [NewFromEnv] and share it: it is safe for concurrent use, and it keeps connections open between calls. The zero Client is not usable: its calls panic.",
		"Each field holds the operations of one resource. A client prints itself without its access token.") {
		g.Add(line)
	}
	g.Type().Id("Client").StructFunc(func(b *jen.Group) {
		for _, s := range api.Services {
			b.Id(s.GoName).Op("*").Id(s.TypeName)
		}
		b.Line()
		b.Id("core").Op("*").Id("core")
	})
	g.Line()
	g.Comment("newClient makes a client. All its services point to one value.")
	g.Func().Id("newClient").Params(jen.Id("c").Op("*").Id("core")).Op("*").Id("Client").BlockFunc(func(b *jen.Group) {
		b.Id("s").Op(":=").Op("&").Id("service").Values()
		b.Id("s").Dot("client").Op("=").Op("&").Id("Client").CustomFunc(
			jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, func(v *jen.Group) {
				for _, s := range api.Services {
					v.Id(s.GoName).Op(":").Parens(jen.Op("*").Id(s.TypeName)).Parens(jen.Id("s"))
				}
				v.Id("core").Op(":").Id("c")
			})
		b.Return(jen.Id("s").Dot("client"))
	})
	return src
}

// operationsSource holds the table of all operations.
func operationsSource(api *ir.API) *source {
	src := newSource(api, "operations")
	src.file.Comment("operations lists every operation of the API, by resource and path.")
	src.file.Var().Id("operations").Op("=").Index(jen.Op("...")).Op("*").Id("Operation").CustomFunc(
		jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, func(v *jen.Group) {
			for _, op := range api.Operations() {
				v.Op("&").Id(op.Var)
			}
		})
	return src
}
