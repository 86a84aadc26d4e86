package emit

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/gocardless-community/gocardless-go/generator/ir"
)

// eventTypesSource holds a constant for each pair of resource type and action.
func eventTypesSource(api *ir.API) *source {
	src := newSource(api, "event_types")
	g := src.file
	for _, line := range docLines(0, "EventType is the resource type and the action of an event, joined by a dot, such as \"payments.failed\". "+
		"The API may add event types without notice, so handle types that are not listed.") {
		g.Add(line)
	}
	g.Type().Id("EventType").String()
	g.Line()
	g.Comment("The event types that the API documents.")
	g.Const().DefsFunc(func(c *jen.Group) {
		for _, e := range api.Catalogue.Events {
			valueDecl(c, "EventType", &ir.Value{Wire: e.Resource + "." + e.Action, GoName: e.GoName, Doc: e.Doc})
		}
	})
	return src
}

// reasonsSource holds the codes of API errors.
func reasonsSource(api *ir.API) *source {
	src := newSource(api, "reasons")
	g := src.file
	for _, line := range docLines(0, "Reason is the stable code of a problem that the API reports; see [Error.HasReason]. The API may add reasons without notice.") {
		g.Add(line)
	}
	g.Type().Id("Reason").String()
	g.Line()
	g.Comment("The reasons that the API documents.")
	g.Const().DefsFunc(func(c *jen.Group) {
		for _, r := range api.Catalogue.Reasons {
			doc := fullStop(r.Doc) + fmt.Sprintf(" Status %d, type %s", r.Status, r.Type)
			if r.Link != "" {
				doc += ", with the link " + r.Link
			}
			valueDecl(c, "Reason", &ir.Value{Wire: r.Name, GoName: r.GoName, Doc: doc})
		}
	})
	return src
}

// simulatorsSource holds the ids of the scenario simulators.
func simulatorsSource(api *ir.API) *source {
	src := newSource(api, "simulators")
	g := src.file
	g.Comment("Ids of the scenario simulators for [ScenarioSimulatorService.Run], which works only in the sandbox environment.")
	g.Const().DefsFunc(func(c *jen.Group) {
		for _, s := range api.Catalogue.Simulators {
			doc := s.GoName + ": " + fullStop(lowerFirst(s.Doc))
			if s.Requires != "" {
				doc += fmt.Sprintf(" Acts on %s. Needs: %s", spoken(s.Resource), fullStop(lowerFirst(s.Requires)))
			}
			for _, line := range docLines(4, doc) {
				c.Add(line)
			}
			c.Id(s.GoName).Op("=").Lit(s.Name)
		}
	})
	return src
}
