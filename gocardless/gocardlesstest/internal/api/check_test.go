package api

import (
	"encoding/json"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Every kind of member accepts its own values and reports others as wrongly typed.
func TestKindsOfMembers(t *testing.T) {
	values := map[string]any{
		"text": "2026-09-14", "integer": int64(1), "fraction": json.Number("1.5"), "boolean": true,
		"list": []any{}, "object": value.Object{}, "null": nil,
	}
	takes := map[Kind][]string{
		KindString: {"text"}, KindDate: {"text"}, KindStringOrInt: {"text", "integer"},
		KindInt: {"integer"}, KindFloat: {"integer", "fraction"}, KindBool: {"boolean"},
		KindObject: {"object"}, KindArray: {"list"}, KindMetadata: {"object"}, KindStringMap: {"object"},
		KindAnyMap: {"object"}, KindMap: {"object"},
	}
	for kind, names := range takes {
		for _, nullable := range []bool{false, true} {
			typ := &Type{Fields: []Field{{Name: "member", Kind: kind, Nullable: nullable, Type: &Type{}, Elem: &Field{Kind: KindString}}}}
			for name, v := range values {
				want := name == "null" && nullable
				for _, n := range names {
					want = want || n == name
				}
				refused := typ.Check(value.Object{{Key: "member", Val: v}}, "")
				if want != (refused == nil) {
					t.Errorf("kind %d, nullable %t, %s: %v", kind, nullable, name, refused)
				}
				if refused != nil && refused.Reason != "invalid_type" {
					t.Errorf("kind %d, %s: reason %s", kind, name, refused.Reason)
				}
			}
		}
	}
}
