package adopt

import "github.com/gocardless-community/gocardless-go/generator/load"

// OperationNames reads from the generator's overlay how operations are named that no rule covers.
func OperationNames(overlay []byte) (func(method, path string) string, error) {
	o, err := load.ParseOverlay(overlay)
	if err != nil {
		return nil, err
	}
	return func(method, path string) string {
		for _, entry := range o.Operations {
			if entry.Method == method && entry.Path == path {
				return entry.ID
			}
		}
		return ""
	}, nil
}
