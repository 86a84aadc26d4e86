package gocardlesstest

import (
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Short names for the types that every file of a resource uses.
type (
	object = value.Object
	member = value.Member
	record = store.Record
)
