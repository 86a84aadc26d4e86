package relay

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Events arrive in the order in which they happened, also those of one moment: a simulator submits and
// activates a mandate in the millisecond that creates it.
func TestPollKeepsTheOrder(t *testing.T) {
	state, _, err := Open(filepath.Join(t.TempDir(), "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	endpoint := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer endpoint.Close()
	var arrived []string
	r := &Relay{
		Source: func(context.Context, time.Time) ([]Event, error) {
			var newestFirst []Event
			for _, e := range []struct {
				id string
				at time.Duration
			}{{"EV4", time.Second}, {"EV3", 0}, {"EV2", 0}, {"EV1", 0}} {
				newestFirst = append(newestFirst, Event{ID: e.id, Type: "mandates.created", CreatedAt: t0.Add(e.at), Raw: json.RawMessage(`{}`)})
			}
			return newestFirst, nil
		},
		Endpoints: []string{endpoint.URL}, State: state, Client: endpoint.Client(),
		Delivered: func(d Delivery) { arrived = append(arrived, d.Event.ID) },
	}
	if err := r.Poll(t.Context()); err != nil || !slices.Equal(arrived, []string{"EV1", "EV2", "EV3", "EV4"}) {
		t.Errorf("%q, %v", arrived, err)
	}
	if err := r.Poll(t.Context()); err != nil || len(arrived) != 4 {
		t.Errorf("a second poll: %q, %v", arrived, err)
	}
}
