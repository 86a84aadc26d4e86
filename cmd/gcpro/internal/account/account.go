// Package account stores access tokens in the system's keyring, and the profiles that they belong to
// in a file. A profile has a token for the sandbox environment, for live, or for both.
package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/zalando/go-keyring"
)

// service is the name that the keyring lists the tokens under.
const service = "gcpro"

// Default is the name of the profile in use if the user selects none.
const Default = "default"

const (
	configFile = "config.json"
	tokensFile = "tokens.json"
)

// Entry describes a stored token.
type Entry struct {
	Creditor string `json:"creditor,omitempty"` // name of the creditor, for display
	InFile   bool   `json:"in_file,omitempty"`  // the token is in a file, not in the keyring
}

type config struct {
	Current  string                      `json:"current,omitempty"`
	Profiles map[string]map[string]Entry `json:"profiles,omitempty"` // by profile and environment
}

// Store is a directory with the configuration of a user.
type Store struct {
	Dir       string
	NoKeyring bool // tokens are kept in a file
}

var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckName refuses names of profiles that a file or a keyring might not accept.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return errors.New("the name of a profile must have up to 64 letters, digits, dots, dashes and underscores, and start with a letter or digit")
	}
	return nil
}

// Current returns the profile in use.
func (s *Store) Current() (string, error) {
	c, err := s.read()
	if err != nil || c.Current == "" {
		return Default, err
	}
	return c.Current, nil
}

// Use selects the profile that Current returns.
func (s *Store) Use(profile string) error {
	c, err := s.read()
	if err != nil {
		return err
	}
	if c.Profiles[profile] == nil {
		return fmt.Errorf("there is no profile %q; gcpro login --profile NAME creates one", profile)
	}
	c.Current = profile
	return s.write(configFile, c)
}

// Profiles returns the names of all profiles, and the tokens of each by environment.
func (s *Store) Profiles() ([]string, map[string]map[string]Entry, error) {
	c, err := s.read()
	return slices.Sorted(maps.Keys(c.Profiles)), c.Profiles, err
}

// Save stores a token, and reports whether it is in a file because there is no keyring.
func (s *Store) Save(profile, env, token string, e Entry) (inFile bool, err error) {
	c, err := s.read()
	if err != nil {
		return false, err
	}
	if s.NoKeyring || keyring.Set(service, profile+"/"+env, token) != nil {
		e.InFile = true
	}
	tokens, err := s.tokens()
	if err != nil {
		return false, err
	}
	_, had := tokens[profile+"/"+env]
	if delete(tokens, profile+"/"+env); e.InFile {
		tokens[profile+"/"+env] = token
	}
	if e.InFile || had {
		if err := s.write(tokensFile, tokens); err != nil {
			return false, err
		}
	}
	if c.Profiles == nil {
		c.Profiles = map[string]map[string]Entry{}
	}
	if c.Profiles[profile] == nil {
		c.Profiles[profile] = map[string]Entry{}
	}
	c.Profiles[profile][env] = e
	if c.Current == "" {
		c.Current = profile
	}
	return e.InFile, s.write(configFile, c)
}

// Token returns a stored token, or "" if there is none.
func (s *Store) Token(profile, env string) (string, error) {
	c, err := s.read()
	if err != nil {
		return "", err
	}
	e, ok := c.Profiles[profile][env]
	switch {
	case !ok:
		return "", nil
	case e.InFile:
		tokens, err := s.tokens()
		return tokens[profile+"/"+env], err
	}
	token, err := keyring.Get(service, profile+"/"+env)
	if err != nil {
		return "", fmt.Errorf("reading the token of profile %q from the keyring: %w", profile, err)
	}
	return token, nil
}

// Delete deletes the token of an environment, and reports whether there was one.
func (s *Store) Delete(profile, env string) (bool, error) {
	c, err := s.read()
	if err != nil {
		return false, err
	}
	e, ok := c.Profiles[profile][env]
	if !ok {
		return false, nil
	}
	if e.InFile {
		tokens, err := s.tokens()
		if err != nil {
			return false, err
		}
		delete(tokens, profile+"/"+env)
		if err := s.write(tokensFile, tokens); err != nil {
			return false, err
		}
	} else if err := keyring.Delete(service, profile+"/"+env); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return false, fmt.Errorf("deleting the token from the keyring: %w", err)
	}
	if delete(c.Profiles[profile], env); len(c.Profiles[profile]) == 0 {
		delete(c.Profiles, profile)
		if c.Current == profile {
			c.Current = ""
		}
	}
	return true, s.write(configFile, c)
}

func (s *Store) read() (config, error) {
	var c config
	return c, s.load(configFile, &c)
}

func (s *Store) tokens() (map[string]string, error) {
	tokens := map[string]string{}
	return tokens, s.load(tokensFile, &tokens)
}

func (s *Store) load(name string, into any) error {
	data, err := os.ReadFile(filepath.Join(s.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		if json.Unmarshal(data, into) != nil { // the error could quote a token
			return fmt.Errorf("%s is not valid; correct or delete it", filepath.Join(s.Dir, name))
		}
	}
	return err
}

func (s *Store) write(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(s.Dir, name), append(data, '\n'))
}

// WriteFile atomically replaces a file that only its owner can read.
func WriteFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".gcpro-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
