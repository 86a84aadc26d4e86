package goapi

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
)

// Generated is what one document becomes.
type Generated struct {
	API    *ir.API
	Source Source // hand-written and generated code together
}

// Generate makes the SDK's source from a document, with the hand-written code of the module at
// root around it. It writes nothing.
func Generate(root, schema string) (*Generated, error) {
	// Generating for another directory leaves out what belongs to this one: the lock of names.
	result, err := generator.Generate(generator.Config{Root: root, Schema: schema, Out: filepath.Join(os.TempDir(), "unwritten")})
	if err != nil {
		return nil, err
	}
	return FromResult(root, result)
}

// FromResult puts what the generator made together with the hand-written code of the module at root.
func FromResult(root string, result *generator.Result) (*Generated, error) {
	files := map[string][]byte{}
	for _, f := range result.Files {
		files[f.Path] = f.Content
	}
	byHand, err := ReadDir(result.API.ModulePath, root, func(name string) bool {
		return !strings.HasSuffix(name, "_gen.go")
	})
	if err != nil {
		return nil, err
	}
	return &Generated{API: result.API, Source: byHand.With(files)}, nil
}

// BetweenSchemas compares the Go APIs that two documents become with the same hand-written code.
func BetweenSchemas(old, revised *Generated) (*compare.GoDiff, error) {
	return Compare(old.Source, revised.Source, "gocardless")
}
