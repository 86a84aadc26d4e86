package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/account"
)

func (a *app) loginCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "login", Short: "Store an access token", Args: args(cobra.NoArgs),
		Long: "Asks for an access token, or reads it from stdin, checks that the API accepts it, and stores it in the system's keyring. Without a keyring it uses a file that only you can read.\n\n" +
			"A profile has one token for the sandbox environment and one for live (--live). GOCARDLESS_ACCESS_TOKEN, if set, overrides both.",
		Example: "  gcpro login\n  gcpro login --live --profile shop < token.txt",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		t, err := a.server()
		if err != nil {
			return err
		}
		store, profile, err := a.storeAndProfile()
		if err != nil {
			return err
		}
		if t.token, err = a.readToken(); err != nil {
			return err
		}
		client, err := a.client(t)
		if err != nil {
			return refusal{err}
		}
		ctx, cancel := a.context(c.Context())
		defer cancel()
		name, err := creditorName(ctx, client)
		if err != nil {
			return fmt.Errorf("the token was not stored: %w", err)
		}
		inFile, err := store.Save(profile, string(t.env), t.token, account.Entry{Creditor: name})
		if err != nil {
			return err
		}
		if inFile {
			a.note("note: no keyring is available; the token is in a file in %s that only you can read", store.Dir)
		}
		a.note("logged in to %s as %s, in profile %s", t.env, cmp.Or(name, "an account without a creditor"), profile)
		return nil
	}
	return c
}

// readToken reads the token without showing it.
func (a *app) readToken() (string, error) {
	var raw []byte
	var err error
	if f, ok := a.in.(*os.File); ok && a.inTTY {
		fmt.Fprint(a.errs, "Access token: ")
		raw, err = term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(a.errs)
	} else {
		raw, err = readAll(a.in, 4<<10, "the token")
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(raw))
	if token == "" {
		return "", refusal{errors.New("the token is empty")}
	}
	return token, nil
}

func (a *app) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Delete a stored access token", Args: args(cobra.NoArgs),
		Long:    "Deletes the stored token for the sandbox environment or, with --live, for live. The token itself stays valid until you revoke it in GoCardless's dashboard.",
		Example: "  gcpro logout\n  gcpro logout --live --profile shop",
		RunE: func(*cobra.Command, []string) error {
			store, profile, err := a.storeAndProfile()
			if err != nil {
				return err
			}
			env := a.environment()
			had, err := store.Delete(profile, string(env))
			if err == nil && !had {
				err = fmt.Errorf("profile %q has no token for %s", profile, env)
			}
			return err
		},
	}
}

func (a *app) profilesCommand() *cobra.Command {
	c := &cobra.Command{Use: "profiles", Short: "List and choose profiles", Args: args(cobra.NoArgs),
		Long:    "Lists the profiles, with the creditor of each token.",
		Example: "  gcpro profiles\n  gcpro profiles use shop",
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return a.listProfiles(c.Context()) }
	c.AddCommand(&cobra.Command{
		Use: "use PROFILE", Short: "Choose the profile that later commands use", Args: args(ids("PROFILE")),
		Example: "  gcpro profiles use shop",
		RunE: func(_ *cobra.Command, names []string) error {
			store, err := a.store()
			if err != nil {
				return err
			}
			return store.Use(names[0])
		},
	})
	return c
}

// listProfiles writes the profiles, with the name of the creditor of each token.
func (a *app) listProfiles(ctx context.Context) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	names, profiles, err := store.Profiles()
	if err != nil {
		return err
	}
	current, err := store.Current()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		a.note("there are no profiles; gcpro login creates one")
		if a.table() {
			return nil
		}
	}
	var rows []map[string]any
	for _, name := range names {
		row := map[string]any{"profile": name, "current": name == current}
		for env, e := range profiles[name] {
			row[env] = cmp.Or(e.Creditor, "yes")
		}
		rows = append(rows, row)
	}
	return a.records(ctx, rows, "profile", "current", "sandbox", "live")
}
