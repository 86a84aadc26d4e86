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
	d := jsonwire.NewDecoder(body)
	fields.decode(d)
	if _, err := d.Finish(); err != nil {
		// Half an error object is not reliable: a reason that was cut off could be another one.
		return false
	}
	e.Type = fields.Type
	e.Code = fields.Code
	e.Message = fields.Message
	e.DocumentationURL = fields.DocumentationURL
	e.Details = fields.details()
	if e.RequestID == "" {
		e.RequestID = fields.RequestID
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

// errorBody is the body of an unsuccessful reply. A member of another type than expected is left out:
// it must not cost the rest of the error.
type errorBody struct {
	Type             ErrorType     `json:"type"`
	Code             int           `json:"code"`
	Message          string        `json:"message"`
	RequestID        string        `json:"request_id"`
	DocumentationURL string        `json:"documentation_url"`
	Errors           []errorDetail `json:"errors"`
}

// errorDetail is an [ErrorDetail] with the names of its members.
type errorDetail struct {
	Reason         Reason            `json:"reason"`
	Field          string            `json:"field"`
	Message        string            `json:"message"`
	RequestPointer string            `json:"request_pointer"`
	Links          map[string]string `json:"links"`
	Metadata       map[string]any    `json:"metadata"`
}

func (v *errorBody) decode(d *jsonwire.Decoder) {
	for d.Object(); d.More(); {
		if string(d.Key) != "error" {
			d.Unknown()
			continue
		}
		switch d.Next() {
		case '{':
			d.Read(v)
		case '"':
			v.Message = d.Text()
		default:
			d.Skip()
		}
	}
}

// details returns the details that say anything.
func (v *errorBody) details() []ErrorDetail {
	var list []ErrorDetail
	for i := range v.Errors {
		e := &v.Errors[i]
		if e.Reason != "" || e.Field != "" || e.Message != "" || e.RequestPointer != "" || e.Links != nil || e.Metadata != nil {
			wholeNumbers(e.Metadata)
			list = append(list, ErrorDetail(*e))
		}
	}
	return list
}

// wholeNumbers turns the whole numbers of a map into integers. Amounts are integers, and a million
// pounds printed as a float64 is 1e+08.
func wholeNumbers(m map[string]any) {
	for k, v := range m {
		if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			m[k] = int64(f)
		}
	}
}
