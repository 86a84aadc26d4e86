package gocardless

import (
	"crypto/rand"
	"encoding/hex"
)

// keyHeader is the idempotency key's header in canonical form.
const keyHeader = "Idempotency-Key"

// keyHeaderOnWire is the same header under a name that net/http does not recognise. If a request
// has an Idempotency-Key header, a [net/http.Transport] may resend it when a reused connection
// breaks, even after it was written. That is right for creates, but the API may carry out an action
// twice. Under this name the key is still sent, and the transport leaves retries to us.
const keyHeaderOnWire = "idempotency-key"

// otherKeyHeader is the other name that net/http recognises. Only callers set it.
const (
	otherKeyHeader       = "X-Idempotency-Key"
	otherKeyHeaderOnWire = "x-idempotency-key"
)

// maxKeyLength is the limit in the API's schema.
const maxKeyLength = 128

// reasonConflict is the reason in the error of a create request whose idempotency key was used
// before. conflictLink is the link to the resource that was created then.
const (
	reasonConflict = ReasonIdempotentCreationConflict
	conflictLink   = "conflicting_resource_id"
)

// newKey returns a random idempotency key, a version 4 UUID.
func newKey() string {
	var b [16]byte
	// rand.Read never returns an error: it crashes the program instead.
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	s[8] = '-'
	hex.Encode(s[9:13], b[4:6])
	s[13] = '-'
	hex.Encode(s[14:18], b[6:8])
	s[18] = '-'
	hex.Encode(s[19:23], b[8:10])
	s[23] = '-'
	hex.Encode(s[24:36], b[10:16])
	return string(s[:])
}

// keyProblem describes the problem with a caller's idempotency key, or returns "".
func keyProblem(key string) string {
	switch {
	case key == "":
		return "must not be empty"
	case len(key) > maxKeyLength:
		return "must have at most 128 characters"
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] >= 0x7f {
			return "must consist of printable ASCII characters without spaces"
		}
	}
	return ""
}

// CheckIdempotencyKey returns an error if a key cannot be used for [WithIdempotencyKey].
func CheckIdempotencyKey(key string) error {
	if problem := keyProblem(key); problem != "" {
		return &ParamsError{Operation: "CheckIdempotencyKey", Problems: []Problem{{Field: keyHeader, Message: problem}}}
	}
	return nil
}
