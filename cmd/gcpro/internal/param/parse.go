package param

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

// parse reads the arguments of a flag as the value of its parameter. Errors do not quote the
// arguments, which may be personal data.
func (s *Set) parse(l Leaf, arguments []string) (any, error) {
	for _, t := range arguments {
		if !utf8.ValidString(t) {
			return nil, errors.New("is not valid UTF-8")
		}
	}
	switch l.Field.Kind {
	case spec.List:
		return s.list(l, arguments)
	case spec.Map:
		return pairs(arguments)
	}
	return s.scalar(l, l.Field, arguments[len(arguments)-1])
}

func (s *Set) scalar(l Leaf, f *spec.Field, text string) (any, error) {
	switch f.Kind {
	case spec.Int:
		return integer(text)
	case spec.Money:
		return s.money(l, text)
	case spec.Float:
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return nil, errors.New("must be a number")
		}
		return json.Number(text), nil
	case spec.Bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return nil, errors.New("must be true or false")
		}
		return v, nil
	case spec.Date:
		return day(text, s.now, l.In != spec.InBody)
	case spec.Time:
		return moment(text, s.now, l.In != spec.InBody)
	case spec.JSON, spec.Group:
		return jsonObject(text)
	}
	return text, nil
}

func integer(text string) (any, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, errors.New("must be a whole number")
	}
	return json.Number(strconv.FormatInt(n, 10)), nil
}

// list reads a list of scalars, separated by commas or given by several flags, or of objects as
// JSON.
func (s *Set) list(l Leaf, arguments []string) (any, error) {
	items := []any{}
	for _, text := range arguments {
		if l.Field.Elem.Kind == spec.Group || l.Field.Elem.Kind == spec.JSON {
			more, err := jsonObjects(text)
			if err != nil {
				return nil, err
			}
			items = append(items, more...)
			continue
		}
		for part := range strings.SplitSeq(text, ",") {
			v, err := s.scalar(l, l.Field.Elem, strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			items = append(items, v)
		}
	}
	return items, nil
}

func pairs(arguments []string) (any, error) {
	m := map[string]any{}
	for _, text := range arguments {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, errors.New("must have the form KEY=VALUE")
		}
		m[key] = value
	}
	return m, nil
}

func jsonObject(text string) (any, error) {
	items, err := jsonObjects(text)
	if err != nil || len(items) != 1 || strings.HasPrefix(strings.TrimSpace(text), "[") {
		return nil, errors.New("must be a JSON object")
	}
	return items[0], nil
}

func jsonObjects(text string) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, errors.New("must be JSON: an object, or a list of them")
	}
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		if _, ok := item.(map[string]any); !ok {
			return nil, errors.New("must be JSON: an object, or a list of them")
		}
	}
	return items, nil
}

var (
	span   = regexp.MustCompile(`^([+-]?)(\d{1,6})(m|h|d|w)$`)
	priced = regexp.MustCompile(`^(\D*)(\d{1,15})(?:\.(\d{2}))?(\D*)$`)
	code   = regexp.MustCompile(`^[A-Z]{3}$`)
)

// relative reads "7d", "-2h" or "+1w", and the words now, today, yesterday and tomorrow, as a time.
// A span without a sign leads into the past if past is set, and into the future otherwise.
func relative(text string, now time.Time, past bool) (time.Time, bool) {
	switch text {
	case "now":
		return now, true
	case "today":
		return midnight(now), true
	case "yesterday":
		return midnight(now).AddDate(0, 0, -1), true
	case "tomorrow":
		return midnight(now).AddDate(0, 0, 1), true
	}
	m := span.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, false
	}
	n, _ := strconv.Atoi(m[2])
	if m[1] == "-" || m[1] == "" && past {
		n = -n
	}
	switch m[3] {
	case "m":
		return now.Add(time.Duration(n) * time.Minute), true
	case "h":
		return now.Add(time.Duration(n) * time.Hour), true
	case "w":
		n *= 7
	}
	return now.AddDate(0, 0, n), true
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

