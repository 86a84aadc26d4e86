package gocardlesstest

import (
	"fmt"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/gate"
)

// setup is what was changed while the sandbox ran, except endpoints, which keep it themselves. The
// state file contains it; snapshots do not, and Reset leaves it unchanged.
type setup struct {
	settings object // as given to the control API
	tokens   object // access token → its access
}

// with returns the setup with further settings.
func (s setup) with(settings object) setup {
	for _, m := range settings {
		if added, ok := m.Val.(object); ok { // the entries of a map are added
			all := s.settings.Obj(m.Key)
			for _, entry := range added {
				all = all.With(entry.Key, entry.Val)
			}
			m.Val = all
		}
		s.settings = s.settings.With(m.Key, m.Val)
	}
	return s
}

// savedSetup returns the setup in the form of the state file.
func (sb *Sandbox) savedSetup() object {
	endpoints := []any{}
	for _, ep := range sb.hooks.endpoints {
		if ep.added && ep.Handler == nil && ep.Client == nil {
			endpoints = append(endpoints, object{{"number", int64(ep.number)}, {"url", ep.URL}, {"secret", string(ep.Secret)}, {"events", texts(ep.Events)},
				{"duplicate", ep.Duplicate}, {"shuffle", ep.Shuffle}, {"manual", ep.Manual}, {"paused", ep.paused}})
		}
	}
	return object{{"settings", sb.setup.settings}, {"tokens", sb.setup.tokens}, {"endpoints", endpoints}, {"endpoints_made", int64(sb.hooks.made)}}
}

// keepSetup writes the setup to the state file, if there is one. The caller holds the lock, and reverts
// the change on an error.
func (sb *Sandbox) keepSetup() error {
	sb.changes.Add(1)
	if sb.journal == nil {
		return nil
	}
	return sb.journal.Append(object{{"advanced", sb.journal.advanced}, {"setup", sb.savedSetup()}})
}

// changeSetup writes a changed setup to the state file, and then applies it.
func (sb *Sandbox) changeSetup(change func(setup) setup, effect func()) error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	before := sb.setup
	sb.setup = change(before)
	if err := sb.keepSetup(); err != nil {
		sb.setup = before
		return err
	}
	effect()
	return nil
}

// changeToken sets the access of a token, as named in the control API.
func (sb *Sandbox) changeToken(token, access string) error {
	return sb.changeSetup(func(s setup) setup {
		s.tokens = s.tokens.With(token, access)
		return s
	}, func() { sb.grant(token, access) })
}

func (sb *Sandbox) grant(token, access string) {
	switch access {
	case "full":
		sb.tokens.Admit(token, gate.Full)
	case "read_only":
		sb.tokens.Admit(token, gate.ReadOnly)
	case "revoked":
		sb.RevokeToken(token)
	default:
		sb.DeactivateToken(token)
	}
}

// loadSetup applies the setup of a state file. The caller holds the lock.
func (sb *Sandbox) loadSetup(saved object) error {
	sb.setup = setup{saved.Obj("settings"), saved.Obj("tokens")}
	opts, err := settingOptions(sb.setup.settings)
	if err != nil {
		return fmt.Errorf("reading the state: settings: %w", err)
	}
	sb.configure(opts)
	for _, m := range sb.setup.tokens {
		access, _ := m.Val.(string)
		sb.grant(m.Key, access)
	}
	for _, v := range saved.List("endpoints") {
		o, _ := v.(object)
		w := endpointOf(o)
		if err := w.Validate(); err != nil {
			return fmt.Errorf("reading the state: %w", err)
		}
		ep := sb.hooks.add(w)
		ep.added, ep.restored, ep.paused = true, true, o.Flag("paused")
		// Pending webhooks refer to the endpoint by its number, which an endpoint of an option may now
		// have.
		if number := int(o.Num("number")); sb.hooks.endpoint(number) == nil {
			ep.number = number
		}
	}
	sb.hooks.made = max(sb.hooks.made, int(saved.Num("endpoints_made")))
	return nil
}

// endpointOf reads an endpoint as the control API and the state file describe it.
func endpointOf(o object) Webhooks {
	w := Webhooks{URL: o.Str("url"), Secret: gocardless.WebhookSecret(o.Str("secret")), Duplicate: o.Flag("duplicate"), Shuffle: o.Flag("shuffle"), Manual: o.Flag("manual")}
	for _, v := range o.List("events") {
		pattern, _ := v.(string)
		w.Events = append(w.Events, pattern)
	}
	return w
}
