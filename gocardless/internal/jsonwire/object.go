package jsonwire

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// This file is the only one that uses package unsafe to write. A field is written at its offset, in
// the form that fits its type; both come from package reflect, which looks at each type once. So no
// type needs code of its own, and reading needs no reflection except for lists and maps.

// object is what the decoder knows about a struct type: which member of a document goes to which
// field, and in which form.
//
// An API writes the members of a type in the same order each time, so the decoder learns which
// member follows which, and compares the document with the name that it expects before it looks
// for any other.
type object struct {
	typ     reflect.Type
	members []member
	extra   *member // for the members that have no name; nil to step over them
	start   *member // comes before the first
	unnamed member  // stands for any without a name
}

// member is a field of a struct, or an element of a list or map.
type member struct {
	_      [0]func()      // never compared
	next   unsafe.Pointer // a *member, read and written atomically (atomic.Pointer adds 1.5 kB to a program): came after it in an earlier document
	name   string         // with what surrounds it in a document: a comma, quotes and a colon
	head   uint64         // the first eight bytes of the name, if it has that many
	tail   uint64         // the last eight
	offset uintptr
	form   form
	typ    reflect.Type
	object *object // of the struct that it points to
	elem   *member // of the list or map
	room   uintptr // where the struct that it points to may be, from the start of this one; 0 for nowhere
	bit    uint64  // stands for the room
}

// form is how a value is read and where it goes.
type form uint8

const (
	formText form = iota
	formEnum
	formID
	formInt64
	formInt64Ptr
	formBool
	formBoolPtr
	formInt
	formIntPtr
	formFloat64
	formFloat64Ptr
	formObject
	formObjectPtr
	formTime
	formDate
	formStringMap
	formTextOrInt
	formAnyMap
	formList
	formMap
)

// objects holds the types that have been read.
var objects = struct {
	sync.Mutex
	of map[reflect.Type]*object
}{of: map[reflect.Type]*object{}}

// objectOf returns what is known about a struct type.
func objectOf(t reflect.Type) *object {
	objects.Lock()
	defer objects.Unlock()
	return learn(t, t)
}

// itemOf returns what is known about a struct type that is the first field of another one. The
// further fields are room for objects that the first points to, in the order of its fields.
func itemOf(t, whole reflect.Type) *object {
	objects.Lock()
	defer objects.Unlock()
	if known := objects.of[whole]; known != nil {
		return known
	}
	item := learn(t, whole)
	if whole == t {
		return item
	}
	if whole.Field(0).Type != t {
		panic("jsonwire: " + whole.String() + " does not start with " + t.String())
	}
	rooms := 1
	for i := range item.members {
		m := &item.members[i]
		if i < 64 && m.form == formObjectPtr && rooms < whole.NumField() && whole.Field(rooms).Type == m.typ {
			m.room, m.bit = whole.Field(rooms).Offset, 1<<i
			rooms++
		}
	}
	return item
}

// learn finds out about a type, which is the start of another one or that itself, while objects are
// locked. A type may contain itself.
func learn(t, whole reflect.Type) *object {
	if o := objects.of[whole]; o != nil {
		return o
	}
	o := &object{typ: t}
	objects.of[whole] = o
	o.members = make([]member, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			if f.Name == "Extra" {
				o.extra = &member{offset: f.Offset, form: formAnyMap}
			}
			continue
		}
		o.members = o.members[:len(o.members)+1]
		m := &o.members[len(o.members)-1]
		m.learn(f.Type)
		m.name, m.offset = `,"`+name+`":`, f.Offset
		if b := []byte(m.name); len(b) >= 8 {
			m.head, m.tail = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
		}
		switch {
		case name == "id" && m.form == formText:
			m.form = formID
		case m.form == formText && f.Tag.Get("wire") != "":
			m.form = formTextOrInt
		}
	}
	o.start = new(member) // without it, after a panic, reading panics as well
	return o
}

// formOf is the form of the kinds that have one; that of a pointer to one is the next.
var formOf = [...]form{
	reflect.String: formEnum, reflect.Int: formInt, reflect.Int64: formInt64, reflect.Float64: formFloat64, reflect.Bool: formBool,
	reflect.Struct: formObject,
}

