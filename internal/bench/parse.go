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
	values [3][]float64 // ns, bytes and allocations of an operation
}

// median returns the middle of the values of a unit, 0 if there are none.
func (r *result) median(unit int) float64 {
	v := slices.Sorted(slices.Values(r.values[unit]))
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

var units = []string{"ns/op", "B/op", "allocs/op"}

// processors is what the testing package appends to a name.
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
			unit := slices.Index(units, fields[j+1])
			if value, err := strconv.ParseFloat(fields[j], 64); err == nil && unit >= 0 {
				results[i].values[unit] = append(results[i].values[unit], value)
			}
		}
	}
	return results
}

// find returns the result of a name, nil if there is none.
func find(results []result, name string) *result {
	for i := range results {
		if results[i].name == name {
			return &results[i]
		}
	}
	return nil
}
