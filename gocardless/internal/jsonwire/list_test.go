package jsonwire

import (
	"reflect"
	"testing"
)

// lists is a document with a list of every kind of value that has no method of its own.
type lists struct {
	Ints    []int     `json:"ints"`
	Numbers []float64 `json:"numbers"`
	Flags   []bool    `json:"flags"`
}

func readLists(text string) (l lists, o Outcome, err error) {
	d := NewDecoder([]byte(text))
	d.Read(&l)
	o, err = d.Finish()
	return l, o, err
}

func TestLists(t *testing.T) {
	const text = `{"ints":[1,-2],"numbers":[1.5,0,1e-9],"flags":[true,false]}`
	l, o, err := readLists(text)
	want := lists{[]int{1, -2}, []float64{1.5, 0, 1e-9}, []bool{true, false}}
	if err != nil || len(o.Misfits) > 0 || !reflect.DeepEqual(l, want) {
		t.Fatalf("read %v, %v, %v", l, o, err)
	}
}

// Null is nil and an empty array empty; what is not an array is a misfit, a number that cannot be read
// makes the reply unreadable.
func TestOddLists(t *testing.T) {
	l, o, err := readLists(`{"ints":null,"numbers":[],"flags":{}}`)
	if err != nil || l.Ints != nil || l.Numbers == nil || len(l.Numbers) != 0 || l.Flags != nil || len(o.Misfits) != 1 || o.Unreadable != nil {
		t.Errorf("read %+v, %+v, %v", l, o, err)
	}
	if _, o, err = readLists(`{"numbers":[1,"x"]}`); err != nil || o.Unreadable == nil {
		t.Errorf("outcome %+v, %v", o, err)
	}
}
