// Package jsontree holds JSON documents as trees that keep the order of their members, so that a
// program can change a vendored document and leave every other byte of it alone.
package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the type of a JSON value.
type Kind int

// The kinds of value.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Value is a JSON value. The zero Value is null.
type Value struct {
	Kind    Kind
	Text    string // of a string: its characters; of a number: as written; of a boolean: true or false
	Items   []*Value
	Members []Member
}

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value *Value
}

// MaxDepth is the deepest nesting that [Parse] accepts.
const MaxDepth = 500

// Parse reads exactly one JSON value. An error names the line and column. A duplicate member is an error,
// because tools disagree on which one counts.
func Parse(data []byte) (*Value, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not valid UTF-8")
	}
	if at, err := syntax(data); err != nil {
		return nil, fmt.Errorf("%s: %w", position(data, at), err)
	}
	p := parser{text: string(data)}
	v, err := p.value(0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", position(data, p.at), err)
	}
	return v, nil
}

var errTruncated = errors.New("the document ends in the middle")

// syntax returns what keeps data from being one JSON value, and where.
func syntax(data []byte) (at int, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var value json.RawMessage
	err = dec.Decode(&value)
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case err == nil:
		if _, more := dec.Token(); more != io.EOF {
			return int(dec.InputOffset()), errors.New("text after the end of the JSON value")
		}
		return 0, nil
	// The decoder has three errors for the end of the input. The last, since Go 1.27, is recognisable only
	// by its message.
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), isSyntax && syntax.Error() == "unexpected end of JSON input":
		return len(data), errTruncated
	case isSyntax:
		return int(syntax.Offset), err
	}
	return int(dec.InputOffset()), err
}

func position(data []byte, at int) string {
	before := data[:min(at, len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}

// parser reads valid JSON. The strings of its values are parts of the text.
type parser struct {
	text string
	at   int
}

// next skips white space and separators, and returns the character that follows.
func (p *parser) next() byte {
	for strings.IndexByte(" \t\r\n,:", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.text[p.at]
}

func (p *parser) value(depth int) (*Value, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("nested more than %d levels deep", MaxDepth)
	}
	switch p.next() {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return &Value{Kind: String, Text: p.string()}, nil
	}
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n,]}", p.text[p.at]) < 0 {
		p.at++
	}
	switch text := p.text[start:p.at]; text {
	case "null":
		return &Value{}, nil
	case "true", "false":
		return &Value{Kind: Bool, Text: text}, nil
	default:
		return &Value{Kind: Number, Text: text}, nil
	}
}

func (p *parser) array(depth int) (*Value, error) {
	v := &Value{Kind: Array}
	for p.at++; p.next() != ']'; {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, within(strconv.Itoa(len(v.Items)), err)
		}
		v.Items = append(v.Items, item)
	}
	p.at++
	return v, nil
}

func (p *parser) object(depth int) (*Value, error) {
	v := &Value{Kind: Object}
	seen := map[string]bool{}
	for p.at++; p.next() != '}'; {
		name := p.string()
		if seen[name] {
			return nil, &repeated{Join("", name)}
		}
		seen[name] = true
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, within(name, err)
		}
		v.Members = append(v.Members, Member{name, value})
	}
	p.at++
	return v, nil
}

func (p *parser) string() string {
	start, escapes := p.at, false
	for p.at++; p.text[p.at] != '"'; p.at++ {
		if p.text[p.at] == '\\' {
			escapes = true
			p.at++
		}
	}
	p.at++
	if !escapes {
		return p.text[start+1 : p.at-1]
	}
	var s string
	if err := json.Unmarshal([]byte(p.text[start:p.at]), &s); err != nil {
		panic("jsontree: decoding a validated string: " + err.Error())
	}
	return s
}

// repeated is a member that an object has twice.
type repeated struct{ pointer string }

func (r *repeated) Error() string { return r.pointer + " is given twice" }

// within completes the pointer of an error in a member or an item.
func within(token string, err error) error {
	if r, ok := errors.AsType[*repeated](err); ok {
		r.pointer = Join("", token) + r.pointer
	}
	return err
}

