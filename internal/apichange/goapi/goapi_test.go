package goapi

import (
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

const root = "../../.."

func source(code string) Source {
	return Source{"example.com/m", "", map[string][]byte{"gocardless/a.go": []byte("package gocardless\n" + code)}}
}

func TestCompare(t *testing.T) {
	const base = "import \"time\"\n// T is.\ntype T struct{ A string; B int; C time.Time }\nfunc (t *T) M() {}\nconst K = 1\n"
	for _, c := range []struct {
		name, code            string
		incompatible, compare string
	}{
		{"same", base, "", ""},
		{"function body", strings.Replace(base, "M() {}", "M() { println() }", 1), "", ""},
		{"unexported", base + "type u struct{}\n", "", ""},
		{"added field", strings.Replace(base, "B int;", "B int; D bool;", 1), "", "T.D: added"},
		{"removed field", strings.Replace(base, "B int;", "", 1), "T.B: removed", ""},
		{"changed type", strings.Replace(base, "B int", "B *int", 1), "T.B: changed from int to *int", ""},
		{"removed method", strings.Replace(base, "func (t *T) M() {}", "", 1), "(*T).M: removed", ""},
		{"changed constant", strings.Replace(base, "K = 1", "K = 2", 1), "K: value changed from 1 to 2", ""},
		{"added slice", strings.Replace(base, "B int;", "B int; D []string;", 1), "", "T.D: added; T: old is comparable, new is not"},
		{"version", base + "const Version = \"2\"\n", "", "Version: added"},
		{"added function", base + "func F() {}\n", "", "F: added"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Compare(source(base), source(c.code))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(d.Incompatible, "; "); got != c.incompatible {
				t.Errorf("incompatible: %q, want %q", got, c.incompatible)
			}
			if got := strings.Join(d.Compatible, "; "); got != c.compare {
				t.Errorf("compatible: %q, want %q", got, c.compare)
			}
		})
	}
}

// A changed value of the constant Version is not a difference of the API.
func TestVersionMoves(t *testing.T) {
	d, err := Compare(source("const Version, Other = \"1\", \"1\"\n"), source("const Version, Other = \"2\", \"2\"\n"))
	if err != nil || len(d.Incompatible) != 1 || !strings.HasPrefix(d.Incompatible[0], "Other: value changed") {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestPackagesComeAndGo(t *testing.T) {
	old := source("")
	revised := old.With(map[string][]byte{
		"gocardless/oauth/a.go": []byte("package oauth\nimport \"example.com/m/gocardless\"\nvar _ = gocardless.X\ntype T struct{}\n"),
		"gocardless/x.go":       []byte("package gocardless\nconst X = 1\n"),
		"gocardless/x_test.go":  []byte("not Go"),
		"cmd/x.go":              []byte("not Go"),
		"gocardless/other.go":   []byte("//go:build plan9\n\npackage gocardless\nconst X = 1\n"),
	})
	d, err := Compare(old, revised)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Compatible, []string{"X: added", "package gocardless/oauth: added"}) || len(d.Incompatible) > 0 {
		t.Errorf("got %+v", d)
	}
	if d, err = Compare(revised, old); err != nil || !slices.Equal(d.Incompatible, []string{"X: removed", "package gocardless/oauth: removed"}) {
		t.Errorf("got %+v, %v", d, err)
	}
}

// All public packages of this module can be compared, including those that use other modules.
func TestThisModule(t *testing.T) {
	present, err := ReadDir(testmodule.Path(t), root, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Compare(present, present)
	if err != nil || len(d.Incompatible)+len(d.Compatible) > 0 {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestPackageThatCannotBeHad(t *testing.T) {
	for dir, want := range map[string]string{"": "another module", t.TempDir(): "go list"} {
		s := source("import \"example.org/none\"\nvar v none.T\n")
		s.Root = dir
		if _, err := Compare(s, s); err == nil || !strings.Contains(err.Error(), "example.org/none") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
}

func TestCodeThatDoesNotCompile(t *testing.T) {
	_, err := Compare(source("type T Missing\n"), source(""))
	if err == nil || !strings.Contains(err.Error(), "the old code: gocardless does not compile") {
		t.Errorf("got %v", err)
	}
	if _, err = Compare(source(""), source("type {")); err == nil {
		t.Error("broken syntax passes")
	}
	if _, err = Compare(source(""), source(""), "gocardless/none"); err == nil {
		t.Error("a missing package passes")
	}
}

// The code generated from every snapshot of the API's history compiles with today's handwritten code, and the
// comparison shows what each step broke.
func TestHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("generates the SDK once for each snapshot")
	}
	files, err := filepath.Glob(root + "/schema/history/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d snapshots, %v", len(files), err)
	}
	files = append(files, root+"/schema/gocardless.json")
	want := map[string]string{
		"2025-05-21": "BillingRequestCreateWithActionsParams.SubscriptionRequest: removed",
		"2025-06-23": "(*NegativeBalanceLimitService).Create: removed",
		"2025-11-20": "MandateConsentParameters.Periods: removed",
		"2026-03-04": "OutboundPaymentCreateParamsLinks.App: removed",
		"2026-06-17": "BankAuthorisationAdapterPlaidAis: removed",
	}
	var before *Generated
	for _, file := range files {
		after, err := Generate(root, file)
		if err != nil {
			t.Fatal(err)
		}
		if err := withoutEvents(after.Source).TypeCheck("gocardless"); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if before != nil {
			d, err := BetweenSchemas(before, after)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if w := want[after.API.SchemaDate]; w != "" && !slices.Contains(d.Incompatible, w) {
				t.Errorf("%s: %q is missing among %q", file, w, d.Incompatible)
			}
			if after.API.SchemaDate == "2025-06-11" && len(d.Incompatible) > 0 {
				t.Errorf("%s: a conditional requirement changes no Go type, got %q", file, d.Incompatible)
			}
		}
		before = after
	}
}

// withoutEvents leaves out the handwritten files about events and webhooks: their functions use fields that
// older snapshots do not have.
func withoutEvents(s Source) Source {
	files := maps.Clone(s.Files)
	maps.DeleteFunc(files, func(name string, _ []byte) bool {
		base := path.Base(name)
		return strings.HasPrefix(base, "event") || strings.HasPrefix(base, "webhook")
	})
	return Source{s.Module, s.Root, files}
}
