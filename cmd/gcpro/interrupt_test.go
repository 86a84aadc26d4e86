package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// An interrupted command exits with 130, or with 0 if it is meant to run until it is interrupted.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signal that a test could send")
	}
	lines := filepath.Join(t.TempDir(), "lines.csv")
	if err := os.WriteFile(lines, []byte("key,amount,currency,links.mandate\nk,1500,GBP,MD1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"payments", "list"}, 130},
		{[]string{"payments", "create", "--amount", "1500", "--currency", "GBP", "--links.mandate", "MD1"}, 130},
		{[]string{"payments", "create", "--from", lines, "--key-column", "key", "--journal", lines + ".run"}, 130},
		{[]string{"events", "--follow"}, 0},
		{[]string{"listen", "--forward-to", "http://127.0.0.1:1", "--since", "1h"}, 0},
	} {
		arrived := make(chan bool, 1)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // otherwise the server does not notice the end of the connection
			arrived <- true
			<-r.Context().Done()
		}))
		defer server.Close()
		var errs bytes.Buffer
		p := program(t, server.URL, t.TempDir(), c.args...)
		p.Stderr = &errs
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		<-arrived
		if err := p.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		err := p.Wait()
		if exit, ok := errors.AsType[*exec.ExitError](err); p.ProcessState.ExitCode() != c.want || err != nil && !ok {
			t.Errorf("%s: %v %v, want exit code %d: %s", strings.Join(c.args, " "), err, exit, c.want, errs.String())
		}
	}
}
