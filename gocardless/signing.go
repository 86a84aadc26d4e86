package gocardless

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/scrub"
)

// requestSigner adds the headers of a signature to a request. It is an interface so that programs
// that do not sign requests do not link the code.
type requestSigner interface {
	sign(req *http.Request, body []byte) error
}

// WithRequestSigning signs every request. Accounts with signing enabled need it for outbound
// payments. The key must be on the curve P-521. The keyID is the id that the dashboard shows for
// the uploaded public key ("RSK…"). Each attempt has its own signature. [ParseSigningKey] reads a
// key from a PEM file.
func WithRequestSigning(keyID string, key *ecdsa.PrivateKey) ClientOption {
	return clientOption(func(c *clientConfig) {
		if key == nil {
			c.refuse("WithRequestSigning", "needs a key")
			return
		}
		c.setSigner("WithRequestSigning", keyID, key)
	})
}

// WithRequestSigner is [WithRequestSigning] for a key in a hardware module or a key service. The
// signer's public key must be an [*ecdsa.PublicKey] on P-521, and it must return signatures in
// ASN.1 DER, as [crypto.Signer] specifies for ECDSA. If signing fails, nothing is sent.
func WithRequestSigner(keyID string, signer crypto.Signer) ClientOption {
	return clientOption(func(c *clientConfig) {
		if signer == nil {
			c.refuse("WithRequestSigner", "needs a signer")
			return
		}
		c.setSigner("WithRequestSigner", keyID, signer)
	})
}

func (c *clientConfig) setSigner(option, keyID string, signer crypto.Signer) {
	public, ok := signer.Public().(*ecdsa.PublicKey)
	if !ok || public == nil || public.Curve != elliptic.P521() {
		c.refuse(option, "needs an ECDSA key on the curve P-521")
	}
	if problem := keyProblem(keyID); problem != "" || strings.ContainsAny(keyID, `"\`) {
		c.refuse(option, "needs the id of the key, such as RSK123")
	}
	c.signer = &ecdsaSigner{keyID: keyID, signer: signer}
}

// ParseSigningKey reads a private key for [WithRequestSigning] from PEM, as written by
// "openssl ecparam -name secp521r1 -genkey" or "openssl genpkey" (EC PRIVATE KEY or PRIVATE KEY). It
// refuses encrypted keys and keys on curves other than P-521.
func ParseSigningKey(text []byte) (*ecdsa.PrivateKey, error) {
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			return nil, errors.New("gocardless: the PEM data has no private key")
		}
		var (
			key any
			err error
		)
		switch block.Type {
		case "EC PARAMETERS":
			continue // the name of the curve, which openssl writes before the key
		case "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, errEncryptedKey
			}
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, errEncryptedKey
		default:
			return nil, errors.New("gocardless: the PEM data does not begin with a private key")
		}
		if err != nil {
			// The cause is left out: it may contain bytes of the key.
			return nil, errors.New("gocardless: the private key cannot be parsed")
		}
		ec, ok := key.(*ecdsa.PrivateKey)
		if !ok || ec.Curve != elliptic.P521() {
			return nil, errors.New("gocardless: signing needs an ECDSA key on the curve P-521 (secp521r1)")
		}
		return ec, nil
	}
}

var errEncryptedKey = errors.New("gocardless: the private key is encrypted: decrypt it first")

type ecdsaSigner struct {
	keyID  string
	signer crypto.Signer
}

// sign sets Content-Digest, Gc-Signature-Input and Gc-Signature. The form is that of RFC 9421, except
// that the headers have the API's own names, the digest is labelled sha256, and the signature is in
// DER.
func (s *ecdsaSigner) sign(req *http.Request, body []byte) error {
	if body != nil {
		digest := sha256.Sum256(body)
		req.Header["Content-Digest"] = []string{"sha256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":"}
	}
	base, params := signatureBase(req, body, s.keyID, time.Now(), newKey())
	digest := sha512.Sum512([]byte(base))
	signature, err := s.signer.Sign(rand.Reader, digest[:], crypto.SHA512)
	if err != nil {
		return err
	}
	req.Header["Gc-Signature-Input"] = []string{"sig-1=" + params}
	req.Header["Gc-Signature"] = []string{"sig-1=:" + base64.StdEncoding.EncodeToString(signature) + ":"}
	return nil
}

// signatureBase returns the string that is signed, and the parameters as they appear
// in its last line and in the Gc-Signature-Input header.
func signatureBase(req *http.Request, body []byte, keyID string, created time.Time, nonce string) (base, params string) {
	var lines, names strings.Builder
	component := func(name, value string) {
		lines.WriteString(`"` + name + `": ` + value + "\n")
		if names.Len() > 0 {
			names.WriteByte(' ')
		}
		names.WriteString(`"` + name + `"`)
	}
	component("@method", req.Method)
	component("@authority", authority(req))
	component("@request-target", req.URL.RequestURI())
	if body != nil {
		component("content-digest", headerValue(req.Header, "Content-Digest"))
		// From the header, because the caller may have replaced it.
		component("content-type", headerValue(req.Header, "Content-Type"))
		component("content-length", strconv.Itoa(len(body)))
	}
	params = "(" + names.String() + `);keyid="` + keyID + `";created=` + strconv.FormatInt(created.Unix(), 10) + `;nonce="` + nonce + `"`
	return lines.String() + `"@signature-params": ` + params, params
}

// authority returns the host in lower case, with the port unless it is the scheme's default.
func authority(req *http.Request) string {
	host := strings.ToLower(req.URL.Host)
	switch req.URL.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return host
}

// SigningError reports that a request could not be signed. The request was not sent, and the call is
// not retried. If an earlier attempt of the call was sent, a [ConnectionError] wraps the SigningError.
type SigningError struct {
	// Operation is the operation that was called, such as "payments.create".
	Operation string
	// Err is the error of the signer.
	Err error
}

// Error describes the failure in one line. It masks what [Error.Error] masks.
func (e *SigningError) Error() string {
	var b strings.Builder
	writeSet(&b, "", e.Operation, ": ")
	writeAll(&b, "the request could not be signed")
	if e.Err != nil {
		writeAll(&b, ": ", scrub.Text(e.Err.Error()))
	}
	return b.String()
}

// GoString is like Error.
func (e SigningError) GoString() string { return "&gocardless.SigningError{" + e.Error() + "}" }

// Format is like Error, whatever the verb, and whether by pointer or value.
func (e SigningError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText is like Error.
func (e SigningError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns the error of the signer.
func (e *SigningError) Unwrap() error { return e.Err }
