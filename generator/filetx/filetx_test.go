package filetx

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var before = map[string]string{"a.txt": "a", "dir/b.txt": "b", "dir/same.txt": "same", "gone.txt": "gone"}

var after = map[string]string{"a.txt": "A", "dir/b.txt": "B", "dir/same.txt": "same", "new/deep/c.txt": "c"}

func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range before {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// contents reads the whole tree; directories end in a slash.
func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == root {
			return err
		}
		name, _ := filepath.Rel(root, file)
		if d.IsDir() {
			if name != "dir" {
				out[filepath.ToSlash(name)+"/"] = ""
			}
			return nil
		}
		data, err := os.ReadFile(file)
		out[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func plan(root string) *Tx {
	tx := New(root)
	for name, content := range after {
		tx.Write(name, []byte(content))
	}
	tx.Remove("gone.txt")
	tx.Remove("never-was.txt")
	return tx
}

func TestCommit(t *testing.T) {
	root := tree(t)
	changed, err := plan(root).Commit()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a.txt", "dir/b.txt", "gone.txt", "new/deep/c.txt"}; !slices.Equal(changed, want) {
		t.Errorf("changed %q, want %q", changed, want)
	}
	want := maps.Clone(after)
	want["new/"], want["new/deep/"] = "", ""
	if got := contents(t, root); !maps.Equal(got, want) {
		t.Errorf("the tree is %v, want %v", got, want)
	}
	if changed, err = plan(root).Commit(); err != nil || len(changed) != 0 {
		t.Errorf("the second time changed %v, %v", changed, err)
	}
}

// Whichever rename fails, the tree is as it was.
func TestFailureInTheMiddle(t *testing.T) {
	for fail := 1; ; fail++ {
		root := tree(t)
		tx := plan(root)
		n := 0
		tx.rename = func(old, new string) error {
			if n++; n == fail {
				return errors.New("no more room")
			}
			return os.Rename(old, new)
		}
		changed, err := tx.Commit()
		if n < fail {
			if fail < 6 {
				t.Errorf("only %d renames were tried", fail-1)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), "no more room") || changed != nil {
			t.Errorf("rename %d: got %v, %v", fail, changed, err)
		}
		if got := contents(t, root); !maps.Equal(got, before) {
			t.Errorf("rename %d: the tree is %v", fail, got)
		}
	}
}

func TestFailureWhileStaging(t *testing.T) {
	root := tree(t)
	tx := plan(root)
	tx.Write("a.txt/below-a-file.txt", []byte("x"))
	if _, err := tx.Commit(); err == nil {
		t.Fatal("a file below a file passes")
	}
	if got := contents(t, root); !maps.Equal(got, before) {
		t.Errorf("the tree is %v", got)
	}
}

// A process that dies between two renames leaves its journal; the next one puts everything back.
func TestRecover(t *testing.T) {
	for crash := 1; crash <= 6; crash++ {
		root := tree(t)
		tx := plan(root)
		n := 0
		func() {
			defer func() { _ = recover() }()
			tx.rename = func(old, new string) error {
				if n++; n == crash {
					panic("power cut")
				}
				return os.Rename(old, new)
			}
			_, _ = tx.Commit()
		}()
		if _, err := plan(root).Commit(); err == nil {
			t.Fatal("a commit over an interrupted one passes")
		}
		found, err := Recover(root)
		if !found || err != nil {
			t.Fatalf("recovered %v, %v", found, err)
		}
		if got := contents(t, root); !maps.Equal(got, before) {
			t.Errorf("crash at rename %d: the tree is %v", crash, got)
		}
		if found, err = Recover(root); found || err != nil {
			t.Errorf("a second recovery found something: %v, %v", found, err)
		}
	}
	root := tree(t)
	if err := os.WriteFile(filepath.Join(root, journalName), []byte(`{"swa`), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := Recover(root); !found || err != nil || !maps.Equal(contents(t, root), before) {
		t.Errorf("half a journal: %v, %v", found, err)
	}
}

func TestContent(t *testing.T) {
	root := tree(t)
	tx := plan(root)
	for name, want := range map[string]string{"a.txt": "A", "dir/same.txt": "same"} {
		if got, err := tx.Content(name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	if _, err := tx.Content("gone.txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed file gives %v", err)
	}
}
