package cassette_test

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/cassette"
)

// The captures are known replies of the API as a cassette, with the known members only.
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

// The table next to the captures lists every capture, and the tests in it exist.
func TestEveryCaptureIsListed(t *testing.T) {
	table, err := os.ReadFile("captures/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("captures/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var numbers, listed []string
	for _, file := range files {
		numbers = append(numbers, filepath.Base(file)[:4])
	}
	for _, n := range regexp.MustCompile(`\b00\d\d\b`).FindAllString(string(table), -1) {
		if !slices.Contains(listed, n) {
			listed = append(listed, n)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(numbers, listed) {
		t.Errorf("captures %v\nlisted %v", numbers, listed)
	}
	var tests strings.Builder
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		tests.Write(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(table), -1) {
		if !strings.Contains(tests.String(), "func "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
}

// Verify compares the order of a billing request's actions.
func TestVerifyFindsActionsInAnotherOrder(t *testing.T) {
	exchanges, err := cassette.Read(os.DirFS("captures"))
	if err != nil {
		t.Fatal(err)
	}
	sandbox := newSandbox(t, 7).Transport()
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		reply, err := sandbox.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(reply.Body)
		reply.Body = io.NopCloser(strings.NewReader(strings.Replace(string(raw), `"type":"confirm_payer_details"`, `"type":"collect_amount"`, 1)))
		return reply, err
	})
	report, err := cassette.Verify(t.Context(), exchanges, cassette.VerifyOptions{BaseURL: "https://sandbox.example", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	want := cassette.Difference{
		Exchange: "0018-mandate-request.json", Operation: "POST /billing_requests", Path: "/billing_requests/actions/3/type",
		Kind: cassette.Value, Recorded: "confirm_payer_details", Got: "collect_amount",
	}
	if !slices.Contains(report.Differences, want) {
		t.Errorf("found %v", report.Differences)
	}
}
