// Package emit turns the generator's model into files. Emitters touch no disk.
package emit

// File is one generated file; Path is relative to the output directory, with slashes.
type File struct {
	Path    string
	Content []byte
}
