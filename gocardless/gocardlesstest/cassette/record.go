package cassette

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// A Recorder is a proxy that writes a cassette. Point a client's base URL at it:
//
//	recorder, err := cassette.NewRecorder("https://api-sandbox.gocardless.com", "testdata/cassette", nil)
//	...
//	err = http.ListenAndServe("127.0.0.1:8080", recorder)
//
// Exchanges are recorded one after the other, in the order in which their requests arrive, so that a
// cassette can be replayed. A Recorder is safe for concurrent use.
type Recorder struct {
	target    *url.URL
	dir       string
	transport http.RoundTripper

	mu       sync.Mutex // held for a whole exchange
	disguise *disguise
	count    int
	err      error
}

// maxBody limits the size of a request body or a reply body.
const maxBody = 64 << 20

// NewRecorder returns a recorder that passes requests on to a target, an absolute URL, and writes
// the exchanges to a directory. It creates the directory, and refuses one that already holds a
// cassette, because it cannot know how that replaced personal data. It also refuses the live API.
// The transport may be nil, for [http.DefaultTransport].
func NewRecorder(target, dir string, transport http.RoundTripper) (*Recorder, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("cassette: target: %w", err)
	}
	if u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("cassette: target must be an absolute URL such as https://api-sandbox.gocardless.com, not %q", target)
	}
	if strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), "api.gocardless.com") {
		return nil, errors.New("cassette: target is the live API, which has real customers; record the sandbox environment")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cassette: %w", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return nil, errors.Join(fmt.Errorf("cassette: %s must be an empty directory", dir), err)
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &Recorder{target: u, dir: dir, transport: transport, disguise: newDisguise()}, nil
}

// Count returns how many exchanges have been written.
func (r *Recorder) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Err returns the error of the first exchange that could not be written. Its client received the
// reply anyway.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// ServeHTTP implements [http.Handler]. If the target does not answer, it replies with 502 and
// records nothing.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	began := time.Now().UTC()
	body, err := readAll(req.Body)
	if err != nil {
		http.Error(w, "cassette: the request body could not be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	reply, replyBody, err := r.forward(req.Context(), req, body)
	if err != nil {
		http.Error(w, "cassette: the target did not answer", http.StatusBadGateway)
		return
	}
	maps.Copy(w.Header(), reply.Header)
	w.WriteHeader(reply.StatusCode)
	_, _ = w.Write(replyBody)
	x := &Exchange{
		Time:    began.Truncate(time.Millisecond),
		Request: Request{Method: req.Method, Path: req.URL.Path, Query: req.URL.RawQuery, Header: kept(req.Header, requestHeaders)},
		Reply:   Reply{Status: reply.StatusCode, Header: kept(reply.Header, replyHeaders)},
	}
	r.hide(x, body, replyBody)
	if err := write(r.dir, fileName(r.count+1, &x.Request), x); err != nil {
		r.err = errors.Join(r.err, fmt.Errorf("cassette: %w", err))
		return
	}
	r.count++
}

// forward sends a request to the target.
func (r *Recorder) forward(ctx context.Context, in *http.Request, body []byte) (*http.Response, []byte, error) {
	u := *r.target
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/")+in.URL.Path, ""
	u.RawQuery = in.URL.RawQuery
	out, err := http.NewRequestWithContext(ctx, in.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	out.Header = in.Header.Clone()
	for _, name := range append(strings.Split(in.Header.Get("Connection"), ","), "Connection", "Keep-Alive", "Te", "Transfer-Encoding", "Upgrade", "Accept-Encoding") {
		out.Header.Del(strings.TrimSpace(name))
	}
	reply, err := r.transport.RoundTrip(out)
	if err != nil {
		return nil, nil, err
	}
	replyBody, err := readAll(reply.Body)
	_ = reply.Body.Close()
	for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length"} {
		reply.Header.Del(name)
	}
	return reply, replyBody, err
}

// hide stores both bodies in the exchange, without personal data.
func (r *Recorder) hide(x *Exchange, request, reply []byte) {
	asked, _ := parse(request)
	answered, _ := parse(reply)
	for _, v := range []*value{asked, answered} {
		if v != nil {
			r.disguise.learn(v)
		}
	}
	x.Request.Body, x.Request.Text = r.hidden(asked, request)
	x.Reply.Body, x.Reply.Text = r.hidden(answered, reply)
	query, err := url.ParseQuery(x.Request.Query)
	if err != nil {
		x.Request.Query = ""
		return
	}
	changed := false
	for _, values := range query {
		for i, v := range values {
			values[i] = r.disguise.hideIn(v)
			changed = changed || values[i] != v
		}
	}
	if changed {
		x.Request.Query = query.Encode()
	}
	if location := x.Reply.Header["Location"]; location != "" {
		x.Reply.Header["Location"] = strings.Replace(location, r.target.Scheme+"://"+r.target.Host, "https://api.example.com", 1)
	}
}

// hidden returns a body as JSON, or as a string if it is not JSON.
func (r *Recorder) hidden(v *value, raw []byte) (json.RawMessage, string) {
	if v == nil {
		return nil, r.disguise.hideIn(strings.ToValidUTF8(string(raw), "\uFFFD"))
	}
	r.disguise.hide(v)
	return v.encode(nil), ""
}

// readAll reads a body that may be nil.
func readAll(body io.Reader) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err == nil && len(raw) > maxBody {
		err = fmt.Errorf("more than %d MiB", maxBody>>20)
	}
	return raw, err
}
