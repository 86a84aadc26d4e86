package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Side is one of the two documents of a comparison.
type Side struct {
	Doc   *openapi.Document
	Names *Names // nil for names by rule
}

// Compare reports the changes from old to revised.
func Compare(old, revised Side) (*Report, error) {
	c := &comparison{old: old, new: revised, changes: map[string]*Change{}}
	c.document()
	c.operations()
	c.documentation()
	if err := c.crossCheck(); err != nil {
		return nil, err
	}
	r := &Report{Old: old.Doc.Date, New: revised.Doc.Date, Changes: c.list()}
	for _, change := range r.Changes {
		r.Bump = max(r.Bump, BumpOf(change.Class))
	}
	return r, nil
}

type comparison struct {
	old, new Side
	changes  map[string]*Change
	docs     map[string]*docChange
}

// at is the current place of the comparison.
type at struct {
	op      *openapi.Operation // in the new document, or in the old one if gone
	methods []string
	side    side
	// internal marks what handwritten code reads: errors and the cursors of a list. Their schemas do not
	// become Go types.
	internal bool
	wire     string // members from the body's root, as oasdiff writes them: "payments/items/links"
}

func (a at) in(member string) at {
	a.wire = strings.Trim(a.wire+"/"+member, "/")
	return a
}

func operationKey(o *openapi.Operation) string { return o.Method + " " + o.Shape() }

// add records a change. The same change in several operations, because they share a schema, becomes one change
// with all of them and the most severe class.
func (c *comparison) add(a at, change Change) {
	if a.internal {
		change.Before, change.After = "", ""
		if change.Class == Breaking {
			change.Advice = "Upgrade: the library contains the code that reads it. Your code does not change."
		}
	}
	key := change.Code + "\x00" + change.Pointer + "\x00" + change.Text
	have := c.changes[key]
	if have == nil {
		have = &change
		have.resources, have.places = map[string]bool{}, map[place]bool{}
		c.changes[key] = have
	}
	if change.Class > have.Class {
		have.Class, have.Advice, have.Before, have.After = change.Class, change.Advice, change.Before, change.After
	}
	if a.op == nil {
		return
	}
	for _, m := range a.methods {
		if !slices.Contains(have.Operations, m) {
			have.Operations = append(have.Operations, m)
		}
	}
	have.resources[resourceOf(a.op)] = true
	have.places[place{operationKey(a.op), a.wire}] = true
}

func (c *comparison) list() []Change {
	list := make([]Change, 0, len(c.changes))
	inReplies := map[string]bool{} // places that may be null in replies
	for _, change := range c.changes {
		inReplies[change.Pointer] = inReplies[change.Pointer] || change.Code == "reply-null-allowed"
	}
	for _, key := range slices.Sorted(maps.Keys(c.changes)) {
		change := c.changes[key]
		if change.Code == "request-null-allowed" && inReplies[change.Pointer] {
			continue // requests and replies share the description, and null applies to the reply
		}
		slices.Sort(change.Operations)
		slices.Sort(change.Rules)
		change.Rules = slices.Compact(change.Rules)
		if home := change.home(); home != "" {
			change.Resource = home
		}
		list = append(list, *change)
	}
	slices.SortStableFunc(list, func(a, b Change) int {
		return cmp.Or(int(b.Class)-int(a.Class), strings.Compare(a.Resource, b.Resource), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Text, b.Text))
	})
	return list
}

// home returns the resource that a change belongs to: the only one that it concerns, or the one after which its
// type is named.
func (c *Change) home() string {
	if len(c.resources) == 1 {
		return slices.Sorted(maps.Keys(c.resources))[0]
	}
	best := ""
	for resource := range c.resources {
		if strings.HasPrefix(c.Subject, goName(name.Singular(resource))) && len(resource) > len(best) {
			best = resource
		}
	}
	return best
}

