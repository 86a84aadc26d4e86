package gocardless

import (
	"reflect"
	"strings"
	"sync"
)

// Type returns the type of the event: its resource type and action, joined by a dot. Compare it with
// the constants of [EventType].
func (e Event) Type() EventType {
	return EventType(string(e.ResourceType) + "." + string(e.Action))
}

// Cause returns the cause of the event, or "" for an event without details.
func (e Event) Cause() EventCause {
	if e.Details == nil {
		return ""
	}
	return e.Details.Cause
}

// Origin returns the initiator of the event, or "" for an event without details.
func (e Event) Origin() EventOrigin {
	if e.Details == nil {
		return ""
	}
	return e.Details.Origin
}

// Link returns the id of a resource that the event links to, given the name of the link in the API,
// such as "payment" or "new_mandate". It also finds links that this version of the package has no
// field for. It returns "" if the event has no such link.
func (e Event) Link(name string) string {
	if e.Links == nil {
		return ""
	}
	return e.Links.link(name)
}

// ResourceID returns the id of the resource that the event is about: the payment of an event
// of type "payments.failed". It returns "" if the event does not link to it.
func (e Event) ResourceID() string {
	// All resource types are plurals that end in an s, and the link has the singular.
	return e.Link(strings.TrimSuffix(string(e.ResourceType), "s"))
}

// Organisation returns the id of the GoCardless account that the event belongs to. It comes from
// OrganisationID or, in older deliveries to partners' apps, from the links. Events that were read
// from the API have neither, and Organisation returns "".
func (e Event) Organisation() string {
	if e.OrganisationID != "" {
		return e.OrganisationID
	}
	return e.Link("organisation")
}

// IsTest reports whether the event belongs to a test delivery, which a user can send from the
// dashboard. Its links refer to resources that do not exist.
func (e Event) IsTest() bool { return strings.HasPrefix(e.ID, "EVTEST") }

// link returns a link by its name in the API.
func (l *EventLinks) link(name string) string {
	if i, ok := linkFields()[name]; ok {
		return reflect.ValueOf(l).Elem().Field(i).String()
	}
	id, _ := l.Extra[name].(string)
	return id
}

// linkFields returns the indexes of the fields of EventLinks by their names in the API. It does not
// use [sync.OnceValue], which every program would link.
func linkFields() map[string]int {
	fieldsOfLinks.Do(func() {
		fieldsOfLinks.byName = map[string]int{}
		t := reflect.TypeFor[EventLinks]()
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if t.Field(i).Type.Kind() == reflect.String && name != "" && name != "-" {
				fieldsOfLinks.byName[name] = i
			}
		}
	})
	return fieldsOfLinks.byName
}

var fieldsOfLinks struct {
	sync.Once
	byName map[string]int
}
