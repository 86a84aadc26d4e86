package gocardless

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// httpDate writes an instant as headers do.
func httpDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

func TestBackoffWithFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, replyWith(500, ""))
		var sum [6]time.Duration
		const rounds = 200
		for range rounds {
			s.got, s.at = nil, nil
			_, err := c.Payments.Get(t.Context(), "PM1", WithRetries(6))
			if e := as[*Error](t, err); e.Attempts != 7 {
				t.Fatalf("%d attempts", e.Attempts)
			}
			for i, wait := range s.waits() {
				if limit := min(500*time.Millisecond<<i, 8*time.Second); wait > limit {
					t.Fatalf("wait %d is %v, over %v", i, wait, limit)
				}
				sum[i] += wait
			}
		}
		// The mean of full jitter is half the limit.
		for i, total := range sum {
			limit := min(500*time.Millisecond<<i, 8*time.Second)
			if mean := total / rounds; mean < limit*3/10 || mean > limit*7/10 {
				t.Errorf("mean wait %d is %v, want about %v", i, mean, limit/2)
			}
		}
	})
}

func TestServersWaitIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for name, test := range map[string]struct {
			status   int
			headers  []string
			from, to time.Duration
		}{
			"seconds":                    {503, []string{"Retry-After", "7"}, 7 * time.Second, 7500 * time.Millisecond},
			"date":                       {503, []string{"Retry-After", "+9s"}, 9 * time.Second, 9500 * time.Millisecond},
			"date by the server's clock": {503, []string{"Retry-After", httpDate(now.Add(time.Hour + 5*time.Second)), "Date", httpDate(now.Add(time.Hour))}, 5 * time.Second, 5500 * time.Millisecond},
			"far too long":               {503, []string{"Retry-After", "86400"}, time.Minute, time.Minute},
			"absurd":                     {503, []string{"Retry-After", "9223372036854775807"}, time.Minute, time.Minute},
			"negative":                   {503, []string{"Retry-After", "-5"}, 0, 500 * time.Millisecond},
			"nonsense":                   {503, []string{"Retry-After", "soon"}, 0, 500 * time.Millisecond},
			"past date":                  {503, []string{"Retry-After", "-9s"}, 0, 500 * time.Millisecond},
			"429 with reset":             {429, []string{"RateLimit-Reset", "+41s"}, 41 * time.Second, 41500 * time.Millisecond},
			"429 with both":              {429, []string{"RateLimit-Reset", "+41s", "Retry-After", "3"}, 3 * time.Second, 3500 * time.Millisecond},
			"429 with far reset":         {429, []string{"RateLimit-Reset", "+3600s"}, time.Minute, time.Minute},
			"429 without":                {429, nil, 0, 500 * time.Millisecond},
			// A reset on another status is when the window ends, not a reason to wait.
			"500 with reset": {500, []string{"RateLimit-Reset", "+41s"}, 0, 500 * time.Millisecond},
		} {
			s := &script{replies: []replier{
				func(req *http.Request) (*http.Response, error) {
					headers := slices.Clone(test.headers)
					for i, h := range headers {
						// Whole seconds, as in the header: rounded up to be on the safe side.
						if n, err := strconv.Atoi(strings.TrimSuffix(h, "s")); err == nil && strings.HasSuffix(h, "s") {
							headers[i] = httpDate(time.Now().Add(time.Duration(n) * time.Second).Truncate(time.Second))
						}
					}
					return replyWith(test.status, "", headers...)(req)
				},
				replyWith(200, paymentReply),
			}}
			// The fake clock starts on a full second; start each case on one.
			time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
			_, err := clientOver(t, s).Payments.Get(t.Context(), "PM1")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if wait := s.waits()[0]; wait < test.from || wait > test.to {
				t.Errorf("%s: waited %v, want %v to %v", name, wait, test.from, test.to)
			}
		}
	})
}

func TestNoWaitAfterTheLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, replyWith(503, "", "Retry-After", "30"))
		began := time.Now()
		_, err := c.Payments.Get(t.Context(), "PM1", WithRetries(1))
		if e := as[*Error](t, err); e.Attempts != 2 || e.RetryAfter != 30*time.Second {
			t.Errorf("%v after %d attempts, retry after %v", e, e.Attempts, e.RetryAfter)
		}
		if took := time.Since(began); took != s.waits()[0] {
			t.Errorf("took %v, waited %v", took, s.waits()[0])
		}
		began = time.Now()
		_, _ = c.Payments.Get(t.Context(), "PM1", WithRetries(0))
		if took := time.Since(began); took != 0 {
			t.Errorf("without retries it took %v", took)
		}
	})
}

func TestDeadlineIsCheckedBeforeAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, replyWith(503, "", "Retry-After", "30"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.Payments.Get(ctx, "PM1")
		if e := as[*Error](t, err); e.StatusCode != 503 || time.Since(began) != 0 || len(s.requests()) != 1 {
			t.Errorf("%v after %v and %d requests", err, time.Since(began), len(s.requests()))
		}
	})
}

func TestCancelEndsAWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, replyWith(503, "", "Retry-After", "30"))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		began := time.Now()
		_, err := c.Payments.Create(ctx, paymentParams(), WithIdempotencyKey("mine"))
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
		e := as[*ConnectionError](t, err)
		if !errors.Is(err, context.Canceled) || e.Attempts != 1 || len(s.requests()) != 1 || e.IdempotencyKey != "mine" || e.MayHaveRun {
			t.Errorf("got %+v", e)
		}
		// The server's last reply is still there.
		if previous := as[*Error](t, err); previous.StatusCode != 503 {
			t.Errorf("previous error %v", previous)
		}
	})
}

func TestDeadContextSendsNothing(t *testing.T) {
	c, s := scripted(t, replyWith(200, paymentReply))
	var none context.Context
	_, err := c.Payments.Get(none, "PM1")
	as[*ParamsError](t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Payments.Get(ctx, "PM1")
	if e := as[*ConnectionError](t, err); !errors.Is(err, context.Canceled) || e.Attempts != 0 || len(s.requests()) != 0 {
		t.Errorf("%v, %d requests", err, len(s.requests()))
	}
}

func TestContextThatEndsDuringAnAttemptIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		c, s := scripted(t, hang)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := c.Payments.Get(ctx, "PM1")
		if e := as[*ConnectionError](t, err); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTimeout) || e.Attempts != 1 || len(s.requests()) != 1 || !e.Timeout() {
			t.Errorf("%v after %d requests", err, len(s.requests()))
		}
		// The policy is not asked whether to continue.
		ended, end := context.WithCancel(t.Context())
		c, _ = scripted(t, func(*http.Request) (*http.Response, error) {
			end()
			return nil, errors.New("reset")
		})
		_, err = c.Payments.Get(ended, "PM1", WithRetryPolicy(func(RetryAttempt) RetryDecision {
			t.Error("the policy was asked after the context had ended")
			return RetryDecision{}
		}))
		as[*ConnectionError](t, err)
	})
}

// The caller no longer waits for another attempt, so the policy is not asked for one and
// the last reply is the error.
func TestContextThatEndsWithAReply(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, s := scripted(t, func(req *http.Request) (*http.Response, error) {
		resp, err := replyWith(502, "")(req)
		cancel()
		return resp, err
	})
	asked := false
	_, err := c.Payments.Get(ctx, "PM1", WithRetryPolicy(func(a RetryAttempt) RetryDecision {
		asked = true
		return DefaultRetry(a)
	}))
	if e, ok := errors.AsType[*Error](err); !ok || e.StatusCode != 502 || asked || len(s.requests()) != 1 {
		t.Errorf("%v, asked %t, %d requests", err, asked, len(s.requests()))
	}
}

func TestTimeoutOfAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		c, s := scripted(t, hang, hang, replyWith(200, paymentReply))
		began := time.Now()
		if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 2*time.Minute || took > 2*time.Minute+2*time.Second {
			t.Errorf("two attempts of 60 s took %v", took)
		}
		s.replies = []replier{hang}
		_, err := c.Payments.Get(t.Context(), "PM1", WithTimeout(time.Second), WithRetries(2))
		if e := as[*ConnectionError](t, err); !errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || !e.Timeout() || e.Attempts != 3 {
			t.Errorf("got %v", err)
		}
		// Without a limit only the caller's context ends it.
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began = time.Now()
		_, err = c.Payments.Get(ctx, "PM1", WithTimeout(0))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// A transport that ignores the context is held to the limit while the body comes.
func TestTimeoutOfADrippingBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drip := func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(dripper{}), ContentLength: -1, Request: req}, nil
		}
		c, _ := scripted(t, drip)
		began := time.Now()
		_, err := c.Payments.Get(t.Context(), "PM1", WithTimeout(10*time.Second), WithRetries(0))
		if !errors.Is(err, ErrTimeout) || time.Since(began) > 12*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// When time runs out, net/http may end a body that is cut off as if it were whole.
// That does not make the reply malformed.
func TestBodyThatEndsWithTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := func(req *http.Request) (*http.Response, error) {
			body := io.NopCloser(&cutOffReader{req.Context(), `{"payments":{"id":`})
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, ContentLength: -1, Request: req}, nil
		}
		c, _ := scripted(t, cut)
		_, err := c.Payments.Get(t.Context(), "PM1", WithRetries(0))
		if as[*ConnectionError](t, err); !errors.Is(err, ErrTimeout) {
			t.Errorf("got %v", err)
		}
	})
}

// cutOffReader gives a beginning, and its end when the context ends.
type cutOffReader struct {
	ctx   context.Context
	start string
}

func (r *cutOffReader) Read(p []byte) (int, error) {
	if r.start != "" {
		n := copy(p, r.start)
		r.start = r.start[n:]
		return n, nil
	}
	<-r.ctx.Done()
	return 0, io.EOF
}

type dripper struct{}

func (dripper) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	p[0] = ' '
	return 1, nil
}

func TestRetryPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, replyWith(422, `{"error":{"type":"validation_failed"}}`), replyWith(200, paymentReply))
		var asked []RetryAttempt
		policy := func(a RetryAttempt) RetryDecision {
			asked = append(asked, a)
			return RetryDecision{Retry: a.StatusCode == 422, Wait: 3 * time.Second, Reason: "because"}
		}
		if _, err := c.Payments.Get(t.Context(), "PM1", WithRetryPolicy(policy)); err != nil {
			t.Fatal(err)
		}
		if len(asked) != 1 || asked[0].Attempt != 1 || asked[0].Operation.Name != "payments.get" || !errors.Is(asked[0].Err, ErrValidation) || s.waits()[0] != 3*time.Second {
			t.Errorf("asked %+v, waited %v", asked, s.waits())
		}
		// The number of retries bounds any policy.
		s.replies, asked = []replier{replyWith(422, "")}, nil
		_, err := c.Payments.Get(t.Context(), "PM1", WithRetryPolicy(policy), WithRetries(2))
		if e := as[*Error](t, err); e.Attempts != 3 || len(asked) != 2 {
			t.Errorf("%d attempts, asked %d times", e.Attempts, len(asked))
		}
	})
}

// The default policy treats an operation of unknown kind as an action.
func TestUnknownKindIsNotRepeated(t *testing.T) {
	for kind, want := range map[OperationKind]bool{KindRead: true, KindUpdate: true, KindDelete: true, KindCreate: true, KindAction: false, "": false, "new": false} {
		d := DefaultRetry(RetryAttempt{Operation: Operation{Kind: kind}, Attempt: 1, StatusCode: 500, Err: &Error{StatusCode: 500}})
		if d.Retry != want {
			t.Errorf("kind %q: %t", kind, d.Retry)
		}
	}
}

// Each attempt is a request of its own: a transport that keeps reading the body of
// the attempt before, or changes the request, does not spoil the next.
func TestAttemptsShareNothing(t *testing.T) {
	var kept []*http.Request
	var bodies []string
	transport := roundTripper(func(req *http.Request) (*http.Response, error) {
		kept = append(kept, req)
		raw, _ := io.ReadAll(req.Body)
		bodies = append(bodies, string(raw))
		req.Header.Set("Authorization", "spoilt")
		req.Header.Del("Idempotency-Key")
		req.URL.Path = "/spoilt"
		if len(kept) < 3 {
			return nil, io.ErrUnexpectedEOF
		}
		return replyWith(201, paymentReply)(req)
	})
	seen := make([]sent, 0, 3)
	watch := roundTripper(func(req *http.Request) (*http.Response, error) {
		s := sent{Path: req.URL.Path, Header: req.Header.Clone()}
		seen = append(seen, s)
		return transport(req)
	})
	c := clientOver(t, watch, WithRetryPolicy(atOnce))
	if _, err := c.Payments.Create(t.Context(), paymentParams()); err != nil {
		t.Fatal(err)
	}
	for i, s := range seen {
		if s.Path != "/payments" || s.Header.Get("Authorization") != "Bearer "+testToken || s.Header.Get("Idempotency-Key") != seen[0].Header.Get("Idempotency-Key") || s.Header.Get("Idempotency-Key") == "" {
			t.Errorf("attempt %d: %+v", i, s)
		}
		if bodies[i] != paymentBody {
			t.Errorf("attempt %d: body %q", i, bodies[i])
		}
		if i > 0 && (kept[i] == kept[i-1] || kept[i].Body == kept[i-1].Body || kept[i].URL == kept[i-1].URL) {
			t.Errorf("attempt %d shares something with the one before", i)
		}
	}
}

