package release

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/filetx"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// An update raises the version that the other modules require, and nothing else in their files.
func TestModulesRequireTheVersion(t *testing.T) {
	dir := t.TempDir()
	const module = "example.com/m"
	files := map[string]string{
		"go.work":     "go 1.26.0\n\nuse (\n\t.\n\t./tool\n)\n\n// The version that the other modules require.\nreplace example.com/m v0.1.0 => ./\n",
		"tool/go.mod": "module example.com/m/tool\n\ngo 1.26.0\n\nrequire (\n\texample.com/m v0.1.0\n\texample.com/m/other v0.1.0\n)\n",
	}
	for name, content := range files {
		testmodule.Write(t, dir+"/"+name, []byte(content))
	}
	u := updater{tx: filetx.New(dir), out: &Updated{New: Version{0, 2, 0}}}
	read := func(name string) ([]byte, error) { return u.tx.Content(name) }
	if err := checkRequired(read, module, u.out.New); err == nil || strings.Count(err.Error(), "v0.1.0") != 2 {
		t.Errorf("the check reports %v", err)
	}
	if err := u.requireVersion(module); err != nil {
		t.Fatal(err)
	}
	if err := checkRequired(read, module, u.out.New); err != nil {
		t.Error(err)
	}
	for name, content := range files {
		got, err := read(name)
		if want := strings.ReplaceAll(content, module+" v0.1.0", module+" v0.2.0"); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want)
		}
	}
	gone := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	if err := checkRequired(gone, module, u.out.New); err != nil {
		t.Errorf("a module on its own: %v", err)
	}
}