// document compares what concerns the whole API.
func (c *comparison) document() {
	old, revised := c.old.Doc, c.new.Doc
	if old.Version != revised.Version {
		c.add(at{}, Change{
			Class: Breaking, Code: "api-version-changed", Pointer: "/info/version", Subject: "GoCardless-Version",
			Text:   fmt.Sprintf("The API's version changed from %s to %s; the SDK sends it as the GoCardless-Version header.", old.Version, revised.Version),
			Advice: "Read the API's own upgrade notes: a new version may change any reply.",
		})
	}
	if old.Title != revised.Title {
		c.describe(at{}, "/info", "API", "the API", "title")
	}
	if !sameText(old.Description, revised.Description) {
		c.describe(at{}, "/info", "API", "the API", "description")
	}
	for _, s := range old.Servers {
		if !slices.ContainsFunc(revised.Servers, func(t openapi.Server) bool { return t.URL == s.URL }) {
			c.add(at{}, Change{
				Class: Breaking, Code: "server-removed", Pointer: "/servers", Subject: s.URL,
				Text:   fmt.Sprintf("The API is no longer served at %s.", s.URL),
				Advice: "Upgrade; programs that set this address with WithBaseURL must use another one.",
			})
		}
	}
	for _, s := range revised.Servers {
		if !slices.ContainsFunc(old.Servers, func(t openapi.Server) bool { return t.URL == s.URL }) {
			c.add(at{}, Change{
				Class: Addition, Code: "server-added", Pointer: "/servers", Subject: s.URL,
				Text: fmt.Sprintf("The API is now also served at %s.", s.URL),
			})
		}
	}
	if a, b := old.Security(), revised.Security(); a != b {
		c.add(at{}, Change{
			Class: Breaking, Code: "security-changed", Pointer: "/security", Subject: "authentication",
			Text:   fmt.Sprintf("The authentication of calls changed from %s to %s.", a, b),
			Advice: "Check how your code creates the client: the access token may no longer be enough.",
		})
	}
	for _, place := range revised.LeftOut() {
		if !slices.Contains(old.LeftOut(), place) {
			c.add(at{}, Change{
				Class: Documentation, Code: "left-out", Pointer: jsontree.Join("/info", ir.LeftOutKey), Subject: place,
				Text: fmt.Sprintf("The API has %s, which this library leaves out.", place),
			})
		}
	}
	for _, t := range revised.Tags {
		for _, u := range old.Tags {
			if t.Name == u.Name && !sameText(t.Description, u.Description) {
				c.describe(at{}, t.Pointer, "client."+goName(t.Name), "client."+goName(t.Name), "")
				c.docs["client."+goName(t.Name)].resource = t.Name
			}
		}
	}
}

// operations compares the operations of the two documents.
func (c *comparison) operations() {
	olds := c.splitVariants()
	pairs, taken := c.pairOperations(olds)
	for _, o := range olds {
		if n := pairs[o]; n != nil {
			c.operation(o, n)
		} else {
			c.removed(o)
		}
	}
	for _, n := range c.new.Doc.Operations {
		if !taken[n] {
			c.added(n)
		}
	}
}

// pairOperations pairs the old operations with new ones, which are then taken: by method and path, or
// else by id.
func (c *comparison) pairOperations(olds []*openapi.Operation) (pairs map[*openapi.Operation]*openapi.Operation, taken map[*openapi.Operation]bool) {
	pairs, taken = map[*openapi.Operation]*openapi.Operation{}, map[*openapi.Operation]bool{}
	for _, o := range olds {
		if n := c.new.Doc.Operation(o.Method, o.Shape()); n != nil {
			pairs[o], taken[n] = n, true
		}
	}
	for _, o := range olds {
		if pairs[o] != nil {
			continue
		}
		i := slices.IndexFunc(c.new.Doc.Operations, func(n *openapi.Operation) bool { return !taken[n] && operationID(n) == operationID(o) })
		if i >= 0 {
			n := c.new.Doc.Operations[i]
			pairs[o], taken[n] = n, true
		}
	}
	return pairs, taken
}

func (c *comparison) added(n *openapi.Operation) {
	for _, m := range c.new.Names.methodsOf(n) {
		c.add(at{op: n, methods: []string{m}}, Change{
			Class: Addition, Code: "operation-added", Pointer: n.Pointer, Subject: m,
			Text: fmt.Sprintf("%s was added (%s %s).", m, n.Method, n.Path),
		})
	}
}

// splitVariants returns the old operations. Where the new document has an operation for each form of a body,
// it returns one for each form.
func (c *comparison) splitVariants() []*openapi.Operation {
	var out []*openapi.Operation
	for _, o := range c.old.Doc.Operations {
		parts := o.SplitVariants()
		apart := slices.ContainsFunc(parts, func(p *openapi.Operation) bool {
			return slices.ContainsFunc(c.new.Doc.Operations, func(n *openapi.Operation) bool { return operationID(n) == p.ID })
		})
		if !apart {
			parts = []*openapi.Operation{o}
		}
		out = append(out, parts...)
	}
	return out
}

func (c *comparison) removed(o *openapi.Operation) {
	for _, m := range c.old.Names.methodsOf(o) {
		advice := "Remove the calls: the API refuses them."
		if o.Deprecated {
			advice = "It was deprecated before. " + advice
		}
		c.add(at{op: o, methods: []string{m}}, Change{
			Class: Breaking, Code: "operation-removed", Pointer: o.Pointer, Subject: m,
			Text:   fmt.Sprintf("%s was removed (%s %s).", m, o.Method, o.Path),
			Advice: advice,
			Before: c.old.call(o, m), After: "// removed",
		})
	}
}

// call returns a call of a method with its arguments.
func (s Side) call(o *openapi.Operation, method string) string {
	args := []string{"ctx"}
	for segment := range strings.SplitSeq(o.Path, "/") {
		id, variable := strings.CutPrefix(segment, "{")
		if variable {
			args = append(args, name.Argument(strings.TrimSuffix(id, "}"), strings.Count(o.Path, "{")))
		}
	}
	if t := s.Names.paramsOf(o, method); t != "" {
		args = append(args, "gocardless."+t+"{ /* … */ }")
	}
	return method + "(" + strings.Join(args, ", ") + ")"
}

