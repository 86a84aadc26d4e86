package gocardless

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrNoMetadata is the error of the methods of [Metadata] that read a value if the key is absent.
var ErrNoMetadata = errors.New("gocardless: no such metadata")

// MetadataError describes an invalid key or value of [Metadata]. Its message contains the key, but
// never the value.
type MetadataError struct {
	Key     string
	Problem string
	Err     error // the cause, if there is one
}

// Error returns the key and the problem.
func (e *MetadataError) Error() string {
	return fmt.Sprintf("gocardless: metadata %q: %s", e.Key, e.Problem)
}

// Unwrap returns the cause.
func (e *MetadataError) Unwrap() error { return e.Err }

// The methods below store typed values as strings. Those that write check the API's limits and
// change nothing if they return an error; for a nil Metadata, they return one.

// SetString sets a string.
func (m Metadata) SetString(key, value string) error { return m.set(key, value) }

// SetInt sets a number, in decimal.
func (m Metadata) SetInt(key string, value int64) error {
	return m.set(key, strconv.FormatInt(value, 10))
}

// SetBool sets "true" or "false".
func (m Metadata) SetBool(key string, value bool) error {
	return m.set(key, strconv.FormatBool(value))
}

// SetTime sets an instant in RFC 3339 form, in UTC and with nanoseconds.
func (m Metadata) SetTime(key string, value time.Time) error {
	if year := value.UTC().Year(); year < 0 || year > 9999 {
		return &MetadataError{Key: key, Problem: "year outside 0 to 9999"}
	}
	return m.set(key, value.UTC().Format(time.RFC3339Nano))
}

// SetDate sets a date, in the form YYYY-MM-DD.
func (m Metadata) SetDate(key string, value Date) error {
	if !value.IsValid() {
		return &MetadataError{Key: key, Problem: "not a date"}
	}
	return m.set(key, value.String())
}

// SetJSON sets the compact JSON of a value, which must fit into 500 characters.
func (m Metadata) SetJSON(key string, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it would use six characters for each <, > and &
	if err := encoder.Encode(value); err != nil {
		return &MetadataError{Key: key, Problem: "cannot be written as JSON", Err: err}
	}
	return m.set(key, strings.TrimSuffix(text.String(), "\n"))
}

func (m Metadata) set(key, value string) error {
	if m == nil {
		return &MetadataError{Key: key, Problem: "the Metadata is nil"}
	}
	if problem := checkMetadata(key, value); problem != "" {
		return &MetadataError{Key: key, Problem: problem}
	}
	if _, ok := m[key]; !ok && len(m) >= MaxMetadataKeys {
		return &MetadataError{Key: key, Problem: fmt.Sprintf("there are %d keys already, which is the limit", len(m))}
	}
	m[key] = value
	return nil
}

func checkMetadata(key, value string) string {
	switch n := utf8.RuneCountInString(value); {
	case key == "":
		return "the key is empty"
	case !utf8.ValidString(key) || !utf8.ValidString(value):
		return "not valid UTF-8"
	case utf8.RuneCountInString(key) > MaxMetadataKeyLength:
		return fmt.Sprintf("the key is longer than %d characters", MaxMetadataKeyLength)
	case n > MaxMetadataValueLength:
		return fmt.Sprintf("the value has %d characters, and may have %d", n, MaxMetadataValueLength)
	}
	return ""
}

// Check returns an error for the first key or value that the API would refuse, or nil. Methods that
// send metadata check it themselves.
func (m Metadata) Check() error {
	if len(m) > MaxMetadataKeys {
		return &MetadataError{Problem: fmt.Sprintf("%d keys, and there may be %d", len(m), MaxMetadataKeys)}
	}
	var first *MetadataError
	for key, value := range m {
		// The order of a map is random; the error is not.
		if problem := checkMetadata(key, value); problem != "" && (first == nil || key < first.Key) {
			first = &MetadataError{Key: key, Problem: problem}
		}
	}
	if first != nil {
		return first
	}
	return nil
}

// Int returns the number of a key. Like the other methods that read, it returns [ErrNoMetadata] if
// the key is absent, and a [*MetadataError] if its value cannot be read.
func (m Metadata) Int(key string) (int64, error) {
	return readMetadata(m, key, "not a number", func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
}

// Bool returns the boolean of a key: "true", "false", or another form that [strconv.ParseBool]
// accepts.
func (m Metadata) Bool(key string) (bool, error) {
	return readMetadata(m, key, "not true or false", strconv.ParseBool)
}

// Time returns the instant of a key, in UTC.
func (m Metadata) Time(key string) (time.Time, error) {
	return readMetadata(m, key, "not a time as in RFC 3339", func(s string) (time.Time, error) {
		t, err := time.Parse(time.RFC3339, s)
		return t.UTC(), err
	})
}

// Date returns the date of a key.
func (m Metadata) Date(key string) (Date, error) {
	return readMetadata(m, key, "not a date", ParseDate)
}

// JSON reads the JSON of a key into the variable that target points to, as
// [json.Unmarshal] does.
func (m Metadata) JSON(key string, target any) error {
	_, err := readMetadata(m, key, "not the JSON expected", func(s string) (struct{}, error) {
		return struct{}{}, json.Unmarshal([]byte(s), target)
	})
	return err
}

func readMetadata[T any](m Metadata, key, problem string, parse func(string) (T, error)) (T, error) {
	var zero T
	text, ok := m[key]
	if !ok {
		return zero, fmt.Errorf("%w: %q", ErrNoMetadata, key)
	}
	value, err := parse(text)
	if err != nil {
		// The cause is not wrapped: the errors of these parsers quote the value.
		return zero, &MetadataError{Key: key, Problem: problem}
	}
	return value, nil
}
