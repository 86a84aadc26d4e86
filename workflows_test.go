package gocardlessgo_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow holds the parts of a workflow that these tests read. Whether it is valid, actionlint checks.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Permissions map[string]string
		Uses        string
		Needs       any // a name or a list
		Timeout     int `yaml:"timeout-minutes"`
		Strategy    struct {
			Matrix struct{ Go []string }
		}
		Steps []struct {
			Uses, Run string
			With      map[string]any
		}
	}
}

var (
	pinnedAction = regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	usesLine     = regexp.MustCompile(`(?m)^[\s-]*uses:\s*(.+?)\s*$`)
	makeCall     = regexp.MustCompile(`(?m)(?:^|[;&|]\s*)make\s+([^;&|\n]*)`)
	makeTarget   = regexp.MustCompile(`(?m)^([a-z0-9-]+):`)
)

// workflowProblems reports what is wrong with a workflow beyond what actionlint sees.
func workflowProblems(source string, targets []string) []string {
	var w workflow
	if err := yaml.Unmarshal([]byte(source), &w); err != nil {
		return []string{err.Error()}
	}
	var problems []string
	say := func(words ...string) { problems = append(problems, strings.Join(words, " ")) }
	for _, m := range usesLine.FindAllStringSubmatch(source, -1) {
		// A workflow of this repository is pinned by the commit that it is in.
		if !strings.HasPrefix(m[1], "./") && !pinnedAction.MatchString(m[1]) {
			say("uses", m[1], "which is not pinned by a commit with its version as comment")
		}
	}
	if w.Permissions == nil || len(w.Permissions) > 0 {
		say("the permissions at the top must be {}: each job asks for its own")
	}
	if strings.Contains(source, "pull_request_target") {
		say("pull_request_target runs the code of strangers with the repository's rights")
	}
	for name, job := range w.Jobs {
		if job.Permissions == nil {
			say(name, "does not say its permissions")
		}
		if job.Uses == "" && job.Timeout == 0 {
			say(name, "has no timeout-minutes")
		}
		for _, step := range job.Steps {
			if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
				say(name, "leaves the token where every later step can read it: persist-credentials must be false")
			}
			if strings.Contains(step.Run, "${{") {
				say(name, "puts an expression into a script, where its value would be code: pass it in env")
			}
			for _, call := range makeCall.FindAllStringSubmatch(step.Run, -1) {
				for _, word := range strings.Fields(call[1]) {
					if !strings.ContainsAny(word, "=$") && !slices.Contains(targets, word) {
						say(name, "makes", word, "which the Makefile does not know")
					}
				}
			}
		}
	}
	return problems
}

func makeTargets(t *testing.T) (targets []string) {
	t.Helper()
	for _, m := range makeTarget.FindAllStringSubmatch(readFile(t, "Makefile"), -1) {
		targets = append(targets, m[1])
	}
	return targets
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob(".github/workflows/*")
	if err != nil || len(files) < 3 {
		t.Fatalf("workflows: %v, %v", files, err)
	}
	for _, file := range files {
		for _, problem := range workflowProblems(readFile(t, file), makeTargets(t)) {
			t.Errorf("%s: %s", file, problem)
		}
	}
}

// Each rule of TestWorkflows finds what it is meant to find.
func TestWorkflowProblems(t *testing.T) {
	const good = `on: push
permissions: {}
jobs:
  a:
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789 # v1.2.3
        with:
          persist-credentials: false
      - run: make test NOTES="$X" && echo make it
  b:
    uses: ./.github/workflows/ci.yml
    permissions: {}
`
	targets := []string{"test"}
	if p := workflowProblems(good, targets); p != nil {
		t.Errorf("%q", p)
	}
	for _, c := range []struct{ old, new, says string }{
		{"0123456789012345678901234567890123456789 # v1.2.3", "v1", "not pinned"},
		{" # v1.2.3", "", "not pinned"},
		{" # v1.2.3", " # v1", "not pinned"},
		{"permissions: {}\njobs", "jobs", "must be {}"},
		{"permissions: {}\njobs", "permissions: {contents: read}\njobs", "must be {}"},
		{"on: push", "on: pull_request_target", "strangers"},
		{"    permissions:\n      contents: read\n", "", "a does not say its permissions"},
		{"./.github/workflows/ci.yml\n    permissions: {}", "./.github/workflows/ci.yml", "b does not say its permissions"},
		{"    timeout-minutes: 5\n", "", "no timeout"},
		{"persist-credentials: false", "fetch-depth: 0", "persist-credentials"},
		{"echo make it", "echo ${{ github.ref }}", "expression"},
		{"make test", "make test nonsense", "makes nonsense"},
		{"make test", "cd x && make nonsense", "makes nonsense"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("no %q to replace", c.old)
		}
		if p := workflowProblems(strings.Replace(good, c.old, c.new, 1), targets); len(p) != 1 || !strings.Contains(p[0], c.says) {
			t.Errorf("%q for %q: %q, want one that says %q", c.new, c.old, p, c.says)
		}
	}
}

