// Package load reads an OpenAPI document into the generator's model. No other part of the generator knows
// OpenAPI. A construct that it does not understand is an error with a JSON pointer, never a guess.
package load

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Input is what a model is made from.
type Input struct {
	Schema     []byte // OpenAPI document, JSON
	Catalogue  []byte // events, reasons and so on; nil leaves them out
	Overlay    []byte // nil for none
	ModulePath string
	Reserved   map[string]string // Go names that are already used, such as Client or Client.Do, with their file
}

// Load reads, checks and names everything. The error lists every problem; an overlay entry that matches
// nothing is one.
func Load(in Input) (*ir.API, error) {
	api, stale, err := Read(in)
	var errs problems
	for _, s := range stale {
		errs.add(s.Pointer, "overlay entry matches nothing: %s", s.Target)
	}
	if err = errors.Join(err, errs.err()); err != nil {
		return nil, err
	}
	return api, nil
}

// Read is [Load] for a document that the overlay has not been adapted to: it returns the entries that match
// nothing. The error joins the problems of the document.
func Read(in Input) (*ir.API, []Stale, error) {
	overlay := &Overlay{}
	if in.Overlay != nil {
		var err error
		if overlay, err = ParseOverlay(in.Overlay); err != nil {
			return nil, nil, err
		}
	}
	var catalogue *ir.Catalogue
	if in.Catalogue != nil {
		var err error
		if catalogue, err = Catalogue(in.Catalogue); err != nil {
			return nil, nil, err
		}
	}
	root, err := jsontree.Parse(in.Schema)
	if err != nil {
		return nil, nil, fmt.Errorf("schema: not JSON: %w", err)
	}
	if err := checkReferences(root); err != nil {
		return nil, nil, err
	}
	loader := openapi3.NewLoader()
	// The loader decodes each level again: reading white space would be half its work.
	doc, err := loader.LoadFromData([]byte(root.Compact()))
	if err != nil {
		return nil, nil, fmt.Errorf("schema: %w", err)
	}
	// Examples are compared with the types in the contract tests; checking them here as well would
	// take most of the generator's time.
	if err := doc.Validate(loader.Context, openapi3.DisableExamplesValidation()); err != nil {
		return nil, nil, fmt.Errorf("schema: %w", err)
	}
	l := &document{
		doc: doc, overlay: overlay, catalogue: catalogue, reserved: in.Reserved,
		types: map[typeKey]*ir.Type{}, undecidable: map[*ir.Type]string{},
		services: map[string]*ir.Service{},
		api: &ir.API{
			Title: doc.Info.Title, Version: doc.Info.Version, Description: doc.Info.Description,
			SchemaDate: text(doc.Info.Extensions, "x-schema-date"), ModulePath: in.ModulePath, Catalogue: catalogue,
		},
	}
	if !isSnapshotDate(l.api.SchemaDate) {
		l.errs.add("/info/x-schema-date", "the date of the document is needed, as YYYY-MM-DD, not %q", l.api.SchemaDate)
	}
	if !plainText(l.api.Version) {
		l.errs.add("/info/version", "%q cannot be the value of a header", l.api.Version)
	}
	l.leftOut(root)
	l.operations()
	l.finish()
	stale := overlay.parts(overlay.stale(l.api.SchemaDate))
	if err := l.errs.err(); err != nil {
		return nil, stale, err
	}
	return l.api, stale, nil
}

// checkReferences reports references that lead nowhere with their places, which the OpenAPI loader does not
// give.
func checkReferences(root *jsontree.Value) error {
	var errs problems
	root.Walk(func(pointer string, v *jsontree.Value) {
		ref := v.Get("$ref")
		if ref == nil || ref.Kind != jsontree.String {
			return
		}
		if target, ok := strings.CutPrefix(ref.Text, "#"); !ok || root.At(target) == nil {
			errs.add(jsontree.Join(pointer, "$ref"), "%q leads nowhere", ref.Text)
		}
	})
	return errs.err()
}

// typeKey distinguishes the types that one schema becomes.
type typeKey struct {
	schema string
	role   ir.Role
}

type document struct {
	doc       *openapi3.T
	overlay   *Overlay
	catalogue *ir.Catalogue
	api       *ir.API
	reserved  map[string]string
	types     map[typeKey]*ir.Type
	services  map[string]*ir.Service
	errs      problems

	undecidable map[*ir.Type]string // why no request can have a choice between objects
}

func text(extensions map[string]any, key string) string {
	s, _ := extensions[key].(string)
	return s
}

func flag(extensions map[string]any, key string) bool {
	b, _ := extensions[key].(bool)
	return b
}

