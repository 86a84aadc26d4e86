package gocardless

import "strings"

// decodeError fills in what the body of an unsuccessful reply tells. The body
// may be anything: the API's own error object, {"error":"text"}, an HTML page of
// a proxy, a part of any of these, or nothing. What cannot be read is left out;
// the status alone is enough for an error.
func decodeError(e *Error, body []byte) {
	if len(body) == 0 || !looksLikeObject(body) {
		return
	}
	var fields errorBody
	if decodeDocument(body, &fields) != nil {
		// Half an error object is not to be trusted: a reason that was cut off
		// could be taken for another.
		return
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

func (v *errorBody) decode(d *decoder) {
	for d.object(); d.more(); {
		if string(d.key) != "error" {
			d.unknown()
			continue
		}
		switch d.next() {
		case '{':
			v.decodeError(d)
		case '"':
			v.message = d.string()
		default:
			d.skip()
		}
	}
}

func (v *errorBody) decodeError(d *decoder) {
	for d.object(); d.more(); {
		switch string(d.key) {
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
			d.unknown()
		}
	}
}

func (v *errorBody) decodeDetails(d *decoder) {
	if d.next() != '[' {
		d.skip()
		return
	}
	for d.array(); d.elem(); {
		if d.next() != '{' {
			d.skip()
			continue
		}
		v.details = append(v.details, ErrorDetail{})
		v.details[len(v.details)-1].decode(d)
	}
}

func (v *ErrorDetail) decode(d *decoder) {
	for d.object(); d.more(); {
		switch string(d.key) {
		case "reason":
			v.Reason = Reason(looseString(d))
		case "field":
			v.Field = looseString(d)
		case "message":
			v.Message = looseString(d)
		case "request_pointer":
			v.RequestPointer = looseString(d)
		case "links":
			if d.next() != '{' {
				d.skip()
				continue
			}
			v.Links = d.stringMap()
		case "metadata":
			if d.next() != '{' {
				d.skip()
				continue
			}
			v.Metadata = d.anyMap()
		default:
			d.unknown()
		}
	}
}

// looseString reads a string and steps over anything else: one odd member must
// not cost the rest of the error.
func looseString(d *decoder) string {
	if d.next() != '"' {
		d.skip()
		return ""
	}
	return strings.ToValidUTF8(d.string(), "\uFFFD")
}

func looseInt(d *decoder) int {
	if c := d.next(); c < '0' || c > '9' {
		d.skip()
		return 0
	}
	f := d.float64()
	if f < 0 || f > 1<<30 {
		return 0
	}
	return int(f)
}
