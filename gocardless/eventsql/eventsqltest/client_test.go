package eventsqltest

import (
	"errors"
	"net/http"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// client returns a client whose requests must not be sent.
func client(t *testing.T) *gocardless.Client {
	t.Helper()
	c, err := gocardless.New("token", gocardless.EnvironmentSandbox, gocardless.WithRetries(0),
		gocardless.WithHTTPClient(&http.Client{Transport: unreachable{}}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("not reachable")
}
