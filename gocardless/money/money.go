// Package money formats amounts of the API for people. It also calculates with amounts that the API
// sends as decimal strings, exactly and without floats.
//
//	money.Format(1500, gocardless.CurrencyGBP)     // "£15.00"
//	d, err := money.ParseDecimal(item.Amount)      // "-37.5", in pence
//	minor, whole := d.MinorUnits()                 // -37, false: half a penny is left
package money

import (
	"strconv"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// signs are the prefixes of amounts. They are unambiguous: "$" alone is not among them.
var signs = map[gocardless.Currency]string{
	gocardless.CurrencyGBP: "£", gocardless.CurrencyEUR: "€", gocardless.CurrencyUSD: "US$",
	gocardless.CurrencyAUD: "A$", gocardless.CurrencyCAD: "C$", gocardless.CurrencyNZD: "NZ$",
}

// digits is the number of decimals of every currency of the API.
const digits = 2

// Format returns an amount in minor units with its currency, as in "£15.00", "-€0.05" or "SEK
// 15.00". A currency whose symbol this package does not know is written as its code. A value that
// is not a currency code is left out.
func Format(minor int64, currency gocardless.Currency) string {
	return FromMinor(minor).Format(currency)
}

// Major returns an amount in minor units as a decimal number of major units, as in "15.00", for
// spreadsheets and form fields.
func Major(minor int64) string { return FromMinor(minor).Major() }

// Format returns an amount in minor units with its currency, as the function [Format] does. Parts
// of a minor unit are kept: "£0.125".
func (d Decimal) Format(currency gocardless.Currency) string {
	minus, major := "", d.Major()
	if d.coef < 0 {
		minus, major = "-", major[1:]
	}
	return minus + Sign(currency) + major
}

// Sign returns the prefix that [Format] writes before an amount: "£", "A$" or, for a currency whose
// symbol this package does not know, its code and a space. Since Currency is open and may hold any
// string, Sign returns "" for a value that is not a currency code.
func Sign(currency gocardless.Currency) string {
	if s, ok := signs[currency]; ok {
		return s
	}
	if len(currency) != 3 {
		return ""
	}
	for _, c := range []byte(currency) {
		if c < 'A' || c > 'Z' {
			return ""
		}
	}
	return string(currency) + " "
}

// Major returns an amount in minor units as a decimal number of major units with at least two
// decimals, as in "-15.00" or "0.125".
func (d Decimal) Major() string {
	return point(strconv.FormatInt(d.coef, 10), int(d.scale)+digits)
}

// point inserts a decimal point before the last scale digits.
func point(coef string, scale int) string {
	minus := ""
	if coef[0] == '-' {
		minus, coef = "-", coef[1:]
	}
	for len(coef) <= scale {
		coef = "0" + coef
	}
	if scale == 0 {
		return minus + coef
	}
	return minus + coef[:len(coef)-scale] + "." + coef[len(coef)-scale:]
}
