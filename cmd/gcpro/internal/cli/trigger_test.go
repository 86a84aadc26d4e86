package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// If gcpro cannot play the payer, it prints the address of the page and waits for the mandate.
func TestPayToWaitsForThePayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sandbox := gocardlesstest.New()
		began := time.Now()
		flow := ""
		m := &maker{client: sandbox.Client(), say: func(format string, args ...any) {
			said := fmt.Sprintf(format, args...)
			if id, ok := strings.CutPrefix(said, "created BRF"); ok {
				flow = "BRF" + id
			}
			if strings.Contains(said, "authorise the mandate at http") {
				time.AfterFunc(time.Minute, func() {
					if _, err := sandbox.FinishBillingRequestFlow(flow, gocardlesstest.TestPayer); err != nil {
						t.Errorf("%s: %v", said, err)
					}
				})
			}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		id, err := m.payTo(ctx)
		if err != nil || !strings.HasPrefix(id, "MD") || time.Since(began) < time.Minute {
			t.Errorf("%q after %s: %v", id, time.Since(began), err)
		}
	})
}
