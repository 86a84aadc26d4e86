package gocardless

import "time"

// pace spreads the bulk requests of one process over the window. Processes that
// share a token do not know each other, but each sees in the replies how fast the
// budget shrinks. Every process corrects its own rate by the ratio of the rate
// wanted to the rate seen, so that together they reach the rate wanted and keep
// their proportions. A process that is alone reaches it within seconds.
type pace struct {
	rate float64   // requests a second; 0 before the first
	next time.Time // when the next request may be sent

	// What was measured since the last correction. The next reply begins a
	// measurement when since is zero.
	since time.Time
	used  int // what the API had counted by then
	done  int // replies to bulk requests of this process
}

const (
	// A process begins with this part of the rate wanted, so that many that begin
	// at once do not use up the window before the first replies say so, but with this
	// many requests a second where the limit allows.
	paceStart    = 1.0 / 16
	paceStartMin = 0.5
	// No process falls below this part of it, so that none falls silent.
	paceFloor = 1.0 / 1024
	// A correction changes the rate by this factor at most.
	paceStep = 4
	// Measuring takes at least so long.
	paceMeasure = time.Second
	// The last seconds of a window, which may have little left to spread, say nothing
	// of the rate that the next one wants.
	paceTail = 5 * time.Second
	// After a longer pause a process begins as new: others may have taken its share.
	paceIdle = 10 * time.Second
)

// begin starts to measure, at a time when the API had counted the used requests.
func (p *pace) begin(at time.Time, used int) { p.since, p.used, p.done = at, used, 0 }

// sent notes that a request is sent, and works out when the next may be.
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
	// Of the rate that is in use, not of the one allowed: a process that does not
	// need its share leaves it to the others.
	own := float64(p.done) / took.Seconds()
	all := float64(max(used-p.used, p.done)) / took.Seconds()
	factor := min(max(target/all, 1.0/paceStep), paceStep)
	p.rate = min(max(own*factor, target*paceFloor), target)
	if next := now.Add(p.step()); next.Before(p.next) {
		p.next = next
	}
	p.begin(now, used)
}
