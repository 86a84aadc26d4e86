// Command bench runs the benchmarks of the module and prints how the SDK compares with the
// floor: the same work done by hand with net/http and encoding/json. Run it in the module's root.
//
//	go run ./internal/bench [-count N] [-time D] [-raw FILE] [-quick]
//
// It compares the CPU time of all threads of a process that does nothing else; for the rows over
// HTTP, the server is another process. Each run has a process of its own, and runs of the SDK and of
// the floor alternate, so that a busy moment slows both. The table shows the ratio of the medians,
// with the smallest and the largest ratio of the runs. FILE receives the raw output, for benchstat.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	count := flag.Int("count", 5, "how often each benchmark runs")
	length := flag.Duration("time", 400*time.Millisecond, "how long each run takes")
	raw := flag.String("raw", "", "file for the output of the benchmarks")
	quick := flag.Bool("quick", false, "leave out the cold build")
	flag.Parse()
	if err := run(os.Stdout, *count, *length, *raw, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, count int, length time.Duration, raw string, quick bool) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	output, err := benchmarks(dir, count, length)
	if raw != "" {
		if err := os.WriteFile(raw, output, 0o666); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	results := parse(bytes.NewReader(output))
	printPairs(w, results)
	printMemory(w, results)
	return printProcess(w, dir, quick)
}

// benchmarks runs the benchmarks of the SDK and returns their output.
func benchmarks(dir string, count int, length time.Duration) ([]byte, error) {
	binary := filepath.Join(dir, "bench.test")
	if err := goCommand(nil, "test", "-c", "-o", binary, "./gocardless"); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	bench := func(pattern, length string) error {
		cmd := exec.Command(binary, "-test.run", "^$", "-test.bench", pattern, "-test.benchmem", "-test.benchtime", length)
		cmd.Dir = "gocardless"
		cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, progress{}), os.Stderr
		return cmd.Run()
	}
	// Run each benchmark once to learn its name.
	if err := bench(".", "1x"); err != nil {
		return out.Bytes(), err
	}
	names := parse(bytes.NewReader(out.Bytes()))
	out.Reset()
	if err := bench("^Benchmark"+memory+"$", "1x"); err != nil {
		return out.Bytes(), err
	}
	for range count {
		for _, r := range names {
			if strings.HasPrefix(r.name, memory+"/") {
				continue
			}
			if err := bench("^Benchmark"+strings.ReplaceAll(r.name, "/", "$/^")+"$", length.String()); err != nil {
				return out.Bytes(), err
			}
		}
	}
	return out.Bytes(), nil
}

// progress prints a dot for each result.
type progress struct{}

func (progress) Write(p []byte) (int, error) {
	_, err := os.Stderr.Write(bytes.Repeat([]byte("."), bytes.Count(p, []byte("ns/op"))))
	return len(p), err
}

func printPairs(w io.Writer, results []result) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\n\tCPU time\tfloor\tratio\truns\tbytes\tfloor\tratio\tallocations\tfloor\tratio\t")
	for _, r := range results {
		name, ok := strings.CutSuffix(r.name, "/sdk")
		floor := find(results, name+"/floor")
		if !ok || floor == nil {
			continue
		}
		least, most := ratios(&r, floor, cpuTime)
		fmt.Fprintf(table, "%s\t%s\t%s\t%.2f\t%.2f–%.2f", name, duration(r.median(cpuTime)), duration(floor.median(cpuTime)),
			r.median(cpuTime)/floor.median(cpuTime), least, most)
		for _, unit := range []int{allocatedBytes, allocations} {
			fmt.Fprintf(table, "\t%.0f\t%.0f\t%.2f", r.median(unit), floor.median(unit), r.median(unit)/floor.median(unit))
		}
		fmt.Fprintln(table, "\t")
	}
	for _, r := range results {
		name, ok := strings.CutSuffix(r.name, "/sdk")
		if ok && find(results, name+"/floor") == nil {
			fmt.Fprintf(table, "%s\t%s\t\t\t\t%.0f\t\t\t%.0f\t\t\t\n", name, duration(r.median(cpuTime)), r.median(allocatedBytes), r.median(allocations))
		}
	}
	_ = table.Flush()
}

// memory names the benchmark that measures memory.
const memory = "Memory"

func printMemory(w io.Writer, results []result) {
	for _, r := range results {
		if items, ok := strings.CutPrefix(r.name, memory+"/"); ok {
			fmt.Fprintf(w, "memory of a process that has iterated over %s payments: %.0f MB at most\n", items, r.median(peakMemory)/1e6)
		}
	}
}

func duration(ns float64) string {
	d := time.Duration(ns)
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(10 * time.Nanosecond).String()
}

// printProcess prints the sizes and times of whole programs.
func printProcess(w io.Writer, dir string, quick bool) error {
	var size [2]int64
	for i, name := range []string{"sdk", "floor"} {
		out := filepath.Join(dir, name)
		if err := goCommand(nil, "build", "-buildvcs=false", "-o", out, "./gocardless/testdata/size/"+name); err != nil {
			return err
		}
		info, err := os.Stat(out)
		if err != nil {
			return err
		}
		size[i] = info.Size()
	}
	fmt.Fprintf(w, "program with one call: %d kB, floor %d kB, the SDK adds %d kB\n", size[0]/1000, size[1]/1000, (size[0]-size[1])/1000)

	gen := filepath.Join(dir, "gen")
	if err := goCommand(nil, "build", "-buildvcs=false", "-o", gen, "./cmd/gen"); err != nil {
		return err
	}
	check := exec.Command(gen, "check")
	check.Stderr = os.Stderr
	if err := check.Run(); err != nil {
		return fmt.Errorf("gen check: %w", err)
	}
	fmt.Fprintf(w, "generator, whole process: %s of CPU time\n", cpuOf(check))
	if quick {
		return nil
	}
	return printColdBuild(w, filepath.Join(dir, "cache"))
}

// printColdBuild measures the compilation of the SDK without the standard library, which it first
// builds into an empty cache.
func printColdBuild(w io.Writer, cache string) error {
	env := append(os.Environ(), "GOCACHE="+cache)
	list := exec.Command("go", "list", "-deps", "-f", "{{if .Standard}}{{.ImportPath}}{{end}}", "./gocardless")
	list.Stderr = os.Stderr
	deps, err := list.Output()
	if err != nil {
		return err
	}
	if err := goCommand(env, append([]string{"build"}, strings.Fields(string(deps))...)...); err != nil {
		return err
	}
	build := exec.Command("go", "build", "./gocardless")
	build.Env, build.Stderr = env, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	fmt.Fprintf(w, "compiling the SDK alone: %s of CPU time%s\n", cpuOf(build), peakOf(build))
	return nil
}

// cpuOf returns the CPU time of a command that has ended, and of the commands that it ran.
func cpuOf(cmd *exec.Cmd) string {
	return duration(float64(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()))
}

func goCommand(env []string, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Env = env
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, text)
	}
	return nil
}
