package gocardlessgo_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

var module = strings.TrimSuffix(reflect.TypeFor[gocardless.Client]().PkgPath(), "/gocardless")

// prelude surrounds the snippets that are not whole programs. It makes what they use: a client, a
// context, a mandate and, where the snippet uses it, a database with the document's tables.
const prelude = `package main

import (
%[1]s)

func main() {
	ctx := context.Background()
	client, err := gocardless.NewFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	customer, err := client.Customers.Create(ctx, gocardless.CustomerCreateParams{Email: new("ada@example.com"), GivenName: new("Ada"), FamilyName: new("Lovelace"), CountryCode: new("GB")})
	if err != nil {
		log.Fatal(err)
	}
	account, err := client.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Ada Lovelace"), AccountNumber: new("55779911"), BranchCode: new("200000"), CountryCode: new("GB"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
	})
	if err != nil {
		log.Fatal(err)
	}
	mandate, err := client.Mandates.Create(ctx, gocardless.MandateCreateParams{Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID}})
	if err != nil {
		log.Fatal(err)
	}
%[2]s	if err := snippet(ctx, client, mandate); err != nil {
		log.Fatal(err)
	}
}

func snippet(ctx context.Context, client *gocardless.Client, mandate *gocardless.Mandate) error {
%[3]s
	return nil
}
`

const openDatabase = `	db, err = sql.Open("sqlite", "file::memory:?cache=shared")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, table := range []string{%s} {
		if _, err := db.ExecContext(ctx, table); err != nil {
			log.Fatal(err)
		}
	}
`

// packages are what snippets may import, by the name that they use.
var packages = map[string]string{
	"context": "context", "errors": "errors", "filepath": "path/filepath", "fmt": "fmt", "log": "log", "http": "net/http", "os": "os", "sql": "database/sql", "time": "time",
	"gocardless": module + "/gocardless", "eventsql": module + "/gocardless/eventsql",
	"bulk": module + "/gocardless/bulk", "reconcile": module + "/gocardless/reconcile", "workdays": module + "/gocardless/workdays",
}

var (
	goBlock  = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")
	sqlBlock = regexp.MustCompile("(?ms)^```sql\n(.*?)^```$")
	usesDB   = regexp.MustCompile(`\bdb\b`)
)

// document is a Markdown file that is being compiled.
type document struct{ tables []string }

// program completes a snippet.
func (d document) program(snippet string) string {
	database, declaration, imports := "", "", ""
	if usesDB.MatchString(snippet) {
		var tables []string
		for _, table := range d.tables {
			tables = append(tables, fmt.Sprintf("%q", table))
		}
		database = fmt.Sprintf(openDatabase, strings.Join(tables, ", "))
		declaration = "\nvar db *sql.DB\n"
		imports = "\t_ \"modernc.org/sqlite\"\n"
	}
	body := fmt.Sprintf(prelude, "", database, snippet) + declaration
	for name, path := range packages {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(body) {
			imports += fmt.Sprintf("\t%q\n", path)
		}
	}
	return strings.Replace(body, "import (\n", "import (\n"+imports, 1)
}

// TestDocumentedCode shows that every Go block of the documents compiles and runs, against the
// sandbox of gocardlesstest. A whole program is run as it is; a test file is run by go test.
func TestDocumentedCode(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the programs of all documents")
	}
	guides, err := filepath.Glob("docs/guides/*.md")
	if err != nil || len(guides) < 4 {
		t.Fatal(guides, err)
	}
	dir := t.TempDir()
	writeModule(t, dir)
	var programs, tests []string
	for _, path := range append(guides, "README.md", "docs/from-the-official-client.md", "docs/sandbox.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d document
		for _, m := range sqlBlock.FindAllStringSubmatch(string(text), -1) {
			d.tables = append(d.tables, m[1])
		}
		blocks := goBlock.FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no Go block", path)
		}
		for i, block := range blocks {
			name, code := fmt.Sprintf("%s-%d", strings.TrimSuffix(filepath.Base(path), ".md"), i+1), block[1]
			if strings.Contains(code, "*testing.T") {
				tests = append(tests, "./"+name)
				write(t, filepath.Join(dir, name, "block_test.go"), code)
				if err := os.CopyFS(filepath.Join(dir, name, "testdata"), os.DirFS("docs/guides/testdata")); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if !strings.HasPrefix(code, "package main") {
				code = d.program(code)
			}
			programs = append(programs, name)
			write(t, filepath.Join(dir, name, "block.go"), importable(t, code))
		}
	}
	write(t, filepath.Join(dir, "main.go"), allPrograms(programs))
	goCommand(t, dir, "build", "-ldflags=-s -w", "-o", "programs", ".")
	t.Run("tests", func(t *testing.T) { goCommand(t, dir, append([]string{"test", "-ldflags=-s -w"}, tests...)...) })
	for _, name := range programs {
		t.Run(name, func(t *testing.T) {
			sandbox := gocardlesstest.NewServer(t)
			cmd := exec.Command(filepath.Join(dir, "programs"), name)
			cmd.Env = append(os.Environ(), "GOCARDLESS_ACCESS_TOKEN=readme", "GOCARDLESS_ENVIRONMENT=sandbox", "GOCARDLESS_BASE_URL="+sandbox.URL,
				"GOCARDLESS_WEBHOOK_SECRET=secret")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if len(sandbox.Requests()) == 0 {
				t.Errorf("no request was made\n%s", out)
			}
		})
	}
}

// importable makes a package with the function Main of a program. All programs are linked together,
// because linking each of them takes longer than everything else.
func importable(t *testing.T, code string) string {
	t.Helper()
	const clause, function = "package main\n", "\nfunc main() {\n"
	if strings.Count(code, clause) != 1 || strings.Count(code, function) != 1 {
		t.Fatalf("not a program:\n%s", code)
	}
	code = strings.Replace(code, clause, "package block\n", 1)
	return strings.Replace(code, function, "\nfunc Main() {\n", 1)
}

// allPrograms is a program that runs the one that its argument names.
func allPrograms(names []string) string {
	imports, cases := "", ""
	for i, name := range names {
		imports += fmt.Sprintf("\tblock%d \"example.com/documents/%s\"\n", i, name)
		cases += fmt.Sprintf("\tcase %q:\n\t\tblock%d.Main()\n", name, i)
	}
	return fmt.Sprintf("package main\n\nimport (\n\t\"os\"\n\n%s)\n\nfunc main() {\n\tswitch os.Args[1] {\n%s\t}\n}\n", imports, cases)
}

// writeModule writes the go.mod of a user who also has a database driver.
func writeModule(t *testing.T, dir string) {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const driver = "examples/membership"
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(driver, name))
		if err != nil {
			t.Fatal(err)
		}
		own := strings.Replace(string(text), "module "+module+"/"+driver, "module example.com/documents", 1)
		if name == "go.mod" {
			own += "\nreplace " + module + " => " + root + "\n"
		}
		write(t, filepath.Join(dir, name), own)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
