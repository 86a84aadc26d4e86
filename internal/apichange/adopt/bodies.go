package adopt

import (
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/name"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// hasBody reports whether a request body asks for anything. Vendors describe empty ones too.
func (m *merger) hasBody(s *openapi.Operation) bool {
	if s.Body == nil {
		return false
	}
	d := s.Body.Schema.Def()
	if len(d.Properties) == 0 && len(d.OneOf) == 0 {
		return d.Open || d.Values != nil // a map
	}
	if len(d.Properties) == 1 && d.Properties[0].Schema.IsObject() {
		return len(d.Properties[0].Schema.Def().Properties) > 0
	}
	return true
}

func (m *merger) mergeBody(c scope, raw *jsontree.Value, o, s *openapi.Operation) {
	switch has := m.hasBody(s); {
	case o.Body == nil && !has:
	case o.Body == nil:
		raw.SetOrdered("requestBody", m.newBody(c, s), operationKeys)
	case !has && s.Body == nil:
		raw.Delete("requestBody")
		raw.Delete("x-variants")
	default:
		c.owner += "Params"
		c.places = openapi.InRequest
		c.keepsEnvelope = m.renamesEnvelope(o.Body.Schema, s.Body.Schema) && m.pinnedEnvelope(o)
		m.mergeEnvelope(c, m.raw[o.Body.Schema.Pointer], o.Body.Schema, s.Body.Schema)
	}
}

// mergeEnvelope merges the object around a body. Ours decides which member is required, because vendors often
// omit it.
func (m *merger) mergeEnvelope(c scope, raw *jsontree.Value, ours, src *openapi.Schema) {
	o, s := ours.Def(), src.Def()
	if o.Component != "" || raw == nil || raw.Get("properties") == nil {
		if raw != nil {
			m.mergeUse(c, raw, ours, src, false)
		}
		return
	}
	if kind(src) != "object" {
		m.fail(src.Pointer, "an object is expected around this body, not %q", kind(src))
		return
	}
	properties := raw.Get("properties")
	if m.renamesEnvelope(ours, src) {
		key := o.Properties[0].Name
		if !c.keepsEnvelope {
			key = s.Properties[0].Name
			m.renameEnvelope(raw, o.Properties[0].Name, key)
		}
		m.mergeUse(c, properties.Get(key), o.Properties[0].Schema, s.Properties[0].Schema, false)
		return
	}
	for _, p := range o.Properties {
		q := s.Property(p.Name)
		if q == nil {
			if o.Requires(p.Name) {
				m.fail(src.Pointer, "the envelope %q is missing among %s", p.Name, strings.Join(memberNames(s), ", "))
				return
			}
			properties.Delete(p.Name)
			continue
		}
		inside := c
		inside.places = placeOf(c.places, p.Name)
		m.mergeUse(inside, properties.Get(p.Name), p.Schema, q, false)
	}
	for _, q := range s.Properties {
		if o.Property(q.Name) == nil {
			inside := c
			inside.member, inside.places = q.Name, placeOf(c.places, q.Name)
			properties.Set(q.Name, m.build(inside, q.Schema, false))
		}
	}
}

// renamesEnvelope reports whether the source uses another name for a body's envelope.
func (m *merger) renamesEnvelope(ours, src *openapi.Schema) bool {
	o, s := ours.Def(), src.Def()
	return len(o.Properties) == 1 && len(s.Properties) == 1 && o.Properties[0].Name != s.Properties[0].Name
}

func memberNames(s *openapi.Schema) []string {
	var out []string
	for _, p := range s.Properties {
		out = append(out, p.Name)
	}
	return out
}

func (m *merger) renameEnvelope(raw *jsontree.Value, old, revised string) {
	properties := raw.Get("properties")
	for i := range properties.Members {
		if properties.Members[i].Name == old {
			properties.Members[i].Name = revised
		}
	}
	raw.Set("required", jsontree.NewStrings(revised))
}

func (m *merger) mergeReply(c scope, raw *jsontree.Value, o, s *openapi.Operation) {
	before, after := o.Reply(), m.replyOf(o, s)
	if before == nil || after == nil {
		return
	}
	responses := raw.Get("responses")
	status := before.Status
	c.owner, c.places = pascal(name.Singular(c.resource)), openapi.InReply
	switch {
	case before.Schema == nil && after.Schema == nil:
	case after.Schema == nil:
		responses.Get(status).Delete("content")
	case before.Schema == nil:
		responses.Set(status, m.newReply(c, after))
	default:
		m.mergeEnvelope(c, m.raw[before.Schema.Pointer], before.Schema, after.Schema)
	}
	m.mergeStatuses(responses, status, o, s)
}

// mergeStatuses adopts the statuses of success. A foreign document may list only some of them, so it removes
// none of ours.
func (m *merger) mergeStatuses(responses *jsontree.Value, main string, o, s *openapi.Operation) {
	for _, r := range s.Replies {
		if r.Status == openapi.AnyStatus {
			return
		}
	}
	for _, r := range s.Replies {
		if !responses.Has(r.Status) {
			added := responses.Get(main).Clone()
			if r.Schema == nil {
				added.Delete("content")
			}
			at := slices.IndexFunc(responses.Members, func(x jsontree.Member) bool { return x.Name > r.Status })
			responses.Members = slices.Insert(responses.Members, max(at, 0), jsontree.Member{Name: r.Status, Value: added})
		}
	}
	if m.foreign {
		return
	}
	for _, r := range o.Replies {
		if !slices.ContainsFunc(s.Replies, func(t *openapi.Reply) bool { return t.Status == r.Status }) {
			responses.Delete(r.Status)
		}
	}
}

func content(schema *jsontree.Value) *jsontree.Value {
	media := jsontree.NewObject(jsontree.Member{Name: "schema", Value: schema})
	return jsontree.NewObject(jsontree.Member{Name: "application/json", Value: media})
}

func (m *merger) newBody(c scope, s *openapi.Operation) *jsontree.Value {
	c.owner += "Params"
	return jsontree.NewObject(
		jsontree.Member{Name: "required", Value: jsontree.NewBool(true)},
		jsontree.Member{Name: "content", Value: content(m.newEnvelope(c, s.Body.Schema))},
	)
}

func (m *merger) newReply(c scope, r *openapi.Reply) *jsontree.Value {
	reply := jsontree.NewObject(jsontree.Member{Name: "description", Value: jsontree.NewString("Success")})
	if r.Schema != nil {
		c.owner = pascal(name.Singular(c.resource))
		reply.Set("content", content(m.newEnvelope(c, r.Schema)))
	}
	return reply
}

// newEnvelope builds the object around a new body, with the envelope as its required member.
func (m *merger) newEnvelope(c scope, src *openapi.Schema) *jsontree.Value {
	d := src.Def()
	if kind(src) != "object" || len(d.Properties) == 0 {
		return m.build(c, src, false)
	}
	var key string
	for _, p := range d.Properties {
		if !openapi.BesideEnvelope(p.Name) {
			if key != "" || !slices.Contains([]string{"object", "array", "map", "union"}, kind(p.Schema)) {
				// No envelope: the body is the object itself.
				return m.build(c, src, false)
			}
			key = p.Name
		}
	}
	properties := jsontree.NewObject()
	for _, p := range d.Properties {
		inside := c
		inside.member = ""
		if p.Name != key {
			inside.member, inside.verb = p.Name, ""
		}
		properties.Set(p.Name, m.build(inside, p.Schema, false))
	}
	return jsontree.NewObject(
		jsontree.Member{Name: "type", Value: jsontree.NewString("object")},
		jsontree.Member{Name: "required", Value: jsontree.NewStrings(key)},
		jsontree.Member{Name: "properties", Value: properties},
	)
}

// addOperations adds the operations that ours does not have.
func (m *merger) addOperations() {
	paths := m.root.Get("paths")
	for _, s := range m.fresh {
		path := ourPath(s.Path)
		id := m.operationID(s, path)
		if id == "" {
			m.fail(s.Pointer, "no rule names %s %s, and its operationId %q is not of the form resource.method: add it to the operations of generator/overlay.json", s.Method, path, s.ID)
			continue
		}
		m.added[s.Method+" "+path] = s
		resource := resourceOf(id)
		c := scope{resource: resource, owner: ownerOf(id)}
		op := jsontree.NewObject(
			jsontree.Member{Name: "operationId", Value: jsontree.NewString(id)},
			jsontree.Member{Name: "tags", Value: jsontree.NewStrings(resource)},
		)
		text := s.Description
		if text == "" {
			text = s.Summary
		}
		m.newWords(op, text, operationKeys)
		if m.opts.Words && s.Summary != "" {
			op.SetOrdered("summary", jsontree.NewString(Plain(s.Summary)), operationKeys)
		}
		flag(op, "deprecated", s.Deprecated, operationKeys)
		flag(op, "x-restricted", s.Restricted, operationKeys)
		m.newParams(c, op, s, path)
		if m.hasBody(s) {
			op.SetOrdered("requestBody", m.newBody(c, s), operationKeys)
		}
		responses := jsontree.NewObject()
		if reply := m.replyFor(s); reply != nil {
			c.verb = id[strings.IndexByte(id, '.')+1:]
			responses.Set(statusOf(s, reply), m.newReply(c, reply))
		}
		responses.Set("default", jsontree.NewObject(jsontree.Member{Name: "$ref", Value: jsontree.NewString("#/components/responses/Error")}))
		op.SetOrdered("responses", responses, operationKeys)
		m.place(paths, s, op)
		m.addTag(resource)
	}
}

func (m *merger) operationID(s *openapi.Operation, path string) string {
	if id := m.opts.Rules.Operation(s.Method, path); id != "" {
		return id
	}
	return name.ID(s.Method, path, s.ID)
}

func (m *merger) newParams(c scope, op *jsontree.Value, s *openapi.Operation, path string) {
	list := &jsontree.Value{Kind: jsontree.Array}
	segments := strings.Split(path, "/")
	for i, part := range segments {
		if segment.MatchString(part) {
			list.Items = append(list.Items, pathParam(segments[i-1], strings.Trim(part, "{}")))
		}
	}
	for _, q := range s.Params {
		if q.In == "query" || q.In == "header" && !slices.Contains(transport, strings.ToLower(q.Name)) {
			insertParam(list, m.newParam(c, q))
		}
	}
	// Every POST of the API takes a key; a document that never mentions the header does not contradict that.
	if s.Method == "POST" && !m.src.Says("header:"+strings.ToLower(idempotencyKey)) {
		insertParam(list, m.newParam(c, &openapi.Param{In: "header", Name: idempotencyKey}))
	}
	if len(list.Items) > 0 {
		op.SetOrdered("parameters", list, operationKeys)
	}
}

// replyFor returns the reply of a new operation. For a POST it prefers 201, the API's status for creates.
func (m *merger) replyFor(s *openapi.Operation) *openapi.Reply {
	for _, r := range s.Replies {
		if s.Method == "POST" && r.Status == "201" {
			return r
		}
	}
	return s.Reply()
}

// statusOf returns the status of a new operation's reply. If the source leaves it open, it is the API's usual
// one: 201 for a create, 204 without a body, 200 otherwise.
func statusOf(s *openapi.Operation, reply *openapi.Reply) string {
	switch {
	case reply.Status != openapi.AnyStatus:
		return reply.Status
	case reply.Schema == nil:
		return "204"
	case s.Method == "POST" && !strings.Contains(s.Path, "{"):
		return "201"
	}
	return "200"
}

func (m *merger) addTag(resource string) {
	tags := m.root.Get("tags")
	if tags == nil {
		return
	}
	at := len(tags.Items)
	for i, t := range tags.Items {
		if t.Get("name").Str() == resource {
			return
		}
		if at == len(tags.Items) && t.Get("name").Str() > resource {
			at = i
		}
	}
	tag := jsontree.NewObject(jsontree.Member{Name: "name", Value: jsontree.NewString(resource)})
	text := ""
	for _, t := range m.src.Tags {
		if t.Name == resource {
			text = t.Description
		}
	}
	m.newWords(tag, text, nil)
	tags.Items = slices.Insert(tags.Items, at, tag)
}
