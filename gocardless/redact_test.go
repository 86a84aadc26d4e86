package gocardless

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func dialError() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} }

// Strings that must not appear in any log line or error message. The fixtures below put them wherever
// the API, a proxy, a transport or a caller could.
var private = []string{testToken, "jane.doe@example.com", "GB33BUKB20201555555555", "GB33 BUKB 2020 1555 5555 55", "55779911", "4242 4242 4242 4242", "Bakerstreet", "s3cret"}

func leaks(text string) (found []string) {
	for _, p := range private {
		if strings.Contains(strings.ToLower(text), strings.ToLower(p)) {
			found = append(found, p)
		}
	}
	return found
}

// Calls fail and succeed in every way, with private data in every place, and all logs and error
// messages are searched for it.
func TestNothingPrivateInLogsAndErrors(t *testing.T) {
	personal := `\"jane.doe@example.com\" GB33 BUKB 2020 1555 5555 55 and jane.doe@example.com, GB33BUKB20201555555555; 55779911 / 4242 4242 4242 4242 \"221b Bakerstreet\"`
	errorJSON := `{"error":{"type":"validation_failed jane.doe@example.com","code":422,"message":"` + personal + `","request_id":"jane.doe@example.com","documentation_url":"x",` +
		`"errors":[{"reason":"jane.doe@example.com","field":"jane.doe@example.com","message":"` + personal + `","request_pointer":"/x/jane.doe@example.com","links":{"a":"55779911"},"metadata":{"x":"GB33BUKB20201555555555"}}]}}`
	plain := strings.ReplaceAll(personal, `\`, "")
	replies := map[string][]replier{
		"error":            {replyWith(422, errorJSON, "X-Request-Id", plain[:20])},
		"error without":    {replyWith(422, `{"error":{"message":"`+personal+`"}}`)},
		"echo":             {replyWith(401, `{"error":{"type":"x `+testToken+`","message":"no `+testToken+`","errors":[{"field":"`+testToken+`","message":"Bearer `+testToken+` is unknown","reason":"`+testToken+`"}]}}`)},
		"echo without":     {replyWith(401, `{"error":{"message":"no `+testToken+`"}}`)},
		"bare":             {replyWith(400, `{"error":"`+personal+`"}`)},
		"HTML":             {replyWith(502, plain)},
		"conflict":         {replyWith(409, conflictBody), replyWith(422, errorJSON)},
		"malformed":        {replyWith(200, plain)},
		"malformed member": {replyWith(200, `{"payments":{"metadata":{"jane.doe@example.com":"GB33BUKB20201555555555"},"amount":"jane.doe@example.com"}}`)},
		"wrong envelope":   {replyWith(200, `{"jane.doe@example.com":1}`)},
		"network":          {failWith(errors.New(plain)), failWith(fmt.Errorf("POST https://user:s3cret@proxy.example/payments?email=jane.doe@example.com failed: Authorization: Bearer %s for %s", testToken, plain))},
		"redirect":         {replyWith(302, "", "Location", "https://x.example/?email=jane.doe@example.com&iban=GB33BUKB20201555555555")},
		"success":          {replyWith(503, "", "Retry-After", "0"), replyWith(200, `{"payments":{"id":"PM1","description":"`+personal+`"}}`)},
		"gone":             {replyWith(410, errorJSON)},
	}
	var log bytes.Buffer
	handler := slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 4, AddSource: true})
	var texts []string
	for name, script := range replies {
		s := &script2{script: script}
		c := clientOver(t, s, WithLogger(slog.New(handler)), WithRetryPolicy(atOnce), WithHeader("X-Email", "jane.doe@example.com"))
		for _, call := range []func() error{
			func() error { _, err := c.Payments.Get(t.Context(), "jane.doe@example.com"); return err },
			func() error {
				params := paymentParams()
				params.Description = new(plain)
				_, err := c.Payments.Create(t.Context(), params)
				return err
			},
			func() error {
				_, err := c.Customers.List(t.Context(), CustomerListParams{After: "jane.doe@example.com"})
				return err
			},
			func() error {
				_, err := c.Payments.Update(t.Context(), "PM1", PaymentUpdateParams{Metadata: Metadata{"jane.doe@example.com": strings.Repeat("GB33BUKB20201555555555", 40)}})
				return err
			},
			func() error { return c.Do(t.Context(), "GET", "/x?email=jane.doe@example.com", nil, nil) },
			func() error {
				_, err := c.Payments.Get(t.Context(), "PM1", WithHeader("jane.doe@example.com", "a\nb"), WithBodyField("jane.doe@example.com..x", 1))
				return err
			},
		} {
			s.n = 0
			err := call()
			if err == nil {
				continue
			}
			asJSON, jsonErr := json.Marshal(map[string]any{"error": err})
			if jsonErr != nil {
				t.Errorf("%s: %v", name, jsonErr)
			}
			texts = append(texts, err.Error(), fmt.Sprintf("%v|%+v|%#v|%s|%q", err, err, err, err, err), string(asJSON))
			slog.New(handler).Error("the caller's line", "err", err, "wrapped", fmt.Errorf("x: %w", err))
			if found := leaks(err.Error()); found != nil {
				t.Errorf("%s: %v leaks %q", name, err, found)
			}
		}
	}
	if len(texts) < 40 || log.Len() < 10000 {
		t.Fatalf("%d texts, %d bytes of log: the scan saw too little", len(texts), log.Len())
	}
	for _, text := range texts {
		if found := leaks(text); found != nil {
			t.Errorf("%q leaks %q", text, found)
		}
	}
	for line := range strings.SplitSeq(log.String(), "\n") {
		if found := leaks(line); found != nil {
			t.Errorf("log line %s leaks %q", line, found)
		}
	}
}

type script2 struct {
	script []replier
	n      int
}

func (s *script2) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, err := receive(req); err != nil {
		return nil, err
	}
	r := s.script[min(s.n, len(s.script)-1)]
	s.n++
	return r(req)
}

// However a client is printed, the token stays inside.
func TestClientPrintsRedacted(t *testing.T) {
	c, _ := scripted(t, replyWith(200, paymentReply))
	type holder struct {
		Client  *Client
		Service *PaymentService
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("x", "client", c, "value", *c, "holder", holder{c, c.Payments})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "client", c, "value", *c, "holder", holder{c, c.Payments})
	asJSON, _ := json.Marshal(c)
	for _, text := range []string{
		c.String(), fmt.Sprint(c), fmt.Sprint(*c), fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c, c, c), fmt.Sprintf("%+v %#v", *c, *c),
		fmt.Sprintf("%+v %#v %v", holder{c, c.Payments}, holder{c, c.Payments}, c.Payments), fmt.Sprintf("%+v %#v", c.core, c.core),
		log.String(), string(asJSON),
	} {
		if strings.Contains(text, testToken) || strings.Contains(text, fmt.Sprintf("%x", testToken)) {
			t.Errorf("%s shows the token", text)
		}
	}
	if got := c.String(); got != "gocardless.Client{sandbox, https://api-sandbox.gocardless.com, token [redacted]}" {
		t.Errorf("a client prints as %s", got)
	}
	if got := (Client{}).String(); got != "gocardless.Client{}" {
		t.Errorf("an empty client prints as %s", got)
	}
}

func TestResponsePrintsWithoutBody(t *testing.T) {
	r := Response{StatusCode: 200, Header: http.Header{"X": {"jane.doe@example.com"}}, Body: []byte("jane.doe@example.com"), RequestID: "RQ1", Attempts: 2}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "r", r)
	asJSON, err := json.Marshal([]any{r, &r})
	if err != nil {
		t.Error(err)
	}
	text := fmt.Sprintf("%v %+v %#v %s", r, &r, r, &r) + log.String() + string(asJSON)
	if leaks(text) != nil || !strings.Contains(text, "RQ1") || !strings.Contains(text, `"attempts":2`) {
		t.Errorf("got %s", text)
	}
}

func TestLogLines(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "duration" {
			return slog.Attr{}
		}
		return a
	}}))
	c, _ := scripted(t, replyWith(503, "", "Retry-After", "0", "X-Request-Id", "RQ1"), failWith(io.ErrUnexpectedEOF), replyWith(201, paymentReply, "X-Request-Id", "RQ3"))
	policy := func(a RetryAttempt) RetryDecision {
		d := DefaultRetry(a)
		d.Wait = time.Millisecond
		return d
	}
	if _, err := c.Payments.Create(t.Context(), paymentParams(), WithLogger(logger), WithRetryPolicy(policy)); err != nil {
		t.Fatal(err)
	}
	c, _ = scripted(t, replyWith(422, `{"error":{"type":"invalid_state","errors":[{"reason":"retry_failed"}]}}`, "X-Request-Id", "RQ4"))
	_, _ = c.Payments.Get(t.Context(), "PM1", WithLogger(logger))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = c.Payments.Get(ctx, "PM1", WithLogger(logger))
	_, _ = c.Payments.Get(ctx, "", WithLogger(logger))
	const want = `{"level":"WARN","msg":"gocardless: trying again","operation":"payments.create","status":503,"attempt":1,"wait":1000000,"reason":"status 503","request_id":"RQ1"}
{"level":"WARN","msg":"gocardless: trying again","operation":"payments.create","status":0,"attempt":2,"wait":1000000,"reason":"connection lost","request_id":""}
{"level":"DEBUG","msg":"gocardless: done","operation":"payments.create","status":201,"attempts":3,"existing":false,"request_id":"RQ3"}
{"level":"ERROR","msg":"gocardless: failed","operation":"payments.get","error":"retry_failed","status":422,"attempts":1,"request_id":"RQ4"}
{"level":"ERROR","msg":"gocardless: failed","operation":"payments.get","error":"connection","status":0,"attempts":0,"request_id":""}
{"level":"ERROR","msg":"gocardless: failed","operation":"payments.get","error":"refused before sending","status":0,"attempts":0,"request_id":""}
`
	if log.String() != want {
		t.Errorf("got\n%s\nwant\n%s", log.String(), want)
	}
}
