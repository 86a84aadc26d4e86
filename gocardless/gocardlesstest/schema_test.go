package gocardlesstest

import (
	"bytes"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonpointer"
)

// description is the compiled API description, against which every reply of every test is checked.
var description = sync.OnceValues(func() (*jsonschema.Compiler, error) {
	f, err := os.Open("../../schema/gocardless.json")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	return c, c.AddResource("file:///gocardless.json", doc)
})

var compiled = struct {
	sync.Mutex
	byPointer map[string]*jsonschema.Schema
}{byPointer: map[string]*jsonschema.Schema{}}

func schemaAt(t testing.TB, pointer string) *jsonschema.Schema {
	t.Helper()
	compiled.Lock()
	defer compiled.Unlock()
	if s := compiled.byPointer[pointer]; s != nil {
		return s
	}
	c, err := description()
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile((&url.URL{Scheme: "file", Path: "/gocardless.json", Fragment: pointer}).String())
	if err != nil {
		t.Fatalf("compiling %s: %v", pointer, err)
	}
	compiled.byPointer[pointer] = s
	return s
}

// checkReply checks a reply of an operation against the API description. Members that are not described
// are errors, too.
func checkReply(t testing.TB, op *api.Operation, status int, raw []byte) {
	t.Helper()
	pointer := jsonpointer.Join("/components/responses/Error/content", "application/json", "schema")
	if status < 300 {
		if len(raw) == 0 {
			if op.Result != nil {
				t.Fatalf("%s: %d without a body", op.Name, status)
			}
			return
		}
		code := op.Status
		if op.Name == "customers.remove" {
			code = 200
		}
		path := op.Path
		if op.DescribedAt != "" {
			path = op.DescribedAt
		}
		pointer = jsonpointer.Join("/paths", path, strings.ToLower(op.Method), "responses", strconv.Itoa(code), "content", "application/json", "schema")
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v: reply is not JSON: %s", op, raw)
	}
	if err := schemaAt(t, pointer).Validate(v); err != nil {
		t.Fatalf("reply %d does not fit the API description: %v\n%s", status, err, raw)
	}
}
