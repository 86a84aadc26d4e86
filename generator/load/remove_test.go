package load

import "testing"

func TestWithout(t *testing.T) {
	const before = `{
  "kinds": [
    {"operation": "a.b", "x": [1, 2]},
    {"operation": "c.d"},
    {"operation": "e.f"}
  ],
  "names": [{"pointer": "/a"}],
  "notes": [{"operations": ["a.b", "c.d", "e.f"], "note": "[,]"}]
}
`
	for _, c := range []struct {
		gone []string
		want string
	}{
		{nil, before},
		{[]string{"/kinds/1"}, `{
  "kinds": [
    {"operation": "a.b", "x": [1, 2]},
    {"operation": "e.f"}
  ],
  "names": [{"pointer": "/a"}],
  "notes": [{"operations": ["a.b", "c.d", "e.f"], "note": "[,]"}]
}
`},
		{[]string{"/kinds/0", "/kinds/1", "/names/0", "/notes/0/operations/0", "/notes/0/operations/2"}, `{
  "kinds": [
    {"operation": "e.f"}
  ],
  "names": [],
  "notes": [{"operations": ["c.d"], "note": "[,]"}]
}
`},
		{[]string{"/kinds/0", "/kinds/1", "/kinds/2"}, `{
  "kinds": [],
  "names": [{"pointer": "/a"}],
  "notes": [{"operations": ["a.b", "c.d", "e.f"], "note": "[,]"}]
}
`},
		{[]string{"/kinds/2", "/kinds/0"}, `{
  "kinds": [
    {"operation": "c.d"}
  ],
  "names": [{"pointer": "/a"}],
  "notes": [{"operations": ["a.b", "c.d", "e.f"], "note": "[,]"}]
}
`},
	} {
		var stale []Stale
		for _, pointer := range c.gone {
			stale = append(stale, Stale{Pointer: pointer})
		}
		if got, err := Without([]byte(before), stale); err != nil || string(got) != c.want {
			t.Errorf("without %v: %v\n%s", c.gone, err, got)
		}
	}
}
