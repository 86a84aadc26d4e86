package jsonwire

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMembersInAnyOrder reads the same members in changing orders. The decoder learns an order from
// each and must not depend on it.
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

// TestMembersAreExpected: once an object has been read, the order of its members is known.
func TestMembersAreExpected(t *testing.T) {
	type ordered struct {
		A int64 `json:"a"`
		B int64 `json:"b"`
		C int64 `json:"c"`
	}
	var v ordered
	readAll(t, `{"c":1,"x":0,"a":2,"b":3}`, &v)
	o := objectOf(reflect.TypeFor[ordered]())
	a, b, c := &o.members[0], &o.members[1], &o.members[2]
	var next []*member
	for _, m := range []*member{o.start, a, b, c, &o.unnamed} {
		next = append(next, m.expects())
	}
	// A member without a name came after c.
	if want := []*member{c, b, nil, nil, a}; v != (ordered{2, 3, 1}) || !reflect.DeepEqual(next, want) {
		t.Errorf("read %v, expects %v, want %v", v, next, want)
	}
}

// TestMembersAtOnce reads one type in different orders at the same time.
func TestMembersAtOnce(t *testing.T) {
	type shared struct {
		ID    string       `json:"id"`
		Links *sampleLinks `json:"links"`
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			text := `{"id":"A","links":{"mandate":"B"}}`
			if i%2 == 0 {
				text = `{"links":{"mandate":"B"},"id":"A"}`
			}
			for range 100 {
				var items []*shared
				d := NewDecoder([]byte("[" + text + "," + text + "]"))
				d.Items(&items, (*struct {
					_ shared
					_ sampleLinks
				})(nil))
				if _, err := d.Finish(); err != nil || len(items) != 2 || items[1].ID != "A" || items[1].Links.Mandate != "B" {
					t.Errorf("read %+v, %v", items, err)
				}
			}
		})
	}
	wg.Wait()
}

func readAll(t *testing.T, text string, v any) Outcome {
	t.Helper()
	d := NewDecoder([]byte(text))
	d.Read(v)
	o, err := d.Finish()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// A type may have no members of its own; the others are stepped over or kept.
func TestMembersOfAnEmptyType(t *testing.T) {
	var keeps struct {
		Extra map[string]any `json:"-"`
	}
	readAll(t, `{"a":1,"b":2}`, &keeps)
	if !reflect.DeepEqual(keeps.Extra, map[string]any{"a": 1.0, "b": 2.0}) {
		t.Errorf("kept %v", keeps.Extra)
	}
	var empty struct {
		Misfits []int `json:"-"`
	}
	readAll(t, `{"a":1,"misfits":[1],"-":[2]}`, &empty)
	if empty.Misfits != nil {
		t.Errorf("read %v", empty.Misfits)
	}
}

// A field that no method reads into is a mistake in the generator, which any test of the type
// must show.
func TestMembersOfAnotherKind(t *testing.T) {
	for _, v := range []any{
		new(struct {
			A uint8 `json:"a"`
		}),
		new(struct {
			A *string `json:"a"`
		}),
		new(struct {
			A []chan int `json:"a"`
		}),
		new(struct {
			A *[]string `json:"a"`
		}),
		new(struct {
			A **int64 `json:"a"`
		}),
	} {
		for range 2 { // what is known after the first must not pass for the whole
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%T was read", v)
					}
				}()
				NewDecoder([]byte(`{}`)).Read(v)
			}()
		}
	}
}

