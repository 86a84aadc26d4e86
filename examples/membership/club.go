package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/eventsql"
)

//go:embed schema.sql
var schema string

// monthlyFee is in pence.
const monthlyFee = 1500

// Club is the service.
type Club struct {
	client   *gocardless.Client
	db       *sql.DB
	address  string // of the club's web site
	webhooks *gocardless.WebhookHandler
}

// NewClub returns the service, and creates its tables. The address is that of the club's web site.
func NewClub(ctx context.Context, client *gocardless.Client, db *sql.DB, address string, secret gocardless.WebhookSecret) (*Club, error) {
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, err
	}
	store, err := eventsql.New(db, eventsql.SQLite, eventsql.Options{Transaction: true})
	if err != nil {
		return nil, err
	}
	if err := store.CreateSchema(ctx); err != nil {
		return nil, err
	}
	c := &Club{client: client, db: db, address: address}
	c.webhooks, err = gocardless.NewWebhookHandler(gocardless.Once(store, c.events()), secret)
	return c, err
}

// join stores a new member and returns the address of the hosted page.
func (c *Club) join(ctx context.Context, name, email string) (string, error) {
	result, err := c.db.ExecContext(ctx, `INSERT INTO members (name, email) VALUES (?, ?)`, name, email)
	if err != nil {
		return "", err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return "", err
	}
	request, err := c.client.BillingRequests.Create(ctx, gocardless.BillingRequestCreateParams{
		MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{Currency: new(gocardless.CurrencyGBP), Scheme: new(gocardless.SchemeBacs)},
		Metadata:       gocardless.Metadata{"member": fmt.Sprint(id)},
	}, gocardless.WithIdempotencyKey(fmt.Sprintf("join-%d", id)))
	if err != nil {
		return "", err
	}
	if _, err := c.db.ExecContext(ctx, `UPDATE members SET billing_request = ? WHERE id = ?`, request.ID, id); err != nil {
		return "", err
	}
	flow, err := c.client.BillingRequestFlows.Create(ctx, gocardless.BillingRequestFlowCreateParams{
		RedirectURI:       new(c.address + "/thanks"),
		PrefilledCustomer: &gocardless.BillingRequestFlowPrefilledCustomerParams{GivenName: new(name), Email: new(email)},
		Links:             gocardless.BillingRequestFlowCreateParamsLinks{BillingRequest: request.ID},
	})
	if err != nil {
		return "", err
	}
	return flow.AuthorisationURL, nil
}

// workEvery calls Work at intervals until the context ends.
func (c *Club) workEvery(ctx context.Context, pause time.Duration) {
	for ticks := time.Tick(pause); ; {
		if err := c.Work(ctx); err != nil && ctx.Err() == nil {
			log.Print(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// Work makes the API calls for rows that still lack a result. It makes them outside transactions,
// which would otherwise wait for the network. A crash between a call and its row is harmless: the
// next call has the same idempotency key.
func (c *Club) Work(ctx context.Context) error {
	return errors.Join(c.subscribe(ctx), c.charge(ctx), c.readPayments(ctx))
}

// subscribe starts the subscriptions of members who have authorised them.
func (c *Club) subscribe(ctx context.Context) error {
	members, err := query(ctx, c.db, `SELECT id, mandate FROM members WHERE state = 'authorised'`, func(m *member) []any { return []any{&m.ID, &m.Mandate} })
	for _, m := range members {
		s, failed := c.client.Subscriptions.Create(ctx, gocardless.SubscriptionCreateParams{
			Amount: monthlyFee, Currency: gocardless.CurrencyGBP, IntervalUnit: gocardless.IntervalUnitMonthly, Name: new("Membership"),
			Links: gocardless.SubscriptionCreateParamsLinks{Mandate: m.Mandate.String},
		}, gocardless.WithIdempotencyKey(fmt.Sprintf("subscription-%d", m.ID)))
		if failed == nil {
			_, failed = c.db.ExecContext(ctx, `UPDATE members SET subscription = ?, state = 'active' WHERE id = ? AND state = 'authorised'`, s.ID, m.ID)
		}
		err = errors.Join(err, failed)
	}
	return err
}

// charge creates the payments of charges that have none.
func (c *Club) charge(ctx context.Context) error {
	charges, err := query(ctx, c.db, `SELECT charges.id, amount, description, mandate FROM charges JOIN members ON members.id = member WHERE payment IS NULL AND mandate IS NOT NULL`,
		func(x *charge) []any { return []any{&x.ID, &x.Amount, &x.Description, &x.Mandate} })
	for _, x := range charges {
		p, failed := c.client.Payments.Create(ctx, gocardless.PaymentCreateParams{
			Amount: x.Amount, Currency: gocardless.CurrencyGBP, Description: new(x.Description), Links: gocardless.PaymentCreateParamsLinks{Mandate: x.Mandate},
		}, gocardless.WithIdempotencyKey(fmt.Sprintf("charge-%d", x.ID)))
		if failed == nil {
			_, failed = c.db.ExecContext(ctx, `UPDATE charges SET payment = ? WHERE id = ?`, p.ID, x.ID)
		}
		err = errors.Join(err, failed)
	}
	return err
}

// readPayments completes the rows of payments that are known only from events.
func (c *Club) readPayments(ctx context.Context) error {
	payments, err := query(ctx, c.db, `SELECT id FROM payments WHERE amount IS NULL`, func(p *payment) []any { return []any{&p.ID} })
	for _, known := range payments {
		p, failed := c.client.Payments.Get(ctx, known.ID)
		if failed == nil {
			_, failed = c.db.ExecContext(ctx, `UPDATE payments SET amount = ?, mandate = ? WHERE id = ?`, p.Amount, p.Links.Mandate, p.ID)
		}
		err = errors.Join(err, failed)
	}
	return err
}

// cancel ends a membership by cancelling its mandate, which ends the subscription too.
func (c *Club) cancel(ctx context.Context, id int64) error {
	var mandate string
	if err := c.db.QueryRowContext(ctx, `SELECT mandate FROM members WHERE id = ? AND mandate IS NOT NULL`, id).Scan(&mandate); err != nil {
		return err
	}
	_, err := c.client.Mandates.Cancel(ctx, mandate, gocardless.MandateCancelParams{})
	if errors.Is(err, gocardless.ErrInvalidState) {
		err = nil // it is no longer active; the webhook updates the row
	}
	return err
}

// retry retries a failed payment. An action has no idempotency key: after an error that leaves the
// outcome open, check the payment's status before you retry.
func (c *Club) retry(ctx context.Context, payment string) error {
	_, err := c.client.Payments.Retry(ctx, payment, gocardless.PaymentRetryParams{})
	return err
}

// refund refunds the rest of a payment.
func (c *Club) refund(ctx context.Context, id string) error {
	p, err := c.client.Payments.Get(ctx, id)
	if err != nil {
		return err
	}
	rest := p.Amount - p.AmountRefunded
	if rest <= 0 {
		return nil
	}
	// The API refuses the refund if the total differs, because of a refund made elsewhere.
	_, err = c.client.Refunds.Create(ctx, gocardless.RefundCreateParams{
		Amount: rest, TotalAmountConfirmation: new(p.Amount), Links: gocardless.RefundCreateParamsLinks{Payment: new(id)},
	}, gocardless.WithIdempotencyKey(fmt.Sprintf("refund-%s-%d", id, p.AmountRefunded)))
	if err != nil {
		return err
	}
	_, err = c.db.ExecContext(ctx, `UPDATE payments SET refunded = ? WHERE id = ?`, p.Amount, id)
	return err
}
