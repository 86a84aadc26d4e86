package adopt

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// A construct that is not understood blocks only its own place. The place is removed from the source, and
// the adoption starts again: a new operation is left out, and so is a new member or parameter of an operation
// that ours has. A member or parameter that ours has stays unchanged. info records these places with the
// reasons, and a release waits until the maintainer has decided about them.

// leftOut holds the places of a source that are not adopted.
type leftOut struct {
	reasons map[string]string // by place
	keeps   map[string]bool   // members and parameters of ours that stay unchanged
	params  map[string]bool   // parameters of the source, as paramPlace names them
}

func newLeftOut() *leftOut {
	return &leftOut{map[string]string{}, map[string]bool{}, map[string]bool{}}
}

// paramPlace returns the place of a parameter, such as GET /payments?status.
func paramPlace(o *openapi.Operation, p *openapi.Param) string {
	return o.Method + " " + ourPath(o.Path) + "?" + p.Name
}

// dropParams removes the parameters that are left out from a source.
func (l *leftOut) dropParams(source *openapi.Document) {
	for _, o := range source.Operations {
		o.Params = slices.DeleteFunc(o.Params, func(p *openapi.Param) bool {
			gone := l.params[paramPlace(o, p)]
			if gone {
				source.Problems = slices.DeleteFunc(source.Problems, func(q openapi.Problem) bool { return within(q.Pointer, p.Pointer) })
			}
			return gone
		})
	}
}

// ignored removes from a source the places that the overlay ignores, and operations such as HEAD that have no
// method in the SDK. It returns notes about the latter.
func (l *leftOut) ignored(source *openapi.Document, rules *load.Overlay) (rest *openapi.Document, notes []string, err error) {
	var pointers []string
	for _, op := range source.Operations {
		place := op.Method + " " + ourPath(op.Path)
		if slices.Contains([]string{"HEAD", "OPTIONS", "TRACE"}, op.Method) {
			pointers, notes = append(pointers, op.Pointer), append(notes, place+" is ignored: it only describes a resource and needs no method")
		} else if e := rules.Ignored(place); e != nil {
			pointers, l.reasons[place] = append(pointers, op.Pointer), e.Reason
		}
		for _, p := range op.Params {
			place := paramPlace(op, p)
			if e := rules.Ignored(place); e != nil {
				l.reasons[place], l.params[place] = e.Reason, true
			}
		}
	}
	for _, e := range rules.Ignore {
		if strings.HasPrefix(e.Place, "/") && source.Root.At(e.Place) != nil {
			pointers, l.reasons[e.Place] = append(pointers, e.Place), e.Reason
		}
	}
	rest, err = without(source, pointers, nil)
	return rest, notes, err
}

// without returns a document without some operations and members. Only members that ours keeps stay in the
// lists of required members.
func without(d *openapi.Document, pointers []string, kept map[string]bool) (*openapi.Document, error) {
	if len(pointers) == 0 {
		return d, nil
	}
	root := d.Root.Clone()
	for _, pointer := range pointers {
		parent, name := cutLast(pointer)
		at := root.At(parent)
		if at == nil {
			continue
		}
		at.Delete(name)
		above, last := cutLast(parent)
		switch schema := root.At(above); {
		case above == "/paths" && len(at.Members) == 0:
			schema.Delete(last)
		case !kept[pointer] && last == "properties" && schema.Get("required") != nil:
			required := schema.Get("required")
			required.Items = slices.DeleteFunc(required.Items, func(v *jsontree.Value) bool { return v.Text == name })
		}
	}
	return openapi.Read(root)
}

// cutLast splits a pointer into its parent and its last token.
func cutLast(pointer string) (parent, last string) {
	i := strings.LastIndexByte(pointer, '/')
	if i < 0 {
		return "", ""
	}
	return pointer[:i], jsontree.Unescape(pointer[i+1:])
}

// without returns the source without the given places.
func (m *merger) without(pointers []string) (*openapi.Document, error) {
	kept := map[string]bool{}
	for _, p := range pointers {
		kept[p] = len(m.counterparts[p]) > 0 || m.pinAround(p) != ""
	}
	return without(m.src, pointers, kept)
}

// unsupported returns the places of the source to leave out because of the problems so far: new operations,
// and members and parameters of others. The error joins the problems that no such place can settle.
func (m *merger) unsupported(left *leftOut) (pointers []string, err error) {
	var elsewhere []error
	sources := newReach(m.src.Root)
	for _, e := range m.errs {
		p := pointerOf(e)
		if place := m.pinAround(p); place != "" {
			pointers = append(pointers, place)
			continue
		}
		if _, alone := errors.AsType[keywordProblem](e); alone {
			left.add(p, e)
			pointers = append(pointers, p)
			continue
		}
		owners := sources.owners(p, m.src.Operations)
		if len(owners) == 0 && strings.HasPrefix(p, "/components/") {
			continue // nothing uses it
		}
		places := m.leave(left, sources, p, owners, e)
		if places == nil {
			elsewhere = append(elsewhere, e)
		}
		pointers = append(pointers, places...)
	}
	return pointers, openapi.JoinErrors(elsewhere)
}

