// Package decodertest compares the SDK's decoder with the fastest general decoders, and with easyjson,
// which generates code as well. It is a module of its own, run by "make bench-decoders", so that the SDK
// does not depend on them.
package decodertest

import "time"

//go:generate env GOWORK=off go tool easyjson -all -no_std_marshalers -output_filename page_easyjson.go page.go

// payment has the fields that a payment of the page has.
type payment struct {
	ID             string            `json:"id"`
	CreatedAt      time.Time         `json:"created_at"`
	ChargeDate     string            `json:"charge_date"`
	Amount         int64             `json:"amount"`
	Description    string            `json:"description"`
	Currency       string            `json:"currency"`
	Status         string            `json:"status"`
	AmountRefunded int64             `json:"amount_refunded"`
	Reference      string            `json:"reference"`
	Metadata       map[string]string `json:"metadata"`
	FX             *struct {
		FXCurrency            string `json:"fx_currency"`
		FXAmount              *int64 `json:"fx_amount"`
		ExchangeRate          string `json:"exchange_rate"`
		EstimatedExchangeRate string `json:"estimated_exchange_rate"`
	} `json:"fx"`
	RetryIfPossible bool   `json:"retry_if_possible"`
	FasterACH       *bool  `json:"faster_ach"`
	AppFee          *int64 `json:"app_fee"`
	Scheme          string `json:"scheme"`
	Links           *struct {
		Mandate            string `json:"mandate"`
		Creditor           string `json:"creditor"`
		Payout             string `json:"payout"`
		Subscription       string `json:"subscription"`
		InstalmentSchedule string `json:"instalment_schedule"`
	} `json:"links"`
}

type page struct {
	Payments []*payment `json:"payments"`
	Meta     struct {
		Cursors struct{ Before, After string } `json:"cursors"`
		Limit   int                            `json:"limit"`
	} `json:"meta"`
}
