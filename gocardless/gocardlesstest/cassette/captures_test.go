package cassette_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/cassette"
)

// What has been seen of the real API, in the form of a cassette: only the members that are known.
func TestSandboxAnswersAsCaptured(t *testing.T) {
	exchanges, err := cassette.Read(os.DirFS("captures"))
	if err != nil {
		t.Fatal(err)
	}
	known, err := os.Open("testdata/captures-known.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = known.Close() }()
	options := cassette.VerifyOptions{BaseURL: "https://sandbox.example", Transport: newSandbox(t, 7).Transport()}
	if options.Known, err = cassette.ReadKnown(known); err != nil {
		t.Fatal(err)
	}
	report, err := cassette.Verify(t.Context(), exchanges, options)
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := report.WriteTable(&table); err != nil || !report.OK() {
		t.Errorf("%v\n%s", err, &table)
	}
}
