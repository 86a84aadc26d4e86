package gocardlesstest

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonpointer"
)

//go:embed worlds/*.json
var worldFiles embed.FS

// ReadyWorlds lists the names of the built-in worlds, for [ReadyWorld].
func ReadyWorlds() []string {
	files, err := worldFiles.ReadDir("worlds")
	if err != nil {
		panic(err)
	}
	names := []string{}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".json"))
	}
	return names
}

// ReadyWorld returns a built-in world for LoadWorld: "gym" (50 members with subscriptions, some of whose
// payments fail), "shop" (instant payments by Pay by Bank), "arrears" (three months of failures, late
// failures and chargebacks) or "schemes" (a payer of every scheme).
func ReadyWorld(name string) ([]byte, error) {
	b, err := worldFiles.ReadFile("worlds/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("gocardlesstest: no world %q; there are %s", value.Short(name), humanList(ReadyWorlds()))
	}
	return b, nil
}

// LoadWorld runs the steps of a world, which add to the state, and returns the resources that the steps
// named, as they were at that step. It stops at the first step that fails, and the error names the step.
//
// A world is a JSON object with "steps". A step names an operation of the API or, with the prefix "sandbox.",
// of the control API, with its body and the id in its path, and can name its result:
//
//	{"steps": [
//	  {"do": "customers.create", "with": {"given_name": "Ada", "family_name": "Byron", "email": "ada@example.com"}, "as": "ada"},
//	  {"do": "customer_bank_accounts.create", "as": "account", "with": {
//	    "account_holder_name": "Ada Byron", "branch_code": "200000", "account_number": "55779911", "country_code": "GB",
//	    "links": {"customer": "$ada.id"}}},
//	  {"do": "mandates.create", "with": {"links": {"customer_bank_account": "$account.id"}}, "as": "mandate"},
//	  {"do": "mandates.cancel", "id": "$mandate.id"},
//	  {"do": "sandbox.advance", "with": {"advance": "30d"}}
//	]}
//
// "$name.member" is replaced with a member of a named result, as is "${name.member}" inside a longer string;
// "$today" and "$today+14d" are replaced with dates, and "$$" with a dollar sign. A step can also run steps
// for each item of a list, to which they refer as "each":
//
//	{"each": [{"name": "Ada"}, {"name": "Grace"}], "steps": [{"do": "customers.create", "with": {"given_name": "$each.name"}}]}
func (sb *Sandbox) LoadWorld(world []byte) (map[string]json.RawMessage, error) {
	v, err := value.Parse(world)
	if err != nil {
		return nil, fmt.Errorf("gocardlesstest: reading the world: %w", err)
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("gocardlesstest: a world is a JSON object")
	}
	made, err := sb.loadWorld(o)
	if err != nil {
		return nil, explained(err)
	}
	out := map[string]json.RawMessage{}
	for _, m := range made {
		out[m.Key] = value.Append(nil, m.Val)
	}
	return out, nil
}

// explained puts all problems of an API error into one line.
func explained(err error) error {
	var refused *api.Error
	if !errors.As(err, &refused) {
		return err
	}
	said := mapped(refused.Items, func(it api.ErrorItem) string { return strings.TrimSpace(it.Pointer + " " + it.Message) })
	return errors.New("gocardlesstest: " + refused.Message + ": " + strings.Join(said, "; "))
}

// worldSpec and stepSpec are the types of a world and its steps.
var (
	worldSpec = &api.Type{Name: "World", Fields: []api.Field{
		{Name: "about", Text: "Description of the world."},
		{Name: "steps", Kind: api.KindArray, Required: true, Elem: &api.Field{Kind: api.KindObject, Type: stepSpec}, Text: "The steps, in order."},
	}}
	stepSpec = &api.Type{Name: "Step", Fields: []api.Field{
		{Name: "do", Text: "Operation of the API, such as \"payments.create\", or of the control API, such as \"sandbox.advance\"."},
		{Name: "id", Text: "Id in the operation's path."},
		{Name: "with", Kind: api.KindAnyMap, Text: "Content of the operation's body."},
		{Name: "as", Text: "Name of the result, for steps that follow."},
		{Name: "each", Kind: api.KindArray, Elem: &api.Field{Kind: api.KindAnyMap}, Text: "Items to repeat the steps for, instead of \"do\"."},
		{Name: "steps", Kind: api.KindArray, Elem: &api.Field{Kind: api.KindAnyMap}, Text: "Steps to repeat."},
	}}
)

// loadWorld is LoadWorld for a parsed world.
func (sb *Sandbox) loadWorld(o object) (object, error) {
	if err := worldSpec.Check(o, ""); err != nil {
		return nil, err
	}
	l := &worldLoader{sb: sb, names: map[string]object{}}
	if err := l.run(o.List("steps"), "/steps"); err != nil {
		return nil, err
	}
	made := object{}
	for _, name := range l.order {
		made = append(made, member{name, l.names[name]})
	}
	return made, nil
}