// methodOrder is the order of a path's operations in the output.
var methodOrder = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

func (l *document) operations() {
	paths := l.doc.Paths.Map()
	for _, path := range sorted(paths) {
		item := paths[path]
		pointer := jsontree.Join("", "paths", path)
		operations := item.Operations()
		for _, method := range sorted(operations) {
			if !slices.Contains(methodOrder, method) {
				// HEAD, OPTIONS and TRACE only describe a resource.
				l.api.LeftOut = append(l.api.LeftOut, ir.LeftOut{Place: method + " " + path, Reason: "the SDK has no methods of this kind"})
			}
		}
		if len(item.Parameters) > 0 {
			l.errs.add(jsontree.Join(pointer, "parameters"), "parameters of a whole path are not supported")
		}
		for _, method := range methodOrder {
			place := method + " " + path
			if op := operations[method]; op != nil && l.overlay.Ignored(place) != nil {
				l.leaveOut(ir.LeftOut{Place: place})
			} else if op != nil {
				l.operation(method, path, op, jsontree.Join(pointer, strings.ToLower(method)))
			}
		}
	}
}

// operationID returns an operation's id: from the overlay, else by the rules for method and path, else the
// document's own if it has our form.
func (l *document) operationID(method, path, own string) string {
	if id := l.overlay.Operation(method, path); name.IsOperation(id) {
		return id
	}
	return name.ID(method, path, own)
}

func (l *document) operation(method, path string, src *openapi3.Operation, pointer string) {
	id := l.operationID(method, path, src.OperationID)
	if id == "" {
		l.errs.add(pointer, "no rule names %s %s, and its operationId %q is not of the form resource.method: add it to the overlay's operations", method, path, src.OperationID)
		return
	}
	resource, verb, _ := strings.Cut(id, ".")
	service := l.service(resource)
	op := &ir.Operation{
		Pointer: pointer, ID: id, Service: service, Var: "op" + name.Go(resource) + name.Go(verb),
		HTTPMethod: method, Path: path,
		Deprecated: src.Deprecated, Restricted: flag(src.Extensions, "x-restricted"), Note: l.overlay.note(id),
	}
	if len(src.Callbacks) > 0 {
		l.errs.add(jsontree.Join(pointer, "callbacks"), "callbacks are not supported")
	}
	query, hasKey := l.parameters(op, src.Parameters, jsontree.Join(pointer, "parameters"))
	op.Kind = l.kind(op, hasKey)
	l.reply(op, src.Responses, jsontree.Join(pointer, "responses"))
	l.methods(op, src, verb, query, pointer)
	service.Operations = append(service.Operations, op)
}

func (l *document) service(resource string) *ir.Service {
	if s := l.services[resource]; s != nil {
		return s
	}
	s := &ir.Service{
		Resource: resource, GoName: name.Go(resource), Noun: name.Noun(resource),
		TypeName: name.Go(name.Singular(resource)) + "Service",
	}
	for _, tag := range l.doc.Tags {
		if tag.Name == resource {
			s.Doc = tag.Description
		}
	}
	l.services[resource] = s
	return s
}

func (l *document) kind(op *ir.Operation, hasKey bool) ir.Kind {
	if k := l.overlay.kind(op.ID); k != "" {
		return k
	}
	switch op.HTTPMethod {
	case "GET":
		return ir.KindRead
	case "PUT":
		return ir.KindUpdate
	case "DELETE":
		return ir.KindDelete
	}
	// Only a create whose key the API honours can be retried without creating duplicates. A PATCH may change a
	// value relative to the old one, so it counts as an action.
	if op.HTTPMethod == "POST" && hasKey && !strings.Contains(op.Path, "/actions/") {
		return ir.KindCreate
	}
	return ir.KindAction
}

// parameters splits an operation's parameters into the path's, which become arguments, and the
// others, which become fields of the params.
func (l *document) parameters(op *ir.Operation, params openapi3.Parameters, pointer string) (fields []*ir.Field, hasKey bool) {
	for i, ref := range params {
		at := fmt.Sprintf("%s/%d", pointer, i)
		p := ref.Value
		switch {
		case p.In == "header" && strings.EqualFold(p.Name, "Idempotency-Key"):
			hasKey = true
		case p.In == "path":
			op.PathParams = append(op.PathParams, ir.PathParam{Name: p.Name, Doc: p.Description})
		case p.In == "query" || p.In == "header":
			if f := l.parameter(op, p, at); f != nil {
				fields = append(fields, f)
			}
		default:
			l.errs.add(jsontree.Join(at, "in"), "parameters in %q are not supported", p.In)
		}
	}
	l.pathParams(op, pointer)
	return fields, hasKey
}

