// Package emit turns the generator's model into files, in memory.
package emit

// File is one generated file. Path is slash-separated and relative to the output directory.
type File struct {
	Path    string
	Content []byte
}
