package gocardless

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"log/slog"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"
)

const endpointSecret WebhookSecret = "ED7D658C-D8EB-4941-948B-3973214F2D49"

// sampleDelivery has everything that was seen in real deliveries, and a link, a detail and a
// member that no schema knows.
const sampleDelivery = `{"events":[{"id":"EV01","created_at":"2026-05-04T09:00:01.250Z","resource_type":"payments",` +
	`"action":"failed","metadata":{},"details":{"origin":"bank","cause":"insufficient_funds","description":"d",` +
	`"scheme":"sepa_core","reason_code":"AM04","will_attempt_retry":false,"not_retried_reason":"other","weather":"rain"},` +
	`"links":{"payment":"PM01","parent_event":"EV00","spaceship":"SP01","organisation":"OR99"},` +
	`"resource_metadata":{"order":"7"},"organisation_id":"OR01","unheard_of":[1,2]},` +
	`{"id":"EV02","created_at":"2026-05-04T09:00:01.275Z","resource_type":"rockets","action":"launched","links":{"rocket":"RK1"}}],` +
	`"meta":{"webhook_id":"WB01","more":null},"later":true}`

func TestParseWebhook(t *testing.T) {
	body := []byte(sampleDelivery)
	d, err := ParseWebhook(body, SignWebhook(body, endpointSecret), endpointSecret)
	if err != nil {
		t.Fatal(err)
	}
	if d.ID != "WB01" || len(d.Events) != 2 || !bytes.Equal(d.Body, body) {
		t.Fatalf("delivery = %q with %d events", d.ID, len(d.Events))
	}
	e := d.Events[0]
	for _, c := range []struct{ name, got, want string }{
		{"type", string(e.Type()), string(EventPaymentsFailed)},
		{"cause", string(e.Cause()), string(EventCauseInsufficientFunds)},
		{"origin", string(e.Origin()), string(EventOriginBank)},
		{"created", e.CreatedAt.Format(time.RFC3339Nano), "2026-05-04T09:00:01.25Z"},
		{"payment", e.Links.Payment, "PM01"},
		{"parent", e.Link("parent_event"), "EV00"},
		{"unknown link", e.Link("spaceship"), "SP01"},
		{"absent link", e.Link("mandate"), ""},
		{"unknown detail", fmt.Sprint(e.Details.Extra["weather"]), "rain"},
		{"resource", e.ResourceID(), "PM01"},
		{"organisation", e.Organisation(), "OR01"},
		{"resource metadata", e.ResourceMetadata["order"], "7"},
		{"unknown type", string(d.Events[1].Type()), "rockets.launched"},
		{"unknown resource", d.Events[1].ResourceID(), "RK1"},
	} {
		if c.got != c.want {
			t.Errorf("%s = %q, want %q", c.name, c.got, c.want)
		}
	}
}

// The signature was made with openssl dgst -sha256 -hmac, so that signing and checking cannot share a
// mistake.
func TestSignWebhookAgainstOpenSSL(t *testing.T) {
	const want = "4d8efa9f3ccddba25b2717cea44ec4429139941e86662b03117b9d112a8a314b"
	if got := SignWebhook([]byte(`{"events":[],"meta":{"webhook_id":"WB1"}}`), "s3cret"); got != want {
		t.Errorf("signature = %s, want %s", got, want)
	}
}

