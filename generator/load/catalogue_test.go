package load_test

import (
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/load"
)

// A cause that several events share is documented as most of them describe it.
func TestCommonestDescriptionOfACause(t *testing.T) {
	event := func(description string) string {
		return `{"description":"It ended","causes":{"closed":{"description":"` + description + `","origins":["bank"]}}}`
	}
	catalogue, err := load.Catalogue([]byte(`{"events":{"mandates":{"failed":` + event("A rare meaning") +
		`},"payments":{"cancelled":` + event("The account was closed") + `,"failed":` + event("The account was closed") + `}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(catalogue.Causes) != 1 || catalogue.Causes[0].Doc != "The account was closed" {
		t.Errorf("causes: %+v", catalogue.Causes)
	}
}
