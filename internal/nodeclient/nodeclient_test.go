package nodeclient

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// clientPackage is the client in the npm registry.
const clientPackage = "gocardless-nodejs@10.1.2"

// install installs the client in a directory that later runs reuse. It skips the test if it cannot.
func install(t *testing.T) (modules string) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s here: the sandbox is not tested with GoCardless's client for Node.js", program)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	dir := filepath.Join(cache, "gocardless-go-test", strings.ReplaceAll(clientPackage, "@", "-"))
	done := filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", clientPackage).CombinedOutput()
	if err != nil {
		t.Skipf("npm cannot install %s (%v): the sandbox is not tested with it\n%s", clientPackage, err, out)
	}
	if err := os.WriteFile(done, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A step is a call of the client, or a change of the sandbox.
type step struct {
	As      string          `json:"as,omitempty"`
	Call    string          `json:"call,omitempty"`
	Has     string          `json:"has,omitempty"`
	Args    []any           `json:"args,omitempty"`
	Items   *int            `json:"items,omitempty"` // length of a list
	Want    json.RawMessage `json:"want,omitempty"`  // members of the result
	Error   *expectedError  `json:"error,omitempty"`
	Advance string          `json:"advance,omitempty"`
	Finish  string          `json:"finish,omitempty"`
	Payer   map[string]any  `json:"payer,omitempty"`
	Notices bool            `json:"notices,omitempty"`
}

type expectedError struct{ Type, Reason, Pointer string }

// A line is the output of the driver for a step.
type line struct {
	Result map[string]any
	Want   map[string]any
	Error  *struct {
		Name, Message string
		Errors        []struct {
			Reason  string
			Pointer string `json:"request_pointer"`
		}
	}
}

// notices collects the customer notifications in webhooks, for the driver.
type notices struct {
	mu  sync.Mutex
	ids []string
}

func (n *notices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.Method == http.MethodGet {
		_ = json.NewEncoder(w).Encode(n.ids)
		return
	}
	var body struct {
		Events []struct {
			Notifications []struct{ ID string } `json:"customer_notifications"`
		}
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	for _, e := range body.Events {
		for _, c := range e.Notifications {
			n.ids = append(n.ids, c.ID)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func TestScenario(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Node.js, and may install a package")
	}
	modules := install(t)
	var steps []step
	raw, err := os.ReadFile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&steps); err != nil {
		t.Fatal(err)
	}

	received := httptest.NewServer(&notices{})
	t.Cleanup(received.Close)
	sandbox, err := gocardlesstest.Start("127.0.0.1:0", gocardlesstest.WithControl(), gocardlesstest.WithRequestLog(10_000),
		gocardlesstest.WithFrozenClock(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)), gocardlesstest.WithCustomerNotifications(),
		gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{URL: received.URL, Secret: "secret"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sandbox.Shutdown(t.Context()) })

	lines := drive(t, modules, sandbox.URL, received.URL, "scenario.json")
	if len(lines) != len(steps) {
		t.Fatalf("the driver ran %d of %d steps", len(lines), len(steps))
	}
	seen := map[string]bool{}
	for _, r := range sandbox.Requests() {
		seen[r.Operation] = true
	}
	sent := replies(sandbox)
	for i := range steps {
		if problem := check(&steps[i], &lines[i], sent); problem != "" {
			args, _ := json.Marshal(steps[i].Args)
			t.Errorf("step %d, %s%s %s: %s", i+1, steps[i].Call, steps[i].Advance+steps[i].Finish, args, problem)
		}
	}
	var unseen []string
	for _, op := range operations(t) {
		if !seen[op] {
			unseen = append(unseen, clientCall(op))
		}
	}
	for call, has := range has(t, modules, sandbox.URL, unseen) {
		if has {
			t.Errorf("the scenario does not call %s", call)
		} else {
			t.Logf("the client does not have %s", call)
		}
	}
}

// clientCall returns the client's name for an operation.
func clientCall(operation string) string {
	resource, verb, _ := strings.Cut(operation, ".")
	if verb == "get" {
		verb = "find"
	}
	return camel(resource) + "." + camel(verb)
}

// has returns which calls the client has, because clients follow the API later than the SDK.
func has(t *testing.T, modules, base string, calls []string) map[string]bool {
	t.Helper()
	steps := make([]step, len(calls))
	for i, call := range calls {
		steps[i].Has = call
	}
	known := map[string]bool{}
	for i, l := range driveSteps(t, modules, base, steps) {
		has, ok := l.Result["has"].(bool)
		if !ok {
			t.Fatalf("%s: %+v", calls[i], l)
		}
		known[calls[i]] = has
	}
	return known
}

// driveSteps runs the driver with the given steps.
func driveSteps(t *testing.T, modules, base string, steps []step) []line {
	t.Helper()
	raw, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "steps.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return drive(t, modules, base, "", file)
}

// drive runs the driver.
func drive(t *testing.T, modules, base, notices, scenario string) []line {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "driver.mjs", modules, base, scenario)
	cmd.Env = append(os.Environ(), "NOTICES="+notices)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var lines []line
	scanner := bufio.NewScanner(bytes.NewReader(out))
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			l = line{} // a result that is not an object is not checked
		}
		lines = append(lines, l)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// check describes what is wrong with the outcome of a step.
func check(s *step, l *line, replies map[string][]byte) string {
	switch {
	case s.Error == nil && l.Error != nil:
		return fmt.Sprintf("%s: %s %v", l.Error.Name, l.Error.Message, l.Error.Errors)
	case s.Error != nil:
		return checkError(s.Error, l)
	case s.Call == "":
		return ""
	}
	for name, want := range l.Want {
		if !reflect.DeepEqual(l.Result[name], want) {
			return fmt.Sprintf("%s is %v, want %v", name, l.Result[name], want)
		}
	}
	if s.Items != nil && items(l.Result) != *s.Items {
		return fmt.Sprintf("%d items, want %d", items(l.Result), *s.Items)
	}
	if clientFaults[s.Call] != "" {
		return ""
	}
	return checkReply(l.Result, replies)
}

// errorClasses are the client's names for types of errors.
var errorClasses = map[string]string{
	"invalid_state": "InvalidStateError", "validation_failed": "ValidationFailedError", "invalid_api_usage": "InvalidApiUsageError",
}

// clientFaults are calls whose result the client loses.
var clientFaults = map[string]string{
	"fundsAvailabilities.check": "expects an envelope, which the API does not send",
}

func checkError(want *expectedError, l *line) string {
	if l.Error == nil {
		return fmt.Sprintf("done, want %v", *want)
	}
	if l.Error.Name != errorClasses[want.Type] || len(l.Error.Errors) == 0 {
		return fmt.Sprintf("%s: %s %v, want %v", l.Error.Name, l.Error.Message, l.Error.Errors, *want)
	}
	e := l.Error.Errors[0]
	// Clients read the reason of every item of a state error.
	if want.Reason != "" && e.Reason != want.Reason || want.Pointer != "" && e.Pointer != want.Pointer || want.Type == "invalid_state" && e.Reason == "" {
		return fmt.Sprintf("%v, want %v", l.Error.Errors, *want)
	}
	return ""
}

// items returns the length of the first list of a result.
func items(result map[string]any) int {
	for _, v := range result {
		if l, ok := v.([]any); ok {
			return len(l)
		}
	}
	return -1
}

// checkReply compares what the client returned with what the sandbox sent. The client removes the
// envelope and must keep everything else.
func checkReply(result map[string]any, replies map[string][]byte) string {
	response, ok := result["__response__"].(map[string]any)
	if !ok {
		return "" // a collected iterator
	}
	headers, _ := response["headers"].(map[string]any)
	id, _ := headers["x-request-id"].(string)
	sent, ok := replies[id]
	if !ok {
		return "the sandbox has no request " + id
	}
	delete(result, "__response__")
	var body map[string]any
	if err := json.Unmarshal(sent, &body); err != nil || len(sent) == 0 {
		return ""
	}
	if _, list := body["meta"]; !list && len(body) == 1 {
		for _, v := range body {
			if inner, ok := v.(map[string]any); ok {
				body = inner
			}
		}
	}
	if !reflect.DeepEqual(body, result) {
		return fmt.Sprintf("the client made %v of %s", result, sent)
	}
	return ""
}

// operations reads the names of all operations from the API's description.
func operations(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("../../schema/gocardless.json")
	if err != nil {
		t.Fatal(err)
	}
	var description struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	if err := json.Unmarshal(raw, &description); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, methods := range description.Paths {
		for _, op := range methods {
			if op.OperationID != "" {
				names = append(names, op.OperationID)
			}
		}
	}
	slices.Sort(names)
	return names
}

// The program that the compose file in the documentation runs works.
func TestFirstProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Node.js, and may install a package")
	}
	modules := install(t)
	sandbox := gocardlesstest.NewServer(t)
	c := exec.Command("node", "../../docs/sandbox/clients/first.cjs")
	c.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"), "GOCARDLESS_ACCESS_TOKEN=any", "GOCARDLESS_BASE_URL="+sandbox.URL)
	out, err := c.CombinedOutput()
	if made := sandbox.Requests(); err != nil || !strings.HasPrefix(string(out), "CU") || len(made) != 1 || made[0].Operation != "customers.create" {
		t.Errorf("%v, %d requests\n%s", err, len(made), out)
	}
}
