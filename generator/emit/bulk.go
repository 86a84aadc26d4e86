package emit

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// bulkDir is the package for billing runs.
const bulkDir = "gocardless/bulk"

// Bulk emits the table of the operations for billing runs: creates without ids in the path whose
// idempotency key the API honours, and which are not deprecated.
func Bulk(api *ir.API) ([]File, error) {
	sdk := api.ModulePath + "/gocardless"
	f := jen.NewFilePathName(api.ModulePath+"/"+bulkDir, "bulk")
	f.HeaderComment(Header)
	var vars, table []jen.Code
	for s, op := range api.Operations() {
		for _, m := range op.Methods {
			if op.Kind != ir.KindCreate || op.Deprecated || m.Params == nil || op.Reply == nil || len(op.PathParams) > 0 {
				continue
			}
			name := s.GoName + strings.TrimPrefix(m.GoName, "Create")
			vars = append(vars, bulkCreate(sdk, s, op, m, name)...)
			table = append(table, jen.Id(name))
		}
	}
	f.Comment("Operations that create resources with an idempotency key. Others are left out, because a request whose reply is lost could not be retried safely.")
	f.Var().Defs(vars...)
	f.Line()
	f.Comment("creates lists all of them.")
	f.Var().Id("creates").Op("=").Index().Id("Operation").Add(rows(table))
	var b bytes.Buffer
	if err := f.Render(&b); err != nil {
		return nil, fmt.Errorf("%s: %w", bulkDir, err)
	}
	return []File{{Path: path.Join(bulkDir, "creates_gen.go"), Content: b.Bytes()}}, nil
}

func bulkCreate(sdk string, s *ir.Service, op *ir.Operation, m *ir.Method, name string) []jen.Code {
	params, reply := jen.Qual(sdk, m.Params.GoName), jen.Qual(sdk, op.Reply.GoName)
	method := jen.Func().Params(jen.Id("c").Op("*").Qual(sdk, "Client")).
		Func().Params(jen.Qual("context", "Context"), params, jen.Op("...").Qual(sdk, "RequestOption")).Params(jen.Op("*").Add(reply), jen.Error()).
		Block(jen.Return(jen.Id("c").Dot(s.GoName).Dot(m.GoName)))
	id := jen.Nil()
	if identified(op.Reply) {
		id = jen.Func().Params(jen.Id("r").Op("*").Add(reply)).String().Block(jen.Return(jen.Id("r").Dot("ID")))
	}
	doc := docLines(4, fmt.Sprintf("%s creates %s with [gocardless.%s.%s].", name, spoken(s.Resource), s.TypeName, m.GoName))
	return append(doc, jen.Id(name).Op("=").Id("Create").Types(params, reply).Values(jen.Lit(methodID(op, m)), method, id))
}

// methodID returns the id of an operation, or one for the method if the operation has several.
func methodID(op *ir.Operation, m *ir.Method) string {
	if len(op.Methods) == 1 {
		return op.ID
	}
	return op.ID[:strings.IndexByte(op.ID, '.')+1] + snake(m.GoName)
}
