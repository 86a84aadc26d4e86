package load

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

type catalogueFile struct {
	Events map[string]map[string]struct {
		Description string `json:"description"`
		Causes      map[string]struct {
			Description string   `json:"description"`
			Origins     []string `json:"origins"`
		} `json:"causes"`
	} `json:"events"`
	IDPrefixes   map[string]string `json:"id_prefixes"`
	NameTriggers map[string]string `json:"name_triggers"`
	RateLimits   []struct {
		Group       string `json:"group"`
		Paths       string `json:"paths"`
		PerMinute   int    `json:"per_minute"`
		Description string `json:"description"`
	} `json:"rate_limits"`
	Reasons map[string]struct {
		Confirmed   bool   `json:"confirmed"`
		Description string `json:"description"`
		Status      int    `json:"status"`
		Type        string `json:"type"`
		Link        string `json:"link"`
	} `json:"reasons"`
	Schemes map[string]struct {
		Countries   []string `json:"countries"`
		Currency    string   `json:"currency"`
		Description string   `json:"description"`
	} `json:"schemes"`
	Simulators map[string]struct {
		Description string            `json:"description"`
		Requires    string            `json:"requires"`
		Resource    string            `json:"resource"`
		Result      map[string]string `json:"result"`
	} `json:"simulators"`
}

// sorted returns the keys of a map in order, so that the output is deterministic.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Catalogue reads the catalogue of events, reasons and simulators.
func Catalogue(data []byte) (*ir.Catalogue, error) {
	var file catalogueFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	var errs problems
	out := &ir.Catalogue{}
	catalogueEvents(out, &file)
	for _, reason := range sorted(file.Reasons) {
		r := file.Reasons[reason]
		if r.Status < 400 || r.Status > 599 {
			errs.add(jsontree.Join("", "reasons", reason, "status"), "not the status of an error: %d", r.Status)
		}
		out.Reasons = append(out.Reasons, &ir.Reason{GoName: "Reason" + name.Go(reason), Name: reason, Doc: r.Description, Status: r.Status, Type: r.Type, Link: r.Link})
	}
	for _, id := range sorted(file.Simulators) {
		s := file.Simulators[id]
		sim := &ir.Simulator{GoName: "Simulator" + name.Go(id), Name: id, Resource: s.Resource, Doc: s.Description, Requires: s.Requires}
		for _, k := range sorted(s.Result) {
			sim.Result = append(sim.Result, ir.Pair{Name: k, Value: s.Result[k]})
		}
		out.Simulators = append(out.Simulators, sim)
	}
	for _, resource := range sorted(file.IDPrefixes) {
		out.Prefixes = append(out.Prefixes, ir.Prefix{Resource: resource, Prefix: file.IDPrefixes[resource]})
	}
	for i, limit := range file.RateLimits {
		if limit.Group == "" {
			errs.add(jsontree.Join("", "rate_limits", strconv.Itoa(i), "group"), "a rate limit needs a group")
		}
		out.RateLimits = append(out.RateLimits, ir.RateLimit{Group: limit.Group, Paths: limit.Paths, PerMinute: limit.PerMinute, Doc: limit.Description})
	}
	for _, scheme := range sorted(file.Schemes) {
		s := file.Schemes[scheme]
		out.Schemes = append(out.Schemes, &ir.Scheme{Name: scheme, Currency: s.Currency, Countries: s.Countries, Doc: s.Description})
	}
	for _, trigger := range sorted(file.NameTriggers) {
		out.NameTriggers = append(out.NameTriggers, &ir.Value{Wire: trigger, GoName: name.Go(trigger), Doc: file.NameTriggers[trigger]})
	}
	return out, errs.err()
}

// catalogueEvents adds the events, and the actions and causes that several events share.
func catalogueEvents(out *ir.Catalogue, file *catalogueFile) {
	actions := map[string][]string{}          // action → resource types
	actionDocs := map[string]map[string]int{} // action → descriptions, with the number of uses
	causes := map[string]map[string]int{}     // cause → the same

	for _, resource := range sorted(file.Events) {
		er := &ir.EventResource{Name: resource}
		for _, action := range sorted(file.Events[resource]) {
			event := file.Events[resource][action]
			er.Actions = append(er.Actions, action)
			actions[action] = append(actions[action], resource)
			note(actionDocs, action, event.Description)
			e := &ir.Event{GoName: "Event" + name.Go(resource) + name.Go(action), Resource: resource, Action: action, Doc: event.Description}
			for _, cause := range sorted(event.Causes) {
				c := event.Causes[cause]
				note(causes, cause, c.Description)
				e.Causes = append(e.Causes, ir.EventCause{Name: cause, Doc: c.Description, Origins: c.Origins})
			}
			out.Events = append(out.Events, e)
		}
		out.ResourceTypes = append(out.ResourceTypes, er)
	}
	for _, action := range sorted(actions) {
		doc := onlyDoc(actionDocs[action])
		if doc == "" {
			doc = "Happens to " + proseList(actions[action])
		}
		out.Actions = append(out.Actions, &ir.Value{Wire: action, GoName: name.Value("EventAction", action), Doc: doc})
	}
	for _, cause := range sorted(causes) {
		out.Causes = append(out.Causes, &ir.Value{Wire: cause, GoName: name.Value("EventCause", cause), Doc: commonestDoc(causes[cause])})
	}
}

func note(docs map[string]map[string]int, key, doc string) {
	if docs[key] == nil {
		docs[key] = map[string]int{}
	}
	docs[key][doc]++
}

// onlyDoc returns the one description that all uses share, or "".
func onlyDoc(docs map[string]int) string {
	if len(docs) != 1 {
		return ""
	}
	return sorted(docs)[0]
}

// commonestDoc returns the description with the most uses.
func commonestDoc(docs map[string]int) string {
	return slices.MaxFunc(sorted(docs), func(a, b string) int { return cmp.Compare(docs[a], docs[b]) })
}

// proseList joins resource names for a sentence: "mandates, payments and refunds".
func proseList(resources []string) string {
	words := make([]string, len(resources))
	for i, r := range resources {
		words[i] = strings.ReplaceAll(r, "_", " ")
	}
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
