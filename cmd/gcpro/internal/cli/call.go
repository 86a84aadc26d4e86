package cli

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
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/param"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

// request is one call of an operation.
type request struct {
	op     *spec.Operation
	path   string // escaped
	query  url.Values
	header map[string]string
	body   json.RawMessage // nil for none
	key    string          // idempotency key; "" for a random one
}

// newRequest returns the request of an operation with these ids in its path and, if set is not nil,
// these parameters.
func newRequest(op *spec.Operation, ids []string, set *param.Set) (*request, error) {
	r := &request{op: op, path: op.Path, query: url.Values{}}
	for i, name := range op.PathParams() {
		id := ids[i]
		if id == "" || id == "." || id == ".." || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
			return nil, &gocardless.ParamsError{Operation: op.Name, Problems: []gocardless.Problem{{Field: name, Message: "must be an id"}}}
		}
		r.path = strings.Replace(r.path, "{"+name+"}", url.PathEscape(id), 1)
	}
	if set == nil {
		return r, nil
	}
	if err := set.Check(); err != nil {
		return nil, err
	}
	var body map[string]any
	body, r.query, r.header = set.Split()
	if op.Request != "" && (op.Params != nil || len(body) > 0) {
		var err error
		if r.body, err = encode(map[string]any{op.Request: body}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// encode returns v as JSON, without the escapes for HTML.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// target returns the path with its query.
func (r *request) target() string {
	if len(r.query) == 0 {
		return r.path
	}
	return r.path + "?" + r.query.Encode()
}

// send makes the call and returns the whole reply. A create request whose key was used before
// returns the original resource.
func (r *request) send(ctx context.Context, client *gocardless.Client, record *gocardless.Response) (json.RawMessage, error) {
	opts := []gocardless.RequestOption{gocardless.WithOperationKind(gocardless.OperationKind(r.op.Kind)), gocardless.WithResponse(record)}
	for name, value := range r.header {
		opts = append(opts, gocardless.WithHeader(name, value))
	}
	if r.key != "" {
		opts = append(opts, gocardless.WithIdempotencyKey(r.key))
	}
	var body any
	if r.body != nil {
		body = r.body
	}
	if r.op.Result == nil {
		return nil, client.Do(ctx, r.op.Method, r.target(), body, nil, opts...)
	}
	var reply json.RawMessage
	err := client.Do(ctx, r.op.Method, r.target(), body, &reply, opts...)
	if existing := conflicting(r.op, err); existing != "" {
		get := spec.Find(r.op.Resource(), "get")
		again, pathErr := newRequest(get, []string{existing}, nil)
		if pathErr != nil {
			return nil, err
		}
		if reply, err = again.send(ctx, client, record); err == nil {
			record.Existing = true
		}
	}
	return reply, err
}

// conflicting returns the id of the resource that an earlier request with the same key created, or
// "".
func conflicting(op *spec.Operation, err error) string {
	refused, ok := errors.AsType[*gocardless.Error](err)
	if !ok || !errors.Is(err, gocardless.ErrIdempotencyConflict) || spec.Find(op.Resource(), "get") == nil {
		return ""
	}
	return refused.Link("conflicting_resource_id")
}

// unwrap returns the result inside a reply.
func unwrap(op *spec.Operation, reply json.RawMessage) (json.RawMessage, error) {
	if op.Reply == "" || len(reply) == 0 {
		return reply, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(reply, &members); err != nil || members[op.Reply] == nil {
		return nil, fmt.Errorf("the reply to %s has no member %q", op.Name, op.Reply)
	}
	return members[op.Reply], nil
}

// dryRun prints a request as it would be sent. A random idempotency key is only chosen on sending,
// so it is not shown.
func (r *request) dryRun(w io.Writer, t *target) error {
	fmt.Fprintf(w, "%s %s\n", r.op.Method, render.Safe(t.url()+r.target()))
	headers := map[string]string{"Authorization": "Bearer [hidden]"}
	if r.body != nil {
		headers["Content-Type"] = "application/json"
	}
	if r.key != "" {
		headers["Idempotency-Key"] = r.key
	} else if r.op.Method == http.MethodPost {
		headers["Idempotency-Key"] = "[random]"
	}
	maps.Copy(headers, r.header)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fmt.Fprintf(w, "%s: %s\n", render.Safe(name), render.Safe(headers[name]))
	}
	if r.body == nil {
		return nil
	}
	fmt.Fprintln(w)
	return render.JSON(w, r.body)
}
