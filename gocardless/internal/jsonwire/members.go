package jsonwire

// Members walks through the members of an object whose type is known. An API writes the members of
// a type in the same order each time, so the decoder learns which member follows which, and
// compares the document with the name that it expects before it looks for any other.
type Members struct {
	// Index is the place among the names of the member that was read last, -1 for another name,
	// which then is the decoder's Key.
	Index int

	names []string
	order *order
	after int // what the next member follows: one more than the index of the last known one
}

// order is what a decoder has learned about a type. It is an expectation that costs time when it
// is wrong, and nothing else.
type order struct {
	names *string            // the first, which stands for the type
	next  [orderedSize]uint8 // by Members.after, the index of the member that followed
}

const (
	orderedSize  = 64 // members whose order is learned; a power of two
	orderedTypes = 32 // types whose order is learned, at a time; a billing request has twenty
)

// Members starts to read an object with the given member names; Member reads them.
func (d *Decoder) Members(names []string) Members {
	d.Object()
	var first *string // nil for a type without members
	if len(names) > 0 {
		first = &names[0]
	}
	return Members{Index: -1, names: names, order: d.orderOf(first)}
}

// orderOf returns what has been learned about a type. The types of a page come in the same order
// again and again, so the one after the last is likely.
func (d *Decoder) orderOf(names *string) *order {
	known := min(d.ordersSeen, orderedTypes)
	i := d.orderLast
	for range known {
		if i++; i >= known {
			i = 0
		}
		if d.orders[i].names == names {
			d.orderLast = i
			return &d.orders[i]
		}
	}
	d.orderLast = d.ordersSeen % orderedTypes
	d.ordersSeen++
	d.orders[d.orderLast] = order{names: names}
	return &d.orders[d.orderLast]
}

// Member is like More for a type with known members.
func (d *Decoder) Member(m *Members) bool {
	data, i := d.data, d.pos
	if d.state == stateNext && i < len(data) && data[i] == ',' {
		i++
	} else if d.state != stateFirst {
		return d.unexpectedMember(m)
	}
	if expected := int(m.order.next[m.after%orderedSize]); expected < len(m.names) {
		name := m.names[expected]
		start, end := i+1, i+1+len(name)
		if end+1 < len(data) && data[i] == '"' && string(data[start:end]) == name && data[end] == '"' && data[end+1] == ':' {
			d.pos, d.state = end+2, stateNext
			m.Index, m.after = expected, expected+1
			return true
		}
	}
	return d.unexpectedMember(m)
}

// unexpectedMember reads any other member, and learns its place.
func (d *Decoder) unexpectedMember(m *Members) bool {
	if !d.More() {
		return false
	}
	for i, name := range m.names {
		if name == string(d.Key) {
			m.order.next[m.after%orderedSize] = uint8(i)
			m.Index, m.after = i, i+1
			return true
		}
	}
	m.Index = -1
	return true
}
