package gocardlesstest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

const (
	maxBatch       = 250              // events in one webhook
	webhookTimeout = 10 * time.Second // how long the API waits for a reply
	keptReply      = 4096             // bytes of the endpoint's reply that are recorded
)

const (
	webhookEndpoint store.Hidden[int64] = "endpoint" // number of the endpoint
	webhookAttempts store.Hidden[int64] = "attempts"
	webhookEvents   store.Hidden[[]any] = "events" // id and type of each
)

// Webhooks is an endpoint that the sandbox sends events to: a URL, or a Handler in the same process,
// which needs no socket.
type Webhooks struct {
	// URL is an http or https URL. With a Handler it is only recorded.
	URL string
	// Handler, if set, receives the webhook directly.
	Handler http.Handler
	// Secret signs the body: Webhook-Signature is the HMAC-SHA256 of the body in hex. Required.
	Secret gocardless.WebhookSecret
	// Client sends requests to URL. The default one waits ten seconds and follows no redirects, like the
	// API.
	Client *http.Client

	// Events are the events that the endpoint receives, such as "payments.failed" or "mandates.*";
	// none means all.
	Events []string
	// Duplicate sends every webhook twice, as the API sometimes does.
	Duplicate bool
	// Shuffle changes the order of the events in a webhook, depending only on the seed.
	Shuffle bool
	// Manual holds webhooks back until FlushWebhooks or Advance is called.
	Manual bool
}

// Validate returns an error if the endpoint is not valid.
func (w Webhooks) Validate() error {
	if w.Secret == "" {
		return errors.New("gocardlesstest: the secret of the webhook endpoint is empty")
	}
	if w.Handler == nil {
		u, err := url.Parse(w.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("gocardlesstest: a webhook endpoint needs a handler or an http(s) URL")
		}
	}
	for _, pattern := range w.Events {
		if !eventPatternKnown(pattern) {
			return errors.New("gocardlesstest: Webhooks.Events: no event of the API matches " + value.Short(pattern))
		}
	}
	return nil
}

// target returns the URL that webhooks record. A Handler needs none.
func (w *Webhooks) target() string {
	return cmp.Or(w.URL, "https://webhooks.example.com/gocardless")
}

// dispatcher sends webhooks one after the other. The sandbox's lock guards its queue; deliver is held
// while a webhook is being sent.
type dispatcher struct {
	sb        *Sandbox
	deliver   sync.Mutex
	endpoints []*endpoint
	made      int // number of endpoints ever added
	log       ring[*Delivery]
	queue     []delivery
	waiting   atomic.Int64 // length of the queue
	running   atomic.Bool  // a goroutine is delivering
}

// delivery is one webhook to send.
type delivery struct {
	id       string // of the webhook
	endpoint int
	due      time.Time
}

func (d *dispatcher) clear() {
	d.queue = nil
	d.waiting.Store(0)
}

func (d *dispatcher) push(w *record, due time.Time) {
	i, _ := slices.BinarySearchFunc(d.queue, due, func(x delivery, t time.Time) int {
		if x.due.After(t) {
			return 1
		}
		return -1
	})
	d.queue = slices.Insert(d.queue, i, delivery{w.ID, int(webhookEndpoint.Of(w)), due})
	d.waiting.Store(int64(len(d.queue)))
}

// nextRetry returns when the first webhook of an endpoint that is not paused is due.
func (d *dispatcher) nextRetry() (time.Time, bool) {
	for _, x := range d.queue {
		if !d.holds(x.endpoint, true) {
			return x.due, true
		}
	}
	return time.Time{}, false
}

// sealBatch puts the events since the last call into webhooks. The caller holds the lock.
func (sb *Sandbox) sealBatch() {
	events := sb.batch
	sb.batch = nil
	if len(events) == 0 {
		return
	}
	for _, ep := range sb.hooks.endpoints {
		wanted := slices.DeleteFunc(slices.Clone(events), func(ev *record) bool { return !ep.wants(ev) })
		for chunk := range slices.Chunk(wanted, maxBatch) {
			sb.makeWebhook(ep, chunk)
		}
	}
}

