package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Parse reads a document from JSON.
func Parse(data []byte) (*Document, error) {
	root, err := jsontree.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("not a JSON document: %w", err)
	}
	return Read(root)
}

// Read returns the model of a document. It fails if the document is not OpenAPI or has broken references.
// Constructs that the model cannot hold are listed in Problems.
func Read(root *jsontree.Value) (*Document, error) {
	if root.Kind != jsontree.Object {
		return nil, errors.New("not an OpenAPI document: an object is expected")
	}
	version := root.Get("openapi").Str()
	switch {
	case root.Has("swagger"):
		return nil, errors.New("/swagger: Swagger 2 is not supported; OpenAPI 3.0 or 3.1 is needed")
	case version == "":
		return nil, errors.New("not an OpenAPI document: /openapi is missing")
	case !strings.HasPrefix(version, "3.0") && !strings.HasPrefix(version, "3.1"):
		return nil, fmt.Errorf("/openapi: version %q is not supported; 3.0 or 3.1 is needed", version)
	}
	paths := root.Get("paths")
	if paths == nil || paths.Kind != jsontree.Object || len(paths.Members) == 0 {
		return nil, errors.New("/paths: a document without operations")
	}
	info := root.Get("info")
	d := &Document{
		Root: root, OpenAPI: version,
		Title: info.Get("title").Str(), Version: info.Get("version").Str(),
		Date: info.Get("x-schema-date").Str(), Description: info.Get("description").Str(),
		components: map[string]*Schema{}, says: map[string]bool{},
	}
	r := &reader{doc: d, refs: map[string]*Schema{}}
	r.sides()
	for _, s := range items(root.Get("servers")) {
		d.Servers = append(d.Servers, Server{s.Get("url").Str(), s.Get("description").Str()})
	}
	for i, t := range items(root.Get("tags")) {
		d.Tags = append(d.Tags, Tag{fmt.Sprintf("/tags/%d", i), t.Get("name").Str(), t.Get("description").Str()})
	}
	if schemas := root.At("/components/schemas"); schemas != nil {
		for _, m := range schemas.Members {
			d.components[m.Name] = r.component(m.Name, m.Value)
		}
	}
	for _, p := range paths.Members {
		r.path(p.Name, p.Value)
	}
	if len(r.broken) > 0 {
		return nil, JoinErrors(r.broken)
	}
	d.unions()
	return d, nil
}

func items(v *jsontree.Value) []*jsontree.Value {
	if v == nil {
		return nil
	}
	return v.Items
}

type reader struct {
	doc    *Document
	refs   map[string]*Schema // by side and reference
	broken []error
	depth  int

	sided map[string]bool // references to schemas that differ by side; "#" if there are any
	side  string          // the side that is being read: "", request or reply
}

// The sides on which a schema with readOnly or writeOnly properties differs.
const (
	request = "request"
	reply   = "reply"
)

// sides finds the components that differ by side, because they have such properties or refer to components
// that do.
func (r *reader) sides() {
	r.sided = map[string]bool{}
	users := map[string][]string{}
	mark := func(pointer string) {
		for queue := []string{"#" + pointer}; len(queue) > 0; queue = queue[1:] {
			if ref := queue[0]; !r.sided[ref] {
				r.sided[ref] = true
				queue = append(queue, users[ref]...)
			}
		}
	}
	component := func(pointer string) string {
		steps := strings.SplitN(pointer, "/", 5)
		if len(steps) < 4 || steps[1] != "components" {
			return ""
		}
		return strings.Join(steps[:4], "/")
	}
	r.doc.Root.Walk(func(pointer string, v *jsontree.Value) {
		if ref := v.Get("$ref").Str(); ref != "" {
			users[ref] = append(users[ref], "#"+component(pointer))
		}
	})
	r.doc.Root.Walk(func(pointer string, v *jsontree.Value) {
		if v.Get("readOnly").True() || v.Get("writeOnly").True() {
			mark("")
			mark(component(pointer))
		}
	})
}

