package gocardlesstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

const (
	apiVersion = "2015-07-06"
	// maxBody is the maximum size of a request body. The API's own limit is not public; its largest
	// bodies contain a logo.
	maxBody = 4 << 20
	// maxKey is the maximum length of an idempotency key.
	maxKey = 128
)

// incoming is a request, from a socket or from a RoundTripper.
type incoming struct {
	ctx    context.Context
	method string
	url    *url.URL
	header http.Header
	body   io.Reader
	base   string
}

// outgoing is the reply to it.
type outgoing struct {
	status int
	header http.Header
	body   []byte
	drop   bool // close the connection without a reply
	cut    int  // number of bytes of the body to send, -1 for all
}

// serve answers and logs one API request. A fault may spoil the reply.
func (sb *Sandbox) serve(in *incoming) *outgoing {
	now := sb.Now()
	c := &apiCall{sb: sb, in: in, now: now, rid: sb.requestID(now), out: &outgoing{header: make(http.Header, 16), cut: -1}}
	path := in.url.EscapedPath()
	c.op, c.id, c.known = theRegistry().routes.Find(in.method, path)
	c.parent = c.op.ParentID(path)
	c.raw, c.tooBig, c.readErr = readBody(in.body)
	fault := sb.faults.match(c.op)
	if fault == nil {
		c.reply()
	} else if c.fault = fault; !c.spoil(fault) {
		return c.out // the caller has given up
	}
	sb.standardHeaders(c.out, c.rid, now)
	c.log()
	if sb.hooks.waiting.Load() > 0 {
		sb.kick()
	}
	return c.out
}

// reply runs the call and writes its reply.
func (c *apiCall) reply() {
	if err := c.run(); err != nil {
		c.out.status = err.Status
		c.out.body = err.Body(c.rid)
		delete(c.out.header, "Location")
	}
}

// spoil replies as the fault requires. It reports whether there is anything to send and to log.
func (c *apiCall) spoil(f *Fault) bool {
	switch {
	case f.After:
		c.reply()
		if f.Delay > 0 && !wait(c.in.ctx, f.Delay) {
			c.out.drop = true
		} else if f.answers() {
			f.answer(c.out, c.rid)
		}
	case f.Delay > 0 && !wait(c.in.ctx, f.Delay):
		c.out.drop = true
		return false
	case f.answers():
		f.answer(c.out, c.rid)
		return true
	default:
		c.reply()
	}
	f.damage(c.out)
	return true
}

// log adds the call to the log and calls the hook.
func (c *apiCall) log() {
	entry := &Request{Time: c.now, Method: c.in.method, Path: c.in.url.Path, Query: c.in.url.RawQuery, Header: c.in.header, Body: c.raw,
		RequestID: c.rid, Resource: c.made, Status: c.out.status, Reply: c.out.body, Dropped: c.out.drop, Fault: c.fault}
	if c.op != nil {
		entry.Operation = c.op.Name
	}
	entry.Body, entry.Reply = shorten(entry.Body), shorten(entry.Reply)
	c.sb.log.add(entry)
	if c.sb.opts.hook != nil {
		c.sb.opts.hook(entry)
	}
}

// wait waits unless the context ends.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func readBody(r io.Reader) (b []byte, tooBig bool, err error) { return readUpTo(r, maxBody) }

func readUpTo(r io.Reader, limit int) (b []byte, tooBig bool, err error) {
	if r == nil || r == http.NoBody {
		return nil, false, nil
	}
	b, err = io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if len(b) > limit {
		return b[:1024], true, nil
	}
	return b, false, err
}

// apiCall is a request during its checks, which are in the API's order.
type apiCall struct {
	sb      *Sandbox
	in      *incoming
	op      *api.Operation
	id      string
	parent  string // parent's id, in the path of a nested resource
	known   bool
	now     time.Time
	raw     []byte
	tooBig  bool
	readErr error
	out     *outgoing
	rid     string
	fault   *Fault // the fault that hit the call

	token string
	query url.Values
	root  any // the parsed body
	made  string
}

