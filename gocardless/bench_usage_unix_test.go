//go:build unix

package gocardless

import (
	"runtime"
	"syscall"
	"time"
)

// processUsage returns the CPU time that this process has used, of all its threads, and the most
// memory that it has had, in bytes.
func processUsage() (cpu time.Duration, peak int64) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, 0
	}
	peak = int64(r.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		peak *= 1024
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), peak
}
