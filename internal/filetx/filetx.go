// Package filetx changes many files of a directory tree in one transaction: either all of them change or
// none.
//
// A commit first writes a journal of the changes, then each file's new content next to the file. Once all
// of it is written, it swaps the files by renaming. If that fails midway, it restores the files already
// swapped. After a crash, [Recover] does the same with the help of the journal.
package filetx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
)

// journalName is the file in the root of the tree that records a commit in progress.
const journalName = ".gen-update.json"

// doneName is the journal's name once all files are swapped, until the old content is removed.
const doneName = ".gen-update-done.json"

// Tx is a set of changes below a directory. The zero value is not usable; see [New].
type Tx struct {
	root    string
	changes map[string][]byte // nil content removes the file

	rename func(old, new string) error
	write  func(name string, content []byte, mode fs.FileMode) error
}

// New returns an empty set of changes below root.
func New(root string) *Tx {
	return &Tx{root: root, changes: map[string][]byte{}, rename: os.Rename, write: os.WriteFile}
}

// Write plans a file's content. The path is slash-separated and relative to the root.
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
	Dirs  []string `json:"dirs,omitempty"` // directories made for the new files, parents first
}

// Commit makes the changes and returns the paths that changed, sorted. Files that already have the planned
// content are left alone. After an error the tree is unchanged.
func (t *Tx) Commit() (changed []string, err error) {
	if exists(t.full(journalName)) {
		return nil, fmt.Errorf("%s: an earlier update was interrupted: call Recover first", t.full(journalName))
	}
	j, err := t.plan()
	if err != nil || len(j.Swaps) == 0 {
		return nil, err
	}
	if err := t.apply(j); err != nil {
		return nil, errors.Join(err, t.undo(j))
	}
	t.tidy(j)
	for _, s := range j.Swaps {
		changed = append(changed, s.Path)
	}
	return changed, nil
}

// apply makes the planned changes, up to the rename that makes them final.
func (t *Tx) apply(j journal) error {
	record, err := json.Marshal(j)
	if err != nil {
		return err
	}
	// The journal comes first, so that Recover knows every file that a crash leaves behind.
	if err := t.write(t.full(journalName), record, 0o600); err != nil {
		return err
	}
	for _, dir := range j.Dirs {
		if err := os.Mkdir(t.full(dir), 0o755); err != nil {
			return err
		}
	}
	for _, s := range j.Swaps {
		if err := t.stage(s); err != nil {
			return err
		}
	}
	for _, s := range j.Swaps {
		if err := t.swap(s); err != nil {
			return err
		}
	}
	return t.rename(t.full(journalName), t.full(doneName))
}

// plan determines the files to swap and the missing directories.
func (t *Tx) plan() (j journal, err error) {
	for _, path := range slices.Sorted(maps.Keys(t.changes)) {
		content := t.changes[path]
		s := swap{Path: path}
		have, err := os.ReadFile(t.full(path))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if content == nil {
				continue
			}
		case err != nil:
			return j, err
		default:
			if content != nil && bytes.Equal(have, content) {
				continue
			}
			s.Backup = path + ".gen-old"
			if exists(t.full(s.Backup)) {
				// undo would restore it as the file's old content.
				return j, fmt.Errorf("%s is in the way: remove it", t.full(s.Backup))
			}
		}
		if content != nil {
			s.Staged = path + ".gen-new"
			j.Dirs = append(j.Dirs, t.missing(pathpkg.Dir(path))...)
		}
		j.Swaps = append(j.Swaps, s)
	}
	slices.Sort(j.Dirs) // a parent is the beginning of what is in it
	j.Dirs = slices.Compact(j.Dirs)
	return j, nil
}

// missing lists a directory and its parents as far as they do not exist.
func (t *Tx) missing(dir string) []string {
	if _, err := os.Stat(t.full(dir)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return append(t.missing(pathpkg.Dir(dir)), dir)
}

// stage writes new content next to its place.
func (t *Tx) stage(s swap) error {
	if s.Staged == "" {
		return nil
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(t.full(s.Path)); err == nil {
		mode = info.Mode().Perm()
	}
	return t.write(t.full(s.Staged), t.changes[s.Path], mode)
}

// swap moves the old content away and the new content into its place.
func (t *Tx) swap(s swap) error {
	if s.Backup != "" {
		if err := t.rename(t.full(s.Path), t.full(s.Backup)); err != nil {
			return err
		}
	}
	if s.Staged != "" {
		return t.rename(t.full(s.Staged), t.full(s.Path))
	}
	return nil
}

// tidy removes the old content and the journal of a completed commit. If it fails, the next Recover tries
// again.
func (t *Tx) tidy(j journal) {
	for _, s := range j.Swaps {
		if s.Backup == "" {
			continue
		}
		if err := remove(t.full(s.Backup)); err != nil {
			return
		}
	}
	_ = os.Remove(t.full(doneName))
}

// undo restores the tree. It can run again on the same journal.
func (t *Tx) undo(j journal) error {
	var errs []error
	for _, s := range slices.Backward(j.Swaps) {
		errs = append(errs, t.restore(s))
	}
	for _, dir := range slices.Backward(j.Dirs) {
		_ = os.Remove(t.full(dir)) // stays if it is not empty
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("restoring the old files: %w", err)
	}
	return remove(t.full(journalName))
}

// restore undoes the swap of a file, as far as it has happened.
func (t *Tx) restore(s swap) error {
	var err error
	switch {
	case s.Staged == "":
	case exists(t.full(s.Staged)):
		err = os.Remove(t.full(s.Staged))
	case s.Backup == "":
		err = remove(t.full(s.Path)) // a new file that has been swapped in
	}
	if s.Backup != "" && exists(t.full(s.Backup)) {
		err = errors.Join(err, os.Rename(t.full(s.Backup), t.full(s.Path)))
	}
	return err
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// remove removes a file, unless there is none.
func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Recover undoes a commit below root that a crash interrupted, and cleans up after a completed one. It
// reports whether it undid one.
func Recover(root string) (bool, error) {
	t := New(root)
	if record, err := os.ReadFile(t.full(doneName)); err == nil {
		var j journal
		if err := json.Unmarshal(record, &j); err != nil {
			return false, fmt.Errorf("%s: %w", t.full(doneName), err)
		}
		t.tidy(j)
	}
	record, err := os.ReadFile(t.full(journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var j journal
	if err := json.Unmarshal(record, &j); err != nil {
		// The journal itself is incomplete, so nothing else has been touched.
		return true, os.Remove(t.full(journalName))
	}
	return true, t.undo(j)
}

// Paths returns the paths of the planned changes, sorted.
func (t *Tx) Paths() []string { return slices.Sorted(maps.Keys(t.changes)) }
