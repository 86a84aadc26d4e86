package emit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
)

// Example describes how to show a method: what exists before the call, the call's arguments, and what
// the reply holds. The example runs against the sandbox.
type Example struct {
	// Given names what the sandbox holds: "mandate" calls the helper givenMandate, which returns a
	// client and mandateID; "creditor and account" calls givenCreditorAndAccount, which returns a
	// client, creditorID and accountID. "" is an empty sandbox.
	Given string `json:"given"`
	// ID is the id in the path. "" is the first that Given returns.
	ID string `json:"id"`
	// Params are the params by their names on the wire. "$mandate" is the variable mandateID.
	Params map[string]any `json:"params"`
	// Print lists the reply's members to print, such as "links.mandate". For "url?" the example prints
	// whether url is set.
	Print []string `json:"print"`
	// Output is what the example prints, a line for each item of a list. All prints the same as List.
	Output []string `json:"output"`
}

type exampleCase struct {
	Service, Method string
	Given, Call     string
	Result, Item    string
	Print           string
	Output          []string
	Ranges          bool
}

// ExamplesPath is the file with the examples.
const ExamplesPath = "gocardless/api_examples_gen_test.go"

// ParseExamples reads the examples: by field of the client, by method.
func ParseExamples(data []byte) (map[string]map[string]*Example, error) {
	var examples map[string]map[string]*Example
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&examples); err != nil {
		return nil, fmt.Errorf("examples: %w", err)
	}
	return examples, nil
}

// Examples emits a test file with the examples of the methods. Entries that do not fit the API are left out
// and returned as problems, so that they do not block an update of the API; a test reports them.
func Examples(api *ir.API, examples map[string]map[string]*Example, templates fs.FS) (file File, problems []error, err error) {
	tmpl, err := template.ParseFS(templates, "example_test.go.tmpl")
	if err != nil {
		return File{}, nil, err
	}
	data := struct {
		Header, ModulePath string
		UsesTime           bool
		Cases              []exampleCase
	}{Header: Header, ModulePath: api.ModulePath}
	data.Cases, problems = exampleCases(api, examples)
	for _, c := range data.Cases {
		data.UsesTime = data.UsesTime || strings.Contains(c.Call, "time.")
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, data); err != nil {
		return File{}, nil, err
	}
	content, err := format.Source(b.Bytes())
	if err != nil {
		return File{}, nil, fmt.Errorf("%s: %w\n%s", ExamplesPath, err, b.Bytes())
	}
	return File{Path: ExamplesPath, Content: content}, problems, nil
}

// exampleCases returns the examples in the order of the API, and what does not fit it.
func exampleCases(api *ir.API, examples map[string]map[string]*Example) (cases []exampleCase, problems []error) {
	used := map[*Example]bool{}
	for s, op := range api.Operations() {
		for _, m := range op.Methods {
			e := examples[s.GoName][m.GoName]
			if e == nil {
				continue
			}
			used[e] = true
			c, err := newExampleCases(api, s, op, m, e)
			if err != nil {
				problems = append(problems, fmt.Errorf("examples: %s.%s: %w", s.GoName, m.GoName, err))
			}
			cases = append(cases, c...)
		}
	}
	for _, service := range slices.Sorted(maps.Keys(examples)) {
		for _, method := range slices.Sorted(maps.Keys(examples[service])) {
			if !used[examples[service][method]] {
				problems = append(problems, fmt.Errorf("examples: the API has no method %s.%s", service, method))
			}
		}
	}
	return cases, problems
}

// newExampleCases returns the method's example, and that of its iterator if it has one.
func newExampleCases(api *ir.API, s *ir.Service, op *ir.Operation, m *ir.Method, e *Example) ([]exampleCase, error) {
	helper, ids := givenHelper(e.Given)
	args := []string{"ctx"}
	for range op.PathParams {
		switch {
		case e.ID != "":
			args = append(args, idLiteral(api, e.ID))
		case len(ids) > 0:
			args = append(args, ids[0])
		default:
			return nil, errors.New("there is no id: set given or id")
		}
	}
	if m.HasParams() {
		literal, err := objectLiteral(m.Params, e.Params)
		if err != nil {
			return nil, err
		}
		args = append(args, literal)
	} else if len(e.Params) > 0 {
		return nil, errors.New("the method takes no params")
	}
	c := exampleCase{Service: s.TypeName, Method: m.GoName, Output: e.Output,
		Call: fmt.Sprintf("client.%s.%s(%s)", s.GoName, m.GoName, strings.Join(args, ", "))}
	c.Given = givenLine(helper, ids, args)
	if op.Reply == nil {
		return []exampleCase{c}, nil
	}
	item := name.Lower(op.Reply.GoName)
	c.Result = item
	if op.List {
		c.Result, c.Item = "page", item
	}
	var err error
	if c.Print, err = selectors(item, op.Reply, e.Print); err != nil {
		return nil, err
	}
	if m.AllName == "" {
		return []exampleCase{c}, nil
	}
	all := c
	all.Method, all.Ranges, all.Result = m.AllName, true, item
	all.Call = fmt.Sprintf("client.%s.%s(%s)", s.GoName, m.AllName, strings.Join(args, ", "))
	return []exampleCase{c, all}, nil
}

// idLiteral returns a fixed id: a constant if it is that of a simulator, otherwise a string.
func idLiteral(api *ir.API, id string) string {
	if api.Catalogue != nil {
		for _, s := range api.Catalogue.Simulators {
			if s.Name == id {
				return "gocardless." + s.GoName
			}
		}
	}
	return fmt.Sprintf("%q", id)
}

