// Command gcpro calls the GoCardless API from a shell: every operation, webhooks on this machine,
// and a sandbox of its own.
package main

import (
	"os"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/cli"
)

func main() { os.Exit(cli.Main()) }
