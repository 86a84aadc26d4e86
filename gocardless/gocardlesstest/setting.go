package gocardlesstest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// Configure changes options of a sandbox that is in use. Options that only a new sandbox can take
// (WithClock, WithFrozenClock, WithSeed, WithRequestHook, WithDeliveryHook, WithControl,
// WithAllowedHosts, WithTLS) have no effect. The change does not affect what has already happened.
func (sb *Sandbox) Configure(opts ...Option) {
	sb.mu.Lock()
	sb.configure(opts)
	sb.mu.Unlock()
	sb.kick()
}

// configure is Configure for a caller that holds the lock.
func (sb *Sandbox) configure(opts []Option) {
	o := sb.opts
	o.tokens, o.endpoints = nil, nil
	for _, opt := range opts {
		opt(&o)
	}
	sb.apply(&o)
}

// apply applies the options that can change in a sandbox that is in use. The caller holds the lock.
func (sb *Sandbox) apply(o *options) {
	sb.opts.live = o.live
	sb.limits.SetBudget(o.rateLimit)
	sb.log.resize(o.logSize)
	sb.hooks.log.resize(o.logSize)
	for token, state := range o.tokens {
		sb.tokens.Admit(token, state)
	}
	for _, w := range o.endpoints {
		sb.hooks.add(w)
	}
}

// setting is an option in the control API.
type setting struct {
	api.Field
	option string // name of the option in Go
	get    func(*options) any
	set    func(*options, any) error
}

// aSetting returns a setting for a member of the options whose value is used unchanged.
func aSetting[T any](option, name string, kind api.Kind, at func(*options) *T, text string) setting {
	return setting{api.Field{Name: name, Kind: kind, Text: text}, option,
		func(o *options) any { return *at(o) },
		func(o *options, v any) error { *at(o), _ = v.(T); return nil }}
}

// count returns a setting for a number that is not negative.
func count(option, name string, at func(*options) *int, text string) setting {
	return setting{api.Field{Name: name, Kind: api.KindInt, Text: text, Limits: &api.Limits{Minimum: new(int64(0)), Maximum: new(int64(math.MaxInt32))}}, option,
		func(o *options) any { return int64(*at(o)) },
		func(o *options, v any) error { n, _ := v.(int64); *at(o) = int(n); return nil }}
}