// leave records what is left out because of a problem in a place of the source, and returns its pointers, or
// nil if the place cannot be left out.
func (m *merger) leave(left *leftOut, sources *reach, pointer string, owners []*openapi.Operation, problem error) (pointers []string) {
	if len(owners) > 0 && !slices.ContainsFunc(owners, func(o *openapi.Operation) bool { return !slices.Contains(m.fresh, o) }) {
		for _, o := range owners {
			left.add(o.Method+" "+ourPath(o.Path), problem)
			pointers = append(pointers, o.Pointer)
		}
		return pointers
	}
	if _, naming := errors.AsType[nameProblem](problem); naming {
		return nil
	}
	members, params, ok := sources.users(pointer, owners)
	if !ok {
		return nil
	}
	for _, p := range params {
		pointers = append(pointers, left.leaveParam(p, problem))
	}
	for _, member := range members {
		pointers = append(pointers, m.leaveMember(left, member, problem))
	}
	return pointers
}

// operationParam is a parameter of an operation.
type operationParam struct {
	operation *openapi.Operation
	param     *openapi.Param
}

// leaveParam leaves a parameter of the source out, and returns its pointer. Its counterpart in ours stays, if
// there is one.
func (l *leftOut) leaveParam(p operationParam, problem error) string {
	place := paramPlace(p.operation, p.param)
	l.params[place], l.keeps[place] = true, true
	l.add(place, problem)
	return p.param.Pointer
}

// leaveMember leaves a member of the source out, and returns it. Its counterpart in ours stays, if there is
// one.
func (m *merger) leaveMember(left *leftOut, member string, problem error) string {
	ours := m.counterparts[member]
	if len(ours) == 0 {
		left.add(member, problem)
	}
	for _, place := range ours {
		left.keeps[place] = true
		left.add(place, problem)
	}
	return member
}

// pinAround returns the pinned member that contains a place of the source, or "".
func (m *merger) pinAround(pointer string) string {
	for _, pin := range m.opts.Rules.Pins {
		if pin.Keep == "member" && within(pointer, pin.Place) && m.src.Root.At(pin.Place) != nil {
			return pin.Place
		}
	}
	return ""
}

func (l *leftOut) add(place string, err error) {
	if l.reasons[place] == "" {
		l.reasons[place] = err.Error()
	}
}

// within reports whether a pointer is a place or lies below it.
func within(pointer, place string) bool { return strings.HasPrefix(pointer+"/", place+"/") }

// pointerOf returns the pointer of an error, or "".
func pointerOf(err error) string {
	if p, ok := errors.AsType[openapi.Problem](err); ok {
		return p.Pointer
	}
	return ""
}

// check asks the generator which parts of the result it does not understand, and returns the places of the
// source to leave out because of them. Other problems show when code is generated from the result.
func (m *merger) check(left *leftOut) (pointers []string, err error) {
	if m.opts.Check == nil {
		return nil, nil
	}
	problems := m.opts.Check(m.root.Format())
	if len(problems) == 0 {
		return nil, nil
	}
	result, err := openapi.Read(m.root)
	if err != nil {
		return nil, err
	}
	ours := newReach(m.root)
	for _, e := range problems {
		p, ok := errors.AsType[*load.Problem](e)
		if !ok {
			continue
		}
		source := func(o *openapi.Operation) *openapi.Operation { return m.added[o.Method+" "+o.Path] }
		fresh := func(pointer string) []*openapi.Operation {
			owners := ours.owners(pointer, result.Operations)
			if slices.ContainsFunc(owners, func(o *openapi.Operation) bool { return source(o) == nil }) {
				return nil
			}
			return owners
		}
		owners := fresh(p.Pointer)
		if owners == nil && p.Other != "" {
			owners = fresh(p.Other) // of two with the same name, the new one yields
		}
		if owners != nil {
			for _, o := range owners {
				left.add(o.Method+" "+o.Path, e)
				pointers = append(pointers, source(o).Pointer)
			}
			continue
		}
		if p.Name {
			continue // the flag -name settles it
		}
		pointers = append(pointers, m.leaveResult(left, ours, p.Pointer, ours.owners(p.Pointer, result.Operations), e)...)
	}
	return pointers, nil
}

// leaveResult does the same as leave for a place of the result.
func (m *merger) leaveResult(left *leftOut, ours *reach, pointer string, owners []*openapi.Operation, problem error) (pointers []string) {
	members, params, ok := ours.users(pointer, owners)
	if !ok {
		return nil
	}
	for _, p := range params {
		if s := m.src.Operation(p.operation.Method, p.operation.Shape()); s != nil {
			if q := s.Param(p.param.In, p.param.Name); q != nil {
				pointers = append(pointers, left.leaveParam(operationParam{s, q}, problem))
			}
		}
	}
	for _, member := range members {
		for _, from := range m.sourcesOf(member) {
			pointers = append(pointers, m.leaveMember(left, from, problem))
		}
	}
	return pointers
}

