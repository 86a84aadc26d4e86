package load

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// limiting lists the keywords that restrict the values of a schema's type. They may also appear next to a
// reference to the schema, and around it to allow null.
func limiting(s *openapi3.Schema) []string {
	switch t := soleType(s); {
	case isObject(s) || isUnion(s):
		return nil
	case isEnum(s) || t == "string" || t == ir.StringOrInteger:
		return []string{"MinLength", "MaxLength", "Pattern"}
	case t == "integer" || t == "number":
		return []string{"Min", "Max", "ExclusiveMin", "ExclusiveMax", "MultipleOf"}
	case t == "array":
		return []string{"MinItems", "MaxItems", "UniqueItems"}
	case t == "object":
		return []string{"MinProps", "MaxProps", "PropertyNames"}
	}
	return nil
}

// alone returns the definition behind a reference without the keywords next to the reference, which the
// parser appends to the definition's allOf.
func (l *document) alone(s *openapi3.Schema, pointer string) *openapi3.Schema {
	last := len(s.AllOf) - 1
	if last < 0 || s.AllOf[last].Ref != "" {
		return s
	}
	l.understood(s.AllOf[last].Value, pointer, limiting(s)...)
	definition := *s
	if definition.AllOf = s.AllOf[:last]; last == 0 {
		definition.AllOf = nil
	}
	return &definition
}

// limits gathers the restrictions of a use and of the schemas that it refers to or wraps. Of two it takes
// the tighter one, because both hold.
func (l *document) limits(s *openapi3.Schema, ref *ir.Ref, pointer string) (out ir.Limits, words string) {
	var all []string
	for _, part := range slices.Concat(s.AllOf, s.AnyOf) {
		if part.Value != s {
			inner, text := l.limits(part.Value, ref, pointer)
			out, all = l.both(out, inner, pointer), append(all, text)
		}
	}
	own, text := l.own(s, ref, pointer)
	return l.both(out, own, pointer), strings.TrimSpace(strings.Join(append(all, text), " "))
}

// own reads the restrictions of one schema. The second result describes those that the SDK does not check.
func (l *document) own(s *openapi3.Schema, ref *ir.Ref, pointer string) (out ir.Limits, words string) {
	at := func(keyword string) string { return jsontree.Join(pointer, keyword) }
	out.Pattern = s.Pattern
	out.MinLength, out.MaxLength = positive(s.MinLength), count(s.MaxLength)
	out.MinItems, out.MaxItems, out.UniqueItems = positive(s.MinItems), count(s.MaxItems), s.UniqueItems
	out.MinMembers, out.MaxMembers = positive(s.MinProps), count(s.MaxProps)
	if ref.Kind == ir.Float {
		words = numbers(s)
	} else {
		out.Minimum = tighter(l.bound(s.Min, at("minimum")), shifted(l.bound(s.ExclusiveMin.Value, at("exclusiveMinimum")), 1), larger)
		out.Maximum = tighter(l.bound(s.Max, at("maximum")), shifted(l.bound(s.ExclusiveMax.Value, at("exclusiveMaximum")), -1), smaller)
		if out.MultipleOf = l.bound(s.MultipleOf, at("multipleOf")); out.MultipleOf != nil && *out.MultipleOf <= 0 {
			l.errs.add(at("multipleOf"), "a factor must be positive")
			out.MultipleOf = nil
		}
	}
	if s.PropertyNames != nil {
		l.understood(s.PropertyNames.Value, at("propertyNames"), "MaxLength")
		out.MaxKeyLength = count(s.PropertyNames.Value.MaxLength)
	}
	if values := s.AdditionalProperties.Schema; values != nil && ref.Kind != ir.Map {
		l.understood(values.Value, at("additionalProperties"), "Type", "MaxLength", "Description")
		out.MaxValueLength = count(values.Value.MaxLength)
	}
	return out, words
}

// numbers describes the range of a floating-point number. The SDK does not check it, because such numbers
// are rarely exact.
func numbers(s *openapi3.Schema) string {
	var parts []string
	for _, limit := range []struct {
		form  string
		value *float64
	}{
		{"At least %v.", s.Min}, {"More than %v.", s.ExclusiveMin.Value}, {"At most %v.", s.Max}, {"Less than %v.", s.ExclusiveMax.Value}, {"A multiple of %v.", s.MultipleOf},
	} {
		if limit.value != nil {
			parts = append(parts, fmt.Sprintf(limit.form, *limit.value))
		}
	}
	return strings.Join(parts, " ")
}

// both combines two sets of limits that hold together.
func (l *document) both(a, b ir.Limits, pointer string) ir.Limits {
	if a.Pattern != "" && b.Pattern != "" && a.Pattern != b.Pattern {
		l.errs.add(jsontree.Join(pointer, "pattern"), "two patterns for one value are not supported")
	}
	if a.MultipleOf != nil && b.MultipleOf != nil && *a.MultipleOf%*b.MultipleOf != 0 && *b.MultipleOf%*a.MultipleOf != 0 {
		l.errs.add(jsontree.Join(pointer, "multipleOf"), "two factors for one value are not supported")
	}
	if b.Pattern == "" {
		b.Pattern = a.Pattern
	}
	b.UniqueItems = b.UniqueItems || a.UniqueItems
	b.Minimum, b.Maximum, b.MultipleOf = tighter(a.Minimum, b.Minimum, larger), tighter(a.Maximum, b.Maximum, smaller), tighter(a.MultipleOf, b.MultipleOf, larger)
	b.MinLength, b.MaxLength = tighter(a.MinLength, b.MinLength, larger), tighter(a.MaxLength, b.MaxLength, smaller)
	b.MinItems, b.MaxItems = tighter(a.MinItems, b.MinItems, larger), tighter(a.MaxItems, b.MaxItems, smaller)
	b.MinMembers, b.MaxMembers = tighter(a.MinMembers, b.MinMembers, larger), tighter(a.MaxMembers, b.MaxMembers, smaller)
	b.MaxKeyLength = tighter(a.MaxKeyLength, b.MaxKeyLength, smaller)
	b.MaxValueLength = tighter(a.MaxValueLength, b.MaxValueLength, smaller)
	return b
}

type integer interface{ ~int | ~int64 }

// tighter returns the one of two limits that pick chooses. A nil limit does not count.
func tighter[T integer](a, b *T, pick func(a, b int64) int64) *T {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	return new(T(pick(int64(*a), int64(*b))))
}

func larger(a, b int64) int64  { return max(a, b) }
func smaller(a, b int64) int64 { return min(a, b) }

func shifted(n *int64, by int64) *int64 {
	if n == nil {
		return nil
	}
	return new(*n + by)
}

func positive(n uint64) *int {
	if n == 0 {
		return nil
	}
	return new(int(n))
}

func count(n *uint64) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

// bound reads a limit of a whole number. One that no int64 reaches restricts nothing.
func (l *document) bound(n *float64, pointer string) *int64 {
	if n == nil || math.Abs(*n) >= 1<<63 {
		return nil
	}
	if *n != math.Trunc(*n) {
		l.errs.add(pointer, "bounds must be whole numbers")
	}
	return new(int64(*n))
}
