package gocardlesstest

import (
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// The words that stand on every line of a resource's file.
type (
	object = value.Object
	member = value.Member
	record = store.Record
)
