package cli

import (
	"errors"
	"net/http"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The SDK has the addresses of the environments in its internals. The command's own must be the same: by
// them it shows where a call goes, and refuses the live API without --live.
func TestAddressesAreTheSDKs(t *testing.T) {
	for _, env := range []gocardless.Environment{gocardless.EnvironmentSandbox, gocardless.EnvironmentLive} {
		var called string
		client, err := gocardless.New("token", env, gocardless.WithRetries(0), gocardless.WithHTTPClient(&http.Client{
			Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				called = r.URL.Scheme + "://" + r.URL.Host
				return nil, errors.New("refused")
			}),
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Payments.Get(t.Context(), "PM1"); err == nil {
			t.Error("no error")
		}
		if got := (&target{env: env}).url(); got != called || isLive(called) != (env == gocardless.EnvironmentLive) {
			t.Errorf("%s: the command has %s, the SDK %s", env, got, called)
		}
	}
}
