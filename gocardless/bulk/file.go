package bulk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"time"
)

// FileJournal is a journal in a file of JSON lines, for a run by one process. It also keeps all
// outcomes in memory, with about 300 bytes for each line.
type FileJournal struct {
	mu     sync.Mutex // orders what is written
	memory MemoryJournal
	file   *os.File
	broken error
}

// fileLine is a line of the file.
type fileLine struct {
	Header *Header `json:"run,omitempty"`
	*Entry
}

// OpenFile opens a journal, or creates it. If a crash left an incomplete line at its end, that line
// is cut off. Only one process at a time may use the file.
func OpenFile(path string) (*FileJournal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("bulk: opening the journal: %w", err)
	}
	j := &FileJournal{file: file}
	if err := j.load(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("bulk: the journal %s: %w", path, err)
	}
	return j, nil
}

// load reads the file, and leaves the position behind its last complete line.
func (j *FileJournal) load() error {
	r := bufio.NewReader(j.file)
	end := int64(0)
	for number := 1; ; number++ {
		text, err := r.ReadBytes('\n')
		if err == io.EOF {
			break // a crash left the last line incomplete
		}
		if err != nil {
			return err
		}
		if err := j.read(bytes.TrimSuffix(text, []byte("\n"))); err != nil {
			if _, more := r.Peek(1); more == io.EOF {
				break // after a crash, a file system may have filled the end with zeros
			}
			return fmt.Errorf("line %d: %w", number, err)
		}
		end += int64(len(text))
	}
	if err := j.file.Truncate(end); err != nil {
		return err
	}
	_, err := j.file.Seek(end, io.SeekStart)
	return err
}

func (j *FileJournal) read(text []byte) error {
	var l fileLine
	if err := json.Unmarshal(text, &l); err != nil {
		return errors.New("not a line of a journal")
	}
	switch {
	case l.Header != nil:
		j.memory.header = *l.Header
		return nil
	case l.Entry == nil || l.Key == "" || l.State == "":
		return errors.New("not a line of a journal")
	}
	return j.memory.Record(context.Background(), []Entry{*l.Entry})
}

// Begin implements [Journal].
func (j *FileJournal) Begin(ctx context.Context, h Header) (Header, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.memory.header == (Header{}) {
		if err := j.write([]fileLine{{Header: &h}}); err != nil {
			return Header{}, err
		}
		// The age of the run must survive a crash that loses outcomes.
		if err := j.file.Sync(); err != nil {
			return Header{}, fmt.Errorf("bulk: writing the journal: %w", err)
		}
	}
	return j.memory.Begin(ctx, h)
}

// Claim implements [Journal]. Claims are not written: no other process reads the file.
func (j *FileJournal) Claim(ctx context.Context, claims []Claim, until time.Time, retryFailed bool) ([]Verdict, error) {
	return j.memory.Claim(ctx, claims, until, retryFailed)
}

// Record implements [Journal].
func (j *FileJournal) Record(ctx context.Context, entries []Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := make([]fileLine, len(entries))
	for i := range entries {
		lines[i].Entry = &entries[i]
	}
	if err := j.write(lines); err != nil {
		return err
	}
	return j.memory.Record(ctx, entries)
}

func (j *FileJournal) write(lines []fileLine) error {
	if j.broken != nil {
		return j.broken
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			return fmt.Errorf("bulk: writing the journal: %w", err)
		}
	}
	if _, err := j.file.Write(b.Bytes()); err != nil {
		// A line written after an incomplete one could not be read again.
		j.broken = fmt.Errorf("bulk: writing the journal: %w", err)
	}
	return j.broken
}

// Entries implements [Journal], in the order in which the lines were first recorded.
func (j *FileJournal) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return j.memory.Entries(ctx)
}

// Close writes the file to the disk and closes it.
func (j *FileJournal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken == nil {
		j.broken = errors.New("bulk: the journal is closed")
	}
	return errors.Join(j.file.Sync(), j.file.Close())
}
