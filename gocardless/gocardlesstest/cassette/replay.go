package cassette

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// A Replay answers requests from a cassette. It is an [http.RoundTripper], safe for concurrent use.
//
// A request is answered by the first unused exchange with the same method, path, query and body.
// Headers are ignored, and so are the values of members that a recorder replaces, such as names. If no
// exchange has the same body, the first one whose body differs only in free text is used, because a
// recorder replaces names there, too. Any other request receives a 400 in the form of the API's errors,
// which no client retries. Its message names the next expected request.
type Replay struct {
	mu        sync.Mutex
	exchanges []Exchange
	used      []bool
	refused   []string
}

// NewReplay returns a replay of exchanges, which [Read] reads from a directory.
func NewReplay(exchanges []Exchange) *Replay {
	return &Replay{exchanges: exchanges, used: make([]bool, len(exchanges))}
}

// RoundTrip implements [http.RoundTripper].
func (r *Replay) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	raw, err := readAll(req.Body)
	if err != nil {
		return nil, err
	}
	asked := &Request{Method: req.Method, Path: req.URL.Path, Query: req.URL.RawQuery}
	if v, err := parse(raw); err == nil {
		asked.Body = v.encode(nil)
	} else {
		asked.Text = string(raw)
	}
	return r.answer(req, r.find(asked)), nil
}

// find returns the reply to a request.
func (r *Replay) find(asked *Request) *Reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, blank := range []func(place) bool{replaced, freeText} {
		want := fingerprint(asked, blank)
		for i := range r.exchanges {
			if x := &r.exchanges[i]; !r.used[i] && fingerprint(&x.Request, blank) == want {
				r.used[i] = true
				return &x.Reply
			}
		}
	}
	message := fmt.Sprintf("The cassette has no exchange for %s %s", asked.Method, asked.Path)
	if i := slices.Index(r.used, false); i >= 0 {
		message += fmt.Sprintf("; the next one is %s %s (%s)", r.exchanges[i].Request.Method, r.exchanges[i].Request.Path, r.exchanges[i].File)
	}
	r.refused = append(r.refused, message)
	body, _ := json.Marshal(map[string]any{"error": map[string]any{
		"type": "invalid_api_usage", "code": http.StatusBadRequest, "message": message, "request_id": "cassette",
		"documentation_url": "", "errors": []any{map[string]any{"reason": "bad_request", "message": message}},
	}})
	return &Reply{Status: http.StatusBadRequest, Header: map[string]string{"Content-Type": "application/json"}, Body: body}
}

// replaced reports whether a recorder replaces the value of a member.
func replaced(at place) bool { return personalMember(at) != nil || secrets[at.name()] }

// freeText reports whether a recorder may have replaced a part of the value of a member.
func freeText(at place) bool { return !structural(at) }

// fingerprint returns the parts of a request that must match. URLs, and the strings that blank selects,
// are left out.
func fingerprint(r *Request, blank func(place) bool) string {
	query, err := url.ParseQuery(r.Query)
	parts := []string{r.Method, r.Path, query.Encode(), r.Text}
	if err != nil {
		parts[2] = r.Query
	}
	if v, err := parse(r.Body); err == nil {
		v.eachString(nil, func(at place, s string) string {
			if blank(at) || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
				return ""
			}
			return s
		})
		v.sort()
		parts = append(parts, string(v.encode(nil)))
	}
	return strings.Join(parts, "\n")
}

// sort orders the members of objects by name.
func (v *value) sort() {
	slices.SortStableFunc(v.members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	for _, m := range v.members {
		m.value.sort()
	}
	for _, item := range v.items {
		item.sort()
	}
}

func (r *Replay) answer(req *http.Request, reply *Reply) *http.Response {
	body := []byte(reply.Text)
	if len(reply.Body) > 0 {
		var b bytes.Buffer
		if json.Compact(&b, reply.Body) == nil {
			body = b.Bytes()
		}
	}
	header := http.Header{}
	for name, value := range reply.Header {
		header.Set(name, value)
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", reply.Status, http.StatusText(reply.Status)), StatusCode: reply.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}

// Err returns an error that lists the requests without an exchange and the exchanges that were not
// used. Call it at the end of a test.
func (r *Replay) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	problems := slices.Clone(r.refused)
	for i, used := range r.used {
		if !used {
			x := &r.exchanges[i]
			problems = append(problems, fmt.Sprintf("%s (%s %s) was not used", x.File, x.Request.Method, x.Request.Path))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("cassette: %s", strings.Join(problems, "\n"))
}
