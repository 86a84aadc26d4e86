package gocardlessgo_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// prelude stands around the README's snippets that are no whole programs: it makes the client, the
// context and the mandate that they speak of.
const prelude = `package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"%[1]s/gocardless"
)

var (
	_ = errors.Is
	_ = fmt.Print
	_ = os.Getenv
	_ = time.Now
	_ json.RawMessage
	_ http.Handler
)

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
	if err := snippet(ctx, client, mandate); err != nil {
		log.Fatal(err)
	}
}

func snippet(ctx context.Context, client *gocardless.Client, mandate *gocardless.Mandate) error {
%[2]s
	return nil
}
`

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

func TestReadmeCode(t *testing.T) { runCode(t, "README.md") }

func TestMigrationGuideCode(t *testing.T) { runCode(t, "docs/from-the-official-client.md") }

// runCode shows that every Go block of a document compiles and runs, against the sandbox of
// gocardlesstest. A whole program is run as it stands; a test file is run by go test.
func runCode(t *testing.T, document string) {
	readme, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	blocks := goBlock.FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 3 {
		t.Fatalf("only %d Go blocks found", len(blocks))
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/gocardless-community/gocardless-go"
	dir := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	goMod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	goSum, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write("go.mod", strings.Replace(string(goMod), "module "+module, "module example.com/readme\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+root, 1))
	write("go.sum", string(goSum))
	for i, block := range blocks {
		name, code := fmt.Sprintf("block%d", i+1), block[1]
		switch {
		case strings.Contains(code, "*testing.T"):
			write(name+"/readme_test.go", code)
		case strings.HasPrefix(code, "package main"):
			write(name+"/main.go", code)
		default:
			write(name+"/main.go", fmt.Sprintf(prelude, module, code))
		}
	}
	for i, block := range blocks {
		name := fmt.Sprintf("block%d", i+1)
		t.Run(name, func(t *testing.T) {
			sandbox := gocardlesstest.NewServer(t)
			args := []string{"run", "-mod=mod", "./" + name}
			if strings.Contains(block[1], "*testing.T") {
				args = []string{"test", "-mod=mod", "./" + name}
			}
			cmd := exec.Command("go", args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOCARDLESS_ACCESS_TOKEN=readme", "GOCARDLESS_ENVIRONMENT=sandbox", "GOCARDLESS_BASE_URL="+sandbox.URL,
				"GOCARDLESS_WEBHOOK_SECRET=secret")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s\n%s", err, out, block[1])
			}
			if len(sandbox.Requests()) == 0 && !strings.Contains(block[1], "*testing.T") {
				t.Errorf("no request was made\n%s", out)
			}
		})
	}
}
