package gocardless

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// bodyEdit holds the members that a caller adds to the body of a request. The function is a field so
// that programs that add none do not link it.
type bodyEdit struct {
	fields []bodyField
	apply  func(body []byte, envelope string, fields []bodyField) ([]byte, error)
}

type bodyField struct {
	path  []string
	value json.RawMessage
}

func (s *settings) addBodyField(path string, value any) {
	steps := strings.Split(path, ".")
	for _, step := range steps {
		if step == "" {
			s.refuse("WithBodyField", "needs a path of names with dots between them")
			return
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		s.refuse("WithBodyField", "cannot encode the value for "+path)
		return
	}
	edit := &bodyEdit{apply: applyBodyFields}
	if s.edit != nil {
		edit.fields = append(edit.fields, s.edit.fields...)
	}
	edit.fields = append(edit.fields, bodyField{steps, encoded})
	s.edit = edit
}

// applyBodyFields sets members in an encoded body. It makes a body if there is none.
func applyBodyFields(body []byte, envelope string, fields []bodyField) ([]byte, error) {
	if len(body) == 0 {
		body = []byte("{}")
	}
	for _, f := range fields {
		path := f.path
		if envelope != "" {
			path = append([]string{envelope}, path...)
		}
		edited, err := setMember(body, path, f.value)
		if err != nil {
			return nil, errors.New("WithBodyField " + strings.Join(f.path, ".") + ": " + err.Error())
		}
		body = edited
	}
	return body, nil
}

// setMember returns a copy of a JSON object with the member at path set. It copies the other members
// undecoded, so that no number changes.
func setMember(object []byte, path []string, value json.RawMessage) ([]byte, error) {
	members := map[string]json.RawMessage{}
	if trimmed := bytes.TrimSpace(object); len(trimmed) > 0 && !bytes.Equal(trimmed, []byte("null")) {
		if err := json.Unmarshal(trimmed, &members); err != nil {
			return nil, errors.New("the path leads through something that is not an object")
		}
	}
	if len(path) > 1 {
		inner, err := setMember(members[path[0]], path[1:], value)
		if err != nil {
			return nil, err
		}
		value = inner
	}
	members[path[0]] = value
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(members); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