// The oldest Go that ci.yml tests with is the one that go.mod promises.
func TestOldestGoIsTested(t *testing.T) {
	var w workflow
	if err := yaml.Unmarshal([]byte(readFile(t, ".github/workflows/ci.yml")), &w); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(readFile(t, "go.mod"))
	if m == nil || !slices.Equal(w.Jobs["test"].Strategy.Matrix.Go, []string{m[1], "stable"}) {
		t.Errorf("go.mod says %q, ci.yml tests with %q", m, w.Jobs["test"].Strategy.Matrix.Go)
	}
}

// A release tags every module that users install, after everything was checked and published: go
// install finds the command by its own tag, and that one requires the version of the root module.
func TestReleaseTagsTheModules(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("scripts/modules.sh compares paths as Unix writes them")
	}
	out, err := exec.Command("scripts/modules.sh", "tags", "v1.2.3").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var want []string
	for _, dir := range moduleDirs(t) {
		if dir != "/" && dir != "/tools" && !strings.HasPrefix(dir, "/examples/") && !strings.HasSuffix(dir, "test") {
			want = append(want, strings.TrimPrefix(dir, "/")+"/v1.2.3")
		}
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	if !slices.Equal(got, want) || !slices.Contains(got, "cmd/gcpro/v1.2.3") {
		t.Errorf("tags %q, want %q", got, want)
	}
	var w workflow
	if err := yaml.Unmarshal([]byte(readFile(t, ".github/workflows/release.yml")), &w); err != nil {
		t.Fatal(err)
	}
	publish := w.Jobs["publish"]
	order := []string{"make publish", "scripts/modules.sh tags"}
	for _, step := range publish.Steps {
		if len(order) > 0 && strings.Contains(step.Run, order[0]) {
			order = order[1:]
		}
	}
	if len(order) > 0 || fmt.Sprint(publish.Needs) != "[tag checks]" || publish.Permissions["contents"] != "write" {
		t.Errorf("the job publish needs %v, may %v, and has no step with %q in this order", publish.Needs, publish.Permissions, order)
	}
}

// Dependabot updates every module of the repository.
func TestDependabotKnowsEveryModule(t *testing.T) {
	modules := moduleDirs(t)
	var config struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directories []string
		}
	}
	if err := yaml.Unmarshal([]byte(readFile(t, ".github/dependabot.yml")), &config); err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, u := range config.Updates {
		if u.Ecosystem == "gomod" {
			known = append(known, u.Directories...)
		}
	}
	slices.Sort(known)
	if !slices.Equal(modules, known) {
		t.Errorf("dependabot.yml knows the modules %q, there are %q", known, modules)
	}
}

// moduleDirs lists the directories of the repository's modules, sorted, "/" first.
func moduleDirs(t *testing.T) (modules []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata" || d.Name() == "dist") {
			return fs.SkipDir
		}
		if d.Name() == "go.mod" {
			modules = append(modules, path.Join("/", filepath.ToSlash(filepath.Dir(name))))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(modules)
	return modules
}

var (
	exactTests  = regexp.MustCompile(`-run '(.*)' ((?:\./\S+ ?)+)`)
	withoutRace = regexp.MustCompile(`func (Test\w+)\(t \*testing\.T\) \{\n\twithoutRace\(t\)`)
)

// What the race detector skips, make test runs without it.
func TestTestsWithoutRaceAreRun(t *testing.T) {
	step := exactTests.FindStringSubmatch(readFile(t, "Makefile"))
	if step == nil {
		t.Fatal("the Makefile has no step for these tests")
	}
	pattern, found := regexp.MustCompile(step[1]), 0
	for _, dir := range strings.Fields(step[2]) {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, m := range withoutRace.FindAllStringSubmatch(readFile(t, file), -1) {
				if found++; !pattern.MatchString(m[1]) {
					t.Errorf("%s: make test never runs %s", file, m[1])
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d tests are without the race detector", found)
	}
}
