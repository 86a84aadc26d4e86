package gocardless

import (
	"net/url"
	"strings"
	"testing"
)

func TestExpandPath(t *testing.T) {
	plain, _ := parseBase("https://x.example", false)
	prefixed, _ := parseBase("https://x.example/a%2Fb/", false)
	for _, test := range []struct {
		base         *url.URL
		template, id string
		path, asSent string
	}{
		{plain, "/payments", "", "/payments", "/payments"},
		{plain, "/payments/{identity}", "PM1", "/payments/PM1", "/payments/PM1"},
		{plain, "/payments/{identity}/actions/cancel", "PM1", "/payments/PM1/actions/cancel", "/payments/PM1/actions/cancel"},
		{plain, "/payments/{identity}/actions/cancel", "a/b?c#d %é", "/payments/a/b?c#d %é/actions/cancel", "/payments/a%2Fb%3Fc%23d%20%25%C3%A9/actions/cancel"},
		{plain, "/payments/{identity}", "%2e%2e", "/payments/%2e%2e", "/payments/%252e%252e"},
		{plain, "/payments/{identity}", "...", "/payments/...", "/payments/..."},
		{prefixed, "/payments/{identity}", "PM1", "/a/b/payments/PM1", "/a%2Fb/payments/PM1"},
		{prefixed, "/payments", "", "/a/b/payments", "/a%2Fb/payments"},
	} {
		path, escaped, problems := expandPath(test.base, test.template, []string{test.id})
		u := url.URL{Path: path, RawPath: escaped}
		if problems != nil || path != test.path || u.EscapedPath() != test.asSent {
			t.Errorf("%s with %q: %q, sent as %q (%v)", test.template, test.id, path, u.EscapedPath(), problems)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, id := range []string{"PM1", "", ".", "..", "a/../b", "%2e%2e", "PM1/actions/retry?x=", "\x00", "é", "a\\b", "//", "a%2Fb", ";x", "\xff"} {
		f.Add(id)
	}
	base, _ := parseBase("https://x.example/prefix", false)
	f.Fuzz(func(t *testing.T, id string) {
		path, escaped, problems := expandPath(base, "/payments/{identity}/actions/cancel", []string{id})
		if problems != nil {
			if id != "" && id != "." && id != ".." {
				t.Fatalf("%q refused: %v", id, problems)
			}
			return
		}
		u := url.URL{Scheme: "https", Host: "x.example", Path: path, RawPath: escaped}
		wire := u.RequestURI()
		const head, tail = "/prefix/payments/", "/actions/cancel"
		segment, ok := strings.CutPrefix(wire, head)
		segment, ok2 := strings.CutSuffix(segment, tail)
		if !ok || !ok2 || strings.ContainsAny(segment, "/?#\\ ") {
			t.Fatalf("%q goes out as %q", id, wire)
		}
		if back, err := url.PathUnescape(segment); err != nil || back != id {
			t.Fatalf("%q arrives as %q", id, back)
		}
		if parsed, err := url.Parse(u.String()); err != nil || parsed.EscapedPath() != wire || parsed.JoinPath().EscapedPath() != wire {
			t.Fatalf("%q is not stable: %v %v", wire, parsed, err)
		}
	})
}

func FuzzDoPath(f *testing.F) {
	for _, raw := range []string{"/x", "/x?y=z", "/a%2Fb", "/../x", "/%2e%2e/x", "//x", "/a//b", "/x#y", "/%zz", "/a b", "/?", "/x?a/../b"} {
		f.Add(raw)
	}
	base, _ := parseBase("https://x.example/prefix", false)
	f.Fuzz(func(t *testing.T, raw string) {
		path, escaped, query, problem := parsePath(raw)
		if problem != "" {
			return
		}
		full, fullEscaped := join(base, path, escaped)
		u := url.URL{Scheme: "https", Host: "x.example", Path: full, RawPath: fullEscaped, RawQuery: query}
		if !strings.HasPrefix(u.RequestURI(), "/prefix/") {
			t.Fatalf("%q goes out as %q", raw, u.RequestURI())
		}
		parsed, err := url.Parse(u.String())
		if err != nil || parsed.Host != "x.example" || parsed.Path != full || parsed.Fragment != "" {
			t.Fatalf("%q goes out as %q and reads as %+v, %v", raw, u.String(), parsed, err)
		}
		for segment := range strings.SplitSeq(parsed.Path, "/") {
			if segment == ".." || segment == "." {
				t.Fatalf("%q goes out as %q", raw, u.String())
			}
		}
	})
}

// Two ids go into a path in order. No id leads to another path, and the error names each wrong one.
func TestPathWithSeveralIDs(t *testing.T) {
	base, err := url.Parse("https://example.com/v1")
	if err != nil {
		t.Fatal(err)
	}
	const template = "/creditors/{creditor_id}/notes/{identity}/actions/read"
	for _, c := range []struct {
		ids           []string
		path, escaped string
		fields        string
	}{
		{[]string{"CR1", "NO1"}, "/v1/creditors/CR1/notes/NO1/actions/read", "", ""},
		{[]string{"CR/1", "a b"}, "/v1/creditors/CR/1/notes/a b/actions/read", "/v1/creditors/CR%2F1/notes/a%20b/actions/read", ""},
		{[]string{"{identity}", "{x}"}, "/v1/creditors/{identity}/notes/{x}/actions/read", "/v1/creditors/%7Bidentity%7D/notes/%7Bx%7D/actions/read", ""},
		{[]string{"CR1", "{x}"}, "/v1/creditors/CR1/notes/{x}/actions/read", "/v1/creditors/CR1/notes/%7Bx%7D/actions/read", ""},
		{[]string{"", "NO1"}, "", "", "creditor_id"},
		{[]string{"..", "."}, "", "", "creditor_id id"},
		{[]string{"CR1", ""}, "", "", "id"},
	} {
		path, escaped, problems := expandPath(base, template, c.ids)
		var fields []string
		for _, p := range problems {
			fields = append(fields, p.Field)
		}
		if strings.Join(fields, " ") != c.fields || c.fields == "" && (path != c.path || escaped != c.escaped) {
			t.Errorf("%q: %q, %q, %v", c.ids, path, escaped, problems)
		}
	}
}
