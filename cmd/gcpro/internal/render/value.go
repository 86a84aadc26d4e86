package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// Decode reads a JSON value, with numbers as json.Number.
func Decode(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return v, nil
}

// Lookup returns the member of an object at a dotted path, or nil.
func Lookup(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// Cell is a value in a table.
type Cell struct {
	Text  string
	Right bool   // numbers and money align on the right
	Whole bool   // not cut on a narrow terminal: half an amount, a time or a status would mislead
	Color string // an ANSI sequence, or ""
}

// cellOf formats the member at a path of an object. The description of the object may be nil. The
// currency is for amounts whose object has none.
func cellOf(item any, object *spec.Object, path, currency string) Cell {
	value := Lookup(item, path)
	field, currency := describe(item, object, path, currency)
	switch v := value.(type) {
	case nil:
		return Cell{}
	case string:
		if _, err := money.ParseDecimal(v); err == nil && currency != "" && field != nil && field.Name == "amount" {
			return Cell{Text: Money(v, currency), Right: true, Whole: true}
		}
		return stringCell(v, field, path)
	case json.Number:
		if field != nil && field.Kind == spec.Money && currency != "" {
			return Cell{Text: Money(v.String(), currency), Right: true, Whole: true}
		}
		return Cell{Text: v.String(), Right: true, Whole: true}
	case bool:
		return Cell{Text: strconv.FormatBool(v)}
	case map[string]any:
		return Cell{Text: pairs(v)}
	case []any:
		return Cell{Text: list(v)}
	}
	return Cell{Text: Safe(fmt.Sprint(value))}
}

// describe finds the field that a path leads to, and the currency of its amount.
func describe(item any, object *spec.Object, path, currency string) (*spec.Field, string) {
	var field *spec.Field
	owner := item
	for name := range strings.SplitSeq(path, ".") {
		if field != nil {
			owner = Lookup(owner, field.Name)
			object = field.Object
		}
		if field = object.Field(name); field == nil {
			return nil, ""
		}
		currency = currencyOf(owner, name, currency)
	}
	return field, currency
}

// currencyOf returns the currency of a member of an object: that of fx_amount is fx_currency. An
// object without any currency of its own inherits the one around it.
func currencyOf(object any, name, inherited string) string {
	members, _ := object.(map[string]any)
	for _, member := range []string{strings.TrimSuffix(name, "amount") + "currency", "currency"} {
		if own, ok := members[member].(string); ok {
			return own
		}
	}
	for member := range members {
		if strings.HasSuffix(member, "currency") {
			return ""
		}
	}
	return inherited
}

func stringCell(v string, field *spec.Field, path string) Cell {
	if field != nil && field.Kind == spec.Time {
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return Cell{Text: t.UTC().Format("2006-01-02 15:04"), Whole: true}
		}
	}
	c := Cell{Text: Safe(v)}
	if path == "status" || strings.HasSuffix(path, ".status") {
		c.Color, c.Whole = statusColor(v), true
	}
	if path == "action" {
		c.Color = statusColor(v)
	}
	return c
}

// Money formats an amount in minor units with its currency, such as "£15.00". Anything else, even a
// number with more digits than an amount can have, is returned without the currency.
func Money(minor, currency string) string {
	amount, err := money.ParseDecimal(minor)
	if err != nil {
		return Safe(minor)
	}
	return amount.Format(gocardless.Currency(currency))
}

// creditorLast sorts the names of links, with the creditor at the end: it is the same on every row.
func creditorLast(a, b string) int {
	if (a == "creditor") != (b == "creditor") {
		return map[bool]int{true: 1, false: -1}[a == "creditor"]
	}
	return strings.Compare(a, b)
}

func pairs(object map[string]any) string {
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(object), creditorLast) {
		if text := inline(object[name]); text != "" {
			parts = append(parts, Safe(name)+"="+text)
		}
	}
	return strings.Join(parts, " ")
}

func list(items []any) string {
	var parts []string
	for _, item := range items {
		parts = append(parts, inline(item))
	}
	return strings.Join(parts, ",")
}

func inline(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return Safe(v)
	case map[string]any:
		return "{" + pairs(v) + "}"
	case []any:
		return list(v)
	}
	return fmt.Sprint(v)
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	reset  = "\x1b[0m"
)

// statusColor returns green for a status of success, red for one of failure, and yellow otherwise.
func statusColor(status string) string {
	for _, s := range []string{"fail", "cancel", "charged_back", "chargeback", "expired", "bounced", "blocked", "denied", "suspended", "returned", "rejected", "invalid", "action_required"} {
		if strings.Contains(status, s) {
			return red
		}
	}
	switch status {
	case "active", "activated", "paid", "paid_out", "confirmed", "fulfilled", "successful", "completed", "enabled", "executed", "finished", "approved":
		return green
	}
	return yellow
}
