package gocardless

import (
	"encoding"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// any writes a member whose value has any of the types that anyValue takes.
func (e *encoder) any(name string, v any) {
	e.anyName(name)
	e.anyValue(name, v)
}

// anyValue writes nil, booleans, numbers, texts, params, slices and maps of them, and what
// turns itself into JSON or text. A struct of the caller's own is an error: what
// encoding/json would do with one is a lot of code for every program to link.
func (e *encoder) anyValue(name string, v any) {
	if e.err != nil {
		return
	}
	if e.depth++; e.depth > maxDepth {
		e.fail(name, "nested too deeply, or a cycle")
		return
	}
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, "null"...)
	case map[string]any:
		e.mapValue(name, v)
	case time.Time:
		e.timeValue(name, v)
	case Date:
		e.dateValue(name, v)
	default:
		e.reflectValue(name, reflect.ValueOf(v))
	}
	e.depth--
}

// mapValue writes an object, sorted by name.
func (e *encoder) mapValue(name string, v map[string]any) {
	e.begin()
	for _, key := range slices.Sorted(maps.Keys(v)) {
		e.any(key, v[key])
	}
	e.end()
}

// reflectValue writes a value by its kind, so that named types need no case each.
func (e *encoder) reflectValue(name string, v reflect.Value) {
	if e.marshalled(name, v) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		e.buf = strconv.AppendBool(e.buf, v.Bool())
	case reflect.String:
		if t := v.Type(); t.Name() == "Number" && t.PkgPath() == "encoding/json" {
			e.jsonValue(name, []byte(v.String()))
			return
		}
		e.buf = appendString(e.buf, v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.buf = strconv.AppendInt(e.buf, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.buf = strconv.AppendUint(e.buf, v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		e.floatValue(name, v.Float(), v.Type().Bits())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			e.buf = append(e.buf, "null"...)
			return
		}
		e.anyValue(name, v.Elem().Interface())
	case reflect.Slice, reflect.Array:
		e.buf = append(e.buf, '[')
		for i := range v.Len() {
			e.comma()
			e.anyValue(name, v.Index(i).Interface())
		}
		e.buf = append(e.buf, ']')
	case reflect.Map:
		e.reflectMap(name, v)
	default:
		e.fail(name, "values of type "+v.Type().String()+" are not supported")
	}
}

// reflectMap writes a map with keys of a string kind.
func (e *encoder) reflectMap(name string, v reflect.Value) {
	if v.Type().Key().Kind() != reflect.String {
		e.fail(name, "values of type "+v.Type().String()+" are not supported")
		return
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return +1
	})
	e.begin()
	for _, key := range keys {
		e.any(key.String(), v.MapIndex(key).Interface())
	}
	e.end()
}

// marshalled writes a value that knows how to write itself, and reports whether it does.
func (e *encoder) marshalled(name string, v reflect.Value) bool {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return false
	}
	if v.Kind() == reflect.Struct {
		// Params are passed by value, and their methods are those of the pointer.
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		if _, ok := p.Interface().(encodable); ok {
			v = p
		}
	}
	switch v := v.Interface().(type) {
	case encodable:
		v.encode(e)
	case interface{ MarshalJSON() ([]byte, error) }:
		text, err := v.MarshalJSON()
		if err != nil {
			e.fail(name, err.Error())
			return true
		}
		e.jsonValue(name, text)
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			e.fail(name, err.Error())
			return true
		}
		e.buf = appendString(e.buf, string(text))
	default:
		return false
	}
	return true
}

// jsonValue writes JSON text, which must be valid.
func (e *encoder) jsonValue(name string, text []byte) {
	d := newDecoder(text)
	d.skip()
	if err := d.finish(); err != nil {
		e.fail(name, "invalid JSON: "+err.Error())
		return
	}
	e.buf = append(e.buf, text...)
}
