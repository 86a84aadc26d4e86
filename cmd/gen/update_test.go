package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// copyOfModule makes a copy of the small module the working directory.
func copyOfModule(t *testing.T) {
	t.Helper()
	t.Chdir(testmodule.Small(t))
	writeChangelog(t)
}

// newDescription writes a changed copy of the vendored document outside the module.
func newDescription(t *testing.T, change func(v *jsontree.Value)) string {
	t.Helper()
	v := testmodule.Schema(t, ".")
	change(v)
	file := filepath.Join(t.TempDir(), "new.json")
	testmodule.Write(t, file, v.Format())
	return file
}

func addColour(v *jsontree.Value) {
	colour, _ := jsontree.Parse([]byte(`{"type": "object", "description": "Its colour.", "properties": {"shade": {"type": "string", "description": "Its shade."}}}`))
	v.At("/components/schemas/Payment/properties").Set("colour", colour)
}

const colourPointer = "/components/schemas/Payment/properties/colour"

func TestUpdateUsage(t *testing.T) {
	copyOfModule(t)
	file := newDescription(t, addColour)
	before := testmodule.Digest(t, ".")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{}, "usage: gen update [flags] SOURCE"},
		{[]string{"one.json", "two.json"}, "usage: gen update [flags] SOURCE"},
		{[]string{"-no-such-flag", file}, "flag provided but not defined"},
		{[]string{file, "-format", "html"}, `"html" for flag -format: must be one of text, markdown, json`},
		{[]string{file, "-name", "Colour"}, "must be POINTER=NAME"},
		{[]string{file, "-name", colourPointer + "="}, "must be POINTER=NAME"},
		{[]string{file, "-name", colourPointer + "=two words"}, "must be POINTER=NAME"},
		{[]string{file, "-name", colourPointer + "=colour"}, "the name in the form PaymentLinks"},
		{[]string{file, "-name", "components/schemas/Payment=Colour"}, "must be POINTER=NAME"},
	} {
		status, stdout, stderr := gen(append([]string{"update"}, c.args...)...)
		if status != 2 || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("gen update %q: status %d, printed %q and %q", c.args, status, stdout, stderr)
		}
	}
	if !maps.Equal(testmodule.Digest(t, "."), before) {
		t.Error("the tree changed")
	}
}

// A failed update exits with 1 and one reason on standard error, and changes nothing.
func TestUpdateFails(t *testing.T) {
	copyOfModule(t)
	file := newDescription(t, addColour)
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	page := filepath.Join(t.TempDir(), "login.html")
	writeFile(t, page, "<!doctype html><title>Sign in</title>")
	before := testmodule.Digest(t, ".")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"none.json"}, "none.json"},
		{[]string{page}, "this is HTML or XML"},
		{[]string{server.URL + "/openapi.json?key=geheim"}, server.URL + "/openapi.json: the server responded with 404 Not Found"},
		{[]string{"ftp://example.com/openapi.json"}, "give the name of a file or an https URL"},
		{[]string{file, "-date", "tomorrow"}, `date "tomorrow" is not of the form 2026-01-31`},
		{[]string{file, "-date", "2020-01-01"}, "give it a later date with -date"},
		{[]string{file, "-name", "/components/schemas/None=Colour"}, "/components/schemas/None: -name names this place, but the source does not have it"},
		{[]string{file, "-name", colourPointer + "=Payment"}, "the name Payment given by -name is already used by another schema"},
		{[]string{file, "-name", colourPointer + "=PaymentStatusPaidOut"}, "the name PaymentStatusPaidOut given by -name is already used"},
	} {
		status, stdout, stderr := gen(append([]string{"update"}, c.args...)...)
		if status != 1 || stdout != "" || !strings.HasPrefix(stderr, "gen: ") || !strings.Contains(stderr, c.want) || strings.Contains(stderr, "geheim") {
			t.Errorf("gen update %q: status %d, printed %q and %q", c.args, status, stdout, stderr)
		}
	}
	if !maps.Equal(testmodule.Digest(t, "."), before) {
		t.Error("the tree changed")
	}
}

func TestUpdateOutsideAModule(t *testing.T) {
	t.Chdir(t.TempDir())
	if status, _, stderr := gen("update", "x.json"); status != 1 || !strings.Contains(stderr, "no go.mod here or above") {
		t.Errorf("status %d, printed %q", status, stderr)
	}
}

