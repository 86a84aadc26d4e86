package cassette

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// VerifyOptions configures where and how the requests of a cassette are replayed.
type VerifyOptions struct {
	// BaseURL is the API to compare with, such as the address of a sandbox.
	BaseURL string
	// Token is the access token, by default "verify", which a sandbox accepts unless its tokens are set.
	Token string
	// Transport sends the requests, by default [http.DefaultTransport]. The Transport of a sandbox needs no
	// socket.
	Transport http.RoundTripper
	// Before, if set, is called before each request, for example to advance a sandbox's clock to the
	// time of the exchange.
	Before func(*Exchange)
	// IDs maps ids of the recorded account that the cassette does not create to ids in the other
	// API. The creditor need not be listed: the oldest one is used.
	IDs map[string]string
	// Known are differences that are expected.
	Known []Known
}

// Known is a difference that is expected. An empty member matches everything.
type Known struct {
	Operation string `json:"operation,omitempty"` // such as "GET /payments/:id"
	Path      string `json:"path,omitempty"`      // such as "/payments/*/links", with everything below it; * is any member or position
	Kind      Kind   `json:"kind,omitempty"`
	Reason    string `json:"reason"` // why it is expected; required
}

// ReadKnown reads a list of known differences, which is a JSON array. Each needs a reason.
func ReadKnown(r io.Reader) ([]Known, error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	var known []Known
	if err := d.Decode(&known); err != nil {
		return nil, fmt.Errorf("cassette: known differences: %w", err)
	}
	for i, k := range known {
		if strings.TrimSpace(k.Reason) == "" {
			return nil, fmt.Errorf("cassette: known differences: /%d/reason is missing; explain why the difference is expected", i)
		}
	}
	return known, nil
}

func (k *Known) matches(d *Difference) bool {
	return (k.Operation == "" || k.Operation == d.Operation) && (k.Kind == "" || k.Kind == d.Kind) && covers(k.Path, d.Path)
}

// covers reports whether a path matches a pattern or is below it.
func covers(pattern, path string) bool {
	if pattern == "" {
		return true
	}
	want, have := strings.Split(strings.TrimSuffix(pattern, "/"), "/"), strings.Split(path, "/")
	return len(have) >= len(want) && slices.EqualFunc(want, have[:len(want)], func(w, h string) bool { return w == "*" || w == h })
}

// Verify sends the requests of a cassette to an API, one after the other, and compares everything but
// the values of the replies with the recorded ones. It replaces the ids of recorded resources with
// those that the same requests created. An error means invalid options or a failed transport;
// differences are in the report.
func Verify(ctx context.Context, exchanges []Exchange, options VerifyOptions) (*Report, error) {
	base, err := url.Parse(options.BaseURL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("cassette: BaseURL must be an absolute URL, not %q", options.BaseURL)
	}
	v := &verifier{options: options, base: base, ids: newIDs(options.IDs)}
	if v.options.Transport == nil {
		v.options.Transport = http.DefaultTransport
	}
	if v.options.Token == "" {
		v.options.Token = "verify"
	}
	if err := v.findCreditor(ctx, exchanges); err != nil {
		return nil, err
	}
	report := &Report{Exchanges: len(exchanges)}
	for i := range exchanges {
		x := &exchanges[i]
		if options.Before != nil {
			options.Before(x)
		}
		differences, err := v.exchange(ctx, x)
		if err != nil {
			return nil, fmt.Errorf("cassette: %s: %s: %w", x.File, x.Request.Operation(), err)
		}
		report.Differences = append(report.Differences, differences...)
	}
	report.explain(options.Known)
	return report, nil
}

type verifier struct {
	options VerifyOptions
	base    *url.URL
	ids     *ids
}

// exchange replays one request.
func (v *verifier) exchange(ctx context.Context, x *Exchange) ([]Difference, error) {
	c := &comparison{ids: v.ids, exchange: x.File, operation: x.Request.Operation(), partial: x.Partial}
	path, unknown := v.ids.inPath(x.Request.Path)
	for _, id := range unknown {
		// If the recorded reply is a 404, the id is meant to be unknown.
		if x.Reply.Status != http.StatusNotFound {
			c.add("", Unmapped, id, "the cassette does not create it; add its counterpart to IDs")
		}
	}
	if len(c.found) > 0 {
		return c.found, nil
	}
	body, err := v.requestBody(&x.Request)
	if err != nil {
		return nil, err
	}
	reply, raw, err := v.send(ctx, &x.Request, path, body)
	if err != nil {
		return nil, err
	}
	c.reply(&x.Reply, reply, raw)
	return c.found, nil
}

