// Package leaktest checks that a value does not print its secrets.
package leaktest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

// Check prints a value in the ways that programs and loggers print values, alone and inside
// others, by value and by pointer, and fails the test if the output contains one of the secrets.
func Check[T any](t *testing.T, value T, secrets ...string) {
	t.Helper()
	values := []any{value, &value, struct{ V T }{value}, struct{ V *T }{&value}, map[string]any{"v": value}, map[string]T{"v": value}, []T{value}, []any{&value}}
	for i, v := range values {
		for way, text := range printed(v) {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s of a %s (case %d) shows %q: %.200s", way, reflect.TypeOf(v), i, secret, text)
				}
			}
		}
	}
}

// printed returns the output of each way of printing a value.
func printed(v any) map[string]string {
	texts := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t"} {
		texts[verb] = fmt.Sprintf(verb, v)
	}
	if encoded, err := json.Marshal(v); err == nil {
		texts["json"] = string(encoded)
	}
	var text, document strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&document, nil)).Info("m", "v", v, slog.Group("g", slog.Any("v", v)))
	texts["slog.TextHandler"], texts["slog.JSONHandler"] = text.String(), document.String()
	return texts
}
