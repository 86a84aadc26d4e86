package api

import (
	"net/url"
	"strings"
)

// Nesting is how a path leads through another resource to its own, as
// /creditors/{creditor_id}/notes/{identity} does.
type Nesting struct {
	Parent string // collection on the way: "creditors"; "" when there is none
	Inside bool   // the last id is that of the parent: the path is that of the nested collection
}

// Nesting returns that of the operation's path.
func (o *Operation) Nesting() Nesting {
	var n Nesting
	if !strings.Contains(o.Path, "}/") {
		return n // as most, whose id comes last: every call asks
	}
	segments := strings.Split(o.Path, "/")
	for i, s := range segments {
		if !strings.HasPrefix(s, "{") || i < 2 {
			continue
		}
		n.Inside = i+1 < len(segments) && segments[i+1] != "actions"
		if n.Inside {
			n.Parent = segments[i-1]
		}
	}
	return n
}

// ParentID returns the id of the resource that a path leads through, "" if there is none.
func (o *Operation) ParentID(escapedPath string) string {
	if o == nil || strings.Count(o.Path, "{") < 2 {
		return ""
	}
	ids := o.ids(escapedPath)
	return ids[len(ids)-2]
}

// ids returns what a path has in the variable segments of the operation's, or nil if it is not of that
// form.
func (o *Operation) ids(escapedPath string) []string {
	want, have := strings.Split(o.Path, "/"), strings.Split(escapedPath, "/")
	if len(want) != len(have) {
		return nil
	}
	var ids []string
	for i, segment := range have {
		if !strings.HasPrefix(want[i], "{") {
			if segment != want[i] {
				return nil
			}
			continue
		}
		id, err := url.PathUnescape(segment)
		if err != nil {
			id = segment
		}
		ids = append(ids, id)
	}
	return ids
}
