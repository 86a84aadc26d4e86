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

// A construct that is not understood blocks its own operation, not the rest: an operation that ours does
// not have yet is left out of the source, and the adoption starts again. One that ours has must not
// vanish like that. What is left out is recorded in info, by place, with the reason.

// leftOut are the places of a source that ours does not take over.
type leftOut map[string]string

// ignored takes out of a source what the overlay wants to be left out, and what has no method in any SDK,
// which it notes.
func (l leftOut) ignored(source *openapi.Document, rules *Rules) (rest *openapi.Document, notes []string, err error) {
	var pointers []string
	for _, op := range source.Operations {
		place := op.Method + " " + ourPath(op.Path)
		if slices.Contains([]string{"HEAD", "OPTIONS", "TRACE"}, op.Method) {
			pointers, notes = append(pointers, op.Pointer), append(notes, place+" is left aside: it only describes a resource and needs no method")
		} else if reason := rules.reasonToIgnore(place); reason != "" {
			pointers, l[place] = append(pointers, op.Pointer), reason
		}
	}
	if rules != nil {
		for _, e := range rules.ignore {
			if strings.HasPrefix(e.Place, "/") && source.Root.At(e.Place) != nil {
				pointers, l[e.Place] = append(pointers, e.Place), e.Reason
			}
		}
	}
	rest, err = without(source, pointers, false)
	return rest, notes, err
}

// without returns a document without some operations and members. That a member is required stays only for
// those that ours keeps.
func without(d *openapi.Document, pointers []string, kept bool) (*openapi.Document, error) {
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
		case !kept && last == "properties" && schema.Get("required") != nil:
			required := schema.Get("required")
			required.Items = slices.DeleteFunc(required.Items, func(v *jsontree.Value) bool { return v.Text == name })
		}
	}
	return openapi.Read(root)
}

// cutLast splits a pointer before its last step.
func cutLast(pointer string) (parent, last string) {
	i := strings.LastIndexByte(pointer, '/')
	if i < 0 {
		return "", ""
	}
	return pointer[:i], jsontree.Unescape(pointer[i+1:])
}

// unsupported returns the new operations whose constructs are not understood, and such members where ours
// are pinned. The error is for everything that is wrong elsewhere.
func (m *merger) unsupported(left leftOut) (pointers []string, err error) {
	var elsewhere []error
	known := false
	sources := newReach(m.src.Root)
	for _, e := range m.errs {
		p := pointerOf(e)
		if place := m.pinAround(p); place != "" {
			pointers = append(pointers, place)
			continue
		}
		owners := sources.owners(p, m.src.Operations)
		if len(owners) == 0 && strings.HasPrefix(p, "/components/") {
			continue // nothing uses it
		}
		if len(owners) == 0 || slices.ContainsFunc(owners, func(o *openapi.Operation) bool { return !slices.Contains(m.fresh, o) }) {
			elsewhere = append(elsewhere, e)
			known = known || len(owners) > 0
			continue
		}
		for _, o := range owners {
			left.add(o, e)
			pointers = append(pointers, o.Pointer)
		}
	}
	if len(elsewhere) > 0 {
		if err = openapi.JoinErrors(elsewhere); known {
			err = errors.Join(err, errors.New("operations that the SDK has need these: leave a new member out with an entry in ignore of generator/overlay.json, or keep ours with one in pins"))
		}
		return nil, err
	}
	return pointers, nil
}

// pinAround returns the place of a pinned member that a place of the source lies in, or "".
func (m *merger) pinAround(pointer string) string {
	for _, pin := range m.rules().pins {
		if pin.Keep == "member" && strings.HasPrefix(pointer+"/", pin.Place+"/") && m.src.Root.At(pin.Place) != nil {
			return pin.Place
		}
	}
	return ""
}

func (l leftOut) add(o *openapi.Operation, err error) {
	place := o.Method + " " + ourPath(o.Path)
	if l[place] == "" {
		l[place] = err.Error()
	}
}

// pointerOf is the pointer of an error.
func pointerOf(err error) string {
	if p, ok := errors.AsType[openapi.Problem](err); ok {
		return p.Pointer
	}
	return ""
}

// check asks the generator what of the result it does not understand, and returns the operations of the
// source to which that belongs. The rest is for whoever generates code from the result.
func (m *merger) check(left leftOut) (pointers []string, err error) {
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
		owners := ours.owners(p.Pointer, result.Operations)
		source := func(o *openapi.Operation) *openapi.Operation { return m.added[o.Method+" "+o.Path] }
		if slices.ContainsFunc(owners, func(o *openapi.Operation) bool { return source(o) == nil }) {
			continue
		}
		for _, o := range owners {
			left.add(source(o), e)
			pointers = append(pointers, source(o).Pointer)
		}
	}
	return pointers, nil
}

// record writes what is left out into the result, and returns notes about it. The reason on record stays,
// so that an entry in the overlay does not change the document.
func (m *merger) record(left leftOut, rules *Rules) (notes []string) {
	info := m.root.Get("info")
	before := info.Get(load.LeftOutKey)
	if len(left) == 0 {
		info.Delete(load.LeftOutKey)
		return nil
	}
	places := jsontree.NewObject()
	for _, place := range slices.Sorted(maps.Keys(left)) {
		reason := left[place]
		if have := before.Get(place).Str(); have != "" {
			reason = have
		}
		places.Set(place, jsontree.NewString(reason))
		out := ir.LeftOut{Place: place, Reason: rules.reasonToIgnore(place)}
		if out.Reason == "" {
			out.Reason, out.Open = left[place], true
		}
		notes = append(notes, out.String())
	}
	info.Set(load.LeftOutKey, places)
	return notes
}

// reach finds the operations of a document that use a place.
type reach struct {
	root  *jsontree.Value
	parts map[string][]string // places that an operation refers to, by its pointer
}

func newReach(root *jsontree.Value) *reach { return &reach{root, map[string][]string{}} }

// owners returns the operations that a place belongs to.
func (r *reach) owners(pointer string, operations []*openapi.Operation) []*openapi.Operation {
	var out []*openapi.Operation
	for _, o := range operations {
		if slices.ContainsFunc(r.of(o), func(part string) bool { return strings.HasPrefix(pointer+"/", part+"/") }) {
			out = append(out, o)
		}
	}
	return out
}

// of lists an operation's own place, the parameters of its path, and what both refer to.
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
