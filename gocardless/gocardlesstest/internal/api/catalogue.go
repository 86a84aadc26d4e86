package api

import (
	"slices"
	"sync"
)

// Event is a pair of resource type and action, with the causes that it can have.
type Event struct {
	Resource, Action string
	Causes           []Cause
}

// Cause is a cause of an event, with its possible origins.
type Cause struct {
	Name, Text string
	Origins    []string
}

// Reason is a stable code of an API error.
type Reason struct {
	Name   string
	Status int
	Type   string
	Link   string
	Text   string
}

// Simulator is a scenario simulator.
type Simulator struct {
	Name, Resource, Requires string
	Result                   [][2]string
}

// Prefix is the id prefix of a resource.
type Prefix struct{ Resource, Prefix string }

// Scheme is a bank payment scheme.
type Scheme struct {
	Name, Currency string
	Countries      []string
}

// EventsByName is the catalogue by resource type and action.
var EventsByName = sync.OnceValue(func() map[string]*Event {
	m := make(map[string]*Event, len(Events))
	for i := range Events {
		m[Events[i].Resource+"."+Events[i].Action] = &Events[i]
	}
	return m
})

// OriginOf returns the origin of an event. An explicit origin must be in the catalogue; without one,
// the step's origin is used if the catalogue allows it for the cause, and otherwise the catalogue's
// first (a call that cancels a mandate cancels its schedules in GoCardless's name).
func (e *Event) OriginOf(cause, origin, step string) string {
	for i := range e.Causes {
		c := &e.Causes[i]
		if c.Name != cause {
			continue
		}
		switch {
		case origin == "" && slices.Contains(c.Origins, step):
			return step
		case origin == "" && len(c.Origins) > 0:
			return c.Origins[0]
		case slices.Contains(c.Origins, origin):
			return origin
		}
		panic("gocardlesstest: " + cause + " of " + e.Resource + "." + e.Action + " never comes from " + origin)
	}
	if len(e.Causes) > 0 {
		panic("gocardlesstest: the catalogue has no cause " + cause + " of " + e.Resource + "." + e.Action)
	}
	if origin != "" {
		return origin
	}
	return step
}

// CauseText returns the description of a cause, or "" if the catalogue has none.
func (e *Event) CauseText(cause string) string {
	for i := range e.Causes {
		if e.Causes[i].Name == cause {
			return e.Causes[i].Text
		}
	}
	return ""
}

// Allows reports whether a cause may come from an origin.
func (e *Event) Allows(cause, origin string) bool {
	for i := range e.Causes {
		if e.Causes[i].Name == cause {
			return slices.Contains(e.Causes[i].Origins, origin)
		}
	}
	return false
}

// UsualCause returns the first cause that has an origin.
func (e *Event) UsualCause() string {
	for i := range e.Causes {
		if len(e.Causes[i].Origins) > 0 {
			return e.Causes[i].Name
		}
	}
	if len(e.Causes) > 0 {
		return e.Causes[0].Name
	}
	return ""
}

// ReasonsByName is the catalogue by name.
var ReasonsByName = sync.OnceValue(func() map[string]*Reason {
	m := make(map[string]*Reason, len(Reasons))
	for i := range Reasons {
		m[Reasons[i].Name] = &Reasons[i]
	}
	return m
})
