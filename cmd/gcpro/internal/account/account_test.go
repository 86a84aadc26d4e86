package account

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"
)

// The system's keyring stores, returns and deletes a token. To run the test on Linux:
//
//	dbus-run-session -- sh -c 'echo -n pw | gnome-keyring-daemon --unlock --components=secrets &&
//		GCPRO_TEST_KEYRING=1 go test -run SystemKeyring ./internal/account'
func TestSystemKeyring(t *testing.T) {
	if os.Getenv("GCPRO_TEST_KEYRING") == "" {
		t.Skip("it would write to your keyring: set GCPRO_TEST_KEYRING to run it alone")
	}
	s := &Store{Dir: t.TempDir()}
	if inFile, err := s.Save("gcpro-test", "sandbox", "secret_token", Entry{}); inFile || err != nil {
		t.Fatalf("in a file: %t, %v", inFile, err)
	}
	if token, err := s.Token("gcpro-test", "sandbox"); err != nil || token != "secret_token" {
		t.Errorf("%q, %v", token, err)
	}
	if had, err := s.Delete("gcpro-test", "sandbox"); !had || err != nil {
		t.Errorf("deleted: %t, %v", had, err)
	}
	if token, err := keyring.Get(service, "gcpro-test/sandbox"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("after deletion: %q, %v", token, err)
	}
}

func TestTokensAreKept(t *testing.T) {
	for name, c := range map[string]struct {
		noKeyring, inFile bool
		prepare           func()
	}{
		"keyring":         {false, false, keyring.MockInit},
		"broken keyring":  {false, true, func() { keyring.MockInitWithError(errors.New("no bus")) }},
		"without keyring": {true, true, keyring.MockInit},
	} {
		t.Run(name, func(t *testing.T) {
			c.prepare()
			s := &Store{Dir: filepath.Join(t.TempDir(), "gcpro"), NoKeyring: c.noKeyring}
			holds := func(env, want string) {
				t.Helper()
				if token, err := s.Token("shop", env); err != nil || token != want {
					t.Errorf("%s: %q, %v; want %q", env, token, err, want)
				}
			}
			inFile, err := s.Save("shop", "live", "secret_token", Entry{Creditor: "ACME"})
			if err != nil || inFile != c.inFile {
				t.Fatalf("in a file: %t, %v", inFile, err)
			}
			holds("live", "secret_token")
			holds("sandbox", "")
			checkFiles(t, s.Dir, c.inFile)
			if had, err := s.Delete("shop", "live"); !had || err != nil {
				t.Errorf("deleted: %t, %v", had, err)
			}
			holds("live", "")
		})
	}
}

// checkFiles reads all files of a store. Only the user can read them, and the token is in its own file or
// in none.
func checkFiles(t *testing.T, dir string, inFile bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		data, readErr := os.ReadFile(f)
		info, err := os.Stat(f)
		if err := errors.Join(readErr, err); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "secret_token") != (inFile && filepath.Base(f) == tokensFile) {
			t.Errorf("%s: %s", f, data)
		}
		if info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" { // where the directory's ACL counts
			t.Errorf("%s has mode %v", f, info.Mode())
		}
	}
}

func TestDamagedFilesAreNotQuoted(t *testing.T) {
	s := &Store{Dir: t.TempDir(), NoKeyring: true}
	if _, err := s.Save("a", "live", "secret_token", Entry{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, tokensFile), []byte(`{"a/live": secret_token`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Token("a", "live"); err == nil || strings.Contains(err.Error(), "secret_token") {
		t.Errorf("%v", err)
	}
}
