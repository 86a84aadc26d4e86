package filetx

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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

// Whichever rename fails, the tree stays unchanged.
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

// Whichever write finds the disk full, the tree stays unchanged.
func TestFullDisk(t *testing.T) {
	for fail := 1; ; fail++ {
		root := tree(t)
		tx := plan(root)
		n := 0
		tx.write = func(name string, content []byte, mode fs.FileMode) error {
			if n++; n == fail {
				_ = os.WriteFile(name, content[:1], mode)
				return syscall.ENOSPC
			}
			return os.WriteFile(name, content, mode)
		}
		_, err := tx.Commit()
		if n < fail {
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("write %d: got %v", fail, err)
		}
		if got := contents(t, root); !maps.Equal(got, before) {
			t.Errorf("write %d: the tree is %v", fail, got)
		}
	}
}

// A file with the name of a backup is not overwritten: undo could not distinguish it from the backup.
func TestLeftover(t *testing.T) {
	root := tree(t)
	if err := os.WriteFile(filepath.Join(root, "a.txt.gen-old"), []byte("stale"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := contents(t, root)
	if _, err := plan(root).Commit(); err == nil || !strings.Contains(err.Error(), "a.txt.gen-old is in the way") {
		t.Errorf("got %v", err)
	}
	if got := contents(t, root); !maps.Equal(got, want) {
		t.Errorf("the tree is %v", got)
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

// After a crash at any write or rename, Recover restores the old tree, or removes the old content if all
// files were swapped.
func TestRecover(t *testing.T) {
	want := maps.Clone(after)
	want["new/"], want["new/deep/"] = "", ""
	for crash := 1; ; crash++ {
		root := tree(t)
		tx := plan(root)
		n, left := 0, false
		step := func() {
			if n++; n == crash {
				left = true
				panic("power cut")
			}
		}
		tx.rename = func(old, new string) error {
			if strings.HasSuffix(new, doneName) {
				defer step() // dies when it is done
			} else {
				step()
			}
			return os.Rename(old, new)
		}
		tx.write = func(name string, content []byte, mode fs.FileMode) error {
			if err := os.WriteFile(name, content[:len(content)/2], mode); err != nil {
				return err
			}
			step()
			return os.WriteFile(name, content, mode)
		}
		func() {
			defer func() {
				if left && recover() == nil {
					t.Fatal("the crash did not come through")
				}
			}()
			_, _ = tx.Commit()
		}()
		if !left {
			if crash < 10 {
				t.Errorf("only %d steps", crash-1)
			}
			break
		}
		stands := exists(filepath.Join(root, doneName))
		if _, err := plan(root).Commit(); err == nil && !stands {
			t.Fatal("a commit over an interrupted one passes")
		}
		found, err := Recover(root)
		if found == stands || err != nil {
			t.Fatalf("crash at step %d: recovered %v, %v", crash, found, err)
		}
		then := before
		if stands {
			then = want
		}
		if got := contents(t, root); !maps.Equal(got, then) {
			t.Errorf("crash at step %d: the tree is %v", crash, got)
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