// Format returns the value in the form of the vendored documents: two spaces per level, no escapes that
// JSON does not need, one newline at the end.
func (v *Value) Format() []byte {
	var b bytes.Buffer
	v.write(&b, "\n", "  ")
	b.WriteByte('\n')
	return b.Bytes()
}

// Compact returns the value on one line.
func (v *Value) Compact() string {
	var b bytes.Buffer
	v.write(&b, "", "")
	return b.String()
}

func (v *Value) write(b *bytes.Buffer, newline, indent string) {
	inner := newline
	if newline != "" {
		inner += indent
	}
	switch {
	case v == nil || v.Kind == Null:
		b.WriteString("null")
	case v.Kind == String:
		writeString(b, v.Text)
	case v.Kind == Array && len(v.Items) > 0:
		for i, item := range v.Items {
			b.WriteString(separator(i, '[') + inner)
			item.write(b, inner, indent)
		}
		b.WriteString(newline + "]")
	case v.Kind == Array:
		b.WriteString("[]")
	case v.Kind == Object && len(v.Members) > 0:
		for i, m := range v.Members {
			b.WriteString(separator(i, '{') + inner)
			writeString(b, m.Name)
			b.WriteByte(':')
			if newline != "" {
				b.WriteByte(' ')
			}
			m.Value.write(b, inner, indent)
		}
		b.WriteString(newline + "}")
	case v.Kind == Object:
		b.WriteString("{}")
	default:
		b.WriteString(v.Text)
	}
}

func separator(i int, open byte) string {
	if i == 0 {
		return string(open)
	}
	return ","
}

func writeString(b *bytes.Buffer, s string) {
	if !strings.ContainsFunc(s, needsEncoder) {
		b.WriteByte('"')
		b.WriteString(s)
		b.WriteByte('"')
		return
	}
	start := b.Len()
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("jsontree: encoding a string: " + err.Error())
	}
	b.Truncate(b.Len() - 1) // the encoder ends with a newline
	// The encoder escapes the two line separators for the sake of JavaScript; the documents do not.
	if strings.ContainsAny(s, "\u2028\u2029") {
		text := string(b.Bytes()[start:])
		b.Truncate(start)
		b.WriteString(strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029").Replace(text))
	}
}

// needsEncoder reports whether a character may need escaping. Most printable ASCII does not.
func needsEncoder(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

// Get returns the member of an object, or nil when v is not an object or has none of that name.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	for i := range v.Members {
		if v.Members[i].Name == name {
			return v.Members[i].Value
		}
	}
	return nil
}

// Has reports whether an object has a member of that name.
func (v *Value) Has(name string) bool { return v.Get(name) != nil }

// Set replaces a member or appends it.
func (v *Value) Set(name string, value *Value) {
	for i := range v.Members {
		if v.Members[i].Name == name {
			v.Members[i].Value = value
			return
		}
	}
	v.Members = append(v.Members, Member{name, value})
}

// SetOrdered replaces a member, or inserts it so that the members named in order keep that order.
// Members that order does not name stay where they are.
func (v *Value) SetOrdered(name string, value *Value, order []string) {
	rank := slices.Index(order, name)
	v.setBefore(name, value, func(other string) bool { return rank >= 0 && slices.Index(order, other) > rank })
}

// SetSorted replaces a member, or inserts it before the first one whose name is greater.
func (v *Value) SetSorted(name string, value *Value) {
	v.setBefore(name, value, func(other string) bool { return other > name })
}

// setBefore replaces a member, or inserts it before the first one whose name satisfies follows.
func (v *Value) setBefore(name string, value *Value, follows func(other string) bool) {
	if v.Has(name) {
		v.Set(name, value)
		return
	}
	at := slices.IndexFunc(v.Members, func(m Member) bool { return follows(m.Name) })
	if at < 0 {
		at = len(v.Members)
	}
	v.Members = slices.Insert(v.Members, at, Member{name, value})
}

// Delete removes a member if there is one.
func (v *Value) Delete(name string) {
	v.Members = slices.DeleteFunc(v.Members, func(m Member) bool { return m.Name == name })
}

