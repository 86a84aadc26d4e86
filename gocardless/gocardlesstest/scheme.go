package gocardlesstest

import (
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// Schemes and currencies, and the limits of a new account.

// schemeOf returns the direct debit scheme of a currency.
func schemeOf(currency string) string {
	return map[string]string{
		"GBP": "bacs", "EUR": "sepa_core", "USD": "ach", "SEK": "autogiro", "DKK": "betalingsservice",
		"AUD": "becs", "NZD": "becs_nz", "CAD": "pad",
	}[currency]
}

// currencyOf returns the currency of a scheme.
func currencyOf(scheme string) string {
	if scheme == "sepa_cor1" {
		return "EUR"
	}
	for _, s := range api.Schemes {
		if s.Name == scheme {
			return s.Currency
		}
	}
	return ""
}

// countryCurrency returns the currency of bank accounts in a country.
func countryCurrency(country string) string {
	for _, s := range api.Schemes {
		for _, c := range s.Countries {
			if c == country && s.Name == schemeOf(s.Currency) {
				return s.Currency
			}
		}
	}
	return ""
}

// maximumAmount returns the largest payment of a scheme, in minor units. The API's own limits depend on
// the account; these are the ones of a new sandbox account.
func maximumAmount(scheme string) int64 {
	switch scheme {
	case "autogiro", "betalingsservice":
		return 100_000_00
	}
	return 1_000_000_00
}

// referenceLimit returns the maximum length of a payment's reference in a scheme, or 0 if references
// are not allowed.
func referenceLimit(scheme string) int {
	switch scheme {
	case "ach", "bacs":
		return 10
	case "autogiro":
		return 11
	case "becs_nz":
		return 12
	case "pay_to":
		return 18
	case "becs", "betalingsservice":
		return 30
	case "sepa_core", "sepa_cor1", "sepa_credit_transfer", "sepa_instant_credit_transfer":
		return 140
	}
	return 0
}
