package api

import (
	"net/url"
	"strings"
)

// Router finds the operation of a method and path.
type Router struct {
	byPath  map[string]map[string]*Operation // path with {} for the id → method → operation
	several []*Operation                     // whose paths have more than one id
}

// NewRouter returns a router for a list of operations.
func NewRouter(ops []*Operation) *Router {
	r := &Router{byPath: map[string]map[string]*Operation{}}
	for _, op := range ops {
		p := op.Path
		if strings.Count(p, "{") > 1 {
			r.several = append(r.several, op)
			continue
		}
		if a := strings.IndexByte(p, '{'); a >= 0 {
			b := strings.IndexByte(p, '}')
			p = p[:a] + "{}" + p[b+1:]
		}
		if r.byPath[p] == nil {
			r.byPath[p] = map[string]*Operation{}
		}
		r.byPath[p][op.Method] = op
	}
	return r
}

// Find returns the operation and the id in the path. If there is no operation, known reports whether
// the path exists for another method.
func (r *Router) Find(method, escapedPath string) (op *Operation, id string, known bool) {
	if m := r.byPath[escapedPath]; m != nil {
		known = true
		if op := m[method]; op != nil {
			return op, "", true
		}
	}
	// The id is the second segment in every path that has one.
	rest, ok := strings.CutPrefix(escapedPath, "/")
	if !ok {
		return nil, "", known
	}
	first, rest, ok := strings.Cut(rest, "/")
	if !ok {
		return nil, "", known
	}
	id, tail := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		id, tail = rest[:i], rest[i:]
	}
	if id == "" {
		return nil, "", known
	}
	m := r.byPath["/"+first+"/{}"+tail]
	if m == nil {
		return r.findSeveral(method, escapedPath, known)
	}
	if plain, err := url.PathUnescape(id); err == nil {
		id = plain
	}
	return m[method], id, true
}

// findSeveral is Find for paths with more than one id. It returns the last id.
func (r *Router) findSeveral(method, escapedPath string, known bool) (*Operation, string, bool) {
	for _, op := range r.several {
		ids := op.ids(escapedPath)
		if ids == nil {
			continue
		}
		known = true
		if op.Method == method {
			return op, ids[len(ids)-1], true
		}
	}
	return nil, "", known
}
