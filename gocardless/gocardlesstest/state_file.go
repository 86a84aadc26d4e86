package gocardlesstest

import (
	"bytes"
	"container/heap"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// journal is an open state file. Its first line is a snapshot; each further line is what one step
// changed. A line ends with a checksum of what precedes it.
//
// A line is written before its step is acknowledged, so a crash of the process loses nothing.
// (Lines are not forced to the disk one by one: a crash of the machine can lose the last ones.)
type journal struct {
	path     string
	lock     io.Closer
	file     stateFile
	size     int64
	advanced int64 // the clock as the file has it
	buf      []byte
	broken   error // the file could not be read back after a failed write
}

// stateFile is the part of os.File that a journal uses.
type stateFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// errLocked is the error of a state file that another sandbox has open.
var errLocked = errors.New("another sandbox has this state file open")

// OpenState loads the state from a file, if the file exists, and keeps the file up to date from then
// on. Call it before the sandbox is used. Close rewrites the file without its history.
//
// If the end of the file is damaged, the sandbox starts from what precedes the damage: lost is the
// number of bytes that were dropped, and the file path.damaged keeps them. A damaged beginning is an
// error. So is a file that another sandbox has open.
//
// While the file cannot be written, every call that would change something answers 500 and changes
// nothing.
func (sb *Sandbox) OpenState(path string) (lost int64, err error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return 0, fmt.Errorf("opening the state: %w", err)
	}
	sb.mu.Lock()
	defer sb.mu.Unlock()
	defer func() {
		if err != nil {
			sb.journal = nil
			err = errors.Join(err, lock.Close())
		}
	}()
	b, err := os.ReadFile(path) //nolint:gosec // the caller's own file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("opening the state: %w", err)
	}
	if len(b) > 0 {
		good, err := sb.replay(b)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		if lost = int64(len(b) - good); lost > 0 {
			if err := os.WriteFile(path+".damaged", b[good:], 0o600); err != nil {
				return 0, fmt.Errorf("keeping the damaged end of the state: %w", err)
			}
		}
	}
	sb.journal = &journal{path: path, lock: lock}
	return lost, sb.commitAll()
}

// replay loads a state file and returns how much of it is sound.
func (sb *Sandbox) replay(b []byte) (good int, err error) {
	first, n := cutLine(b)
	if first == nil {
		return 0, errors.New("reading the state: the first line is damaged")
	}
	o, err := parseState(first)
	if err == nil {
		err = sb.load(o)
	}
	if err != nil {
		return 0, err
	}
	for good = n; good < len(b); good += n {
		var line []byte
		line, n = cutLine(b[good:])
		if line == nil {
			break
		}
		if err := sb.applyLine(line); err != nil {
			// The line may be half applied.
			return sb.replay(b[:good])
		}
	}
	sb.loaded()
	return good, nil
}

