package compare

import (
	"os"
	"runtime/debug"
	"testing"
)

// As in cmd/gen, little of the garbage is worth collecting.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
