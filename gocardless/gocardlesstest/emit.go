package gocardlesstest

import (
	"fmt"
	"strings"
)

// Emit appends an event about a resource that nothing in the sandbox causes, such as
// "customers.under_review" or "subscriptions.scheduled_pause", and delivers it as any other. The name
// is the resource type and the action of the event; its cause and origin are the first that the API
// has for it. The state of the resource stays as it is.
//
// Emit returns an error if the API has no such event, or if there is no such resource.
func (sb *Sandbox) Emit(name, id string) error {
	spec := eventKinds()[name]
	if spec == nil {
		return fmt.Errorf("gocardlesstest: the API has no event %q; names look like \"payments.confirmed\"", name)
	}
	return sb.update(func(tx *tx) error {
		r := tx.find(spec.resource, id)
		if r == nil {
			return fmt.Errorf("gocardlesstest: Emit %s: no resource %q in %s", name, id, strings.ReplaceAll(spec.resource, "_", " "))
		}
		ev := event{action: spec.action}
		if len(spec.causes) > 0 {
			cause := spec.causes[len(spec.causes)-1]
			for _, c := range spec.causes {
				if len(c.origins) > 0 {
					cause = c
					break
				}
			}
			ev.cause = cause.name
			if len(cause.origins) > 0 {
				ev.origin = cause.origins[0]
			}
		}
		if ev.origin == "bank" {
			ev.scheme = r.scheme()
			ev.reasonCode = failureCode(ev.scheme, ev.cause)
		}
		tx.event(r, ev)
		return nil
	})
}
