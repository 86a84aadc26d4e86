package gocardlesstest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The programs in docs/sandbox in other languages test an outage with the control API.
func TestOutageInOtherLanguages(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Python and Node.js")
	}
	for _, x := range [][]string{{"python3", "../../docs/sandbox/outage.py"}, {"node", "../../docs/sandbox/outage.mjs"}} {
		t.Run(x[0], func(t *testing.T) {
			if _, err := exec.LookPath(x[0]); err != nil {
				t.Skip("not run: ", err)
			}
			s := NewServer(t, WithControl())
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for range 2 { // the second run starts with the state of the first one
				out, err := exec.CommandContext(ctx, x[0], x[1], s.URL).CombinedOutput()
				if err != nil || strings.TrimSpace(string(out)) != "one payment, paid out, and the app knows" {
					t.Fatalf("%v\n%s", err, out)
				}
			}
		})
	}
}

// The program that the compose file runs with this SDK works.
func TestFirstProgram(t *testing.T) {
	s := NewServer(t)
	c := exec.Command("go", "run", "../../docs/sandbox/clients/sdk")
	c.Env = append(os.Environ(), "GOCARDLESS_ACCESS_TOKEN=any", "GOCARDLESS_BASE_URL="+s.URL)
	out, err := c.CombinedOutput()
	if made := s.Requests(); err != nil || !strings.HasPrefix(string(out), "CU") || len(made) != 1 || made[0].Operation != "customers.create" {
		t.Errorf("%v, %d requests\n%s", err, len(made), out)
	}
}