// settings are the options that can be read and changed over the control API.
var settings = []setting{
	aSetting("WithoutBankTimings", "bank_timings", api.KindBool, func(o *options) *bool { return &o.bankTimings }, "Payments and mandates move by date; otherwise only simulators and calls move them."),
	aSetting("WithoutRefunds", "refunds", api.KindBool, func(o *options) *bool { return &o.refunds }, "The account can create refunds."),
	count("WithRefundLimit", "refund_limit", func(o *options) *int { return &o.refundLimit }, "How many refunds a payment may have; 0 means no limit."),
	aSetting("WithoutRefundConfirmation", "refund_confirmation", api.KindBool, func(o *options) *bool { return &o.refundConfirm }, "A refund needs total_amount_confirmation."),
	aSetting("WithoutInstitutionMeta", "institution_meta", api.KindBool, func(o *options) *bool { return &o.listMeta }, "The two lists of institutions have a meta member."),
	aSetting("WithFeeTaxes", "fee_taxes", api.KindBool, func(o *options) *bool { return &o.feeTaxes }, "The account pays VAT on fees."),
	aSetting("WithSurchargeFees", "surcharge_fee", api.KindInt, func(o *options) *int64 { return &o.surcharge }, "Fee for a failed or charged-back payment, in minor units."),
	aSetting("WithoutServiceUserNumber", "service_user_number", api.KindBool, func(o *options) *bool { return &o.ownNumber }, "The account collects Bacs payments under its own service user number."),
	aSetting("WithRemovalBody", "removal_body", api.KindBool, func(o *options) *bool { return &o.removalBody }, "The removal of a customer replies with 200 and the customer instead of 204."),
	aSetting("WithCustomerNotifications", "customer_notifications", api.KindBool, func(o *options) *bool { return &o.notifications }, "The account sends its own notifications: webhooks contain customer_notifications."),
	aSetting("WithPayerApproval", "payer_approval", api.KindBool, func(o *options) *bool { return &o.requireApproval }, "New Bacs and SEPA mandates wait for the payer's approval."),
	count("WithRateLimit", "rate_limit", func(o *options) *int { return &o.rateLimit }, "Requests per token and minute; 0 means no limit."),
	count("WithRequestLog", "request_log", func(o *options) *int { return &o.logSize }, "How many requests and deliveries are kept."),
	{api.Field{Name: "instalment_delay", Text: "How long an instalment schedule stays pending, such as \"1s\"."}, "WithInstalmentDelay",
		func(o *options) any { return o.asyncInstalments.String() },
		func(o *options, v any) (err error) { o.asyncInstalments, err = spanOf(v); return err }},
	{api.Field{Name: "webhook_retries", Kind: api.KindArray, Elem: &api.Field{}, Text: "Intervals after which a webhook that was not accepted is sent again, such as [\"1m\", \"1h\"]."}, "WithWebhookRetries",
		func(o *options) any {
			return texts(mapped(o.retryGaps, time.Duration.String))
		},
		func(o *options, v any) error {
			list, _ := v.([]any)
			gaps := make([]time.Duration, 0, len(list))
			for _, e := range list {
				d, err := spanOf(e)
				if err != nil {
					return err
				}
				gaps = append(gaps, d)
			}
			o.retryGaps = gaps
			return nil
		}},
	{api.Field{Name: "encryption_keys", Kind: api.KindStringMap, Text: "RSA public keys (PEM) that encrypt bank details, by key id; they are added to existing ones."}, "WithEncryptionKey",
		func(o *options) any {
			out := object{}
			for _, k := range o.keys {
				der, _ := x509.MarshalPKIXPublicKey(k.key)
				out = append(out, member{k.id, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))})
			}
			return out
		},
		func(o *options, v any) error {
			keys, _ := v.(object)
			for _, m := range keys {
				text, _ := m.Val.(string)
				key, err := parseRSAKey(text)
				if err != nil || m.Key == "" {
					return errBadKey
				}
				o.keys = append(o.keys[:len(o.keys):len(o.keys)], encryptionKey{m.Key, key})
			}
			return nil
		}},
}

type settingError string

func (e settingError) Error() string { return string(e) }

const (
	errBadSpan = settingError(`must be a duration such as "36h", "90m" or "14d"`)
	errBadKey  = settingError("must map ids to RSA public keys in PEM form")
)

// spanOf reads a duration that is not negative.
func spanOf(v any) (time.Duration, error) {
	s, _ := v.(string)
	d, err := parseSpan(s)
	if err != nil || d < 0 {
		return 0, errBadSpan
	}
	return d, nil
}

func parseRSAKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errBadKey
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	rsaKey, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errBadKey
	}
	return rsaKey, nil
}

// settingsSpec returns the type of an object with all settings.
func settingsSpec() *api.Type {
	t := &api.Type{Name: "Settings"}
	for i := range settings {
		t.Fields = append(t.Fields, settings[i].Field)
	}
	return t
}

// currentSettings returns the current settings.
func (sb *Sandbox) currentSettings() object {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	out := object{}
	for i := range settings {
		out = append(out, member{settings[i].Name, settings[i].get(&sb.opts)})
	}
	return out
}

// changeSettings changes the settings of an object whose form was checked.
func (sb *Sandbox) changeSettings(body object) error {
	opts, err := settingOptions(body)
	if err != nil {
		return err
	}
	defer sb.kick()
	return sb.changeSetup(func(s setup) setup { return s.with(body) }, func() { sb.configure(opts) })
}

// settingOptions converts settings into options.
func settingOptions(body object) ([]Option, error) {
	p := &api.Problems{}
	opts := []Option{}
	for i := range settings {
		s := &settings[i]
		v, given := body.Lookup(s.Name)
		if !given {
			continue
		}
		if err := s.set(&options{}, v); err != nil {
			p.Add(s.Name, "%s", err.Error())
		}
		opts = append(opts, func(o *options) { _ = s.set(o, v) })
	}
	return opts, p.Err()
}
