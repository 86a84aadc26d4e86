package emit

import (
	"github.com/gocardless-community/gocardless-go/generator/ir"
	"io/fs"
)

func ContractTests(api *ir.API, templates fs.FS) ([]File, error) { return nil, nil }
