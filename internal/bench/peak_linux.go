package main

import (
	"fmt"
	"os/exec"
	"syscall"
)

// peakOf returns the largest memory of a command that has ended, and of the commands that it ran.
func peakOf(cmd *exec.Cmd) string {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return ""
	}
	return fmt.Sprintf(", %d MiB of memory", usage.Maxrss>>10)
}