func TestUpdateOfTheSame(t *testing.T) {
	copyOfModule(t)
	before := testmodule.Digest(t, ".")
	for format, want := range map[string]string{
		"text":     "nothing changed: the source means the same as schema/gocardless.json\n",
		"markdown": "nothing changed: the source means the same as schema/gocardless.json\n",
	} {
		status, stdout, stderr := gen("update", "-format", format, "schema/gocardless.json")
		if status != 0 || stdout != want || stderr != "" {
			t.Errorf("%s: status %d, printed %q and %q", format, status, stdout, stderr)
		}
	}
	// A difference that our form cannot express is reported.
	conflict := newDescription(t, func(v *jsontree.Value) {
		refused, _ := jsontree.Parse([]byte(`{"$ref": "#/components/responses/Error"}`))
		v.At("/paths/~1payments/post/responses").Set("409", refused)
	})
	if status, stdout, stderr := gen("update", conflict); status != 0 || stdout != "nothing changed: schema/gocardless.json cannot express how the source differs\n" ||
		stderr != "gen: not adopted: client.Payments.Create may be refused with status 409.\n" {
		t.Errorf("status %d, printed %q and %q", status, stdout, stderr)
	}
	status, stdout, _ := gen("update", "schema/gocardless.json", "-format=json")
	var report struct {
		Changes []any
		Bump    string
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || status != 0 || report.Changes == nil || len(report.Changes) > 0 || report.Bump != "none" {
		t.Errorf("json: status %d, %v, printed %q", status, err, stdout)
	}
	if !maps.Equal(testmodule.Digest(t, "."), before) {
		t.Error("the tree changed")
	}
}

// The report goes to standard output, everything else to standard error.
func TestUpdateOfAChange(t *testing.T) {
	copyOfModule(t)
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(newDescription(t, addColour)))))
	defer server.Close()
	args := func(more ...string) []string {
		return append([]string{"update", server.URL + "/new.json", "-date", "2099-03-04", "-name", colourPointer + "=Paint"}, more...)
	}
	before := testmodule.Digest(t, ".")
	status, stdout, stderr := gen(args("-dry-run", "-format", "json")...)
	var report struct {
		Old, New, Bump string
		Changes        []struct{ Text string }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || status != 0 {
		t.Fatalf("a dry run: status %d, %v, printed %q and %q", status, err, stdout, stderr)
	}
	if report.New != "2099-03-04" || report.Bump != "minor" || len(report.Changes) != 1 || report.Changes[0].Text != "Payment.Colour (`colour`) was added." {
		t.Errorf("reported %+v", report)
	}
	if !strings.Contains(stderr, "gen: a dry run: nothing written; version 0.1.1 would follow 0.1.0\n") || !maps.Equal(testmodule.Digest(t, "."), before) {
		t.Errorf("a dry run wrote something, or printed %q", stderr)
	}

	status, stdout, stderr = gen(args("-format", "markdown")...)
	if status != 0 || !strings.HasPrefix(stdout, "# API changes from "+report.Old+" to 2099-03-04\n") || !strings.HasSuffix(stdout, "\nbump: minor\n") {
		t.Errorf("status %d, printed %q", status, stdout)
	}
	for _, want := range []string{"gen: note: 3 descriptions must be written before a release", " files written; version 0.1.1, was 0.1.0\n"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("printed %q, without %q", stderr, want)
		}
	}
	for name, want := range map[string]string{
		"schema/gocardless.json":                 `"$ref": "#/components/schemas/Paint"`,
		"schema/history/" + report.Old + ".json": `"x-schema-date": "` + report.Old + `"`,
		"gocardless/api_payments_gen.go":         " *Paint ",
		"CHANGELOG.md":                           "<!-- snapshot 2099-03-04: ",
	} {
		if data, err := os.ReadFile(filepath.FromSlash(name)); err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s does not have %q, %v", name, want, err)
		}
	}
	if status, stdout, stderr = gen("check"); status != 0 {
		t.Errorf("gen check: status %d, printed %q and %q", status, stdout, stderr)
	}

	after := testmodule.Digest(t, ".")
	if status, stdout, stderr = gen(args()...); status != 0 || !strings.HasPrefix(stdout, "nothing changed: ") || !maps.Equal(testmodule.Digest(t, "."), after) {
		t.Errorf("a second run: status %d, printed %q and %q", status, stdout, stderr)
	}
}

// An interrupt while the source is read ends the update at once.
func TestUpdateInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot interrupt itself")
	}
	copyOfModule(t)
	before := testmodule.Digest(t, ".")
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Signal(os.Interrupt)
		}
		if err != nil {
			t.Error(err)
		}
		<-release
	}))
	defer server.Close()
	defer close(release)
	start := time.Now()
	if status, stdout, stderr := gen("update", server.URL); status != 1 || stdout != "" || stderr != "gen: interrupted: nothing has changed\n" || time.Since(start) > time.Minute {
		t.Errorf("status %d, printed %q and %q", status, stdout, stderr)
	}
	if !maps.Equal(testmodule.Digest(t, "."), before) {
		t.Error("the tree changed")
	}
}

// With -own-words no description is left to write.
func TestUpdateWithOwnWords(t *testing.T) {
	copyOfModule(t)
	file := newDescription(t, addColour)
	status, _, stderr := gen("update", "-own-words", "-date=2099-03-04", file)
	if status != 0 {
		t.Errorf("status %d, printed %q", status, stderr)
	}
	for line := range strings.Lines(stderr) {
		if strings.Contains(line, "note") && !strings.Contains(line, "the sandbox does not know what the filter ") {
			t.Errorf("printed %q", line)
		}
	}
	if data, err := os.ReadFile("gocardless/api_payments_gen.go"); err != nil || !strings.Contains(string(data), "// Its colour.") {
		t.Errorf("the words are not in the code, %v", err)
	}
}
