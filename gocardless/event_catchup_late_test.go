package gocardless

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// An event that appears late and fails for longer than the store remembers events holds the
// checkpoint, which stays in use: the store does not forget what later runs read.
func TestCatchUpLateFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newCatchUp()
		b.store.Retention, b.store.MaxAttempts = 48*time.Hour, -1
		time.Sleep(time.Hour)
		reached := b.run(t, "").Checkpoint
		b.history.add("late", time.Now().Add(-time.Minute))
		b.history.add("EV1", time.Now())
		b.failing["late"] = errors.New("failed")
		for range 20 {
			time.Sleep(10 * time.Hour)
			if r, err := b.Run(t.Context()); !errors.Is(err, b.failing["late"]) || r.Checkpoint != reached {
				t.Fatalf("checkpoint = %+v, %v", r.Checkpoint, err)
			}
		}
		b.failing = nil
		b.run(t, "late")
	})
}