func day(text string, now time.Time, past bool) (any, error) {
	if t, ok := relative(text, now.UTC(), past); ok {
		return t.Format(time.DateOnly), nil
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return nil, errors.New("must be a date such as 2026-01-31, 7d, today or tomorrow")
	}
	return text, nil
}

func moment(text string, now time.Time, past bool) (any, error) {
	t, err := Time(text, now, past)
	if err != nil {
		return nil, err
	}
	return Stamp(t), nil
}

// Time reads a time: what relative reads, a date, or a time of RFC 3339. Days begin at midnight UTC.
func Time(text string, now time.Time, past bool) (time.Time, error) {
	if t, ok := relative(text, now.UTC(), past); ok {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("must be a time such as 2026-01-31T09:00:00Z, 2026-01-31, 7d, 2h or yesterday")
}

// Stamp formats a time as the API does.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// money reads an amount. A whole number is in minor units. With the sign or code of a currency before
// or after it, the amount is in major units, and the currency must be that of the call.
func (s *Set) money(l Leaf, text string) (any, error) {
	if v, err := integer(text); err == nil {
		return v, nil
	}
	var currencies []string
	m := priced.FindStringSubmatch(strings.ReplaceAll(text, " ", ""))
	if m != nil {
		currencies = currenciesOf(m[1] + m[4])
	}
	if currencies == nil {
		return nil, errors.New("must be a whole number of minor units, such as 1500, or an amount with its currency, such as £15.00 or 15.00GBP")
	}
	s.later = append(s.later, moneyCheck{l, currencies})
	n, err := strconv.ParseInt(m[2]+(m[3] + "00")[:2], 10, 64)
	return json.Number(strconv.FormatInt(n, 10)), err
}

// shared are the signs that several currencies have in their own countries.
var shared = map[string][]string{"$": {"USD", "AUD", "CAD", "NZD"}, "kr": {"SEK", "DKK"}}

// currenciesOf returns the currencies that a code or sign stands for.
func currenciesOf(unit string) []string {
	if code.MatchString(unit) {
		return []string{unit}
	}
	for _, c := range spec.Find("payments", "create").Params.Field("currency").Enum {
		if unit == money.Sign(gocardless.Currency(c.Name)) {
			return []string{c.Name}
		}
	}
	return shared[unit]
}

// moneyCheck is an amount that was given with a currency, or with a sign of several currencies.
type moneyCheck struct {
	leaf       Leaf
	currencies []string
}

// agree compares the currency of an amount with that of the call. If the call has none and the amount
// names exactly one, agree sets it.
func (s *Set) agree(l Leaf, currencies []string) error {
	path, ok := s.currencyOf(l.Path)
	if !ok {
		return errors.New("has no currency to compare with: give the amount in minor units")
	}
	have, _ := lookup(s.values, path).(string)
	for _, c := range currencies {
		if have == c {
			return nil
		}
	}
	switch {
	case have != "":
		return fmt.Errorf("is in a currency other than %s", path)
	case len(currencies) > 1:
		return fmt.Errorf("needs --%s: several currencies share this sign", strings.ReplaceAll(path, "_", "-"))
	}
	s.Assign(path, currencies[0])
	return nil
}

// currencyOf returns the path of the currency of an amount: in the same object, or else in an object
// around it.
func (s *Set) currencyOf(path string) (string, bool) {
	for {
		cut := strings.LastIndexByte(path, '.')
		prefix := path[:max(cut, 0)]
		object := s.op.Params
		for name := range strings.SplitSeq(prefix, ".") {
			if f := object.Field(name); f != nil && f.Object != nil {
				object = f.Object
			}
		}
		if object.Field("currency") != nil {
			return strings.TrimPrefix(prefix+".currency", "."), true
		}
		if cut < 0 {
			return "", false
		}
		path = prefix
	}
}

func lookup(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}
