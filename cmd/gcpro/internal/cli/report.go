package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/render"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitRefusedHere = 3
	exitRefused     = 4
	exitNotFound    = 5
	exitPermission  = 6
	exitUnreachable = 7
	exitRateLimited = 8
	exitInterrupted = 130
)

const exitCodesText = `Exit codes:

  0    success
  1    any other failure, such as a file that cannot be written
  2    the command line is not valid
  3    refused before sending: invalid parameters, or no consent to write to live
  4    refused by the API: validation, state or usage
  5    not found
  6    the access token is missing, not valid or not permitted
  7    unreachable: no reply in time, a server error, or an unreadable reply;
       the message warns if the request may have been carried out
  8    rate limited
  130  interrupted
`

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "Explain the exit codes", Long: exitCodesText}
}

// refusal is the error of a request that was not sent, for reasons other than its parameters.
type refusal struct{ error }

func (e refusal) Unwrap() error { return e.error }

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// noToken is the error of a call without an access token.
type noToken struct{ error }

// codeOf returns the exit code for an error.
func codeOf(err error) int {
	switch {
	case err == nil:
		return exitOK
	case is[usageError](err):
		return exitUsage
	case is[refusal](err), is[*gocardless.ParamsError](err):
		return exitRefusedHere
	case is[noToken](err):
		return exitPermission
	case is[*gocardless.ConnectionError](err), is[*gocardless.MalformedResponseError](err):
		return exitUnreachable
	}
	return codeOfReply(err)
}

// is reports whether an error is of a type, or wraps one that is.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

func codeOfReply(err error) int {
	refused, ok := errors.AsType[*gocardless.Error](err)
	switch {
	case !ok && errors.Is(err, context.DeadlineExceeded):
		return exitUnreachable
	case !ok:
		return exitFailure
	case errors.Is(err, gocardless.ErrNotFound):
		return exitNotFound
	case errors.Is(err, gocardless.ErrAuthentication), errors.Is(err, gocardless.ErrPermission):
		return exitPermission
	case errors.Is(err, gocardless.ErrRateLimited):
		return exitRateLimited
	case refused.StatusCode >= 500:
		return exitUnreachable
	}
	return exitRefused
}

// report prints an error with hints, and returns the exit code.
func (a *app) report(c *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errQuiet) {
		return codeOf(err)
	}
	if strings.HasPrefix(err.Error(), "unknown command ") {
		err = usageError{err} // an error of cobra, which has no type
	}
	for line := range strings.Lines(render.SafeText(err.Error())) {
		fmt.Fprintln(a.errs, "gcpro: "+strings.TrimRight(line, "\n"))
	}
	for _, h := range hints(err) {
		fmt.Fprintln(a.errs, "hint: "+render.Safe(h))
	}
	if codeOf(err) == exitUsage && c != nil {
		fmt.Fprintf(a.errs, "hint: %s --help\n", c.CommandPath())
	}
	return codeOf(err)
}

// errQuiet marks an error that has been printed.
var errQuiet = errors.New("reported")

// quiet keeps the exit code of an error that has been printed.
func quiet(err error) error { return fmt.Errorf("%w: %w", errQuiet, err) }

// hints returns suggestions for what to do about an error.
func hints(err error) []string {
	var out []string
	var key, operation string
	var mayHaveRun bool
	if e, ok := errors.AsType[*gocardless.Error](err); ok {
		key, mayHaveRun, operation = e.IdempotencyKey, e.MayHaveRun, e.Operation
		for _, d := range e.Details {
			if flag := flagOf(d.RequestPointer); flag != "" {
				out = append(out, flag+": "+d.Message)
			}
		}
		if e.DocumentationURL != "" {
			out = append(out, "see "+e.DocumentationURL)
		}
		if e.StatusCode == 401 {
			out = append(out, "gcpro login stores another access token; sandbox and live have different ones")
		}
	}
	if e, ok := errors.AsType[*gocardless.ConnectionError](err); ok {
		key, mayHaveRun, operation = e.IdempotencyKey, e.MayHaveRun, e.Operation
	}
	if e, ok := errors.AsType[*gocardless.MalformedResponseError](err); ok {
		key, mayHaveRun, operation = e.IdempotencyKey, true, e.Operation
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		out = append(out, "no server listens at that address; gcpro sandbox starts a sandbox")
	}
	switch {
	case strings.HasPrefix(operation, "GET "): // changes nothing
	case mayHaveRun && key != "":
		out = append(out, "it may have been carried out; --idempotency-key "+key+" retries a create request safely")
	case mayHaveRun:
		out = append(out, "it may have been carried out: check before you retry it")
	}
	return out
}

// flagOf turns the pointer into a request body into the flag that sets the member.
func flagOf(pointer string) string {
	_, rest, ok := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	if !ok || rest == "" {
		return ""
	}
	return "--" + kebab(strings.ReplaceAll(rest, "/", "."))
}

// note prints a line that is not part of the result.
func (a *app) note(format string, args ...any) {
	fmt.Fprintln(a.errs, render.Safe(fmt.Sprintf(format, args...)))
}
