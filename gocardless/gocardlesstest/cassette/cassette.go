package cassette

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// An Exchange is a request and its reply.
type Exchange struct {
	// File is the name of the file that the exchange was read from.
	File string `json:"-"`
	// Time is when the request was made.
	Time time.Time `json:"time"`
	// Note explains the purpose of the exchange, if it is not obvious.
	Note string `json:"note,omitempty"`
	// Partial marks a reply that was recorded in part. Verify does not report members and headers that it
	// lacks.
	Partial bool    `json:"partial,omitempty"`
	Request Request `json:"request"`
	Reply   Reply   `json:"reply"`
}

// A Request is a client's request. It never contains access tokens.
type Request struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Query  string            `json:"query,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"` // JSON
	Text   string            `json:"text,omitempty"` // a body that is not JSON
}

// A Reply is a reply of the API.
type Reply struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	Body   json.RawMessage   `json:"body,omitempty"` // JSON
	Text   string            `json:"text,omitempty"` // a body that is not JSON
}

// Operation names the kind of a request by method and path, such as "GET /payments/:id".
func (r *Request) Operation() string {
	segments := strings.Split(r.Path, "/")
	for i, s := range segments {
		if looksLikeID(s) {
			segments[i] = ":id"
		}
	}
	return r.Method + " " + strings.Join(segments, "/")
}

// idForm is the form of the API's ids: a prefix in capitals, then capitals and digits.
var idForm = regexp.MustCompile(`^[A-Z]{2,4}[0-9][0-9A-Z]{2,}$`)

func looksLikeID(s string) bool { return idForm.MatchString(s) }

// The headers that a cassette keeps and that Verify compares. The others belong to the connection, the
// client or a proxy.
var (
	requestHeaders = []string{"GoCardless-Version", "Idempotency-Key", "Content-Type", "Accept", "Accept-Language"}
	replyHeaders   = []string{
		"Content-Type", "Location", "Allow", "WWW-Authenticate", "Retry-After", "X-Request-Id",
		"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
		"Cache-Control", "Pragma", "Vary", "ETag", "Strict-Transport-Security", "X-Content-Type-Options",
	}
)

// kept returns the named headers.
func kept(h http.Header, names []string) map[string]string {
	m := map[string]string{}
	for _, name := range names {
		if v := strings.Join(h.Values(name), ", "); v != "" {
			m[name] = v
		}
	}
	return m
}

// Read reads the exchanges of a cassette in the order of their file names. An error names the file.
func Read(cassette fs.FS) ([]Exchange, error) {
	names, err := fs.Glob(cassette, "*.json")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("cassette: no exchanges: no file ends in .json")
	}
	slices.Sort(names)
	exchanges := make([]Exchange, len(names))
	for i, name := range names {
		raw, err := fs.ReadFile(cassette, name)
		if err != nil {
			return nil, fmt.Errorf("cassette: %w", err)
		}
		if err := readExchange(raw, &exchanges[i]); err != nil {
			return nil, fmt.Errorf("cassette: %s: %w", name, err)
		}
		exchanges[i].File = name
	}
	return exchanges, nil
}

func readExchange(raw []byte, x *Exchange) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(x); err != nil {
		return err
	}
	switch {
	case x.Request.Method == "":
		return errors.New("request.method is missing")
	case !strings.HasPrefix(x.Request.Path, "/"):
		return fmt.Errorf("request.path must start with a slash, not %q", x.Request.Path)
	case x.Reply.Status < 100 || x.Reply.Status > 599:
		return fmt.Errorf("reply.status must be an HTTP status, not %d", x.Reply.Status)
	}
	if _, err := url.ParseQuery(x.Request.Query); err != nil {
		return fmt.Errorf("request.query: %w", err)
	}
	return nil
}

// fileName returns the name of the n-th exchange's file.
func fileName(n int, r *Request) string {
	words := []string{fmt.Sprintf("%04d", n), strings.ToLower(r.Method)}
	for segment := range strings.SplitSeq(r.Path, "/") {
		if word := unsafeInName.ReplaceAllString(segment, ""); word != "" && !looksLikeID(segment) {
			words = append(words, word)
		}
	}
	name := strings.Join(words, "-")
	return name[:min(len(name), 100)] + ".json"
}

var unsafeInName = regexp.MustCompile(`[^a-z0-9_]`)

// write stores an exchange atomically.
func write(dir, name string, x *Exchange) error {
	raw, err := encodeIndented(x)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".exchange-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // fails after the rename, which is intended
	if _, err = f.Write(raw); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

func encodeIndented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}
