package oauth

import (
	"errors"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/leaktest"
)

func TestValuesDoNotPrintSecrets(t *testing.T) {
	const secret = "0123456789abcdef"
	config := Config{ClientID: "id", ClientSecret: secret, RedirectURL: "https://app.example/back", Environment: gocardless.EnvironmentSandbox}
	app, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	leaktest.Check(t, config, secret)
	leaktest.Check(t, *app, secret)
	leaktest.Check(t, App{}, secret)
	leaktest.Check(t, Login{App: app}, secret)
	leaktest.Check(t, Token{AccessToken: secret, OrganisationID: "OR1", Email: "jane@example.com"}, secret, "jane")
	leaktest.Check(t, Error{Operation: "exchange", Description: secret, err: errors.New("no")}, secret)
}
