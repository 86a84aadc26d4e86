//go:build !windows

package cli

import "os"

// ansi reports whether a terminal interprets ANSI sequences; those that do not set TERM=dumb.
func ansi(*os.File) bool { return true }