func (c *apiCall) run() *api.Error {
	h := c.in.header
	// The version is checked before the token: without either, the error is that of the version.
	if v := h.Get("GoCardless-Version"); v == "" {
		return api.Refuse("missing_version_header", "Missing GoCardless-Version header")
	} else if v != apiVersion {
		return api.Refuse("version_not_found", "Version not found")
	}
	token, err := c.sb.tokens.Authorise(h, c.op)
	c.token = token
	if token == "" {
		return err
	}
	note := c.sb.limits.Take(token, c.op, c.now)
	note.Write(c.out.header)
	if note.Exceeded {
		return api.Refuse("rate_limit_exceeded", "Rate limit exceeded")
	}
	if err != nil {
		return err
	}
	if c.op == nil {
		if c.known {
			return api.Refuse("method_not_allowed", "Method not allowed")
		}
		return api.Refuse("path_not_found", "Path not found")
	}
	if !acceptable(h.Values("Accept")) {
		return api.Refuse("not_acceptable", "Only application/json can be sent")
	}
	if err := c.parse(); err != nil {
		return err
	}
	return c.act()
}

// acceptable reports whether the Accept headers allow JSON.
func acceptable(accept []string) bool {
	if len(accept) == 0 {
		return true
	}
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			kind, _, _ := strings.Cut(strings.TrimSpace(part), ";")
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "", "*/*", "application/*", "application/json", "application/vnd.api+json":
				return true
			}
		}
	}
	return false
}

// parse checks the syntax of query and body.
func (c *apiCall) parse() *api.Error {
	q, err := url.ParseQuery(c.in.url.RawQuery)
	if err != nil {
		return api.Refuse("bad_request", "The query is malformed")
	}
	c.query = q
	if c.tooBig {
		return api.Refuse("request_entity_too_large", "The request body is too large")
	}
	if c.readErr != nil {
		return api.Refuse("bad_request", "The request body could not be read")
	}
	if len(c.raw) == 0 {
		return nil
	}
	if c.in.method == http.MethodGet {
		return api.Refuse("request_body_not_allowed", "A GET request takes no body")
	}
	if enc := c.in.header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return api.Refuse("unsupported_media_type", "Content encodings are not supported")
	}
	kind := c.in.header.Get("Content-Type")
	if kind == "" {
		return api.Refuse("invalid_content_type", "The Content-Type header must be application/json")
	}
	switch m, params, err := mime.ParseMediaType(kind); {
	case err != nil:
		return api.Refuse("invalid_content_type", "The Content-Type header must be application/json")
	case m != "application/json" && m != "application/vnd.api+json":
		return api.Refuse("unsupported_media_type", "The Content-Type header must be application/json")
	case params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8"):
		return api.Refuse("unsupported_media_type", "The body must be UTF-8")
	}
	root, err := value.Parse(c.raw)
	if err != nil {
		return api.Refuse("bad_request", "Bad request: "+err.Error())
	}
	c.root = root
	return nil
}

// act runs the operation under the lock.
func (c *apiCall) act() *api.Error {
	sb := c.sb
	if sb.nextDue.Load() <= c.now.UnixNano() {
		sb.Tick()
	}
	if c.op.Kind == api.OpRead {
		sb.mu.RLock()
		defer sb.mu.RUnlock()
		return c.handle()
	}
	sb.mu.Lock()
	defer sb.mu.Unlock()
	err := c.handle()
	sb.sealBatch()
	if jerr := sb.orRevert(sb.commit()); jerr != nil && err == nil {
		// The change was reverted.
		c.made = ""
		return api.Refuse("internal_server_error", "The state file could not be written")
	}
	return err
}

// handle runs the checks that need the store and the handler, and renders the result.
func (c *apiCall) handle() *api.Error {
	sb, op := c.sb, c.op
	tx := &tx{sb: sb, now: c.now, op: op, id: c.id, header: c.in.header, token: c.token, base: c.in.base, origin: "api"}
	if err := c.findTarget(tx); err != nil {
		return err
	}
	key, err := c.unusedKey()
	if err != nil {
		return err
	}
	if tx.body, tx.form, err = op.ReadBody(c.root, len(c.raw) > 0); err != nil {
		return err
	}
	if tx.query, err = op.ReadQuery(c.query); err != nil {
		return err
	}
	res, failure := theRegistry().handlers[op.Name](tx)
	if failure != nil {
		var refused *api.Error
		if !errors.As(failure, &refused) {
			panic(failure)
		}
		return refused
	}
	c.made = res.id()
	if key != "" && c.made != "" {
		sb.keys[key] = c.made
		sb.newKeys = append(sb.newKeys, key)
	}
	c.render(res)
	return nil
}

