package main

import (
	"bufio"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// result holds the runs of one benchmark.
type result struct {
	name   string
	values [len(units)][]float64 // by unit
}

// median returns the median of the values of a unit, or 0 if there are none.
func (r *result) median(unit int) float64 {
	v := slices.Sorted(slices.Values(r.values[unit]))
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// The units of results.
const (
	cpuTime = iota // in nanoseconds
	allocatedBytes
	allocations
	peakMemory // in bytes
)

var units = [...]string{cpuTime: "cpu-ns/op", allocatedBytes: "B/op", allocations: "allocs/op", peakMemory: "peak-B"}

// ratios returns the smallest and the largest ratio of the alternating runs of two benchmarks.
func ratios(a, b *result, unit int) (least, most float64) {
	for i := range min(len(a.values[unit]), len(b.values[unit])) {
		ratio := a.values[unit][i] / b.values[unit][i]
		if i == 0 {
			least = ratio
		}
		least, most = min(least, ratio), max(most, ratio)
	}
	return least, most
}

// processors matches the number of processors that the testing package appends to a name.
var processors = regexp.MustCompile(`-\d+$`)

// parse reads the output of go test -bench. The order is that of the first appearance.
func parse(r io.Reader) []result {
	var results []result
	for scan := bufio.NewScanner(r); scan.Scan(); {
		fields := strings.Fields(scan.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		i := slices.IndexFunc(results, func(r result) bool { return r.name == name })
		if i < 0 {
			i = len(results)
			results = append(results, result{name: name})
		}
		for j := 2; j+1 < len(fields); j += 2 {
			unit := slices.Index(units[:], fields[j+1])
			if value, err := strconv.ParseFloat(fields[j], 64); err == nil && unit >= 0 {
				results[i].values[unit] = append(results[i].values[unit], value)
			}
		}
	}
	return results
}

// find returns the result with the given name, or nil.
func find(results []result, name string) *result {
	for i := range results {
		if results[i].name == name {
			return &results[i]
		}
	}
	return nil
}
