package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/relay"
	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// If the last run ended with a sandbox whose clock was advanced, listen starts again with a new one:
// otherwise it would forward nothing until the new clock has caught up.
func TestListenWithANewSandbox(t *testing.T) {
	now := time.Date(2026, time.September, 14, 9, 0, 0, 0, time.UTC)
	sandbox := gocardlesstest.New(gocardlesstest.WithClock(func() time.Time { return now }))
	if _, err := sandbox.Emit(gocardlesstest.Event{Type: "creditors.updated"}); err != nil {
		t.Fatal(err)
	}
	next := now.Add(time.Millisecond)
	down := gocardlesstest.New()
	down.Inject(gocardlesstest.Fault{Drop: true, Times: 100})
	for _, c := range []struct {
		says         string
		sandbox      *gocardlesstest.Sandbox
		local        bool
		cursor, want time.Time
	}{
		{"", sandbox, true, time.Time{}, next},
		{"continuing after", sandbox, true, now, now},
		{"new sandbox", sandbox, true, now.Add(14 * 24 * time.Hour), next},
		{"continuing after", sandbox, false, now.Add(time.Hour), now.Add(time.Hour)},
		{"continuing after", down, true, now, now}, // the relay waits for it
	} {
		state, _, err := relay.Open(filepath.Join(t.TempDir(), "state.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := state.Advance(c.cursor); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		a := &app{errs: &said, now: time.Now}
		if err := a.begin(t.Context(), c.sandbox.Client(gocardless.WithRetries(0)), state, c.local, ""); err != nil {
			t.Fatal(err)
		}
		if got := state.Cursor(); !got.Equal(c.want) || !strings.Contains(said.String(), c.says) {
			t.Errorf("cursor %s: starts at %s, want %s; said %q", c.cursor, got, c.want, said.String())
		}
		if err := state.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
