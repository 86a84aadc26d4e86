package compare

import (
	"fmt"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// literal writes a composite literal with one field, or with none.
func literal(goType, field, value string) string {
	if field == "" {
		return "gocardless." + goType + "{}"
	}
	return fmt.Sprintf("gocardless.%s{%s: %s}", goType, field, value)
}

// sample writes a value for a field.
func (s Side) sample(use *openapi.Schema, where side, required bool, member string) string {
	goType := s.Names.goType(use, where, required, member)
	d := use.Def()
	base := strings.TrimPrefix(goType, "*")
	value := ""
	switch base {
	case "string":
		value = `"…"`
	case "int":
		value = "1"
	case "float64":
		value = "1.5" // new(1) would be an int's pointer
	case "int64":
		value = "1000"
		if base != goType {
			return "new(int64(1000))"
		}
	case "bool":
		value = "true"
	case "Date":
		value = "gocardless.Date{Year: 2026, Month: 1, Day: 31}"
	case "time.Time":
		value = "time.Now()"
	case "Metadata":
		return `gocardless.Metadata{"key": "value"}`
	default:
		switch {
		case len(d.Enum) > 0:
			value = "gocardless." + s.Names.valueName(d, d.Enum[0])
		case strings.HasPrefix(base, "[]") && d.Items != nil:
			return sliceType(base) + "{" + s.sample(d.Items, where, true, member) + "}"
		case strings.HasPrefix(base, "map["):
			return qualified(base) + "{}"
		case use.IsObject():
			value = "gocardless." + base + "{ /* … */ }"
			if base != goType {
				return "&" + value
			}
		default:
			value = "…"
		}
	}
	if base != goType {
		return "new(" + value + ")"
	}
	return value
}

func sliceType(goType string) string {
	elem := strings.TrimPrefix(goType, "[]")
	switch elem {
	case "string", "int", "int64", "float64", "bool", "time.Time":
		return goType
	}
	return "[]gocardless." + elem
}

// fieldUse shows how a field is read or set.
func (c *comparison) fieldUse(in Side, a at, s spot, use *openapi.Schema, required bool) string {
	if s.root || s.member == "" {
		return ""
	}
	goField := s.field[strings.LastIndexByte(s.field, '.')+1:]
	if a.side != reply {
		return literal(s.owner, goField, in.sample(use, a.side, required, s.member))
	}
	return "var x " + qualified(in.Names.goType(use, reply, required, s.member)) + " = v." + goField
}

// qualified adds the package to a Go type.
func qualified(goType string) string {
	base := strings.TrimLeft(goType, "*[]")
	prefix := goType[:len(goType)-len(base)]
	switch base {
	case "string", "int", "int64", "float64", "bool", "any", "time.Time", "struct":
		return goType
	}
	if elem, ok := strings.CutPrefix(base, "map[string]"); ok {
		return prefix + "map[string]" + qualified(elem)
	}
	return prefix + "gocardless." + base
}
