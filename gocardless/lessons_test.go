package gocardless

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// Traps of the API's client libraries, and the tests that keep this one out of them.
// Each trap has been seen in a library that people use. A test is named with its
// directory when it is not in this package's own.
var traps = []struct {
	trap  string
	tests []string
}{
	// Requests that are repeated.
	{"a repeated POST or PUT arrives without its body", []string{"TestFaultsPlain", "TestFaultsHTTP1", "TestFaultsHTTP2", "TestStaleConnection", "TestAttemptsShareNothing", "TestOneKeyForAllAttempts"}},
	{"no delay between attempts, or one deaf to Retry-After, to the context, and without bound", []string{"TestBackoffWithFullJitter", "TestServersWaitIsObeyed", "TestNoWaitAfterTheLastAttempt", "TestDeadlineIsCheckedBeforeAWait", "TestCancelEndsAWaitAtOnce"}},
	{"network faults are not retried, and dead contexts are", []string{"TestFaultsPlain", "TestFaultsHTTP1", "TestFaultsHTTP2", "TestDeadContextSendsNothing", "TestContextThatEndsDuringAnAttemptIsNotRetried"}},
	{"a POST is never retried, or an action without protection is", []string{"TestFaultsPlain", "TestStaleConnection", "TestTransportCannotRepeatActions", "TestDoKinds", "TestOperations"}},
	{"a redirect after a POST is followed as a GET and its reply taken for the result", []string{"TestRedirects"}},

	// Idempotency.
	{"a conflict of keys on an action crashes, or is read again with the body as query", []string{"TestConflictReadsTheExistingResource", "TestConflictWithoutARead", "TestConflictAfterALostReply"}},
	{"found looks like created", []string{"TestConflictReadsTheExistingResource", "TestConflictAsError", "TestSoak"}},
	{"the caller's idempotency key is overridden or lost by the case of its name", []string{"TestCallersHeadersWin"}},
	{"nobody can take up a call whose outcome is not known", []string{"TestResumingByTheKeyOfAnError", "TestMayHaveRun", "TestSoak"}},

	// Replies.
	{"a reply that is not the API's loses status, body and headers, and is not retried", []string{"TestErrorBodies", "TestFaultsPlain", "TestFaultsHTTP1", "TestFaultsHTTP2"}},
	{"a 200 with HTML is a bare syntax error", []string{"TestUnreadableSuccess", "TestFaultsPlain"}},
	{"a 204 is reported as an error", []string{"TestNoContentIsSuccess", "TestFaultsHTTP1"}},
	{"a reply without status, headers, request id or rate limit for the caller", []string{"TestResponseRecord", "TestListAndNext"}},
	{"links and metadata of an error are dropped", []string{"TestErrorLinks", "TestErrorOfTheAPI"}},
	{"no time limit, and replies read without one of size", []string{"TestDefaultTransport", "TestTimeoutOfAnAttempt", "TestTimeoutOfADrippingBody", "TestFaultsPlain", "TestFaultsHTTP2"}},
	{"one odd field loses a page; unknown enum values and links are lost or break decoding", []string{"TestDecodeUnusualValues", "TestDecodeIntegers", "TestUnknownEnumValuesAreSent", "TestUnknownEnumValuesAreKept", "FuzzDecode", "contract/TestContractPayments"}},

	// Requests.
	{"false, zero, empty and null cannot be sent, and what was not set is", []string{"contract/TestAbsentAndZeroDiffer", "TestBodyField", "TestQuery"}},
	{"ids go into the path as they are", []string{"TestIDs", "TestExpandPath", "FuzzPath", "FuzzDoPath"}},
	{"the base URL is a format string that nobody checks", []string{"TestBaseURL"}},
	{"booleans, lists and nested filters are written as the language likes", []string{"TestQuery", "FuzzQuery", "contract/TestContractPayments"}},
	{"params, options or the user's http.Client are written to", []string{"TestParamsAreNotWrittenTo", "TestUsersHTTPClientIsNotChanged", "TestAllIsLazyAndRestartable"}},
	{"signatures that differ from the description in the target, the length, the type or the port", []string{"TestSignedRequests", "TestSignatureBase", "TestSignatureByOpenSSL", "TestEachAttemptIsSignedAfresh"}},

	// Lists.
	{"pagers that loop for ever, lose the start cursor, crash without meta or ignore the context", []string{"TestAllIsLazyAndRestartable", "TestAllStopsAtTheFirstError", "TestAllHonoursItsContext", "TestOddPages", "TestAllFromBefore", "TestNextStopsOnARepeatedCursor"}},

	// Webhooks.
	{"webhooks verified after parsing, with an empty secret, without a size limit, with one secret", []string{"TestParseWebhook", "TestVerifyWebhookRefuses", "TestNewWebhookHandlerRefuses", "TestWebhookHandlerStatus", "TestSignaturesAreComparedInConstantTime", "FuzzParseWebhook"}},

	// Around it.
	{"secrets and personal data in logs and errors", []string{"TestNothingPrivateInLogsAndErrors", "TestClientPrintsRedacted", "TestScrub", "TestLogLines", "FuzzScrub"}},
	{"a copy of the HTTP code for each operation", []string{"TestGeneratedMethodsHoldNoHTTP"}},
	{"test code ends up in the user's program", []string{"generator/TestSDKImportsOnlyTheStandardLibrary"}},
	{"examples that do not compile", []string{"./TestReadmeCode"}},
	{"tests that look at no method, path, header, query or body", []string{"TestCreateSendsTheWholeRequest", "TestReadSendsNoBodyAndNoKey", "contract/TestContractPayments"}},
	{"the rate limit is found out by running into it", []string{"TestRateLimitWaitOverrunsNoWindow", "TestRateLimitWaitIsFair", "TestRateLimitGroups"}},
}

// A trap whose test has gone is open again.
func TestEveryTrapHasItsTests(t *testing.T) {
	exists := map[string]bool{}
	for dir, prefix := range map[string]string{".": "", "..": "./", "../internal/contract": "contract/", "../generator": "generator/"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range tree.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
					exists[prefix+f.Name.Name] = true
				}
			}
		}
	}
	for _, trap := range traps {
		for _, name := range trap.tests {
			if !exists[name] {
				t.Errorf("%s: there is no test %s", trap.trap, name)
			}
		}
	}
}

// Requests are made in one place: what is generated names no part of net/http but
// the headers that a params type sets.
func TestGeneratedMethodsHoldNoHTTP(t *testing.T) {
	files, err := filepath.Glob("*_gen.go")
	if err != nil || len(files) < 45 {
		t.Fatalf("%d generated files, %v", len(files), err)
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "http" && s.Sel.Name != "Header" {
					t.Errorf("%s uses http.%s", file, s.Sel.Name)
				}
			}
			return true
		})
	}
}
