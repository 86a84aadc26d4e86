package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/cli"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

var update = flag.Bool("update", false, "rewrite the golden output in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gcpro": func() { os.Exit(cli.Main()) }})
}

// TestScripts runs the sessions in testdata/script. Each has its own sandbox, which starts on a Monday
// and assigns the same ids every time.
func TestScripts(t *testing.T) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	goCache := strings.TrimSpace(string(out))
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"mode": mode},
		Setup: func(e *testscript.Env) error {
			sandbox := gocardlesstest.New(gocardlesstest.WithControl(), gocardlesstest.WithFrozenClock(time.Date(2026, time.September, 14, 9, 0, 0, 0, time.UTC)))
			server, err := sandbox.Listen("127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Defer(func() { _ = server.Close() })
			endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "thanks\x1b[2J") }))
			e.Defer(endpoint.Close)
			e.Setenv("ENDPOINT", strings.TrimPrefix(endpoint.URL, "http://"))
			e.Setenv("GOCARDLESS_BASE_URL", server.URL)
			e.Setenv("GCPRO_CONFIG_DIR", e.WorkDir+"/config")
			e.Setenv("GCPRO_KEYRING", "off")
			// For migrate.txt.
			e.Setenv("GOCACHE", goCache)
			e.Setenv("GOWORK", "off")
			e.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -mod=mod")
			e.Setenv("GOPROXY", "off")
			return nil
		},
	})
}

// mode is a command of the scripts: it checks the permissions of a file, as in "mode 600 file".
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has the mode %s, want %s", args[1], got, args[0])
	}
}
