package compare

import (
	"fmt"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// literal returns a composite literal with one field or none.
func literal(goType, field, value string) string {
	if field == "" {
		return "gocardless." + goType + "{}"
	}
	return fmt.Sprintf("gocardless.%s{%s: %s}", goType, field, value)
}

// sample returns a value for a field.
func sample(f *ir.Field) string {
	value := sampleOf(f.Type)
	switch {
	case !f.Pointered:
		return value
	case f.Type.IsObject():
		return "&" + value
	case f.Type.Kind == ir.Int64:
		return "new(int64(" + value + "))" // new(1000) would be an int's pointer
	}
	return "new(" + value + ")"
}

func sampleOf(r *ir.Ref) string {
	switch r.Kind {
	case ir.Int:
		return "1"
	case ir.Int64:
		return "1000"
	case ir.Float:
		return "1.5" // new(1) would be an int's pointer
	case ir.Bool:
		return "true"
	case ir.Date:
		return "gocardless.Date{Year: 2026, Month: 1, Day: 31}"
	case ir.Time:
		return "time.Now()"
	case ir.Named:
		switch {
		case r.IsObject():
			return qualified(r) + "{ /* … */ }"
		case len(r.Type.Values) == 0:
			return "…"
		}
		return "gocardless." + r.Type.Values[0].GoName
	case ir.Metadata:
		return qualified(r) + `{"key": "value"}`
	case ir.Array:
		return qualified(r) + "{" + sampleOf(r.Elem) + "}"
	case ir.StringMap, ir.AnyMap, ir.Map:
		return qualified(r) + "{}"
	}
	return `"…"`
}

// fieldUse returns code that reads or sets a field.
func (s spot) fieldUse(owner string, a at, f *ir.Field) string {
	switch {
	case s.root || s.member == "":
		return ""
	case a.side != reply:
		return literal(owner, f.GoName, sample(f))
	case f.Pointered:
		return "var x *" + qualified(f.Type) + " = v." + f.GoName
	}
	return "var x " + qualified(f.Type) + " = v." + f.GoName
}

// qualified returns a Go type in the syntax of code outside the SDK's package.
func qualified(r *ir.Ref) string {
	switch r.Kind {
	case ir.Date, ir.Metadata:
		return "gocardless." + r.GoType()
	case ir.Named:
		if r.Type != anything.Type && r.Type.GoName != "struct" {
			return "gocardless." + r.GoType()
		}
	case ir.Array:
		return "[]" + qualified(r.Elem)
	case ir.Map:
		return "map[string]" + qualified(r.Elem)
	}
	return r.GoType()
}
