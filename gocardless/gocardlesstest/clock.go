package gocardlesstest

import (
	"container/heap"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
)

// date is a calendar day. Records hold it as a string.
type date = bank.Date

func dateOf(t time.Time) date { return bank.DateOf(t) }

// job is a step planned for a time. Nothing cancels a job: the step checks the record's state.
type job struct {
	due  time.Time
	seq  int64 // jobs due at the same time run in the order of planning
	name string
	id   string
	arg  string
}

// jobQueue is a heap of jobs by time.
type jobQueue []job

func (q jobQueue) Len() int { return len(q) }
func (q jobQueue) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].seq < q[j].seq
}
func (q jobQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *jobQueue) Push(x any)   { *q = append(*q, x.(job)) }
func (q *jobQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	old[len(old)-1] = job{}
	*q = old[:len(old)-1]
	return x
}

// at plans a step. The id names the record; arg is an argument of the step.
func (tx *tx) at(when time.Time, name, id, arg string) {
	sb := tx.sb
	if theRegistry().jobs[name] == nil {
		panic("gocardlesstest: no job " + name)
	}
	sb.jobSeq++
	j := job{due: when, seq: sb.jobSeq, name: name, id: id, arg: arg}
	heap.Push(&sb.jobs, j)
	sb.newJobs = append(sb.newJobs, j)
	sb.noteNextJob()
}

// noteNextJob lets readers check without the lock whether a job is due.
func (sb *Sandbox) noteNextJob() {
	if len(sb.jobs) == 0 {
		sb.nextDue.Store(1<<63 - 1)
		return
	}
	sb.nextDue.Store(sb.jobs[0].due.UnixNano())
}

// runDue runs the jobs that are due, in order. The caller holds the lock.
func (sb *Sandbox) runDue(now time.Time) {
	for len(sb.jobs) > 0 && !sb.jobs[0].due.After(now) {
		j := heap.Pop(&sb.jobs).(job)
		sb.doneJobs = append(sb.doneJobs, j.seq)
		tx := sb.begin(j.due)
		theRegistry().jobs[j.name](tx, j.id, j.arg)
		// The events of steps due at the same time share a webhook.
		if len(sb.jobs) == 0 || !sb.jobs[0].due.Equal(j.due) {
			sb.sealBatch()
		}
	}
	sb.noteNextJob()
}

// begin starts a step that is not an API call.
func (sb *Sandbox) begin(now time.Time) *tx {
	return &tx{sb: sb, now: now, origin: "gocardless", base: sb.baseURL()}
}

// Now returns the time of the sandbox, which Advance moves.
func (sb *Sandbox) Now() time.Time {
	now := sb.frozen.Load()
	if now == nil {
		now = new(sb.opts.clock())
	}
	return now.Add(time.Duration(sb.offset.Load())).UTC()
}

// Advance moves the sandbox's clock forward and runs every step that falls due on the way, each at
// its own time: payments are submitted, confirmed and paid out, mandates become active,
// subscriptions create payments, webhooks are delivered and retried. It returns the attempts to
// deliver webhooks once they have been answered. A negative d is ignored.
//
// Do not call it from a webhook handler: it waits for the handlers.
func (sb *Sandbox) Advance(d time.Duration) []*Delivery {
	made, _ := sb.advance(d) // later calls report that the state file cannot be written
	return made
}

func (sb *Sandbox) advance(d time.Duration) (made []*Delivery, err error) {
	if d < 0 {
		return nil, nil
	}
	end := sb.Now().Add(d)
	for {
		sb.mu.Lock()
		due, any := sb.nextStep()
		last := !any || due.After(end)
		if last {
			due = end
		}
		sb.moveTo(due)
		sb.runDue(sb.Now())
		err := sb.orRevert(sb.commit())
		sb.mu.Unlock()
		if err != nil {
			return made, err
		}
		made = append(made, sb.FlushWebhooks()...)
		if last {
			return made, nil
		}
	}
}

// AdvanceTo moves the clock forward to a time, as Advance does.
func (sb *Sandbox) AdvanceTo(t time.Time) []*Delivery { return sb.Advance(t.Sub(sb.Now())) }

// moveTo moves the clock forward, never back.
func (sb *Sandbox) moveTo(t time.Time) {
	if d := t.Sub(sb.Now()); d > 0 {
		sb.offset.Add(int64(d))
	}
}

// nextStep returns when the next job or webhook retry is due.
func (sb *Sandbox) nextStep() (time.Time, bool) {
	var due time.Time
	found := false
	if len(sb.jobs) > 0 {
		due, found = sb.jobs[0].due, true
	}
	if t, ok := sb.hooks.nextRetry(); ok && (!found || t.Before(due)) {
		due, found = t, true
	}
	return due, found
}

// Tick runs the steps that are due at the sandbox's time. Every request does so first, so only a server
// without requests needs it; Start calls it every second.
func (sb *Sandbox) Tick() {
	now := sb.Now()
	if sb.nextDue.Load() <= now.UnixNano() {
		sb.mu.Lock()
		sb.runDue(now)
		_ = sb.commit() // the steps are not undone: the next commit writes them
		sb.mu.Unlock()
	}
	sb.kick()
}
