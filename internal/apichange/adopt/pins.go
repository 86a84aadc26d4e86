package adopt

import (
	"fmt"
	"path"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// pinnedEnvelope reports whether the envelope of an operation's request stays ours.
func (m *merger) pinnedEnvelope(o *openapi.Operation) bool {
	return m.pinned("envelope", func(place string) bool {
		match, err := path.Match(place, o.Method+" "+o.Path)
		return err == nil && match
	})
}

// pinnedMember reports whether a member of ours is, or lies in, a pinned one.
func (m *merger) pinnedMember(ours *openapi.Schema) bool {
	return m.pinned("member", func(place string) bool { return within(ours.Pointer, place) })
}

func (m *merger) pinned(keep string, matches func(place string) bool) bool {
	found := false
	for _, pin := range m.opts.Rules.Pins {
		if pin.Keep == keep && matches(pin.Place) {
			m.usedPins[pin] = true
			found = true
		}
	}
	return found
}

// stalePins reports the pins that are not needed, because a foreign source states the same.
func (m *merger) stalePins() []string {
	var out []string
	for i, pin := range m.opts.Rules.Pins {
		if m.foreign && !m.usedPins[pin] {
			out = append(out, fmt.Sprintf("/pins/%d of generator/overlay.json (%s) is not needed: the source states the same", i, pin.Place))
		}
	}
	return out
}
