package bulk_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/bulk"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// A run that creates customers from a list, twice: the journal shows the second run that nothing is
// left to do.
func ExampleRun() {
	client := gocardlesstest.New().Client(gocardless.WithRateLimitWait())
	lines := func(yield func(bulk.Line[gocardless.CustomerCreateParams]) bool) {
		for i, name := range []string{"Frank", "Grace", "Heinz"} {
			params := gocardless.CustomerCreateParams{GivenName: new(name), FamilyName: new("Osborne"), Email: new("office@acmeplc.com")}
			if !yield(bulk.Line[gocardless.CustomerCreateParams]{Key: fmt.Sprint("import-1-line-", i), Params: params}) {
				return
			}
		}
	}
	dir, err := os.MkdirTemp("", "bulk")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for range 2 {
		journal, err := bulk.OpenFile(filepath.Join(dir, "import-1.ndjson"))
		if err != nil {
			log.Fatal(err)
		}
		report, err := bulk.Run(context.Background(), client, bulk.Customers, lines, journal, bulk.Options{})
		if err != nil {
			log.Fatal(err) // run it again to finish
		}
		fmt.Println("created", report.Created, "failed", report.Failed, "done before", report.Settled)
		if err := journal.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// created 3 failed 0 done before 0
	// created 0 failed 0 done before 3
}

// One line, for a program that has a queue of its own.
func ExampleCreate_Step() {
	client := gocardlesstest.New().Client()
	line := bulk.Line[gocardless.CustomerCreateParams]{
		Key:    "import-1-line-0",
		Params: gocardless.CustomerCreateParams{GivenName: new("Frank"), FamilyName: new("Osborne"), Email: new("frank@acmeplc.com")},
	}
	for range 2 {
		switch entry := bulk.Customers.Step(context.Background(), client, line); entry.State {
		case bulk.Created, bulk.Existing:
			fmt.Println(entry.State, entry.ID != "")
		case bulk.Failed:
			fmt.Println("refused:", entry.Message)
		case bulk.Open:
			fmt.Println("try again later")
		}
	}
	// Output:
	// created true
	// existing true
}
