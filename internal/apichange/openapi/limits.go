package openapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// limitKeys lists the keywords that restrict values.
var limitKeys = []string{
	"minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "multipleOf",
	"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "propertyNames",
}

// limit records a keyword that restricts values; of two limits, the tighter one counts. It reports whether the
// keyword is such a one.
func (s *Schema) limit(key string, v *jsontree.Value) bool {
	if !slices.Contains(limitKeys, key) {
		return false
	}
	switch {
	case key == "propertyNames":
		for _, m := range v.Members {
			s.tighten(key+"/"+m.Name, m.Value.Compact())
		}
	case v.Kind == jsontree.Bool && !v.True():
		// exclusiveMinimum or exclusiveMaximum of OpenAPI 3.0, or uniqueItems, that is false.
	default:
		s.tighten(key, v.Compact())
	}
	return true
}

// limitsOf records the limits that a wrapper adds to what it wraps.
func (s *Schema) limitsOf(wrapper *jsontree.Value) {
	for _, m := range wrapper.Members {
		s.limit(m.Name, m.Value)
	}
}

func (s *Schema) tighten(key, text string) {
	if Tighter(key, s.Limits[key], text) {
		set(&s.Limits, key, text)
	}
}

// exclude converts the exclusive bounds of OpenAPI 3.0, a boolean next to the bound, to those of 3.1, a bound
// of their own.
func (s *Schema) exclude() {
	for exclusive, bound := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if s.Limits[exclusive] != "true" {
			continue
		}
		delete(s.Limits, exclusive)
		if limit := s.Limits[bound]; limit != "" {
			s.Limits[exclusive] = limit
			delete(s.Limits, bound)
		}
	}
}

// Tighter reports whether a limit allows fewer values than before. An empty string means no limit.
func Tighter(key, before, after string) bool {
	switch {
	case after == "":
		return false
	case before == "":
		return key != "uniqueItems" || after == "true"
	}
	var x, y float64
	if _, err := fmt.Sscan(before, &x); err != nil {
		return true // patterns: undecidable here
	}
	if _, err := fmt.Sscan(after, &y); err != nil {
		return true
	}
	switch key[strings.LastIndexByte(key, '/')+1:] {
	case "minLength", "minimum", "minItems", "minProperties", "exclusiveMinimum":
		return y > x
	case "maxLength", "maximum", "maxItems", "maxProperties", "exclusiveMaximum":
		return y < x
	}
	return true
}
