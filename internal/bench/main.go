// Command bench runs the benchmarks of the module and prints how the SDK compares with the
// floor: the same work done by hand with net/http and encoding/json, in the same run. Run it in
// the module's root, on a machine that does nothing else.
//
//	go run ./internal/bench [-count N] [-time D] [-raw FILE] [-quick]
//
// Times are medians. The raw output of the benchmarks goes to FILE, for benchstat.
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
	length := flag.Duration("time", time.Second, "how long it runs")
	raw := flag.String("raw", "", "file for the output of the benchmarks")
	quick := flag.Bool("quick", false, "leave out the cold build")
	flag.Parse()
	if err := run(os.Stdout, *count, *length, *raw, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, count int, length time.Duration, raw string, quick bool) error {
	output, err := benchmarks(count, length)
	if raw != "" {
		if err := os.WriteFile(raw, output, 0o666); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	printPairs(w, parse(bytes.NewReader(output)))
	return printProcess(w, quick)
}

// benchmarks runs the benchmarks of the packages that have some and returns their output.
func benchmarks(count int, length time.Duration) ([]byte, error) {
	var out bytes.Buffer
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", ".", "-benchmem", "-count", fmt.Sprint(count),
		"-benchtime", length.String(), "-timeout", "30m", "./gocardless", "./generator")
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, progress{}), os.Stderr
	err := cmd.Run()
	return out.Bytes(), err
}

// progress shows on the terminal that something happens.
type progress struct{}

func (progress) Write(p []byte) (int, error) {
	_, err := os.Stderr.Write(bytes.Repeat([]byte("."), bytes.Count(p, []byte("\n"))))
	return len(p), err
}

func printPairs(w io.Writer, results []result) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\n\ttime\tfloor\tratio\tbytes\tfloor\tratio\tallocations\tfloor\tratio\t")
	for _, r := range results {
		name, ok := strings.CutSuffix(r.name, "/sdk")
		if !ok {
			continue
		}
		fmt.Fprint(table, name)
		floor := find(results, name+"/floor")
		for i, show := range []func(float64) string{duration, plain, plain} {
			if floor == nil {
				fmt.Fprintf(table, "\t%s\t\t", show(r.median(i)))
				continue
			}
			fmt.Fprintf(table, "\t%s\t%s\t%.2f", show(r.median(i)), show(floor.median(i)), r.median(i)/floor.median(i))
		}
		fmt.Fprintln(table, "\t")
	}
	for _, r := range results {
		if !strings.HasSuffix(r.name, "/sdk") && !strings.HasSuffix(r.name, "/floor") {
			fmt.Fprintf(table, "%s\t%s\t\t\t%s\t\t\t%s\t\t\t\n", r.name, duration(r.median(0)), plain(r.median(1)), plain(r.median(2)))
		}
	}
	_ = table.Flush()
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

func plain(n float64) string { return fmt.Sprintf("%.0f", n) }

// printProcess prints what only whole processes show.
func printProcess(w io.Writer, quick bool) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
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
	fmt.Fprintf(w, "\nprogram with one call: %d kB, floor %d kB, the SDK adds %d kB\n", size[0]/1000, size[1]/1000, (size[0]-size[1])/1000)

	gen := filepath.Join(dir, "gen")
	if err := goCommand(nil, "build", "-buildvcs=false", "-o", gen, "./cmd/gen"); err != nil {
		return err
	}
	began := time.Now()
	check := exec.Command(gen, "check")
	check.Stderr = os.Stderr
	if err := check.Run(); err != nil {
		return fmt.Errorf("gen check: %w", err)
	}
	fmt.Fprintf(w, "generator, whole process: %v\n", time.Since(began).Round(10*time.Millisecond))
	if quick {
		return nil
	}
	return printColdBuild(w, filepath.Join(dir, "cache"))
}

// printColdBuild builds the SDK with an empty cache, and by itself once the standard library is
// in the cache.
func printColdBuild(w io.Writer, cache string) error {
	env := append(os.Environ(), "GOCACHE="+cache)
	list := exec.Command("go", "list", "-deps", "-f", "{{if .Standard}}{{.ImportPath}}{{end}}", "./gocardless")
	list.Stderr = os.Stderr
	deps, err := list.Output()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := goCommand(env, append([]string{"build"}, strings.Fields(string(deps))...)...); err != nil {
		return err
	}
	library := time.Since(began)
	began = time.Now()
	if err := goCommand(env, "build", "./gocardless"); err != nil {
		return err
	}
	fmt.Fprintf(w, "cold build: %v for the SDK alone, after %v for what it uses of the standard library\n",
		time.Since(began).Round(10*time.Millisecond), library.Round(10*time.Millisecond))
	return nil
}

func goCommand(env []string, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Env = env
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, text)
	}
	return nil
}
