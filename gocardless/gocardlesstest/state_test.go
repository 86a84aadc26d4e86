package gocardlesstest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/statefile"
)

// openState opens a state file and returns how many bytes of it were lost.
func (c *caller) openState(file string) int64 {
	c.t.Helper()
	lost, err := c.sb.OpenState(file)
	if err != nil {
		c.t.Fatal(err)
	}
	return lost
}

// die leaves the state file as a killed process does: unchanged and unlocked.
func (c *caller) die() {
	c.t.Helper()
	if err := c.sb.journal.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// A crash loses nothing that was acknowledged: the file is complete after every call, without Close.
func TestStateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	var lost int64
	open := func() *caller {
		c := newCaller(t, WithWebhooks(Webhooks{Handler: &inbox{}, Secret: hookSecret, Manual: true}))
		lost = c.openState(file)
		return c
	}
	w := &world{caller: open()}
	w.customer = w.ok("POST", "/customers", customerBody, "Idempotency-Key", "k1").Str("id")
	w.account = w.ok("POST", "/customer_bank_accounts", `{"customer_bank_accounts":{`+ukAccount+`,"links":{"customer":"`+w.customer+`"}}}`).Str("id")
	w.mandate = w.ok("POST", "/mandates", `{"mandates":{"links":{"customer_bank_account":"`+w.account+`"}}}`).Str("id")
	pm := w.pay("100")
	w.sb.Advance(30 * time.Hour)
	// The initial state is kept, too.
	w.ok("PUT", "/creditors/"+w.list("/creditors")[0].Str("id"), `{"creditors":{"name":"Renamed"}}`)
	w.step(func(tx *tx) { tx.transferMandate(tx.find("mandates", w.mandate)) })
	want := w.sb.Snapshot()

	// The process dies and leaves half a line.
	w.die()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	half := `{"advanced":0,"records":[{"in":"pay`
	_, _ = f.WriteString(half)
	_ = f.Close()
	again := &world{caller: open(), mandate: w.mandate}
	if lost != int64(len(half)) {
		t.Errorf("lost %d bytes, want %d", lost, len(half))
	}
	if b, _ := os.ReadFile(file + ".damaged"); string(b) != half {
		t.Errorf("the dropped bytes are %q", b)
	}
	if got := again.sb.Snapshot(); !bytes.Equal(got, want) {
		t.Errorf("after the crash:\n%s\nbefore:\n%s", got, want)
	}
	again.refused(409, "idempotent_creation_conflict", "POST", "/customers", customerBody, "Idempotency-Key", "k1")
	again.sb.Advance(30 * days)
	if s := again.status("payments", pm); s != "paid_out" {
		t.Errorf("payment goes on to %s", s)
	}
	want = again.sb.Snapshot()
	if err := again.sb.Close(); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(file); bytes.Count(b, []byte("\n")) != 1 {
		t.Error("Close did not write the file anew")
	}
	third := open()
	if got := third.sb.Snapshot(); !bytes.Equal(got, want) {
		t.Error("after Close the state differs")
	}
	if err := third.sb.Reset(); err != nil {
		t.Fatal(err)
	}
	third.die()
	if n := len(open().list("/payments")); n != 0 {
		t.Errorf("%d payments after a reset", n)
	}
	file = filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(file, []byte("not a state\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New().OpenState(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a broken file: %v", err)
	}
}

// fullDisk is a state file on a disk that is sometimes full. Half of what does not fit is written.
type fullDisk struct {
	statefile.Disk
	full bool
}

func (f *fullDisk) WriteAt(b []byte, at int64) (int, error) {
	if !f.full {
		return f.Disk.WriteAt(b, at)
	}
	n, err := f.Disk.WriteAt(b[:len(b)/2], at)
	return n, errors.Join(syscall.ENOSPC, err)
}