// findTarget finds the resource that the path names. An unknown id is reported before the body is
// checked.
func (c *apiCall) findTarget(tx *tx) *api.Error {
	owner := theRegistry().ownerOf(c.op)
	if owner == "" {
		return nil
	}
	r := c.sb.store.Coll(owner).ByID[c.id]
	if r == nil {
		return api.NotFound()
	}
	if r.Removed {
		return api.Refuse("customer_data_removed", "This customer's data has been removed")
	}
	tx.target = r
	return tx.checkParent(c.parent)
}

// unusedKey returns the idempotency key of a create, prefixed with the path, or an error if it was
// used.
func (c *apiCall) unusedKey() (string, *api.Error) {
	k := c.in.header.Get("Idempotency-Key")
	if c.op.Kind != api.OpCreate || k == "" {
		return "", nil
	}
	if len(k) > maxKey {
		return "", api.Refuse("idempotency_key_too_long", fmt.Sprintf("The idempotency key must be no more than %d characters", maxKey))
	}
	key := c.op.Path + " " + k
	if id, used := c.sb.keys[key]; used {
		return "", api.Refuse("idempotent_creation_conflict", "A resource has already been created with this idempotency key",
			"conflicting_resource_id", id)
	}
	return key, nil
}

// id returns the id of the created resource, if any.
func (r result) id() string {
	if r.rec != nil {
		return r.rec.ID
	}
	return r.made
}

// render writes the result as the reply.
func (c *apiCall) render(res result) {
	op, out := c.op, c.out
	out.status = op.Status
	if res.status != 0 {
		out.status = res.status
	}
	if res.empty {
		return
	}
	envelope := op.Reply
	if envelope == "" && res.rec != nil {
		envelope = res.rec.Coll.Name // the removal of a customer, with WithRemovalBody
	}
	var b []byte
	open := func(hint int) {
		b = make([]byte, 0, hint+len(envelope)+8)
		if envelope != "" {
			b = append(b, `{"`...)
			b = append(b, envelope...)
			b = append(b, `":`...)
		}
	}
	switch {
	case res.listing != nil:
		b = res.listing.Render(c.now, op)
	case res.rec != nil:
		body := res.rec.Body(c.now)
		open(len(body))
		b = append(b, body...)
		if out.status == http.StatusCreated {
			out.header["Location"] = []string{c.in.base + "/" + op.Resource() + "/" + res.rec.ID}
		}
	default:
		open(256)
		b = store.AppendObject(b, op.Result, res.obj, false)
	}
	if envelope != "" && res.listing == nil {
		b = append(b, '}')
	}
	out.body = b
}

// standardHeaders sets the headers of every reply.
func (sb *Sandbox) standardHeaders(out *outgoing, rid string, now time.Time) {
	h := out.header
	set := func(k, v string) {
		if _, there := h[k]; !there {
			h[k] = []string{v}
		}
	}
	set("X-Request-Id", rid)
	set("Date", now.Format(http.TimeFormat))
	set("Cache-Control", "no-store")
	set("Pragma", "no-cache")
	set("Vary", "Origin")
	set("Strict-Transport-Security", "max-age=31556926; includeSubDomains; preload")
	set("X-Content-Type-Options", "nosniff")
	if out.status == http.StatusNoContent {
		return
	}
	set("Content-Type", "application/json")
	set("Content-Length", strconv.Itoa(len(out.body)))
	if out.status < 300 {
		set("Etag", `W/"`+strconv.FormatUint(store.HashText(string(out.body)), 16)+`"`)
	}
}

// requestID returns a request id in the API's form.
func (sb *Sandbox) requestID(now time.Time) string {
	n := sb.ids.Add(1)
	h := store.Mix(sb.opts.seed + n)
	return fmt.Sprintf("%012X_%012X_%08X_%08X", h>>16, store.Mix(h)>>16, uint32(now.Unix()), uint32(n))
}
