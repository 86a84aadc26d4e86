// Command gcpro calls the GoCardless API from a shell. It has a command for every operation,
// forwards webhooks to this machine, and serves a sandbox.
package main

import (
	"os"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/cli"
)

func main() { os.Exit(cli.Main()) }
