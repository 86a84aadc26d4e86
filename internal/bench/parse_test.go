package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	results := parse(strings.NewReader(`goos: linux
BenchmarkGet/sdk-2         	  107059	     7 ns/op	     1000 cpu-ns/op	    4481 B/op	      30 allocs/op
BenchmarkGet/floor-2       	   56887	     7 ns/op	    22278 cpu-ns/op	    5528 B/op	      60 allocs/op
BenchmarkGet/sdk-2         	  107059	     7 ns/op	     9000 cpu-ns/op	    4481 B/op	      30 allocs/op
BenchmarkGet/floor-2       	   56887	     7 ns/op	     3722 cpu-ns/op	    5528 B/op	      60 allocs/op
BenchmarkGet/sdk-2         	  107059	     7 ns/op	     3000 cpu-ns/op	    4481 B/op	      30 allocs/op
BenchmarkPage/sdk-16       	       3	    50 ns/op	 233.62 MB/s	  50000000 cpu-ns/op	  433480 B/op	    7745 allocs/op
BenchmarkMemory/1000000-2  	       1	 50000000 ns/op	  28500000 peak-B
PASS
ok  	example.org/x	4.8s
`))
	if len(results) != 4 {
		t.Fatalf("got %d results, want 4: %+v", len(results), results)
	}
	get, floor := find(results, "Get/sdk"), find(results, "Get/floor")
	if get.median(cpuTime) != 3000 || floor.median(cpuTime) != 13000 || floor.median(allocations) != 60 {
		t.Errorf("medians: got %v, %v, %v, want 3000, 13000, 60", get.median(cpuTime), floor.median(cpuTime), floor.median(allocations))
	}
	if got := find(results, "Page/sdk").median(allocatedBytes); got != 433480 {
		t.Errorf("bytes next to a throughput: got %v", got)
	}
	var b strings.Builder
	printPairs(&b, results)
	printMemory(&b, results)
	for _, want := range []string{"3µs", "13µs", "0.23", "0.04–2.42", "0.50", "50ms", "1000000 payments: 28 MB"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %s:\n%s", want, b.String())
		}
	}
}
