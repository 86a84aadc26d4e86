package gocardless

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var signingKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

// verified checks a signed request the way a server would that knows nothing but
// the description and the public key, and returns the nonce and the time.
func verified(r *http.Request, body []byte, keyID string, public *ecdsa.PublicKey) (nonce string, created int64, err error) {
	input := r.Header.Get("Gc-Signature-Input")
	m := regexp.MustCompile(`^sig-1=(\(("[a-z@-]+"(?: "[a-z@-]+")*)\);keyid="([^"]*)";created=([0-9]+);nonce="([0-9a-f-]{36})")$`).FindStringSubmatch(input)
	if m == nil {
		return "", 0, fmt.Errorf("Gc-Signature-Input %q", input)
	}
	params, names := m[1], m[2]
	want := `"@method" "@authority" "@request-target"`
	if len(body) > 0 {
		want += ` "content-digest" "content-type" "content-length"`
	}
	if names != want {
		return "", 0, fmt.Errorf("components %s, want %s", names, want)
	}
	if m[3] != keyID {
		return "", 0, fmt.Errorf("key id %q", m[3])
	}
	var lines []string
	for _, quoted := range strings.Split(names, " ") {
		var value string
		switch name := strings.Trim(quoted, `"`); name {
		case "@method":
			value = r.Method
		case "@authority":
			value = r.Host
		case "@request-target":
			value = r.RequestURI
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		default:
			value = r.Header.Get(name)
		}
		lines = append(lines, quoted+": "+value)
	}
	lines = append(lines, `"@signature-params": `+params)
	if len(body) > 0 {
		sum := sha256.Sum256(body)
		if digest := "sha256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"; r.Header.Get("Content-Digest") != digest {
			return "", 0, fmt.Errorf("digest %q, want %q", r.Header.Get("Content-Digest"), digest)
		}
	} else if r.Header.Get("Content-Digest") != "" {
		return "", 0, errors.New("a digest without a body")
	}
	sig := regexp.MustCompile(`^sig-1=:([A-Za-z0-9+/]+=*):$`).FindStringSubmatch(r.Header.Get("Gc-Signature"))
	if sig == nil {
		return "", 0, fmt.Errorf("Gc-Signature %q", r.Header.Get("Gc-Signature"))
	}
	der, err := base64.StdEncoding.DecodeString(sig[1])
	if err != nil {
		return "", 0, err
	}
	sum := sha512.Sum512([]byte(strings.Join(lines, "\n")))
	if !ecdsa.VerifyASN1(public, sum[:], der) {
		return "", 0, fmt.Errorf("the signature does not fit\n%s", strings.Join(lines, "\n"))
	}
	created, err = strconv.ParseInt(m[4], 10, 64)
	return m[5], created, err
}

// signedServer verifies each request over a real connection, and answers the first
// ones with 500.
func signedServer(t *testing.T, failures int) (*httptest.Server, *[]string) {
	var mu sync.Mutex
	var nonces []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		nonce, created, err := verified(r, body, "RSK123", &signingKey().PublicKey)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.RequestURI, err)
		}
		if age := time.Since(time.Unix(created, 0)); age < -5*time.Second || age > time.Minute {
			t.Errorf("created %v ago", age)
		}
		mu.Lock()
		nonces = append(nonces, nonce)
		n := len(nonces)
		mu.Unlock()
		if n <= failures {
			w.WriteHeader(500)
			return
		}
		if r.Method == "DELETE" {
			w.WriteHeader(204)
			return
		}
		_, _ = io.WriteString(w, `{"payments":{"id":"PM1"},"blocks":{"id":"B1"}}`)
	}))
	t.Cleanup(server.Close)
	return server, &nonces
}

