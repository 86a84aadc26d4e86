package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/gocardless-community/gocardless-go/generator"
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/load"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/adopt"
	"github.com/gocardless-community/gocardless-go/internal/apichange/changelog"
	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
	"github.com/gocardless-community/gocardless-go/internal/apichange/goapi"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/filetx"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// LockFile holds the fingerprints of the vendor's descriptions, by place.
const LockFile = "schema/descriptions.lock"

// UpdateOptions say what to adopt and how.
type UpdateOptions struct {
	Root         string // of the module
	Source       string // file or URL
	Date         string // of the new snapshot; "" for the source's own if it has a later one, else today
	Words        bool   // the source's descriptions are ours to publish
	Names        map[string]string
	AllowRenames bool
	DryRun       bool // work everything out and write nothing
	Client       *http.Client
	Now          func() time.Time
}

// Updated reports what an update did.
type Updated struct {
	Report    *compare.Report // nil when the source means the same as the vendored document
	Old, New  Version
	Files     []string // that changed
	Notes     []string // for a person to read
	Left      []string // changes that the source states and that have no place in our form
	Unwritten []string // places whose descriptions are still to be written
}

// Update adopts a description of the API: it rewrites it in our form, moves the old snapshot to
// the history, regenerates the SDK, writes the changelog and raises the version. A source that
// means the same as what is vendored changes nothing. After an error nothing has changed.
func Update(ctx context.Context, o UpdateOptions) (*Updated, error) {
	unlock, err := filetx.Lock(o.Root)
	if err != nil {
		return nil, err
	}
	defer unlock()
	undone, err := filetx.Recover(o.Root)
	if err != nil {
		return nil, fmt.Errorf("an earlier update was interrupted and could not be undone: %w", err)
	}
	source, err := adopt.ReadSource(ctx, o.Client, o.Source)
	if err != nil {
		return nil, err
	}
	u := updater{UpdateOptions: o, tx: filetx.New(o.Root), out: &Updated{}}
	if err := u.normalise(source); err != nil {
		return nil, err
	}
	if undone {
		u.out.Notes = append([]string{"an earlier update was interrupted: it was undone first"}, u.out.Notes...)
	}
	if u.out.Left, err = left(u.root, u.source, u.kept, u.Words); err != nil {
		return nil, err
	}
	if bytes.Equal(u.vendored.Root.Format(), u.root.Format()) {
		return u.out, nil
	}
	if err := u.date(source); err != nil {
		return nil, err
	}
	if err := u.regenerate(); err != nil {
		return nil, err
	}
	if o.DryRun {
		return u.out, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err // the last moment to stop
	}
	if u.out.Files, err = u.tx.Commit(); err != nil {
		return nil, err
	}
	return u.out, nil
}

type updater struct {
	UpdateOptions
	tx       *filetx.Tx
	out      *Updated
	vendored *openapi.Document
	names    *compare.Names // of the vendored document
	root     *jsontree.Value
	source   *openapi.Document // without what was left out
	kept     map[string]bool   // places that stay as they were
}

func (u *updater) path(name string) string { return filepath.Join(u.Root, filepath.FromSlash(name)) }

