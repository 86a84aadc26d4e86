package gocardlesstest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What the packages allocate when a program starts, every garbage collection of the program searches.
func TestStartIsCheap(t *testing.T) {
	withoutRace(t)
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for line := range strings.Lines(trace.String()) {
		var path, at, clock string
		var n int
		if _, err := fmt.Sscanf(line, "init %s @%s ms, %s ms clock, %d bytes", &path, &at, &clock, &n); err == nil && strings.HasPrefix(path, module) {
			total += n
		}
	}
	t.Logf("%d bytes", total)
	if total == 0 || total > 400_000 { // the tests have some of their own
		t.Errorf("the packages allocate %d bytes at the start", total)
	}
}
