package emit

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"text/template"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// contractFile holds the data for the template of a resource's contract tests.
type contractFile struct {
	Header     string
	ModulePath string
	Service    string
	UsesTime   bool
	Cases      []contractCase
}

// contractCase is a call with everything set, the request it must make and the reply it gets.
type contractCase struct {
	Method     string
	Operation  string
	HTTPMethod string
	Path       string
	Query      string
	Headers    []ir.Pair
	Body       string
	Status     int
	Envelope   string
	Reply      string
	Call       string
}

// ContractTests emits a test file per resource that calls each method with every field set.
func ContractTests(api *ir.API, templates fs.FS) ([]File, error) {
	tmpl, err := template.ParseFS(templates, "contract_test.go.tmpl")
	if err != nil {
		return nil, err
	}
	var files []File
	for _, s := range api.Services {
		data := contractFile{Header: Header, ModulePath: api.ModulePath, Service: s.GoName}
		for _, op := range s.Operations {
			for _, m := range op.Methods {
				data.Cases = append(data.Cases, newContractCase(s, op, m, m.GoName))
				if m.AllName != "" {
					data.Cases = append(data.Cases, newContractCase(s, op, m, m.AllName))
				}
			}
		}
		for _, c := range data.Cases {
			data.UsesTime = data.UsesTime || strings.Contains(c.Call, "time.Date(")
		}
		var b bytes.Buffer
		if err := tmpl.Execute(&b, data); err != nil {
			return nil, err
		}
		name := path.Join("internal/contract", s.Resource+"_gen_test.go")
		content, err := format.Source(b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", name, err, b.Bytes())
		}
		files = append(files, File{Path: name, Content: content})
	}
	return files, nil
}

// sampleID is an id that needs escaping in a path.
const sampleID = "ID 1/2"

func newContractCase(s *ir.Service, op *ir.Operation, m *ir.Method, goName string) contractCase {
	c := contractCase{
		Method: goName, Operation: op.ID, HTTPMethod: op.HTTPMethod, Status: op.Status, Envelope: op.ReplyEnvelope,
		Path: op.Path,
	}
	args := []string{"ctx"}
	for _, p := range op.PathParams {
		c.Path = strings.ReplaceAll(c.Path, "{"+p.Name+"}", url.PathEscape(sampleID))
		args = append(args, fmt.Sprintf("%q", sampleID))
	}
	if m.HasParams() {
		args = append(args, goObject(m.Params, nil))
		c.Query = querySample(m.Params)
		for _, f := range m.Params.Fields {
			if f.In == ir.InHeader {
				c.Headers = append(c.Headers, ir.Pair{Name: f.Name, Value: sampleText(f)})
			}
		}
		if op.RequestEnvelope != "" {
			c.Body = fmt.Sprintf("{%q:%s}", op.RequestEnvelope, jsonObject(m.Params, nil))
		}
	}
	if op.Reply != nil {
		c.Reply = replySample(op)
	}
	call := fmt.Sprintf("client.%s.%s(%s)", s.GoName, goName, strings.Join(args, ", "))
	switch {
	case op.Reply == nil:
		call = "nil, " + call
	case goName == m.AllName:
		call = "collect(" + call + ")"
	case op.List:
		call = "pageOf(" + call + ")"
	}
	c.Call = call
	return c
}

func replySample(op *ir.Operation) string {
	object := jsonObject(op.Reply, nil)
	switch {
	case op.ReplyEnvelope == "":
		return object
	case !op.List:
		return fmt.Sprintf("{%q:%s}", op.ReplyEnvelope, object)
	}
	linked := ""
	if op.Linked != nil {
		linked = fmt.Sprintf(`,"linked":%s`, jsonObject(op.Linked, nil))
	}
	return fmt.Sprintf(`{%q:[%s],"meta":{"cursors":{"before":null,"after":null},"limit":50}%s}`, op.ReplyEnvelope, object, linked)
}
