package reconcile

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// Columns are the names of the columns of [WriteCSV].
var Columns = []string{
	"payout", "payout_reference", "arrival_date", "type", "amount", "tax", "currency",
	"payment", "charge_date", "description", "payment_reference", "refund", "mandate", "customer", "customer_name", "company_name",
}

// WriteCSV writes the lines of the report as CSV; see the function [WriteCSV].
func (r *Report) WriteCSV(w io.Writer) error { return WriteCSV(w, r) }

// WriteCSV writes the lines of payouts as CSV with a header, one row per item. Amounts are in major
// units with a point, such as -12.50; the amounts of a payout add up to the amount of the payout.
// The encoding is UTF-8, and the separator a comma.
//
// The rows contain names of customers and your descriptions of payments. Because a spreadsheet
// executes cells that begin with certain characters as formulas, such a cell gets a leading
// apostrophe.
func WriteCSV(w io.Writer, reports ...*Report) error {
	out := csv.NewWriter(w)
	if err := out.Write(Columns); err != nil {
		return fmt.Errorf("reconcile: writing CSV: %w", err)
	}
	for _, r := range reports {
		for _, l := range r.Lines {
			if err := out.Write(r.row(l)); err != nil {
				return fmt.Errorf("reconcile: writing CSV: %w", err)
			}
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("reconcile: writing CSV: %w", err)
	}
	return nil
}

// row returns the cells of a line, in the order of Columns.
func (r *Report) row(l Line) []string {
	payment, refund, mandate, customer := orEmpty(l.Payment), orEmpty(l.Refund), orEmpty(l.Mandate), orEmpty(l.Customer)
	name := strings.TrimSpace(customer.GivenName + " " + customer.FamilyName)
	tax := ""
	if l.Tax.Sign() != 0 {
		tax = l.Tax.Major()
	}
	row := []string{
		r.Payout.ID, r.Payout.Reference, r.Payout.ArrivalDate.String(), string(l.Type), "", "", string(r.Payout.Currency),
		payment.ID, payment.ChargeDate.String(), payment.Description, payment.Reference, refund.ID, mandate.ID, customer.ID, name, customer.CompanyName,
	}
	for i := range row {
		row[i] = harmless(row[i])
	}
	row[4], row[5] = amount(l), tax // numbers, which may begin with a minus sign
	return row
}

// amount returns the amount of a line, or "" if it could not be read, which the report lists as a
// problem.
func amount(l Line) string {
	if _, err := money.ParseDecimal(l.Item.Amount); err != nil {
		return ""
	}
	return l.Amount.Major()
}

func orEmpty[T gocardless.Payment | gocardless.Refund | gocardless.Mandate | gocardless.Customer](v *T) T {
	if v == nil {
		var empty T
		return empty
	}
	return *v
}

// harmless keeps a spreadsheet from executing a cell as a formula.
func harmless(cell string) string {
	if strings.IndexAny(strings.TrimLeft(cell, " \u00a0\u3000"), "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + cell
	}
	return cell
}
