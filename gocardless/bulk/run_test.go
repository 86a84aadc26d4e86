package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

type customerLine = Line[gocardless.CustomerCreateParams]

func customer(key, email string) customerLine {
	return customerLine{Key: key, Params: gocardless.CustomerCreateParams{GivenName: new("Frank"), FamilyName: new("Osborne"), Email: new(email)}}
}

func customers(lines ...customerLine) iter.Seq[customerLine] { return slices.Values(lines) }

func numbered(n int) iter.Seq[customerLine] {
	return func(yield func(customerLine) bool) {
		for i := range n {
			if !yield(customer(fmt.Sprint("c", i), "frank@acmeplc.com")) {
				return
			}
		}
	}
}

// created returns how many customers the sandbox has.
func created(t *testing.T, client *gocardless.Client) (n int) {
	t.Helper()
	for _, err := range client.Customers.All(t.Context(), gocardless.CustomerListParams{Limit: 500}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func (r Report) counts() string {
	r.Elapsed = 0
	return r.String()[:strings.LastIndex(r.String(), ",")]
}

func expect(t *testing.T, got Report, want Report) {
	t.Helper()
	if got.counts() != want.counts() {
		t.Errorf("got  %s\nwant %s", got.counts(), want.counts())
	}
}

func TestRun(t *testing.T) {
	client := gocardlesstest.New().Client()
	var journal MemoryJournal
	lines := customers(customer("a", "a@example.com"), customer("b", "no address"), customer("a", "a@example.com"), customer("c", "c@example.com"))
	var seen []Entry
	var last Report
	report, err := Run(t.Context(), client, Customers, lines, &journal, Options{OnEntry: func(e Entry) { seen = append(seen, e) }, Progress: func(r Report) { last = r }})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, report, Report{Lines: 4, Created: 2, Failed: 1, Repeated: 1})
	expect(t, last, report)
	if len(seen) != 3 || created(t, client) != 2 {
		t.Errorf("%d entries, %d customers", len(seen), created(t, client))
	}
	for _, e := range seen {
		if e.At.IsZero() || e.Fingerprint == "" || (e.ID == "") != (e.State == Failed) || (e.Message == "") != (e.State == Created) || strings.Contains(e.Message, "no address") {
			t.Errorf("%+v", e)
		}
	}

	// A second run sends nothing.
	report, err = Run(t.Context(), client, Customers, lines, &journal, Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, report, Report{Lines: 4, Settled: 3, Repeated: 1})

	// A corrected line is sent, and so are others with RetryFailed.
	lines = customers(customer("a", "a@example.com"), customer("b", "b@example.com"))
	if report, err = Run(t.Context(), client, Customers, lines, &journal, Options{}); err != nil {
		t.Fatal(err)
	}
	expect(t, report, Report{Lines: 2, Created: 1, Settled: 1})

	var csv strings.Builder
	if err := WriteCSV(t.Context(), &csv, &journal); err != nil || strings.Count(csv.String(), "\n") != 4 || !strings.Contains(csv.String(), "\na,created,CU") {
		t.Errorf("%v\n%s", err, csv.String())
	}
	// Without the journal, the keys still prevent duplicates.
	if report, err = Run(t.Context(), client, Customers, lines, new(MemoryJournal), Options{}); err != nil {
		t.Fatal(err)
	}
	expect(t, report, Report{Lines: 2, Existing: 2})
	if n := created(t, client); n != 3 {
		t.Errorf("%d customers", n)
	}
}

func TestRetryFailed(t *testing.T) {
	sandbox := gocardlesstest.New()
	client := sandbox.Client()
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.create", Reason: "mandate_is_inactive"})
	var journal MemoryJournal
	report, err := Run(t.Context(), client, Customers, numbered(1), &journal, Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, report, Report{Lines: 1, Failed: 1})
	for retry, want := range []Report{{Lines: 1, Settled: 1}, {Lines: 1, Created: 1}} {
		report, err = Run(t.Context(), client, Customers, numbered(1), &journal, Options{RetryFailed: retry == 1})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, report, want)
	}
}

// Lines without an outcome stay open, and the run returns an error.
func TestOpenLines(t *testing.T) {
	sandbox := gocardlesstest.New()
	client := sandbox.Client(gocardless.WithRetries(0))
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.create", Status: 502, After: true})
	sandbox.Inject(gocardlesstest.Fault{Operation: "customers.create", Drop: true})
	var journal MemoryJournal
	report, err := Run(t.Context(), client, Customers, numbered(3), &journal, Options{Workers: 1})
	if !errors.Is(err, ErrIncomplete) {
		t.Fatal(err)
	}
	expect(t, report, Report{Lines: 3, Created: 1, Open: 2})
	if report, err = Run(t.Context(), client, Customers, numbered(3), &journal, Options{}); err != nil {
		t.Fatal(err)
	}
	expect(t, report, Report{Lines: 3, Created: 1, Existing: 1, Settled: 1})
	if n := created(t, client); n != 3 {
		t.Errorf("%d customers", n)
	}
}

