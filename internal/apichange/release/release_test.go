package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
)

const root = "../../.."

func TestNext(t *testing.T) {
	for _, c := range []struct {
		from string
		bump compare.Bump
		to   string
	}{
		{"1.2.3", compare.Major, "2.0.0"},
		{"1.2.3", compare.Minor, "1.3.0"},
		{"1.2.3", compare.Patch, "1.2.4"},
		{"1.2.3", compare.None, "1.2.3"},
		{"0.4.2", compare.Major, "0.5.0"},
		{"0.4.2", compare.Minor, "0.4.3"},
		{"0.4.2", compare.Patch, "0.4.3"},
		{"0.4.2", compare.None, "0.4.2"},
	} {
		v, err := ParseVersion(c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Next(c.bump).String(); got != c.to {
			t.Errorf("%s after %s is %s, want %s", c.from, c.bump, got, c.to)
		}
	}
	for _, bad := range []string{"", "1", "1.2", "v1.2.3", "1.2.3-rc1", "01.2.3", "1.2.x", "99999999999999999999.0.0"} {
		if _, err := ParseVersion(bad); err == nil {
			t.Errorf("%q passes as a version", bad)
		}
	}
}

func TestModulePath(t *testing.T) {
	for _, c := range []struct{ path, version, want string }{
		{"example.com/m", "0.9.0", "example.com/m"},
		{"example.com/m", "1.9.0", "example.com/m"},
		{"example.com/m", "2.0.0", "example.com/m/v2"},
		{"example.com/m/v2", "3.1.0", "example.com/m/v3"},
		{"example.com/m/vendor", "2.0.0", "example.com/m/vendor/v2"},
	} {
		v, _ := ParseVersion(c.version)
		if got := ModulePath(c.path, v); got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.path, c.version, got, c.want)
		}
	}
}

func TestSetVersion(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, VersionFile))
	if err != nil {
		t.Fatal(err)
	}
	old, err := ReadVersion(data)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := SetVersion(data, Version{7, 8, 9})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Replace(string(changed), `"7.8.9"`, `"`+old.String()+`"`, 1); got != string(data) {
		t.Errorf("more than the version changed:\n%s", changed)
	}
	for _, bad := range []string{"package p", "package p\nvar Version = \"1.2.3\"", "package p\nconst Version = 3", "package p\nconst Version = \"one\"", "pack"} {
		if _, err := ReadVersion([]byte(bad)); err == nil {
			t.Errorf("%q has a version", bad)
		}
	}
}

func TestDiffReportsMissingGoAPI(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.json")
	data, err := os.ReadFile(root + "/schema/gocardless.json")
	if err != nil {
		t.Fatal(err)
	}
	// A document without a date is not in our form.
	if err := os.WriteFile(foreign, []byte(strings.Replace(string(data), `"x-schema-date"`, `"x-date"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Diff(root, foreign, root+"/schema/gocardless.json", true)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Go.Unavailable, "x-schema-date") || len(r.Changes) != 0 {
		t.Errorf("got %+v and %d changes", r.Go, len(r.Changes))
	}
	for name, content := range map[string]string{"truncated": string(data[:100_000]), "text": "hello", "empty": ""} {
		broken := filepath.Join(dir, name)
		if err := os.WriteFile(broken, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Diff(root, broken, root+"/schema/gocardless.json", false); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want an error that names the file", name, err)
		}
	}
	if _, err := Diff(root, filepath.Join(dir, "none"), foreign, false); err == nil {
		t.Error("a missing file passes")
	}
}

// Since reads earlier states from git: the test commits, tags and changes a module.
func TestSince(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := os.ReadFile(root + "/schema/history/2025-06-11.json")
	if err != nil {
		t.Fatal(err)
	}
	write("go.mod", "module example.com/m\n")
	write("schema/gocardless.json", string(schema))
	write("gocardless/a.go", "package gocardless\ntype T struct{ A int }\n")
	git("init", "-q")
	if tag, err := LastTag(dir); err == nil && tag != "" {
		t.Errorf("a tag before the first: %q", tag)
	}
	git("add", ".")
	git("commit", "-q", "-m", "one")
	if tag, err := LastTag(dir); err != nil || tag != "" {
		t.Errorf("a tag before the first: %q, %v", tag, err)
	}
	git("tag", "v1.0.0")
	git("tag", "v1.10.0")
	git("tag", "v1.9.0")
	git("tag", "vnext")
	if tag, err := LastTag(dir); err != nil || tag != "v1.10.0" {
		t.Errorf("last tag is %q, %v", tag, err)
	}
	r, err := Since(dir, "v1.0.0", true)
	if err != nil || r.Bump != compare.None {
		t.Fatalf("got %+v, %v", r, err)
	}
	write("gocardless/a.go", "package gocardless\ntype T struct{ A string }\n")
	if r, err = Since(dir, "v1.0.0", true); err != nil || r.Bump != compare.Major || !slices.Equal(r.Go.Incompatible, []string{"T.A: changed from int to string"}) {
		t.Errorf("got %+v, %v", r, err)
	}
	if r, err = Since(dir, "v1.0.0", false); err != nil || r.Go != nil || r.Bump != compare.None {
		t.Errorf("the Go API was compared without being asked for: %+v, %v", r, err)
	}
	// A shallow clone may lack its tags, so a missing tag is an error.
	shallow := filepath.Join(t.TempDir(), "shallow")
	git("commit", "-q", "-a", "-m", "two")
	git("clone", "-q", "--depth=1", "--no-tags", "file://"+filepath.ToSlash(dir), shallow)
	if tag, err := LastTag(shallow); err == nil || !strings.Contains(err.Error(), "shallow") {
		t.Errorf("a shallow clone: got %q, %v", tag, err)
	}
	for _, bad := range []string{"nowhere", "--output=x", ""} {
		if _, err := Since(dir, bad, true); err == nil {
			t.Errorf("%q passes as a commit", bad)
		}
	}
}
