package gocardlesstest

import (
	"slices"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
)

// SavedSnapshot describes a snapshot that SaveSnapshot saved.
type SavedSnapshot struct {
	Name string
	Time time.Time // of the sandbox's clock
	Size int       // in bytes
	body []byte
}

// SaveSnapshot saves the state in memory under a name, for RestoreSnapshot. It replaces an earlier
// snapshot of that name. Reset keeps the snapshots; a state file does not contain them.
func (sb *Sandbox) SaveSnapshot(name string) error {
	if name == "" || len(name) > 80 || strings.Contains(name, "/") {
		p := &api.Problems{}
		p.Add("name", "must have 1 to 80 characters, and no slash")
		return p.Err()
	}
	b := sb.Snapshot()
	sb.mu.Lock()
	defer sb.mu.Unlock()
	sb.saved = slices.DeleteFunc(sb.saved, func(s SavedSnapshot) bool { return s.Name == name })
	sb.saved = append(sb.saved, SavedSnapshot{name, sb.Now(), len(b), b})
	return nil
}

// Snapshots lists the saved snapshots, oldest first.
func (sb *Sandbox) Snapshots() []SavedSnapshot {
	sb.mu.RLock()
	defer sb.mu.RUnlock()
	return slices.Clone(sb.saved)
}

// RestoreSnapshot replaces the state with a saved snapshot.
func (sb *Sandbox) RestoreSnapshot(name string) error {
	for _, s := range sb.Snapshots() {
		if s.Name == name {
			return sb.Restore(s.body)
		}
	}
	return api.NotFound()
}

// DeleteSnapshot deletes a saved snapshot.
func (sb *Sandbox) DeleteSnapshot(name string) error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	n := len(sb.saved)
	sb.saved = slices.DeleteFunc(sb.saved, func(s SavedSnapshot) bool { return s.Name == name })
	if len(sb.saved) == n {
		return api.NotFound()
	}
	return nil
}