// cutLine returns the content of the first line and the line's length, nil when it is damaged.
func cutLine(b []byte) (content []byte, n int) {
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

// sumLength is that of a space and a checksum. Lines of earlier versions have no checksum: they end
// in a brace.
const sumLength = 9

// endLine ends a line with its checksum.
func endLine(b []byte) []byte { return fmt.Appendf(b, " %08x\n", crc32.ChecksumIEEE(b)) }

func (sb *Sandbox) applyLine(line []byte) error {
	v, err := value.Parse(line)
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	o, _ := v.(object)
	if err := sb.store.Apply(o); err != nil {
		return err
	}
	for _, v := range o.List("planned") {
		j, err := loadJob(v)
		if err != nil {
			return err
		}
		heap.Push(&sb.jobs, j)
		sb.jobSeq = max(sb.jobSeq, j.seq)
	}
	for _, v := range o.List("done") {
		seq, _ := v.(int64)
		if i := slices.IndexFunc(sb.jobs, func(j job) bool { return j.seq == seq }); i >= 0 {
			heap.Remove(&sb.jobs, i)
		}
	}
	for _, k := range o.Obj("keys") {
		sb.keys[k.Key], _ = k.Val.(string)
	}
	sb.offset.Store(o.Num("advanced"))
	return nil
}

// commit ends a step: it writes what changed to the state file, if there is one. After an error, what
// changed stays to be written by the next commit; a step that can be refused is reverted instead.
// The caller holds the lock.
func (sb *Sandbox) commit() error {
	if j := sb.journal; j != nil && (sb.store.Changed() || len(sb.newJobs) > 0 || len(sb.doneJobs) > 0 || len(sb.newKeys) > 0 || j.advanced != sb.offset.Load()) {
		if err := j.write(sb.delta()); err != nil {
			return err
		}
		j.advanced = sb.offset.Load()
	}
	sb.written()
	return nil
}

// written forgets what there was to write.
func (sb *Sandbox) written() {
	sb.changes.Add(1)
	sb.store.Written()
	sb.newJobs, sb.doneJobs, sb.newKeys = sb.newJobs[:0], sb.doneJobs[:0], sb.newKeys[:0]
}

// orRevert goes back to the state of the file after a commit that failed, so that what was not
// written did not happen. The caller holds the lock.
func (sb *Sandbox) orRevert(err error) error {
	j := sb.journal
	if err == nil || j == nil || j.broken != nil {
		return err
	}
	b := make([]byte, j.size)
	_, j.broken = j.file.ReadAt(b, 0)
	if j.broken == nil {
		var good int
		if good, j.broken = sb.replay(b); j.broken == nil && int64(good) != j.size {
			j.broken = errors.New("the file was changed by somebody else")
		}
	}
	j.advanced = sb.offset.Load()
	return errors.Join(err, j.broken)
}

// delta is what a step changed.
func (sb *Sandbox) delta() object {
	ids, records := sb.store.Changes()
	keys, planned, done := object{}, []any{}, []any{}
	for _, j := range sb.newJobs {
		planned = append(planned, j.save())
	}
	for _, seq := range sb.doneJobs {
		done = append(done, seq)
	}
	for _, k := range sb.newKeys {
		keys = append(keys, member{k, sb.keys[k]})
	}
	return object{{"advanced", sb.offset.Load()}, {"ids", ids}, {"records", records}, {"planned", planned}, {"done", done}, {"keys", keys}}
}

func (j *journal) write(o object) error {
	if j.broken != nil {
		return j.broken
	}
	j.buf = endLine(value.Append(j.buf[:0], o))
	if _, err := j.file.WriteAt(j.buf, j.size); err != nil {
		// Half a line must not precede the next one.
		return fmt.Errorf("writing the state: %w", errors.Join(err, j.file.Truncate(j.size)))
	}
	j.size += int64(len(j.buf))
	return nil
}

// commitAll ends a step that replaced everything. The caller holds the lock.
func (sb *Sandbox) commitAll() error {
	if sb.journal != nil {
		if err := sb.journal.rewrite(endLine(sb.snapshot())); err != nil {
			return err
		}
		sb.journal.advanced = sb.offset.Load()
	}
	sb.written()
	return nil
}

// rewrite replaces the file by a new one in one step, so that there is always a whole one.
func (j *journal) rewrite(snapshot []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(j.path), filepath.Base(j.path)+".new-*")
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	_, err = tmp.Write(snapshot)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = j.replace(tmp.Name())
	}
	if err != nil {
		return fmt.Errorf("writing the state: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	j.size, j.broken = int64(len(snapshot)), nil
	return nil
}

// replace renames a file over the journal. Both are closed meanwhile: Windows would refuse otherwise.
func (j *journal) replace(name string) error {
	if j.file != nil {
		_ = j.file.Close()
	}
	err := os.Rename(name, j.path)
	file, openErr := os.OpenFile(j.path, os.O_RDWR, 0) //nolint:gosec // the caller's own file
	if openErr != nil {
		j.broken = openErr
		return errors.Join(err, openErr)
	}
	j.file = file
	return err
}

// Close writes and closes the state file, if OpenState opened one. The sandbox goes on working
// without it.
func (sb *Sandbox) Close() error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	j := sb.journal
	if j == nil {
		return nil
	}
	err := sb.commitAll()
	sb.journal = nil
	return errors.Join(err, j.file.Close(), j.lock.Close())
}