// givenHelper returns the name of the function that prepares the sandbox, and the ids that it returns.
func givenHelper(given string) (helper string, ids []string) {
	if given == "" {
		return "", nil
	}
	helper = "given"
	for i, thing := range strings.Split(given, " and ") {
		if i > 0 {
			helper += "And"
		}
		helper += strings.ToUpper(thing[:1]) + thing[1:]
		ids = append(ids, thing+"ID")
	}
	return helper, ids
}

// givenLine returns the call of the helper, with _ for ids that no argument uses.
func givenLine(helper string, ids, args []string) string {
	if helper == "" {
		return "client := exampleClient()"
	}
	words := strings.FieldsFunc(strings.Join(args, " "), func(r rune) bool { return !unicode.IsLetter(r) })
	results := []string{"client"}
	for _, id := range ids {
		if !slices.Contains(words, id) {
			id = "_"
		}
		results = append(results, id)
	}
	return fmt.Sprintf("%s := %s(ctx)", strings.Join(results, ", "), helper)
}

// objectLiteral returns values as a Go literal of an object type.
func objectLiteral(t *ir.Type, values map[string]any) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "gocardless.%s{", t.GoName)
	seen := 0
	for _, f := range t.Fields {
		value, ok := values[f.Name]
		if !ok {
			continue
		}
		if seen++; seen == 1 {
			b.WriteString("\n")
		}
		text, err := valueLiteral(f.Type, value)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.Name, err)
		}
		if f.Pointered {
			text = "new(" + sized(f.Type, text) + ")"
		}
		fmt.Fprintf(&b, "%s: %s,\n", f.GoName, text)
	}
	if seen != len(values) {
		return "", fmt.Errorf("%s has %d of the members %v", t.GoName, seen, slices.Sorted(maps.Keys(values)))
	}
	b.WriteString("}")
	return b.String(), nil
}

// sized gives an untyped integer constant the type of its field.
func sized(r *ir.Ref, text string) string {
	if r.Kind == ir.Int64 {
		return "int64(" + text + ")"
	}
	return text
}

func valueLiteral(r *ir.Ref, value any) (string, error) {
	switch v := value.(type) {
	case string:
		return stringLiteral(r, v)
	case json.Number, bool:
		return fmt.Sprint(v), nil
	case []any:
		if r.Kind != ir.Array {
			break
		}
		var items []string
		for _, item := range v {
			text, err := valueLiteral(r.Elem, item)
			if err != nil {
				return "", err
			}
			items = append(items, text)
		}
		return fmt.Sprintf("[]%s{%s}", elemType(r.Elem), strings.Join(items, ", ")), nil
	case map[string]any:
		if r.IsObject() {
			return objectLiteral(r.Type, v)
		}
		return mapLiteral(r, v)
	}
	return "", fmt.Errorf("%v does not fit its field", value)
}

func mapLiteral(r *ir.Ref, values map[string]any) (string, error) {
	elem := &ir.Ref{Kind: ir.String}
	if r.Kind == ir.Map {
		elem = r.Elem
	}
	var members []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		text, err := valueLiteral(elem, values[key])
		if err != nil {
			return "", err
		}
		members = append(members, fmt.Sprintf("%q: %s", key, text))
	}
	switch r.Kind {
	case ir.Map:
		return fmt.Sprintf("map[string]%s{%s}", elemType(elem), strings.Join(members, ", ")), nil
	case ir.Metadata:
		return "gocardless.Metadata{" + strings.Join(members, ", ") + "}", nil
	case ir.StringMap:
		return "map[string]string{" + strings.Join(members, ", ") + "}", nil
	}
	return "", fmt.Errorf("%v does not fit its field", values)
}

func stringLiteral(r *ir.Ref, s string) (string, error) {
	if id, ok := strings.CutPrefix(s, "$"); ok {
		return id + "ID", nil
	}
	switch {
	case r.IsEnum():
		for _, v := range r.Type.Values {
			if v.Wire == s {
				return "gocardless." + v.GoName, nil
			}
		}
		return "", fmt.Errorf("%s has no value %q", r.Type.GoName, s)
	case r.Kind == ir.Date:
		var year, month, day int
		if _, err := fmt.Sscanf(s, "%d-%d-%d", &year, &month, &day); err != nil {
			return "", fmt.Errorf("%q is not a date", s)
		}
		return fmt.Sprintf("gocardless.Date{Year: %d, Month: %d, Day: %d}", year, month, day), nil
	case r.Kind == ir.String || r.Kind == ir.StringOrInt:
		return fmt.Sprintf("%q", s), nil
	}
	return "", fmt.Errorf("%q does not fit its field", s)
}

// selectors returns the Go expressions of members of a variable.
func selectors(variable string, t *ir.Type, members []string) (string, error) {
	if len(members) == 0 {
		return "", errors.New("print is empty")
	}
	var out []string
	for _, member := range members {
		expression, at := variable, t
		path, isSet := strings.CutSuffix(member, "?")
		for name := range strings.SplitSeq(path, ".") {
			if at == nil {
				return "", fmt.Errorf("print: %s goes into a value that has no members", member)
			}
			f := at.Field(name)
			if f == nil {
				return "", fmt.Errorf("print: %s has no member %s", at.GoName, name)
			}
			expression += "." + f.GoName
			at = nil
			if f.Type.IsObject() {
				at = f.Type.Type
			} else if f.Pointered {
				expression = "*" + expression
			}
		}
		if isSet {
			expression += ` != ""`
		}
		out = append(out, expression)
	}
	return strings.Join(out, ", "), nil
}