// makeWebhook stores a webhook for an endpoint and queues it.
func (sb *Sandbox) makeWebhook(ep *endpoint, events []*record) {
	tx := sb.begin(sb.Now())
	w := tx.make("webhooks")
	if ep.Shuffle {
		events = slices.Clone(events)
		for i := len(events) - 1; i > 0; i-- {
			j := int(store.Mix(sb.opts.seed^store.HashText(events[i].ID)) % uint64(i+1))
			events[i], events[j] = events[j], events[i]
		}
	}
	body := append(make([]byte, 0, 128+800*len(events)), `{"events":[`...)
	for i, ev := range events {
		if i > 0 {
			body = append(body, ',')
		}
		body = sb.webhookEvent(body, ev)
	}
	body = append(body, `],"meta":{"webhook_id":"`+w.ID+`"}}`...)
	headers := object{}
	for _, h := range sb.webhookHeaders(&ep.Webhooks, w.ID, body) {
		headers = append(headers, member{h[0], h[1]})
	}
	w.Set("url", ep.target())
	w.Set("is_test", false)
	w.Set("successful", false)
	w.Set("request_body", string(body))
	w.Set("request_headers", headers)
	w.Set("response_body_truncated", false)
	w.Set("response_headers_content_truncated", false)
	w.Set("response_headers_count_truncated", false)
	webhookEndpoint.Set(w, int64(ep.number))
	listed := make([]any, 0, len(events))
	for _, ev := range events {
		listed = append(listed, ev.ID+" "+ev.Str("resource_type")+"."+ev.Str("action"))
	}
	webhookEvents.Set(w, listed)
	webhookAttempts.Set(w, 0)
	tx.add(w)
	sb.queueWebhook(w, tx.now)
	if ep.Duplicate {
		sb.queueWebhook(w, tx.now)
	}
}

func (sb *Sandbox) queueWebhook(w *record, due time.Time) {
	w.SetRef("due", value.Stamp(due))
	sb.hooks.push(w, due)
}

// webhookEvent writes an event in the form that webhooks contain.
func (sb *Sandbox) webhookEvent(dst []byte, ev *record) []byte {
	o := object{{"id", ev.ID}}
	for _, name := range []string{"created_at", "resource_type", "action", "metadata", "details", "links", "resource_metadata", "source"} {
		o = append(o, member{name, ev.Get(name)})
	}
	o = append(o, member{"organisation_id", sb.organisation()})
	if n := eventNotifications.Of(ev); n != nil {
		o = append(o, member{"customer_notifications", n})
	}
	return value.Append(dst, o)
}

// webhookHeaders returns the headers that the API sends.
func (sb *Sandbox) webhookHeaders(ep *Webhooks, id string, body []byte) [][2]string {
	h := store.Mix(store.HashText(id))
	uuid := func() string {
		b := base16(h, 16) + base16(store.Mix(h), 16)
		return b[:8] + "-" + b[8:12] + "-4" + b[13:16] + "-a" + b[17:20] + "-" + b[20:]
	}
	return [][2]string{
		{"Content-Type", "application/json"},
		{"User-Agent", "gocardless-webhook-service/1.1"},
		{"Origin", "https://api-sandbox.gocardless.com"},
		{"Webhook-Signature", gocardless.SignWebhook(body, ep.Secret)},
		{"Accept", "*/*"},
		{"Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"},
		{"X-Request-Id", uuid()},
	}
}

func base16(v uint64, width int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		b[i] = digits[v&15]
		v >>= 4
	}
	return string(b)
}

// kick starts a goroutine that delivers the webhooks that are due, unless one is running.
func (sb *Sandbox) kick() {
	if sb.hooks.waiting.Load() == 0 || !sb.dueNow() || !sb.hooks.running.CompareAndSwap(false, true) {
		return
	}
	go func() {
		for {
			sb.deliverSome(false)
			sb.hooks.running.Store(false)
			// A webhook may have become due since the last check.
			if !sb.dueNow() || !sb.hooks.running.CompareAndSwap(false, true) {
				return
			}
		}
	}()
}

func (sb *Sandbox) dueNow() bool {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	return sb.hooks.nextDue(sb.Now(), false) >= 0
}

// nextDue returns the position of the next webhook to send, or -1. It skips endpoints with Manual unless
// manual is set.
func (d *dispatcher) nextDue(now time.Time, manual bool) int {
	for i, x := range d.queue {
		if x.due.After(now) {
			break
		}
		if !d.holds(x.endpoint, manual) {
			return i
		}
	}
	return -1
}

// FlushWebhooks delivers every webhook that is due and returns the attempts with their replies. A
// webhook that an endpoint refused waits for its next attempt, which Advance triggers.
//
// Do not call it from a webhook handler: it waits for the handlers.
func (sb *Sandbox) FlushWebhooks() []*Delivery { return sb.deliverSome(true) }

