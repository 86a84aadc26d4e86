package gocardlesstest

import (
	"strings"
	"time"
)

// holderCheckTime is how long a check of an account's holder takes.
const holderCheckTime = time.Second

// holderMatch is the result of asking a bank whether an account belongs to a name.
func holderMatch(holder string) (match string, actual any) {
	switch n := strings.ToLower(holder); {
	case strings.Contains(n, "partial"):
		return "partial_match", titleCase(strings.ToLower(holder)) + " Jr"
	case strings.Contains(n, "nobody"):
		return "no_match", nil
	case strings.Contains(n, "unable"):
		return "unable_to_match", nil
	}
	return "full_match", nil
}
