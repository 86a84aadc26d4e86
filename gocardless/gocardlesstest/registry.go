package gocardlesstest

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// The structure of this package, for maintainers.
//
// Package api contains every operation and every member, package store the records, and package value the
// values in them. The pipeline (serve.go) uses them to serve a call: it checks the headers, token, rate
// limit, route, target, idempotency key, body and query, runs the handler of the operation, and renders the
// result. The behaviour of a resource is in one file per family, which declares its collections, handlers,
// filters, jobs and simulators in a function that families lists.
//
// Rules for a handler:
//   - It runs under the sandbox's lock (shared for reads, exclusive otherwise) and gets everything from its
//     tx. Do not call time.Now, and do not keep a record across calls.
//   - The body was checked against its schema, and the target (the resource whose id is in the path) was
//     found. Check the rest, return api.Refuse(…), api.LinkNotFound(…) or problems.Err(), and only then
//     change anything: an error does not roll changes back.
//   - Change a record through Set, SetLink and SetRef, add it with tx.add, and create events with tx.event.
//     Later steps are jobs: tx.at(time, "payment.submit", id, arg). Nothing cancels a job, so a job checks
//     that the record is still in the expected state.
//   - Everything that must survive a restart is in records and jobs, as plain JSON values.

// families lists the families in the order of the snapshots.
func families() []func(*registry) {
	return []func(*registry){
		customerFamily,
		bankAccountFamily,
		bankAccountTokenFamily,
		creditorFamily,
		mandateFamily,
		paymentFamily,
		subscriptionFamily,
		instalmentFamily,
		refundFamily,
		payoutFamily, settlementFamily,
		redirectFlowFamily,
		noticeFamily,
		billingFamily,
		bankAuthorisationFamily,
		institutionFamily,
		flowFamily,
		pageFamily,
		simulatorFamily,
		mandateImportFamily,
		paymentAccountFamily,
		outboundFamily,
		outboundImportFamily,
		payerAuthorisationFamily,
		brandingFamily,
		mandatePDFFamily,
		eventFamily,
		genericFamily,
	}
}

// handler serves one operation.
type handler func(*tx) (result, error)

// jobFunc is a planned step.
type jobFunc func(tx *tx, id, arg string)

// registry is everything that the families declare. It is built once and never changes.
type registry struct {
	ops         map[string]*api.Operation
	handlers    map[string]handler
	collections []store.CollectionSpec
	filters     map[string]store.FilterFunc // "payments.list customer"
	owners      map[string]string           // operation → collection of the id in its path
	jobs        map[string]jobFunc
	simulators  map[string]*scenario
	seeds       []func(*tx)
	pages       []pageRoute
	plans       map[string]*store.ListPlan
	routes      *api.Router
}

type pageRoute struct {
	prefix  string
	handler func(*Sandbox, http.ResponseWriter, *http.Request)
}

// collection declares a collection. By default, it has the schema that the resource's get, create or list
// operation replies with, and the prefix in the catalogue.
func (r *registry) collection(c store.CollectionSpec) {
	for _, have := range r.collections {
		if have.Name == c.Name {
			panic("gocardlesstest: two collections " + c.Name)
		}
	}
	for _, verb := range []string{"get", "create", "create_for_creditor", "list", "handle"} {
		if op := r.ops[c.Name+"."+verb]; c.Spec == nil && op != nil {
			c.Spec = op.Result
		}
	}
	if c.Prefix == "" {
		for _, p := range api.Prefixes {
			if p.Resource == c.Name {
				c.Prefix = p.Prefix
			}
		}
	}
	r.collections = append(r.collections, c)
}

// on sets the handler of an operation.
func (r *registry) on(op string, h handler) {
	if r.ops[op] == nil {
		return // no longer in the API: gen check reports it, and users' tests must not fail
	}
	if r.handlers[op] != nil {
		panic("gocardlesstest: two handlers for " + op)
	}
	r.handlers[op] = h
}

// filter sets the test of a list filter. By default, a member, link or private member of the same name
// must equal the value.
func (r *registry) filter(op, param string, f store.FilterFunc) { r.filters[op+" "+param] = f }

