package gocardlesstest

import (
	"bytes"
	"net/http"
	"sync"
	"time"
)

// keptBody is how much of a body the log keeps, so that a thousand requests stay small.
const keptBody = 64 << 10

// Request is an API request that the sandbox got, and what it answered. Bodies and headers are
// shared with the sandbox: do not write to them. Bodies are kept up to 64 KiB.
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
	Dropped   bool   // no reply was sent: a fault, or the caller had gone
}

// requestLog is the last requests, in a ring.
type requestLog struct {
	mu    sync.Mutex
	ring  []*Request
	next  int
	total int
	size  int
}

func (l *requestLog) init(size int) { l.size = size }

func (l *requestLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring, l.next, l.total = nil, 0, 0
}

func (l *requestLog) add(r *Request) {
	if l.size == 0 {
		return
	}
	r.Body, r.Reply = shorten(r.Body), shorten(r.Reply)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if len(l.ring) < l.size {
		l.ring = append(l.ring, r)
		return
	}
	l.ring[l.next] = r
	l.next = (l.next + 1) % l.size
}

// shorten cuts a body that is too long to keep.
func shorten(b []byte) []byte {
	if len(b) <= keptBody {
		return b
	}
	return bytes.Clone(b[:keptBody])
}

// Requests lists the requests that the sandbox remembers, oldest first: all of them, up to the
// number of WithRequestLog. Requests that a fault answered are among them.
func (sb *Sandbox) Requests() []*Request {
	l := &sb.log
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*Request, 0, len(l.ring))
	out = append(out, l.ring[l.next:]...)
	return append(out, l.ring[:l.next]...)
}