func TestVerifyWebhookRefuses(t *testing.T) {
	body := []byte(sampleDelivery)
	good := SignWebhook(body, endpointSecret)
	both := []WebhookSecret{"other", endpointSecret}
	for _, c := range []struct {
		name      string
		body      []byte
		signature string
		secrets   []WebhookSecret
		want      error
	}{
		{"good", body, good, []WebhookSecret{endpointSecret}, nil},
		{"upper case", body, strings.ToUpper(good), []WebhookSecret{endpointSecret}, nil},
		{"rotation, second", body, good, both, nil},
		{"rotation, first", body, SignWebhook(body, "other"), both, nil},
		{"no signature", body, "", both, ErrMissingSignature},
		{"another secret", body, SignWebhook(body, "third"), both, ErrInvalidSignature},
		{"signed with nothing", body, SignWebhook(body, ""), both, ErrInvalidSignature},
		{"changed body", bytes.Replace(body, []byte("PM01"), []byte("PM02"), 1), good, both, ErrInvalidSignature},
		{"truncated body", body[:len(body)-1], good, both, ErrInvalidSignature},
		{"trailing byte", append(bytes.Clone(body), '\n'), good, both, ErrInvalidSignature},
		{"doubled body", append(bytes.Clone(body), body...), good, both, ErrInvalidSignature},
		{"re-signed with another secret", append(bytes.Clone(body), ' '), SignWebhook(append(bytes.Clone(body), ' '), "third"), both, ErrInvalidSignature},
		{"truncated signature", body, good[:62], both, ErrInvalidSignature},
		{"doubled signature", body, good + good, both, ErrInvalidSignature},
		{"prefixed signature", body, "v1=" + good, both, ErrInvalidSignature},
		{"spaces", body, " " + good, both, ErrInvalidSignature},
		{"not hexadecimal", body, strings.Repeat("z", 64), both, ErrInvalidSignature},
		{"no secrets", body, good, nil, ErrWebhookSecret},
		{"empty secret", body, SignWebhook(body, ""), []WebhookSecret{""}, ErrWebhookSecret},
		{"an empty secret among others", body, good, []WebhookSecret{endpointSecret, ""}, ErrWebhookSecret},
		{"line end in the secret", body, good, []WebhookSecret{endpointSecret + "\n"}, ErrWebhookSecret},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := VerifyWebhook(c.body, c.signature, c.secrets...); !errors.Is(err, c.want) {
				t.Errorf("VerifyWebhook: %v, want %v", err, c.want)
			}
			d, err := ParseWebhook(c.body, c.signature, c.secrets...)
			if !errors.Is(err, c.want) || (d == nil) != (c.want != nil) {
				t.Errorf("ParseWebhook: %v, %v, want %v", d, err, c.want)
			}
		})
	}
}

// The signature is compared in constant time. Measuring the time does not show that reliably, so
// this test reads the code: the given signature is only decoded, measured, and passed to crypto/subtle.
func TestSignaturesAreComparedInConstantTime(t *testing.T) {
	tree, err := parser.ParseFile(token.NewFileSet(), "webhook.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string]int{}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return n.Name.Name == "VerifyWebhook"
		case *ast.CallExpr:
			for _, arg := range n.Args {
				if x, ok := arg.(*ast.Ident); ok && x.Name == "given" {
					uses[types.ExprString(n.Fun)]++
				}
			}
		case *ast.Ident:
			if n.Name == "given" {
				uses["all"]++
			}
		}
		return true
	})
	want := map[string]int{"len": 1, "subtle.ConstantTimeCompare": 1, "all": 3}
	if !maps.Equal(uses, want) {
		t.Errorf("the signature that was given is used in %v, want %v", uses, want)
	}
}

