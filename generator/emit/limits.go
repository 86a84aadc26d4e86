package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
)

// limitsSource holds the API's limits on metadata and on requests per minute.
func limitsSource(api *ir.API) *source {
	src := newSource(api, "limits")
	g := src.file
	if m := metadataField(api); m != nil {
		g.Comment("Limits of the API on [Metadata].")
		g.Const().Defs(
			jen.Id("MaxMetadataKeys").Op("=").Lit(*m.MaxMembers).Comment("keys in one Metadata"),
			jen.Id("MaxMetadataKeyLength").Op("=").Lit(*m.MaxKeyLength).Comment("characters in a key"),
			jen.Id("MaxMetadataValueLength").Op("=").Lit(*m.MaxValueLength).Comment("characters in a value"),
		)
		g.Line()
	}
	g.Comment("The rate limit groups that the API documents.")
	g.Const().DefsFunc(func(c *jen.Group) {
		for _, l := range api.Catalogue.RateLimits {
			valueDecl(c, "RateLimitGroup", &ir.Value{Wire: l.Group, GoName: "Group" + name.Go(l.Group), Doc: l.Doc})
		}
	})
	g.Line()
	g.Comment("rateBudgets are the documented budgets of requests per minute.")
	g.Var().Id("rateBudgets").Op("=").Index(jen.Op("...")).Id("rateBudget").ValuesFunc(func(v *jen.Group) {
		for _, l := range api.Catalogue.RateLimits {
			methods, path, ok := strings.Cut(l.Paths, " ")
			if !ok {
				methods, path = "", l.Paths
			}
			v.Line().Values(jen.Id("Group"+name.Go(l.Group)), jen.Lit(methods), jen.Lit(path), jen.Lit(l.PerMinute))
		}
		v.Line()
	})
	return src
}

// metadataField returns a field that has the limits on metadata, or nil.
func metadataField(api *ir.API) *ir.Field {
	for _, t := range api.Types {
		for _, f := range t.Fields {
			if f.Type.Kind == ir.Metadata && f.MaxMembers != nil && f.MaxKeyLength != nil && f.MaxValueLength != nil {
				return f
			}
		}
	}
	return nil
}
