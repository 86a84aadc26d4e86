package gocardless

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
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

func TestQuery(t *testing.T) {
	var q query
	q.string("empty", "")
	q.string("text", "a b&c=d+é")
	q.int("zero", 0)
	q.int("limit", 50)
	q.int64("amount", -7)
	q.bool("unset", nil)
	q.bool("no", new(false))
	q.bool("yes", new(true))
	q.time("created_at[gte]", time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.FixedZone("", 3600)))
	q.time("created_at[lt]", time.Time{})
	q.date("charge_date[gt]", Date{2026, 1, 2})
	q.date("charge_date[lt]", Date{})
	queryList(&q, "status", []PaymentStatus{PaymentStatusPaidOut, "a,b"})
	queryList(&q, "none", []string(nil))
	q.stringMap("metadata", map[string]string{"b": "2", "a&": "1"})
	const want = "text=a%20b%26c%3Dd%2B%C3%A9&limit=50&amount=-7&no=false&yes=true&created_at%5Bgte%5D=2026-01-02T02%3A04%3A05.6Z" +
		"&charge_date%5Bgt%5D=2026-01-02&status=paid_out,a%2Cb&metadata%5Ba%26%5D=1&metadata%5Bb%5D=2"
	if got := q.finish(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestQueryCursor(t *testing.T) {
	for _, test := range []struct {
		name, cursor string
		want         string
	}{
		{"", "", "after=A&before=B&limit=2"}, {"after", "X&", "before=B&limit=2&after=X%26"}, {"before", "Y", "after=A&limit=2&before=Y"},
	} {
		q := query{cursorName: test.name, cursor: test.cursor}
		q.string("after", "A")
		q.string("before", "B")
		q.int("limit", 2)
		if got := q.finish(); got != test.want || q.after != "A" || q.before != "B" {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("name", "value", "key")
	f.Add("created_at[gte]", "2026-01-01T00:00:00Z", "a,b")
	f.Add("a&b", "c=d;e#f%", "\xff\x00 +")
	f.Fuzz(func(t *testing.T, name, value, key string) {
		var q query
		q.string(name, value)
		q.stringMap("metadata", map[string]string{key: value})
		queryList(&q, "list", []string{key, value})
		parsed, err := url.ParseQuery(q.finish())
		if err != nil {
			t.Fatalf("%q: %v", q.buf, err)
		}
		want := url.Values{}
		if value != "" {
			want.Add(name, value)
		}
		want.Add("metadata["+key+"]", value)
		want.Add("list", key+","+value)
		if !reflect.DeepEqual(parsed, want) {
			t.Fatalf("got %q, want %q", parsed, want)
		}
	})
}

func TestChecker(t *testing.T) {
	c := checker{envelope: "things"}
	c.required("there", true)
	c.required("missing", false)
	c.minLength("min", "äö", 3)
	c.minLength("min_ok", "äöü", 3)
	c.maxLength("max", "äöüß", 3)
	c.maxLength("max_ok", "äöü", 3)
	c.minimum("low", -2, -1)
	c.minimum("low_ok", -1, -1)
	c.maximum("high", 29, 28)
	c.maximum("high_ok", 28, 28)
	c.pattern("code", "12345a", "^[0-9]{6}$")
	c.pattern("code_ok", "123456", "^[0-9]{6}$")
	c.stringMap("metadata", map[string]string{"a": "1", "b": "2", "c": "3", "d~/e": "xx"}, 3, 5, 1)
	c.stringMap("metadata", map[string]string{"toolong": ""}, 3, 5, 1)
	c.stringMap("metadata_ok", map[string]string{"a": "1", "b": "2", "c": "3"}, 3, 5, 1)
	c.stringMap("unlimited", map[string]string{"a": "1", "b": "2", "c": "3", "d": strings.Repeat("x", 9999)}, -1, -1, -1)
	c.enter("outer")
	c.enterIndex("list", 2)
	c.required("inner", false)
	c.leave()
	c.leave()
	want := []Problem{
		{"/things/missing", "missing", "is required"},
		{"/things/min", "min", "must have at least 3 characters"},
		{"/things/max", "max", "must have at most 3 characters"},
		{"/things/low", "low", "must be at least -1"},
		{"/things/high", "high", "must be at most 28"},
		{"/things/code", "code", "must match ^[0-9]{6}$"},
		{"/things/metadata", "metadata", "must have at most 3 members"},
		{"/things/metadata/d~0~1e", "metadata.d~/e", "must have at most 1 characters"},
		{"/things/metadata", "metadata", "must not have a name of more than 5 characters"},
		{"/things/outer/list/2/inner", "outer.list.2.inner", "is required"},
	}
	if !reflect.DeepEqual(c.problems, want) {
		t.Errorf("got  %+v\nwant %+v", c.problems, want)
	}
}

// Query parameters have names, not places in a body.
func TestCheckedQueryParams(t *testing.T) {
	err := InstitutionListParams{BranchCode: "12-34-56"}.Validate()
	e := as[*ParamsError](t, err)
	if want := []Problem{{"", "branch_code", "must match ^[0-9]{6}$"}}; !reflect.DeepEqual(e.Problems, want) {
		t.Errorf("got %+v", e.Problems)
	}
	if err := (BalanceListParams{}).Validate(); err == nil {
		t.Error("balances without a creditor")
	}
}

// A field that the schema requires in one case only: a PayTo mandate needs a maximum amount for each
// payment.
func TestConditionalRequirement(t *testing.T) {
	request := func(scheme Scheme, constraints *MandateRequestConstraintsParams) error {
		return BillingRequestCreateParams{MandateRequest: &BillingRequestCreateParamsMandateRequest{Currency: new(CurrencyAUD), Scheme: new(scheme), Constraints: constraints}}.Validate()
	}
	if err := request(SchemeBacs, nil); err != nil {
		t.Errorf("bacs: %v", err)
	}
	for name, constraints := range map[string]*MandateRequestConstraintsParams{
		"no constraints": nil, "no amount": {},
	} {
		err := request(SchemePayTo, constraints)
		if err == nil || !strings.Contains(err.Error(), "constraints") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := request(SchemePayTo, &MandateRequestConstraintsParams{MaxAmountPerPayment: new(int64(1000))}); err != nil {
		t.Errorf("PayTo: %v", err)
	}
}

// An enum value that this version does not know is sent, for the API to check.
func TestUnknownEnumValuesAreSent(t *testing.T) {
	c, s := scripted(t, replyWith(201, paymentReply))
	params := paymentParams()
	params.Currency = "XYZ"
	if _, err := c.Payments.Create(t.Context(), params); err != nil || !strings.Contains(s.requests()[0].Body, `"currency":"XYZ"`) {
		t.Errorf("%v", err)
	}
}

func TestHTTPDates(t *testing.T) {
	want := time.Date(2023, 4, 19, 16, 10, 0, 0, time.UTC)
	for _, v := range []string{"Wed, 19 Apr 2023 16:10:00 GMT", "Wednesday, 19-Apr-23 16:10:00 GMT", "Wed Apr 19 16:10:00 2023"} {
		if got := parseHTTPTime(v); !got.Equal(want) {
			t.Errorf("%s: %v", v, got)
		}
	}
	for _, v := range []string{"", "60", "2023-04-19T16:10:00Z", "Wed, 19 Apr 2023"} {
		if got := parseHTTPTime(v); !got.IsZero() {
			t.Errorf("%s: %v", v, got)
		}
	}
}