// pathParams sorts the path parameters by their position in the path and names them.
func (l *document) pathParams(op *ir.Operation, pointer string) {
	position := func(p ir.PathParam) int { return strings.Index(op.Path, "{"+p.Name+"}") }
	slices.SortStableFunc(op.PathParams, func(a, b ir.PathParam) int { return position(a) - position(b) })
	taken := []string{"s", "ctx", "params", "opts"}
	for i := range op.PathParams {
		p := &op.PathParams[i]
		p.GoName = name.Argument(p.Name, len(op.PathParams))
		if slices.Contains(taken, p.GoName) || !token.IsIdentifier(p.GoName) {
			l.errs.add(pointer, "the path segment {%s} cannot be the name of an argument", p.Name)
		}
		taken = append(taken, p.GoName)
	}
	if strings.Count(op.Path, "{") != len(op.PathParams) {
		l.errs.add(pointer, "the path has %d variable segments, and %d are declared", strings.Count(op.Path, "{"), len(op.PathParams))
	}
}

func (l *document) parameter(op *ir.Operation, p *openapi3.Parameter, pointer string) *ir.Field {
	at := jsontree.Join(pointer, "schema")
	ref, nullable := l.use(p.Schema, at, ir.RoleFilter, p.Name)
	if ref == nil {
		return nil
	}
	f := l.field(p.Name, p.Schema, ref, at)
	f.Pointer, f.Doc, f.Required, f.Nullable, f.Deprecated = pointer, p.Description, p.Required, nullable, p.Deprecated
	f.In = ir.InQuery
	if p.In == "header" {
		f.In = ir.InHeader
	}
	if !fitsParameter(ref) {
		l.errs.add(at, "parameters of this type are not supported")
		return nil
	}
	exploded := p.Explode == nil || *p.Explode
	style := p.Style
	if s := l.overlay.style(op.ID, p.Name); s != "" {
		style = s
	}
	composite := ref.Kind == ir.Array || ref.Kind == ir.Metadata || ref.Kind == ir.StringMap || ref.Kind == ir.Named && ref.Type.Kind == ir.Object
	switch form := style == "" || style == "form"; {
	case (form || style == "simple") && !composite:
		f.Style = ir.Plain
	case f.In == ir.InQuery && style == "deepObject" && composite && ref.Kind != ir.Array:
		f.Style = ir.DeepObject
	case f.In == ir.InQuery && form && ref.Kind == ir.Array && exploded:
		f.Style = ir.Repeat
	case f.In == ir.InQuery && form && ref.Kind == ir.Array:
		f.Style = ir.Comma
	default:
		l.errs.add(pointer, "a parameter of style %q with this schema is not supported (deepObject for objects, form for arrays in the query)", style)
	}
	f.Pointered = ir.Pointered(ir.RoleParams, f.In, ref, f.Required, nullable)
	return f
}

// fitsParameter reports whether a parameter, or a member of one that is an object, can have a type.
func fitsParameter(r *ir.Ref) bool {
	switch r.Kind {
	case ir.Float, ir.AnyMap, ir.Map:
		return false
	case ir.Array:
		return r.Elem.Kind == ir.String || r.Elem.IsEnum()
	}
	return true
}

func (l *document) reply(op *ir.Operation, responses *openapi3.Responses, pointer string) {
	for _, status := range sorted(responses.Map()) {
		response := responses.Map()[status].Value
		switch status {
		case "default":
			continue
		case "204":
			// The method of an operation that may reply without a body never returns one.
			op.Status, op.Reply, op.ReplyEnvelope = 204, nil, ""
			continue
		case "200", "201":
			op.Status = int(status[0]-'0')*100 + int(status[2]-'0')
		case "202":
			op.Status = cmp.Or(op.Status, 202)
		default:
			l.errs.add(jsontree.Join(pointer, status), "status %s is not supported", status)
			continue
		}
		if status == "202" && len(response.Content) == 0 {
			op.Reply, op.ReplyEnvelope = nil, "" // accepted, without a result so far
			continue
		}
		at := jsontree.Join(pointer, status, "content", "application/json", "schema")
		media := response.Content.Get("application/json")
		if media == nil || media.Schema == nil {
			l.errs.add(jsontree.Join(pointer, status), "no application/json schema")
			continue
		}
		first, envelope, list := op.Reply, op.ReplyEnvelope, op.List
		l.replyBody(op, media.Schema, at)
		if first != nil && (op.Reply != first || op.ReplyEnvelope != envelope || op.List != list) {
			l.errs.add(jsontree.Join(pointer, status), "its body differs from that of another status: a method returns one type")
		}
	}
	if op.Status == 0 {
		l.errs.add(pointer, "no successful reply")
	}
}