type worldLoader struct {
	sb    *Sandbox
	names map[string]object
	order []string // names in the order of the steps
}

func (l *worldLoader) run(steps []any, at string) error {
	for i, v := range steps {
		step, _ := v.(object)
		here := at + "/" + strconv.Itoa(i)
		if err := stepSpec.Check(step, here); err != nil {
			return err
		}
		if err := l.step(step, here); err != nil {
			return err
		}
	}
	return nil
}

func (l *worldLoader) step(step object, at string) error {
	if items, each := step.Lookup("each"); each {
		list, _ := items.([]any)
		before := l.names["each"]
		for _, item := range list {
			l.names["each"], _ = item.(object)
			if err := l.run(step.List("steps"), at+"/steps"); err != nil {
				return err
			}
		}
		l.names["each"] = before
		return nil
	}
	filled, err := l.fill(step, at)
	if err != nil {
		return err
	}
	step = filled.(object)
	made, err := l.do(step.Str("do"), step.Str("id"), step.Obj("with"))
	if err != nil {
		return inStep(err, step.Str("do"), at)
	}
	if name := step.Str("as"); name != "" {
		if !slices.Contains(l.order, name) {
			l.order = append(l.order, name)
		}
		l.names[name] = made
	}
	return nil
}

func (l *worldLoader) do(name, id string, with object) (object, error) {
	if own, ok := strings.CutPrefix(name, "sandbox."); ok {
		c := controlNamed(own)
		if c == nil {
			return nil, api.Refuse("path_not_found", "The control API has no operation "+value.Short(own))
		}
		return c.perform(l.sb, &controlCall{id: id, body: with})
	}
	op := theRegistry().ops[name]
	switch {
	case op == nil:
		return nil, api.Refuse("path_not_found", "The API has no operation "+value.Short(name))
	case len(with) == 0 && op.Request == "":
		with = nil
	case with == nil && op.NeedsBody():
		with = object{}
	}
	return l.sb.call(op, id, with)
}

// inStep adds the step to an error.
func inStep(err error, do, at string) error {
	var refused *api.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("gocardlesstest: %s (%s): %w", at, do, err)
	}
	out := *refused
	out.Message = at + " (" + do + "): " + out.Message
	out.Items = slices.Clone(out.Items)
	for i := range out.Items {
		it := &out.Items[i]
		it.Pointer = at + "/with" + it.Pointer
	}
	return &out
}

// fill replaces the references in a value.
func (l *worldLoader) fill(v any, at string) (any, error) {
	switch v := v.(type) {
	case object:
		out := make(object, 0, len(v))
		for _, m := range v {
			val, err := l.fill(m.Val, jsonpointer.Join(at, value.Short(m.Key)))
			if err != nil {
				return nil, err
			}
			out = append(out, member{m.Key, val})
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(v))
		for i, e := range v {
			val, err := l.fill(e, at+"/"+strconv.Itoa(i))
			if err != nil {
				return nil, err
			}
			out = append(out, val)
		}
		return out, nil
	case string:
		return l.fillString(v, at)
	}
	return v, nil
}

func (l *worldLoader) fillString(s, at string) (any, error) {
	if ref, ok := strings.CutPrefix(s, "$"); ok && !strings.HasPrefix(ref, "{") && !strings.HasPrefix(ref, "$") {
		return l.lookup(ref, at)
	}
	out := ""
	for {
		before, rest, found := strings.Cut(s, "$")
		out += before
		if !found {
			return out, nil
		}
		inside, after, closed := strings.Cut(strings.TrimPrefix(rest, "{"), "}")
		switch {
		case strings.HasPrefix(rest, "{") && closed:
			v, err := l.lookup(inside, at)
			if err != nil {
				return nil, err
			}
			if text, ok := v.(string); ok {
				out += text
			} else {
				out += string(value.Append(nil, v))
			}
			s = after
		default:
			out, s = out+"$", strings.TrimPrefix(rest, "$")
		}
	}
}

// lookup returns the value of a reference.
func (l *worldLoader) lookup(ref, at string) (any, error) {
	p := &api.Problems{}
	if span, ok := strings.CutPrefix(ref, "today"); ok {
		d, err := parseSpan(strings.TrimPrefix(cmp.Or(span, "0s"), "+"))
		if err == nil {
			return string(dateOf(l.sb.Now().Add(d))), nil
		}
	}
	name, path, _ := strings.Cut(ref, ".")
	found, ok := l.names[name]
	if !ok {
		p.Add(strings.TrimPrefix(at, "/"), "refers to %q, but no step before it has that name", value.Short(name))
		return nil, p.Err()
	}
	var v any = found
	for key := range strings.SplitSeq(path, ".") {
		o, _ := v.(object)
		if v, ok = o.Lookup(key); !ok {
			p.Add(strings.TrimPrefix(at, "/"), "refers to %q, but %q has no such member", value.Short(ref), value.Short(name))
			return nil, p.Err()
		}
	}
	return v, nil
}