// envelope returns the one member of a request body and its schema.
func envelope(s *openapi.Schema) (string, *openapi.Schema) {
	d := s.Def()
	if len(d.Properties) == 1 {
		return d.Properties[0].Name, d.Properties[0].Schema
	}
	return "", nil
}

func (c *comparison) operation(o, n *openapi.Operation) {
	a := at{op: n, methods: c.new.Names.methodsOf(n)}
	before, after := c.old.Names.methodsOf(o), a.methods
	c.methods(a, o, n, before, after)
	if o.Method != n.Method || o.Shape() != n.Shape() {
		change := Change{
			Class: Breaking, Code: "operation-moved", Pointer: n.Pointer, Subject: after[0],
			Text:   fmt.Sprintf("%s moved from %s %s to %s %s.", list(after), o.Method, o.Path, n.Method, n.Path),
			Advice: "Upgrade: released versions call the old path, which the API no longer serves.",
		}
		if o.Variant != "" {
			// The new path of a form is an alias: the old one remains.
			change.Class, change.Advice = Behaviour, "Your code does not change. Released versions keep calling the old path."
		}
		c.add(a, change)
		gone := a
		gone.op = o // oasdiff reports the removal of the old path
		c.add(gone, change)
	}
	if !o.Deprecated && n.Deprecated {
		c.add(a, Change{
			Class: Behaviour, Code: "operation-deprecated", Pointer: n.Pointer, Subject: after[0],
			Text:   fmt.Sprintf("%s is deprecated.", list(after)),
			Advice: "Its documentation names the replacement.",
		})
	} else if o.Deprecated && !n.Deprecated {
		c.add(a, Change{
			Class: Documentation, Code: "operation-undeprecated", Pointer: n.Pointer, Subject: after[0],
			Text: fmt.Sprintf("%s is no longer deprecated.", list(after)),
		})
	}
	c.restricted(a, n.Pointer, list(after), o.Restricted, n.Restricted)
	if !sameText(o.Description, n.Description) || !sameText(o.Summary, n.Summary) {
		c.describe(a, n.Pointer, after[0], list(after), "")
	}
	c.params(a, o, n)
	c.body(a, o, n)
	c.replies(a, o, n)
}

func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// methods compares the Go methods of an operation: a single method may be renamed, and variants may be added or
// removed.
func (c *comparison) methods(a at, o, n *openapi.Operation, before, after []string) {
	if len(before) == 1 && len(after) == 1 {
		if before[0] != after[0] {
			c.add(a, Change{
				Class: Breaking, Code: "operation-renamed", Pointer: n.Pointer, Subject: after[0],
				Text:   fmt.Sprintf("%s is now called %s.", before[0], after[0]),
				Advice: "Call it by its new name.",
				Before: c.old.call(o, before[0]), After: c.new.call(n, after[0]),
			})
		}
		return
	}
	if n.Body != nil {
		key, _ := envelope(n.Body.Schema)
		a = a.in(key)
	}
	for _, m := range before {
		if !slices.Contains(after, m) {
			c.add(a, Change{
				Class: Breaking, Code: "variant-removed", Pointer: n.Pointer, Subject: m,
				Text:   fmt.Sprintf("%s was removed; call %s instead.", m, list(after)),
				Advice: fmt.Sprintf("Call %s.", list(after)),
				Before: c.old.call(o, m), After: c.new.call(n, after[0]),
			})
		}
	}
	for _, m := range after {
		if !slices.Contains(before, m) {
			c.add(a, Change{
				Class: Addition, Code: "variant-added", Pointer: n.Pointer, Subject: m,
				Text: fmt.Sprintf("%s was added (%s %s).", m, n.Method, n.Path),
			})
		}
	}
}

// restricted compares the mark of operations and fields that GoCardless must enable. In a document without any
// such mark, its absence has no meaning.
func (c *comparison) restricted(a at, pointer, what string, old, revised bool) {
	if old == revised {
		return
	}
	class := Behaviour
	if !c.old.Doc.Says("x-restricted") || !c.new.Doc.Says("x-restricted") {
		class = Documentation
	}
	if revised {
		c.add(a, Change{
			Class: class, Code: "restricted", Pointer: pointer, Subject: what,
			Text:   fmt.Sprintf("%s must be enabled for an account before it can be used.", what),
			Advice: "Ask GoCardless to enable it; until then calls fail with ErrPermission.",
		})
		return
	}
	c.add(a, Change{
		Class: class, Code: "unrestricted", Pointer: pointer, Subject: what,
		Text: fmt.Sprintf("%s is open to every account.", what),
	})
}

func (c *comparison) deprecated(a at, pointer, what string, old, revised bool) {
	switch {
	case !old && revised:
		c.add(a, Change{
			Class: Behaviour, Code: "deprecated", Pointer: pointer, Subject: what,
			Text:   fmt.Sprintf("%s is deprecated.", what),
			Advice: "Its documentation names the replacement.",
		})
	case old && !revised:
		c.add(a, Change{
			Class: Documentation, Code: "undeprecated", Pointer: pointer, Subject: what,
			Text: fmt.Sprintf("%s is no longer deprecated.", what),
		})
	}
}
