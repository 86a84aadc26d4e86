package gocardlesstest

import (
	"net/http"
	"path"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// Fault is a deliberate failure. The zero value of a field has no effect; Delay, Truncate and Drop
// combine with the others.
type Fault struct {
	// Operation selects the calls that are hit: a name such as "payments.create", a pattern such as
	// "payments.*" or "*.create", or "" for every call, including those of unknown paths.
	Operation string
	// Skip is the number of matching calls that pass first.
	Skip int
	// Times is how many calls are hit; 0 means one, a negative number all.
	Times int

	// After lets the call take effect and then spoils the reply, so that a blind retry would take effect
	// twice. Otherwise a call whose reply the fault replaces has no effect.
	After bool

	// Reason makes the reply the API's own error of that name, such as "rate_limit_exceeded" or
	// "internal_server_error".
	Reason string
	// Status is the status of the reply. Without Reason, Body and Bare, the reply has no body.
	Status int
	// Header is added to the reply, for example Retry-After.
	Header http.Header
	// Body is the body of the reply, with ContentType, by default text/html.
	Body        string
	ContentType string
	// Bare makes the reply {"error": "…"} with status 400 (or Status), as some hosted-flow endpoints do.
	Bare string

	// Delay waits before the call, or with After before the reply. It ends with the request's
	// context.
	Delay time.Duration
	// Drop closes the connection without a reply.
	Drop bool
	// Truncate closes the connection after this number of bytes of the reply's body. Content-Length
	// announces the whole body.
	Truncate int
}

// Injection is a fault that was set.
type Injection struct {
	fault  Fault
	id     int
	from   *faultList
	remote *Remote // nil in a sandbox of this process
	hits   atomic.Int64
	left   int
	skip   int
}

// Hits returns the number of calls that the fault has hit. For a fault of a Remote, it is the number at
// the time the fault was read.
func (i *Injection) Hits() int { return int(i.hits.Load()) }

// ID returns the id of the fault for RemoveFault, such as "F1".
func (i *Injection) ID() string { return "F" + strconv.Itoa(i.id) }

// Fault returns the fault as it was set.
func (i *Injection) Fault() Fault { return i.fault }

// Left returns the number of calls that the fault will still hit, -1 for all.
func (i *Injection) Left() int {
	i.from.mu.Lock()
	defer i.from.mu.Unlock()
	return max(i.left, -1)
}

// Remove removes the fault.
func (i *Injection) Remove() {
	if i.remote != nil {
		_ = i.remote.RemoveFault(i.ID()) // the fault or the sandbox may be gone
		return
	}
	l := i.from
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = slices.DeleteFunc(l.list, func(x *Injection) bool { return x == i })
	l.any.Store(len(l.list) > 0)
}

// faultList holds the faults in the order in which they were set.
type faultList struct {
	mu   sync.Mutex
	list []*Injection
	made int // number of faults ever set
	any  atomic.Bool
}

// Inject sets a fault. Faults are tried in the order in which they were set; the first one that
// matches is used. A fault that could never occur would make a test pass without testing anything,
// so Inject panics on an unknown operation or reason, and on a pattern that is malformed or matches
// no operation.
func (sb *Sandbox) Inject(f Fault) *Injection {
	if !f.hitsAny() {
		panic("gocardlesstest: Fault.Operation matches no operation: " + f.Operation)
	}
	if !f.reasonKnown() {
		panic("gocardlesstest: Fault.Reason is not a reason of the API: " + f.Reason)
	}
	in := &Injection{fault: f, from: &sb.faults, left: f.Times, skip: f.Skip}
	if in.left == 0 {
		in.left = 1
	}
	sb.faults.mu.Lock()
	defer sb.faults.mu.Unlock()
	sb.faults.made++
	in.id = sb.faults.made
	sb.faults.list = append(sb.faults.list, in)
	sb.faults.any.Store(true)
	return in
}

// ClearFaults removes all faults.
func (sb *Sandbox) ClearFaults() { sb.faults.clear() }

// Faults lists the pending faults in the order in which they are tried.
func (sb *Sandbox) Faults() []*Injection {
	sb.faults.mu.Lock()
	defer sb.faults.mu.Unlock()
	return slices.Clone(sb.faults.list)
}

// RemoveFault removes the fault with an id.
func (sb *Sandbox) RemoveFault(id string) error {
	for _, in := range sb.Faults() {
		if in.ID() == id {
			in.Remove()
			return nil
		}
	}
	return api.NotFound()
}

// count returns how many calls will still be hit. An unlimited fault counts as one.
func (l *faultList) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, in := range l.list {
		n += max(1, in.left)
	}
	return n
}

func (l *faultList) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
	l.any.Store(false)
}

// match finds the fault that hits a call, and counts the hit.
func (l *faultList) match(op *api.Operation) *Fault {
	if !l.any.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, in := range l.list {
		if in.fault.Operation != "" && (op == nil || !in.fault.hits(op.Name)) {
			continue
		}
		if in.skip > 0 {
			in.skip--
			continue
		}
		in.hits.Add(1)
		if in.left > 0 {
			if in.left--; in.left == 0 {
				l.list = slices.Delete(l.list, i, i+1)
				l.any.Store(len(l.list) > 0)
			}
		}
		return &in.fault
	}
	return nil
}

// hits reports whether the fault matches an operation. A malformed pattern matches none.
func (f *Fault) hits(operation string) bool {
	ok, _ := path.Match(f.Operation, operation)
	return ok
}

// hitsAny reports whether the fault matches any operation.
func (f *Fault) hitsAny() bool {
	return f.Operation == "" || slices.ContainsFunc(api.Operations, func(op api.Operation) bool { return f.hits(op.Name) })
}

// reasonKnown reports whether the API has the fault's reason, if it names one.
func (f *Fault) reasonKnown() bool { return f.Reason == "" || api.ReasonsByName()[f.Reason] != nil }

// answers reports whether the fault replaces the reply.
func (f *Fault) answers() bool {
	return f.Reason != "" || f.Status != 0 || f.Body != "" || f.Bare != "" || f.Drop && !f.After
}

// answer writes the fault's reply.
func (f *Fault) answer(out *outgoing, rid string) {
	delete(out.header, "Location")
	out.body = nil
	switch {
	case f.Reason != "":
		e := api.Refuse(f.Reason, api.ReasonsByName()[f.Reason].Text)
		out.status, out.body = e.Status, e.Body(rid)
	case f.Bare != "":
		e := &api.Error{Bare: f.Bare}
		out.status, out.body = http.StatusBadRequest, e.Body(rid)
	default:
		out.status, out.body = http.StatusOK, []byte(f.Body)
		out.header.Set("Content-Type", "text/html; charset=utf-8")
		if f.ContentType != "" {
			out.header.Set("Content-Type", f.ContentType)
		}
	}
	if f.Status != 0 {
		out.status = f.Status
	}
	f.damage(out)
}

// damage applies the headers, Drop and Truncate to a reply.
func (f *Fault) damage(out *outgoing) {
	for k, v := range f.Header {
		out.header[http.CanonicalHeaderKey(k)] = v
	}
	if f.Drop {
		out.drop = true
	}
	if f.Truncate > 0 && f.Truncate < len(out.body) {
		out.cut = f.Truncate
	}
}
