package goapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// library imports packages of the standard library and of other modules from the compiler's export data.
type library struct {
	root     string // directory of the go.mod that lists the other modules; "" if there are none
	wanted   []string
	packages map[string]listed
	importer types.Importer
}

// listed is what the go command reports about a package.
type listed struct {
	ImportPath string
	Export     string // file of export data
	Error      *struct{ Err string }
}

// standard caches what go list reported about packages of the standard library, which is the same for every root.
var standard = struct {
	sync.Mutex
	packages map[string]listed
}{packages: map[string]listed{}}

// newLibrary returns a library for the wanted packages. It runs the go command for all of them at once, because
// each run takes longer than reading the data.
func newLibrary(root string, wanted []string) *library {
	l := &library{root: root, wanted: wanted, packages: map[string]listed{}}
	l.importer = importer.ForCompiler(token.NewFileSet(), "gc", l.open)
	return l
}

func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

func (l *library) open(importPath string) (io.ReadCloser, error) {
	p, err := l.find(importPath)
	if err != nil {
		return nil, err
	}
	if p.Export == "" {
		why := "no export data"
		if p.Error != nil {
			why = p.Error.Err
		}
		return nil, fmt.Errorf("go list: %s", why)
	}
	return os.Open(p.Export)
}

func (l *library) find(importPath string) (p listed, err error) {
	packages := l.packages
	if isStandard(importPath) {
		standard.Lock()
		defer standard.Unlock()
		packages = standard.packages
	} else if l.root == "" {
		return p, errors.New("it belongs to another module")
	}
	if _, ok := packages[importPath]; !ok {
		found, err := list(l.root, slices.DeleteFunc(slices.Clone(l.wanted), func(other string) bool {
			return isStandard(other) != isStandard(importPath)
		}))
		if err != nil {
			return p, err
		}
		maps.Copy(packages, found)
	}
	return packages[importPath], nil
}

// list returns what go list reports about packages.
func list(dir string, importPaths []string) (map[string]listed, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", append([]string{"list", "-e", "-export", "-json=ImportPath,Export,Error", "--"}, importPaths...)...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages[p.ImportPath] = p
	}
	return packages, nil
}
