package jsonwire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestMembersInAnyOrder reads the same members in changing orders with one decoder, which learns
// an order from each and must not depend on it.
func TestMembersInAnyOrder(t *testing.T) {
	members := []string{`"id":"PM1"`, `"amount":5`, `"links":{"mandate":"MD1","x":1}`, `"names":["a","b"]`, `"other":{"id":7}`, `"status":"paid"`}
	want := decodeSample(t, `{"id":"PM1","amount":5,"links":{"mandate":"MD1","x":1},"names":["a","b"],"status":"paid"}`)
	for shift := range members {
		for _, space := range []string{"", " ", "\n\t"} {
			text := "{"
			for i := range members {
				if i > 0 {
					text += "," + space
				}
				text += members[(i*5+shift)%len(members)] // 5 and 6 have no common factor
			}
			if got := decodeSample(t, text+"}"); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, want %+v", text, got, want)
			}
		}
	}
}

// TestMembersOfManyTypes reads more types than a decoder learns, one inside the other.
func TestMembersOfManyTypes(t *testing.T) {
	const types = 3 * orderedTypes
	names := make([][2]string, types)
	text := "1"
	for i := types - 1; i >= 0; i-- {
		names[i] = [2]string{fmt.Sprint("inner", i), "last"}
		text = fmt.Sprintf(`{"inner%d":%s,"last":%d}`, i, text, i)
	}
	d := NewDecoder([]byte(`[` + text + `,` + text + `]`))
	var got []int
	var read func(depth int)
	read = func(depth int) {
		if depth == types {
			got = append(got, d.Int())
			return
		}
		for m := d.Members(names[depth][:]); d.Member(&m); {
			switch m.Index {
			case 0:
				read(depth + 1)
			case 1:
				got = append(got, d.Int())
			default:
				t.Fatalf("unknown member %s", d.Key)
			}
		}
	}
	for d.Array(); d.Elem(); {
		read(0)
	}
	if _, err := d.Finish(); err != nil {
		t.Fatal(err)
	}
	var want []int
	for range 2 {
		want = append(want, 1)
		for i := types - 1; i >= 0; i-- {
			want = append(want, i)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestMembersAreExpected: a decoder that has read a type knows the order of its members, also
// after others.
func TestMembersAreExpected(t *testing.T) {
	names := [orderedTypes / 2][3]string{}
	for i := range names {
		names[i] = [3]string{"a", "b", "c"}
	}
	d := NewDecoder([]byte(`[` + strings.Repeat(`{"c":1,"a":2,"b":3},`, 3*len(names)) + `0]`))
	n := 0
	for d.Array(); d.Elem() && n < 3*len(names); n++ {
		m := d.Members(names[n%len(names)][:])
		if expected := m.order.next[0]; n >= len(names) && expected != 2 {
			t.Fatalf("object %d: expected member %d first, want 2", n, expected)
		}
		for d.Member(&m) {
			d.Skip()
		}
	}
	d.Skip()
	if d.Elem() || n != 3*len(names) {
		t.Fatalf("read %d objects", n)
	}
	if _, err := d.Finish(); err != nil {
		t.Fatal(err)
	}
}

// A type may have no members of its own; what its objects hold is left to the caller.
func TestMembersOfAnEmptyType(t *testing.T) {
	d := NewDecoder([]byte(`[{},{"a":1,"b":2}]`))
	var got []string
	for d.Array(); d.Elem(); {
		for m := d.Members(nil); d.Member(&m); {
			if m.Index != -1 {
				t.Errorf("%s has the index %d", d.Key, m.Index)
			}
			got = append(got, d.Name())
			d.Skip()
		}
	}
	if _, err := d.Finish(); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("read %q, %v", got, err)
	}
}
