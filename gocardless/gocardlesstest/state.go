package gocardlesstest

import (
	"bufio"
	"bytes"
	"container/heap"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// stateVersion is that of the snapshot's form.
const stateVersion = 1

// Snapshot is the whole state as JSON: resources, events, planned steps, idempotency keys and how
// far the clock was advanced. Two sandboxes with the same seed, frozen clock and calls have equal
// snapshots.
func (sb *Sandbox) Snapshot() []byte {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	return sb.snapshot()
}

func (sb *Sandbox) snapshot() []byte {
	state := object{{"version", int64(stateVersion)}, {"advanced", sb.offset.Load()}, {"next_job", sb.jobSeq}}
	ids := object{}
	records := []any{}
	for _, c := range sb.store.order {
		ids = append(ids, member{c.name, int64(c.ids.n)})
		for _, r := range c.recs {
			records = append(records, r.save())
		}
	}
	jobs := slices.Clone(sb.jobs)
	slices.SortFunc(jobs, func(a, b job) int { return int(a.seq - b.seq) })
	planned := []any{}
	for _, j := range jobs {
		planned = append(planned, j.save())
	}
	keys := object{}
	for _, k := range sortedKeys(sb.keys) {
		keys = append(keys, member{k, sb.keys[k]})
	}
	return appendJSON(nil, append(state, member{"ids", ids}, member{"records", records}, member{"jobs", planned}, member{"keys", keys}))
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Restore replaces the state by a snapshot. On an error the state is unchanged.
func (sb *Sandbox) Restore(snapshot []byte) error {
	v, err := parseState(snapshot)
	if err != nil {
		return err
	}
	sb.hooks.deliver.Lock()
	defer sb.hooks.deliver.Unlock()
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if err := sb.load(v); err != nil {
		return err
	}
	return sb.commitAll()
}

func parseState(b []byte) (object, error) {
	v, err := parseJSON(b)
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	o, ok := v.(object)
	if !ok || o.num("version") != stateVersion {
		return nil, fmt.Errorf("reading the state: it is not a snapshot of version %d", stateVersion)
	}
	return o, nil
}

// load builds the state aside and then puts it in place.
func (sb *Sandbox) load(o object) error {
	reg := theRegistry()
	st := newStore(reg.collections, sb.opts.seed)
	if err := st.apply(o); err != nil {
		return err
	}
	jobs := jobQueue{}
	for _, v := range o.list("jobs") {
		j, err := loadJob(v)
		if err != nil {
			return err
		}
		jobs = append(jobs, j)
	}
	heap.Init(&jobs)
	sb.store, sb.jobs, sb.jobSeq = st, jobs, o.num("next_job")
	sb.keys = map[string]string{}
	for _, k := range o.obj("keys") {
		sb.keys[k.key], _ = k.val.(string)
	}
	sb.newJobs, sb.doneJobs, sb.newKeys, sb.batch = nil, nil, nil, nil
	sb.offset.Store(o.num("advanced"))
	sb.hooks.clear()
	for _, w := range st.coll("webhooks").recs {
		if due, err := time.Parse(stampForm, w.ref("due")); err == nil {
			sb.hooks.push(w, due)
		}
	}
	st.dirty = nil
	sb.noteNextJob()
	return nil
}

// apply adds or replaces the records of a snapshot or of a journal line.
func (s *store) apply(o object) error {
	for _, v := range o.list("records") {
		r, err := s.loadRecord(v)
		if err != nil {
			return err
		}
		r.dirty = false
	}
	for _, n := range o.obj("ids") {
		if c := s.colls[n.key]; c != nil {
			v, _ := n.val.(int64)
			c.ids.n = uint64(v)
		}
	}
	return nil
}

// save writes a record in a form that does not depend on the order of its schema.
func (r *record) save() object {
	vals := object{}
	for i, v := range r.vals {
		if v != nil {
			vals = append(vals, member{r.coll.spec.fields[i].name, v})
		}
	}
	o := object{{"in", r.coll.name}, {"id", r.id}, {"at", r.seq}, {"is", vals}}
	if r.removed {
		o = append(o, member{"removed", true})
	}
	if len(r.private) > 0 {
		o = append(o, member{"private", r.private})
	}
	return o
}

func (s *store) loadRecord(v any) (*record, error) {
	o, _ := v.(object)
	c := s.colls[o.str("in")]
	id := o.str("id")
	if c == nil || id == "" {
		return nil, fmt.Errorf("reading the state: a record of an unknown kind (%s)", short(o.str("in")))
	}
	r := &record{coll: c, id: id, vals: make([]any, len(c.spec.fields)), private: o.obj("private"), removed: o.flag("removed")}
	for _, m := range o.obj("is") {
		if i := c.spec.index(m.key); i >= 0 {
			r.vals[i] = m.val
		}
	}
	if old := c.byID[id]; old != nil {
		// A later line of the journal: take over what changed, in place.
		for _, name := range c.indexed {
			before, after := old.indexValue(name), r.indexValue(name)
			if before != after {
				old.vals, old.private = r.vals, r.private
				c.reindex(old, name, before)
			}
		}
		old.vals, old.private = r.vals, r.private
		if r.removed {
			c.remove(old)
		}
		return old, nil
	}
	if o.num("at") != int64(len(c.recs)) {
		return nil, fmt.Errorf("reading the state: %s %s is out of order", c.name, short(id))
	}
	removed := r.removed
	r.removed = false
	c.add(r)
	if removed {
		c.remove(r)
	}
	return r, nil
}

func (r *record) indexValue(name string) string {
	if id := r.ref(name); id != "" {
		return id
	}
	return r.linkOrEmpty(name)
}

func (j job) save() object {
	return object{{"seq", j.seq}, {"due", stamp(j.due)}, {"name", j.name}, {"id", j.id}, {"arg", j.arg}}
}

func loadJob(v any) (job, error) {
	o, _ := v.(object)
	due, err := time.Parse(stampForm, o.str("due"))
	if err != nil || theRegistry().jobs[o.str("name")] == nil {
		return job{}, fmt.Errorf("reading the state: an unknown step (%s)", short(o.str("name")))
	}
	return job{due: due, seq: o.num("seq"), name: o.str("name"), id: o.str("id"), arg: o.str("arg")}, nil
}

// journal keeps a state file. Its first line is a snapshot; each further line is what one step
// changed. It is written before the step is acknowledged, so that a crash of the process loses
// nothing. (After a crash of the machine the last lines may be missing: they are not forced to the
// disk one by one.)
type journal struct {
	path     string
	file     *os.File
	size     int64
	advanced int64 // the clock as the file has it
	buf      []byte
}

// OpenState loads the state from a file, if it is there, and keeps the file up to date from then
// on. Call it before the sandbox is used. Close writes the file anew, without its history.
func (sb *Sandbox) OpenState(path string) error {
	b, err := os.ReadFile(path) //nolint:gosec // the caller's own file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening the state: %w", err)
	}
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if len(b) > 0 {
		if err := sb.replay(b); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	sb.journal = &journal{path: path}
	return sb.commitAll()
}

// replay reads a state file. A last line that a crash cut off was never acknowledged.
func (sb *Sandbox) replay(b []byte) error {
	lines := bufio.NewReader(bytes.NewReader(b))
	first, err := lines.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the state: %w", err)
	}
	o, err := parseState(first)
	if err != nil {
		return err
	}
	if err := sb.load(o); err != nil {
		return err
	}
	for n := 2; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break // no newline: the end, or a line that was cut off
		}
		if err := sb.applyLine(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	sb.hooks.clear()
	for _, w := range sb.store.coll("webhooks").recs {
		if due, err := time.Parse(stampForm, w.ref("due")); err == nil {
			sb.hooks.push(w, due)
		}
	}
	sb.store.dirty = nil
	sb.noteNextJob()
	return nil
}

func (sb *Sandbox) applyLine(line []byte) error {
	v, err := parseJSON(line)
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	o, _ := v.(object)
	if err := sb.store.apply(o); err != nil {
		return err
	}
	for _, v := range o.list("planned") {
		j, err := loadJob(v)
		if err != nil {
			return err
		}
		heap.Push(&sb.jobs, j)
		sb.jobSeq = max(sb.jobSeq, j.seq)
	}
	for _, v := range o.list("done") {
		seq, _ := v.(int64)
		if i := slices.IndexFunc(sb.jobs, func(j job) bool { return j.seq == seq }); i >= 0 {
			heap.Remove(&sb.jobs, i)
		}
	}
	for _, k := range o.obj("keys") {
		sb.keys[k.key], _ = k.val.(string)
	}
	sb.offset.Store(o.num("advanced"))
	return nil
}

// commit ends a step: it writes what changed to the journal, if there is one. The caller holds the
// lock.
func (sb *Sandbox) commit() error {
	dirty := sb.store.dirty
	sb.store.dirty = dirty[:0]
	var err error
	if j := sb.journal; j != nil && (len(dirty) > 0 || len(sb.newJobs) > 0 || len(sb.doneJobs) > 0 || len(sb.newKeys) > 0 || j.advanced != sb.offset.Load()) {
		err = j.write(sb.delta(dirty))
		j.advanced = sb.offset.Load()
	}
	for _, r := range dirty {
		r.dirty = false
	}
	sb.newJobs, sb.doneJobs, sb.newKeys = sb.newJobs[:0], sb.doneJobs[:0], sb.newKeys[:0]
	return err
}

func (sb *Sandbox) delta(dirty []*record) object {
	records, planned, done := []any{}, []any{}, []any{}
	ids, keys := object{}, object{}
	for _, r := range dirty {
		records = append(records, r.save())
		if !slices.ContainsFunc(ids, func(m member) bool { return m.key == r.coll.name }) {
			ids = append(ids, member{r.coll.name, int64(r.coll.ids.n)})
		}
	}
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
	j.buf = append(appendJSON(j.buf[:0], o), '\n')
	if _, err := j.file.WriteAt(j.buf, j.size); err != nil {
		// Half a line must not stand before the next one.
		return fmt.Errorf("writing the state: %w", errors.Join(err, j.file.Truncate(j.size)))
	}
	j.size += int64(len(j.buf))
	return nil
}

// commitAll ends a step that replaced everything. The caller holds the lock.
func (sb *Sandbox) commitAll() error {
	for _, r := range sb.store.dirty {
		r.dirty = false
	}
	sb.store.dirty = nil
	sb.newJobs, sb.doneJobs, sb.newKeys = nil, nil, nil
	if sb.journal == nil {
		return nil
	}
	return sb.journal.rewrite(append(sb.snapshot(), '\n'))
}

// rewrite puts a new file in the place of the old one, so that there is always a whole one.
func (j *journal) rewrite(snapshot []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(j.path), filepath.Base(j.path)+".new-*")
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	_, err = tmp.Write(snapshot)
	if err == nil {
		err = tmp.Sync()
	}
	if err == nil {
		err = os.Rename(tmp.Name(), j.path)
	}
	if err != nil {
		return fmt.Errorf("writing the state: %w", errors.Join(err, tmp.Close(), os.Remove(tmp.Name())))
	}
	old := j.file
	j.file, j.size = tmp, int64(len(snapshot))
	if old != nil {
		_ = old.Close()
	}
	return nil
}

// Close writes and closes the state file, if OpenState opened one. The sandbox goes on working
// without it.
func (sb *Sandbox) Close() error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if sb.journal == nil {
		return nil
	}
	err := sb.commitAll()
	err = errors.Join(err, sb.journal.file.Close())
	sb.journal = nil
	return err
}
