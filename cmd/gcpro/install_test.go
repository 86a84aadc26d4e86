package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

var rootModule = strings.TrimSuffix(reflect.TypeFor[gocardless.Client]().PkgPath(), "/gocardless")

// The command can be installed from a tag: from both modules, packed as a proxy serves them, without
// go.work and replace lines.
func TestInstallFromATag(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the program from scratch")
	}
	proxy, bin, cache := t.TempDir(), t.TempDir(), t.TempDir()
	version := "v" + gocardless.Version
	pack(t, proxy, rootModule, version, "../..")
	pack(t, proxy, rootModule+"/cmd/gcpro", version, ".")
	known, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "install", "-trimpath", rootModule+"/cmd/gcpro@"+version)
	c.Dir = bin
	// The module cache is a new one, so that the module packed here does not mix with the published
	// version. The real one serves the other modules.
	c.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod -modcacherw", "GOBIN="+bin, "GOMODCACHE="+cache, "GONOSUMDB="+rootModule+"*", "GONOSUMCHECK=1", "GOSUMDB=off",
		"GOPROXY=file://"+filepath.ToSlash(proxy)+",file://"+filepath.ToSlash(filepath.Join(strings.TrimSpace(string(known)), "cache", "download")))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	name := filepath.Join(bin, "gcpro")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	out, err := exec.Command(name, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "gcpro "+gocardless.Version) {
		t.Errorf("%v: %s", err, out)
	}
	goMod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(goMod), "replace ") || !strings.Contains(string(goMod), rootModule+" "+version+"\n") {
		t.Errorf("go.mod must have no replace line and require %s", version)
	}
}

// pack writes a module to a directory in the layout of a module proxy.
func pack(t *testing.T, proxy, path, version, dir string) {
	t.Helper()
	at := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	goMod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC().Format(time.RFC3339)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := zip.CreateFromDir(f, module.Version{Path: path, Version: version}, dir); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{version + ".mod": goMod, version + ".info": info, "list": []byte(version + "\n")} {
		if err := os.WriteFile(filepath.Join(at, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The help takes at most 50 ms of CPU time.
func BenchmarkHelp(b *testing.B) {
	best := time.Hour
	for b.Loop() {
		c := program(b, "", b.TempDir(), "--help")
		if err := c.Run(); err != nil {
			b.Fatal(err)
		}
		best = min(best, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
	}
	b.ReportMetric(float64(best.Microseconds())/1000, "cpu-ms/op")
}
