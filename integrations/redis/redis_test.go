package redislimit

import (
	"context"
	"fmt"

	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// ownMiniredis starts a miniredis for a test that stops and starts it.
func ownMiniredis(t *testing.T) server {
	m := miniredis.RunT(t)
	return server{m.Addr(), m.Close, func() {
		m.FlushAll() // as a server without persistence
		err := m.Restart()
		for tries := 0; err != nil && tries < 1000; tries++ { // another process may have the port for a moment
			time.Sleep(10 * time.Millisecond)
			err = m.Restart()
		}
		if err != nil {
			t.Error(err)
		}
	}}
}

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{}) // go-redis logs errors about servers that the tests stop
	os.Exit(m.Run())
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

var budgetNames atomic.Int64

// budgetName returns a name that no other test uses, because the tests share the real server.
func budgetName() string { return fmt.Sprintf("test-%d-%d", os.Getpid(), budgetNames.Add(1)) }

// realRedis is the server that GOCARDLESS_TEST_REDIS names.
func realRedis(t *testing.T) server {
	addr := os.Getenv("GOCARDLESS_TEST_REDIS")
	if addr == "" {
		t.Skip("GOCARDLESS_TEST_REDIS is not set: see scripts/redis.sh")
	}
	return server{addr: addr}
}

// ownRedis starts a server for a test that stops and starts it.
func ownRedis(t *testing.T) server {
	program := os.Getenv("GOCARDLESS_TEST_REDIS_SERVER")
	if program == "" {
		t.Skip("GOCARDLESS_TEST_REDIS_SERVER is not set: see scripts/redis.sh")
	}
	// A socket in a directory: while the server is down, another process could take its port.
	dir, err := os.MkdirTemp("", "redis") // the name of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := server{addr: filepath.Join(dir, "socket")}
	var cmd *exec.Cmd
	s.stop = func() {
		if cmd != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			cmd = nil
		}
	}
	s.back = func() {
		cmd = exec.Command(program, "--port", "0", "--unixsocket", s.addr, "--save", "", "--appendonly", "no", "--dir", dir)
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		r := redis.NewClient(&redis.Options{Addr: s.addr})
		defer func() { _ = r.Close() }()
		for range 1000 {
			if r.Ping(context.Background()).Err() == nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Error("the server does not answer")
	}
	s.back()
	t.Cleanup(s.stop)
	return s
}

// eachOwn is each, for tests that stop the server and start it again.
func eachOwn(t *testing.T, f func(t *testing.T, s server)) {
	if !testing.Short() || os.Getenv("GOCARDLESS_TEST_REDIS_SERVER") == "" {
		t.Run("miniredis", func(t *testing.T) { bubble(t, ownMiniredis(t), f) })
	}
	t.Run("Redis", func(t *testing.T) { bubble(t, ownRedis(t), f) })
}

func bubble(t *testing.T, s server, f func(t *testing.T, s server)) {
	// The server is stopped and started outside the bubble, whose time must not move until the server
	// answers.
	work, done := make(chan func()), make(chan struct{})
	go func() {
		for f := range work {
			f()
			done <- struct{}{}
		}
	}()
	defer close(work)
	outside := func(f func()) func() {
		return func() { work <- f; <-done }
	}
	s.stop, s.back = outside(s.stop), outside(s.back)
	synctest.Test(t, func(t *testing.T) { f(t, s) })
}
