package relay

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/account"
)

// Pending is the record of an event and an endpoint in the journal.
type Pending struct {
	Event    string    `json:"event,omitempty"`
	Endpoint string    `json:"endpoint,omitempty"`
	At       time.Time `json:"at"`
	State    string    `json:"state,omitempty"` // "start", "done" or "undo"; "cursor" when only At counts
}

// key identifies an event at an endpoint. It has the time of the event, because a new sandbox uses the
// ids of an earlier one again.
func (p Pending) key() string {
	return p.Event + " " + p.At.UTC().Format(time.RFC3339Nano) + " " + p.Endpoint
}

// State is the state of a relay between its runs: a file with the secret and the cursor, and a
// journal of the events forwarded since.
type State struct {
	path    string
	journal *os.File
	saved   saved
	known   map[string]Pending
	lines   int
}

type saved struct {
	Secret string    `json:"secret"`
	Begin  time.Time `json:"begin"`
	Cursor time.Time `json:"cursor"`
	Recent []Pending `json:"recent,omitempty"` // within the overlap before the cursor
}

// Open reads a state or creates one. Fresh reports that it was created.
func Open(path string) (s *State, fresh bool, err error) {
	s = &State{path: path, known: map[string]Pending{}}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fresh = true
		s.saved.Secret = rand.Text() + rand.Text()
	case err != nil:
		return nil, false, err
	case json.Unmarshal(data, &s.saved) != nil || s.saved.Secret == "":
		return nil, false, errors.New(path + " is not valid; delete it to start again")
	}
	for _, p := range s.saved.Recent {
		s.known[p.key()] = p
	}
	if err := s.replay(); err != nil {
		return nil, false, err
	}
	return s, fresh, s.compact()
}

// replay reads the journal. A last line that a crash cut short is ignored.
func (s *State) replay() error {
	data, err := os.ReadFile(s.path + ".journal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var p Pending
		if json.Unmarshal(lines.Bytes(), &p) == nil {
			s.note(p)
		}
	}
	return lines.Err()
}

func (s *State) note(p Pending) {
	switch p.State {
	case "cursor":
		s.saved.Cursor = p.At
	case "undo":
		delete(s.known, p.key())
	default:
		s.known[p.key()] = p
	}
}

// compact rewrites the file and empties the journal. It drops events from long before the cursor,
// which no poll returns again.
func (s *State) compact() error {
	s.saved.Recent = nil
	for key, p := range s.known {
		if p.At.Before(s.saved.Cursor.Add(-2 * Overlap)) {
			delete(s.known, key)
			continue
		}
		s.saved.Recent = append(s.saved.Recent, p)
	}
	data, err := json.Marshal(s.saved)
	if err != nil {
		return err
	}
	if err := account.WriteFile(s.path, append(data, '\n')); err != nil {
		return err
	}
	if s.journal != nil {
		s.journal.Close()
	}
	s.lines = 0
	s.journal, err = os.OpenFile(s.path+".journal", os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	return err
}

func (s *State) write(p Pending, state string) error {
	p.State = state
	line, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := s.journal.Write(append(line, '\n')); err != nil {
		return err
	}
	s.note(p)
	s.lines++
	return nil
}

// Start records that an event is being sent, Settle that it was sent, and Undo that it was not.
func (s *State) Start(p Pending) error  { return s.write(p, "start") }
func (s *State) Settle(p Pending) error { return s.write(p, "done") }
func (s *State) Undo(p Pending) error   { return s.write(p, "undo") }

// Done reports whether an event has been sent, or may have been.
func (s *State) Done(p Pending) bool {
	_, ok := s.known[p.key()]
	return ok
}

// Doubtful lists the events that were being sent when the last run was killed.
func (s *State) Doubtful() []Pending {
	var out []Pending
	for _, p := range s.known {
		if p.State == "start" {
			out = append(out, p)
		}
	}
	return out
}

const journalLines = 500

// Advance moves the cursor forward.
func (s *State) Advance(to time.Time) error {
	if !to.After(s.saved.Cursor) {
		return nil
	}
	if err := s.write(Pending{At: to}, "cursor"); err != nil || s.lines < journalLines {
		return err
	}
	return s.compact()
}

// From makes the relay start at a time.
func (s *State) From(begin time.Time) error {
	s.saved.Begin, s.saved.Cursor = begin, begin
	return s.compact()
}

// Close compacts the journal and closes it.
func (s *State) Close() error {
	return errors.Join(s.compact(), s.journal.Close())
}

// Secret returns the secret that signs the webhooks.
func (s *State) Secret() string { return s.saved.Secret }

// Cursor returns the creation time of the newest event seen; zero before the first run.
func (s *State) Cursor() time.Time { return s.saved.Cursor }

// Begin returns the time before which events are not forwarded.
func (s *State) Begin() time.Time { return s.saved.Begin }

// refused reports whether no connection was made, so the endpoint cannot have received the event.
func refused(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// Restart does the same as From, and also forgets which events were forwarded.
func (s *State) Restart(begin time.Time) error {
	clear(s.known)
	return s.From(begin)
}
