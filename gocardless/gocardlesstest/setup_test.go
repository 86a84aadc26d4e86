package gocardlesstest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// set makes a control call that must succeed.
func (c *caller) set(method, path, body string) object {
	c.t.Helper()
	status, _, reply := c.control(method, path, body, "Authorization", "Bearer test")
	if status != 200 {
		c.t.Fatalf("%s %s %s: %d %s", method, path, body, status, reply)
	}
	return literal(reply)
}

func settingWithKey(t *testing.T, id string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return string(value.Append(nil, object{{"encryption_keys", object{{id, string(text)}}}}))
}

// Changes made over the control API persist across a crash and take effect again.
func TestSetupIsKeptInTheStateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	app := &inbox{}
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	open := func() *caller {
		c := newCaller(t, WithWebhooks(Webhooks{Handler: &inbox{}, Secret: hookSecret, Manual: true}), WithRefundLimit(7))
		c.openState(file)
		return c
	}
	endpoint := `{"url":"` + server.URL + `","secret":"s","events":["customers.*"],"shuffle":true,"manual":true}`
	payments := `{"url":"` + server.URL + `","secret":"s","events":["mandates.*"],"manual":true}`

	c := open()
	gone := c.set("POST", "/_sandbox/webhook_endpoints", payments).Str("id")
	c.set("DELETE", "/_sandbox/webhook_endpoints/"+gone, "")
	kept := c.set("POST", "/_sandbox/webhook_endpoints", endpoint).Str("id")
	held := c.set("POST", "/_sandbox/webhook_endpoints", payments).Str("id")
	c.set("POST", "/_sandbox/webhook_endpoints/"+held+"/pause", "")
	c.set("PATCH", "/_sandbox/settings", `{"refunds":false,"refund_limit":3}`)
	c.set("PATCH", "/_sandbox/settings", `{"refund_limit":4,"webhook_retries":["5m"]}`)
	c.set("PATCH", "/_sandbox/settings", settingWithKey(t, "k1"))
	c.set("PATCH", "/_sandbox/settings", settingWithKey(t, "k2"))
	c.set("POST", "/_sandbox/tokens", `{"token":"test","access":"full"}`)
	c.set("POST", "/_sandbox/tokens", `{"token":"reader","access":"read_only"}`)
	c.set("POST", "/_sandbox/tokens", `{"token":"left","access":"revoked"}`)
	w := c.world() // its webhook waits for the paused endpoint
	settings := string(value.Append(nil, c.sb.currentSettings()))
	endpoints := c.set("GET", "/_sandbox/webhook_endpoints", "")
	c.die()

	for _, life := range []string{"after a crash", "after a clean end"} {
		c = open()
		if got := string(value.Append(nil, c.sb.currentSettings())); got != settings {
			t.Errorf("%s: settings are %s\nwere %s", life, got, settings)
		}
		if got := c.set("GET", "/_sandbox/webhook_endpoints", ""); string(value.Append(nil, got)) != string(value.Append(nil, endpoints)) {
			t.Errorf("%s: endpoints are %s\nwere %s", life, value.Append(nil, got), value.Append(nil, endpoints))
		}
		c.refused(401, "access_token_not_found", "GET", "/customers", "", "Authorization", "Bearer other")
		c.refused(403, "insufficient_permissions", "POST", "/customers", customerBody, "Authorization", "Bearer reader")
		c.refused(401, "access_token_revoked", "GET", "/customers", "", "Authorization", "Bearer left")
		if err := c.sb.Close(); err != nil {
			t.Fatal(err)
		}
	}

	c = open()
	if again := c.set("POST", "/_sandbox/webhook_endpoints", endpoint).Str("id"); again != kept {
		t.Errorf("the program starts anew and adds its endpoint: it is %s, was %s", again, kept)
	}
	if twin := c.set("POST", "/_sandbox/webhook_endpoints", endpoint).Str("id"); twin == kept || twin == gone {
		t.Errorf("a twin of an endpoint is %s", twin)
	}
	c.set("POST", "/_sandbox/webhook_endpoints/"+held+"/resume", "")
	c.sb.FlushWebhooks()
	if !strings.Contains(strings.Join(app.bodies, "\n"), w.mandate) {
		t.Errorf("what waited for the paused endpoint did not come: %v", app.bodies)
	}
	// A reset does not change it, neither on the disk nor in memory.
	if err := c.sb.Reset(); err != nil {
		t.Fatal(err)
	}
	settings = string(value.Append(nil, c.sb.currentSettings()))
	c.die()
	if got := string(value.Append(nil, open().sb.currentSettings())); got != settings {
		t.Errorf("after a reset settings are %s\nwere %s", got, settings)
	}
}

// A change that cannot be written has no effect.
func TestFullDiskRefusesSetup(t *testing.T) {
	c := newCaller(t)
	c.openState(filepath.Join(t.TempDir(), "state"))
	kept := c.set("POST", "/_sandbox/webhook_endpoints", `{"url":"http://127.0.0.1:9","secret":"s"}`).Str("id")
	c.sb.journal.Disk = &fullDisk{Disk: c.sb.journal.Disk, full: true}
	before := string(value.Append(nil, c.sb.currentSettings())) + string(value.Append(nil, c.set("GET", "/_sandbox/webhook_endpoints", "")))
	for _, call := range [][3]string{
		{"POST", "/_sandbox/webhook_endpoints", `{"url":"http://127.0.0.1:8","secret":"s"}`},
		{"POST", "/_sandbox/webhook_endpoints/" + kept + "/pause", ""},
		{"DELETE", "/_sandbox/webhook_endpoints/" + kept, ""},
		{"PATCH", "/_sandbox/settings", `{"refunds":false}`},
		{"POST", "/_sandbox/tokens", `{"token":"x","access":"full"}`},
	} {
		if status, _, reply := c.control(call[0], call[1], call[2]); status != 500 {
			t.Errorf("%v: %d %s", call, status, reply)
		}
	}
	if after := string(value.Append(nil, c.sb.currentSettings())) + string(value.Append(nil, c.set("GET", "/_sandbox/webhook_endpoints", ""))); after != before {
		t.Errorf("refused calls changed\n%s\nto\n%s", before, after)
	}
	c.ok("GET", "/customers", "") // any token is still accepted
}
