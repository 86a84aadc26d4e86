package gocardlesstest

import "testing"

func BenchmarkGet(b *testing.B) {
	c := newCaller(b)
	c.strict = false
	id := c.ok("POST", "/customers", `{"customers":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com"}}`).str("id")
	b.ReportAllocs()
	for b.Loop() {
		c.do("GET", "/customers/"+id, "")
	}
}

func BenchmarkCreate(b *testing.B) {
	c := newCaller(b)
	c.strict = false
	b.ReportAllocs()
	for b.Loop() {
		c.do("POST", "/customers", `{"customers":{"given_name":"Ada","family_name":"Byron","email":"ada@example.com"}}`)
	}
}
