// Package binaries tests what this repository installs on users' machines.
package binaries

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// taken holds the names of the vendor's own commands.
var taken = []string{"gc", "gocardless"}

const root = "../.."

var packageMain = regexp.MustCompile(`(?m)^package main$`)

// No program that "go install" would put on a user's PATH has the name of the vendor's.
func TestPrograms(t *testing.T) {
	found := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "testdata", "node_modules", "dist"}, d.Name()) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(file)
		if err != nil || !packageMain.Match(source) {
			return err
		}
		found++
		if name := filepath.Base(filepath.Dir(file)); slices.Contains(taken, name) {
			t.Errorf("%s makes a program called %s", file, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 3 {
		t.Errorf("only %d files of programs were found", found)
	}
}

// No archive, binary, image or package of a release has the vendor's name. Owners and addresses of
// repositories may contain it: they state whose SDK this is.
func TestRelease(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var config yaml.Node
	if err := yaml.Unmarshal(source, &config); err != nil {
		t.Fatal(err)
	}
	if problems := releaseProblems(&config, ""); len(problems) > 0 {
		t.Errorf("%s", strings.Join(problems, "\n"))
	}
	if !bytes.Contains(source, []byte("project_name: gcpro")) {
		t.Error("archives are called after the project, which is not gcpro")
	}
	// The check finds planted names.
	for _, bad := range []string{"project_name: gocardless", "builds: [{binary: gc}]", "dockers: [{image_templates: ['ghcr.io/owner/gocardless:latest']}]",
		"archives: [{name_template: 'gocardless_{{ .Os }}'}]"} {
		var node yaml.Node
		if err := yaml.Unmarshal([]byte(bad), &node); err != nil {
			t.Fatal(err)
		}
		if len(releaseProblems(&node, "")) == 0 {
			t.Errorf("%s was accepted", bad)
		}
	}
}

// Archives, packages and the cask contain the man pages and completions that a hook writes.
func TestReleaseHasManPagesAndCompletions(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	type file struct{ Src, Dst string }
	var config struct {
		Before   struct{ Hooks []string }
		Archives []struct{ Files []file }
		NFPMs    []struct{ Contents []file } `yaml:"nfpms"`
		Casks    []struct {
			Manpages    []string
			Completions map[string]string
		} `yaml:"homebrew_casks"`
	}
	if err := yaml.Unmarshal(source, &config); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(config.Before.Hooks, []string{"scripts/share.sh"}) {
		t.Errorf("hooks are %v", config.Before.Hooks)
	}
	has := func(files []file, src string) bool {
		return slices.ContainsFunc(files, func(f file) bool { return f.Src == src && f.Dst != "" })
	}
	for _, a := range config.Archives {
		if !has(a.Files, "build/share/man/*.1") || !has(a.Files, "build/share/completions/*") {
			t.Errorf("an archive has only %v", a.Files)
		}
	}
	for _, p := range config.NFPMs {
		for _, src := range []string{"man/*.1", "completions/gcpro.bash", "completions/_gcpro", "completions/gcpro.fish"} {
			if !has(p.Contents, "build/share/"+src) {
				t.Errorf("a package has no %s", src)
			}
		}
	}
	for _, c := range config.Casks {
		if !slices.Equal(c.Manpages, []string{"man/*.1"}) || len(c.Completions) != 3 {
			t.Errorf("the cask has %v and %v", c.Manpages, c.Completions)
		}
	}
	if len(config.Archives)*len(config.NFPMs)*len(config.Casks) == 0 {
		t.Error("archives, packages or the cask are missing")
	}
}

// names lists the members of the configuration that name what is published.
var names = []string{"project_name", "binary", "name_template", "image_templates", "images", "repositories", "package_name", "file_name_template"}

var word = regexp.MustCompile(`[A-Za-z0-9.-]+`)

func releaseProblems(n *yaml.Node, member string) []string {
	var out []string
	if n.Kind == yaml.ScalarNode && slices.Contains(names, member) {
		for _, w := range word.FindAllString(n.Value, -1) {
			if slices.Contains(taken, w) {
				out = append(out, member+" is "+n.Value)
			}
		}
	}
	for i, c := range n.Content {
		name := member
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			name = n.Content[i-1].Value
		}
		out = append(out, releaseProblems(c, name)...)
	}
	return out
}
