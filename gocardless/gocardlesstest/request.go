package gocardlesstest

import (
	"bytes"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// keptBody is how many bytes of a body the log keeps.
const keptBody = 64 << 10

// Request is an API request that the sandbox received, with its reply. Bodies and headers are
// shared with the sandbox: do not change them. Bodies are kept up to 64 KiB.
type Request struct {
	Time      time.Time // by the sandbox's clock
	Method    string
	Path      string
	Query     string // raw
	Operation string // such as "payments.create"; "" when the path is unknown
	Header    http.Header
	Body      []byte

	Status    int
	Reply     []byte
	RequestID string
	Resource  string // id of the resource in the reply, if any
	Dropped   bool   // no reply was sent, because of a fault or because the caller was gone
	Fault     *Fault // the fault that hit the request, if any
}

// ring keeps the last items that were added.
type ring[T any] struct {
	mu    sync.Mutex
	items []T
	next  int
	size  int
	total atomic.Int64 // number of items ever added
}

// resize sets how many items are kept.
func (l *ring[T]) resize(size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	items := slices.Concat(l.items[l.next:], l.items[:l.next])
	l.items, l.next, l.size = items[max(0, len(items)-size):], 0, size
}

func (l *ring[T]) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items, l.next = nil, 0
	l.total.Add(1) // so that the dashboard sees a change
}

func (l *ring[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size == 0 {
		return
	}
	l.total.Add(1)
	if len(l.items) < l.size {
		l.items = append(l.items, v)
		return
	}
	l.items[l.next] = v
	l.next = (l.next + 1) % l.size
}

func (l *ring[T]) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.items)
}

// all lists the items, oldest first.
func (l *ring[T]) all() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.items[l.next:], l.items[:l.next])
}

// shorten truncates a body for the log.
func shorten(b []byte) []byte {
	if len(b) <= keptBody {
		return b
	}
	return bytes.Clone(b[:keptBody])
}

// Requests lists the requests that the sandbox keeps, oldest first, including those that a fault hit.
// WithRequestLog sets their number.
func (sb *Sandbox) Requests() []*Request { return sb.log.all() }

// ClearRequests clears the list of requests.
func (sb *Sandbox) ClearRequests() { sb.log.clear() }
