package release

import (
	"bytes"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/goapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// module returns a copy of the small module with its changelog.
func module(t *testing.T) string {
	t.Helper()
	return withChangelog(t, testmodule.Small(t), &smallChangelog)
}

// wholeModule copies everything that an update reads and writes, for tests that need more than the small module.
func wholeModule(t *testing.T) string {
	t.Helper()
	return withChangelog(t, testmodule.Copy(t, testmodule.Everything(t)...), &wholeChangelog)
}

var smallChangelog, wholeChangelog []byte

// withChangelog writes the changelog of a module, which it generates only once.
func withChangelog(t *testing.T, dir string, text *[]byte) string {
	t.Helper()
	if *text == nil {
		var err error
		if *text, err = Changelog(dir); err != nil {
			t.Fatal(err)
		}
	}
	testmodule.Write(t, filepath.Join(dir, "CHANGELOG.md"), *text)
	return dir
}

var later, _ = time.Parse(time.DateOnly, testmodule.Later)

func options(dir, source string) UpdateOptions {
	return UpdateOptions{
		Root: dir, Source: source, Client: http.DefaultClient, Names: map[string]string{},
		Now: func() time.Time { return later },
	}
}

// source writes a changed copy of a module's document and returns its path.
func source(t *testing.T, dir string, change func(v *jsontree.Value)) string {
	t.Helper()
	v := testmodule.Schema(t, dir)
	change(v)
	file := filepath.Join(t.TempDir(), "source.json")
	if err := os.WriteFile(file, []byte(v.Compact()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func parseJSON(t *testing.T, text string) *jsontree.Value {
	t.Helper()
	v, err := jsontree.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// foreign takes a document out of our form: it removes its date, and the ids and tags of operations.
func foreign(v *jsontree.Value) {
	v.Get("info").Delete("x-schema-date")
	for _, path := range v.Get("paths").Members {
		for _, op := range path.Value.Members {
			op.Value.Delete("operationId")
			op.Value.Delete("tags")
		}
	}
}

func TestUpdateOfTheSameChangesNothing(t *testing.T) {
	dir := module(t)
	before := testmodule.Digest(t, dir)
	for name, change := range map[string]func(v *jsontree.Value){
		"the very same": func(*jsontree.Value) {},
		"foreign":       foreign,
		"another date":  func(v *jsontree.Value) { v.Get("info").Set("x-schema-date", jsontree.NewString("2026-12-01")) },
	} {
		done, err := Update(t.Context(), options(dir, source(t, dir, change)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if done.Report != nil || len(done.Files) > 0 {
			t.Errorf("%s: changed %v", name, done.Files)
		}
		if !maps.Equal(testmodule.Digest(t, dir), before) {
			t.Errorf("%s: the tree changed", name)
		}
	}
}

// newAPI removes an operation and adds a field, an object that contains itself and a resource, in the vendor's
// form.
func newAPI(t *testing.T) func(v *jsontree.Value) {
	return func(v *jsontree.Value) {
		foreign(v)
		v.Get("paths").Delete("/payments/{identity}/actions/retry")
		v.At("/components/schemas/Payment/properties").Set("colour", parseJSON(t, `{"type": "string", "enum": ["vermilion", "viridian"], "description": "<p>Its <b>colour</b>.</p>"}`))
		v.At("/components/schemas").Set("Tree", parseJSON(t, `{"type": "object", "properties": {"leaf": {"type": "string"}, "branches": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}`))
		v.At("/components/schemas/Payment/properties").Set("tree", parseJSON(t, `{"$ref": "#/components/schemas/Tree"}`))
		v.Get("paths").Set("/wallets", parseJSON(t, `{"get": {"operationId": "ListAllWallets", "responses": {"200": {"description": "", "content": {"application/json": {"schema": {
			"type": "object", "properties": {
				"wallets": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}, "balance": {"type": "integer", "format": "int64"}}}},
				"meta": {"$ref": "#/components/schemas/ListMeta"}}}}}}}}}`))
	}
}

func TestUpdate(t *testing.T) {
	repo := tree{t, module(t)}
	oldSchema, oldVersion, oldDate := repo.read(schemaFile), repo.read(VersionFile), testmodule.Date(t, repo.dir)
	repo.write("CHANGELOG.md", strings.Replace(repo.read("CHANGELOG.md"), "## [Unreleased]\n", "## [Unreleased]\n\n- A note by hand.\n", 1))
	file := source(t, repo.dir, newAPI(t))
	dry := options(repo.dir, file)
	dry.DryRun = true
	if done, err := Update(t.Context(), dry); err != nil || done.Report == nil || repo.read(schemaFile) != oldSchema {
		t.Fatalf("a dry run: %+v, %v", done, err)
	}
	done := repo.update(file)
	if done.Report.Bump != compare.Major || done.Old.String() != "0.1.0" || done.New.String() != "0.2.0" {
		t.Errorf("%s: %s to %s", done.Report.Bump, done.Old, done.New)
	}
	if got := repo.read("schema/history/" + oldDate + ".json"); got != oldSchema {
		t.Error("the history does not have the old snapshot")
	}
	if got := repo.read(VersionFile); got != strings.Replace(oldVersion, `"0.1.0"`, `"0.2.0"`, 1) {
		t.Errorf("version.go is\n%s", got)
	}
	for name, parts := range map[string][]string{
		"schema/gocardless.json":                {`"x-schema-date": "2099-03-04"`, `"/wallets": {`, `"operationId": "wallets.list"`, "\"colour\": {\n            \"$ref\": \"#/components/schemas/PaymentColour\",\n            \"x-description-source\": \"Its colour.\""},
		"CHANGELOG.md":                          {"- A note by hand.", "## [0.2.0] - 2099-03-04", "- `client.Payments.Retry` was removed", "- `client.Wallets.List` was added", "## [0.1.0] - " + oldDate},
		"docs/migrations/0.2.0.md":              {"# From 0.1.0 to 0.2.0", "`client.Payments.Retry` was removed", "`(*PaymentService).Retry: removed`"},
		"gocardless/api_payments_gen.go":        {" PaymentColour "},
		"gocardless/api_wallets_gen.go":         {"func (s *WalletService) List("},
		"generator/names.lock":                  {"GET /wallets Wallets.List"},
		"internal/contract/wallets_gen_test.go": {"TestContractWallets"},
	} {
		for _, part := range parts {
			if !strings.Contains(repo.read(name), part) {
				t.Errorf("%s does not have %q", name, part)
			}
		}
	}
	if strings.Contains(repo.read("gocardless/api_payments_gen.go"), "PaymentRetryParams") {
		t.Error("the removed operation is still generated")
	}
	const gap = "gocardless/gocardlesstest/payment.go: the API has no operation payments.retry"
	if !slices.Contains(done.Notes, gap) {
		t.Errorf("the notes %q do not name the handler to delete", done.Notes)
	}
	for _, want := range []string{"a description must still be written", gap} {
		if err := Check(repo.dir, "v0.2.0"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a release passes without %q: %v", want, err)
		}
	}
	repo.checkWhole()
	repo.checkMissing("docs/migrations/0.2.0.md", "")
	repo.checkMissing(VersionFile, oldVersion)

	// The same source changes nothing more.
	before := testmodule.Digest(t, repo.dir)
	for range 2 {
		if done := repo.update(file); done.Report != nil || !maps.Equal(testmodule.Digest(t, repo.dir), before) {
			t.Errorf("a second run changed %+v", done)
		}
	}
	repo.updateAgain()
}

// updateAgain makes another change on the same day, which is a snapshot of its own.
func (t tree) updateAgain() {
	t.Helper()
	first := t.read(schemaFile)
	done := t.update(source(t.T, t.dir, func(v *jsontree.Value) {
		newAPI(t.T)(v)
		v.At("/components/schemas/Payment/properties").Set("shade", parseJSON(t.T, `{"type": "string"}`))
	}))
	if r := done.Report; r.Old != testmodule.Later || r.New != testmodule.Later+"b" || len(r.Changes) != 1 || done.New.String() != "0.2.1" {
		t.Errorf("a second change of the day: %+v, version %s", r, done.New)
	}
	if t.read("schema/history/"+testmodule.Later+".json") != first {
		t.Error("the history does not have the first snapshot of the day")
	}
	log := t.read("CHANGELOG.md")
	if second, first := strings.Index(log, "\n## [0.2.1] - 2099-03-04\n\n<!-- snapshot 2099-03-04b:"), strings.Index(log, "\n## [0.2.0] - 2099-03-04\n\n<!-- snapshot 2099-03-04:"); second < 0 || first < second {
		t.Errorf("the changelog has the second change at %d, the first at %d", second, first)
	}
	t.checkWhole()
}

func TestNextOfDay(t *testing.T) {
	for date, want := range map[string]string{"2026-01-31": "2026-01-31b", "2026-01-31b": "2026-01-31c", "2026-01-31y": "2026-01-31z", "2026-01-31z": "2026-01-31z"} {
		if got := nextOfDay(date); got != want {
			t.Errorf("after %s comes %s, want %s", date, got, want)
		}
	}
}

func TestFailedUpdateChangesNothing(t *testing.T) {
	dir := module(t)
	write := func(name, content string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	whole, err := os.ReadFile(filepath.Join(dir, "schema", "gocardless.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, source, want string
		change             func(o *UpdateOptions)
	}{
		{"no such file", filepath.Join(dir, "nowhere.json"), "nowhere.json", nil},
		{"truncated", write("cut.json", string(whole[:len(whole)/2])), "the document ends in the middle", nil},
		{"no OpenAPI", write("x.json", `{"hello": "world"}`), "/openapi is missing", nil},
		{"unreachable", "http://127.0.0.1:1/openapi.json", "refused", nil},
		{"choice as a body", source(t, dir, func(v *jsontree.Value) {
			v.At("/paths/~1payments/post/requestBody/content/application~1json").Set("schema", parseJSON(t, `{"oneOf": [{"type": "string"}, {"type": "boolean"}]}`))
		}), "/paths/~1payments/post/requestBody/content/application~1json/schema: an object is expected around this body", nil},
		{"unknown keyword of a body", source(t, dir, func(v *jsontree.Value) {
			v.At("/paths/~1payments/post/requestBody/content/application~1json/schema/properties/payments").Set("not", parseJSON(t, `{}`))
		}), "/paths/~1payments/post/requestBody/content/application~1json/schema/properties/payments", nil},
		{"name clash", source(t, dir, func(v *jsontree.Value) {
			v.At("/components/schemas/Payment/properties").Set("create_params", parseJSON(t, `{"type": "object", "properties": {"a": {"type": "string"}}}`))
		}), "PaymentCreateParams", nil},
		{"date too early", source(t, dir, newAPI(t)), "give it a later date", func(o *UpdateOptions) { o.Date = "2020-01-01" }},
		{"bad date", source(t, dir, newAPI(t)), "not of the form", func(o *UpdateOptions) { o.Date = "tomorrow" }},
		{"disk", source(t, dir, newAPI(t)), "is a directory", func(o *UpdateOptions) {
			if err := os.MkdirAll(filepath.Join(dir, "gocardless", "api_wallets_gen.go"), 0o755); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(dir, c.source)
			if c.change != nil {
				c.change(&o)
			}
			before := testmodule.Digest(t, dir)
			done, err := Update(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %+v, %v; want an error with %q", done, err, c.want)
			}
			if !maps.Equal(testmodule.Digest(t, dir), before) {
				t.Error("the tree changed")
			}
		})
	}
}

// From 2.0.0 on the module's path ends in its major version.
func TestUpdateMovesTheModule(t *testing.T) {
	if testing.Short() {
		t.Skip("checks all packages")
	}
	dir := wholeModule(t)
	version, err := os.ReadFile(filepath.Join(dir, VersionFile))
	if err != nil {
		t.Fatal(err)
	}
	if version, err = SetVersion(version, Version{1, 4, 2}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, VersionFile), version, 0o644); err != nil {
		t.Fatal(err)
	}
	done, err := Update(t.Context(), options(dir, source(t, dir, newAPI(t))))
	if err != nil {
		t.Fatal(err)
	}
	if done.New.String() != "2.0.0" {
		t.Errorf("version %s", done.New)
	}
	moved := testmodule.Path(t) + "/v2"
	goMod, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
	if !strings.HasPrefix(string(goMod), "module "+moved+"\n") {
		t.Errorf("go.mod begins %.80s", goMod)
	}
	// The go command finds every import, and every package compiles.
	cmd := exec.Command("go", "list", "-deps", "./gocardless/...")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("packages of the moved module are missing: %v\n%s", err, out)
	}
	packages, err := goapi.ReadDir(moved, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := packages.TypeCheck(); err != nil {
		t.Errorf("the moved module does not compile: %v", err)
	}
	result, err := generator.Generate(generator.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if differences, err := result.Check(); err != nil || len(differences) > 0 {
		t.Errorf("not up to date: %v, %v", differences, err)
	}
}

func TestMovePath(t *testing.T) {
	const old, revised = "example.com/m", "example.com/m/v2"
	for in, want := range map[string]string{
		`import "example.com/m/pkg"`:                `import "example.com/m/v2/pkg"`,
		"module example.com/m\n":                    "module example.com/m/v2\n",
		"go get example.com/m@latest":               "go get example.com/m/v2@latest",
		"see https://example.com/m/issues":          "see https://example.com/m/issues",
		"example.com/more":                          "example.com/more",
		"module example.com/m/tools":                "module example.com/m/tools",
		"`example.com/m` and https://example.com/m": "`example.com/m/v2` and https://example.com/m",
	} {
		if got := string(movePath([]byte(in), old, revised)); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestCheckAndNotes(t *testing.T) {
	dir := module(t)
	testmodule.Releasable(t, dir)
	if err := Check(dir, "v0.1.0"); err != nil {
		t.Errorf("what is vendored cannot be released: %v", err)
	}
	if err := Check(dir, "v0.1.1"); err == nil || !strings.Contains(err.Error(), "the tag is v0.1.1") {
		t.Errorf("got %v", err)
	}
	notes, err := Notes(dir, Version{0, 1, 0})
	if err != nil || !strings.HasPrefix(notes, "API description of "+testmodule.Date(t, dir)) || strings.Contains(notes, "<!--") || strings.Contains(notes, "\n## ") {
		t.Errorf("notes: %v\n%.200s", err, notes)
	}
	if _, err := Notes(dir, Version{9, 9, 9}); err == nil {
		t.Error("notes of a version that is not there")
	}
	file := filepath.Join(dir, "CHANGELOG.md")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(data, []byte("API description of"), []byte("A description of"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Check(dir, "v0.1.0"); err == nil || !strings.Contains(err.Error(), "not up to date") {
		t.Errorf("got %v", err)
	}
}

func TestCheckVersion(t *testing.T) {
	dir := module(t)
	for _, c := range []struct {
		tag  string
		bump compare.Bump
		ok   bool
	}{
		{"v0.1.0", compare.None, true},
		{"v0.1.0", compare.Minor, false},
		{"v0.0.9", compare.Major, true},
		{"v0.0.9", compare.Minor, true},
		{"vnext", compare.None, false},
	} {
		if err := CheckVersion(dir, c.tag, c.bump); (err == nil) != c.ok {
			t.Errorf("%s with %s: %v", c.tag, c.bump, err)
		}
	}
}
