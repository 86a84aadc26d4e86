package gocardlesstest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// watchedTB records what a test reports.
type watchedTB struct {
	TB
	failures []string
	cleanups []func()
}

func (tb *watchedTB) Fatalf(format string, args ...any) {
	tb.failures = append(tb.failures, fmt.Sprintf(format, args...))
}
func (tb *watchedTB) Cleanup(f func()) { tb.cleanups = append(tb.cleanups, f) }

func TestReplay(t *testing.T) {
	const dir = "../../docs/guides/testdata/signup"
	sign := func(client *gocardless.Client, email string) error {
		_, err := client.Customers.Create(t.Context(), gocardless.CustomerCreateParams{
			GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new(email),
		})
		return err
	}
	for name, x := range map[string]struct {
		use  func(*gocardless.Client) error
		want string
	}{
		"used":   {func(c *gocardless.Client) error { return sign(c, "ada@example.com") }, ""},
		"unused": {func(*gocardless.Client) error { return nil }, "0001-post-customers.json (POST /customers) was not used"},
		"other": {func(c *gocardless.Client) error {
			_, _ = c.Creditors.Get(t.Context(), "CR123")
			return sign(c, "ada@example.com")
		}, "no exchange for GET /creditors/CR123"},
	} {
		tb := &watchedTB{TB: t}
		client, err := gocardless.New("any", gocardless.EnvironmentSandbox, gocardless.WithHTTPClient(&http.Client{Transport: Replay(tb, dir)}))
		if err != nil {
			t.Fatal(err)
		}
		if err := x.use(client); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range tb.cleanups {
			f()
		}
		if got := strings.Join(tb.failures, "\n"); (x.want == "") != (got == "") || !strings.Contains(got, x.want) {
			t.Errorf("%s: the test reports %q, want %q", name, got, x.want)
		}
	}

	tb := &watchedTB{TB: t}
	func() {
		defer func() { _ = recover() }() // a real Fatalf does not return
		Replay(tb, t.TempDir())
	}()
	if len(tb.failures) == 0 || !strings.Contains(tb.failures[0], "no exchanges") {
		t.Errorf("an empty directory: %q", tb.failures)
	}
}