// Names returns the names of an object's members in order.
func (v *Value) Names() []string {
	if v == nil {
		return nil
	}
	names := make([]string, len(v.Members))
	for i, m := range v.Members {
		names[i] = m.Name
	}
	return names
}

// Str returns the value of a string, or "" for anything else.
func (v *Value) Str() string {
	if v == nil || v.Kind != String {
		return ""
	}
	return v.Text
}

// True reports whether v is the boolean true.
func (v *Value) True() bool { return v != nil && v.Kind == Bool && v.Text == "true" }

// Strings returns the strings in an array, leaving out everything else.
func (v *Value) Strings() []string {
	if v == nil {
		return nil
	}
	var out []string
	for _, item := range v.Items {
		if item.Kind == String {
			out = append(out, item.Text)
		}
	}
	return out
}

// Clone copies a value with everything in it.
func (v *Value) Clone() *Value {
	if v == nil {
		return nil
	}
	c := &Value{Kind: v.Kind, Text: v.Text}
	for _, item := range v.Items {
		c.Items = append(c.Items, item.Clone())
	}
	for _, m := range v.Members {
		c.Members = append(c.Members, Member{m.Name, m.Value.Clone()})
	}
	return c
}

// Equal reports whether two values are the same, whatever the order of their members.
func Equal(a, b *Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || len(a.Items) != len(b.Items) || len(a.Members) != len(b.Members) {
		return false
	}
	if a.Kind == Number {
		return sameNumber(a.Text, b.Text)
	}
	if a.Text != b.Text {
		return false
	}
	for i := range a.Items {
		if !Equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for _, m := range a.Members {
		if !b.Has(m.Name) || !Equal(m.Value, b.Get(m.Name)) {
			return false
		}
	}
	return true
}

// EqualText reports whether two strings are the same or equal as JSON values: 28 and 28.0 are one number.
func EqualText(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := Parse([]byte(a))
	y, errY := Parse([]byte(b))
	return errX == nil && errY == nil && Equal(x, y)
}

// sameNumber compares numbers by value, so that 1 and 1.0 are the same.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := json.Number(a).Float64()
	y, errY := json.Number(b).Float64()
	return errX == nil && errY == nil && x == y
}

// Walk visits v and everything in it with its JSON pointer, parents first.
func (v *Value) Walk(visit func(pointer string, v *Value)) { v.walk("", visit) }

func (v *Value) walk(pointer string, visit func(string, *Value)) {
	visit(pointer, v)
	for i, item := range v.Items {
		item.walk(pointer+"/"+strconv.Itoa(i), visit)
	}
	for _, m := range v.Members {
		m.Value.walk(Join(pointer, m.Name), visit)
	}
}

// At follows a JSON pointer from v. It returns nil if the pointer leads nowhere.
func (v *Value) At(pointer string) *Value {
	if pointer == "" {
		return v
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = unescape.Replace(token)
		if v == nil {
			return nil
		}
		if v.Kind == Array {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v.Items) {
				return nil
			}
			v = v.Items[i]
			continue
		}
		v = v.Get(token)
	}
	return v
}

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// Join appends tokens to a JSON pointer, escaped according to RFC 6901.
func Join(pointer string, tokens ...string) string {
	for _, token := range tokens {
		if strings.ContainsAny(token, "~/") {
			token = escape.Replace(token)
		}
		pointer += "/" + token
	}
	return pointer
}

// Unescape returns one token of a JSON pointer as it is in the document.
func Unescape(token string) string { return unescape.Replace(token) }

// NewString returns a JSON string.
func NewString(s string) *Value { return &Value{Kind: String, Text: s} }

// NewBool returns a JSON boolean.
func NewBool(b bool) *Value { return &Value{Kind: Bool, Text: fmt.Sprint(b)} }

// NewStrings returns a JSON array of strings.
func NewStrings(list ...string) *Value {
	v := &Value{Kind: Array}
	for _, s := range list {
		v.Items = append(v.Items, NewString(s))
	}
	return v
}

// NewObject returns an object with the given members, without those whose value is nil.
func NewObject(members ...Member) *Value {
	v := &Value{Kind: Object}
	for _, m := range members {
		if m.Value != nil {
			v.Members = append(v.Members, m)
		}
	}
	return v
}