// everyForm has a field of each form.
type everyForm struct {
	ID        string             `json:"id"`
	Text      string             `json:"text"`
	Enum      sampleStatus       `json:"enum"`
	Either    string             `json:"either" wire:"string-or-integer"`
	Int64     int64              `json:"int64"`
	Int64Ptr  *int64             `json:"int64_ptr"`
	Small     bool               `json:"small"` // before what must be aligned
	Int       int                `json:"int"`
	IntPtr    *int               `json:"int_ptr"`
	Float     float64            `json:"float"`
	FloatPtr  *float64           `json:"float_ptr"`
	Bool      bool               `json:"bool"`
	BoolPtr   *bool              `json:"bool_ptr"`
	Time      time.Time          `json:"time"`
	Date      Date               `json:"date"`
	Strings   []string           `json:"strings"`
	Enums     []sampleStatus     `json:"enums"`
	Int64s    []int64            `json:"int64s"`
	Times     []time.Time        `json:"times"`
	Lists     [][]string         `json:"lists"`
	Objects   []everyForm        `json:"objects"`
	Object    *everyForm         `json:"object"`
	Value     sampleLinks        `json:"value"`
	StringMap sampleMetadata     `json:"string_map"`
	AnyMap    map[string]any     `json:"any_map"`
	ObjectMap map[string]*sample `json:"object_map"`
	DateMap   map[string]Date    `json:"date_map"`
	After     string             `json:"after"`
}

var _ = ReadsMaps()

type sampleMetadata map[string]string

// The package of the resources has a Date of its own.
func TestDateOfAnotherPackage(t *testing.T) {
	type day = Date
	{
		type Date day
		var v struct {
			Charge Date `json:"charge"`
			After  bool `json:"after"`
		}
		readAll(t, `{"charge":"2025-01-02","after":true}`, &v)
		if v.Charge != (Date{2025, 1, 2}) || !v.After {
			t.Errorf("read %+v", v)
		}
	}
}

func TestEveryForm(t *testing.T) {
	const text = `{"id":"a","text":"b","enum":"c","either":7,"int64":1,"int64_ptr":2,"small":true,"int":3,"int_ptr":4,"float":1.5,"float_ptr":2.5,` +
		`"bool":true,"bool_ptr":false,"time":"2025-01-02T03:04:05Z","date":"2025-01-02","strings":["s"],"enums":["e","f"],"int64s":[1,2],` +
		`"times":["2025-01-02T03:04:05Z",null],"lists":[["a"],[],null],"objects":[{"id":"o"},{"objects":[]},null],"object":{"object":{"id":"deep"}},` +
		`"value":{"mandate":"MD","x":1},"string_map":{"k":"v"},"any_map":{"k":[1]},"object_map":{"k":{"id":"m"}},"date_map":{"k":"2025-01-02"},"after":"z"}`
	var got everyForm
	o := readAll(t, text, &got)
	moment, day := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Date{2025, 1, 2}
	want := everyForm{
		ID: "a", Text: "b", Enum: "c", Either: "7", Int64: 1, Int64Ptr: new(int64(2)), Small: true, Int: 3, IntPtr: new(4), Float: 1.5, FloatPtr: new(2.5),
		Bool: true, BoolPtr: new(false), Time: moment, Date: day, Strings: []string{"s"}, Enums: []sampleStatus{"e", "f"}, Int64s: []int64{1, 2},
		Times: []time.Time{moment, {}}, Lists: [][]string{{"a"}, {}, nil}, Objects: []everyForm{{ID: "o"}, {Objects: []everyForm{}}, {}},
		Object: &everyForm{Object: &everyForm{ID: "deep"}}, Value: sampleLinks{Mandate: "MD", Extra: map[string]any{"x": 1.0}},
		StringMap: sampleMetadata{"k": "v"}, AnyMap: map[string]any{"k": []any{1.0}}, ObjectMap: map[string]*sample{"k": {ID: "m"}},
		DateMap: map[string]Date{"k": day}, After: "z",
	}
	if !reflect.DeepEqual(got, want) || len(o.Misfits) > 0 {
		t.Errorf("got %+v, misfits %v, want %+v", got, o.Misfits, want)
	}
	// Null removes what an earlier duplicate has left.
	nulls := "{" + text[1:len(text)-1]
	for f := range reflect.TypeFor[everyForm]().Fields() {
		nulls += `,"` + f.Tag.Get("json") + `":null`
	}
	readAll(t, nulls+"}", &got)
	got.Value = sampleLinks{} // an object in a field is not replaced; the generator has none
	if !reflect.DeepEqual(got, everyForm{}) {
		t.Errorf("after null there is %+v", got)
	}
	// A misfit leaves the zero value.
	for f := range reflect.TypeFor[everyForm]().Fields() {
		name := f.Tag.Get("json")
		found := `"x"`
		if f.Type.Kind() == reflect.String {
			found = `[]`
		}
		var v everyForm
		if o := readAll(t, fmt.Sprintf(`{"after":"1",%q:%s}`, name, found), &v); len(o.Misfits) != 1 || o.Misfits[0].Path != name {
			t.Errorf("%s: misfits %v", name, o.Misfits)
		}
		if v.After = ""; !reflect.DeepEqual(v, everyForm{}) {
			t.Errorf("%s: a misfit left %+v", name, v)
		}
	}
}

