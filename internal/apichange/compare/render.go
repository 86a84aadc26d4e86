package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Formats lists the formats of a report.
var Formats = []string{"text", "markdown", "json"}

// Render writes a report in one of [Formats]. The bump is the last line of text and Markdown, and the last
// member of JSON.
func (r *Report) Render(w io.Writer, format string) error {
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	case "markdown":
		_, err := io.WriteString(w, r.markdown())
		return err
	case "text":
		_, err := io.WriteString(w, r.text())
		return err
	}
	return fmt.Errorf("unknown format %q: one of %s", format, strings.Join(Formats, ", "))
}

var headings = map[Class]string{
	Breaking: "Breaking", Behaviour: "Behaviour", Addition: "Additions", Documentation: "Documentation",
}

func (r *Report) title() string {
	return fmt.Sprintf("API changes from %s to %s", orUndated(r.Old), orUndated(r.New))
}

func orUndated(date string) string {
	if date == "" {
		return "(undated)"
	}
	return date
}

func (r *Report) counts() string {
	var parts []string
	for _, class := range Classes() {
		parts = append(parts, fmt.Sprintf("%d %s", len(r.Of(class)), class))
	}
	return strings.Join(parts, ", ")
}

func (r *Report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", r.title(), r.counts())
	for _, class := range Classes() {
		groups := Groups(r.Of(class))
		if len(groups) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(headings[class]))
		for _, g := range groups {
			fmt.Fprintf(&b, "\n  %s\n", g.Title)
			for _, change := range g.Changes {
				change.writeText(&b)
			}
		}
	}
	if r.Go != nil {
		b.WriteString("\nGO API\n\n")
		for _, line := range r.Go.lines() {
			fmt.Fprintf(&b, "  - %s\n", line)
		}
	}
	fmt.Fprintf(&b, "\nbump: %s\n", r.Bump)
	return b.String()
}

func (c Change) writeText(b *strings.Builder) {
	fmt.Fprintf(b, "  - %s\n", c.Text)
	if used := c.Users(); used != "" {
		fmt.Fprintf(b, "      in %s\n", used)
	}
	if c.Advice != "" {
		fmt.Fprintf(b, "      → %s\n", c.Advice)
	}
	if c.Before != "" {
		fmt.Fprintf(b, "      before: %s\n      after:  %s\n", c.Before, c.After)
	}
}

func (r *Report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n", r.title(), capital(r.counts()))
	for _, class := range Classes() {
		groups := Groups(r.Of(class))
		if len(groups) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n", headings[class])
		for _, g := range groups {
			title := g.Title
			if g.Resource != "" {
				title = "`" + title + "`"
			}
			fmt.Fprintf(&b, "\n### %s\n\n", title)
			for _, change := range g.Changes {
				fmt.Fprintf(&b, "- %s\n", change.Markdown())
				if code := change.Snippet(); code != "" {
					fmt.Fprintf(&b, "\n  ```go\n  %s\n  ```\n\n", strings.ReplaceAll(code, "\n", "\n  "))
				}
			}
		}
	}
	if r.Go != nil {
		b.WriteString("\n## Go API\n\n")
		for _, line := range r.Go.lines() {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	fmt.Fprintf(&b, "\nbump: %s\n", r.Bump)
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// shownUsers is the number of methods of a service, and of services, that are named one by one.
const shownUsers = 5

// Users returns the methods that a change concerns, by service: "client.Payments (Create, Get)". It returns ""
// if the text names them already, or for a change of documentation that not only oasdiff finds.
func (c Change) Users() string {
	if c.Class == Documentation && !strings.HasPrefix(c.Code, oasdiffCode) || len(c.Operations) == 0 || strings.Contains(c.Text, list(c.Operations)) {
		return ""
	}
	var services []string
	methods := map[string][]string{}
	for _, m := range c.Operations {
		service, method := m[:strings.LastIndexByte(m, '.')], m[strings.LastIndexByte(m, '.')+1:]
		if methods[service] == nil {
			services = append(services, service)
		}
		methods[service] = append(methods[service], method)
	}
	if len(services) == 1 && len(c.Operations) == 1 {
		return c.Operations[0]
	}
	for i, service := range services {
		services[i] = fmt.Sprintf("%s (%s)", service, atMost(shownUsers, methods[service]))
	}
	return atMost(shownUsers, services)
}

// Markdown returns the change as one paragraph.
func (c Change) Markdown() string {
	text := c.Text
	if c.Subject != "" {
		text = strings.Replace(text, c.Subject, "`"+c.Subject+"`", 1)
	}
	text = c.located(text)
	if c.Advice != "" {
		text += " " + c.Advice
	}
	return text
}

// Sentence returns the change with the methods that it concerns.
func (c Change) Sentence() string { return c.located(c.Text) }

func (c Change) located(text string) string {
	if used := c.Users(); used != "" {
		return strings.TrimSuffix(text, ".") + " in " + used + "."
	}
	return text
}

// Snippet returns Go code before and after the change, one line each, or "" if there is none.
func (c Change) Snippet() string {
	if c.Before == "" {
		return ""
	}
	after := c.After
	if !strings.Contains(after, "//") {
		after += " // now"
	}
	return c.Before + " // before\n" + after
}

// atMost lists the first few and counts the rest.
func atMost(n int, names []string) string {
	if len(names) <= n+1 {
		return list(names)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}

func (g *GoDiff) lines() []string {
	var out []string
	if g.Unavailable != "" {
		return []string{"not compared: " + g.Unavailable}
	}
	for _, s := range g.Incompatible {
		out = append(out, "incompatible: "+s)
	}
	for _, s := range g.Compatible {
		out = append(out, "compatible: "+s)
	}
	if len(out) == 0 {
		out = []string{"no difference"}
	}
	return out
}
