// Package statefile keeps a state in a file that is readable at every moment. The first line is a snapshot,
// and each further line is the changes of one step. A line ends with a checksum.
//
// A line is written before its step is acknowledged, so a crash of the process loses nothing. Lines are not
// synced to the disk one by one, so a crash of the machine can lose the last ones.
package statefile

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// File is an open state file.
type File struct {
	Path   string
	Disk   Disk  // nil until the first Rewrite
	Broken error // why the file can no longer be used
	lock   io.Closer
	size   int64
	buf    []byte
}

// Disk is the part of os.File that a File uses.
type Disk interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// ErrLocked is the error of a state file that another sandbox has open.
var ErrLocked = errors.New("another sandbox has this state file open")

// Open locks a state file and returns its content, which is empty if the file does not exist.
func Open(path string) (f *File, content []byte, err error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, nil, fmt.Errorf("opening the state: %w", err)
	}
	content, err = os.ReadFile(path) //nolint:gosec // the caller's own file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errors.Join(fmt.Errorf("opening the state: %w", err), lock.Close())
	}
	return &File{Path: path, lock: lock}, content, nil
}

// KeepDamaged saves the damaged end of the file in another file.
func (f *File) KeepDamaged(end []byte) error {
	if err := os.WriteFile(f.Path+".damaged", end, 0o600); err != nil {
		return fmt.Errorf("keeping the damaged end of the state: %w", err)
	}
	return nil
}

// CutLine returns the content of the first line and the length of the line, or nil if the line is
// damaged.
func CutLine(b []byte) (content []byte, n int) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return nil, 0
	}
	content = b[:end]
	if i := end - sumLength; i >= 0 && content[i] == ' ' {
		sum, err := strconv.ParseUint(string(content[i+1:]), 16, 32)
		if err != nil || uint32(sum) != crc32.ChecksumIEEE(content[:i]) {
			return nil, 0
		}
		content = content[:i]
	}
	return content, end + 1
}

// sumLength is the length of a space and a checksum. Lines of earlier versions have no checksum.
const sumLength = 9

// endLine appends the checksum and the newline.
func endLine(b []byte) []byte { return fmt.Appendf(b, " %08x\n", crc32.ChecksumIEEE(b)) }

// Append writes a line.
func (f *File) Append(o value.Object) error {
	if f.Broken != nil {
		return f.Broken
	}
	f.buf = endLine(value.Append(f.buf[:0], o))
	if _, err := f.Disk.WriteAt(f.buf, f.size); err != nil {
		// The next line must not follow half a line.
		return fmt.Errorf("writing the state: %w", errors.Join(err, f.Disk.Truncate(f.size)))
	}
	f.size += int64(len(f.buf))
	return nil
}

// Read returns everything that was written since the file was opened or rewritten.
func (f *File) Read() ([]byte, error) {
	b := make([]byte, f.size)
	_, err := f.Disk.ReadAt(b, 0)
	return b, err
}

// Rewrite atomically replaces the content with one line.
func (f *File) Rewrite(snapshot []byte) error {
	snapshot = endLine(snapshot)
	tmp, err := os.CreateTemp(filepath.Dir(f.Path), filepath.Base(f.Path)+".new-*")
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	_, err = tmp.Write(snapshot)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = f.replace(tmp.Name())
	}
	if err != nil {
		return fmt.Errorf("writing the state: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	f.size, f.Broken = int64(len(snapshot)), nil
	return nil
}

// replace renames a file to this one. Windows requires both to be closed.
func (f *File) replace(name string) error {
	if f.Disk != nil {
		_ = f.Disk.Close()
	}
	err := os.Rename(name, f.Path)
	disk, openErr := os.OpenFile(f.Path, os.O_RDWR, 0) //nolint:gosec // the caller's own file
	if openErr != nil {
		f.Broken = openErr
		return errors.Join(err, openErr)
	}
	f.Disk = disk
	return err
}

// Close closes and unlocks the file.
func (f *File) Close() error {
	var err error
	if f.Disk != nil {
		err = f.Disk.Close()
	}
	return errors.Join(err, f.lock.Close())
}
