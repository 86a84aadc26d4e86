package emit

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// migrateDir is the package of gcpro that rewrites programs of the official client.
const migrateDir = "cmd/gcpro/internal/migrate"

// MigrationTable emits the names of the official client with ours, for the command that rewrites programs.
func MigrationTable(api *ir.API, official *Official) (File, error) {
	c := CompareNames(api, official)
	f := jen.NewFilePathName(api.ModulePath+"/"+migrateDir, "migrate")
	f.HeaderComment(Header)
	var types, gone []jen.Code
	for _, old := range slices.Sorted(maps.Keys(c.seen)) {
		name, renamed := c.Types[old]
		switch {
		case renamed && name == "":
			gone = append(gone, jen.Lit(old).Op(":").True())
			continue
		case !renamed:
			name = old
		}
		types = append(types, jen.Lit(old).Op(":").Qual("reflect", "TypeFor").Types(jen.Qual(api.ModulePath+"/gocardless", name)).Call())
	}
	f.Comment("counterparts are the types of the official client that describe the API, with ours.")
	f.Var().Id("counterparts").Op("=").Map(jen.String()).Qual("reflect", "Type").Add(rows(types))
	f.Comment("gone are types of params that methods here do not take.")
	f.Var().Id("gone").Op("=").Map(jen.String()).Bool().Add(rows(gone))
	f.Comment("renamedFields are names of fields that differ, with ours.")
	f.Var().Id("renamedFields").Op("=").Map(jen.String()).String().Add(rows(stringPairs(c.Fields)))
	f.Comment("renamedMethods are methods, after their service, whose names differ, with ours.")
	f.Var().Id("renamedMethods").Op("=").Map(jen.String()).String().Add(rows(stringPairs(c.Methods)))
	var b bytes.Buffer
	if err := f.Render(&b); err != nil {
		return File{}, fmt.Errorf("%s: %w", migrateDir, err)
	}
	return File{Path: path.Join(migrateDir, "names_gen.go"), Content: b.Bytes()}, nil
}

func stringPairs(m map[string]string) []jen.Code {
	var pairs []jen.Code
	for _, name := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, jen.Lit(name).Op(":").Lit(m[name]))
	}
	return pairs
}
