package compare

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/internal/apichange/compare/oasdiff"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
)

// silent lists rules of oasdiff about changes that users of the SDK cannot notice: unused components, and ids
// and tags that are only names.
var silent = []string{
	"api-schema-removed", "api-operation-id-removed", "api-operation-id-added", "api-tag-removed", "api-tag-added",
	"response-non-success-status-removed", "response-non-success-status-added", "api-path-param-renamed",
	// statuses compares the statuses of success.
	"response-success-status-removed", "response-success-status-added",
}

// oasdiffCode is the prefix of the code of a change that only oasdiff finds.
const oasdiffCode = "oasdiff:"

// crossCheck runs oasdiff on the same documents. A finding at the place of a reported change confirms it; every
// other finding becomes a change of its own.
func (c *comparison) crossCheck() error {
	findings, err := oasdiff.Compare(c.old.Doc.Root, c.new.Doc.Root)
	if err != nil {
		return err
	}
	ix := c.index()
	for _, f := range findings {
		if slices.Contains(silent, f.Rule) || ix.confirms(f) {
			continue
		}
		if slices.Contains(f.Args, "path") && strings.HasPrefix(f.Rule, "request-parameter-min-length") {
			continue // the SDK refuses an empty id in any case
		}
		a := c.where(f)
		if strings.HasPrefix(f.Rule, "response-") && a.op != nil && a.op.Reply() != nil && a.op.Reply().Schema == nil {
			continue // the method returns no reply
		}
		c.add(a, Change{
			Class: map[oasdiff.Level]Class{oasdiff.Error: Breaking, oasdiff.Warning: Behaviour, oasdiff.Info: Documentation}[f.Level],
			Code:  oasdiffCode + f.Rule, Pointer: f.Path, Rules: []string{f.Rule},
			Text:   sentence(f.Text),
			Advice: "Compare the two documents at this place.",
		})
	}
	return nil
}

func sentence(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

// where returns the operation of a finding.
func (c *comparison) where(f oasdiff.Finding) at {
	if f.Path == "" {
		return at{}
	}
	if o := c.new.Doc.Operation(f.Method, openapi.Shape(f.Path)); o != nil {
		return at{op: o, methods: c.new.Names.methodsOf(o)}
	}
	if o := c.old.Doc.Operation(f.Method, openapi.Shape(f.Path)); o != nil {
		return at{op: o, methods: c.old.Names.methodsOf(o)}
	}
	return at{}
}

// index maps operations to their changes and the places of these.
type index map[string][]seen // by method and path; "" holds the changes of the whole API

type seen struct {
	at     string
	change *Change
}

func (c *comparison) index() index {
	ix := index{}
	for _, change := range c.changes {
		if len(change.places) == 0 {
			ix[""] = append(ix[""], seen{"", change})
		}
		for p := range change.places {
			ix[p.operation] = append(ix[p.operation], seen{p.at, change})
		}
	}
	return ix
}

// confirms reports whether there are reported changes at the place of a finding, above or below it, and records
// the rule in them.
func (ix index) confirms(f oasdiff.Finding) bool {
	if f.Path == "" && strings.Contains(f.Rule, "security") {
		for _, s := range ix[""] {
			if s.change.Code == "security-changed" {
				s.change.Rules = append(s.change.Rules, f.Rule)
				return true
			}
		}
	}
	found := false
	args := make([]string, len(f.Args))
	for i, arg := range f.Args {
		args[i] = strings.Trim(forms.ReplaceAllString(arg, ""), "/")
	}
	for _, s := range ix[fmt.Sprintf("%s %s", f.Method, openapi.Shape(f.Path))] {
		if s.change.Code == "documentation-changed" && f.Level > oasdiff.Info {
			continue // a changed description does not explain a changed type
		}
		if samePlace(s.at, args) {
			if !slices.Contains(s.change.Rules, f.Rule) {
				s.change.Rules = append(s.change.Rules, f.Rule)
			}
			found = true
		}
	}
	return found
}

// forms matches the steps of oasdiff's places that lead to one form of a choice.
var forms = regexp.MustCompile(`(/|^)(oneOf|anyOf|allOf)\[[^\]]*\]`)

func samePlace(at string, args []string) bool {
	if at == "" {
		return len(args) == 0
	}
	for _, arg := range args {
		if arg == at || strings.HasPrefix(at, arg+"/") || strings.HasPrefix(arg, at+"/") {
			return true
		}
		// Some rules give the bare name of a member.
		if arg != "" && !strings.Contains(arg, "/") && strings.HasSuffix(at, "/"+arg) {
			return true
		}
	}
	return false
}
