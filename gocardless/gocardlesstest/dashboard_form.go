package gocardlesstest

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// dashForm is a control as a form.
type dashForm struct {
	Name, Method, Path, Text, Label string
	Fields                          []dashField
	File                            bool // the body is a file
}

// dashField is a member of a control's body as a field of a form.
type dashField struct {
	Form, Name, Label, Text string
	Kind                    string // "text", "int", "bool", "list", "json", "choice"
	List                    string // id of the list of suggestions
	Value                   string
	Checked                 bool
	Choices                 []string
	Required                bool
}

// dashButton is a control with all its parameters.
type dashButton struct {
	Method, Path, Label string
	Fields              []dashField
	Danger              bool
}

// dashGroup is a group of forms under a heading, which a link can point to.
type dashGroup struct {
	ID, Title string
	Forms     []dashForm
}

type dashControl struct{ Method, Path, Text string }

// formLabels name the buttons of forms.
var formLabels = map[string]string{
	"advance": "Move the clock", "inject": "Set the fault", "emit": "Emit", "load": "Load", "save": "Save", "restore": "Restore the file",
	"set_token": "Set", "add_endpoint": "Add the endpoint", "configure": "Change the settings",
}

// fieldLists are the lists of suggestions, by the names of fields.
var fieldLists = map[string]string{"operation": "operations", "reason": "reasons", "type": "event-types", "ready": "ready-worlds"}

func formOf(name string) dashForm {
	c := controlNamed(name)
	f := dashForm{Name: name, Method: c.method, Path: ControlPath + c.path, Text: c.text, Label: formLabels[name], File: c.body == nil}
	if c.body != nil {
		for i := range c.body.Fields {
			s := &c.body.Fields[i]
			f.Fields = append(f.Fields, dashField{Form: name, Name: s.Name, Label: api.TitleCase(s.Name), Text: s.Text, Kind: inputKind(s),
				List: fieldLists[s.Name], Choices: s.Enum, Required: s.Required})
		}
	}
	return f
}

// inputKind returns the kind of field for a member.
func inputKind(f *api.Field) string {
	switch {
	case len(f.Enum) > 0:
		return "choice"
	case f.Kind == api.KindInt:
		return "int"
	case f.Kind == api.KindBool:
		return "bool"
	case f.Kind == api.KindArray && f.Elem.Kind == api.KindString:
		return "list"
	case f.Kind == api.KindArray, f.Kind == api.KindStringMap, f.Kind == api.KindAnyMap:
		return "json"
	}
	return "text"
}

// with fills in the fields of a form.
func (f dashForm) with(values object) dashForm {
	for i := range f.Fields {
		field := &f.Fields[i]
		switch v := values.Get(field.Name).(type) {
		case nil:
		case bool:
			field.Checked = v
		case string:
			field.Value = v
		case []any:
			field.Value = strings.Join(strs(v), ", ")
		default:
			field.Value = string(value.Append(nil, v))
		}
	}
	return f
}

// button makes a button of a control. The members of its body are given as names and values in turn.
func button(name, id, label string, members ...any) dashButton {
	c := controlNamed(name)
	b := dashButton{Method: c.method, Path: ControlPath + strings.ReplaceAll(c.path, "{id}", url.PathEscape(id)), Label: label,
		Danger: slices.Contains([]string{"reset", "remove_endpoint", "delete_snapshot", "clear_faults"}, name)}
	for i := 0; i+1 < len(members); i += 2 {
		member := fmt.Sprint(members[i])
		b.Fields = append(b.Fields, dashField{Name: member, Kind: inputKind(c.body.Field(member)), Value: fmt.Sprint(members[i+1])})
	}
	return b
}

// pageActions are the controls that the page of a resource offers, by kind and statuses. No statuses
// means all.
var pageActions = []struct{ kind, control, label, statuses string }{
	{"mandates", "activate", "Activate", "pending_submission submitted"},
	{"mandates", "replace", "Replace with a new mandate", "pending_submission submitted active"},
	{"payments", "charge_back", "Charge back", "confirmed paid_out"},
	{"payments", "cancel_chargeback", "Cancel the chargeback", "charged_back"},
	{"outbound_payment_imports", "approve_import", "Approve", ""},
	{"billing_request_flows", "finish", "Finish as a test payer", ""},
	{"billing_request_flows", "exit", "Leave as the payer", ""},
	{"redirect_flows", "finish", "Finish as a test payer", ""},
	{"webhooks", "resend", "Send again", ""},
}

// actionsOn returns the buttons for a resource.
func actionsOn(kind, id, status string) []dashButton {
	out := []dashButton{}
	for _, a := range pageActions {
		if a.kind == kind && (a.statuses == "" || slices.Contains(strings.Fields(a.statuses), status)) {
			out = append(out, button(a.control, id, a.label))
		}
	}
	return out
}

// dashboardFuncs are what the templates can call.
var dashboardFuncs = template.FuncMap{
	"button": button,
	"words":  func(s string) string { return strings.ReplaceAll(s, "_", " ") },
	// tone returns the colour of an HTTP status.
	"tone": func(status int) string {
		switch {
		case status >= 200 && status < 300:
			return "good"
		case status >= 300 && status < 500:
			return "warn"
		}
		return "bad"
	},
	// mood returns the colour of a resource's status.
	"mood": func(status string) string {
		switch status {
		case "active", "confirmed", "paid_out", "paid", "fulfilled", "successful", "verified", "completed", "executed", "processed", "enabled":
			return "good"
		case "failed", "charged_back", "cancelled", "customer_approval_denied", "expired", "bounced", "funds_returned", "blocked", "suspended_by_payer":
			return "bad"
		case "":
			return "none"
		}
		return "warn"
	},
	"operations": func() []string { return mapped(api.Operations, func(o api.Operation) string { return o.Name }) },
	"reasons":    func() []string { return mapped(api.Reasons, func(r api.Reason) string { return r.Name }) },
	"eventTypes": func() []string {
		return mapped(api.Events, func(e api.Event) string { return e.Resource + "." + e.Action })
	},
	"worlds": ReadyWorlds,
	"kib":    func(size int) string { return strconv.Itoa((size+1023)/1024) + " KiB" },
	"ui":     func() string { return dashboardPath },
}
