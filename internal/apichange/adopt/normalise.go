// Package adopt adopts a description of the API that need not be in our form. It pairs the description with
// the vendored document, operation by operation and schema by schema, and adopts the changes in meaning.
// Names, order and descriptions stay ours.
//
// If a document never uses a keyword, its absence has no meaning: a vendor who writes no maxLength has not
// lifted the limits that we know, and OpenAPI 3.0 cannot express conditions.
package adopt

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Options decide what the document itself does not.
type Options struct {
	// Rules is the generator's overlay; nil for none.
	Rules *load.Overlay
	// Names gives new schemas a name, by their JSON pointer in the source.
	Names map[string]string
	// Reserved holds the Go names that no schema may get, with the place that has each.
	Reserved map[string]string
	// Words means that the source's descriptions are our own and can be adopted unchanged.
	Words bool
	// Check returns what the generator does not understand in a document in our form. Nil skips this check.
	Check func(document []byte) []error
	// Lock holds the fingerprints of the descriptions that the vendored document was last updated
	// from, by place.
	Lock map[string]string
}

// Normalised is a foreign document in our form.
type Normalised struct {
	Root  *jsontree.Value
	Lock  map[string]string // fingerprints of the source's descriptions
	Notes []string          // for the maintainer, such as what was left out

	Source *openapi.Document // without what was left out
	Kept   map[string]bool   // members and parameters of ours that stay although the source states them differently
}

// Normalise rewrites source in the form of the vendored document. Whatever both state alike stays as the
// vendored document has it, byte for byte, so a source with the same meaning results in the vendored
// document.
func Normalise(vendored, source *openapi.Document, opts Options) (*Normalised, error) {
	for pointer := range opts.Names {
		if source.Root.At(pointer) == nil {
			return nil, openapi.Problem{Pointer: pointer, Message: "-name names this place, but the source does not have it"}
		}
	}
	if opts.Rules == nil {
		opts.Rules = &load.Overlay{}
	}
	left := newLeftOut()
	source, aside, err := left.ignored(source, opts.Rules)
	for err == nil {
		left.dropParams(source)
		groupBrackets(source)
		m := newMerger(vendored, source, opts)
		m.left = left
		var pointers []string
		if pointers, err = m.normalise(left); err == nil && len(pointers) == 0 {
			m.notes = slices.Concat(m.notes, aside, m.stalePins(), m.record(left, opts.Rules))
			return &Normalised{Root: m.root, Lock: m.lock, Notes: m.notes, Source: source, Kept: left.keeps}, nil
		}
		if err == nil {
			source, err = m.without(pointers)
		}
	}
	return nil, err
}

func newMerger(vendored, source *openapi.Document, opts Options) *merger {
	return &merger{
		ours: vendored, src: source, opts: opts, foreign: source.Date == "", root: vendored.Root.Clone(),
		raw: map[string]*jsontree.Value{}, pairs: map[string]*pairing{}, added: map[string]*openapi.Operation{},
		sigs: map[*openapi.Schema]string{}, named: map[string]string{}, lock: map[string]string{},
		usedPins: map[*load.Pin]bool{}, unlisted: map[string]bool{},
		byDef: map[*openapi.Schema]string{}, built: map[*openapi.Schema]string{},
		counterparts: map[string][]string{}, origin: map[*jsontree.Value]string{},
	}
}

// normalise builds the result. It returns the places of the source that must be left out first, if there are
// any, or the error that leaving them out cannot settle.
func (m *merger) normalise(left *leftOut) (pointers []string, err error) {
	for _, p := range m.src.Problems {
		m.fail(p.Pointer, "%s", p.Message)
	}
	if err := m.splitVariants(); err != nil {
		return nil, err
	}
	m.pairOperations()
	m.pairSchemas()
	if pointers, err = m.unsupported(left); err != nil || len(pointers) > 0 {
		return pointers, err
	}
	m.root.Walk(func(pointer string, v *jsontree.Value) { m.raw[pointer] = v })
	for place, print := range m.opts.Lock {
		m.lock[place] = print
	}
	before := m.reachable()
	m.info()
	m.chooseGroups()
	m.mergeOperations()
	m.mergeComponents()
	m.addOperations()
	m.prune(before)
	if pointers, err = m.unsupported(left); err != nil || len(pointers) > 0 {
		return pointers, err
	}
	return m.check(left)
}

