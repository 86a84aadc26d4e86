package param

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
)

// fill adds an empty object for each required object that is missing, as the SDK does.
func fill(o *spec.Object, v map[string]any) {
	for _, f := range o.Fields {
		if f.Kind != spec.Group || f.In != spec.InBody {
			continue
		}
		inner, ok := v[f.Name].(map[string]any)
		if _, given := v[f.Name]; !given && f.Required {
			inner, ok = map[string]any{}, true
			v[f.Name] = inner
		}
		if ok {
			fill(f.Object, inner)
		}
	}
}

// object checks the members of an object.
func (s *Set) object(o *spec.Object, v map[string]any, prefix string) {
	for i := range o.Fields {
		f := &o.Fields[i]
		path := prefix + f.Name
		value, given := v[f.Name]
		switch {
		case s.unread[path]:
		case !given && f.Required:
			s.Problem(path, "is required")
		case given && value != nil:
			s.value(f, value, path)
		case given && f.Required && !f.Nullable:
			s.Problem(path, "must not be null")
		}
	}
	for _, c := range o.Conditions {
		if v[c.Field] != c.Is {
			continue
		}
		for _, then := range c.Then {
			if lookup(v, then) == nil {
				s.Problem(prefix+then, fmt.Sprintf("is required when %s is %q", prefix+c.Field, c.Is))
			}
		}
	}
}

func (s *Set) value(f *spec.Field, v any, path string) {
	switch v := v.(type) {
	case string:
		s.text(f, v, path)
	case json.Number:
		s.number(f, v, path)
	case map[string]any:
		switch {
		case f.Kind == spec.Group:
			s.object(f.Object, v, path+".")
		case f.Kind == spec.Map:
			s.stringMap(f, v, path)
		case f.Kind != spec.JSON:
			s.Problem(path, "must not be an object")
		}
	case []any:
		if f.Kind != spec.List {
			s.Problem(path, "must not be a list")
			return
		}
		for i, item := range v {
			s.value(f.Elem, item, path+"."+strconv.Itoa(i))
		}
	case bool:
		if f.Kind != spec.Bool {
			s.Problem(path, "must not be true or false")
		}
	}
}

func (s *Set) text(f *spec.Field, v, path string) {
	switch f.Kind {
	case spec.Int, spec.Money, spec.Float:
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			s.Problem(path, "must be a number")
		}
		return
	case spec.Group, spec.List, spec.Map, spec.JSON, spec.Bool:
		s.Problem(path, "must not be a string")
		return
	}
	n := utf8.RuneCountInString(v)
	if v == "" && f.Required {
		s.Problem(path, "is required")
		return
	}
	if n < f.MinLength {
		s.Problem(path, fmt.Sprintf("must have at least %d characters", f.MinLength))
	}
	if f.MaxLength > 0 && n > f.MaxLength {
		s.Problem(path, fmt.Sprintf("must have at most %d characters", f.MaxLength))
	}
	if f.Pattern != "" {
		if re, err := regexp.Compile(f.Pattern); err == nil && !re.MatchString(v) {
			s.Problem(path, "must match "+f.Pattern)
		}
	}
	if len(f.Enum) > 0 && !known(f.Enum, v) {
		s.Problem(path, "must be one of "+strings.Join(names(f.Enum), ", ")+"; --no-validation sends it anyway")
	}
}

func known(values []spec.Value, v string) bool {
	for _, k := range values {
		if k.Name == v {
			return true
		}
	}
	return false
}

func names(values []spec.Value) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.Name
	}
	return out
}

func (s *Set) number(f *spec.Field, v json.Number, path string) {
	switch f.Kind {
	case spec.Int, spec.Money:
	case spec.Float:
		return
	default:
		s.Problem(path, "must not be a number")
		return
	}
	n, err := v.Int64()
	switch {
	case err != nil:
		s.Problem(path, "must be a whole number")
	case f.Minimum != nil && n < *f.Minimum:
		s.Problem(path, fmt.Sprintf("must be at least %d", *f.Minimum))
	case f.Maximum != nil && n > *f.Maximum:
		s.Problem(path, fmt.Sprintf("must be at most %d", *f.Maximum))
	}
}

func (s *Set) stringMap(f *spec.Field, v map[string]any, path string) {
	if f.MaxMembers > 0 && len(v) > f.MaxMembers {
		s.Problem(path, fmt.Sprintf("must have at most %d members", f.MaxMembers))
	}
	for key, value := range v {
		text, ok := value.(string)
		switch {
		case !ok:
			s.Problem(path, "must have strings as values")
		case f.MaxKeyLength > 0 && utf8.RuneCountInString(key) > f.MaxKeyLength:
			s.Problem(path, fmt.Sprintf("must not have a name of more than %d characters", f.MaxKeyLength))
		case f.MaxValueLength > 0 && utf8.RuneCountInString(text) > f.MaxValueLength:
			s.Problem(path+"."+key, fmt.Sprintf("must have at most %d characters", f.MaxValueLength))
		}
	}
}
