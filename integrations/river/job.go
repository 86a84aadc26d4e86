package riverinbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Kind is the kind of River's jobs for events.
const Kind = "gocardless_event"

// EventArgs are the arguments of a job: an event.
type EventArgs struct {
	ID           string `json:"id" river:"unique"`
	Type         string `json:"type"`
	Resource     string `json:"resource,omitempty"`
	Organisation string `json:"organisation,omitempty"`
	// CreatedAt is in UTC with milliseconds, so that it sorts as a string.
	CreatedAt string `json:"created_at"`
	// Event is the event as delivered. Text is the same JSON as a string, for an event that
	// PostgreSQL cannot store as JSON.
	Event json.RawMessage `json:"event,omitempty"`
	Text  string          `json:"text,omitempty"`
}

// Kind implements [river.JobArgs].
func (EventArgs) Kind() string { return Kind }

const sortable = "2006-01-02T15:04:05.000Z"

func sortableTime(t time.Time) string { return t.UTC().Format(sortable) }

func newArgs(event gocardless.Event, raw []byte) EventArgs {
	args := EventArgs{
		ID: event.ID, Type: string(event.Type()), Resource: event.ResourceID(), Organisation: event.Organisation(),
		CreatedAt: sortableTime(event.CreatedAt),
	}
	if storable(raw) {
		args.Event = raw
	} else {
		args.Text = strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	return args
}

// storable reports whether PostgreSQL is certain to store the JSON. It refuses some escapes (NUL, half
// a surrogate pair), invalid UTF-8 and huge numbers, and one such event would keep its whole delivery
// from being stored.
func storable(raw []byte) bool {
	return utf8.Valid(raw) && !bytes.Contains(raw, []byte(`\u`)) && !exponent(raw)
}

// exponent reports whether there may be a number with an exponent.
func exponent(raw []byte) bool {
	for i := 1; i+1 < len(raw); i++ {
		if c := raw[i]; (c == 'e' || c == 'E') && '0' <= raw[i-1] && raw[i-1] <= '9' {
			if c := raw[i+1]; '0' <= c && c <= '9' || c == '+' || c == '-' {
				return true
			}
		}
	}
	return false
}

func decodeArgs(encoded []byte) (EventArgs, error) {
	var args EventArgs
	if err := json.Unmarshal(encoded, &args); err != nil {
		return args, fmt.Errorf("riverinbox: arguments of a job: %w", err)
	}
	return args, nil
}

// event reads the event.
func (a EventArgs) event() (*gocardless.Event, error) {
	raw := a.Event
	if a.Text != "" {
		raw = json.RawMessage(a.Text)
	}
	event, err := gocardless.ParseUnverifiedEvent(raw)
	if err != nil {
		return nil, fmt.Errorf("riverinbox: event %s: %w", a.ID, err)
	}
	if event.OrganisationID == "" {
		event.OrganisationID = a.Organisation // a catch-up sets it outside the JSON
	}
	return event, nil
}

// insertOpts makes an event unique whatever the state of its job: a delivery does not insert a parked
// event again.
func (b *Inbox[TTx]) insertOpts() *river.InsertOpts {
	return &river.InsertOpts{
		MaxAttempts: b.options.MaxAttempts, Queue: b.options.Queue,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()},
	}
}
