package reconcile

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// parallel is how many requests run at the same time.
const parallel = 8

// fetcher fetches each resource once.
type fetcher struct {
	client    *gocardless.Client
	payments  cache[gocardless.Payment]
	refunds   cache[gocardless.Refund]
	mandates  cache[gocardless.Mandate]
	customers cache[gocardless.Customer]
}

func newFetcher(client *gocardless.Client) *fetcher {
	return &fetcher{
		client:    client,
		payments:  cache[gocardless.Payment]{get: client.Payments.Get},
		refunds:   cache[gocardless.Refund]{get: client.Refunds.Get},
		mandates:  cache[gocardless.Mandate]{get: client.Mandates.Get},
		customers: cache[gocardless.Customer]{get: client.Customers.Get},
	}
}

// join fills in the resources of lines.
func (f *fetcher) join(ctx context.Context, lines []Line) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *Line)
	var workers sync.WaitGroup
	for range min(parallel, len(lines)) {
		workers.Go(func() {
			for line := range queue {
				if err := f.fill(ctx, line); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range lines {
		queue <- &lines[i]
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}

// fill fetches the resources that a line links to, directly or through one of them.
func (f *fetcher) fill(ctx context.Context, line *Line) (err error) {
	links := line.Item.Links
	if links == nil || ctx.Err() != nil {
		return nil
	}
	mandate := links.Mandate
	if line.Refund, err = f.refunds.find(ctx, links.Refund); err != nil {
		return err
	}
	payment := links.Payment
	if line.Refund != nil && line.Refund.Links != nil {
		payment = first(payment, line.Refund.Links.Payment)
		mandate = first(mandate, line.Refund.Links.Mandate)
	}
	if line.Payment, err = f.payments.find(ctx, payment); err != nil {
		return err
	}
	if line.Payment != nil && line.Payment.Links != nil {
		mandate = first(mandate, line.Payment.Links.Mandate)
	}
	if line.Mandate, err = f.mandates.find(ctx, mandate); err != nil || line.Mandate == nil || line.Mandate.Links == nil {
		return err
	}
	line.Customer, err = f.customers.find(ctx, line.Mandate.Links.Customer)
	return err
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// cache fetches resources of one kind by id, each once.
type cache[T any] struct {
	get func(context.Context, string, ...gocardless.RequestOption) (*T, error)

	mu    sync.Mutex
	known map[string]func() (*T, error)
}

// find returns the resource with an id, or nil if the id is empty or the resource no longer exists,
// such as a customer whose data was removed.
func (c *cache[T]) find(ctx context.Context, id string) (*T, error) {
	if id == "" {
		return nil, nil
	}
	c.mu.Lock()
	find, ok := c.known[id]
	if !ok {
		if c.known == nil {
			c.known = map[string]func() (*T, error){}
		}
		find = sync.OnceValues(func() (*T, error) {
			v, err := c.get(ctx, id, gocardless.WithBulkLane())
			if gone(err) {
				return nil, nil
			}
			return v, err
		})
		c.known[id] = find
	}
	c.mu.Unlock()
	return find()
}

func gone(err error) bool {
	e, ok := errors.AsType[*gocardless.Error](err)
	return ok && (e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusGone)
}
