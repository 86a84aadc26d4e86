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

// TestScripts runs the sessions in testdata/script, each with a sandbox of its own that starts on a
// Monday and gives the same ids every time.
func TestScripts(t *testing.T) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	goCache := strings.TrimSpace(string(out))
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
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
			// For the session that rewrites a program.
			e.Setenv("GOCACHE", goCache)
			e.Setenv("GOWORK", "off")
			e.Setenv("GOFLAGS", "-mod=mod")
			e.Setenv("GOPROXY", "off")
			return nil
		},
	})
}
