package gocardless

import (
	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// Metadata is a set of up to three keys with string values that the API stores with a resource and
// does not interpret. Keys have up to 50 characters, values up to 500. In an update, it replaces
// the existing metadata; an empty Metadata removes it.
type Metadata map[string]string

// UnmarshalJSON reads metadata from JSON as the client does: a number or a boolean becomes a
// string.
func (m *Metadata) UnmarshalJSON(data []byte) error {
	d := jsonwire.NewDecoder(data)
	v := d.StringMap()
	outcome, err := d.Finish()
	switch {
	case err != nil:
		return err
	case len(outcome.Misfits) > 0:
		return &outcome.Misfits[0]
	}
	*m = v
	return nil
}
