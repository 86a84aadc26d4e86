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

// parseBase checks and parses a base URL. It accepts http for loopback addresses, and for others but
// GoCardless's if plainHTTP is set, because it would send the token over a network unencrypted.
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
	case u.Scheme == "http" && strings.HasSuffix(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), ".gocardless.com"):
		return nil, errors.New("gocardless: the base URL must use https for GoCardless's servers")
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

// expandPath puts ids into the variable segments of an operation's path. It returns the path in the
// two forms of [url.URL]: unescaped and, if that differs, escaped. Whatever the ids contain, the path
// stays below the operation's own collection.
func expandPath(base *url.URL, template string, ids []string) (path, escaped string, problems []Problem) {
	path, escaped = template, template
	at, escapedAt := 0, 0
	for _, id := range ids {
		filled, end, name := fill(path, at, id)
		if name == "" {
			break // the operation takes no id
		}
		if problem := segmentProblem(id); problem != "" {
			problems = append(problems, Problem{Field: name, Message: problem})
		}
		if safe := url.PathEscape(id); safe == id && path == escaped {
			escaped, escapedAt = filled, end
		} else {
			escaped, escapedAt, _ = fill(escaped, escapedAt, safe)
		}
		path, at = filled, end
	}
	path, escaped = join(base, path, escaped)
	return path, escaped, problems
}

// fill replaces the first variable segment of a path from a place on. It returns the path, the place
// after the segment, and the name of the parameter, or "" if there is no such segment.
func fill(path string, from int, id string) (string, int, string) {
	open := strings.IndexByte(path[from:], '{') + from
	if open < from {
		return path, from, ""
	}
	end := strings.IndexByte(path[open:], '}') + open
	name := path[open+1 : end]
	if name == "identity" {
		name = "id"
	}
	return path[:open] + id + path[end+1:], open + len(id), name
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

// join puts a path below a base URL, in the two forms of [url.URL].
func join(base *url.URL, path, escaped string) (string, string) {
	if base.RawPath == "" && path == escaped {
		return base.Path + path, ""
	}
	return base.Path + path, base.EscapedPath() + escaped
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