func TestSignedRequests(t *testing.T) {
	server, nonces := signedServer(t, 0)
	c := clientOver(t, http.DefaultTransport, WithBaseURL(server.URL+"/prefix"), WithRequestSigning("RSK123", signingKey()))
	params := paymentParams()
	params.Description = new("Grüße, 10 €") // more bytes than characters
	for name, call := range map[string]func() error{
		"create": func() error { _, err := c.Payments.Create(t.Context(), params); return err },
		"custom content type": func() error {
			_, err := c.Payments.Create(t.Context(), params, WithHeader("content-type", "application/json; charset=utf-8"))
			return err
		},
		"get":                 func() error { _, err := c.Payments.Get(t.Context(), "PM/1"); return err },
		"action without body": func() error { _, err := c.Blocks.Disable(t.Context(), "B1"); return err },
		"update":              func() error { _, err := c.Payments.Update(t.Context(), "PM1", PaymentUpdateParams{}); return err },
		"delete":              func() error { return c.Customers.Remove(t.Context(), "CU1") },
		"query":               func() error { return c.Do(t.Context(), "GET", "/payments?limit=1&x=%20", nil, nil) },
	} {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(*nonces) != 7 {
		t.Errorf("%d requests", len(*nonces))
	}
}

func TestEachAttemptIsSignedAfresh(t *testing.T) {
	server, nonces := signedServer(t, 2)
	c := clientOver(t, http.DefaultTransport, WithBaseURL(server.URL), WithRequestSigning("RSK123", signingKey()), WithRetryPolicy(atOnce))
	if _, err := c.Payments.Create(t.Context(), paymentParams()); err != nil {
		t.Fatal(err)
	}
	if n := *nonces; len(n) != 3 || n[0] == n[1] || n[1] == n[2] {
		t.Errorf("nonces %q", n)
	}
}

// The signature base for a fixed time and nonce is that of the API's documentation.
func TestSignatureBase(t *testing.T) {
	req, err := http.NewRequest("POST", "https://API.gocardless.com:443/payments?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Digest", "sha256=:9AmU2hRsZnqEo2HiNTLacLN0fOs8YmDiuX4WYeYWvh0=:")
	base, params := signatureBase(req, bytes.Repeat([]byte("x"), 18), "RSK1", time.Unix(1700000000, 999), "00000000-0000-4000-8000-000000000000")
	const wantParams = `("@method" "@authority" "@request-target" "content-digest" "content-type" "content-length");keyid="RSK1";created=1700000000;nonce="00000000-0000-4000-8000-000000000000"`
	const want = `"@method": POST
"@authority": api.gocardless.com
"@request-target": /payments?limit=1
"content-digest": sha256=:9AmU2hRsZnqEo2HiNTLacLN0fOs8YmDiuX4WYeYWvh0=:
"content-type": application/json
"content-length": 18
"@signature-params": ` + wantParams
	if base != want || params != wantParams {
		t.Errorf("got\n%s\nwant\n%s", base, want)
	}
	base, _ = signatureBase(req, nil, "RSK1", time.Unix(1700000000, 0), "n")
	if want := "\"@method\": POST\n\"@authority\": api.gocardless.com\n\"@request-target\": /payments?limit=1\n" +
		`"@signature-params": ("@method" "@authority" "@request-target");keyid="RSK1";created=1700000000;nonce="n"`; base != want {
		t.Errorf("without a body\n%s", base)
	}
}

func TestDigestOfTheDescription(t *testing.T) {
	req, _ := http.NewRequest("POST", "https://api.gocardless.com/x", nil)
	if err := (&ecdsaSigner{"RSK1", signingKey()}).sign(req, []byte("test content")); err != nil {
		t.Fatal(err)
	}
	if got := req.Header.Get("Content-Digest"); got != "sha256=:auinVVUgn9bEQVfArtgBbnY/9DWhnPGG92hjFAFD/3I=:" {
		t.Errorf("digest %s", got)
	}
}

// The time of a signature is that of its attempt, not of the call.
func TestSignatureTimePerAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{replies: []replier{replyWith(503, "", "Retry-After", "20"), replyWith(200, paymentReply)}}
		c := clientOver(t, s, WithRequestSigning("RSK123", signingKey()))
		if _, err := c.Payments.Get(t.Context(), "PM1"); err != nil {
			t.Fatal(err)
		}
		created := func(i int) int64 {
			m := regexp.MustCompile(`created=([0-9]+)`).FindStringSubmatch(s.requests()[i].Header.Get("Gc-Signature-Input"))
			n, _ := strconv.ParseInt(m[1], 10, 64)
			return n
		}
		if gap := created(1) - created(0); gap < 20 || gap > 21 {
			t.Errorf("signed %d s apart", gap)
		}
	})
}

type failingSigner struct{ ecdsa.PrivateKey }

func (*failingSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key service says no to jane@example.com")
}

func TestFailingSignerStopsTheRequest(t *testing.T) {
	s := &script{replies: []replier{replyWith(200, paymentReply)}}
	l := &recordingLimiter{}
	c := clientOver(t, s, WithRequestSigner("RSK1", &failingSigner{*signingKey()}), WithLimiter(l))
	_, err := c.Payments.Create(t.Context(), paymentParams())
	if want := []string{"wait payments.create", "observe 0"}; !slices.Equal(l.log, want) {
		t.Errorf("the limiter saw %q, want %q", l.log, want)
	}
	e := as[*SigningError](t, err)
	if len(s.requests()) != 0 || e.Operation != "payments.create" || strings.Contains(err.Error(), "jane") || e.Unwrap() == nil {
		t.Errorf("%v, %d requests", err, len(s.requests()))
	}
}