// learn finds the form of a type.
func (m *member) learn(t reflect.Type) {
	m.typ = t
	kind := t.Kind()
	if kind == reflect.Pointer {
		m.typ = t.Elem()
		kind = m.typ.Kind()
		m.form++
	}
	switch {
	case t.Kind() == reflect.Slice:
		m.form, m.elem = formList, new(member)
		m.elem.learn(t.Elem())
	case t.Kind() == reflect.Map:
		switch elem := t.Elem(); {
		case elem.String() == "string":
			m.form = formStringMap
		case elem.Kind() == reflect.Interface:
			m.form = formAnyMap
		default:
			m.form, m.elem = formMap, new(member)
			m.elem.learn(elem)
		}
	case int(kind) >= len(formOf) || formOf[kind] <= m.form: // also a pointer to a string
		panic("jsonwire: no form for " + t.String())
	case t.String() == "string":
		m.form = formText
	case t.String() == "time.Time":
		m.form = formTime
	case t.Name() == "Date" && t.Size() == unsafe.Sizeof(Date{}): // the one of the resources
		m.form = formDate
	default:
		if m.form += formOf[kind]; kind == reflect.Struct {
			m.object = learn(m.typ, m.typ)
		}
	}
}

// Read reads an object into the struct that v points to.
func (d *Decoder) Read(v any) {
	p := reflect.ValueOf(v)
	d.Object()
	d.object(objectOf(p.Type().Elem()), p.UnsafePointer(), 0)
}

// Items reads an array of resources into a list of pointers to them, a *[]*T. It reports whether an
// array follows. Each item is the start of a new value of the type of like, a pointer to a T or to
// a struct that has a T and then room for objects that it points to.
func (d *Decoder) Items(list, like any) bool {
	if !d.HasArray() {
		return false
	}
	v := reflect.ValueOf(list)
	whole := reflect.TypeOf(like).Elem()
	o := itemOf(v.Type().Elem().Elem().Elem(), whole)
	var items []unsafe.Pointer
	for d.Array(); d.Elem(); {
		item := reflect.New(whole).UnsafePointer()
		items = append(items, item)
		if d.Item() {
			d.Object()
			d.object(o, item, math.MaxUint64)
		}
	}
	d.EndItems()
	*(*[]unsafe.Pointer)(v.UnsafePointer()) = items
	return true
}

// object reads the members of an object into the struct at base. What is free are the members whose room
// is there and not used yet, see itemOf: a duplicate gets memory of its own.
func (d *Decoder) object(o *object, base unsafe.Pointer, free uint64) {
	for after := d.expected(o.start, base, &free); d.More(); after = d.expected(after, base, &free) {
		var m *member
		for i := range o.members {
			if o.members[i].key() == string(d.Key) {
				m = &o.members[i]
				break
			}
		}
		if after.expects() != m {
			atomic.StorePointer(&after.next, unsafe.Pointer(m))
		}
		after = &o.unnamed
		switch {
		case m != nil:
			after = m
			d.field(m, base, &free)
		case o.extra != nil:
			d.Extra((*map[string]any)(unsafe.Add(base, o.extra.offset)))
		default:
			d.Unknown()
		}
	}
}

// expects returns the member that came after m in an earlier document, or nil.
func (m *member) expects() *member { return (*member)(atomic.LoadPointer(&m.next)) }

// expected reads members as long as each is the one that came after the one before it in earlier
// documents. It returns the last one that it read.
func (d *Decoder) expected(after *member, base unsafe.Pointer, free *uint64) *member {
	for d.state <= stateFirst {
		m := after.expects()
		if m == nil || !d.named(m) {
			break
		}
		after = m
		if m.form <= formID && d.pos < len(d.data) && d.data[d.pos] == '"' {
			*(*string)(unsafe.Add(base, m.offset)) = d.keepAs(m.form, d.quoted())
		} else {
			d.field(m, base, free)
		}
	}
	return after
}

// keepAs returns b as a string of its own, in one of the forms up to formID.
func (d *Decoder) keepAs(f form, b []byte) string {
	switch f {
	case formText:
		return d.keep(b)
	case formEnum:
		return d.intern(b)
	}
	return d.keepID(b)
}

// named steps over the name of a member if that is what follows.
func (d *Decoder) named(m *member) bool {
	n, first := len(m.name), int(d.state) // the first member has no comma before it
	data := d.data[d.pos-first:]
	if len(data) < n {
		return false
	}
	if n > 8 && n <= 16 {
		if (binary.LittleEndian.Uint64(data)^m.head)>>(8*first) != 0 || binary.LittleEndian.Uint64(data[n-8:]) != m.tail {
			return false
		}
	} else if string(data[first:n]) != m.name[first:] {
		return false
	}
	d.pos, d.state = d.pos-first+n, stateNext
	return true
}

