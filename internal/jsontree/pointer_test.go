package jsontree

import (
	"errors"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// The SDK escapes pointers itself, because it does not import this package. Both do it alike.
func TestJoinLikeTheSDK(t *testing.T) {
	const key = "~1/~0/m~/n"
	err := gocardless.CustomerUpdateParams{Metadata: gocardless.Metadata{key: strings.Repeat("x", gocardless.MaxMetadataValueLength+1)}}.Validate()
	var refused *gocardless.ParamsError
	if want := Join("", "customers", "metadata", key); !errors.As(err, &refused) || refused.Problems[0].Pointer != want {
		t.Errorf("got %v, want a problem at %s", err, want)
	}
}