// replyBody reads a reply: an envelope around an object or a list, or an object without an envelope.
func (l *document) replyBody(op *ir.Operation, schema *openapi3.SchemaRef, pointer string) {
	if schema.Ref != "" {
		ref, _ := l.use(schema, pointer, ir.RoleReply, "")
		if ref != nil && ref.Kind == ir.Named {
			op.Reply = ref.Type
		} else if ref != nil {
			l.errs.add(pointer, "a reply must be an object")
		}
		return
	}
	s := schema.Value
	l.understood(s, pointer, "Type", "Required", "Properties", "Description")
	if len(s.Required) != 1 {
		l.errs.add(jsontree.Join(pointer, "required"), "a reply must require exactly its envelope")
		return
	}
	op.ReplyEnvelope = s.Required[0]
	for _, key := range sorted(s.Properties) {
		at := jsontree.Join(pointer, "properties", key)
		ref, _ := l.use(s.Properties[key], at, ir.RoleReply, key)
		switch {
		case ref == nil:
		case key == op.ReplyEnvelope && ref.Kind == ir.Named:
			op.Reply = ref.Type
		case key == op.ReplyEnvelope && ref.Kind == ir.Array && ref.Elem.Kind == ir.Named:
			op.Reply, op.List = ref.Elem.Type, true
		case key == "meta" && ref.Kind == ir.Named:
		case key == "linked" && ref.Kind == ir.Named:
			op.Linked = ref.Type
		default:
			l.errs.add(at, "not understood in a reply: envelope, meta or linked expected")
		}
	}
	if op.Reply == nil {
		l.errs.add(pointer, "the envelope %q has no object or list", op.ReplyEnvelope)
	}
}

type variant struct {
	Name        string `json:"name"`
	Params      string `json:"params"`
	Summary     string `json:"summary"`
	Description string `json:"description"`
}

func (l *document) methods(op *ir.Operation, src *openapi3.Operation, verb string, query []*ir.Field, pointer string) {
	op.Cursors = op.List && slices.ContainsFunc(query, func(f *ir.Field) bool { return f.Name == "after" })
	m := &ir.Method{GoName: name.Go(verb), Summary: src.Summary, Doc: src.Description}
	if op.Cursors {
		m.AllName = "All" + strings.TrimPrefix(m.GoName, "List")
	}
	if src.RequestBody == nil {
		if len(query) > 0 {
			m.Params = &ir.Type{Pointer: jsontree.Join(pointer, "parameters"), GoName: name.Params(op.Service.Resource, verb), Doc: "Parameters of " + op.ID + ".", Role: ir.RoleParams, Fields: query, Home: op.Service.Resource}
			l.types[typeKey{"operation " + op.ID, ir.RoleParams}] = m.Params
		}
		op.Methods = []*ir.Method{m}
		return
	}
	at := jsontree.Join(pointer, "requestBody")
	body := src.RequestBody.Value
	media := body.Content.Get("application/json")
	if !body.Required || media == nil || media.Schema == nil || len(body.Content) != 1 {
		l.errs.add(at, "a request body must be required and have an application/json schema only")
		return
	}
	at = jsontree.Join(at, "content", "application/json", "schema")
	s := media.Schema.Value
	if media.Schema.Ref != "" || len(s.Properties) != 1 || len(s.Required) != 1 {
		l.errs.add(at, "a request body must be an inline object with its envelope as the one required property")
		return
	}
	l.understood(s, at, "Type", "Required", "Properties", "Description")
	op.RequestEnvelope = s.Required[0]
	inner := s.Properties[op.RequestEnvelope]
	at = jsontree.Join(at, "properties", op.RequestEnvelope)
	if inner == nil {
		l.errs.add(at, "the required envelope has no schema")
		return
	}
	if inner.Ref == "" && len(inner.Value.OneOf) > 0 {
		l.variants(op, src, inner.Value, query, pointer, at)
		return
	}
	m.Params = l.params(op, inner, query, at)
	op.Methods = []*ir.Method{m}
}

