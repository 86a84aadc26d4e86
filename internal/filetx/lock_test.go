package filetx

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Simultaneous changes of one tree run one after the other.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	var inside, most atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			unlock, err := Lock(dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			most.Store(max(most.Load(), inside.Add(1)))
			inside.Add(-1)
		})
	}
	group.Wait()
	if most.Load() != 1 {
		t.Errorf("%d held the lock at once", most.Load())
	}
	if unlock, err := Lock(dir + "/to-be-made"); err != nil {
		t.Error(err)
	} else {
		unlock()
	}
}
