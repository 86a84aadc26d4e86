package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// Before a write to live, the user is asked for the creditor's name. Only that name is consent.
func TestLiveAsksForTheCreditor(t *testing.T) {
	server := gocardlesstest.NewServer(t)
	for typed, want := range map[string]int{"Sandbox Merchant Ltd\n": exitOK, "sandbox merchant\n": exitRefusedHere, "\n": exitRefusedHere, "": exitRefusedHere, "yes\n": exitRefusedHere} {
		server.ClearRequests()
		var out, errs bytes.Buffer
		env := map[string]string{"GOCARDLESS_BASE_URL": server.URL, "GOCARDLESS_ACCESS_TOKEN": "t"}
		a := &app{in: strings.NewReader(typed), out: &out, errs: &errs, env: func(k string) string { return env[k] }, now: time.Now, inTTY: true, errTTY: true}
		if got := a.run(t.Context(), []string{"customers", "create", "--email", "a@example.com", "--company-name", "ACME", "--live"}); got != want {
			t.Errorf("%q: %d, want %d: %s", typed, got, want, errs.String())
		}
		if !strings.Contains(errs.String(), "writes to LIVE, as Sandbox Merchant Ltd") {
			t.Errorf("asked %q", errs.String())
		}
		sent := 0
		for _, r := range server.Requests() {
			if r.Method != "GET" {
				sent++
			}
		}
		if sent != map[bool]int{true: 1}[want == exitOK] {
			t.Errorf("%q: %d writes were sent", typed, sent)
		}
	}
}

func TestColor(t *testing.T) {
	for _, c := range []struct {
		tty, flag, ansi bool
		env             map[string]string
		want            bool
	}{
		{true, false, true, nil, true},
		{false, false, true, nil, false},
		{true, true, true, nil, false},
		{true, false, true, map[string]string{"NO_COLOR": "1"}, false},
		{true, false, false, nil, false},
	} {
		a := &app{env: func(k string) string { return c.env[k] }, ansi: c.ansi}
		a.flags.noColor = c.flag
		if got := a.color(c.tty); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := &progress{out: &out, total: 100, began: now, now: func() time.Time { return now }}
	now = now.Add(10 * time.Second)
	p.set(25)
	p.set(26) // too soon to be drawn
	now = now.Add(10 * time.Second)
	p.set(100)
	p.clear()
	want := "\r\x1b[K[=======                       ] 25 of 100, 30s left" + "\r\x1b[K[==============================] 100 of 100" + "\r\x1b[K"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	silent := &progress{total: 1, now: time.Now}
	silent.set(1)
	silent.clear()
	if out.Len() > 0 {
		t.Error("drawn without a terminal")
	}
}

// Every command has an example and a one-line description, and every flag a sentence.
func TestHelp(t *testing.T) {
	a := &app{env: func(string) string { return "" }, now: time.Now}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() && c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		if strings.HasSuffix(c.Short, ".") || strings.ToUpper(c.Short[:1]) != c.Short[:1] {
			t.Errorf("%s: %q is not a line about the command", c.CommandPath(), c.Short)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			_, usage := pflag.UnquoteUsage(f)
			usage = strings.TrimPrefix(usage, "(required) ")
			if usage != "" && !strings.ContainsAny(usage[len(usage)-1:], ".)") || strings.Contains(usage, "..") || strings.Contains(usage, "when The ") {
				t.Errorf("%s --%s: %q is not a sentence", c.CommandPath(), f.Name, usage)
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(a.root())
}