type merger struct {
	ours, src *openapi.Document
	opts      Options
	foreign   bool                       // the source is not in our form: what it omits may still hold
	root      *jsontree.Value            // the result; begins as a copy of ours
	raw       map[string]*jsontree.Value // nodes of the result by their pointer in ours
	pairs     map[string]*pairing        // by name of our component
	sigs      map[*openapi.Schema]string
	byDef     map[*openapi.Schema]string // our component for a definition of the source
	bySig     map[string][]string        // our components by what they mean
	named     map[string]string          // new components by meaning
	built     map[*openapi.Schema]string // new components by definition
	usedPins  map[*load.Pin]bool         // pins that made a difference
	unlisted  map[string]bool            // enums of ours that the source describes as a string somewhere
	members   map[[2]string]int          // how often a member refers to a component of ours
	texts     map[string]string          // our descriptions by their words
	ops       []opPair
	gone      []*openapi.Operation
	fresh     []*openapi.Operation
	added     map[string]*openapi.Operation // those of fresh, by their method and path in the result
	lock      map[string]string
	notes     []string
	errs      []error

	left         *leftOut
	counterparts map[string][]string        // members of ours by their counterpart in the source
	origin       map[*jsontree.Value]string // places in the source of new members of the result
	sources      map[string][]string        // members of the source by the members of the result that come from them
}

type opPair struct{ ours, src *openapi.Operation }

