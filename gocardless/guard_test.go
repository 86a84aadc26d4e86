package gocardless

import (
	"debug/elf"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"
)

// The tests of this file guard what the benchmarks achieved. They count allocations and bytes,
// which are the same on every machine, and no time. With the race detector, which makes pools
// forget at random, the bounds are the promised ones; without it they are what is reached.

// guard is a bound that must hold always, and a closer one.
type guard struct{ promised, reached float64 }

func (g guard) check(t *testing.T, what string, got float64) {
	t.Helper()
	bound := g.reached
	if raceDetector {
		bound = g.promised
	}
	t.Logf("%s: %.0f", what, got)
	if got > bound {
		t.Errorf("%s: %.0f, want at most %.0f", what, got, bound)
	}
}

// withoutRace skips a test under the race detector, where its bounds do not hold or where it would show
// nothing for its time. make test runs it in another step.
func withoutRace(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("runs without the race detector")
	}
}

// allocated returns allocations and bytes of one call of f.
func allocated(t *testing.T, runs int, f func() error) (count, bytes float64) {
	t.Helper()
	if err := f(); err != nil { // fills the pools
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(runs), float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)
}

func TestAllocationsOfACall(t *testing.T) {
	client := benchClient(t, benchEnvelope)
	get, _ := allocated(t, 500, func() error {
		_, err := client.Payments.Get(t.Context(), "PM000000000001")
		return err
	})
	guard{promised: 45, reached: 23.5}.check(t, "allocations of a get", get)
	create, _ := allocated(t, 500, func() error { return benchCreate(t.Context(), client) })
	guard{promised: 60, reached: 39.5}.check(t, "allocations of a create", create)
	plain := &http.Client{Transport: benchEnvelope}
	floor, _ := allocated(t, 500, func() error {
		err := floorGet(t.Context(), plain, benchBase)
		return err
	})
	reached := 42.0
	if nextJSON {
		reached = 72 // its floor is lower
	}
	guard{promised: 115, reached: reached}.check(t, "allocations of a get, in percent of the floor", 100*get/floor)
}

func TestAllocationsOfAPage(t *testing.T) {
	client := benchClient(t, newBenchList(1))
	count, bytes := allocated(t, 10, func() error {
		_, err := client.Payments.List(t.Context(), PaymentListParams{Limit: 500})
		return err
	})
	guard{promised: 6000, reached: 1700}.check(t, "allocations of a page of 500", count)
	guard{promised: 650_000, reached: 480_000}.check(t, "bytes of a page of 500", bytes)
}

func TestAllocationsOfAnIteration(t *testing.T) {
	withoutRace(t)
	pages := 200
	if testing.Short() {
		pages = 20
	}
	scale := float64(200 / pages)
	client := benchClient(t, newBenchList(pages))
	count, bytes := allocated(t, 1, func() error {
		for _, err := range client.Payments.All(t.Context(), PaymentListParams{Limit: 500}) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	guard{promised: 900_000, reached: 340_000}.check(t, "allocations of 100,000 payments", count*scale)
	// Besides the payments themselves, which grow with the API, there are their strings and maps,
	// and a new buffer for a page when the pool has lost the old one.
	reached := 100_000 * (float64(unsafe.Sizeof(Payment{})) + 720)
	guard{promised: 116_000_000, reached: reached}.check(t, "bytes of 100,000 payments", bytes*scale)
}

// TestProgramSize builds a program that makes one call, with the SDK and by hand, and one that iterates
// over a list.
func TestProgramSize(t *testing.T) {
	withoutRace(t)
	if testing.Short() {
		t.Skip("builds three programs")
	}
	size := func(name string) float64 {
		out := filepath.Join(t.TempDir(), name)
		// With what debuggers read, but without the directory and the state of the repository, which
		// are not code.
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", out, "./testdata/size/"+name)
		if text, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, text)
		}
		return float64(contentSize(t, out))
	}
	sdk, floor := size("sdk"), size("floor")
	guard{promised: 100_000, reached: 100_000}.check(t, "bytes that the SDK adds to a program", sdk-floor)
	guard{promised: 300_000, reached: 295_000}.check(t, "bytes that it adds to a program with a list", size("list")-floor)
}

// contentSize returns the size of a program without the padding to whole pages, where it is an ELF
// file: each of three segments is padded, so that one byte more can make the file 4 kB larger, and
// 8 kB less leave it as it is.
func contentSize(t *testing.T, name string) uint64 {
	t.Helper()
	program, err := elf.Open(name)
	if err != nil {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return uint64(info.Size())
	}
	defer func() { _ = program.Close() }()
	var size uint64
	for _, section := range program.Sections {
		if section.Type != elf.SHT_NOBITS { // takes memory, and no room in the file
			size += section.FileSize
		}
	}
	return size
}
