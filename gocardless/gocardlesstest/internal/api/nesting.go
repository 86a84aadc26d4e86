package api

import (
	"net/url"
	"strings"
)

// Nesting describes a path that leads through another resource, such as
// /creditors/{creditor_id}/notes/{identity}.
type Nesting struct {
	Parent string // collection on the way: "creditors", or ""
	Inside bool   // the last id is the parent's: the path names the nested collection
}

// Nesting describes the operation's path.
func (o *Operation) Nesting() Nesting {
	var n Nesting
	if !strings.Contains(o.Path, "}/") {
		return n // the common case, handled first because every call needs it
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

// ParentID returns the id of the resource that a path leads through, or "".
func (o *Operation) ParentID(escapedPath string) string {
	if o == nil || strings.Count(o.Path, "{") < 2 {
		return ""
	}
	ids := o.ids(escapedPath)
	return ids[len(ids)-2]
}

// ids returns the ids in a path, or nil if it does not match the operation's.
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