// sideOf returns the side on which a reference is read, or "" if its target is the same on both.
func (r *reader) sideOf(ref string) string {
	if r.sided[ref] || !strings.HasPrefix(ref, ir.SchemaPrefix) {
		return r.side
	}
	return ""
}

// on reads something for one side.
func (r *reader) on(side string, read func()) {
	if before := r.side; r.sided["#"] {
		r.side = side
		defer func() { r.side = before }()
	}
	read()
}

// hides reports whether the side that is being read lacks a property.
func (r *reader) hides(property *jsontree.Value) bool {
	return r.side == request && property.Get("readOnly").True() || r.side == reply && property.Get("writeOnly").True()
}

// MaxErrors limits the places that an error lists: one habit of an author can appear in hundreds of places.
const MaxErrors = 20

// JoinErrors joins errors, each once, or returns nil if there are none.
func JoinErrors(errs []error) error {
	var all []error
	said := map[string]bool{}
	for _, err := range errs {
		if text := err.Error(); !said[text] {
			said[text] = true
			all = append(all, err)
		}
	}
	if more := len(all) - MaxErrors; more > 0 {
		all = append(all[:MaxErrors], fmt.Errorf("and %d more places", more))
	}
	return errors.Join(all...)
}

// is reports whether a part of the document has the JSON kind that OpenAPI requires. If not, it records a
// problem: otherwise the part would seem to be empty.
func (r *reader) is(v *jsontree.Value, kind jsontree.Kind, at string) bool {
	if v == nil || v.Kind == kind {
		return true
	}
	what := "an object"
	if kind == jsontree.Array {
		what = "a list"
	}
	r.problem(at, "%s is expected here", what)
	return false
}

func (r *reader) problem(pointer, format string, args ...any) {
	r.doc.Problems = append(r.doc.Problems, Problem{pointer, fmt.Sprintf(format, args...)})
}

// follow resolves references of parameters, bodies, replies and path items.
func (r *reader) follow(v *jsontree.Value, pointer string) (*jsontree.Value, string) {
	for range maxReferences {
		ref := v.Get("$ref")
		if ref == nil {
			return v, pointer
		}
		target, to := r.lookUp(ref.Str(), jsontree.Join(pointer, "$ref"))
		if target == nil {
			return &jsontree.Value{Kind: jsontree.Object}, pointer
		}
		v, pointer = target, to
	}
	r.broken = append(r.broken, Problem{pointer, "references form a loop"})
	return &jsontree.Value{Kind: jsontree.Object}, pointer
}

// lookUp returns the target of a reference and its JSON pointer. It returns nil after recording that the
// reference leads nowhere.
func (r *reader) lookUp(ref, at string) (*jsontree.Value, string) {
	fragment, here := strings.CutPrefix(ref, "#")
	if !here {
		r.broken = append(r.broken, Problem{at, fmt.Sprintf("%q leads nowhere in this document: bundle both into one file first", ref)})
		return nil, ""
	}
	// A reference is a URL, so the pointer in it may be percent-encoded.
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		pointer = fragment
	}
	v := r.doc.Root.At(pointer)
	if v == nil {
		r.broken = append(r.broken, Problem{at, fmt.Sprintf("%q leads nowhere in this document", ref)})
	}
	return v, pointer
}

var methods = []string{"get", "put", "post", "delete", "patch", "options", "head", "trace"}

func (r *reader) path(path string, v *jsontree.Value) {
	at := jsontree.Join("", "paths", path)
	if strings.HasPrefix(path, "x-") {
		return
	}
	if !strings.HasPrefix(path, "/") {
		r.problem(at, "a path must begin with a slash")
		return
	}
	v, at = r.follow(v, at)
	r.is(v, jsontree.Object, at)
	r.is(v.Get("parameters"), jsontree.Array, jsontree.Join(at, "parameters"))
	for _, m := range v.Members {
		if slices.Contains(methods, m.Name) && r.is(m.Value, jsontree.Object, jsontree.Join(at, m.Name)) {
			r.operation(path, m.Name, m.Value, v.Get("parameters"), at)
		}
	}
}

