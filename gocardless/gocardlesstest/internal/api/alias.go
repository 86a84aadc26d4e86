package api

// Aliases returns the operations at old paths, which the API still serves for older clients but no
// longer describes.
func Aliases(ops map[string]*Operation) []*Operation {
	var out []*Operation
	for _, a := range []struct {
		name, path string
		forms      []string // operations that describe the forms of its body
	}{
		{"instalment_schedules.create", "/instalment_schedules", []string{"instalment_schedules.create_with_dates", "instalment_schedules.create_with_schedule"}},
	} {
		first := ops[a.forms[0]]
		if first == nil || ops[a.name] != nil {
			continue // a description from before or after the change
		}
		alias := *first
		alias.Name, alias.Path, alias.DescribedAt, alias.Bodies = a.name, a.path, first.Path, nil
		for _, form := range a.forms {
			if op := ops[form]; op != nil {
				alias.Bodies = append(alias.Bodies, op.Bodies...)
			}
		}
		out = append(out, &alias)
	}
	return out
}
