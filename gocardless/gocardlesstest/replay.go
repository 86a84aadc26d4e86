package gocardlesstest

import (
	"net/http"
	"os"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/cassette"
)

// Replay returns a transport that answers requests from a cassette: a directory with replies of the API,
// which "gcpro sandbox record" or a [cassette.Recorder] has recorded. It needs neither a network nor an
// account.
//
//	client, err := gocardless.New("any", gocardless.EnvironmentSandbox,
//		gocardless.WithHTTPClient(&http.Client{Transport: gocardlesstest.Replay(t, "testdata/signup")}))
//
// The test fails if a request has no exchange in the cassette, or if an exchange is not used.
// [cassette.Replay] describes how requests are matched.
func Replay(tb TB, dir string) http.RoundTripper {
	tb.Helper()
	exchanges, err := cassette.Read(os.DirFS(dir))
	if err != nil {
		tb.Fatalf("gocardlesstest: %s: %v", dir, err)
	}
	replay := cassette.NewReplay(exchanges)
	tb.Cleanup(func() {
		tb.Helper()
		if err := replay.Err(); err != nil {
			tb.Fatalf("gocardlesstest: %s: %v", dir, err)
		}
	})
	return replay
}
