package generator_test

import (
	"testing"

	"github.com/gocardless-community/gocardless-go/generator"
)

// BenchmarkGenerate is a whole run of the generator without writing the files.
func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		if _, err := generator.Generate(generator.Config{Root: root}); err != nil {
			b.Fatal(err)
		}
	}
}