// owner sets the collection of the id in an operation's path. The default is the collection of the
// operation's resource; "" means none.
func (r *registry) owner(op, coll string) { r.owners[op] = coll }

// job declares a step that tx.at can plan.
func (r *registry) job(name string, f jobFunc) { r.jobs[name] = f }

// simulator sets what a scenario simulator does. The target of its tx is the resource.
func (r *registry) simulator(name string, s *scenario) { r.simulators[name] = s }

// seed adds to the state of a new or reset sandbox.
func (r *registry) seed(f func(*tx)) { r.seeds = append(r.seeds, f) }

// page serves the web pages below a path prefix, such as the hosted flow. The handler runs without the
// sandbox's lock and uses sb.update.
func (r *registry) page(prefix string, h func(*Sandbox, http.ResponseWriter, *http.Request)) {
	r.pages = append(r.pages, pageRoute{prefix, h})
}

func theRegistry() *registry {
	registryOnce.Do(func() { builtRegistry = buildRegistry() })
	return builtRegistry
}

var (
	registryOnce  sync.Once
	builtRegistry *registry
)

func buildRegistry() *registry {
	r := &registry{
		ops: map[string]*api.Operation{}, handlers: map[string]handler{}, filters: map[string]store.FilterFunc{},
		owners: map[string]string{}, jobs: map[string]jobFunc{}, simulators: map[string]*scenario{},
		plans: map[string]*store.ListPlan{},
	}
	var served []*api.Operation
	serve := func(op *api.Operation) { r.ops[op.Name], served = op, append(served, op) }
	for i := range api.Operations {
		serve(&api.Operations[i])
	}
	for _, op := range api.Aliases(r.ops) {
		serve(op)
	}
	for _, f := range families() {
		f(r)
	}
	for i := range api.Operations {
		op := &api.Operations[i]
		if r.handlers[op.Name] == nil {
			r.handlers[op.Name] = r.defaultHandler(op)
		}
		if i := r.indexOf(op.Resource()); op.List && i >= 0 {
			r.plans[op.Name] = store.PlanList(op, r.filters, r.collections[i].Private)
		}
	}
	r.routes = api.NewRouter(served)
	return r
}

// hasCollection reports whether a family declared a collection.
func (r *registry) hasCollection(name string) bool { return r.indexOf(name) >= 0 }

// indexOf returns the index of a collection, or -1.
func (r *registry) indexOf(name string) int {
	return slices.IndexFunc(r.collections, func(c store.CollectionSpec) bool { return c.Name == name })
}

// ownerOf returns the collection of the id in an operation's path.
func (r *registry) ownerOf(op *api.Operation) string {
	if !strings.Contains(op.Path, "{") {
		return ""
	}
	if o, set := r.owners[op.Name]; set {
		return o
	}
	if n := op.Nesting(); n.Inside && r.hasCollection(n.Parent) {
		return n.Parent
	}
	return op.Resource()
}

// defaultHandler returns the handler of an operation that no family handles: create stores the
// members that request and reply share, get and list read, and update merges.
func (r *registry) defaultHandler(op *api.Operation) handler {
	if !r.hasCollection(op.Resource()) {
		return func(*tx) (result, error) { return result{}, api.NotServed(op) }
	}
	switch {
	case op.List:
		return func(tx *tx) (result, error) { return tx.list(tx.siblings) }
	case op.Kind == api.OpRead:
		return func(tx *tx) (result, error) { return one(tx.target), nil }
	case op.Kind == api.OpUpdate || op.Method == http.MethodPatch:
		return func(tx *tx) (result, error) {
			tx.merge(tx.target)
			return one(tx.target), nil
		}
	case op.Kind == api.OpCreate || op.Status == http.StatusCreated:
		return func(tx *tx) (result, error) { return one(tx.add(tx.adopt(tx.draft(op.Resource())))), nil }
	case op.Result == nil:
		return func(*tx) (result, error) { return result{empty: true}, nil }
	}
	return func(tx *tx) (result, error) { return one(tx.target), nil }
}
