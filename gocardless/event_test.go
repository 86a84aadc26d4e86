package gocardless

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestEventWithoutParts(t *testing.T) {
	var e Event
	if e.Cause() != "" || e.Origin() != "" || e.Link("payment") != "" || e.ResourceID() != "" || e.Organisation() != "" || e.IsTest() {
		t.Errorf("an empty event has %q %q %q", e.Cause(), e.Origin(), e.ResourceID())
	}
	e = Event{ID: "EVTEST1", Links: &EventLinks{Organisation: "OR2", Extra: map[string]any{"count": 1.0}}}
	if e.Organisation() != "OR2" || !e.IsTest() || e.Link("count") != "" || e.Link("") != "" {
		t.Errorf("organisation %q, test %v, count %q", e.Organisation(), e.IsTest(), e.Link("count"))
	}
}

// Every link that the struct has a field for is found by its name in the API.
func TestEventLinkNames(t *testing.T) {
	links := EventLinks{}
	v := reflect.ValueOf(&links).Elem()
	n := 0
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.String {
			continue
		}
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		v.Field(i).SetString("ID" + name)
		n++
		if got := (Event{Links: &links}).Link(name); got != "ID"+name {
			t.Errorf("link %s = %q", name, got)
		}
	}
	if n < 20 {
		t.Errorf("only %d links", n)
	}
}

// Every resource type of the catalogue has a link of the name that ResourceID looks for, except
// types for which the schema has no link at all.
func TestResourceIDOfEveryResource(t *testing.T) {
	data, err := os.ReadFile("../schema/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Events map[string]any `json:"events"`
	}
	if err := json.Unmarshal(data, &catalogue); err != nil {
		t.Fatal(err)
	}
	for resource := range catalogue.Events {
		link := strings.TrimSuffix(resource, "s")
		body := `{"events":[{"id":"EV1","resource_type":"` + resource + `","action":"x","links":{"` + link + `":"ID1"}}]}`
		d, err := ParseUnverifiedWebhook([]byte(body))
		if err != nil || d.Events[0].ResourceID() != "ID1" {
			t.Errorf("%s: %v", resource, err)
		}
		if _, known := linkFields()[link]; !known && resource != "exports" {
			t.Errorf("%s: no link %q in the schema: is it another name?", resource, link)
		}
	}
}
