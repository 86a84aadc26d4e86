package gocardless

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

func TestReplyKeysInAnyCase(t *testing.T) {
	client := benchClient(t, benchFixed(`{"Payments":[{"Id":"PM1"}],"Meta":{"Cursors":{"After":"PM1"},"Limit":7}}`))
	page, err := client.Payments.List(t.Context(), PaymentListParams{})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != "PM1" || page.After != "PM1" || page.Limit != 7 {
		t.Errorf("got %+v, %v", page, err)
	}
	var e Error
	decodeError(&e, []byte(`{"Error":{"Type":"invalid_state","Errors":[{"Reason":"mandate_is_inactive"}]}}`))
	if e.Type != "invalid_state" || !e.HasReason(ReasonMandateIsInactive) {
		t.Errorf("got %+v", e)
	}
}

// Every resource keeps an enum value that is newer than this library.
func TestUnknownEnumValuesAreKept(t *testing.T) {
	enum := reflect.TypeFor[interface{ Known() bool }]()
	seen := 0
	for service := range reflect.TypeFor[Client]().Fields() {
		get, ok := service.Type.MethodByName("Get")
		if !ok {
			continue
		}
		resource := get.Type.Out(0).Elem()
		sent := map[string]string{}
		members := map[string]int{}
		for i := range resource.NumField() {
			if m := resource.Field(i); m.Type.Kind() == reflect.String && m.Type.Implements(enum) {
				name, _, _ := strings.Cut(m.Tag.Get("json"), ",")
				sent[name], members[name] = "brand_new_"+name, i
			}
		}
		data, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.New(resource)
		d := jsonwire.NewDecoder(data)
		d.Read(v.Interface())
		if _, err := d.Finish(); err != nil {
			t.Errorf("%s: %v", resource, err)
		}
		for name, i := range members {
			seen++
			if got := v.Elem().Field(i); got.String() != sent[name] || got.Interface().(interface{ Known() bool }).Known() {
				t.Errorf("%s: %s is %q, want %q and not known", resource, name, got, sent[name])
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d enums seen", seen)
	}
}
