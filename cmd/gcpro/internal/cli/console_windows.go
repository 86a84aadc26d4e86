package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// ansi makes a console interpret ANSI sequences, which it does not do by default, and reports whether
// it does.
func ansi(console *os.File) bool {
	var mode uint32
	handle := windows.Handle(console.Fd())
	return windows.GetConsoleMode(handle, &mode) == nil &&
		windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
