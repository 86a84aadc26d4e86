package main

import (
	"flag"
	"os"
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
			e.Setenv("GOCARDLESS_BASE_URL", server.URL)
			e.Setenv("GCPRO_CONFIG_DIR", e.WorkDir+"/config")
			e.Setenv("GCPRO_KEYRING", "off")
			return nil
		},
	})
}
