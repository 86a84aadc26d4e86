package jsonwire

import (
	"encoding/binary"
	"reflect"
	"slices"
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
	extra   *member         // for the members that have no name; nil to step over them
	next    []atomic.Uint32 // the member that comes first, which follows each, and which follows one without a name
}

// member is a field of a struct, or an element of a list or map.
type member struct {
	_      [0]func() // never compared
	name   string    // with what surrounds it in a document: a comma, quotes and a colon
	offset uintptr
	form   form
	typ    reflect.Type
	object *object // of the struct that it points to
	elem   *member // of the list or map
	room   uintptr // where the struct that it points to may be, from the start of this one; 0 for nowhere
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
	return learn(t)
}

// itemOf returns what is known about a struct type that is the first field of another one. The
// further fields are room for objects that the first points to, in the order of its fields.
func itemOf(t, whole reflect.Type) *object {
	o := objectOf(t)
	if whole == t {
		return o
	}
	objects.Lock()
	defer objects.Unlock()
	if known := objects.of[whole]; known != nil {
		return known
	}
	if whole.Field(0).Type != t {
		panic("jsonwire: " + whole.String() + " does not start with " + t.String())
	}
	item := &object{typ: t, members: slices.Clone(o.members), extra: o.extra, next: o.next}
	rooms := 1
	for i := range item.members {
		m := &item.members[i]
		if i < 64 && m.form == formObjectPtr && rooms < whole.NumField() && whole.Field(rooms).Type == m.typ {
			m.room = whole.Field(rooms).Offset
			rooms++
		}
	}
	objects.of[whole] = item
	return item
}

// learn is objectOf while objects are locked. A type may contain itself.
func learn(t reflect.Type) *object {
	if o := objects.of[t]; o != nil {
		return o
	}
	o := &object{typ: t, members: make([]member, 0, t.NumField())}
	objects.of[t] = o
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
		switch {
		case name == "id" && m.form == formText:
			m.form = formID
		case m.form == formText && f.Tag.Get("wire") != "":
			m.form = formTextOrInt
		}
	}
	o.next = make([]atomic.Uint32, len(o.members)+2) // without it, after a panic, reading panics as well
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
			m.object = learn(m.typ)
		}
	}
}

// Read reads an object into the struct that v points to.
func (d *Decoder) Read(v any) {
	p := reflect.ValueOf(v)
	d.object(objectOf(p.Type().Elem()), p.UnsafePointer(), false)
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
			d.object(o, item, true)
		}
	}
	d.EndItems()
	*(*[]unsafe.Pointer)(v.UnsafePointer()) = items
	return true
}

// object reads an object into the struct at base, which may have room for those that it points to.
func (d *Decoder) object(o *object, base unsafe.Pointer, room bool) {
	d.Object()
	used := uint64(0) // the members whose room is used, see itemOf; a duplicate gets memory of its own
	for after := d.expected(o, base, room, 0, &used); d.More(); after = d.expected(o, base, room, after, &used) {
		i := uint(0)
		for ; i < uint(len(o.members)) && o.members[i].key() != string(d.Key); i++ {
		}
		if o.next[after].Load() != uint32(i) {
			o.next[after].Store(uint32(i))
		}
		after = i + 1
		switch {
		case i < uint(len(o.members)):
			d.field(&o.members[i], base, room && used&(1<<i) == 0)
			used |= 1 << i
		case o.extra != nil:
			d.Extra((*map[string]any)(unsafe.Add(base, o.extra.offset)))
		default:
			d.Unknown()
		}
	}
}

// expected reads members as long as each is the one that came after the one before it in earlier
// documents. It returns the place after the last one that it read.
func (d *Decoder) expected(o *object, base unsafe.Pointer, room bool, after uint, used *uint64) uint {
	data, pos, first := d.data, d.pos, d.state
	for first <= stateFirst {
		i := uint(o.next[after].Load())
		if i >= uint(len(o.members)) {
			break
		}
		m := &o.members[i]
		name := m.name[first:] // the first member has no comma before it
		if len(data)-pos < len(name) || string(data[pos:pos+len(name)]) != name {
			break
		}
		pos += len(name)
		after, first = i+1, stateNext
		if m.form <= formID {
			if end := plain(data, pos); end > 0 {
				*(*string)(unsafe.Add(base, m.offset)) = d.keepAs(m.form, data[pos+1:end-1])
				pos = end
				continue
			}
		}
		d.pos, d.state = pos, stateNext
		d.field(m, base, room && *used&(1<<i) == 0)
		*used |= 1 << i
		data, pos = d.data, d.pos
	}
	d.pos = pos
	if first == stateNext && d.state == stateFirst {
		d.state = stateNext
	}
	return after
}

// keepAs returns a string of its own for a text, in one of the forms up to formID.
func (d *Decoder) keepAs(f form, text []byte) string {
	switch f {
	case formText:
		return d.keep(text)
	case formEnum:
		return d.intern(text)
	}
	return d.keepID(text)
}

// field reads a value into a field of the struct at base, an object into the room for it if that is
// free.
func (d *Decoder) field(m *member, base unsafe.Pointer, room bool) {
	p := unsafe.Add(base, m.offset)
	if m.room == 0 || !room {
		d.value(m, p)
		return
	}
	if d.HasObject() {
		inside := unsafe.Add(base, m.room)
		*(*unsafe.Pointer)(p) = inside
		d.object(m.object, inside, false)
	}
}

// plain returns the end of a string that stands for itself, or 0.
func plain(data []byte, pos int) int {
	if pos >= len(data) || data[pos] != '"' {
		return 0
	}
	for i := pos + 1; i >= 0 && i < len(data)-8; {
		n := special(binary.LittleEndian.Uint64(data[i : i+8]))
		i += n
		if n < 8 {
			if data[i] != '"' {
				return 0
			}
			return i + 1
		}
	}
	return 0
}

// key is the name of a member.
func (m *member) key() string { return m.name[2 : len(m.name)-2] }

// value reads a value to p, a pointer of the member's type.
func (d *Decoder) value(m *member, p unsafe.Pointer) {
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
			d.object(m.object, inside, false)
		}
	case formStringMap:
		*(*map[string]string)(p) = d.StringMap()
	case formObject:
		d.object(m.object, p, false)
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
