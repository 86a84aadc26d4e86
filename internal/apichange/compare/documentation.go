package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// docChange gathers the changed descriptions of one type or method, so that a rewritten document does not hide
// everything else.
type docChange struct {
	at       []at
	pointer  string
	what     string
	resource string
	members  map[string]bool
}

// describe records that the description of a member changed, or that of the type or method if member is "".
func (c *comparison) describe(a at, pointer, key, what, member string) {
	if c.docs == nil {
		c.docs = map[string]*docChange{}
	}
	d := c.docs[key]
	if d == nil {
		d = &docChange{pointer: pointer, what: what, members: map[string]bool{}}
		c.docs[key] = d
	}
	if member != "" {
		d.members[member] = true
	}
	d.at = append(d.at, a)
}

// documentation turns the gathered descriptions into changes.
func (c *comparison) documentation() {
	for _, key := range slices.Sorted(maps.Keys(c.docs)) {
		d := c.docs[key]
		members := slices.Sorted(maps.Keys(d.members))
		change := Change{
			Class: Documentation, Code: "documentation-changed", Pointer: d.pointer, Subject: key, Resource: d.resource, Details: members,
			Text: fmt.Sprintf("The documentation of %s changed.", d.what),
		}
		if len(members) > 0 {
			change.Text = fmt.Sprintf("The documentation of %s changed in %s.", d.what, summary(members))
		}
		for _, a := range d.at {
			c.add(a, change)
		}
	}
}

// summary names a few members and counts the rest.
func summary(members []string) string {
	const shown = 4
	quoted := make([]string, 0, shown)
	for i, m := range members {
		if i == shown && len(members) > shown+1 {
			return fmt.Sprintf("%s and %d more", strings.Join(quoted, ", "), len(members)-shown)
		}
		quoted = append(quoted, "`"+m+"`")
	}
	return list(quoted)
}

// sameText compares descriptions, ignoring how they are wrapped.
func sameText(a, b string) bool {
	return a == b || strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}