// A call that cannot be written has no effect, and leaves no gap before later ones.
func TestFullDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	w := &world{caller: newCaller(t)}
	w.openState(file)
	w.customer = w.ok("POST", "/customers", customerBody).Str("id")
	disk := &fullDisk{Disk: w.sb.journal.Disk}
	w.sb.journal.Disk = disk
	before := w.sb.Snapshot()
	disk.full = true
	w.refused(500, "internal_server_error", "POST", "/customers", customerBody, "Idempotency-Key", "k1")
	w.refused(500, "internal_server_error", "PUT", "/customers/"+w.customer, `{"customers":{"given_name":"Other"}}`)
	w.refused(500, "internal_server_error", "DELETE", "/customers/"+w.customer, "")
	if status, _, body := w.control("POST", "/_sandbox/clock", `{"advance":"3d"}`); status != 500 {
		t.Errorf("advancing the clock: %d %s", status, body)
	}
	if got := w.sb.Snapshot(); !bytes.Equal(got, before) {
		t.Errorf("refused calls changed the state:\n%s\nwas\n%s", got, before)
	}
	disk.full = false
	made := w.ok("POST", "/customers", customerBody, "Idempotency-Key", "k1").Str("id")
	for range 75 {
		w.ok("POST", "/customers", customerBody)
	}
	want := w.sb.Snapshot()
	w.die()
	again := newCaller(t)
	if lost := again.openState(file); lost != 0 {
		t.Errorf("lost %d bytes", lost)
	}
	if got := again.sb.Snapshot(); !bytes.Equal(got, want) {
		t.Error("the state after the crash differs")
	}
	again.ok("GET", "/customers/"+made, "")
}

// Due steps run while the disk is full, and are written once there is space.
func TestFullDiskWhileTimePasses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	now := monday
	box := &inbox{}
	w := newWorld(t, WithClock(func() time.Time { return now }), WithWebhooks(Webhooks{Handler: box, Secret: hookSecret, Manual: true}))
	w.openState(file)
	w.pay("100")
	disk := &fullDisk{Disk: w.sb.journal.Disk, full: true}
	w.sb.journal.Disk = disk
	now = now.Add(30 * days)
	w.sb.Tick()
	w.sb.FlushWebhooks()
	n := box.count()
	w.sb.FlushWebhooks()
	if n == 0 || box.count() != n {
		t.Errorf("%d webhooks, then %d", n, box.count())
	}
	disk.full = false
	w.ok("POST", "/customers", customerBody)
	want := w.sb.Snapshot()
	w.die()
	again := newCaller(t, WithClock(func() time.Time { return now }))
	if lost := again.openState(file); lost != 0 {
		t.Errorf("lost %d bytes", lost)
	}
	if got := again.sb.Snapshot(); !bytes.Equal(got, want) {
		t.Error("the state after the crash differs")
	}
}

// A file that can be neither written nor read back accepts no more changes.
func TestStateFileThatIsGone(t *testing.T) {
	c := newCaller(t)
	c.openState(filepath.Join(t.TempDir(), "state"))
	_ = c.sb.journal.Disk.Close()
	for range 2 {
		c.refused(500, "internal_server_error", "POST", "/customers", customerBody)
	}
}

// A damaged line is dropped with everything after it, wherever the damage is.
func TestDamagedTail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	c := newCaller(t)
	c.openState(file)
	for range 3 {
		c.ok("POST", "/customers", customerBody)
	}
	c.die()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	start := len(lines[0]) + len(lines[1]) // of the line of the second customer
	for name, damage := range map[string]func([]byte) []byte{
		"a changed letter":  func(b []byte) []byte { return bytes.Replace(b, []byte("Ada"), []byte("Eda"), 1) },
		"a changed bit":     func(b []byte) []byte { b[20] ^= 4; return b },
		"nothing but zeros": func(b []byte) []byte { clear(b); return b },
		"half the checksum": func(b []byte) []byte { return append(b[:len(b)-5], '\n') },
		"cut off":           func(b []byte) []byte { return b[:len(b)/2] },
		"a line too many":   func([]byte) []byte { return lines[3] },
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "state")
			b := append(bytes.Clone(whole[:start]), damage(bytes.Clone(lines[2]))...)
			b = append(b, lines[3]...)
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			c := newCaller(t)
			if lost := c.openState(file); lost != int64(len(b)-start) {
				t.Errorf("lost %d bytes, want %d", lost, len(b)-start)
			}
			if n := len(c.list("/customers")); n != 1 {
				t.Errorf("%d customers, want the one before the damage", n)
			}
			c.ok("POST", "/customers", customerBody)
			c.die()
			again := newCaller(t)
			if lost := again.openState(file); lost != 0 || len(again.list("/customers")) != 2 {
				t.Errorf("lost %d bytes of the mended file", lost)
			}
		})
	}
}