// field reads a value into a field of the struct at base, an object into the room for it if that is
// free.
func (d *Decoder) field(m *member, base unsafe.Pointer, free *uint64) {
	p := unsafe.Add(base, m.offset)
	if *free&m.bit == 0 {
		d.value(m, p)
		return
	}
	if d.HasObject() {
		*free &^= m.bit
		inside := unsafe.Add(base, m.room)
		*(*unsafe.Pointer)(p) = inside
		d.enter()
		d.object(m.object, inside, 0)
	}
}

// key is the name of a member.
func (m *member) key() string { return m.name[2 : len(m.name)-2] }

// value reads a value to p, a pointer of the member's type.
func (d *Decoder) value(m *member, p unsafe.Pointer) {
	// What is read here is often null.
	const pointers = 1<<formInt64Ptr | 1<<formBoolPtr | 1<<formIntPtr | 1<<formFloat64Ptr | 1<<formObjectPtr | 1<<formStringMap | 1<<formAnyMap
	if pointers>>m.form&1 != 0 && len(d.data)-d.pos >= len("null") && string(d.data[d.pos:d.pos+len("null")]) == "null" {
		d.pos += len("null")
		*(*unsafe.Pointer)(p) = nil
		return
	}
	switch m.form {
	case formText, formEnum:
		*(*string)(p) = d.Text()
	case formInt64:
		*(*int64)(p) = d.Int64()
	case formInt64Ptr:
		*(**int64)(p) = d.Int64Ptr()
	case formBool:
		*(*bool)(p) = d.Bool()
	case formTime:
		*(*time.Time)(p) = d.Time()
	case formDate:
		*(*Date)(p) = d.Date()
	case formID:
		*(*string)(p) = d.ID()
	case formObjectPtr:
		*(*unsafe.Pointer)(p) = nil
		if d.HasObject() {
			inside := reflect.New(m.object.typ).UnsafePointer()
			*(*unsafe.Pointer)(p) = inside
			d.enter()
			d.object(m.object, inside, 0)
		}
	case formStringMap:
		*(*map[string]string)(p) = d.StringMap()
	case formObject:
		d.Object()
		d.object(m.object, p, 0)
	case formBoolPtr:
		*(**bool)(p) = d.BoolPtr()
	case formInt:
		*(*int)(p) = d.Int()
	case formIntPtr:
		*(**int)(p) = d.IntPtr()
	case formFloat64:
		*(*float64)(p) = d.Float64()
	case formFloat64Ptr:
		*(**float64)(p) = d.Float64Ptr()
	case formTextOrInt:
		*(*string)(p) = d.TextOrInt()
	case formAnyMap:
		*(*map[string]any)(p) = d.AnyMap()
	case formList:
		d.list(m, reflect.NewAt(m.typ, p).Elem())
	case formMap:
		readMap(d, m, reflect.NewAt(m.typ, p).Elem())
	}
}

// list reads an array. Null is nil, an empty array is empty.
func (d *Decoder) list(m *member, list reflect.Value) {
	list.SetZero()
	if !d.HasArray() {
		return
	}
	list.Set(reflect.MakeSlice(m.typ, 0, 0))
	for d.Array(); d.Elem(); {
		n := list.Len()
		list.Grow(1)
		list.SetLen(n + 1)
		d.value(m.elem, list.Index(n).Addr().UnsafePointer())
	}
}

// readMap reads a map of other values than strings; see ReadsMaps.
var readMap func(*Decoder, *member, reflect.Value)

// ReadsMaps makes decoders read maps of other values than strings. It is called for the types that
// have them: programs without need not link what it takes.
func ReadsMaps() bool {
	readMap = (*Decoder).mapOf
	return true
}

// mapOf reads an object whose names are not known. Null is nil, an empty object is empty.
func (d *Decoder) mapOf(m *member, v reflect.Value) {
	v.SetZero()
	if !d.HasObject() {
		return
	}
	v.Set(reflect.MakeMap(m.typ))
	for d.Object(); d.More(); {
		name := d.intern(d.Key)
		elem := reflect.New(m.typ.Elem())
		d.value(m.elem, elem.UnsafePointer())
		v.SetMapIndex(reflect.ValueOf(name), elem.Elem())
	}
}
