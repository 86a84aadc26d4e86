package store

import "hash/fnv"

// IDForm is the form of an id after its prefix.
type IDForm uint8

const (
	IDClassic IDForm = iota // 12 characters: most resources
	IDULID                  // 26 characters: customers, creditors and mandates since 2025
	IDLong                  // 32 characters with the prefix: the hosted flows
	IDNamed                 // chosen by the handler, such as GB_VAT_1
)

// idMaker makes the ids of a collection. They rise in order, and are the same in every run with the
// same seed.
type idMaker struct {
	prefix string
	form   IDForm
	seed   uint64
	start  uint64
	n      uint64
}

func newIDMaker(cs CollectionSpec, seed uint64) idMaker {
	h := Mix(seed ^ HashText(cs.Name))
	// Collections that share a prefix start far enough apart not to meet.
	start := 1<<44 + h%(1<<44)
	if cs.IDForm == IDULID {
		start = 1<<39 + h%(1<<38) // eight characters hold forty bits
	}
	return idMaker{prefix: cs.Prefix, form: cs.IDForm, seed: h, start: start}
}

func (m *idMaker) next() string {
	m.n++
	rising := m.start + m.n*1009 + Mix(m.seed+m.n)%1000
	b := append(make([]byte, 0, longest), m.prefix...)
	switch m.form {
	case IDULID:
		b = append(b, "01"...)
		b = appendBase32(b, rising, 8)
		b = appendBase32(b, Mix(m.seed^m.n), 8)
		b = appendBase32(b, Mix(m.seed+m.n<<7), 8)
	case IDLong:
		b = appendBase32(b, Mix(m.seed^m.n), 12)
		b = appendBase32(b, Mix(m.seed+m.n<<7), 12)
		b = appendBase32(b, Mix(m.seed-m.n<<9), 12)
		b = b[:32]
	default:
		b = appendBase32(b, rising, 12)
	}
	return string(b)
}

// longest is a capacity for the longest id.
const longest = 48

// crockford is the alphabet of the API's ids: no I, L, O, U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Base32 encodes the last bits of a number in the alphabet of ids.
func Base32(v uint64, width int) string { return string(appendBase32(nil, v, width)) }

func appendBase32(b []byte, v uint64, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		b = append(b, crockford[v>>(5*i)&31])
	}
	return b
}

// Mix spreads the bits of a number (the finaliser of splitmix64).
func Mix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// HashText returns a hash of a string, which never changes.
func HashText(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
