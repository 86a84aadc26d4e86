//go:build !unix

package gocardless

import "time"

// processUsage measures nothing: it reads what only Unix systems report.
func processUsage() (cpu time.Duration, peak int64) { return 0, 0 }