// item is a resource with objects that share its memory.
type item struct {
	ID    string       `json:"id"`
	Links *sampleLinks `json:"links"`
	Price *samplePrice `json:"price"`
	Large *sample      `json:"large"`
}

type samplePrice struct {
	Amount *int64       `json:"amount"`
	Links  *sampleLinks `json:"links"`
}

type itemMemory struct {
	_ item
	_ sampleLinks
	_ samplePrice
}

func readItems(t *testing.T, text string) []*item {
	t.Helper()
	d := NewDecoder([]byte(text))
	items := []*item{{ID: "of an earlier reply"}}
	d.Items(&items, (*itemMemory)(nil))
	if o, err := d.Finish(); err != nil || len(o.Misfits) > 0 {
		t.Fatalf("%s: %v, %v", text, o, err)
	}
	return items
}

func TestItemsShareMemoryWithTheirObjects(t *testing.T) {
	items := readItems(t, `[{"id":"1","links":{"mandate":"MD1"},"price":{"amount":1},"large":{"id":"L"}},{"id":"2","links":null},{"price":{"amount":null}}]`)
	if len(items) != 3 || items[0].Links.Mandate != "MD1" || *items[0].Price.Amount != 1 || items[0].Large.ID != "L" ||
		items[1].Links != nil || items[1].Price != nil || items[2].Price == nil || items[2].Price.Amount != nil {
		t.Errorf("read %+v", items)
	}
	o := itemOf(reflect.TypeFor[item](), reflect.TypeFor[itemMemory]())
	if o.members[1].room == 0 || o.members[2].room == 0 || o.members[3].room != 0 {
		t.Errorf("members have room at %d, %d and %d", o.members[1].room, o.members[2].room, o.members[3].room)
	}
	// The last duplicate wins as a whole, and nothing of the others stays.
	for links, want := range map[string]*sampleLinks{
		`"links":{"mandate":"A"},"links":{}`:                 {},
		`"links":{"mandate":"A"},"links":null`:               nil,
		`"links":{"mandate":"A"},"links":null,"links":{}`:    {},
		`"links":null,"links":{"mandate":"A"}`:               {Mandate: "A"},
		`"links":{"mandate":"A"},"LINKS":{}`:                 {},
		`"LINKS":{"mandate":"A"},"links":{"mandate":"B"}`:    {Mandate: "B"},
		`"links":{"x":1},"id":"","links":{"mandate":"A"}`:    {Mandate: "A"},
		`"links":{"x":1},"links":{"x":2},"links":{"y":null}`: {Extra: map[string]any{"y": nil}},
	} {
		if got := readItems(t, "[{"+links+"}]"); !reflect.DeepEqual(got[0].Links, want) {
			t.Errorf("%s: got %+v, want %+v", links, got[0].Links, want)
		}
	}
	if got := readItems(t, `[]`); got != nil {
		t.Errorf("an empty array reads as %+v", got)
	}
}

