// Command demo is a tour of the SDK against a sandbox in this process, or, with
// GOCARDLESS_ACCESS_TOKEN set, against a sandbox account.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/internal/demo"
)

const usage = `usage: demo

A tour of the SDK against a sandbox in this process. It has no flags.

With GOCARDLESS_ACCESS_TOKEN set, it runs against your sandbox account and creates
customers, mandates and payments there. GOCARDLESS_BASE_URL names another server.
`

func main() {
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "demo: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, env func(string) string) error {
	token := env("GOCARDLESS_ACCESS_TOKEN")
	if token == "" {
		return demo.Local(ctx, out)
	}
	if e := env("GOCARDLESS_ENVIRONMENT"); e != "" && e != string(gocardless.EnvironmentSandbox) {
		return fmt.Errorf("GOCARDLESS_ENVIRONMENT is %q; the demo creates payments and runs only in the sandbox", e)
	}
	var opts []gocardless.ClientOption
	if u := env("GOCARDLESS_BASE_URL"); u != "" {
		opts = append(opts, gocardless.WithBaseURL(u))
	}
	client, err := gocardless.New(token, gocardless.EnvironmentSandbox, opts...)
	if err != nil {
		return err
	}
	return demo.Remote(ctx, out, client)
}
