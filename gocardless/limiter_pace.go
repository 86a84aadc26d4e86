package gocardless

import "time"

// pace spreads the bulk requests of one process over the window. Processes that share a token do not
// know of each other, but each sees in the replies how fast the budget shrinks. Each corrects its own
// rate by the ratio of the target to the observed rate of all, so that together they reach the
// target and keep their proportions. A single process reaches it within seconds.
type pace struct {
	rate float64   // requests a second; 0 before the first
	next time.Time // when the next request may be sent

	// The measurement since the last correction. If since is zero, the next reply begins one.
	since time.Time
	used  int // requests that the API had counted by then
	done  int // replies to bulk requests of this process
}

const (
	// A process begins with this fraction of the target, so that many that begin at once do not use
	// up the window before the first replies show it.
	paceStart = 1.0 / 16
	// It begins with at least this number of requests a second, if the limit allows.
	paceStartMin = 0.5
	// No process falls below this fraction of the target, so that none stops.
	paceFloor = 1.0 / 1024
	// A correction changes the rate by this factor at most.
	paceStep = 4
	// A measurement takes at least this long.
	paceMeasure = time.Second
	// The last seconds of a window are not measured: they may have little left to spread, which does
	// not predict the rate of the next window.
	paceTail = 5 * time.Second
	// After a longer pause a process begins again like a new one: others may have taken its share.
	paceIdle = 10 * time.Second
)

// begin begins a measurement at a time when the API had counted the used requests.
func (p *pace) begin(at time.Time, used int) { p.since, p.used, p.done = at, used, 0 }

// sent records that a request is sent, and computes when the next one may be.
func (p *pace) sent(now time.Time, target float64) {
	pause := now.Sub(p.next)
	if p.rate == 0 || pause > paceIdle {
		p.rate = min(max(target*paceStart, paceStartMin), target)
		p.begin(time.Time{}, 0)
	}
	step := p.step()
	if pause < step {
		p.next = p.next.Add(step)
	} else {
		p.next = now.Add(step) // a pause is not caught up on
	}
}

func (p *pace) step() time.Duration { return time.Duration(float64(time.Second) / p.rate) }

// observe corrects the rate when a reply reports how many requests of all processes
// the API has counted in this window.
func (p *pace) observe(lane Lane, used int, now time.Time, target float64) {
	if p.since.IsZero() {
		p.begin(now, used)
		return
	}
	if lane == LaneBulk {
		p.done++
	}
	took := now.Sub(p.since)
	if p.rate == 0 || p.done == 0 || took < paceMeasure {
		return
	}
	// The correction starts from the actual rate, not from the permitted one, so that a process that
	// does not need its share leaves it to the others.
	own := float64(p.done) / took.Seconds()
	all := float64(max(used-p.used, p.done)) / took.Seconds()
	factor := min(max(target/all, 1.0/paceStep), paceStep)
	p.rate = min(max(own*factor, target*paceFloor), target)
	if next := now.Add(p.step()); next.Before(p.next) {
		p.next = next
	}
	p.begin(now, used)
}
