package adopt

import (
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/generator/ir"
	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// splitVariants rewrites ours where an operation with several forms of its body has become one operation per
// form in the source: each form moves to its path in the source, so that methods and types keep their names.
// If the source still lists the old path, it describes the same methods twice, so that operation is dropped
// from it.
func (m *merger) splitVariants() error {
	var fresh []*openapi.Operation
	for _, s := range m.src.Operations {
		if m.ours.Operation(s.Method, s.Shape()) == nil {
			fresh = append(fresh, s)
		}
	}
	root := m.ours.Root.Clone()
	split := false
	for _, o := range m.ours.Operations {
		moved := map[string]*openapi.Operation{}
		for _, v := range o.Variants {
			id := resourceOf(o.ID) + "." + v.Name
			for _, s := range fresh {
				if s.Method == o.Method && m.operationID(s, ourPath(s.Path)) == id {
					moved[v.Name] = s
				}
			}
		}
		if len(moved) == 0 {
			continue
		}
		split = true
		m.moveVariants(root, o, moved)
	}
	if !split {
		return nil
	}
	revised, err := openapi.Read(root)
	if err != nil {
		return err
	}
	m.ours, m.root = revised, root.Clone()
	return nil
}

// moveVariants moves forms of a body to operations of their own in our document.
func (m *merger) moveVariants(root *jsontree.Value, o *openapi.Operation, moved map[string]*openapi.Operation) {
	paths := root.Get("paths")
	raw := root.At(o.Pointer)
	for _, v := range o.Variants {
		s := moved[v.Name]
		if s == nil {
			continue
		}
		one := raw.Clone()
		one.Set("operationId", jsontree.NewString(resourceOf(o.ID)+"."+v.Name))
		for key, text := range map[string]string{"summary": v.Summary, "description": v.Description} {
			if text != "" {
				one.Set(key, jsontree.NewString(text))
			}
		}
		one.Delete("x-variants")
		ref := jsontree.NewObject(jsontree.Member{Name: "$ref", Value: jsontree.NewString(ir.SchemaPrefix + v.Params)})
		_, at := formsOf(one)
		at.Value = ref
		m.place(paths, s, one)
		dropVariant(raw, v)
		m.note("%s %s has become %s %s: its method and types keep their names", o.Method, o.Path+" ("+v.Name+")", s.Method, s.Path)
	}
	if forms, _ := formsOf(raw); len(forms.Items) > 0 {
		return
	}
	m.removeOperation(paths, o)
	if s := m.src.Operation(o.Method, o.Shape()); s != nil {
		m.src.Operations = slices.DeleteFunc(m.src.Operations, func(t *openapi.Operation) bool { return t == s })
		m.note("%s %s is left out: its methods have paths of their own", s.Method, s.Path)
	}
}

// formsOf returns the forms of a request body with variants, and the member of the body that holds them.
func formsOf(op *jsontree.Value) (*jsontree.Value, *jsontree.Member) {
	properties := op.At("/requestBody/content/application~1json/schema/properties")
	for i := range properties.Members {
		if forms := properties.Members[i].Value.Get("oneOf"); forms != nil {
			return forms, &properties.Members[i]
		}
	}
	return &jsontree.Value{}, &jsontree.Member{}
}

func dropVariant(op *jsontree.Value, v openapi.Variant) {
	forms, _ := formsOf(op)
	forms.Items = slices.DeleteFunc(forms.Items, func(f *jsontree.Value) bool {
		return strings.TrimPrefix(f.Get("$ref").Str(), ir.SchemaPrefix) == v.Params
	})
	variants := op.Get("x-variants")
	variants.Items = slices.DeleteFunc(variants.Items, func(x *jsontree.Value) bool { return x.Get("name").Str() == v.Name })
}
