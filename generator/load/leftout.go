package load

import (
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

func (l *document) leftOut(root *jsontree.Value) {
	places, _ := l.doc.Info.Extensions[ir.LeftOutKey].(map[string]any)
	for _, place := range sorted(places) {
		reason, _ := places[place].(string)
		l.leaveOut(ir.LeftOut{Place: place, Reason: reason, Open: true, Kept: HasPlace(root, place)})
	}
}

// leaveOut records, once, that the SDK does not have a place or has an older form of it. The reason of an
// overlay entry takes precedence.
func (l *document) leaveOut(out ir.LeftOut) {
	if slices.ContainsFunc(l.api.LeftOut, func(o ir.LeftOut) bool { return o.Place == out.Place }) {
		return
	}
	if reason := l.overlay.ReasonFor(out.Place); reason != "" {
		out.Reason, out.Open = reason, false
	}
	l.api.LeftOut = append(l.api.LeftOut, out)
}

// HasPlace reports whether a document has a place: the JSON pointer of a member, or a parameter such as
// GET /payments?status.
func HasPlace(root *jsontree.Value, place string) bool {
	if strings.HasPrefix(place, "/") {
		return root.At(place) != nil
	}
	operation, param, isParam := strings.Cut(place, "?")
	method, path, _ := strings.Cut(operation, " ")
	op := root.At(jsontree.Join("", "paths", path, strings.ToLower(method)))
	if !isParam || op == nil || op.Get("parameters") == nil {
		return false
	}
	return slices.ContainsFunc(op.Get("parameters").Items, func(p *jsontree.Value) bool { return p.Get("name").Str() == param })
}
