package money_test

import (
	"fmt"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

func ExampleFormat() {
	fmt.Println(money.Format(1500, gocardless.CurrencyGBP))
	fmt.Println(money.Format(-5, gocardless.CurrencyEUR))
	fmt.Println(money.Format(1500, gocardless.CurrencySEK))
	// Output:
	// £15.00
	// -€0.05
	// SEK 15.00
}

// The amounts of payout items are strings in minor units, with a fraction.
func ExampleDecimal() {
	var total money.Decimal
	for _, amount := range []string{"1000.0", "-12.5", "-2.5"} {
		d, err := money.ParseDecimal(amount)
		if err == nil {
			total, err = total.Add(d)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	minor, whole := total.MinorUnits()
	fmt.Println(minor, whole, total.Format(gocardless.CurrencyGBP))
	// Output:
	// 985 true £9.85
}