// sourcesOf returns the members of the source from which a member of the result comes.
func (m *merger) sourcesOf(member string) []string {
	if m.sources == nil {
		m.sources = map[string][]string{}
		m.root.Walk(func(pointer string, v *jsontree.Value) {
			if from := m.origin[v]; from != "" {
				m.sources[pointer] = append(m.sources[pointer], from)
			}
		})
		for _, from := range slices.Sorted(maps.Keys(m.counterparts)) {
			for _, place := range m.counterparts[from] {
				m.sources[place] = append(m.sources[place], from)
			}
		}
	}
	return m.sources[member]
}

// record writes the places that are left out into the result, and returns notes about them. A recorded
// reason stays, so that an entry in the overlay does not change the document.
func (m *merger) record(left *leftOut, rules *load.Overlay) (notes []string) {
	info := m.root.Get("info")
	before := info.Get(ir.LeftOutKey)
	if len(left.reasons) == 0 {
		info.Delete(ir.LeftOutKey)
		return nil
	}
	places := jsontree.NewObject()
	for _, place := range slices.Sorted(maps.Keys(left.reasons)) {
		reason := left.reasons[place]
		if have := before.Get(place).Str(); have != "" {
			reason = have
		}
		places.Set(place, jsontree.NewString(reason))
		out := ir.LeftOut{Place: place, Reason: rules.ReasonFor(place), Kept: load.HasPlace(m.root, place)}
		if out.Reason == "" {
			out.Reason, out.Open = left.reasons[place], true
		}
		notes = append(notes, out.String())
	}
	info.Set(ir.LeftOutKey, places)
	return notes
}

// reach finds the operations of a document that use a place.
type reach struct {
	root  *jsontree.Value
	parts map[string][]string // places that an operation refers to, by its pointer
	uses  map[string][]string // places that refer to one
}

func newReach(root *jsontree.Value) *reach { return &reach{root: root, parts: map[string][]string{}} }

// owners returns the operations that a place belongs to.
func (r *reach) owners(pointer string, operations []*openapi.Operation) []*openapi.Operation {
	var out []*openapi.Operation
	for _, o := range operations {
		if slices.ContainsFunc(r.of(o), func(part string) bool { return within(pointer, part) }) {
			out = append(out, o)
		}
	}
	return out
}

// users returns the members of objects and the parameters that a place belongs to: the innermost one around it
// or, for a definition, those that refer to it. It reports false if the place also belongs to something else.
func (r *reach) users(pointer string, owners []*openapi.Operation) (members []string, params []operationParam, ok bool) {
	queue := []string{pointer}
	for i := 0; i < len(queue); i++ {
		if member := memberAround(queue[i]); member != "" {
			if !slices.Contains(members, member) {
				members = append(members, member)
			}
			continue
		}
		steps := strings.SplitN(queue[i], "/", 5)
		if len(steps) < 4 || steps[1] != "components" || steps[2] != "schemas" {
			p, found := paramAround(owners, queue[i])
			if !found {
				return nil, nil, false
			}
			params = append(params, p)
			continue
		}
		for _, use := range r.usesOf(strings.Join(steps[:4], "/")) {
			if !slices.Contains(queue, use) {
				queue = append(queue, use)
			}
		}
	}
	return members, params, true
}

// usesOf returns the places that refer to a place.
func (r *reach) usesOf(place string) []string {
	if r.uses == nil {
		r.uses = map[string][]string{}
		r.root.Walk(func(at string, v *jsontree.Value) {
			if target, ok := strings.CutPrefix(v.Get("$ref").Str(), "#"); ok {
				r.uses[target] = append(r.uses[target], at)
			}
		})
	}
	return r.uses[place]
}

// paramAround returns the parameter that contains a place.
func paramAround(operations []*openapi.Operation, pointer string) (p operationParam, found bool) {
	for _, o := range operations {
		for _, p := range o.Params {
			if within(pointer, p.Pointer) {
				return operationParam{o, p}, true
			}
		}
	}
	return p, false
}

// memberAround returns the innermost member of an object that contains a place, or "". The envelope of a body
// does not count.
func memberAround(pointer string) string {
	steps := strings.Split(pointer, "/")
	member := ""
	for i := 1; i+1 < len(steps); i++ {
		if steps[i] != "properties" {
			continue
		}
		if steps[i-1] != "schema" || !slices.Contains(steps[:i], "content") {
			member = strings.Join(steps[:i+2], "/")
		}
		i++ // the member's name, which may be "properties" too
	}
	return member
}

// of returns the place of an operation, the place of its path's parameters, and the places that both refer to.
func (r *reach) of(o *openapi.Operation) []string {
	if parts := r.parts[o.Pointer]; parts != nil {
		return parts
	}
	item, _ := cutLast(o.Pointer)
	parts := []string{o.Pointer, item + "/parameters"}
	for i := 0; i < len(parts); i++ {
		at := r.root.At(parts[i])
		if at == nil {
			continue
		}
		at.Walk(func(_ string, v *jsontree.Value) {
			if target, ok := strings.CutPrefix(v.Get("$ref").Str(), "#"); ok && !slices.Contains(parts, target) {
				parts = append(parts, target)
			}
		})
	}
	r.parts[o.Pointer] = parts
	return parts
}