func (r *reader) operation(path, method string, v, shared *jsontree.Value, pathPointer string) {
	at := jsontree.Join(pathPointer, method)
	o := &Operation{
		Pointer: at, Method: strings.ToUpper(method), Path: path, ID: v.Get("operationId").Str(),
		Tags: v.Get("tags").Strings(), Summary: v.Get("summary").Str(), Description: v.Get("description").Str(),
		Deprecated: v.Get("deprecated").True(), Restricted: v.Get("x-restricted").True(),
	}
	r.note("operation:", v, "deprecated", "x-restricted")
	r.note("", v, "deprecated", "x-restricted", "x-variants")
	r.is(v.Get("parameters"), jsontree.Array, jsontree.Join(at, "parameters"))
	for i, p := range items(v.Get("parameters")) {
		r.param(o, p, fmt.Sprintf("%s/parameters/%d", at, i))
	}
	for i, p := range items(shared) {
		r.param(o, p, fmt.Sprintf("%s/parameters/%d", pathPointer, i))
	}
	for i, x := range items(v.Get("x-variants")) {
		o.Variants = append(o.Variants, Variant{
			fmt.Sprintf("%s/x-variants/%d", at, i),
			x.Get("name").Str(), strings.TrimPrefix(x.Get("params").Str(), ir.SchemaPrefix), x.Get("summary").Str(), x.Get("description").Str(),
		})
	}
	o.Beside = beside(v)
	if body := v.Get("requestBody"); body != nil {
		body, bodyAt := r.follow(body, jsontree.Join(at, "requestBody"))
		var schema *Schema
		r.on(request, func() { schema = r.media(body, bodyAt) })
		o.noteMedia("request", body)
		if schema != nil {
			o.Body = &Body{Pointer: bodyAt, Required: body.Get("required").True(), Schema: schema}
		}
	}
	r.on(reply, func() { r.replies(o, v.Get("responses"), jsontree.Join(at, "responses")) })
	r.doc.Operations = append(r.doc.Operations, o)
}

