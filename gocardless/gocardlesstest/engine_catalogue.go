package gocardlesstest

import (
	"slices"
	"sync"
)

// eventSpec is a pair of resource type and action that events may have.
type eventSpec struct {
	resource, action string
	causes           []causeSpec
}

// causeSpec is why an event may happen and who may set it off.
type causeSpec struct {
	name, text string
	origins    []string
}

// reasonSpec is a stable code of an API error.
type reasonSpec struct {
	name   string
	status int
	typ    string
	link   string
	text   string
}

// simulatorSpec is a scenario simulator.
type simulatorSpec struct {
	name, resource, requires string
	result                   [][2]string
}

// prefixSpec is the id prefix of a resource.
type prefixSpec struct{ resource, prefix string }

// rateSpec is a budget of requests per clock minute.
type rateSpec struct {
	paths     string
	perMinute int
}

// schemeSpec is a bank payment scheme.
type schemeSpec struct {
	name, currency string
	countries      []string
}

// eventKinds is the catalogue by resource type and action.
var eventKinds = sync.OnceValue(func() map[string]*eventSpec {
	m := make(map[string]*eventSpec, len(catalogueEvents))
	for i := range catalogueEvents {
		m[catalogueEvents[i].resource+"."+catalogueEvents[i].action] = &catalogueEvents[i]
	}
	return m
})

// originOf is who set an event off. An origin that the event names must be in the catalogue; one
// that only follows from the step gives way to the catalogue's (a call that cancels a mandate
// cancels its schedules in GoCardless' name).
func (e *eventSpec) originOf(cause, origin, step string) string {
	for i := range e.causes {
		c := &e.causes[i]
		if c.name != cause {
			continue
		}
		switch {
		case origin == "" && slices.Contains(c.origins, step):
			return step
		case origin == "" && len(c.origins) > 0:
			return c.origins[0]
		case slices.Contains(c.origins, origin):
			return origin
		}
		panic("gocardlesstest: " + cause + " of " + e.resource + "." + e.action + " never comes from " + origin)
	}
	if len(e.causes) > 0 {
		panic("gocardlesstest: the catalogue has no cause " + cause + " of " + e.resource + "." + e.action)
	}
	if origin != "" {
		return origin
	}
	return step
}

// causeText is the description of a cause, "" when the catalogue has none.
func (e *eventSpec) causeText(cause string) string {
	for i := range e.causes {
		if e.causes[i].name == cause {
			return e.causes[i].text
		}
	}
	return ""
}

// allows reports whether a cause may come from an origin.
func (e *eventSpec) allows(cause, origin string) bool {
	for i := range e.causes {
		if e.causes[i].name == cause {
			return slices.Contains(e.causes[i].origins, origin)
		}
	}
	return false
}

// usualCause is the first cause that somebody sets off.
func (e *eventSpec) usualCause() string {
	for i := range e.causes {
		if len(e.causes[i].origins) > 0 {
			return e.causes[i].name
		}
	}
	if len(e.causes) > 0 {
		return e.causes[0].name
	}
	return ""
}

// reasons is the catalogue by name.
var reasons = sync.OnceValue(func() map[string]*reasonSpec {
	m := make(map[string]*reasonSpec, len(catalogueReasons))
	for i := range catalogueReasons {
		m[catalogueReasons[i].name] = &catalogueReasons[i]
	}
	return m
})