// The retry of a delete whose reply was lost succeeds if the resource is gone.
func TestDeleteFoundDone(t *testing.T) {
	gone := replyWith(410, `{"error":{"type":"invalid_api_usage","code":410,"errors":[{"reason":"customer_data_removed"}]}}`)
	c, _ := scripted(t, failWith(io.ErrUnexpectedEOF), gone)
	var r Response
	if err := c.Customers.Remove(t.Context(), "CU1", WithRetryPolicy(atOnce), WithResponse(&r)); err != nil || !r.Existing || r.Attempts != 2 {
		t.Errorf("got %v, %v", err, r)
	}
	// Without a lost reply, 410 is an error.
	c, _ = scripted(t, gone)
	if err := c.Customers.Remove(t.Context(), "CU1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
	c, _ = scripted(t, replyWith(429, ""), gone)
	if err := c.Customers.Remove(t.Context(), "CU1", WithRetryPolicy(atOnce)); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfterInThePast(t *testing.T) {
	c, _ := scripted(t, replyWith(503, "", "Retry-After", httpDate(time.Now().Add(-time.Hour))))
	_, err := c.Payments.Get(t.Context(), "PM1", WithRetries(0))
	if e := as[*Error](t, err); e.RetryAfter != 0 {
		t.Errorf("retry after %v", e.RetryAfter)
	}
}

// An invalid Retry-After does not mean that the request was not carried out.
func TestNegativeRetryAfterIsNone(t *testing.T) {
	for _, wait := range []string{"-5", "-99999999999999999999", "5, 60"} {
		c, s := scripted(t, replyWith(503, "", "Retry-After", wait))
		_, err := c.Payments.Cancel(t.Context(), "PM1", PaymentCancelParams{}, WithRetryPolicy(atOnce))
		if e := as[*Error](t, err); len(s.requests()) != 1 || !e.MayHaveRun {
			t.Errorf("%s: %d requests, may have run %t", wait, len(s.requests()), e.MayHaveRun)
		}
	}
}

// A PATCH may change a value relative to the old one, so Do retries it only if it has not run.
func TestPatchIsRetriedLikeAnAction(t *testing.T) {
	for status, attempts := range map[int]int{500: 1, 429: 2} {
		c, s := scripted(t, replyWith(status, `{}`), replyWith(200, `{}`))
		err := c.Do(t.Context(), "PATCH", "/things/TH1", json.RawMessage(`{"things":{}}`), nil, WithRetryPolicy(atOnce))
		if len(s.got) != attempts || (err == nil) != (attempts == 2) || s.got[0].Header.Get("Idempotency-Key") != "" {
			t.Errorf("after %d: %d attempts, %v", status, len(s.got), err)
		}
	}
}

func TestHTTPDates(t *testing.T) {
	want := time.Date(2023, 4, 19, 16, 10, 0, 0, time.UTC)
	for _, v := range []string{"Wed, 19 Apr 2023 16:10:00 GMT", "Wednesday, 19-Apr-23 16:10:00 GMT", "Wed Apr 19 16:10:00 2023"} {
		if got := parseHTTPTime(v); !got.Equal(want) {
			t.Errorf("%s: %v", v, got)
		}
	}
	for _, v := range []string{"", "60", "2023-04-19T16:10:00Z", "Wed, 19 Apr 2023"} {
		if got := parseHTTPTime(v); !got.IsZero() {
			t.Errorf("%s: %v", v, got)
		}
	}
}
