package jsonwire

import (
	"fmt"
	"reflect"
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
		names[i] = [2]string{fmt.Sprintf(`,"inner%d":`, i), `,"last":`}
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
		last := int64(-1)
		d.Members(names[depth][:], func(int) { read(depth + 1) }, nil, &last)
		got = append(got, int(last))
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
		names[i] = [3]string{`,"a":`, `,"b":`, `,"c":`}
	}
	d := NewDecoder([]byte(`[` + strings.Repeat(`{"c":1,"a":2,"b":3},`, 3*len(names)) + `0]`))
	n := 0
	for d.Array(); d.Elem() && n < 3*len(names); n++ {
		of := names[n%len(names)][:]
		if n >= len(names) {
			before := d.orderLast
			if expected := d.orderOf(of).next[0]; expected != 2 {
				t.Fatalf("object %d: expected member %d first, want 2", n, expected)
			}
			d.orderLast = before
		}
		var v [3]int64
		d.Members(of, nil, &v[0], &v[1], &v[2])
		if v != [3]int64{2, 3, 1} {
			t.Fatalf("object %d: read %v", n, v)
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
	var got map[string]any
	for d.Array(); d.Elem(); {
		d.Members(nil, func(int) { d.Extra(&got) }, nil)
	}
	if _, err := d.Finish(); err != nil || !reflect.DeepEqual(got, map[string]any{"a": 1.0, "b": 2.0}) {
		t.Errorf("read %v, %v", got, err)
	}
}

// A pointer that no method reads into is a mistake in the generator, which any test of the type
// must show.
func TestMembersOfAnotherKind(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a member of type uint8 was read")
		}
	}()
	NewDecoder([]byte(`{"a":1}`)).Members([]string{`,"a":`}, nil, new(uint8))
}
