package jsonwire

import "time"

// Enum is a string that has few different values: Members reads it as [Decoder.Enum] does.
type Enum string

// Members reads an object whose type is known. Each name comes with what surrounds it in a document:
// a comma, quotes and a colon, so that one comparison covers them all. For each name there is a
// pointer to a field; where it is nil, own reads the value of the member with that place among the
// names. One nil more, and own reads the members that have no name, which otherwise are stepped
// over.
//
// An API writes the members of a type in the same order each time, so the decoder learns which
// member follows which, and compares the document with the name that it expects before it looks
// for any other.
func (d *Decoder) Members(names []string, own func(member int), fields ...any) {
	d.Object()
	order := d.orderOf(names)
	for after := uint(0); ; {
		i := uint(order.next[after%orderedSize])
		if i >= uint(len(names)) || !d.named(names[i]) {
			if !d.More() {
				return
			}
			for i = 0; i < uint(len(names)) && names[i][2:len(names[i])-2] != string(d.Key); i++ {
			}
			order.next[after%orderedSize] = uint8(i)
		}
		after = i + 1
		if i >= uint(len(fields)) {
			d.Unknown()
		} else if f := fields[i]; f != nil {
			d.field(f)
		} else {
			own(int(i))
		}
	}
}

// named steps over the name of the next member, if it is the given one.
func (d *Decoder) named(name string) bool {
	if d.state > stateFirst {
		return false
	}
	name = name[d.state:] // the first member has no comma before it
	start := d.pos
	end := start + len(name)
	if end > len(d.data) || string(d.data[start:end]) != name {
		return false
	}
	d.pos, d.state = end, stateNext
	return true
}

// field reads a value into a field. It knows the types that most objects have; every program would
// link the others.
func (d *Decoder) field(f any) {
	switch p := f.(type) {
	case *string:
		*p = d.Text()
	case *Enum:
		*p = Enum(d.Enum())
	case *int64:
		*p = d.Int64()
	case **int64:
		*p = d.Int64Ptr()
	case *bool:
		*p = d.Bool()
	default:
		*f.(*time.Time) = d.Time()
	}
}

// order is what a decoder has learned about a type. It is an expectation that costs time when it
// is wrong, and nothing else.
type order struct {
	names *string            // the first, which stands for the type
	next  [orderedSize]uint8 // the member that comes first, and which follows each
}

const (
	orderedSize  = 64 // members whose order is learned; a power of two
	orderedTypes = 32 // types whose order is learned, at a time; a billing request has twenty
)

// orderOf returns what has been learned about a type. The types of a page come in the same order
// again and again, so the one after the last is likely.
func (d *Decoder) orderOf(names []string) *order {
	var first *string // nil for a type without members
	if len(names) > 0 {
		first = &names[0]
	}
	known := min(d.ordersSeen, orderedTypes)
	i := d.orderLast
	for range known {
		if i++; i >= known {
			i = 0
		}
		if d.orders[i].names == first {
			d.orderLast = i
			return &d.orders[i]
		}
	}
	d.orderLast = d.ordersSeen % orderedTypes
	d.ordersSeen++
	d.orders[d.orderLast] = order{names: first}
	return &d.orders[d.orderLast]
}
