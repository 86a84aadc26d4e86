package update

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/gocardless-community/gocardless-go/generator/jsontree"
)

// toYAML writes a JSON tree as YAML, in order.
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

func TestBadSources(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/html":
			_, _ = w.Write([]byte("<!doctype html><title>Sign in</title>"))
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
		{write("number.yaml", "openapi: 3.1.0\nx: 0x1F\n"), "is no JSON number"},
		{write("bomb.yaml", bomb), "YAML"},
		{server.URL + "/missing", "404"},
		{server.URL + "/html", "HTML"},
		{server.URL + "/cut", "unexpected EOF"},
		{dead.URL, "refused"},
		{"http://schema.example.com/openapi.json", "use https"},
	} {
		_, err := ReadSource(t.Context(), server.Client(), c.source)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.source, err, c.want)
		}
	}
}
