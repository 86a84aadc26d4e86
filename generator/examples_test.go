package generator

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/generator/emit"
)

const repository = ".."

// All entries of examples.json fit the API, and nearly every method has one.
func TestEveryMethodHasAnExample(t *testing.T) {
	api, err := Load(Config{Root: repository})
	if err != nil {
		t.Fatal(err)
	}
	examples, err := readExamples(repository)
	if err != nil {
		t.Fatal(err)
	}
	_, problems, err := emit.Examples(api, examples, os.DirFS(filepath.Join(repository, "templates")))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("generator/examples.json: %v", p)
	}
	// The examples of new operations are due before a release, not before the tests.
	if missing, err := MissingExamples(repository, api); err != nil || len(missing) > 10 {
		t.Errorf("%d methods without an example, %v: %v", len(missing), err, missing)
	}
}

func TestBadExamples(t *testing.T) {
	api, err := Load(Config{Root: repository})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ data, want string }{
		"unknown method":    {`{"Payments":{"Refund":{"print":["id"]}}}`, "no method Payments.Refund"},
		"unknown service":   {`{"Widgets":{"Get":{"print":["id"]}}}`, "no method Widgets.Get"},
		"unknown entry":     {`{"Payments":{"Get":{"prints":["id"]}}}`, "prints"},
		"unknown param":     {`{"Payments":{"Create":{"params":{"amounts":1},"print":["id"]}}}`, "[amounts]"},
		"unknown value":     {`{"Payments":{"Create":{"params":{"currency":"XXX"},"print":["id"]}}}`, `no value "XXX"`},
		"a value too many":  {`{"Payments":{"Create":{"params":{"amount":[1]},"print":["id"]}}}`, "does not fit"},
		"no id":             {`{"Payments":{"Get":{"print":["id"]}}}`, "there is no id"},
		"nothing printed":   {`{"Payments":{"Get":{"given":"payment"}}}`, "print is empty"},
		"unknown member":    {`{"Payments":{"Get":{"given":"payment","print":["links.mandates"]}}}`, "no member mandates"},
		"a path too long":   {`{"Payments":{"Get":{"given":"payment","print":["amount.x"]}}}`, "has no members"},
		"params not needed": {`{"Customers":{"Get":{"given":"customer","params":{"a":1},"print":["id"]}}}`, "takes no params"},
	} {
		t.Run(name, func(t *testing.T) {
			examples, err := emit.ParseExamples([]byte(c.data))
			if err == nil {
				var problems []error
				_, problems, err = emit.Examples(api, examples, os.DirFS(filepath.Join(repository, "templates")))
				err = errors.Join(append(problems, err)...)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
