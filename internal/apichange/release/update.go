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

// UpdateOptions states what to adopt and how.
type UpdateOptions struct {
	Root         string // of the module
	Source       string // file or URL
	Date         string // of the new snapshot; "" for the source's own if it has a later one, else today
	Words        bool   // the source's descriptions are ours to publish
	Names        map[string]string
	AllowRenames bool
	DryRun       bool // do everything but write
	Client       *http.Client
	Now          func() time.Time
}

// Updated reports what an update did.
type Updated struct {
	Report    *compare.Report // nil if the source means the same as the vendored document
	Old, New  Version
	Files     []string // that changed
	Notes     []string // for the maintainer
	Left      []string // changes of the source that our form cannot express
	Unwritten []string // places whose descriptions must still be written
}

// Update adopts a description of the API: it rewrites it in our form, moves the old snapshot to the history,
// regenerates the SDK, writes the changelog and raises the version. If the source means the same as the
// vendored document, or after an error, nothing changes.
func Update(ctx context.Context, o UpdateOptions) (*Updated, error) {
	unlock, err := filetx.Lock(o.Root)
	if err != nil {
		return nil, err
	}
	defer unlock()
	undone, err := filetx.Recover(o.Root)
	if err != nil {
		return nil, fmt.Errorf("undoing an interrupted update: %w", err)
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
		u.out.Notes = append([]string{"an earlier update was interrupted and has been undone"}, u.out.Notes...)
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
		return nil, err // the last chance to stop
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
	kept     map[string]bool   // places that stay unchanged
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
	rules, err := load.ParseOverlay(overlay)
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

// left returns the differences between the adopted document and a source in our form: update adopts or reports
// every change that a comparison finds. Places that were kept are reported elsewhere. For a source in another
// form it returns nothing, because that states everything differently.
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
		out = append(out, fmt.Sprintf("The descriptions of %d types and methods differ: enum values, parameters and examples keep ours.", reworded))
	}
	return out, nil
}

// isKept reports whether the source lacks something only because ours was kept.
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

// check returns what the generator does not understand in a document. It ignores stale overlay entries; load
// removes these.
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

// reserved returns the Go names that no new schema may get: all except those of schemas, which become free when
// their schema is removed.
func reserved(api *ir.API) map[string]string {
	names := maps.Clone(api.Taken)
	for _, t := range api.Types {
		if t.Schema != "" && t.GoName == name.Go(t.Schema) {
			delete(names, t.GoName)
		}
	}
	return names
}

// today returns the day of the update.
func (u *updater) today() string { return u.Now().UTC().Format(time.DateOnly) }

// date sets the date of the new snapshot, and moves the old one to the history.
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
		return fmt.Errorf("%s already exists: two snapshots have the same date", history)
	}
	u.tx.Write(history, u.vendored.Root.Format())
	u.tx.Write(schemaFile, u.root.Format())
	return nil
}

// nextOfDay returns the date of the next snapshot on the same day: 2026-01-31 is followed by 2026-01-31b and
// 2026-01-31c, which sort in this order, also as file names. It returns the same date after z.
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

// regenerate plans everything that follows from the new document.
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

// compare reports the changes. The old Go API is that of the files on disk.
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
		return fmt.Errorf("comparing the Go API: %w", err)
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
	// The sections of older snapshots stay unchanged.
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

// MigrationFile returns the path of the guide to a breaking version.
func MigrationFile(v Version) string { return "docs/migrations/" + v.String() + ".md" }

// migration writes the guide to a breaking version.
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

// modulePath raises the version that the other modules require. If the new major version needs another module
// path, it moves the module there.
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
	u.out.Notes = append(u.out.Notes, fmt.Sprintf("the module path is now %s: Go requires the major version in it", revised))
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