func (u *updater) normalise(source *openapi.Document) error {
	data, err := os.ReadFile(u.path(schemaFile))
	if err != nil {
		return err
	}
	if u.vendored, err = openapi.Parse(data); err != nil {
		return fmt.Errorf("%s: %w", schemaFile, err)
	}
	overlay, err := os.ReadFile(u.path("generator/overlay.json"))
	if err != nil {
		return err
	}
	rules, err := adopt.ReadRules(overlay)
	if err != nil {
		return err
	}
	lock := map[string]string{}
	if data, err := os.ReadFile(u.path(LockFile)); err == nil {
		if err := json.Unmarshal(data, &lock); err != nil {
			return fmt.Errorf("%s: %w", LockFile, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	api, err := generator.Load(generator.Config{Root: u.Root})
	if err != nil {
		return err
	}
	u.names = compare.NamesOf(api)
	n, err := adopt.Normalise(u.vendored, source, adopt.Options{Rules: rules, Names: u.Names, Reserved: reserved(api), Words: u.Words, Lock: lock, Check: u.check})
	if err != nil {
		return fmt.Errorf("%s:\n%w", adopt.Location(u.Source), err)
	}
	u.root, u.source, u.kept = n.Root, n.Source, n.Kept
	u.out.Notes, u.out.Unwritten = n.Notes, adopt.Unwritten(n.Root)
	if len(n.Lock) > 0 || len(lock) > 0 {
		text, err := json.MarshalIndent(n.Lock, "", "  ")
		if err != nil {
			return err
		}
		u.tx.Write(LockFile, append(text, '\n'))
	}
	return nil
}

// left lists what the source still states differently than what was adopted of it: what a comparison
// sees has to be adopted or named. In another form than ours everything is stated differently. What was kept
// has been taken out of the source, and named.
func left(adopted *jsontree.Value, source *openapi.Document, kept map[string]bool, words bool) ([]string, error) {
	if source.Date == "" {
		return nil, nil
	}
	doc, err := openapi.Read(adopted)
	if err != nil {
		return nil, err
	}
	rest, err := compare.Compare(compare.Side{Doc: doc}, compare.Side{Doc: source})
	if err != nil {
		return nil, err
	}
	var out []string
	reworded := 0
	for _, c := range rest.Changes {
		switch c.Code {
		case "parameter-removed", "request-field-removed", "reply-field-removed":
			if !isKept(kept, doc, c) {
				out = append(out, c.Sentence())
			}
		case "documentation-changed":
			reworded++
		case "type-renamed": // new schemas are named by rule
		default:
			out = append(out, c.Sentence())
		}
	}
	if words && reworded > 0 {
		out = append(out, fmt.Sprintf("The words of %d types and methods differ: values of enums, parameters and examples keep theirs.", reworded))
	}
	return out, nil
}

// isKept reports whether something is only gone from the source because it was kept as it was.
func isKept(kept map[string]bool, adopted *openapi.Document, c compare.Change) bool {
	if kept[c.Pointer] {
		return true
	}
	for _, o := range adopted.Operations {
		for _, p := range o.Params {
			if p.Pointer == c.Pointer && kept[o.Method+" "+o.Path+"?"+p.Name] {
				return true
			}
		}
	}
	return false
}

// check returns what the generator does not understand of a document. Entries of the overlay that it makes
// stale are another matter; see load.
func (u *updater) check(document []byte) []error {
	_, _, err := generator.Read(generator.Config{Root: u.Root}, document)
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// reserved lists the Go names that no new schema may get: all but those that other schemas have, and that
// they leave if they go away.
func reserved(api *ir.API) map[string]string {
	names := maps.Clone(api.Taken)
	for _, t := range api.Types {
		if t.Schema != "" && t.GoName == name.Go(t.Schema) {
			delete(names, t.GoName)
		}
	}
	return names
}

// today is the day of the update.
func (u *updater) today() string { return u.Now().UTC().Format(time.DateOnly) }

// date gives the new snapshot its date, which names the old one's file in the history too.
func (u *updater) date(source *openapi.Document) error {
	date := u.Date
	if date == "" {
		if date = u.today(); source.Date > u.vendored.Date {
			date = source.Date
		}
	} else if _, err := time.Parse(time.DateOnly, date); err != nil {
		return fmt.Errorf("date %q is not of the form 2026-01-31", date)
	}
	if strings.HasPrefix(u.vendored.Date, date) {
		date = nextOfDay(u.vendored.Date)
	}
	if date <= u.vendored.Date {
		return fmt.Errorf("the vendored snapshot is of %s, and the new one would be of %s: give it a later date with -date", u.vendored.Date, date)
	}
	u.root.Get("info").Set("x-schema-date", jsontree.NewString(date))
	history := historyDir + "/" + u.vendored.Date + ".json"
	if _, err := os.Stat(u.path(history)); err == nil {
		return fmt.Errorf("%s is there already: two snapshots have the same date", history)
	}
	u.tx.Write(history, u.vendored.Root.Format())
	u.tx.Write(schemaFile, u.root.Format())
	return nil
}

// nextOfDay returns the date of the snapshot that follows another one on the same day: after
// 2026-01-31 come 2026-01-31b and 2026-01-31c, which sort in this order, as names of files too.
// After z there is none: the date stays.
func nextOfDay(date string) string {
	day, letter := date[:len(time.DateOnly)], date[len(time.DateOnly):]
	switch letter {
	case "":
		return day + "b"
	case "z":
		return date
	}
	return day + string(letter[0]+1)
}

// regenerate works out everything that follows from the new document.
func (u *updater) regenerate() error {
	api, err := u.load()
	if err != nil {
		return fmt.Errorf("the new %s:\n%w", schemaFile, err)
	}
	result, err := generator.Emit(generator.Config{Root: u.Root, AllowRenames: u.AllowRenames}, api)
	if err != nil {
		return err
	}
	gaps, err := generator.SandboxGaps(u.Root, result.API)
	if err != nil {
		return err
	}
	u.out.Notes = append(u.out.Notes, gaps.All()...)
	if err := result.Plan(u.tx); err != nil {
		return err
	}
	if err := u.compare(result); err != nil {
		return err
	}
	if err := u.version(); err != nil {
		return err
	}
	return u.changelog()
}

// load reads the new document. It removes the entries of the overlay that match nothing in it.
func (u *updater) load() (*ir.API, error) {
	const file = "generator/overlay.json"
	cfg, document := generator.Config{Root: u.Root}, u.root.Format()
	api, stale, err := generator.Read(cfg, document)
	if len(stale) == 0 || err != nil {
		return api, err
	}
	data, err := os.ReadFile(u.path(file))
	if err != nil {
		return nil, err
	}
	if data, err = load.Without(data, stale); err != nil {
		return nil, err
	}
	for _, s := range stale {
		u.out.Notes = append(u.out.Notes, fmt.Sprintf("%s of %s (%s) matches nothing now: removed", s.Pointer, file, s.Target))
	}
	u.tx.Write(file, data)
	dir, err := os.MkdirTemp("", "gen-update-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cfg.Overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(cfg.Overlay, data, 0o600); err != nil {
		return nil, err
	}
	api, _, err = generator.Read(cfg, document)
	return api, err
}

// compare reports what changed. The Go API as it was is the one on disk.
func (u *updater) compare(result *generator.Result) error {
	before := compare.Side{Doc: u.vendored, Names: u.names}
	doc, err := openapi.Read(u.root)
	if err != nil {
		return err
	}
	after := compare.Side{Doc: doc, Names: compare.NamesOf(result.API)}
	had, err := goapi.ReadDir(result.API.ModulePath, u.Root, nil)
	if err != nil {
		return err
	}
	has, err := goapi.FromFiles(u.Root, result.API, result.Files)
	if err != nil {
		return err
	}
	difference, err := goapi.Compare(had, has.Source, "gocardless")
	if err != nil {
		return fmt.Errorf("the Go API cannot be compared: %w", err)
	}
	u.out.Report, err = report(before, after, difference)
	return err
}

func (u *updater) version() error {
	source, err := u.tx.Content(VersionFile)
	if err != nil {
		return err
	}
	if u.out.Old, err = ReadVersion(source); err != nil {
		return fmt.Errorf("%s: %w", VersionFile, err)
	}
	u.out.New = u.out.Old.Next(u.out.Report.Bump)
	if source, err = SetVersion(source, u.out.New); err != nil {
		return err
	}
	u.tx.Write(VersionFile, source)
	return u.modulePath()
}

func (u *updater) changelog() error {
	// The sections of older snapshots stand as they are.
	section := changelog.Section{Date: u.out.Report.New, Version: u.out.New.String(), Day: u.today(), Report: u.out.Report}
	existing, err := u.tx.Content(changelog.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := changelog.Render(existing, []changelog.Section{section}, templates(u.Root))
	if err != nil {
		return err
	}
	u.tx.Write(changelog.File, text)
	if u.out.Report.Bump == compare.Major {
		return u.migration(section)
	}
	return nil
}

var blankLines = regexp.MustCompile(`\n{3,}`)

// MigrationFile is the guide to a version that breaks.
func MigrationFile(v Version) string { return "docs/migrations/" + v.String() + ".md" }

// migration writes the guide to a version that breaks callers.
func (u *updater) migration(s changelog.Section) error {
	tmpl, err := template.ParseFS(templates(u.Root), "migration.md.tmpl")
	if err != nil {
		return err
	}
	type step struct {
		Text string
		Code []string
	}
	type group struct {
		Title string
		Steps []step
	}
	data := struct {
		Old, New, Date string
		Groups         []group
		Go             []string
	}{Old: u.out.Old.String(), New: u.out.New.String(), Date: s.Date}
	for _, g := range compare.Groups(s.Report.Of(compare.Breaking)) {
		out := group{Title: g.Title}
		for _, c := range g.Changes {
			one := step{Text: c.Markdown()}
			if code := c.Snippet(); code != "" {
				one.Code = strings.Split(code, "\n")
			}
			out.Steps = append(out.Steps, one)
		}
		data.Groups = append(data.Groups, out)
	}
	data.Go = u.out.Report.Go.Incompatible
	var b bytes.Buffer
	if err := tmpl.Execute(&b, data); err != nil {
		return err
	}
	u.tx.Write(MigrationFile(u.out.New), blankLines.ReplaceAll(b.Bytes(), []byte("\n\n")))
	return nil
}

// modulePath moves the module to the path of its next major version, where Go asks for that.
func (u *updater) modulePath() error {
	goMod, err := u.tx.Content("go.mod")
	if err != nil {
		return err
	}
	old, err := generator.ModulePath(goMod)
	if err != nil {
		return err
	}
	if err := u.requireVersion(old); err != nil {
		return err
	}
	revised := ModulePath(old, u.out.New)
	if revised == old {
		return nil
	}
	u.out.Notes = append(u.out.Notes, fmt.Sprintf("the module is called %s from now on: Go asks for the major version in the path", revised))
	files, err := moduleFiles(u.Root)
	if err != nil {
		return err
	}
	files = append(files, generatedPaths(u.tx)...)
	slices.Sort(files)
	for _, f := range slices.Compact(files) {
		content, err := u.tx.Content(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if moved := movePath(content, old, revised); !bytes.Equal(moved, content) {
			u.tx.Write(f, moved)
		}
	}
	return nil
}

func generatedPaths(tx *filetx.Tx) []string {
	return slices.DeleteFunc(tx.Paths(), func(p string) bool { return !mentionsModule(p) })
}