func TestRunStops(t *testing.T) {
	quiet := func(client *gocardless.Client, options Options, lines iter.Seq[customerLine], journal Journal) (Report, error) {
		return Run(t.Context(), client, Customers, lines, journal, options)
	}
	t.Run("at an error rate", func(t *testing.T) {
		sandbox := gocardlesstest.New()
		sandbox.Inject(gocardlesstest.Fault{Operation: "customers.create", Skip: 20, Times: -1, Reason: "mandate_is_inactive"})
		report, err := quiet(sandbox.Client(), Options{Workers: 1}, numbered(200), new(MemoryJournal))
		if !errors.Is(err, ErrErrorRate) || report.Created != 20 || report.Failed < 11 || report.Failed > 12 {
			t.Errorf("%v: %v", report, err)
		}
		report, err = quiet(sandbox.Client(), Options{MaxErrorRate: 1}, numbered(200), new(MemoryJournal))
		if err != nil || report.Existing+report.Failed != 200 {
			t.Errorf("%v: %v", report, err)
		}
	})
	t.Run("without permission", func(t *testing.T) {
		sandbox := gocardlesstest.New()
		sandbox.Inject(gocardlesstest.Fault{Reason: "access_token_revoked", Times: -1})
		report, err := quiet(sandbox.Client(), Options{Workers: 1}, numbered(200), new(MemoryJournal))
		if !errors.Is(err, gocardless.ErrAuthentication) || report.Open > 35 || report.Failed > 0 {
			t.Errorf("%v: %v", report, err)
		}
	})
	t.Run("at a key of other params", func(t *testing.T) {
		for name, lines := range map[string]iter.Seq[customerLine]{
			"in a batch": customers(customer("a", "a@example.com"), customer("a", "b@example.com")),
			"later": func(yield func(customerLine) bool) {
				for l := range numbered(100) {
					if !yield(l) {
						return
					}
				}
				yield(customer("c0", "b@example.com"))
			},
		} {
			client := gocardlesstest.New().Client()
			report, err := quiet(client, Options{Workers: 2}, lines, new(MemoryJournal))
			if !errors.Is(err, ErrKeyReused) || created(t, client) != report.Created {
				t.Errorf("%s: %v: %v", name, report, err)
			}
		}
	})
	t.Run("at a line that cannot be read", func(t *testing.T) {
		broken := errors.New("the database is gone")
		report, err := quiet(gocardlesstest.New().Client(), Options{}, customers(customer("a", "a@example.com"), customerLine{Err: broken}), new(MemoryJournal))
		if !errors.Is(err, broken) {
			t.Errorf("%v: %v", report, err)
		}
	})
	t.Run("with its journal", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "j")
		j, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		client := gocardlesstest.New().Client()
		report, err := quiet(client, Options{Workers: 1}, func(yield func(customerLine) bool) {
			_ = j.file.Close() // the first outcome cannot be written
			numbered(100)(yield)
		}, j)
		// Lines that were being sent then, or were claimed next, may still be sent: two batches of two.
		if !errors.Is(err, os.ErrClosed) || report.Created == 0 || report.Created+report.Open > 4 || created(t, client) != report.Created {
			t.Errorf("%v: %v", report, err)
		}
	})
	t.Run("with its context", func(t *testing.T) {
		client := gocardlesstest.New().Client()
		ctx, cancel := context.WithCancel(t.Context())
		var journal MemoryJournal
		report, err := Run(ctx, client, Customers, numbered(300), &journal, Options{OnEntry: func(Entry) { cancel() }})
		if !errors.Is(err, context.Canceled) || report.Created > 100 {
			t.Errorf("%v: %v", report, err)
		}
		// Nothing is left claimed.
		if report, err = Run(t.Context(), client, Customers, numbered(300), &journal, Options{}); err != nil || report.Busy > 0 || created(t, client) != 300 {
			t.Errorf("%v: %v", report, err)
		}
	})
	t.Run("with the caller's loop", func(t *testing.T) {
		defer func() {
			if p := recover(); p != "no more" {
				t.Errorf("recovered %v", p)
			}
		}()
		_, _ = quiet(gocardlesstest.New().Client(), Options{}, func(yield func(customerLine) bool) {
			yield(customer("a", "a@example.com"))
			panic("no more")
		}, new(MemoryJournal))
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A panic of the transport reaches the caller's goroutine, and a transport that ends its goroutine
// does not hang the run.
func TestRunOverABrokenTransport(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		client := gocardlesstest.New().Client(gocardless.WithHTTPClient(&http.Client{Transport: transportFunc(func(*http.Request) (*http.Response, error) { end(); return nil, nil })}))
		func() {
			defer func() {
				if p := recover(); (p != nil) != (name == "panic") {
					t.Errorf("%s: recovered %v", name, p)
				}
			}()
			if report, err := Run(t.Context(), client, Customers, numbered(100), new(MemoryJournal), Options{}); !errors.Is(err, errWorker) {
				t.Errorf("%s: %v: %v", name, report, err)
			}
		}()
	}
}

func TestDryRun(t *testing.T) {
	client := gocardlesstest.New().Client()
	var journal MemoryJournal
	if _, err := Run(t.Context(), client, Customers, numbered(2), &journal, Options{}); err != nil {
		t.Fatal(err)
	}
	lines := func(yield func(customerLine) bool) {
		for l := range numbered(4) {
			if !yield(l) {
				return
			}
		}
		_ = yield(customer("c3", "frank@acmeplc.com")) && yield(customer("has spaces", "a@example.com"))
	}
	var refused []string
	report, err := Run(t.Context(), client, Customers, lines, &journal, Options{DryRun: true, OnEntry: func(e Entry) {
		if e.State == Failed {
			refused = append(refused, e.Key+": "+e.Message)
		}
	}})
	if err != nil || len(refused) != 1 || !strings.Contains(refused[0], "without spaces") {
		t.Errorf("%v, %q", err, refused)
	}
	expect(t, report, Report{Lines: 6, Created: 2, Failed: 1, Settled: 2, Repeated: 1})
	if created(t, client) != 2 || len(journal.lines) != 2 {
		t.Errorf("a dry run made %d customers, %d lines of the journal", created(t, client), len(journal.lines))
	}
	// Params are checked as they are before sending.
	report, err = Run(t.Context(), client, Payments, slices.Values([]Line[gocardless.PaymentCreateParams]{{Key: "a"}}), new(MemoryJournal), Options{DryRun: true})
	if err != nil || report.Failed != 1 {
		t.Errorf("%v: %v", report, err)
	}
	if _, err = Run(t.Context(), client, Customers, customers(customer("c0", "other@example.com")), &journal, Options{DryRun: true}); !errors.Is(err, ErrKeyReused) {
		t.Error(err)
	}
}

// A journal belongs to one operation and environment, and expires.
func TestJournalOfAnotherRun(t *testing.T) {
	client := gocardlesstest.New().Client()
	for name, h := range map[string]Header{
		"operation":   {Operation: "payments.create", Environment: "sandbox", Started: time.Now()},
		"environment": {Operation: "customers.create", Environment: "live", Started: time.Now()},
		"began":       {Operation: "customers.create", Environment: "sandbox", Started: time.Now().Add(-30 * 24 * time.Hour)},
	} {
		j := &MemoryJournal{header: h}
		_, err := Run(t.Context(), client, Customers, numbered(1), j, Options{})
		if err == nil || !strings.Contains(err.Error(), name) || errors.Is(err, ErrTooOld) != (name == "began") {
			t.Errorf("%s: %v", name, err)
		}
	}
	j := &MemoryJournal{header: Header{Operation: "customers.create", Environment: "sandbox", Started: time.Now().Add(-30 * 24 * time.Hour)}}
	if _, err := Run(t.Context(), client, Customers, numbered(1), j, Options{AllowOld: true}); err != nil {
		t.Error(err)
	}
}

func TestBadArguments(t *testing.T) {
	client := gocardlesstest.New().Client()
	for want, run := range map[string]func() (Report, error){
		"Workers": func() (Report, error) {
			return Run(t.Context(), client, Customers, numbered(1), new(MemoryJournal), Options{Workers: 65})
		},
		"MaxErrorRate": func() (Report, error) {
			return Run(t.Context(), client, Customers, numbered(1), new(MemoryJournal), Options{MaxErrorRate: 2})
		},
		"Lease": func() (Report, error) {
			return Run(t.Context(), client, Customers, numbered(1), new(MemoryJournal), Options{Lease: -1})
		},
		"journal": func() (Report, error) { return Run(t.Context(), client, Customers, numbered(1), nil, Options{}) },
		"client": func() (Report, error) {
			return Run(t.Context(), nil, Customers, numbered(1), new(MemoryJournal), Options{})
		},
		"create": func() (Report, error) {
			return Run(t.Context(), client, Create[gocardless.CustomerCreateParams, gocardless.Customer]{}, numbered(1), new(MemoryJournal), Options{})
		},
	} {
		if _, err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// There is a Create for every create operation whose key the API honours.
func TestOperations(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Operations() {
		names[strings.SplitN(c.Operation(), ".", 2)[0]] = true
		if found, ok := Find(c.Operation()); !ok || found.Operation() != c.Operation() {
			t.Errorf("%s is not found", c.Operation())
		}
	}
	for _, op := range gocardless.Operations() {
		resource := strings.SplitN(op.Name, ".", 2)[0]
		if op.Kind == gocardless.KindCreate && !op.Deprecated && !names[resource] {
			t.Errorf("no create of %s", op.Name)
		}
	}
	if _, ok := Find("payments.cancel"); ok {
		t.Error("payments.cancel is no create")
	}
}

func TestJSON(t *testing.T) {
	client := gocardlesstest.New().Client()
	op, _ := Find("customers.create")
	good := json.RawMessage(`{"given_name":"Frank","family_name":"Osborne","email":"frank@acmeplc.com","metadata":{"a":"b"}}`)
	e := op.StepJSON(t.Context(), client, "k1", good)
	if e.State != Created || !strings.HasPrefix(e.ID, "CU") || e.Attempts != 1 {
		t.Fatalf("%+v", e)
	}
	if again := op.StepJSON(t.Context(), client, "k1", good); again.State != Existing || again.ID != e.ID {
		t.Errorf("%+v", again)
	}
	for text, want := range map[string]string{
		`{"given_name":5}`:       "given_name: does not fit",
		`{"iban":"GB33BUKB"}`:    `unknown field "iban"`,
		`{`:                      "cannot be read",
		`{"metadata":"x@y.com"}`: "cannot be read",
		`{} {}`:                  "cannot be read",
		`{"email":"a@b.c",]`:     "not valid JSON at byte",
		`"frank@acmeplc.com"`:    "does not fit",
	} {
		if e := op.StepJSON(t.Context(), client, "k2", json.RawMessage(text)); e.State != Failed || !strings.Contains(e.Message, want) || strings.Contains(e.Message, "@") {
			t.Errorf("%s: %+v", text, e)
		}
	}
	lines := slices.Values([]Line[json.RawMessage]{{Key: "k1", Params: good}, {Key: "k3", Params: good}})
	report, err := op.RunJSON(t.Context(), client, lines, new(MemoryJournal), Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, report, Report{Lines: 2, Created: 1, Existing: 1})
}

// A create request finds the resource of an earlier one even if the API cannot return it again.
func TestExistingThatCannotBeRead(t *testing.T) {
	client := gocardlesstest.New().Client(gocardless.WithConflictError())
	var ids []string
	for _, want := range []State{Created, Existing} {
		e := Customers.Step(t.Context(), client, customer("a", "a@example.com"))
		if e.State != want || e.Error != "" {
			t.Errorf("%+v", e)
		}
		ids = append(ids, e.ID)
	}
	if ids[0] == "" || ids[0] != ids[1] {
		t.Errorf("ids %q", ids)
	}
}

func TestFileJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.ndjson")
	client := gocardlesstest.New().Client()
	run := func(n int) Report {
		t.Helper()
		j, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		report, err := Run(t.Context(), client, Customers, numbered(n), j, Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if j.Record(t.Context(), []Entry{{Key: "x", State: Created}}) == nil {
			t.Error("a closed journal records")
		}
		return report
	}
	run(3)
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), "\n") != 4 {
		t.Fatalf("%v\n%s", err, data)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	// Half a line, and zeros, at the end are cut off.
	for name, damaged := range map[string]string{"half a line": string(data[:len(data)-10]), "zeros": string(data) + strings.Repeat("\x00", 100), "a line of zeros": string(data) + "\x00\x00\n"} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		report := run(3)
		if report.Settled+report.Existing != 3 {
			t.Errorf("%s: %v", name, report)
		}
		if again := run(3); again.Settled != 3 {
			t.Errorf("%s, then: %v", name, again)
		}
	}
	// Damage elsewhere is an error.
	lines := strings.SplitAfter(string(data), "\n")
	for _, bad := range []string{"rubbish\n", "{}\n", `{"key":"a"}` + "\n", "\n"} {
		if err := os.WriteFile(path, []byte(lines[0]+bad+lines[2]), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := OpenFile(filepath.Join(path, "x")); err == nil {
		t.Error("opened a file below a file")
	}
}

func FuzzFileJournal(f *testing.F) {
	f.Add([]byte(`{"run":{"operation":"customers.create"}}` + "\n" + `{"key":"a","state":"created"}` + "\n"))
	f.Add([]byte("{\n\n}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := OpenFile(path)
		if err != nil {
			return
		}
		if err := j.Record(t.Context(), []Entry{{Key: "k", State: Created, ID: "CU1"}}); err != nil {
			t.Fatal(err)
		}
		_ = j.Close()
		// The lines that were written can be read.
		again, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = again.Close() }()
		if !again.memory.lines["k"].State.final() {
			t.Error("the record is gone")
		}
	})
}
