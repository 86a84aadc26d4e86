package release

import (
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

func TestMain(m *testing.M) { testmodule.Main(m) }
