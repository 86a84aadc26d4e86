package ir

import "strings"

// This file decides what Go type a schema becomes. The loader asks it for the code, and the comparison
// of descriptions for its reports, so that a report names the types that the code has.

// StringOrInteger is the JSON type of a value that may be either.
const StringOrInteger = "integer|string"

// Scalar returns the type of a JSON type and format, or nil if no Go type stands for them.
func Scalar(jsonType, format string) *Ref {
	switch jsonType {
	case "string":
		switch format {
		case "date":
			return &Ref{Kind: Date}
		case "date-time":
			return &Ref{Kind: Time}
		case "", "uri", "email":
			return &Ref{Kind: String, Format: format}
		}
	case "integer":
		switch format {
		case "int64":
			return &Ref{Kind: Int64}
		case "", "int32":
			return &Ref{Kind: Int}
		}
	case "number":
		return &Ref{Kind: Float}
	case "boolean":
		return &Ref{Kind: Bool}
	case StringOrInteger:
		return &Ref{Kind: StringOrInt}
	}
	return nil
}

// MapOf returns the type of a property whose members have no names of their own; values is nil if
// they may be anything. The API keeps all metadata as strings, also where a document does not say so.
func MapOf(property string, values *Ref) *Ref {
	strs := values != nil && values.Kind == String
	switch {
	case (strs || values == nil) && (property == "metadata" || strings.HasSuffix(property, "_metadata")):
		return &Ref{Kind: Metadata}
	case strs:
		return &Ref{Kind: StringMap}
	case values == nil:
		return &Ref{Kind: AnyMap}
	}
	return &Ref{Kind: Map, Elem: values}
}

// Pointered reports whether a field is a pointer, whose nil means something that no value of the type
// can mean.
func Pointered(role Role, where Place, r *Ref, required, nullable bool) bool {
	switch {
	case role == RoleReply:
		return r.IsObject() || nullable && r.isScalar()
	case where != InBody:
		// A query value that is left out and one that is zero mean the same, except for a boolean.
		return r.Kind == Bool && !required
	}
	return !required && !r.isCollection()
}

// isScalar reports whether the zero value of a type has a meaning of its own, so that null needs a pointer.
func (r *Ref) isScalar() bool {
	return r.Kind == Int || r.Kind == Int64 || r.Kind == Float || r.Kind == Bool
}

func (r *Ref) isCollection() bool {
	return r.Kind == Array || r.Kind == Metadata || r.Kind == StringMap || r.Kind == AnyMap || r.Kind == Map
}

// GoType returns the type in Go syntax, within the SDK's package.
func (r *Ref) GoType() string {
	switch r.Kind {
	case Int:
		return "int"
	case Int64:
		return "int64"
	case Float:
		return "float64"
	case Bool:
		return "bool"
	case Date:
		return "Date"
	case Time:
		return "time.Time"
	case Named:
		return r.Type.GoName
	case Array:
		return "[]" + r.Elem.GoType()
	case Metadata:
		return "Metadata"
	case StringMap:
		return "map[string]string"
	case AnyMap:
		return "map[string]any"
	case Map:
		return "map[string]" + r.Elem.GoType()
	}
	return "string"
}

// GoType returns the type of the field, with the pointer that makes it optional.
func (f *Field) GoType() string {
	if f.Pointered {
		return "*" + f.Type.GoType()
	}
	return f.Type.GoType()
}
