package goapi

import (
	"strings"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/emit"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
)

// Generated is the result of generating from one document.
type Generated struct {
	API    *ir.API
	Source Source // handwritten and generated code together
}

// Generate generates the SDK from a document, and combines it with the handwritten code of the module at root.
// It writes nothing.
func Generate(root, schema string) (*Generated, error) {
	api, err := generator.Load(generator.Config{Root: root, Schema: schema})
	if err != nil {
		return nil, err
	}
	files, err := emit.SDK(api)
	if err != nil {
		return nil, err
	}
	return FromFiles(root, api, files)
}

// FromFiles combines generated files with the handwritten code of the module at root.
func FromFiles(root string, api *ir.API, generated []emit.File) (*Generated, error) {
	files := map[string][]byte{}
	for _, f := range generated {
		files[f.Path] = f.Content
	}
	byHand, err := ReadDir(api.ModulePath, root, func(name string) bool {
		return !strings.HasSuffix(name, "_gen.go")
	})
	if err != nil {
		return nil, err
	}
	return &Generated{API: api, Source: byHand.With(files)}, nil
}

// BetweenSchemas compares the Go APIs generated from two documents.
func BetweenSchemas(old, revised *Generated) (*compare.GoDiff, error) {
	return Compare(old.Source, revised.Source, "gocardless")
}
