package riverinbox_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	riverinbox "github.com/gocardless-community/gocardless-go/integrations/river"
	"github.com/gocardless-community/gocardless-go/integrations/river/internal/rivertest"
)

// BenchmarkAcknowledge measures how long a delivery of 250 new events takes until it is answered,
// and the floor: verify and answer, nothing stored. It reports the median and the 99th percentile.
func BenchmarkAcknowledge(b *testing.B) {
	bodies := func(i int) []byte {
		events := make([]string, 250)
		for k := range events {
			events[k] = event(fmt.Sprintf("EV%d_%d", i, k), k, fmt.Sprintf("PM%d", k))
		}
		return delivery(events...)
	}
	run := func(b *testing.B, bed *bed) {
		took := make([]time.Duration, 0, b.N)
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			body := bodies(i)
			b.StartTimer()
			start := time.Now()
			if status := bed.deliver(body); status != http.StatusNoContent {
				b.Fatalf("status %d", status)
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		ms := func(p int) float64 { return float64(took[len(took)*p/100].Microseconds()) / 1000 }
		b.ReportMetric(ms(50), "p50-ms")
		b.ReportMetric(ms(99), "p99-ms")
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