// Earlier versions wrote files without checksums.
func TestStateFileWithoutChecksums(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	c := newCaller(t)
	c.ok("POST", "/customers", customerBody)
	if err := os.WriteFile(file, append(c.sb.Snapshot(), "\n{\"advanced\":3600000000000}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	again := newCaller(t)
	if lost := again.openState(file); lost != 0 || len(again.list("/customers")) != 1 || !again.sb.Now().Equal(monday.Add(time.Hour)) {
		t.Errorf("lost %d bytes; it is %v", lost, again.sb.Now())
	}
}

func TestStateFileHasOneOwner(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	c := newCaller(t)
	c.openState(file)
	if _, err := New().OpenState(file); err == nil || !strings.Contains(err.Error(), "another sandbox has this state file open") {
		t.Errorf("opened twice: %v", err)
	}
	if err := c.sb.Close(); err != nil {
		t.Fatal(err)
	}
	newCaller(t).openState(file)
}

// A restore or reset that cannot be written is undone, too.
func TestRestoreToAFullDisk(t *testing.T) {
	dir := t.TempDir()
	c := newCaller(t)
	c.openState(filepath.Join(dir, "state"))
	old := c.sb.Snapshot()
	c.ok("POST", "/customers", customerBody)
	c.sb.journal.Path = filepath.Join(dir, "gone", "state")
	if c.sb.Restore(old) == nil || c.sb.Reset() == nil {
		t.Error("no error")
	}
	if n := len(c.list("/customers")); n != 1 {
		t.Errorf("%d customers, want 1", n)
	}
}

// TestKilledChild is the process that TestStateFileSurvivesKills kills: it creates customers and prints
// their ids.
func TestKilledChild(t *testing.T) {
	file := os.Getenv("SANDBOX_STATE")
	if file == "" {
		t.Skip("is a part of TestStateFileSurvivesKills")
	}
	c := newCaller(t)
	if lost, err := c.sb.OpenState(file); err != nil || lost > 1000 {
		fmt.Println("refused:", lost, err)
		return
	}
	for {
		fmt.Println("made", c.ok("POST", "/customers", customerBody).Str("id"))
	}
}

// A process that is killed leaves a file with everything that it acknowledged, and no other process can
// open the file while it lives.
func TestStateFileSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	file := filepath.Join(t.TempDir(), "state")
	made := []string{}
	start := func() (*exec.Cmd, *bufio.Scanner) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$", "-test.v")
		cmd.Env = append(os.Environ(), "SANDBOX_STATE="+file)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, bufio.NewScanner(out)
	}
	for round := range 4 {
		cmd, out := start()
		read := func() bool {
			if !out.Scan() {
				return false
			}
			if id, ok := strings.CutPrefix(out.Text(), "made "); ok {
				made = append(made, id)
			} else if strings.HasPrefix(out.Text(), "refused") {
				t.Errorf("round %d: %s", round, out.Text())
			}
			return true
		}
		for before := len(made); len(made) < before+50 && read(); {
		}
		if round == 0 {
			other, said := start()
			text := ""
			for said.Scan() {
				text += said.Text()
			}
			_ = other.Wait()
			if !strings.Contains(text, statefile.ErrLocked.Error()) {
				t.Errorf("a second process: %s", text)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for read() { // what was acknowledged before the kill
		}
		_ = cmd.Wait()
	}
	c := newCaller(t)
	c.openState(file)
	for _, id := range made {
		if c.sb.store.Find("customers", id) == nil {
			t.Fatalf("%s was acknowledged and is gone", id)
		}
	}
	if len(made) < 200 {
		t.Errorf("only %d customers were made", len(made))
	}
}
