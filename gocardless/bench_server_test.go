package gocardless

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// benchServerVariable makes the test binary a server for benchmarks, of "http1" or "http2".
const benchServerVariable = "GOCARDLESS_BENCH_SERVER"

func TestMain(m *testing.M) {
	if proto := os.Getenv(benchServerVariable); proto != "" {
		serveBench(proto)
		return
	}
	os.Exit(m.Run())
}

// serveBench prints the address of a server on loopback, and ends with standard input.
func serveBench(proto string) {
	text := []byte(benchEnvelope)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range benchHeader {
			w.Header()[name] = values
		}
		_, _ = w.Write(text)
	}))
	if proto == "http2" {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
}

// benchServer starts a server in a process of its own, so that the CPU time of this one is the
// client's, and returns its address and a transport for it.
func benchServer(tb testing.TB, proto string) (url string, transport *http.Transport) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchServerVariable+"="+proto)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	transport = http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // of a test, on loopback
	tb.Cleanup(transport.CloseIdleConnections)
	return strings.TrimSpace(line), transport
}
