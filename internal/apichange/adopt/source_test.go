package adopt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// toYAML returns a JSON tree as YAML, in the same order.
func toYAML(t *testing.T, v *jsontree.Value) []byte {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal(v.Format(), &node); err != nil {
		t.Fatal(err)
	}
	node.Content[0].Style = 0
	out, err := yaml.Marshal(&node)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReadSource(t *testing.T) {
	jsonText := vendored().Format()
	yamlText := toYAML(t, vendored())
	mux := http.NewServeMux()
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(jsonText) })
	mux.HandleFunc("/yaml", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(yamlText) })
	server := httptest.NewServer(mux)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "schema.yaml")
	if err := os.WriteFile(file, yamlText, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{root + "/schema/gocardless.json", file, server.URL + "/json", server.URL + "/yaml"} {
		doc, err := ReadSource(t.Context(), server.Client(), source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if !jsontree.Equal(doc.Root, vendored()) {
			t.Errorf("%s: something else was read", source)
		}
	}
}

// Errors end up in logs, so they contain no credentials and queries of URLs.
func TestErrorsHideSecrets(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/text":
			_, _ = w.Write([]byte("{}"))
		case "/cut":
			w.Header().Set("Content-Length", "1000")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	for _, source := range []string{
		"http://user:geheim@" + host + "/text?token=geheim", "http://user:geheim@" + host + "/cut?token=geheim",
		"http://user:geheim@" + host + "/none?token=geheim", dead.URL + "/x?token=geheim",
		"http://schema.example.com/?token=geheim", "gopher://schema.example.com/?token=geheim", "https://user:geheim@[::1/?token=geheim",
	} {
		_, err := ReadSource(t.Context(), server.Client(), source)
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("got %v", err)
		}
	}
}

func TestReadSourceOverTLS(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/new", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(vendored().Format()) })
	mux.Handle("/old", http.RedirectHandler("/new", http.StatusMovedPermanently))
	server := httptest.NewUnstartedServer(mux)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that does not know the certificate
	server.StartTLS()
	defer server.Close()
	if doc, err := ReadSource(t.Context(), server.Client(), server.URL+"/old"); err != nil || !jsontree.Equal(doc.Root, vendored()) {
		t.Errorf("something else was read, %v", err)
	}
	if _, err := ReadSource(t.Context(), http.DefaultClient, server.URL+"/new"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
}

// Reading from a server that never finishes ends with the timeout of the client or the context.
func TestSlowSource(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("{"))
		w.(http.Flusher).Flush()
		<-release
	}))
	defer server.Close()
	defer close(release)
	client := *server.Client()
	client.Timeout = 50 * time.Millisecond
	if _, err := ReadSource(t.Context(), &client, server.URL); err == nil || !strings.Contains(err.Error(), "Client.Timeout") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ReadSource(ctx, server.Client(), server.URL); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A byte order mark and Windows line ends change nothing.
func TestByteOrderMarkAndLineEnds(t *testing.T) {
	for name, text := range map[string][]byte{"JSON": vendored().Format(), "YAML": toYAML(t, vendored())} {
		text = append([]byte("\ufeff"), bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))...)
		if root, err := parseSource(text); err != nil || !jsontree.Equal(root, vendored()) {
			t.Errorf("%s: something else was read, %v", name, err)
		}
	}
}

func TestBadSources(t *testing.T) {
	block := bytes.Repeat([]byte(" "), 1<<20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/html":
			_, _ = w.Write([]byte("<!doctype html><title>Sign in</title>"))
		case "/away":
			http.Redirect(w, r, "http://schema.example.com/openapi.json?token=geheim", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/huge":
			for range MaxSource/len(block) + 2 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{"))
		default:
			http.Error(w, "no", http.StatusNotFound)
		}
	}))
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	defer server.Close()
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for _, c := range "bcdefgh" {
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+", ", 9), ", ") + "]\n"
	}
	for _, c := range []struct{ source, want string }{
		{filepath.Join(dir, "none.json"), "none.json"},
		{write("empty.json", "  \n"), "the document is empty"},
		{write("cut.json", string(vendored().Format()[:5000])), "the document ends in the middle"},
		{write("text.yaml", "just some words"), "an object is expected"},
		{write("other.json", `{"name": "package"}`), "/openapi is missing"},
		{write("swagger.yaml", "swagger: '2.0'\npaths: {}\n"), "Swagger 2"},
		{write("twice.yaml", "openapi: 3.1.0\nopenapi: 3.1.0\n"), "openapi"},
		{write("tabs.yaml", "openapi: 3.1.0\n\tpaths: {}\n"), "neither JSON nor YAML"},
		{write("number.yaml", "openapi: 3.1.0\nx: 0x1F\n"), "is not a JSON number"},
		{write("bomb.yaml", bomb), "YAML"},
		{server.URL + "/missing", "404"},
		{server.URL + "/html", "HTML"},
		{server.URL + "/cut", "unexpected EOF"},
		{dead.URL, "refused"},
		{"http://schema.example.com/openapi.json", "use https"},
		{"ftp://schema.example.com/openapi.json", "ftp is not supported: give the name of a file or an https URL"},
		{"file:///schema.json", "file is not supported"},
		{server.URL + "/away", "redirected to http://schema.example.com/openapi.json: use https"},
		{server.URL + "/loop", "redirected 10 times"},
		{server.URL + "/huge", "more than 67108864 bytes"},
	} {
		_, err := ReadSource(t.Context(), server.Client(), c.source)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.source, err, c.want)
		}
	}
}
