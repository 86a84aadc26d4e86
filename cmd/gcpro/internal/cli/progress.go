package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress shows the progress of a long command on a line of stderr, if that is a terminal.
type progress struct {
	out   io.Writer // nil when silent
	total int       // 0 if unknown
	began time.Time
	drawn time.Time
	now   func() time.Time
}

func (a *app) progress(total int) *progress {
	p := &progress{total: total, now: a.now}
	if a.errTTY && a.ansi {
		p.out = a.errs
	}
	p.began = p.now()
	return p
}

const barWidth = 30

// set redraws the line, at most ten times a second.
func (p *progress) set(done int) {
	now := p.now()
	if p.out == nil || now.Sub(p.drawn) < 100*time.Millisecond && done != p.total {
		return
	}
	p.drawn = now
	if p.total == 0 {
		fmt.Fprintf(p.out, "\r\x1b[K%d so far", done)
		return
	}
	filled := barWidth * done / p.total
	fmt.Fprintf(p.out, "\r\x1b[K[%s%s] %d of %d%s", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), done, p.total, p.left(now, done))
}

// left estimates the time that remains.
func (p *progress) left(now time.Time, done int) string {
	spent := now.Sub(p.began)
	if done == 0 || spent < time.Second || done == p.total {
		return ""
	}
	left := spent / time.Duration(done) * time.Duration(p.total-done)
	return ", " + left.Round(time.Second).String() + " left"
}

// clear removes the line.
func (p *progress) clear() {
	if p.out != nil && !p.drawn.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