// failsLater is a signer that works once.
type failsLater struct {
	ecdsa.PrivateKey
	used bool
}

func (s *failsLater) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.used {
		return nil, errors.New("the key service is away")
	}
	s.used = true
	return s.PrivateKey.Sign(random, digest, opts)
}

// If a retry cannot be signed, the error does not deny that the attempt before may have run.
func TestSignerThatFailsLater(t *testing.T) {
	s := &script{replies: []replier{failWith(io.ErrUnexpectedEOF)}}
	c := clientOver(t, s, WithRequestSigner("RSK1", &failsLater{PrivateKey: *signingKey()}), WithRetryPolicy(atOnce))
	_, err := c.Payments.Create(t.Context(), paymentParams())
	as[*SigningError](t, err)
	e := as[*ConnectionError](t, err)
	if !e.MayHaveRun || e.IdempotencyKey != s.requests()[0].Header.Get("Idempotency-Key") || !errors.Is(err, io.ErrUnexpectedEOF) || len(s.requests()) != 1 {
		t.Errorf("got %+v, %d requests", e, len(s.requests()))
	}
}

// noKey is a signer whose key could not be loaded.
type noKey struct{ crypto.Signer }

func (noKey) Public() crypto.PublicKey { return (*ecdsa.PublicKey)(nil) }

func TestUnusableSigningKeys(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	for name, option := range map[string]ClientOption{
		"nil key":    WithRequestSigning("RSK1", nil),
		"nil signer": WithRequestSigner("RSK1", nil),
		"nil public": WithRequestSigner("RSK1", noKey{}),
		"P-256":      WithRequestSigning("RSK1", p256),
		"RSA":        WithRequestSigner("RSK1", rsaKey),
		"no id":      WithRequestSigning("", signingKey()),
		"odd id":     WithRequestSigning(`a"b`, signingKey()),
		"line end":   WithRequestSigning("a\nb", signingKey()),
	} {
		if _, err := New(testToken, EnvironmentSandbox, option); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func TestParseSigningKey(t *testing.T) {
	sec1, _ := x509.MarshalECPrivateKey(signingKey())
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(signingKey())
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, _ := x509.MarshalPKCS8PrivateKey(p256)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	rsaBytes, _ := x509.MarshalPKCS8PrivateKey(rsaKey)
	public, _ := x509.MarshalPKIXPublicKey(&signingKey().PublicKey)
	text := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	parameters := text("EC PARAMETERS", []byte{6, 5, 43, 129, 4, 0, 35})
	for name, good := range map[string][]byte{
		"SEC 1": text("EC PRIVATE KEY", sec1), "with parameters": append(parameters, text("EC PRIVATE KEY", sec1)...), "PKCS 8": text("PRIVATE KEY", pkcs8),
	} {
		if key, err := ParseSigningKey(good); err != nil || !key.Equal(signingKey()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	legacy := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: sec1})
	for name, bad := range map[string][]byte{
		"empty": nil, "no PEM": []byte("hello"), "parameters alone": parameters, "public": text("PUBLIC KEY", public), "P-256": text("PRIVATE KEY", other),
		"RSA": text("PRIVATE KEY", rsaBytes), "broken": text("EC PRIVATE KEY", sec1[:40]), "encrypted": text("ENCRYPTED PRIVATE KEY", pkcs8), "encrypted in the old way": legacy,
	} {
		if key, err := ParseSigningKey(bad); err == nil || key != nil {
			t.Errorf("%s accepted", name)
		}
	}
}

// OpenSSL, which shares no code with us, accepts a signature.
func TestSignatureByOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	public, _ := x509.MarshalPKIXPublicKey(&signingKey().PublicKey)
	req, _ := http.NewRequest("GET", "https://api.gocardless.com/payments", nil)
	if err := (&ecdsaSigner{"RSK1", signingKey()}).sign(req, nil); err != nil {
		t.Fatal(err)
	}
	params := strings.TrimPrefix(req.Header.Get("Gc-Signature-Input"), "sig-1=")
	base := "\"@method\": GET\n\"@authority\": api.gocardless.com\n\"@request-target\": /payments\n\"@signature-params\": " + params
	der, _ := base64.StdEncoding.DecodeString(strings.Trim(strings.TrimPrefix(req.Header.Get("Gc-Signature"), "sig-1="), ":"))
	out, err := exec.Command(openssl, "dgst", "-sha512",
		"-verify", file("public.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		"-signature", file("signature", der), file("base", []byte(base))).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Verified OK") {
		t.Errorf("%v: %s", err, out)
	}
}
