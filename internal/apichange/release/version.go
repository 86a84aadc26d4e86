package release

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/apichange/compare"
)

// VersionFile holds the constant Version.
const VersionFile = "gocardless/version.go"

// Version is a semantic version without pre-release.
type Version struct{ Major, Minor, Patch int }

var versionForm = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$`)

// ParseVersion reads a version such as 1.2.3.
func ParseVersion(s string) (Version, error) {
	m := versionForm.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("version %q is not of the form 1.2.3", s)
	}
	var v Version
	for i, to := range []*int{&v.Major, &v.Minor, &v.Patch} {
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return Version{}, fmt.Errorf("version %q: %w", s, err)
		}
		*to = n
	}
	return v, nil
}

// String returns the version as 1.2.3.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Next returns the version after a bump. Before 1.0.0 a breaking change raises the minor number, and everything
// else the patch number.
func (v Version) Next(b compare.Bump) Version {
	if v.Major == 0 {
		b--
	}
	switch {
	case b >= compare.Major:
		return Version{v.Major + 1, 0, 0}
	case b == compare.Minor:
		return Version{v.Major, v.Minor + 1, 0}
	case b == compare.Patch, b == compare.None && v.Major == 0:
		return Version{v.Major, v.Minor, v.Patch + 1}
	}
	return v
}

// Breaks reports whether the version numbers allow v to break programs that use an older version.
func (v Version) Breaks(older Version) bool {
	return v.Major != older.Major || v.Major == 0 && v.Minor != older.Minor
}

// Less reports whether v comes before w.
func (v Version) Less(w Version) bool {
	if v.Major != w.Major {
		return v.Major < w.Major
	}
	if v.Minor != w.Minor {
		return v.Minor < w.Minor
	}
	return v.Patch < w.Patch
}

// ModulePath returns the path that a module must have at a version: from 2.0.0 on it ends in the
// major version, or Go refuses the tag.
func ModulePath(path string, v Version) string {
	base := path
	if i := strings.LastIndex(path, "/v"); i >= 0 {
		if _, err := strconv.Atoi(path[i+2:]); err == nil {
			base = path[:i]
		}
	}
	if v.Major < 2 {
		return base
	}
	return fmt.Sprintf("%s/v%d", base, v.Major)
}

// ReadVersion finds the constant Version in Go source.
func ReadVersion(source []byte) (Version, error) {
	literal, err := versionLiteral(source)
	if err != nil {
		return Version{}, err
	}
	s, err := strconv.Unquote(literal.Value)
	if err != nil {
		return Version{}, err
	}
	return ParseVersion(s)
}

// SetVersion returns Go source with another value for the constant Version and no other change.
func SetVersion(source []byte, v Version) ([]byte, error) {
	literal, err := versionLiteral(source)
	if err != nil {
		return nil, err
	}
	start := int(literal.Pos()) - 1 // positions in a file set of one file begin at 1
	var b bytes.Buffer
	b.Write(source[:start])
	b.WriteString(strconv.Quote(v.String()))
	b.Write(source[start+len(literal.Value):])
	return b.Bytes(), nil
}

func versionLiteral(source []byte) (*ast.BasicLit, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "version.go", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, spec := range gen.Specs {
			if literal := stringOf(spec, "Version"); literal != nil {
				return literal, nil
			}
		}
	}
	return nil, errors.New("no constant Version with a string value")
}

// stringOf returns the string that a specification assigns to a name, or nil.
func stringOf(spec ast.Spec, name string) *ast.BasicLit {
	value, ok := spec.(*ast.ValueSpec)
	if !ok {
		return nil
	}
	i := slices.IndexFunc(value.Names, func(id *ast.Ident) bool { return id.Name == name })
	if i < 0 || i >= len(value.Values) {
		return nil
	}
	if literal, ok := value.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
		return literal
	}
	return nil
}
