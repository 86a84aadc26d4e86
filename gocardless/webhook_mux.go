package gocardless

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// EventMux passes each event to the function with the most specific registration for its type, much
// as [http.ServeMux] does for requests. For an event without a registration, such as one of a type
// that this version of the package does not know, it returns nil, which acknowledges the event.
//
// The zero EventMux is ready for use. It is safe for concurrent use, even while functions are being
// registered.
type EventMux struct {
	mu        sync.RWMutex
	types     map[EventType]EventHandlerFunc
	resources map[EventResourceType]EventHandlerFunc
	rest      EventHandlerFunc
}

// NewEventMux returns an empty mux.
func NewEventMux() *EventMux { return new(EventMux) }

// On registers the function for events of one type, such as EventPaymentsFailed. For a type that
// this version of the package has no constant for, write EventType("payments.new_action").
//
// On panics if the type does not have that form, if the function is nil, or if a function is
// already registered for the type.
func (m *EventMux) On(event EventType, handle EventHandlerFunc) {
	resource, action, ok := strings.Cut(string(event), ".")
	if !ok || resource == "" || action == "" {
		panic(fmt.Sprintf("gocardless: EventMux.On: %q is not an event type", event))
	}
	if handle == nil {
		panic(fmt.Sprintf("gocardless: EventMux.On: nil function for %q", event))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.types[event] != nil {
		panic(fmt.Sprintf("gocardless: EventMux.On: %q is registered already", event))
	}
	if m.types == nil {
		m.types = map[EventType]EventHandlerFunc{}
	}
	m.types[event] = handle
}

// OnResource registers the function for all events of one resource type that have no function of
// their own. It panics if the type is empty, if the function is nil, or if a function is already
// registered for the type.
func (m *EventMux) OnResource(resource EventResourceType, handle EventHandlerFunc) {
	if resource == "" || handle == nil {
		panic(fmt.Sprintf("gocardless: EventMux.OnResource: empty type or nil function for %q", resource))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.resources[resource] != nil {
		panic(fmt.Sprintf("gocardless: EventMux.OnResource: %q is registered already", resource))
	}
	if m.resources == nil {
		m.resources = map[EventResourceType]EventHandlerFunc{}
	}
	m.resources[resource] = handle
}

// OnAny registers the function for all events that have no more specific function. It panics if the
// function is nil or if one is already registered.
func (m *EventMux) OnAny(handle EventHandlerFunc) {
	if handle == nil {
		panic("gocardless: EventMux.OnAny: nil function")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rest != nil {
		panic("gocardless: EventMux.OnAny: registered already")
	}
	m.rest = handle
}

// HandleEvent calls the function registered for the event and returns its error.
func (m *EventMux) HandleEvent(ctx context.Context, event Event) error {
	if handle := m.handler(event); handle != nil {
		return handle(ctx, event)
	}
	return nil
}

func (m *EventMux) handler(event Event) EventHandlerFunc {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if handle := m.types[event.Type()]; handle != nil {
		return handle
	}
	if handle := m.resources[event.ResourceType]; handle != nil {
		return handle
	}
	return m.rest
}
