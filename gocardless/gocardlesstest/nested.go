package gocardlesstest

import (
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Nested resources are those whose paths lead through another one. A record keeps the id of the one that
// it was created under.

const parentRef store.Hidden[string] = "parent"

// checkParent refuses a path that leads to a record through another parent than its own.
func (tx *tx) checkParent(id string) *api.Error {
	if id == "" {
		return nil
	}
	if coll := tx.op.Nesting().Parent; theRegistry().hasCollection(coll) && tx.find(coll, id) == nil {
		return api.NotFound()
	}
	if own := parentRef.Of(tx.target); own != "" && own != id {
		return api.NotFound()
	}
	return nil
}

// adopt notes the parent of a record that is created inside a nested collection.
func (tx *tx) adopt(r *record) *record {
	if tx.target != nil && tx.op.Nesting().Inside {
		parentRef.Set(r, tx.target.ID)
	}
	return r
}

// siblings reports whether a record belongs into the list of a nested collection.
func (tx *tx) siblings(r *record) bool {
	return tx.target == nil || !tx.op.Nesting().Inside || parentRef.Of(r) == tx.target.ID
}
