package load

import (
	"go/token"
	"maps"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// names gathers the Go names of a document, and reports every one that two parts would share.
type names struct {
	errs *problems
	seen map[string]string // the place that has a name
}

// How to change a name.
const (
	typeCure      = "give this one another name with gen update -name, or in the names of generator/overlay.json"
	memberCure    = "give this one another name in the names of generator/overlay.json"
	operationCure = "give this operation another id in the operations of generator/overlay.json"
)

func (n *names) claim(scope, goName, pointer, cure string) {
	key := scope + goName
	if !token.IsIdentifier(goName) {
		n.errs.add(pointer, "%q cannot be a Go name: %s", goName, cure)
		return
	}
	if other, taken := n.seen[key]; taken && other != pointer {
		p := n.errs.add(pointer, "the Go name %s is already used by %s: %s", key, other, cure)
		p.Name, p.Other = cure == typeCure, other
		return
	}
	n.seen[key] = pointer
}

// unique reports every Go name that two parts of the document would share.
func (l *document) unique() {
	n := names{&l.errs, maps.Clone(l.reserved)}
	if n.seen == nil {
		n.seen = map[string]string{}
	}
	l.api.Taken = n.seen
	for _, own := range []string{"Client", "SchemaDate", "EventType", "Reason", "MaxMetadataKeys", "MaxMetadataKeyLength", "MaxMetadataValueLength"} {
		n.seen[own] = "the generator"
	}
	for _, s := range l.api.Services {
		n.service(s)
	}
	for _, t := range l.api.Types {
		n.typ(t)
	}
	if c := l.catalogue; c != nil {
		n.catalogue(c)
	}
}

func (n *names) service(s *ir.Service) {
	first := s.Operations[0].Pointer
	n.claim("", s.TypeName, first, operationCure)
	n.claim("Client.", s.GoName, first, operationCure)
	for _, op := range s.Operations {
		n.claim("", op.Var, op.Pointer, operationCure)
		for _, m := range op.Methods {
			n.claim(s.TypeName+".", m.GoName, op.Pointer, operationCure)
			if m.AllName != "" {
				n.claim(s.TypeName+".", m.AllName, op.Pointer, operationCure)
			}
		}
	}
}

func (n *names) typ(t *ir.Type) {
	n.claim("", t.GoName, t.Pointer, typeCure)
	for _, v := range t.Values {
		n.claim("", v.GoName, jsontree.Join(t.Pointer, "enum", v.Wire), memberCure)
	}
	if t.Role == ir.RoleParams {
		n.seen[t.GoName+".Validate"] = "the generator"
	}
	if t.KeepsExtra {
		n.seen[t.GoName+".Extra"] = "the generator"
	}
	for _, f := range t.Fields {
		n.claim(t.GoName+".", f.GoName, f.Pointer, memberCure)
		if !wireName.MatchString(f.Name) {
			n.errs.add(f.Pointer, "%q cannot be the name of a member", f.Name)
		}
	}
}

func (n *names) catalogue(c *ir.Catalogue) {
	for _, e := range c.Events {
		n.claim("", e.GoName, jsontree.Join("", "events", e.Resource, e.Action), memberCure)
	}
	for _, r := range c.Reasons {
		n.claim("", r.GoName, jsontree.Join("", "reasons", r.Name), memberCure)
	}
	for _, g := range c.RateLimits {
		n.claim("", "Group"+name.Go(g.Group), jsontree.Join("", "rate_limits", g.Group), memberCure)
	}
	for _, s := range c.Simulators {
		n.claim("", s.GoName, jsontree.Join("", "simulators", s.Name), memberCure)
	}
}
