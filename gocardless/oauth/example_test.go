package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/oauth"
)

func ExampleApp_AuthorizeURL() {
	app, err := oauth.New(oauth.Config{
		ClientID:     "client-id",
		ClientSecret: "client-secret",
		RedirectURL:  "https://app.example.com/connect/callback",
		Environment:  gocardless.EnvironmentSandbox,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	address, err := app.AuthorizeURL("a-random-state-of-the-session", oauth.Prompt{InitialView: oauth.InitialViewSignup})
	fmt.Println(address, err)
	// Output:
	// https://connect-sandbox.gocardless.com/oauth/authorize?client_id=client-id&initial_view=signup&redirect_uri=https%3A%2F%2Fapp.example.com%2Fconnect%2Fcallback&response_type=code&scope=read_write&state=a-random-state-of-the-session <nil>
}

// The whole round trip of a merchant who connects an account.
func ExampleLogin() {
	app, err := oauth.New(oauth.Config{
		ClientID:     os.Getenv("GOCARDLESS_CLIENT_ID"),
		ClientSecret: os.Getenv("GOCARDLESS_CLIENT_SECRET"),
		RedirectURL:  "https://app.example.com/connect/callback",
		Environment:  gocardless.EnvironmentLive,
	})
	if err != nil {
		log.Print(err)
		return
	}
	login := &oauth.Login{
		App: app,
		Connected: func(w http.ResponseWriter, r *http.Request, token *oauth.Token) {
			// Store token.AccessToken, encrypted, for token.OrganisationID.
			http.Redirect(w, r, "/settings?connected=yes", http.StatusSeeOther)
		},
		Failed: func(w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, oauth.ErrAccessDenied) {
				http.Redirect(w, r, "/settings?connected=no", http.StatusSeeOther)
				return
			}
			log.Print(err)
			http.Error(w, "Please try again.", http.StatusBadGateway)
		},
	}
	mux := http.NewServeMux()
	mux.Handle("GET /connect", login.Start())
	mux.Handle("GET /connect/callback", login.Callback())
}

// A client for each connected organisation.
func ExampleClients() {
	tokens := map[string]string{"OR000123": "access-token-of-OR000123"}
	clients, err := oauth.NewClients(gocardless.EnvironmentSandbox, func(ctx context.Context, organisation string) (string, error) {
		token, ok := tokens[organisation]
		if !ok {
			return "", oauth.ErrNotConnected
		}
		return token, nil
	}, oauth.ClientsOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	first, err := clients.Client(context.Background(), "OR000123")
	fmt.Println(first != nil, err)
	again, _ := clients.Client(context.Background(), "OR000123")
	fmt.Println(first == again)
	_, err = clients.Client(context.Background(), "OR000456")
	fmt.Println(errors.Is(err, oauth.ErrNotConnected))
	// Output:
	// true <nil>
	// true
	// true
}