// deliverSome sends the webhooks that are due, one after the other. It skips endpoints with Manual unless
// manual is set.
func (sb *Sandbox) deliverSome(manual bool) (made []*Delivery) {
	d := &sb.hooks
	d.deliver.Lock()
	defer d.deliver.Unlock()
	for {
		sb.mu.Lock()
		i := d.nextDue(sb.Now(), manual)
		if i < 0 {
			sb.mu.Unlock()
			return made
		}
		next := d.queue[i]
		d.queue = slices.Delete(d.queue, i, i+1)
		d.waiting.Store(int64(len(d.queue)))
		w := sb.store.Find("webhooks", next.id)
		ep := d.endpoint(next.endpoint)
		if w == nil || ep == nil {
			sb.mu.Unlock()
			continue
		}
		body := []byte(w.Str("request_body"))
		headers := w.Obj("request_headers")
		try := &Delivery{Time: sb.Now(), Webhook: w.ID, Endpoint: endpointID(ep.number), URL: w.Str("url"),
			Attempt: int(webhookAttempts.Of(w)) + 1}
		try.list(webhookEvents.Of(w))
		sb.mu.Unlock()
		began := time.Now()
		answer := send(&ep.Webhooks, body, headers)
		try.Took, try.Status, try.Reply, try.Error = time.Since(began), answer.code, answer.body, answer.why
		d.log.add(try)
		if sb.opts.delivered != nil {
			sb.opts.delivered(try)
		}
		made = append(made, try)
		sb.mu.Lock()
		// The state may have been replaced during the delivery.
		if w := sb.store.Find("webhooks", next.id); w != nil {
			sb.recordAnswer(w, answer)
		}
		_ = sb.commit() // the delivery is not undone: the next commit writes it
		sb.mu.Unlock()
	}
}

// list sets the events of a webhook, each given as its id and type.
func (d *Delivery) list(events []any) {
	d.Events = len(events)
	for _, v := range events {
		s, _ := v.(string)
		id, name, _ := strings.Cut(s, " ")
		d.EventIDs, d.Types = append(d.EventIDs, id), append(d.Types, name)
	}
}

// hookAnswer is the reply of an endpoint. code is 0 if there is none.
type hookAnswer struct {
	code      int
	header    http.Header
	body      []byte
	truncated bool
	why       string // why there is no reply
}

// recordAnswer stores the reply, and plans the next attempt unless the reply is a 2xx.
func (sb *Sandbox) recordAnswer(w *record, a hookAnswer) {
	ok := a.code >= 200 && a.code < 300
	w.Set("successful", ok || w.Flag("successful"))
	w.Set("response_code", nil)
	if a.code != 0 {
		w.Set("response_code", a.code)
	}
	w.Set("response_body", strings.ToValidUTF8(string(a.body), string(utf8.RuneError)))
	w.Set("response_body_truncated", a.truncated)
	headers := object{}
	for k, v := range a.header {
		headers = append(headers, member{k, strings.Join(v, ", ")})
	}
	slices.SortFunc(headers, func(x, y member) int { return strings.Compare(x.Key, y.Key) })
	w.Set("response_headers", headers)
	n := int(webhookAttempts.Of(w)) + 1
	webhookAttempts.Set(w, int64(n))
	w.SetRef("due", "")
	if !ok && n <= len(sb.opts.retryGaps) {
		sb.queueWebhook(w, sb.Now().Add(sb.opts.retryGaps[n-1]))
	}
}

// hookClient follows no redirects, which the API counts as failures.
var hookClient = &http.Client{
	Timeout:       webhookTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send makes one attempt.
func send(ep *Webhooks, body []byte, headers object) hookAnswer {
	ctx, cancel := context.WithTimeout(context.Background(), webhookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ep.target(), bytes.NewReader(body))
	if err != nil {
		return hookAnswer{why: err.Error()}
	}
	for _, h := range headers {
		v, _ := h.Val.(string)
		req.Header.Set(h.Key, v)
	}
	if ep.Handler != nil {
		req.RequestURI = req.URL.RequestURI()
		req.RemoteAddr = "127.0.0.1:0"
		rec := newRecorder(req)
		if !rec.run(ep.Handler) {
			return hookAnswer{why: "the handler aborted the connection"}
		}
		b := rec.body.Bytes()
		return hookAnswer{code: rec.status, header: rec.sent, body: b[:min(len(b), keptReply)], truncated: len(b) > keptReply}
	}
	client := ep.Client
	if client == nil {
		client = hookClient
	}
	resp, err := client.Do(req)
	if err != nil {
		// An error of package net/http begins with the URL, whose query may contain a secret.
		var about *url.Error
		if errors.As(err, &about) {
			err = about.Err
		}
		return hookAnswer{why: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, keptReply+1))
	if err != nil {
		return hookAnswer{why: err.Error()}
	}
	return hookAnswer{code: resp.StatusCode, header: resp.Header, body: b[:min(len(b), keptReply)], truncated: len(b) > keptReply}
}

// retryWebhook serves POST /webhooks/:id/actions/retry. The webhook is sent again after the reply.
func retryWebhook(tx *tx) (result, error) {
	webhookAttempts.Set(tx.target, 0)
	tx.sb.queueWebhook(tx.target, tx.now)
	return one(tx.target), nil
}
