package gocardless

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// This file is the floor that the benchmarks compare with: the same work written by
// hand with net/http and encoding/json and no SDK. It does the least that works: no retries, no
// time limits, no error types, dates as strings.

const (
	benchBase  = "https://api.gocardless.com"
	benchToken = "live_token"
)

type floorPayment struct {
	ID              string            `json:"id"`
	CreatedAt       string            `json:"created_at"`
	ChargeDate      string            `json:"charge_date"`
	Amount          int               `json:"amount"`
	Description     string            `json:"description"`
	Currency        string            `json:"currency"`
	Status          string            `json:"status"`
	AmountRefunded  int               `json:"amount_refunded"`
	Reference       string            `json:"reference"`
	Metadata        map[string]string `json:"metadata"`
	FX              *floorFX          `json:"fx"`
	RetryIfPossible bool              `json:"retry_if_possible"`
	FasterACH       *bool             `json:"faster_ach"`
	AppFee          *int              `json:"app_fee"`
	Scheme          string            `json:"scheme"`
	Links           *floorLinks       `json:"links"`
}

type floorFX struct {
	FXCurrency            string `json:"fx_currency"`
	FXAmount              *int   `json:"fx_amount"`
	ExchangeRate          string `json:"exchange_rate"`
	EstimatedExchangeRate string `json:"estimated_exchange_rate"`
}

type floorLinks struct {
	Mandate            string `json:"mandate"`
	Creditor           string `json:"creditor"`
	Payout             string `json:"payout"`
	Subscription       string `json:"subscription"`
	InstalmentSchedule string `json:"instalment_schedule"`
}

type floorPage struct {
	Payments []*floorPayment `json:"payments"`
	Meta     struct {
		Cursors struct {
			Before string `json:"before"`
			After  string `json:"after"`
		} `json:"cursors"`
		Limit int `json:"limit"`
	} `json:"meta"`
}

type floorCreate struct {
	Payments struct {
		Amount   int               `json:"amount"`
		Currency string            `json:"currency"`
		Metadata map[string]string `json:"metadata,omitempty"`
		Links    struct {
			Mandate string `json:"mandate"`
		} `json:"links"`
	} `json:"payments"`
}

// floorDo makes a request and reads the reply into v.
func floorDo(ctx context.Context, client *http.Client, method, address string, body, v any) error {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+benchToken)
	req.Header.Set("GoCardless-Version", "2015-07-06")
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", "8b2f2e5c-5e0c-4f0f-8a3b-0d3d5f6f7a11")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode > 299 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

func floorGet(ctx context.Context, client *http.Client, base string) error {
	var reply struct {
		Payments *floorPayment `json:"payments"`
	}
	return floorDo(ctx, client, "GET", base+"/payments/"+url.PathEscape("PM000000000001"), nil, &reply)
}

func floorPost(ctx context.Context, client *http.Client) (*floorPayment, error) {
	var body floorCreate
	body.Payments.Amount = 1000
	body.Payments.Currency = "GBP"
	body.Payments.Metadata = map[string]string{"order_id": "ORD-1"}
	body.Payments.Links.Mandate = "MD000000000001"
	var reply struct {
		Payments *floorPayment `json:"payments"`
	}
	err := floorDo(ctx, client, "POST", benchBase+"/payments", &body, &reply)
	return reply.Payments, err
}

// floorAll calls f with each payment of a list.
func floorAll(ctx context.Context, client *http.Client, f func(*floorPayment)) error {
	query := url.Values{"limit": {"500"}}
	for {
		var page floorPage
		if err := floorDo(ctx, client, "GET", benchBase+"/payments?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for _, p := range page.Payments {
			f(p)
		}
		if page.Meta.Cursors.After == "" {
			return nil
		}
		query.Set("after", page.Meta.Cursors.After)
	}
}

type floorDelivery struct {
	Events []struct {
		ID           string            `json:"id"`
		CreatedAt    string            `json:"created_at"`
		ResourceType string            `json:"resource_type"`
		Action       string            `json:"action"`
		Links        map[string]string `json:"links"`
		Details      struct {
			Origin      string `json:"origin"`
			Cause       string `json:"cause"`
			Description string `json:"description"`
		} `json:"details"`
		Metadata         map[string]string `json:"metadata"`
		ResourceMetadata map[string]string `json:"resource_metadata"`
	} `json:"events"`
	Meta struct {
		WebhookID string `json:"webhook_id"`
	} `json:"meta"`
}

func floorWebhook(body []byte, signature, secret string) (*floorDelivery, error) {
	given, err := hex.DecodeString(signature)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	if !hmac.Equal(given, mac.Sum(nil)) {
		return nil, errors.New("signature does not match")
	}
	var d floorDelivery
	err = json.Unmarshal(body, &d)
	return &d, err
}
