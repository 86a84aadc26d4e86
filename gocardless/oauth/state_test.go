package oauth

import (
	"errors"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A browser that returns several times at the same moment makes one exchange, even if each request
// has a handler of its own.
func TestCallbacksWithOneState(t *testing.T) {
	b := newLogin(t)
	var failed atomic.Int64
	b.login.Connected = func(http.ResponseWriter, *http.Request, *Token) {}
	b.login.Failed = func(_ http.ResponseWriter, _ *http.Request, err error) {
		if errors.Is(err, ErrState) {
			failed.Add(1)
		}
	}
	tab := browser{}
	callback := b.consent(t, tab.get(b.login.Start(), "/connect").Header().Get("Location"), "OR1")
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { maps.Clone(tab).get(b.login.Callback(), callback) })
	}
	all.Wait()
	if len(b.forms) != 1 || failed.Load() != 4 {
		t.Errorf("%d exchanges, %d refused", len(b.forms), failed.Load())
	}
}

func TestUsedStatesAreForgotten(t *testing.T) {
	var u usedStates
	start := time.Now()
	if !u.claim("a", start) || u.claim("a", start.Add(59*time.Minute)) {
		t.Error("a state is good once")
	}
	u.claim("b", start.Add(61*time.Minute))
	if u.claim("a", start.Add(61*time.Minute)) {
		t.Error("forgotten within an hour of the cookie's end")
	}
	u.claim("c", start.Add(3*time.Hour))
	u.claim("d", start.Add(5*time.Hour))
	if len(u.recent)+len(u.older) != 2 {
		t.Errorf("%d and %d states kept", len(u.recent), len(u.older))
	}
	for i := range 3 * maxUsedStates {
		u.claim(strconv.Itoa(i), start)
	}
	if n := len(u.recent) + len(u.older); n > 2*maxUsedStates {
		t.Errorf("%d states kept", n)
	}
}
