package release

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/goapi"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// Starting from the oldest snapshot, each one is adopted in turn. Each step compiles, adopts everything but some
// descriptions, and raises the version as far as its changes call for. The final Go names are the current ones.
func TestHistoryIsUpdatedTo(t *testing.T) {
	if testing.Short() {
		t.Skip("eight updates")
	}
	files, err := snapshots(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := testmodule.Copy(t, testmodule.Everything(t)...)
	for _, name := range []string{"schema/history", "generator/names.lock", "CHANGELOG.md"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	testmodule.Write(t, filepath.Join(dir, schemaFile), read(t, files[0]))
	first, err := generator.Generate(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Write(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	breaking := map[string]string{
		"2025-05-21": "BillingRequestCreateWithActionsParams.SubscriptionRequest (`subscription_request`) was removed.",
		"2025-06-11": "Constraints.MaxAmountPerPayment (`constraints.max_amount_per_payment`) is now required when Scheme is SchemePayTo",
		"2025-06-23": "client.NegativeBalanceLimits.Create was removed",
		"2025-11-20": "MandateConsentParameters.Periods (`periods`) was removed.",
		"2026-03-04": "OutboundPaymentCreateParamsLinks.App (`app`) was removed.",
		"2026-06-17": "MandateListParams.MandateType (`mandate_type`) changed type from string to MandateType",
		"2026-08-13": "BlockListParams.Block (`block`) was removed.",
		"2026-09-23": "Webhook.ResponseCode (`response_code`) can now be null: its type changed from int to *int.",
	}
	for _, file := range files[1:] {
		done, err := Update(t.Context(), UpdateOptions{Root: dir, Source: file, Words: true, Now: time.Now})
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		date := done.Report.New
		seen[date] = true
		if want, broke := breaking[date]; broke && (done.Report.Bump != compare.Major || !slices.ContainsFunc(done.Report.Of(compare.Breaking), func(c compare.Change) bool { return strings.Contains(c.Text, want) })) {
			t.Errorf("%s: %s, want major because %s", date, done.Report.Bump, want)
		}
		if next := done.Old.Next(done.Report.Bump); done.New != next {
			t.Errorf("%s: version %s after %s, want %s", date, done.New, done.Old, next)
		}
		for _, change := range done.Left {
			if !strings.HasPrefix(change, "The descriptions of ") {
				t.Errorf("%s: not adopted: %s", date, change)
			}
		}
		if err := typeCheck(t, dir); err != nil {
			t.Errorf("%s: %v", date, err)
		}
		if done.Report.Go == nil || done.Report.Go.Unavailable != "" {
			t.Errorf("%s: the Go API was not compared: %+v", date, done.Report.Go)
		}
		t.Logf("%s: %s, %s -> %s, %d changes", date, done.Report.Bump, done.Old, done.New, len(done.Report.Changes))
	}
	for date := range breaking {
		if !seen[date] {
			t.Errorf("the history has no snapshot of %s", date)
		}
	}
	got, want := read(t, filepath.Join(dir, "generator/names.lock")), read(t, filepath.Join(root, "generator/names.lock"))
	if string(got) != string(want) {
		t.Errorf("the names at the end differ:\n%s", lineDifferences(string(want), string(got)))
	}
}

// typeCheck checks the SDK's package including the bodies of its functions, without the handwritten files about
// events: they use fields that older snapshots do not have.
func typeCheck(t *testing.T, dir string) error {
	t.Helper()
	source, err := goapi.ReadDir(testmodule.Path(t), dir, func(name string) bool {
		base := path.Base(name)
		return !strings.HasPrefix(base, "event") && !strings.HasPrefix(base, "webhook")
	})
	if err != nil {
		t.Fatal(err)
	}
	return source.TypeCheck("gocardless")
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lineDifferences lists the lines that only one of two strings has.
func lineDifferences(want, got string) string {
	has := func(text string) map[string]bool {
		lines := map[string]bool{}
		for line := range strings.Lines(text) {
			lines[line] = true
		}
		return lines
	}
	var b strings.Builder
	wanted, gotten := has(want), has(got)
	for line := range strings.Lines(want) {
		if !gotten[line] {
			b.WriteString("- " + line)
		}
	}
	for line := range strings.Lines(got) {
		if !wanted[line] {
			b.WriteString("+ " + line)
		}
	}
	return b.String()
}
