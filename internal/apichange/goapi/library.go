package goapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/build"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// library imports packages from what the compiler knows about them. It is safe for concurrent use.
type library struct {
	root string // directory in which to ask the go command

	mu       sync.Mutex
	packages map[string]listed // by import path
	importer types.Importer
}

// listed is what the go command reports about a package.
type listed struct {
	ImportPath string
	Export     string // file of export data
	Error      *struct{ Err string }
}

// standard is the standard library, which is the same for every check.
var standard = newLibrary(build.Default.GOROOT)

func newLibrary(root string) *library {
	l := &library{root: root, packages: map[string]listed{}}
	l.importer = importer.ForCompiler(token.NewFileSet(), "gc", l.open)
	return l
}

// Import returns a package. It has to be among those asked for by find.
func (l *library) Import(importPath string) (*types.Package, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.importer.Import(importPath)
}

// find asks the go command where the export data of packages is: once for all of them, because a run
// takes longer than reading the data.
func (l *library) find(importPaths []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	missing := slices.DeleteFunc(slices.Clone(importPaths), func(importPath string) bool {
		_, ok := l.packages[importPath]
		return ok
	})
	if len(missing) == 0 {
		return nil
	}
	var stderr bytes.Buffer
	cmd := exec.Command("go", append([]string{"list", "-e", "-export", "-json=ImportPath,Export,Error", "--"}, missing...)...)
	cmd.Dir, cmd.Stderr = l.root, &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go list: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		l.packages[p.ImportPath] = p
	}
	return nil
}

func (l *library) open(importPath string) (io.ReadCloser, error) {
	p := l.packages[importPath]
	if p.Export == "" {
		why := "no export data"
		if p.Error != nil {
			why = p.Error.Err
		}
		return nil, fmt.Errorf("go list: %s", why)
	}
	return os.Open(p.Export)
}
