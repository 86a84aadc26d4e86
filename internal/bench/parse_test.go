package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	results := parse(strings.NewReader(`goos: linux
BenchmarkGet/sdk-2         	  107059	     1000 ns/op	    4481 B/op	      30 allocs/op
BenchmarkGet/sdk-2         	  107059	     9000 ns/op	    4481 B/op	      30 allocs/op
BenchmarkGet/sdk-2         	  107059	     3000 ns/op	    4481 B/op	      30 allocs/op
BenchmarkGet/floor-2       	   56887	    22278 ns/op	    5528 B/op	      60 allocs/op
BenchmarkGet/floor-2       	   56887	     3722 ns/op	    5528 B/op	      60 allocs/op
BenchmarkPage/sdk-16       	       3	    50 ns/op	 233.62 MB/s	  433480 B/op	    7745 allocs/op
BenchmarkGenerate          	       3	 50000000 ns/op
PASS
ok  	example.org/x	4.8s
`))
	if len(results) != 4 {
		t.Fatalf("got %d results, want 4: %+v", len(results), results)
	}
	get, floor := find(results, "Get/sdk"), find(results, "Get/floor")
	if get.median(0) != 3000 || floor.median(0) != 13000 || floor.median(2) != 60 {
		t.Errorf("medians: got %v, %v, %v, want 3000, 13000, 60", get.median(0), floor.median(0), floor.median(2))
	}
	if got := find(results, "Page/sdk").median(1); got != 433480 {
		t.Errorf("bytes beside a throughput: got %v", got)
	}
	var b strings.Builder
	printPairs(&b, results)
	for _, want := range []string{"3µs", "13µs", "0.23", "0.50", "50ms"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %s:\n%s", want, b.String())
		}
	}
}
