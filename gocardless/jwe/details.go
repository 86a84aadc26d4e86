package jwe

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// BankDetails are the details of a bank account. They are personal data: restrict who can read them
// and for how long you keep them. A BankDetails prints without its values, also as JSON; use its
// fields. If your own struct keeps a BankDetails in an unexported field, give it methods such as
// Format: package fmt cannot call those of a BankDetails there, and would print the details.
//
// The API does not document the names of the members. The fields accept the names that its
// unencrypted resources use, with or without the prefix "swift_" that its documentation of
// transferred mandates shows. JSON contains everything.
type BankDetails struct {
	// AccountHolderName is the name of the account's holder.
	AccountHolderName string
	// IBAN is the account's international number.
	IBAN string
	// BankCode, BranchCode and AccountNumber are the parts of a national account number, as
	// far as the country has them.
	BankCode, BranchCode, AccountNumber string
	// CountryCode is the country of the account, in two letters.
	CountryCode string
	// JSON is the decrypted JSON object.
	JSON json.RawMessage
}

// String returns a fixed string without the details.
func (BankDetails) String() string { return "jwe.BankDetails{redacted}" }

// GoString returns the same as String.
func (d BankDetails) GoString() string { return d.String() }

// Format writes the same as String, whatever the verb.
func (d BankDetails) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// MarshalText returns the same as String.
func (d BankDetails) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// LogValue returns the same as String.
func (d BankDetails) LogValue() slog.Value { return slog.StringValue(d.String()) }

func parseDetails(plaintext []byte) (*BankDetails, error) {
	var members map[string]any
	if err := json.Unmarshal(plaintext, &members); err != nil || members == nil {
		// The cause would quote the plaintext.
		return nil, fmt.Errorf("%w: decrypted, and not a JSON object", ErrMalformed)
	}
	take := func(names ...string) string {
		for _, name := range names {
			if s, ok := members[name].(string); ok && s != "" {
				return s
			}
		}
		return ""
	}
	return &BankDetails{
		AccountHolderName: take("account_holder_name"),
		IBAN:              take("iban"),
		BankCode:          take("bank_code", "swift_bank_code"),
		BranchCode:        take("branch_code", "swift_branch_code"),
		AccountNumber:     take("account_number", "swift_account_number"),
		CountryCode:       take("country_code"),
		JSON:              plaintext,
	}, nil
}