// RawEvents returns the events of a body byte by byte, and so does EventJSON in a handler.
// ParseUnverifiedEvent reads them as the delivery was read.
func TestRawEvents(t *testing.T) {
	body := strings.Replace(sampleDelivery, `"metadata":{}`, "\"metadata\" : {\t}", 1)
	d, err := ParseUnverifiedWebhook([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := d.RawEvents()
	if err != nil || len(raw) != 2 || !strings.Contains(body, "["+string(raw[0])+","+string(raw[1])+"]") {
		t.Fatalf("raw events = %s, %v", raw, err)
	}
	i := 0
	serve(mustHandler(t, func(ctx context.Context, e Event) error {
		delivered, err := EventJSON(ctx, e)
		if err != nil || !bytes.Equal(delivered, raw[i]) {
			t.Errorf("delivered event = %s, %v", delivered, err)
		}
		encoded, err := EventJSON(t.Context(), e)
		if err != nil || bytes.Contains(encoded, []byte("unheard_of")) {
			t.Errorf("encoded event = %s, %v", encoded, err)
		}
		if got, err := ParseUnverifiedEvent(delivered); err != nil || !reflect.DeepEqual(*got, e) {
			t.Errorf("parsed %s to %+v, %v", delivered, got, err)
		}
		got, err := ParseUnverifiedEvent(encoded)
		if err != nil || got.ID != e.ID || !got.CreatedAt.Equal(e.CreatedAt) || got.Type() != e.Type() || got.Cause() != e.Cause() || got.Organisation() != e.Organisation() {
			t.Errorf("parsed %s to %+v, %v", encoded, got, err)
		}
		i++
		return nil
	}), signed(body))
	if i != 2 {
		t.Errorf("%d events were handled", i)
	}
	for _, bad := range []string{"", "null", "7", "[]", `{"id":"EV1"}`, string(raw[0]) + "," + string(raw[1]), string(raw[0]) + "]"} {
		if _, err := ParseUnverifiedEvent([]byte(bad)); !errors.Is(err, ErrMalformedWebhook) {
			t.Errorf("parsed %q: %v", bad, err)
		}
	}
	if _, err := (&WebhookDelivery{Body: []byte("{")}).RawEvents(); !errors.Is(err, ErrMalformedWebhook) {
		t.Errorf("raw events of half a body: %v", err)
	}
}

// A signed body that is not a webhook is refused.
func TestParseWebhookMalformed(t *testing.T) {
	for name, body := range map[string]string{
		"empty":            ``,
		"not JSON":         `<html>`,
		"array":            `[]`,
		"null":             `null`,
		"no events":        `{"meta":{"webhook_id":"WB1"}}`,
		"null events":      `{"events":null}`,
		"events an object": `{"events":{}}`,
		"cut off":          sampleDelivery[:len(sampleDelivery)/2],
		"doubled":          sampleDelivery + sampleDelivery,
		"event a string":   `{"events":["EV1"]}`,
		"no id":            `{"events":[{"resource_type":"payments","action":"failed"}]}`,
		"no type":          `{"events":[{"id":"EV1","action":"failed"}]}`,
		"no action":        `{"events":[{"id":"EV1","resource_type":"payments"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ParseWebhook([]byte(body), SignWebhook([]byte(body), endpointSecret), endpointSecret)
			if !errors.Is(err, ErrMalformedWebhook) || d != nil {
				t.Errorf("got %v, %v, want ErrMalformedWebhook", d, err)
			}
			if strings.Contains(fmt.Sprint(err), "PM01") {
				t.Errorf("error shows the body: %v", err)
			}
		})
	}
	if d, err := ParseUnverifiedWebhook([]byte(`{"events":[]}`)); err != nil || len(d.Events) != 0 {
		t.Errorf("no events at all: %v, %v", d, err)
	}
}

func TestWebhookSecretIsNotPrinted(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", endpointSecret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08b"} {
		log.WriteString(fmt.Sprintf(verb, endpointSecret))
		log.WriteString(fmt.Sprintf(verb, struct{ S WebhookSecret }{endpointSecret}))
	}
	log.WriteString(endpointSecret.String())
	asJSON, err := json.Marshal([]any{endpointSecret, struct{ S WebhookSecret }{endpointSecret}})
	if err != nil {
		t.Error(err)
	}
	log.Write(asJSON)
	if out := log.String(); strings.Contains(out, "ED7D") || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", "ED7D")) {
		t.Errorf("printed: %s", out)
	}
}

// FuzzParseWebhook checks that no body makes the parser panic, that what it accepts has what the
// rest relies on, and that a signature for one body is refused for any other.
func FuzzParseWebhook(f *testing.F) {
	f.Add([]byte(sampleDelivery), []byte(`{"events":[]}`))
	f.Add([]byte(`{"events":[{"id":"EV1","resource_type":"a","action":"b","links":null,"details":{"cause":null}}]}`), []byte(``))
	f.Add([]byte(`{"events":[{"links":{"payment":1}}]}`), []byte(`{"events":`))
	f.Add([]byte(`{"meta":{"webhook_id":"\ud800"},"events":[],"events":[{}]}`), []byte("\xff\xfe"))
	f.Fuzz(func(t *testing.T, body, other []byte) {
		signature := SignWebhook(body, endpointSecret)
		d, err := ParseWebhook(body, signature, endpointSecret)
		if (d == nil) != (err != nil) {
			t.Fatalf("got %v and %v", d, err)
		}
		if err != nil && !errors.Is(err, ErrMalformedWebhook) {
			t.Fatalf("a good signature gives %v", err)
		}
		if d != nil {
			for _, e := range d.Events {
				if e.ID == "" || !strings.Contains(string(e.Type()), ".") {
					t.Fatalf("event %q of type %q", e.ID, e.Type())
				}
				_, _, _, _ = e.ResourceID(), e.Organisation(), e.Cause(), e.Origin()
			}
		}
		if err := VerifyWebhook(other, signature, endpointSecret); (err == nil) != bytes.Equal(body, other) {
			t.Fatalf("signature of %q for %q: %v", body, other, err)
		}
	})
}

// FuzzWebhookSignature checks that only the right signature is accepted.
func FuzzWebhookSignature(f *testing.F) {
	body := []byte(`{"events":[]}`)
	good := SignWebhook(body, endpointSecret)
	for _, s := range []string{"", good, strings.ToUpper(good), good[1:], good + "0", strings.Repeat("0", 64)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, signature string) {
		if err := VerifyWebhook(body, signature, endpointSecret); (err == nil) != strings.EqualFold(signature, good) {
			t.Errorf("%q: %v", signature, err)
		}
	})
}