func (m *merger) fail(pointer, format string, args ...any) {
	m.errs = append(m.errs, openapi.Problem{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// nameProblem is a problem with a name, which a flag settles: nothing is left out because of it.
type nameProblem struct{ openapi.Problem }

func (p nameProblem) Unwrap() error { return p.Problem }

// keywordProblem is a problem with one keyword, which is left out by itself.
type keywordProblem struct{ openapi.Problem }

func (p keywordProblem) Unwrap() error { return p.Problem }

func (m *merger) failName(pointer, format string, args ...any) {
	m.errs = append(m.errs, nameProblem{openapi.Problem{Pointer: pointer, Message: fmt.Sprintf(format, args...)}})
}

func (m *merger) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

var dateForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// info adopts the API's version. Vendors also number their documents there, so only a date counts as a value
// of the GoCardless-Version header.
func (m *merger) info() {
	if v := m.src.Version; v != m.ours.Version && dateForm.MatchString(v) {
		m.raw["/info/version"].Text = v
	} else if v != m.ours.Version {
		m.note("info/version of the source is %q, not a date: kept %s", v, m.ours.Version)
	}
	m.security()
	if m.opts.Words {
		m.takeWords()
	}
	for _, s := range m.src.Servers {
		if m.foreign && !slices.ContainsFunc(m.ours.Servers, func(o openapi.Server) bool { return o.URL == strings.TrimSuffix(s.URL, "/") }) {
			m.note("the source names another server, %s: the vendored ones are kept", s.URL)
		}
	}
}

// takeWords adopts the source's descriptions of the API and its resources.
func (m *merger) takeWords() {
	info := m.raw["/info"]
	if m.src.Title != "" {
		info.Set("title", jsontree.NewString(m.src.Title))
	}
	m.words(info, "/info", m.src.Description, nil)
	for _, ours := range m.ours.Tags {
		for _, theirs := range m.src.Tags {
			if ours.Name == theirs.Name {
				m.words(m.raw[ours.Pointer], ours.Pointer, theirs.Description, nil)
			}
		}
	}
}

// security adopts how calls are authenticated, if the source states it.
func (m *merger) security() {
	had, has := m.ours.Security(), m.src.Security()
	if has == "" || had == has {
		return
	}
	m.root.Set("security", m.src.Root.Get("security").Clone())
	m.root.Get("components").Set("securitySchemes", m.src.Root.At("/components/securitySchemes").Clone())
}

// unadopted notes what a foreign source states about refusals, media types and the like, which handwritten
// code reads. For a source in our form, the comparison finds such statements.
func (m *merger) unadopted(o, s *openapi.Operation) {
	if !m.foreign {
		return
	}
	for _, status := range s.Refusals {
		if !slices.Contains(o.Refusals, status) && !m.src.UsualRefusal(status) {
			m.note("%s: may be refused with status %s, which needs no code of its own", s.Pointer, status)
		}
	}
	for _, words := range s.Beside {
		if !slices.Contains(o.Beside, words) && !m.src.UsuallyBeside(words) {
			m.note("%s: %s: not followed", s.Pointer, words)
		}
	}
	for _, media := range s.Media {
		if !slices.Contains(o.Media, media) {
			m.note("%s: the API also knows its %s: JSON is kept", s.Pointer, media)
		}
	}
}

// pairOperations pairs operations by method and path, and the remaining ones by id.
func (m *merger) pairOperations() {
	taken := map[*openapi.Operation]bool{}
	var left []*openapi.Operation
	for _, o := range m.ours.Operations {
		if s := m.src.Operation(o.Method, o.Shape()); s != nil && !taken[s] {
			m.ops, taken[s] = append(m.ops, opPair{o, s}), true
		} else {
			left = append(left, o)
		}
	}
	for _, o := range left {
		if s := m.src.ByID(o.ID); s != nil && !taken[s] {
			m.ops, taken[s] = append(m.ops, opPair{o, s}), true
		} else {
			m.gone = append(m.gone, o)
		}
	}
	for _, s := range m.src.Operations {
		if taken[s] {
			continue
		}
		if other := m.src.Operation(s.Method, s.Shape()); other != s {
			m.fail(s.Pointer, "is the same operation as %s", other.Pointer)
			continue
		}
		m.fresh = append(m.fresh, s)
	}
	if len(m.ops) == 0 {
		m.fail("/paths", "none of the vendored operations is among these %d: is this a description of the same API, with paths such as %s?", len(m.src.Operations), m.ours.Operations[0].Path)
	}
}

func (m *merger) pairSchemas() {
	for _, p := range m.ops {
		m.pairOperation(p.ours, p.src)
	}
}

func (m *merger) pairOperation(o, s *openapi.Operation) {
	for _, p := range o.Params {
		if q := s.Param(p.In, p.Name); q != nil {
			m.pair(openapi.InQuery, p.Schema, q.Schema)
		}
	}
	if o.Body != nil && s.Body != nil {
		m.pairEnvelope(openapi.InRequest, o.Body.Schema, s.Body.Schema)
	}
	if r, q := o.Reply(), m.replyOf(o, s); r != nil && q != nil && r.Schema != nil && q.Schema != nil {
		m.pairEnvelope(openapi.InReply, r.Schema, q.Schema)
	}
	if m.sameFailure(o, s) {
		m.pairEnvelope(openapi.InMeta, o.Failure, s.Failure)
	}
}

// sameFailure reports whether both describe refusals in the envelope "error". Vendors often describe none, or
// one from their documentation tool.
func (m *merger) sameFailure(o, s *openapi.Operation) bool {
	return o.Failure != nil && s.Failure != nil && s.Failure.Def().Property("error") != nil && s.Failure.Def().Property("error").IsObject()
}

// replyOf returns the reply of the source that corresponds to ours: the one with our status, if it exists.
func (m *merger) replyOf(o, s *openapi.Operation) *openapi.Reply {
	if mine := o.Reply(); mine != nil {
		for _, r := range s.Replies {
			if r.Status == mine.Status {
				return r
			}
		}
	}
	return s.Reply()
}

func (m *merger) pairEnvelope(place openapi.Place, o, s *openapi.Schema) {
	od, sd := o.Def(), s.Def()
	if od.Component != "" {
		m.pair(place, o, s)
		return
	}
	for _, p := range od.Properties {
		if q := sd.Property(p.Name); q != nil {
			m.pair(placeOf(place, p.Name), p.Schema, q)
		} else if len(od.Properties) == 1 && len(sd.Properties) == 1 {
			m.pair(place, p.Schema, sd.Properties[0].Schema) // the envelope has another name
		}
	}
}

// placeOf returns the place of a member of the object around a body.
func placeOf(around openapi.Place, member string) openapi.Place {
	if around == openapi.InReply && openapi.BesideEnvelope(member) {
		return openapi.InMeta
	}
	return around
}

// methodOrder is the order of a path's methods where our document has none.
var methodOrder = []string{"post", "get", "put", "patch", "delete"}

func (m *merger) mergeOperations() {
	paths := m.root.Get("paths")
	for _, o := range m.gone {
		m.removeOperation(paths, o)
	}
	for _, p := range m.ops {
		m.mergeOperation(p.ours, p.src)
		if p.ours.Method != p.src.Method || p.ours.Shape() != p.src.Shape() {
			m.removeOperation(paths, p.ours)
			m.place(paths, p.src, m.raw[p.ours.Pointer])
		}
	}
}

func (m *merger) removeOperation(paths *jsontree.Value, o *openapi.Operation) {
	item := paths.Get(o.Path)
	item.Delete(strings.ToLower(o.Method))
	if len(item.Members) == 0 {
		paths.Delete(o.Path)
	}
}

// place adds an operation to its path, with our names for the variable segments.
func (m *merger) place(paths *jsontree.Value, s *openapi.Operation, op *jsontree.Value) {
	path := ourPath(s.Path)
	item := paths.Get(path)
	if item == nil {
		item = &jsontree.Value{Kind: jsontree.Object}
		paths.SetSorted(path, item)
	}
	item.SetOrdered(strings.ToLower(s.Method), op, methodOrder)
}

var segment = regexp.MustCompile(`\{[^}]*\}`)

// ourPath returns a path with our names for its variable segments: the last is identity, the others are named
// after their collection, such as creditor_id.
func ourPath(path string) string {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	last := true
	for i := len(segments) - 1; i > 0; i-- {
		if !segment.MatchString(segments[i]) {
			continue
		}
		own := "identity"
		if !last {
			own = name.Singular(segments[i-1]) + "_id"
		}
		segments[i], last = segment.ReplaceAllLiteralString(segments[i], "{"+own+"}"), false
	}
	return strings.Join(segments, "/")
}

var operationKeys = []string{"operationId", "tags", "summary", "description", "x-description-source", "deprecated", "x-restricted", "parameters", "requestBody", "x-variants", "responses"}

func (m *merger) mergeOperation(o, s *openapi.Operation) {
	raw := m.raw[o.Pointer]
	if m.src.Says("operation:deprecated") {
		flag(raw, "deprecated", s.Deprecated, operationKeys)
	}
	if m.src.Says("operation:x-restricted") {
		flag(raw, "x-restricted", s.Restricted, operationKeys)
	}
	text := s.Description
	if text == "" {
		text = s.Summary
	}
	m.words(raw, o.Pointer, text, operationKeys)
	if m.opts.Words && s.Summary != "" {
		raw.SetOrdered("summary", jsontree.NewString(Plain(s.Summary)), operationKeys)
	}
	c := scope{resource: resourceOf(o.ID), owner: ownerOf(o.ID)}
	m.mergeParams(c, raw, o, s)
	m.mergeBody(c, raw, o, s)
	m.mergeReply(c, raw, o, s)
	m.unadopted(o, s)
}

// flag sets or deletes a boolean that is only ever written when true.
func flag(raw *jsontree.Value, key string, on bool, order []string) {
	if raw.Get(key).True() == on {
		return
	}
	if on {
		raw.SetOrdered(key, jsontree.NewBool(true), order)
	} else {
		raw.Delete(key)
	}
}

func resourceOf(id string) string {
	resource, _, _ := strings.Cut(id, ".")
	return resource
}

// ownerOf returns the prefix of the names of an operation's own types: PaymentCreate.
func ownerOf(id string) string {
	resource, verb, _ := strings.Cut(id, ".")
	return pascal(name.Singular(resource)) + pascal(verb)
}

func pascal(snake string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(snake, func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ' ' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// groupBrackets turns parameters such as created_at[gte] into members of one parameter of the style
// deepObject, as in our form.
func groupBrackets(d *openapi.Document) {
	for _, o := range d.Operations {
		var out []*openapi.Param
		groups := map[string]*openapi.Param{}
		for _, p := range o.Params {
			base, member, ok := strings.Cut(strings.TrimSuffix(p.Name, "]"), "[")
			if p.In != "query" || !ok || member == "" || !strings.HasSuffix(p.Name, "]") {
				out = append(out, p)
				continue
			}
			g := groups[base]
			if g == nil {
				g = &openapi.Param{
					Pointer: p.Pointer, In: "query", Name: base, Style: "deepObject", Explode: true,
					Schema: &openapi.Schema{Pointer: p.Pointer + "/schema", Type: "object"},
				}
				groups[base] = g
				out = append(out, g)
			}
			member = strings.ReplaceAll(member, "][", "_")
			use := *p.Schema
			if use.Description == "" {
				use.Description = p.Description
			}
			g.Schema.Properties = append(g.Schema.Properties, openapi.Property{Name: member, Schema: &use})
		}
		o.Params = out
	}
}

// prune removes components that nothing refers to, and the tags of resources without
// operations.
func (m *merger) prune(before map[string]bool) {
	after := m.reachable()
	if schemas := m.root.At("/components/schemas"); schemas != nil {
		schemas.Members = slices.DeleteFunc(schemas.Members, func(c jsontree.Member) bool {
			return !after[c.Name] && (before[c.Name] || m.ours.Component(c.Name) == nil)
		})
	}
	used := map[string]bool{}
	for _, path := range m.root.Get("paths").Members {
		for _, op := range path.Value.Members {
			for _, tag := range op.Value.Get("tags").Strings() {
				used[tag] = true
			}
		}
	}
	if tags := m.root.Get("tags"); tags != nil {
		tags.Items = slices.DeleteFunc(tags.Items, func(t *jsontree.Value) bool { return !used[t.Get("name").Str()] })
	}
}

// reachable returns the names of the components that operations refer to.
func (m *merger) reachable() map[string]bool {
	seen := map[string]bool{}
	schemas := m.root.At("/components/schemas")
	var visit func(v *jsontree.Value)
	visit = func(v *jsontree.Value) {
		if v == nil {
			return
		}
		v.Walk(func(_ string, v *jsontree.Value) {
			if name, ok := strings.CutPrefix(v.Get("$ref").Str(), ir.SchemaPrefix); ok && !seen[name] {
				seen[name] = true
				visit(schemas.Get(name))
			}
		})
	}
	visit(m.root.Get("paths"))
	for _, part := range []string{"responses", "parameters", "requestBodies"} {
		visit(m.root.At("/components/" + part))
	}
	return seen
}

func paramOrder(a, b *jsontree.Value) int {
	rank := func(p *jsontree.Value) int {
		if p.Has("$ref") {
			return 3
		}
		return map[string]int{"path": 0, "query": 1, "header": 2}[p.Get("in").Str()]
	}
	return cmp.Or(rank(a)-rank(b), strings.Compare(a.Get("name").Str(), b.Get("name").Str()))
}
