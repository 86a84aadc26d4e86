package jsonwire

import "strconv"

// EncodeList writes an array of numbers or booleans; nil is written as an empty one.
func EncodeList[V int | float64 | bool](e *Encoder, name string, list []V) {
	e.BeginArray(name)
	for _, v := range list {
		e.comma()
		switch v := any(v).(type) {
		case int:
			e.buf = strconv.AppendInt(e.buf, int64(v), 10)
		case float64:
			e.float(name, v)
		case bool:
			e.buf = strconv.AppendBool(e.buf, v)
		}
	}
	e.EndArray()
}
