package gocardlesstest

import (
	"container/heap"
	"errors"
	"fmt"
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/statefile"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// journal is the state file of a sandbox.
type journal struct {
	*statefile.File
	advanced int64 // how far the clock was advanced, in the file
}

// OpenState loads the state from a file, if the file exists, and keeps the file up to date from then
// on. Call it before the sandbox is used or, if there is no file yet, once the sandbox has the initial
// state. Close compacts the file.
//
// If the end of the file is damaged, the sandbox starts with the part before the damage: lost is the
// number of bytes that were dropped, and the file path.damaged contains them. A damaged beginning is an
// error, and so is a file that another sandbox has open.
//
// The file also contains changes that were made while the sandbox ran: endpoints from AddEndpoint, and
// settings and tokens from the control API; they override options. It does not contain options
// themselves, faults, saved snapshots or logs.
//
// While the file cannot be written, every call that would change the state replies with 500 and changes
// nothing.
func (sb *Sandbox) OpenState(path string) (lost int64, err error) {
	file, b, err := statefile.Open(path)
	if err != nil {
		return 0, err
	}
	sb.mu.Lock()
	defer sb.mu.Unlock()
	defer func() {
		if err != nil {
			sb.journal = nil
			err = errors.Join(err, file.Close())
		}
	}()
	if len(b) > 0 {
		good, saved, err := sb.replay(b)
		if err == nil {
			err = sb.loadSetup(saved)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		if lost = int64(len(b) - good); lost > 0 {
			if err := file.KeepDamaged(b[good:]); err != nil {
				return 0, err
			}
		}
	}
	sb.journal = &journal{File: file}
	return lost, sb.commitAll()
}

// replay loads a state file. It returns the length of the undamaged part, and the setup in it.
func (sb *Sandbox) replay(b []byte) (good int, saved object, err error) {
	first, n := statefile.CutLine(b)
	if first == nil {
		return 0, nil, errors.New("reading the state: the first line is damaged")
	}
	o, err := parseState(first)
	if err == nil {
		err = sb.load(o)
	}
	if err != nil {
		return 0, nil, err
	}
	saved = o.Obj("setup")
	for good = n; good < len(b); good += n {
		var line []byte
		line, n = statefile.CutLine(b[good:])
		if line == nil {
			break
		}
		o, err := sb.applyLine(line)
		if err != nil {
			// The line may have been applied in part.
			return sb.replay(b[:good])
		}
		if changed := o.Obj("setup"); changed != nil {
			saved = changed
		}
	}
	sb.loaded()
	return good, saved, nil
}

func (sb *Sandbox) applyLine(line []byte) (object, error) {
	v, err := value.Parse(line)
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	o, _ := v.(object)
	if err := sb.store.Apply(o); err != nil {
		return nil, err
	}
	for _, v := range o.List("planned") {
		j, err := loadJob(v)
		if err != nil {
			return nil, err
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
	return o, nil
}

// commit ends a step: it writes the changes to the state file, if there is one. After an error, the
// next commit writes them, unless the caller reverts the step. The caller holds the lock.
func (sb *Sandbox) commit() error {
	if j := sb.journal; j != nil && (sb.store.Changed() || len(sb.newJobs) > 0 || len(sb.doneJobs) > 0 || len(sb.newKeys) > 0 || j.advanced != sb.offset.Load()) {
		if err := j.Append(sb.delta()); err != nil {
			return err
		}
		j.advanced = sb.offset.Load()
	}
	sb.written()
	return nil
}

// written marks all changes as written.
func (sb *Sandbox) written() {
	sb.changes.Add(1)
	sb.store.Written()
	sb.newJobs, sb.doneJobs, sb.newKeys = sb.newJobs[:0], sb.doneJobs[:0], sb.newKeys[:0]
}

// orRevert returns to the state of the file after a commit that failed. The caller holds the lock.
func (sb *Sandbox) orRevert(err error) error {
	j := sb.journal
	if err == nil || j == nil || j.Broken != nil {
		return err
	}
	var b []byte
	if b, j.Broken = j.Read(); j.Broken == nil {
		var good int
		if good, _, j.Broken = sb.replay(b); j.Broken == nil && good != len(b) {
			j.Broken = errors.New("another process has changed the file")
		}
	}
	j.advanced = sb.offset.Load()
	return errors.Join(err, j.Broken)
}

// delta returns the changes of a step.
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

// commitAll ends a step that replaced the whole state. The caller holds the lock.
func (sb *Sandbox) commitAll() error {
	if sb.journal != nil {
		state := append(sb.state(), member{"setup", sb.savedSetup()})
		if err := sb.journal.Rewrite(value.Append(nil, state)); err != nil {
			return err
		}
		sb.journal.advanced = sb.offset.Load()
	}
	sb.written()
	return nil
}

// Close compacts and closes the state file, if OpenState opened one. The sandbox continues without it.
func (sb *Sandbox) Close() error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	j := sb.journal
	if j == nil {
		return nil
	}
	err := sb.commitAll()
	sb.journal = nil
	return errors.Join(err, j.Close())
}