// Two members of one type have room of their own each, as far as there is any.
func TestRoomIsUsedOnce(t *testing.T) {
	type pair struct {
		A *sampleLinks `json:"a"`
		B *sampleLinks `json:"b"`
		C *sampleLinks `json:"c"`
	}
	var items []*pair
	d := NewDecoder([]byte(`[{"a":{"mandate":"A"},"b":{"mandate":"B"},"c":{"mandate":"C"}}]`))
	d.Items(&items, (*struct {
		_ pair
		_ sampleLinks
		_ sampleLinks
	})(nil))
	if _, err := d.Finish(); err != nil || items[0].A.Mandate != "A" || items[0].B.Mandate != "B" || items[0].C.Mandate != "C" {
		t.Errorf("read %+v, %v", items, err)
	}
}

// What an object in the room of an item points to is reachable as long as the object is.
func TestRoomIsSearchedForPointers(t *testing.T) {
	price := readItems(t, `[{"price":{"links":{"mandate":"MD1"}}}]`)[0].Price
	gone := make(chan bool, 1)
	runtime.AddCleanup(price.Links, func(int) { gone <- true }, 0)
	for range 3 {
		runtime.GC()
	}
	select {
	case <-gone:
		t.Error("the links were freed")
	case <-time.After(50 * time.Millisecond):
	}
	runtime.KeepAlive(price)
}

// TestKeptItems keeps one item of each hundred, or an object of it, and nothing of the others.
func TestKeptItems(t *testing.T) {
	const count, each = 20_000, 100
	text := []byte("[" + strings.Repeat(`{"id":"PM1","links":{"mandate":"MD1"}},`, count-1) + `{}]`)
	kept := make([]*sampleLinks, 0, count/each)
	before := heapInUse()
	func() {
		var items []*item
		d := NewDecoder(text)
		d.Items(&items, (*itemMemory)(nil))
		if _, err := d.Finish(); err != nil || len(items) != count {
			t.Fatalf("read %d items, %v", len(items), err)
		}
		for i := 0; i < count; i += each {
			kept = append(kept, items[i].Links)
		}
	}()
	grown := int64(heapInUse()) - int64(before)
	if most := int64(count / each * (512 + 256)); grown > most {
		t.Errorf("%d objects keep %d bytes, want at most %d", len(kept), grown, most)
	}
	for _, links := range kept {
		if links.Mandate != "MD1" {
			t.Fatalf("kept %+v", links)
		}
	}
	runtime.KeepAlive(text)
}

// heapInUse returns the size of what is reachable.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what pools have kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestIntegersOfAnyLength(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "7": 7, "999999999999999999": 999999999999999999, "1000000000000000000": 1000000000000000000, "9223372036854775807": math.MaxInt64} {
		for _, follows := range []string{"", " ", ",", `,"id":"a"`} {
			d := NewDecoder([]byte(`[` + text + strings.TrimSuffix(follows, `"id":"a"`)))
			d.Array()
			d.Elem()
			if got := d.Int64(); got != want {
				t.Errorf("%s%s: got %d", text, follows, got)
			}
		}
	}
	for _, bad := range []string{"00,", "01,", "1x,", ",", "-,"} {
		d := NewDecoder([]byte("[" + bad + "1]"))
		for d.Array(); d.Elem(); {
			d.Int64()
		}
		if _, err := d.Finish(); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// TestEveryDay holds the count of days against package time.
func TestEveryDay(t *testing.T) {
	for day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 10000; day = day.AddDate(0, 0, 1) {
		year, month, d := day.Date()
		if got, want := (Date{year, month, d}).at(3723, 5), day.Add(3723*time.Second+5); got != want {
			t.Fatalf("%v: got %v, want %v", day, got, want)
		}
	}
}
