package adopt

import (
	"fmt"
	"path"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// Rules are the entries of the generator's overlay that apply to sources.
type Rules struct {
	operations []*load.OperationName
	ignore     []*load.Ignored
	pins       []*load.Pin
}

// ReadRules reads them from the overlay.
func ReadRules(overlay []byte) (*Rules, error) {
	o, err := load.ParseOverlay(overlay)
	if err != nil {
		return nil, err
	}
	return &Rules{o.Operations, o.Ignore, o.Pins}, nil
}

// operationID returns the id that the overlay gives an operation, or "".
func (r *Rules) operationID(method, path string) string {
	if r == nil {
		return ""
	}
	for _, entry := range r.operations {
		if entry.Method == method && entry.Path == path {
			return entry.ID
		}
	}
	return ""
}

// reasonToIgnore returns why the overlay leaves a place out, or "" if it does not.
func (r *Rules) reasonToIgnore(place string) string {
	if r == nil {
		return ""
	}
	for _, e := range r.ignore {
		if e.Place == place || !strings.HasPrefix(place, "/") && openapi.Shape(e.Place) == openapi.Shape(place) {
			return e.Reason
		}
	}
	return ""
}

// reasonFor returns why the overlay leaves a place out or keeps it, or "" if it does neither.
func (r *Rules) reasonFor(place string) string {
	if r == nil {
		return ""
	}
	for _, pin := range r.pins {
		if pin.Keep == "member" && pin.Place == place {
			return pin.Reason
		}
	}
	return r.reasonToIgnore(place)
}

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
	for _, pin := range m.rules().pins {
		if pin.Keep == keep && matches(pin.Place) {
			m.usedPins[pin] = true
			found = true
		}
	}
	return found
}

func (m *merger) rules() *Rules {
	if m.opts.Rules == nil {
		return &Rules{}
	}
	return m.opts.Rules
}

// stalePins reports the pins that are not needed, because a foreign source states the same.
func (m *merger) stalePins() []string {
	var out []string
	for i, pin := range m.rules().pins {
		if m.foreign && !m.usedPins[pin] {
			out = append(out, fmt.Sprintf("/pins/%d of generator/overlay.json (%s) is not needed: the source states the same", i, pin.Place))
		}
	}
	return out
}
