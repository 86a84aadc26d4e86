package gocardless

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/loopback"
)

// Addresses of the two environments.
const (
	sandboxURL = "https://api-sandbox.gocardless.com"
	liveURL    = "https://api.gocardless.com"
)

// parseBase checks and parses a base URL. It accepts http for loopback addresses, and for others if
// plainHTTP is set, because it would send the token over a network unencrypted.
func parseBase(raw string, plainHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		// The cause contains the URL, which may contain a password.
		return nil, errors.New("gocardless: the base URL cannot be parsed")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("gocardless: the base URL must begin with https://")
	case u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("gocardless: the base URL has no host")
	case !validPort(u.Port()):
		return nil, errors.New("gocardless: the port of the base URL must be between 1 and 65535")
	case u.User != nil:
		return nil, errors.New("gocardless: the base URL must not contain a user name or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("gocardless: the base URL must not have a query or fragment")
	case u.Scheme == "http" && !plainHTTP && !loopback.Host(u.Hostname()):
		return nil, errors.New("gocardless: the base URL must use https; http is for loopback addresses and, with WithPlainHTTP, for a sandbox in another container")
	}
	if strings.Contains(u.Path, "//") || hasDotSegment(u.Path) {
		return nil, errors.New("gocardless: the path of the base URL has an empty, . or .. segment")
	}
	u.RawPath = strings.TrimSuffix(u.EscapedPath(), "/")
	u.Path = strings.TrimSuffix(u.Path, "/")
	if u.RawPath == u.Path {
		u.RawPath = ""
	}
	return u, nil
}

// validPort accepts "", which means the scheme's default port.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// expandPath puts an id into the variable segment of an operation's path. It returns the path in the
// two forms of [url.URL]: unescaped and, if that differs, escaped. Whatever the id contains, the
// path stays below the operation's own collection.
func expandPath(base *url.URL, template, id string) (path, escaped, problem string) {
	open := strings.IndexByte(template, '{')
	if open < 0 {
		return join(base, template, template)
	}
	end := strings.IndexByte(template, '}')
	if problem := segmentProblem(id); problem != "" {
		return "", "", problem
	}
	head, tail := template[:open], template[end+1:]
	if base.RawPath == "" && plainSegment(id) {
		return base.Path + head + id + tail, "", ""
	}
	return join(base, head+id+tail, head+url.PathEscape(id)+tail)
}

// expandSeveral is expandPath for a path with several variable segments. The problems name the
// segments.
func expandSeveral(base *url.URL, template string, ids []string) (path, escaped string, problems []Problem) {
	for _, id := range ids {
		head, rest, _ := strings.Cut(template, "{")
		name, tail, _ := strings.Cut(rest, "}")
		if problem := segmentProblem(id); problem != "" {
			if name == "identity" {
				name = "id"
			}
			problems = append(problems, Problem{Field: name, Message: problem})
		}
		path, escaped, template = path+head+id, escaped+head+url.PathEscape(id), tail
	}
	path, escaped, _ = join(base, path+template, escaped+template)
	return path, escaped, problems
}

// segmentProblem describes why an id cannot be a segment of a path, or returns "".
func segmentProblem(id string) string {
	switch id {
	case "":
		return "must not be empty"
	case ".", "..":
		// Escaping does not change the dots, and proxies and servers resolve them, so the request
		// would reach another path.
		return "must not be . or .."
	}
	return ""
}

func join(base *url.URL, path, escaped string) (string, string, string) {
	if base.RawPath == "" && path == escaped {
		return base.Path + path, "", ""
	}
	return base.Path + path, base.EscapedPath() + escaped, ""
}

// plainSegment reports whether a segment needs no escaping, as the API's ids do not.
func plainSegment(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// parsePath parses the path of a [Client.Do] call, which is escaped and may have a query.
func parsePath(raw string) (path, escaped, query, problem string) {
	if !strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "//") {
		return "", "", "", "must begin with one slash"
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' || r == '\\' }) {
		return "", "", "", "must be escaped, and must not have a fragment"
	}
	escaped, query, _ = strings.Cut(raw, "?")
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return "", "", "", "has a broken percent escape"
	}
	if strings.Contains(escaped, "//") || hasDotSegment(path) {
		return "", "", "", "must not have an empty, . or .. segment"
	}
	// Given an escaped path with a character that needs escaping, net/url would drop the escapes.
	switch canonical := (&url.URL{Path: path, RawPath: escaped}).EscapedPath(); {
	case path == escaped:
		escaped = canonical
	case canonical != escaped:
		return "", "", "", "must be escaped completely"
	}
	return path, escaped, query, ""
}

func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
