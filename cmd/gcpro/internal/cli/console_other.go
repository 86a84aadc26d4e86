//go:build !windows

package cli

import "os"

// ansi reports whether a terminal interprets ANSI sequences. A terminal that does not is recognised
// by TERM=dumb, not here.
func ansi(*os.File) bool { return true }
