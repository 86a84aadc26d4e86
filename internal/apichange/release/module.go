package release

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// mentionsModule reports whether the module's path must change in files of this kind.
func mentionsModule(name string) bool {
	if strings.HasPrefix(name, "tools/") || strings.HasPrefix(name, "schema/") || strings.HasPrefix(name, "docs/migrations/") || name == "CHANGELOG.md" {
		return false // another module, or a record of the past
	}
	base := path.Base(name)
	return base == "go.mod" || base == workFile || base == "Makefile" || base == ".goreleaser.yaml" ||
		slices.Contains([]string{".go", ".md", ".tmpl"}, path.Ext(name))
}

// moduleFiles lists the files below root that may mention the module's path.
func moduleFiles(root string) ([]string, error) {
	var out []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "dist" || d.Name() == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() && mentionsModule(name) {
			out = append(out, name)
		}
		return nil
	})
	return out, err
}

// movePath replaces a module path by another one, except in URLs of web pages.
func movePath(content []byte, old, revised string) []byte {
	var b bytes.Buffer
	for {
		i := bytes.Index(content, []byte(old))
		if i < 0 {
			b.Write(content)
			return b.Bytes()
		}
		after := content[i+len(old):]
		b.Write(content[:i])
		if bytes.HasSuffix(content[:i], []byte("://")) || !endsPath(after) {
			b.WriteString(old)
		} else {
			b.WriteString(revised)
		}
		content = after
	}
}

// endsPath reports whether a module path ends before the given text: at a package, a quote or a version.
func endsPath(after []byte) bool {
	return len(after) == 0 || bytes.IndexByte([]byte("/\"'`@ \t\r\n)"), after[0]) >= 0 && !bytes.HasPrefix(after, []byte("/tools"))
}
