package gocardless

import (
	"math"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
)

// decodeError fills in an error from the body of an unsuccessful reply. The body may be anything: the
// API's own error object, {"error":"text"}, an HTML page of a proxy, a part of any of these, or
// empty. Parts that cannot be read are left out, since the status alone makes an error. It reports
// whether the body is a complete JSON object.
func decodeError(e *Error, body []byte) bool {
	if len(body) == 0 || !looksLikeObject(body) {
		return false
	}
	var fields errorBody
	if _, err := decodeDocument(body, &fields); err != nil {
		// Half an error object is not reliable: a reason that was cut off could be another one.
		return false
	}
	e.Type = ErrorType(fields.kind)
	e.Code = fields.code
	e.Message = fields.message
	e.DocumentationURL = fields.documentationURL
	e.Details = fields.details
	if e.RequestID == "" {
		e.RequestID = fields.requestID
	}
	if e.HasReason("access_token_not_found") {
		e.hint = "the token may belong to the other environment"
	}
	return true
}

func looksLikeObject(body []byte) bool {
	for _, c := range body {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c == '{'
		}
	}
	return false
}

// errorBody is the body of an unsuccessful reply.
type errorBody struct {
	kind, message, requestID, documentationURL string

	code    int
	details []ErrorDetail
}

func (v *errorBody) decode(d *jsonwire.Decoder) {
	for d.Object(); d.More(); {
		if string(d.Key) != "error" {
			d.Unknown()
			continue
		}
		switch d.Next() {
		case '{':
			v.decodeError(d)
		case '"':
			v.message = d.Text()
		default:
			d.Skip()
		}
	}
}

func (v *errorBody) decodeError(d *jsonwire.Decoder) {
	for d.Object(); d.More(); {
		switch string(d.Key) {
		case "type":
			v.kind = looseString(d)
		case "code":
			v.code = looseInt(d)
		case "message":
			v.message = looseString(d)
		case "request_id":
			v.requestID = looseString(d)
		case "documentation_url":
			v.documentationURL = looseString(d)
		case "errors":
			v.decodeDetails(d)
		default:
			d.Unknown()
		}
	}
}

func (v *errorBody) decodeDetails(d *jsonwire.Decoder) {
	if d.Next() != '[' {
		d.Skip()
		return
	}
	for d.Array(); d.Elem(); {
		if d.Next() != '{' {
			d.Skip()
			continue
		}
		v.details = append(v.details, ErrorDetail{})
		v.details[len(v.details)-1].decode(d)
	}
}

func (v *ErrorDetail) decode(d *jsonwire.Decoder) {
	for d.Object(); d.More(); {
		switch string(d.Key) {
		case "reason":
			v.Reason = Reason(looseString(d))
		case "field":
			v.Field = looseString(d)
		case "message":
			v.Message = looseString(d)
		case "request_pointer":
			v.RequestPointer = looseString(d)
		case "links":
			if d.Next() != '{' {
				d.Skip()
				continue
			}
			v.Links = d.StringMap()
		case "metadata":
			if d.Next() != '{' {
				d.Skip()
				continue
			}
			v.Metadata = wholeNumbers(d.AnyMap())
		default:
			d.Unknown()
		}
	}
}

// looseString reads a string and skips anything else, so that the rest of the error is still read.
func looseString(d *jsonwire.Decoder) string {
	if d.Next() != '"' {
		d.Skip()
		return ""
	}
	return d.Text()
}

func looseInt(d *jsonwire.Decoder) int {
	if c := d.Next(); c < '0' || c > '9' {
		d.Skip()
		return 0
	}
	n := d.Int64()
	if n > 1<<30 {
		return 0
	}
	return int(n)
}

// wholeNumbers turns the whole numbers of a map into integers. Amounts are integers, and a million
// pounds printed as a float64 is 1e+08.
func wholeNumbers(m map[string]any) map[string]any {
	for k, v := range m {
		if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			m[k] = int64(f)
		}
	}
	return m
}
