package gocardlesstest

import (
	"container/heap"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// stateVersion is the version of the format of snapshots.
const stateVersion = 1

// Snapshot returns the whole state as JSON: resources, events, planned steps, idempotency keys and
// how far the clock was advanced. Two sandboxes with the same seed, frozen clock and calls have
// equal snapshots.
func (sb *Sandbox) Snapshot() []byte {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	return sb.snapshot()
}

func (sb *Sandbox) snapshot() []byte { return value.Append(nil, sb.state()) }

func (sb *Sandbox) state() object {
	state := object{{"version", int64(stateVersion)}, {"advanced", sb.offset.Load()}, {"next_job", sb.jobSeq}}
	ids, records := sb.store.Save()
	jobs := slices.Clone(sb.jobs)
	slices.SortFunc(jobs, func(a, b job) int { return int(a.seq - b.seq) })
	planned := []any{}
	for _, j := range jobs {
		planned = append(planned, j.save())
	}
	keys := object{}
	for _, k := range slices.Sorted(maps.Keys(sb.keys)) {
		keys = append(keys, member{k, sb.keys[k]})
	}
	return append(state, member{"ids", ids}, member{"records", records}, member{"jobs", planned}, member{"keys", keys})
}

// Restore replaces the state with a snapshot. On an error the state is unchanged.
func (sb *Sandbox) Restore(snapshot []byte) error {
	v, err := parseState(snapshot)
	if err != nil {
		return err
	}
	return sb.restore(v)
}

func (sb *Sandbox) restore(v object) error {
	if v.Num("version") != stateVersion {
		return fmt.Errorf("reading the state: it is not a snapshot of version %d", stateVersion)
	}
	sb.hooks.deliver.Lock()
	defer sb.hooks.deliver.Unlock()
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if err := sb.load(v); err != nil {
		return err
	}
	return sb.orRevert(sb.commitAll())
}

func parseState(b []byte) (object, error) {
	v, err := value.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	o, ok := v.(object)
	if !ok || o.Num("version") != stateVersion {
		return nil, fmt.Errorf("reading the state: it is not a snapshot of version %d", stateVersion)
	}
	return o, nil
}

// load builds the state before it replaces the current one.
func (sb *Sandbox) load(o object) error {
	reg := theRegistry()
	st := store.New(reg.collections, sb.opts.seed)
	if err := st.Apply(o); err != nil {
		return err
	}
	jobs := jobQueue{}
	for _, v := range o.List("jobs") {
		j, err := loadJob(v)
		if err != nil {
			return err
		}
		jobs = append(jobs, j)
	}
	heap.Init(&jobs)
	sb.store, sb.jobs, sb.jobSeq = st, jobs, o.Num("next_job")
	sb.keys = map[string]string{}
	for _, k := range o.Obj("keys") {
		sb.keys[k.Key], _ = k.Val.(string)
	}
	sb.newJobs, sb.doneJobs, sb.newKeys, sb.batch = nil, nil, nil, nil
	sb.offset.Store(o.Num("advanced"))
	sb.loaded()
	return nil
}

// loaded derives the rest of the state after it was read.
func (sb *Sandbox) loaded() {
	sb.hooks.clear()
	for _, w := range sb.store.Coll("webhooks").Recs {
		if due, err := time.Parse(value.StampForm, w.Ref("due")); err == nil {
			sb.hooks.push(w, due)
		}
	}
	sb.store.Written()
	sb.noteNextJob()
}

func (j job) save() object {
	return object{{"seq", j.seq}, {"due", value.Stamp(j.due)}, {"name", j.name}, {"id", j.id}, {"arg", j.arg}}
}

func loadJob(v any) (job, error) {
	o, _ := v.(object)
	due, err := time.Parse(value.StampForm, o.Str("due"))
	if err != nil || theRegistry().jobs[o.Str("name")] == nil {
		return job{}, fmt.Errorf("reading the state: an unknown step (%s)", value.Short(o.Str("name")))
	}
	return job{due: due, seq: o.Num("seq"), name: o.Str("name"), id: o.Str("id"), arg: o.Str("arg")}, nil
}
