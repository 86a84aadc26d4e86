//go:build !unix

package gocardless

import "time"

// processUsage has nothing to say here.
func processUsage() (cpu time.Duration, peak int64) { return 0, 0 }