// beside describes what an operation states without a field in the model.
func beside(v *jsontree.Value) []string {
	var out []string
	if security := v.Get("security"); security != nil {
		out = append(out, "has an authentication of its own, "+security.Compact())
	}
	if v.Has("callbacks") {
		out = append(out, "has callbacks")
	}
	if v.Has("servers") {
		out = append(out, "is served at addresses of its own")
	}
	if replies := v.Get("responses"); replies != nil && replies.Kind == jsontree.Object {
		for _, reply := range replies.Members {
			for _, header := range reply.Value.Get("headers").Names() {
				out = append(out, "replies with the header "+header)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// note records that the document uses keywords.
func (r *reader) note(prefix string, v *jsontree.Value, keywords ...string) {
	for _, k := range keywords {
		if v.Has(k) {
			r.doc.says[prefix+k] = true
		}
	}
}

func (r *reader) param(o *Operation, v *jsontree.Value, at string) {
	v, at = r.follow(v, at)
	p := &Param{
		Pointer: at, In: v.Get("in").Str(), Name: v.Get("name").Str(), Description: v.Get("description").Str(),
		Required: v.Get("required").True(), Deprecated: v.Get("deprecated").True(), Style: v.Get("style").Str(),
	}
	r.note("", v, "deprecated", "style", "explode")
	r.doc.says["in:"+p.In] = true
	if p.In == "header" {
		r.doc.says["header:"+strings.ToLower(p.Name)] = true
	}
	if p.Name == "" || p.In == "" {
		r.problem(at, "a parameter needs a name and a place")
		return
	}
	if o.Param(p.In, p.Name) != nil {
		return // the operation's own parameter overrides the path's
	}
	if p.Style == "" {
		p.Style = map[string]string{"query": "form"}[p.In]
		if p.Style == "" {
			p.Style = "simple"
		}
	}
	p.Explode = p.Style == "form"
	if e := v.Get("explode"); e != nil {
		p.Explode = e.True()
	}
	if p.Style == "deepObject" {
		p.Explode = true // deepObject has no other form
	}
	if schema := v.Get("schema"); schema != nil {
		p.Schema = r.schema(schema, jsontree.Join(at, "schema"))
	} else if p.Schema = r.media(v, at); p.Schema == nil {
		r.problem(at, "a parameter needs a schema")
		return
	}
	if p.In == "cookie" {
		r.problem(at, "cookie parameters are not supported")
	}
	// In OpenAPI 3.0 the example of a parameter is often next to its schema.
	if len(p.Schema.Examples) == 0 && v.Has("example") {
		p.Schema.Examples = []*jsontree.Value{v.Get("example")}
	}
	o.Params = append(o.Params, p)
}

// media returns the schema of the JSON content of a body, reply or parameter, or nil without content.
func (r *reader) media(v *jsontree.Value, at string) *Schema {
	content := v.Get("content")
	if content == nil || len(content.Members) == 0 {
		return nil
	}
	for _, m := range content.Members {
		if jsonMedia(m.Name) {
			at = jsontree.Join(at, "content", m.Name, "schema")
			if m.Value.Has("schema") {
				return r.schema(m.Value.Get("schema"), at)
			}
		}
	}
	r.problem(jsontree.Join(at, "content"), "no JSON content with a schema, only %s", strings.Join(content.Names(), ", "))
	return nil
}

func jsonMedia(name string) bool {
	kind, _, _ := strings.Cut(name, ";")
	kind = strings.TrimSpace(strings.ToLower(kind))
	return kind == "application/json" || strings.HasSuffix(kind, "+json") || kind == "*/*"
}

// noteMedia records the media types of a body or reply besides JSON.
func (o *Operation) noteMedia(what string, v *jsontree.Value) {
	for _, name := range v.Get("content").Names() {
		if other := what + " as " + name; !jsonMedia(name) && !slices.Contains(o.Media, other) {
			o.Media = append(o.Media, other)
		}
	}
}

func (r *reader) replies(o *Operation, v *jsontree.Value, at string) {
	if v == nil {
		r.problem(at, "an operation needs responses")
		return
	}
	r.is(v, jsontree.Object, at)
	var other *Reply // the reply "default"
	for _, m := range v.Members {
		reply, replyAt := r.follow(m.Value, jsontree.Join(at, m.Name))
		switch {
		case strings.HasPrefix(m.Name, "2"):
			schema := r.media(reply, replyAt)
			o.noteMedia("reply", reply)
			o.Replies = append(o.Replies, &Reply{Pointer: replyAt, Status: strings.ToUpper(m.Name), Schema: schema})
		case m.Name == "default":
			schema := r.media(reply, replyAt)
			other = &Reply{Pointer: replyAt, Status: AnyStatus, Schema: schema}
		case m.Name >= "4" && m.Name < "6":
			o.Refusals = append(o.Refusals, m.Name)
			if o.Failure == nil && strings.HasPrefix(m.Name, "4") {
				o.Failure = r.media(reply, replyAt)
			}
		}
	}
	switch {
	case other == nil || other.Schema == nil:
	case len(o.Replies) == 0 && other.Schema.Def().Property("error") == nil:
		// The default reply is the successful one, because it is not a refusal and there is no other.
		o.Replies = append(o.Replies, other)
	default:
		o.Failure = other.Schema
	}
	slices.SortFunc(o.Replies, func(a, b *Reply) int { return strings.Compare(a.Status, b.Status) })
	if len(o.Replies) == 0 {
		r.problem(at, "no successful reply")
	}
}
