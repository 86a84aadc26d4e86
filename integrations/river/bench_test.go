package riverinbox_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	riverinbox "github.com/gocardless-community/gocardless-go/integrations/river"
	"github.com/gocardless-community/gocardless-go/integrations/river/internal/rivertest"
)

// pace is the time between two deliveries: 20 a second, 5,000 events.
const pace = 50 * time.Millisecond

// BenchmarkAcknowledge measures how long it takes until a delivery of 250 new events is answered,
// and the floor: to verify and answer, without storing anything. Deliveries arrive at a fixed rate,
// whether or not the previous ones are answered, and a late start counts. So the time per operation is
// the pace, and the percentiles are the result. The databases do not wait for the disk; see
// scripts/postgres.sh.
//
//	scripts/postgres.sh run go test -run XXX -bench Acknowledge -benchtime 400x ./integrations/river
//
// Other work on the machine affects the 99th percentile, unless server and program run with real-time
// priority:
//
//	go test -c -o /tmp/river.test ./integrations/river
//	chrt -r 10 scripts/postgres.sh run /tmp/river.test -test.run XXX -test.bench Acknowledge -test.benchtime 400x
func BenchmarkAcknowledge(b *testing.B) {
	run := func(b *testing.B, bed *bed) {
		took := make([]time.Duration, b.N)
		var deliveries sync.WaitGroup
		start := time.Now()
		for i := range b.N {
			events := make([]string, 250)
			for k := range events {
				events[k] = event(fmt.Sprintf("EV%d_%d_%d", start.UnixNano(), i, k), k, fmt.Sprintf("PM%d", k))
			}
			body, due := delivery(events...), start.Add(time.Duration(i)*pace)
			time.Sleep(time.Until(due))
			deliveries.Go(func() {
				if status := bed.deliver(body); status != http.StatusNoContent {
					b.Errorf("status %d", status)
				}
				took[i] = time.Since(due)
			})
		}
		deliveries.Wait()
		slices.Sort(took)
		for _, p := range []int{50, 95, 99} {
			b.ReportMetric(float64(took[len(took)*p/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
		}
	}
	b.Run("Floor", func(b *testing.B) {
		h, err := gocardless.NewWebhookDeliveryHandler(func(context.Context, *gocardless.WebhookDelivery) error { return nil }, secret)
		if err != nil {
			b.Fatal(err)
		}
		run(b, &bed{endpoint: h})
	})
	b.Run("PostgreSQL", func(b *testing.B) {
		bed := newPostgresBed(b, rivertest.Postgres(b), riverinbox.Options{})
		bed.prepare(b)
		run(b, bed)
	})
	// Workers handle the events meanwhile, on the same machine.
	b.Run("PostgreSQL-UnderLoad", func(b *testing.B) {
		source := rivertest.Postgres(b)
		var worker *bed
		worker = newPostgresBed(b, source, riverinbox.Options{
			Handler: gocardless.EventHandlerFunc(func(ctx context.Context, e gocardless.Event) error { return worker.write(ctx, e) }), Configure: rivertest.Quick,
		})
		worker.prepare(b)
		worker.start(b)
		run(b, newPostgresBed(b, source, riverinbox.Options{}))
	})
	b.Run("SQLite", func(b *testing.B) {
		bed := newSQLiteBed(b, riverinbox.Options{})
		bed.prepare(b)
		run(b, bed)
	})
}