// variants adds a method for each form of the request body.
func (l *document) variants(op *ir.Operation, src *openapi3.Operation, schema *openapi3.Schema, query []*ir.Field, pointer, at string) {
	raw, err := json.Marshal(src.Extensions["x-variants"])
	var variants []variant
	if err == nil {
		err = json.Unmarshal(raw, &variants)
	}
	if err != nil || len(variants) != len(schema.OneOf) {
		l.errs.add(jsontree.Join(pointer, "x-variants"), "a request body with oneOf needs x-variants that name a method for each")
		return
	}
	for i, v := range variants {
		var match *openapi3.SchemaRef
		for _, candidate := range schema.OneOf {
			if candidate.Ref == v.Params {
				match = candidate
			}
		}
		if match == nil {
			l.errs.add(fmt.Sprintf("%s/%d", jsontree.Join(pointer, "x-variants"), i), "%s is not among the forms of the request body", v.Params)
			continue
		}
		op.Methods = append(op.Methods, &ir.Method{
			GoName: name.Go(v.Name), Variant: v.Name, Summary: v.Summary, Doc: v.Description,
			Params: l.params(op, match, query, at),
		})
	}
}

func (l *document) params(op *ir.Operation, schema *openapi3.SchemaRef, query []*ir.Field, pointer string) *ir.Type {
	ref, _ := l.use(schema, pointer, ir.RoleParams, "")
	if ref == nil {
		return nil
	}
	if schema.Ref == "" || ref.Kind != ir.Named || ref.Type.Kind != ir.Object {
		l.errs.add(pointer, "the params of an operation must be a named object schema")
		return nil
	}
	t := ref.Type
	if t.Home != "" {
		l.errs.add(pointer, "%s is already the params of another operation", t.Schema)
		return t
	}
	t.Home = op.Service.Resource
	t.Fields = append(t.Fields, query...)
	return t
}

// finish resolves what needs the whole document: the order of its parts, homes, how to read a created
// resource again, and the uniqueness of names.
func (l *document) finish() {
	for _, resource := range sorted(l.services) {
		l.api.Services = append(l.api.Services, l.services[resource])
	}
	for _, t := range l.types {
		slices.SortStableFunc(t.Fields, fieldOrder)
		l.api.Types = append(l.api.Types, t)
	}
	slices.SortFunc(l.api.Types, func(a, b *ir.Type) int { return strings.Compare(a.GoName, b.GoName) })
	for _, s := range l.api.Services {
		var get *ir.Operation
		for _, op := range s.Operations {
			if op.ID == s.Resource+".get" {
				get = op
			}
		}
		for _, op := range s.Operations {
			if op.Kind == ir.KindCreate && get != nil && get.Reply == op.Reply && !get.Methods[0].HasParams() && len(get.PathParams) == 1 {
				op.Read = get
			}
		}
	}
	slices.SortFunc(l.api.LeftOut, func(a, b ir.LeftOut) int { return strings.Compare(a.Place, b.Place) })
	l.homes()
	l.unique()
}

func fieldOrder(a, b *ir.Field) int {
	if (a.Name == "id") != (b.Name == "id") {
		if a.Name == "id" {
			return -1
		}
		return 1
	}
	return strings.Compare(a.Name, b.Name)
}

// homes assigns each type that only one resource uses to that resource's file.
func (l *document) homes() {
	users := map[*ir.Type]map[string]bool{}
	var visit func(t *ir.Type, resource string)
	visit = func(t *ir.Type, resource string) {
		if t == nil || users[t][resource] {
			return
		}
		if users[t] == nil {
			users[t] = map[string]bool{}
		}
		users[t][resource] = true
		for _, f := range t.Fields {
			visit(f.Type.Innermost().Type, resource)
		}
	}
	for s, op := range l.api.Operations() {
		for _, m := range op.Methods {
			visit(m.Params, s.Resource)
		}
		visit(op.Reply, s.Resource)
		visit(op.Linked, s.Resource)
	}
	for _, t := range l.api.Types {
		t.Home = ""
		if len(users[t]) == 1 {
			t.Home = sorted(users[t])[0]
		}
		// A resource's own type belongs to the resource, whatever else refers to it.
		for _, s := range l.api.Services {
			if t.Role == ir.RoleReply && t.GoName == strings.TrimSuffix(s.TypeName, "Service") {
				t.Home = s.Resource
			}
		}
	}
}

// wireName matches the names that members and parameters may have: they appear in struct tags.
var wireName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

var snapshotDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[b-z]?$`)

// isSnapshotDate reports whether s is a date, with a letter if the day had a snapshot before.
func isSnapshotDate(s string) bool {
	if !snapshotDate.MatchString(s) {
		return false
	}
	_, err := time.Parse(time.DateOnly, s[:len(time.DateOnly)])
	return err == nil
}

// plainText reports whether s has characters, none of them control characters.
func plainText(s string) bool {
	return s != "" && strings.IndexFunc(s, unicode.IsControl) < 0
}
