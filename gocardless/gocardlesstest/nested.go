package gocardlesstest

import (
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Nested resources have paths that lead through another resource. A record keeps the id of its parent.

const parentRef store.Hidden[string] = "parent"

// checkParent refuses a path that leads to a record through the wrong parent.
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

// adopt stores the parent of a record that is created in a nested collection.
func (tx *tx) adopt(r *record) *record {
	if tx.target != nil && tx.op.Nesting().Inside {
		parentRef.Set(r, tx.target.ID)
	}
	return r
}

// siblings reports whether a record belongs to the list of a nested collection.
func (tx *tx) siblings(r *record) bool {
	return tx.target == nil || !tx.op.Nesting().Inside || parentRef.Of(r) == tx.target.ID
}
