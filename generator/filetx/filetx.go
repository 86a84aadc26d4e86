// Package filetx changes many files of a directory tree as one: either all of them change or none.
//
// New content is first written beside its place. Only when all of it is on disk are the files
// swapped by renaming, and a failure in the middle puts back what was swapped. A journal beside
// them lets the next run do the same after a crash.
package filetx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// journalName is where a commit in progress is recorded, in the root of the tree.
const journalName = ".gen-update.json"

// Tx is a set of changes below a directory. The zero value is not usable; see New.
type Tx struct {
	root    string
	changes map[string][]byte // nil content removes the file

	rename func(old, new string) error
}

// New returns an empty set of changes below root.
func New(root string) *Tx {
	return &Tx{root: root, changes: map[string][]byte{}, rename: os.Rename}
}

// Write plans a file's content. The path is relative to the root, with slashes.
func (t *Tx) Write(path string, content []byte) {
	t.changes[path] = slices.Clip(append([]byte{}, content...))
}

// Remove plans a file's removal.
func (t *Tx) Remove(path string) { t.changes[path] = nil }

// Content returns the planned content of a file, or what is on disk.
func (t *Tx) Content(path string) ([]byte, error) {
	if content, ok := t.changes[path]; ok {
		if content == nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
		}
		return content, nil
	}
	return os.ReadFile(t.full(path))
}

func (t *Tx) full(path string) string { return filepath.Join(t.root, filepath.FromSlash(path)) }

// swap is one file of a commit, as the journal records it.
type swap struct {
	Path   string `json:"path"`
	Staged string `json:"staged,omitempty"` // new content; "" removes the file
	Backup string `json:"backup,omitempty"` // old content; "" when there was no file
}

type journal struct {
	Swaps []swap   `json:"swaps"`
	Dirs  []string `json:"dirs,omitempty"` // directories made for the new files
}

// Commit makes the changes and returns the paths that changed, sorted. Files that already are as
// planned are left alone. After an error the tree is as it was before.
func (t *Tx) Commit() (changed []string, err error) {
	if _, err := os.Stat(t.full(journalName)); err == nil {
		return nil, fmt.Errorf("%s: an earlier update was interrupted: call Recover first", t.full(journalName))
	}
	var j journal
	defer func() {
		if err != nil {
			err = errors.Join(err, t.undo(j))
			changed = nil
		}
	}()
	for _, path := range slices.Sorted(maps.Keys(t.changes)) {
		s, differs, err := t.stage(path, &j)
		if err != nil {
			return nil, err
		}
		if differs {
			j.Swaps = append(j.Swaps, s)
			changed = append(changed, path)
		}
	}
	if len(changed) == 0 {
		return nil, nil
	}
	record, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(t.full(journalName), record, 0o600); err != nil {
		return nil, err
	}
	for _, s := range j.Swaps {
		if s.Backup != "" {
			if err := t.rename(t.full(s.Path), t.full(s.Backup)); err != nil {
				return nil, err
			}
		}
		if s.Staged != "" {
			if err := t.rename(t.full(s.Staged), t.full(s.Path)); err != nil {
				return nil, err
			}
		}
	}
	// From here on the new state stands: without the journal nobody puts the old one back.
	if err := os.Remove(t.full(journalName)); err != nil {
		return nil, err
	}
	for _, s := range j.Swaps {
		if s.Backup != "" {
			_ = os.Remove(t.full(s.Backup)) // a leftover does no harm
		}
	}
	return changed, nil
}

// stage writes new content beside its place.
func (t *Tx) stage(path string, j *journal) (s swap, differs bool, err error) {
	s.Path = path
	content := t.changes[path]
	have, err := os.ReadFile(t.full(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if content == nil {
			return s, false, nil
		}
	case err != nil:
		return s, false, err
	default:
		if content != nil && bytes.Equal(have, content) {
			return s, false, nil
		}
		s.Backup = path + ".gen-old"
	}
	if content == nil {
		return s, true, nil
	}
	if err := t.mkdir(filepath.Dir(t.full(path)), j); err != nil {
		return s, false, err
	}
	s.Staged = path + ".gen-new"
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(t.full(path)); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.WriteFile(t.full(s.Staged), content, mode); err != nil {
		j.Swaps = append(j.Swaps, swap{Path: path, Staged: s.Staged, Backup: s.Backup}) // undo removes the rest of it
		return s, false, err
	}
	return s, true, nil
}

// mkdir makes a directory and notes which of its parents are new.
func (t *Tx) mkdir(dir string, j *journal) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := t.mkdir(filepath.Dir(dir), j); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	relative, err := filepath.Rel(t.root, dir)
	if err != nil {
		return err
	}
	j.Dirs = append(j.Dirs, filepath.ToSlash(relative))
	return nil
}

// undo puts everything back. It may run twice over the same journal.
func (t *Tx) undo(j journal) error {
	var errs []error
	for _, s := range slices.Backward(j.Swaps) {
		if s.Staged != "" {
			if err := os.Remove(t.full(s.Staged)); errors.Is(err, fs.ErrNotExist) && s.Backup == "" {
				// The staged file was swapped in where there had been none.
				if err := os.Remove(t.full(s.Path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					errs = append(errs, err)
				}
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
		if s.Backup != "" {
			if _, err := os.Stat(t.full(s.Backup)); err == nil {
				errs = append(errs, os.Rename(t.full(s.Backup), t.full(s.Path)))
			}
		}
	}
	for _, dir := range slices.Backward(j.Dirs) {
		_ = os.Remove(t.full(dir)) // stays when something else is in it
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("putting back: %w", err)
	}
	if err := os.Remove(t.full(journalName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Recover undoes a commit below root that a crash interrupted. It reports whether there was one.
func Recover(root string) (bool, error) {
	t := New(root)
	record, err := os.ReadFile(t.full(journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var j journal
	if err := json.Unmarshal(record, &j); err != nil {
		// A journal that was cut off while it was written: nothing had been swapped yet.
		return true, os.Remove(t.full(journalName))
	}
	return true, t.undo(j)
}

// Paths lists the files that the changes are about, sorted.
func (t *Tx) Paths() []string { return slices.Sorted(maps.Keys(t.changes)) }