// requestBody returns the body of a request with the other API's ids.
func (v *verifier) requestBody(r *Request) ([]byte, error) {
	if len(r.Body) == 0 {
		return []byte(r.Text), nil
	}
	body, err := parse(r.Body)
	if err != nil {
		return nil, err
	}
	body.eachString(nil, func(_ place, s string) string { return v.ids.replace(s) })
	return body.encode(nil), nil
}

func (v *verifier) send(ctx context.Context, r *Request, path string, body []byte) (*http.Response, []byte, error) {
	u := *v.base
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = v.ids.inQuery(r.Query)
	var reader io.Reader
	if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, u.String(), reader)
	if err != nil {
		return nil, nil, err
	}
	for name, value := range r.Header {
		request.Header.Set(name, value)
	}
	request.Header.Set("Authorization", "Bearer "+v.options.Token)
	reply, err := v.options.Transport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = reply.Body.Close() }()
	raw, err := readAll(reply.Body)
	return reply, raw, err
}

// findCreditor maps the recorded creditor, which a cassette can rarely create, to the account's oldest
// one.
func (v *verifier) findCreditor(ctx context.Context, exchanges []Exchange) error {
	recorded := recordedCreditor(exchanges)
	if recorded == "" || v.ids.other[recorded] != "" {
		return nil
	}
	_, raw, err := v.send(ctx, &Request{Method: http.MethodGet, Header: map[string]string{"GoCardless-Version": "2015-07-06", "Accept": "application/json"}}, "/creditors", nil)
	if err != nil {
		return fmt.Errorf("cassette: GET /creditors: %w", err)
	}
	body, err := parse(raw)
	if err != nil {
		return errors.New("cassette: GET /creditors: the reply is not JSON; check BaseURL")
	}
	if creditors := body.get("creditors"); creditors != nil && len(creditors.items) > 0 {
		if id := creditors.items[len(creditors.items)-1].get("id"); id != nil { // the oldest
			v.ids.learn(recorded, id.text)
		}
	}
	return nil
}

// recordedCreditor returns the first creditor that a cassette links to, or "".
func recordedCreditor(exchanges []Exchange) (id string) {
	for i := range exchanges {
		for _, raw := range []json.RawMessage{exchanges[i].Request.Body, exchanges[i].Reply.Body} {
			body, err := parse(raw)
			if err != nil {
				continue
			}
			body.eachString(nil, func(at place, s string) string {
				if id == "" && at.name() == "creditor" && at.parent() == "links" && looksLikeID(s) {
					id = s
				}
				return s
			})
		}
	}
	return id
}

// ids maps the ids of recorded resources to those of their counterparts.
type ids struct {
	other map[string]string // recorded → other
	back  map[string]string // other → recorded
}

func newIDs(given map[string]string) *ids {
	m := &ids{map[string]string{}, map[string]string{}}
	for recorded, other := range given {
		m.learn(recorded, other)
	}
	return m
}

func (m *ids) learn(recorded, other string) {
	if m.other[recorded] == "" && m.back[other] == "" {
		m.other[recorded], m.back[other] = other, recorded
	}
}

// replace returns the counterpart of a recorded id, and any other string unchanged.
func (m *ids) replace(s string) string {
	if other := m.other[s]; other != "" {
		return other
	}
	return s
}

// inPath replaces the ids of a path, and returns those without a counterpart.
func (m *ids) inPath(path string) (string, []string) {
	segments := strings.Split(path, "/")
	var unknown []string
	for i, s := range segments {
		segments[i] = m.replace(s)
		if looksLikeID(s) && m.other[s] == "" {
			unknown = append(unknown, s)
		}
	}
	return strings.Join(segments, "/"), unknown
}

// inQuery replaces the ids in the values of a query, including lists of them.
func (m *ids) inQuery(raw string) string {
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		name, joined, _ := strings.Cut(part, "=")
		words := strings.Split(joined, ",")
		for j, word := range words {
			words[j] = m.replace(word)
		}
		if joined != "" {
			parts[i] = name + "=" + strings.Join(words, ",")
		}
	}
	return strings.Join(parts, "&")
}
