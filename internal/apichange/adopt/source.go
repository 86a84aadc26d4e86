package adopt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// MaxSource is the maximum size of a source in bytes.
const MaxSource = 64 << 20

// ReadSource reads an API description, in JSON or YAML, from a file or URL. The URL must use https unless its
// host is a loopback address, because a description decides where money goes.
func ReadSource(ctx context.Context, client *http.Client, source string) (*openapi.Document, error) {
	data, err := fetch(ctx, client, source)
	if err != nil {
		return nil, err
	}
	root, err := parseSource(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Location(source), err)
	}
	doc, err := openapi.Read(root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Location(source), err)
	}
	return doc, nil
}

// Location returns where a source is, for errors and reports. It leaves out the parts of a URL that may be
// secret.
func Location(source string) string {
	u, err := url.Parse(source)
	if err != nil || u.Host == "" {
		return source
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func fetch(ctx context.Context, client *http.Client, source string) ([]byte, error) {
	if !strings.Contains(source, "://") {
		f, err := os.Open(source)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return limited(source, f)
	}
	at := Location(source)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, errors.New("the source is not a valid URL") // err contains the whole URL
	}
	if err := secure(req.URL); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	req.Header.Set("Accept", "application/json, application/yaml;q=0.9")
	resp, err := following(client).Do(req)
	if err != nil {
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err // the outer error contains the whole URL
		}
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the server responded with %s", at, resp.Status)
	}
	return limited(at, resp.Body)
}

// secure refuses a URL that lets an attacker replace the description.
func secure(u *url.URL) error {
	switch {
	case u.Scheme == "https", u.Scheme == "http" && net.ParseIP(u.Hostname()).IsLoopback():
		return nil
	case u.Scheme == "http":
		return errors.New("use https")
	}
	return fmt.Errorf("%s is not supported: give the name of a file or an https URL", u.Scheme)
}

// following returns a client that follows redirects only to secure URLs.
func following(client *http.Client) *http.Client {
	c := *client
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if err := secure(req.URL); err != nil {
			return fmt.Errorf("redirected to %s: %w", Location(req.URL.String()), err)
		}
		if len(via) >= maxRedirects {
			return fmt.Errorf("redirected %d times", len(via))
		}
		return nil
	}
	return &c
}

const maxRedirects = 10

func limited(source string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSource+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if len(data) > MaxSource {
		return nil, fmt.Errorf("%s: more than %d bytes", source, MaxSource)
	}
	return data, nil
}

func parseSource(data []byte) (*jsontree.Value, error) {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	switch {
	case len(trimmed) == 0:
		return nil, errors.New("the document is empty")
	case trimmed[0] == '{' || trimmed[0] == '[':
		return jsontree.Parse(trimmed)
	case trimmed[0] == '<':
		return nil, errors.New("this is HTML or XML, not a JSON or YAML document")
	}
	var node yaml.Node
	if err := yaml.Unmarshal(trimmed, &node); err != nil {
		return nil, fmt.Errorf("neither JSON nor YAML: %w", err)
	}
	c := converter{left: maxNodes}
	return c.convert(&node, "", 0)
}

// maxNodes limits what YAML aliases may expand to. Our own document has about 40,000 values.
const maxNodes = 4_000_000

type converter struct{ left int }

// convert converts YAML to JSON.
func (c *converter) convert(n *yaml.Node, pointer string, depth int) (*jsontree.Value, error) {
	if c.left--; c.left < 0 || depth > jsontree.MaxDepth {
		return nil, errors.New("the YAML expands to a document that is too large or too deep")
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return c.convert(n.Content[0], pointer, depth)
	case yaml.AliasNode:
		return c.convert(n.Alias, pointer, depth+1)
	case yaml.SequenceNode:
		v := &jsontree.Value{Kind: jsontree.Array}
		for i, item := range n.Content {
			x, err := c.convert(item, fmt.Sprintf("%s/%d", pointer, i), depth+1)
			if err != nil {
				return nil, err
			}
			v.Items = append(v.Items, x)
		}
		return v, nil
	case yaml.MappingNode:
		v := &jsontree.Value{Kind: jsontree.Object}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			at := jsontree.Join(pointer, key)
			if v.Has(key) {
				return nil, fmt.Errorf("line %d: %s is given twice", n.Content[i].Line, at)
			}
			if n.Content[i].Tag == "!!merge" {
				return nil, fmt.Errorf("line %d: %s: merge keys are not supported", n.Content[i].Line, at)
			}
			x, err := c.convert(n.Content[i+1], at, depth+1)
			if err != nil {
				return nil, err
			}
			v.Members = append(v.Members, jsontree.Member{Name: key, Value: x})
		}
		return v, nil
	}
	return scalar(n, pointer)
}

func scalar(n *yaml.Node, pointer string) (*jsontree.Value, error) {
	switch n.ShortTag() {
	case "!!null":
		return &jsontree.Value{}, nil
	case "!!bool":
		return jsontree.NewBool(strings.EqualFold(n.Value, "true")), nil
	case "!!int", "!!float":
		v, err := jsontree.Parse([]byte(n.Value))
		if err != nil || v.Kind != jsontree.Number {
			return nil, fmt.Errorf("line %d: %s: %q is not a JSON number", n.Line, pointer, n.Value)
		}
		return v, nil
	}
	return jsontree.NewString(n.Value), nil // timestamps as well
}
