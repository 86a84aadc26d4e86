// Package jwe decrypts the bank details that GoCardless sends in encrypted form: the reply of
// BankAccountDetailService.Get, which is a JWE (RFC 7516), and that of
// TransferredMandateService.Get.
//
// GoCardless encrypts them with a public RSA key that you provide in a JWKS; see [JWKS]. Encryption
// does not prove the origin: anyone can encrypt with a public key. Only the connection to the API
// proves that the details come from GoCardless, so decrypt only details that a client of this
// module received.
package jwe

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// Errors, for use with [errors.Is]. They contain nothing of the details or keys.
var (
	// ErrNoKey means that none of the given keys has the id of the key that the details are
	// encrypted with.
	ErrNoKey = errors.New("jwe: no key with the id that the details are encrypted to")
	// ErrDecrypt means that the key does not decrypt the details: it is the wrong key, or the
	// details were tampered with. The error deliberately does not reveal which.
	ErrDecrypt = errors.New("jwe: cannot decrypt")
	// ErrMalformed means that the input is incomplete or not in a known form.
	ErrMalformed = errors.New("jwe: malformed")
	// ErrAlgorithm means that the encryption algorithm is not accepted.
	ErrAlgorithm = errors.New("jwe: algorithm not accepted")
)

// Key is one of your private keys. It prints without the key itself.
type Key struct {
	// ID is the id of the key in your JWKS, and the value of the Gc-Key-Id header when
	// asking for bank details.
	ID string
	// Private is the key.
	Private *rsa.PrivateKey
}

// String returns the id of the key.
func (k Key) String() string { return fmt.Sprintf("jwe.Key{ID:%q}", k.ID) }

// GoString returns the same as String.
func (k Key) GoString() string { return k.String() }

// Format writes the same as String, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// MarshalText returns the same as String.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue returns the same as String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// minBits is the size of the smallest key that is accepted; GoCardless asks for RSA-2048.
const minBits = 2048

// check refuses a key that is incomplete or too short.
func (k Key) check() error {
	switch {
	case k.ID == "":
		return errors.New("jwe: a key has no id")
	case k.Private == nil:
		return fmt.Errorf("jwe: key %q is nil", k.ID)
	case k.Private.N == nil || k.Private.N.BitLen() < minBits:
		return fmt.Errorf("jwe: key %q is shorter than %d bits", k.ID, minBits)
	}
	return nil
}

// ParseKey parses an unencrypted private RSA key in PEM form: PKCS #8 ("PRIVATE KEY") or PKCS #1
// ("RSA PRIVATE KEY"). It ignores everything after the first block.
func ParseKey(id string, text []byte) (Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return Key{}, errors.New("jwe: the key is not in PEM")
	}
	key := Key{ID: id}
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return Key{}, errors.New("jwe: the key cannot be read as PKCS #8")
		}
		var ok bool
		if key.Private, ok = parsed.(*rsa.PrivateKey); !ok {
			return Key{}, errors.New("jwe: the key is not an RSA key")
		}
	case "RSA PRIVATE KEY":
		var err error
		if key.Private, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return Key{}, errors.New("jwe: the key cannot be read as PKCS #1, or is encrypted")
		}
	default:
		return Key{}, fmt.Errorf("jwe: a PEM block of type %q is not a private RSA key", block.Type)
	}
	if err := key.check(); err != nil {
		return Key{}, err
	}
	return key, nil
}

// JWKS returns the public halves of the keys as a JSON Web Key Set (RFC 7517) to give to
// GoCardless. It contains no secrets. Include the old key while you replace it.
func JWKS(keys ...Key) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		if err := k.check(); err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{
			Key: &k.Private.PublicKey, KeyID: k.ID, Use: "enc", Algorithm: string(jose.RSA_OAEP),
		})
	}
	return json.MarshalIndent(set, "", "  ")
}

// The accepted algorithms. RSA with PKCS #1 v1.5 is not one of them: its padding can be attacked.
var (
	keyAlgorithms     = []jose.KeyAlgorithm{jose.RSA_OAEP, jose.RSA_OAEP_256}
	contentAlgorithms = []jose.ContentEncryption{
		jose.A256GCM, jose.A192GCM, jose.A128GCM,
		jose.A256CBC_HS512, jose.A192CBC_HS384, jose.A128CBC_HS256,
	}
)

// DecryptBankAccountDetail decrypts the reply of BankAccountDetailService.Get with the key that its
// header names. Pass several keys while you replace one. The accepted algorithms are RSA-OAEP and
// RSA-OAEP-256 for the key, and AES with GCM or with CBC and HMAC for the content.
func DecryptBankAccountDetail(detail *gocardless.BankAccountDetail, keys ...Key) (*BankDetails, error) {
	if detail == nil || detail.Protected == "" || detail.EncryptedKey == "" || detail.Iv == "" || detail.Ciphertext == "" || detail.Tag == "" {
		return nil, fmt.Errorf("%w: part of the flattened JWE is missing", ErrMalformed)
	}
	text, err := json.Marshal(map[string]string{
		"protected": detail.Protected, "encrypted_key": detail.EncryptedKey, "iv": detail.Iv,
		"ciphertext": detail.Ciphertext, "tag": detail.Tag,
	})
	if err != nil {
		return nil, ErrMalformed
	}
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	return openJWE(string(text), detail.Protected, keyAlgorithms, func(id string) (any, error) {
		return findKey(id, keys)
	})
}

func checkKeys(keys []Key) error {
	for _, k := range keys {
		if err := k.check(); err != nil {
			return err
		}
	}
	return nil
}

// findKey returns the key with an id. Without an id, there must be exactly one key.
func findKey(id string, keys []Key) (*rsa.PrivateKey, error) {
	for _, k := range keys {
		if k.ID == id || id == "" && len(keys) == 1 {
			return k.Private, nil
		}
	}
	return nil, ErrNoKey
}

// openJWE opens a JWE in compact or flattened form, whose header is protected.
func openJWE(text, protected string, algorithms []jose.KeyAlgorithm, find func(id string) (any, error)) (*BankDetails, error) {
	var header struct {
		Algorithm  jose.KeyAlgorithm      `json:"alg"`
		Encryption jose.ContentEncryption `json:"enc"`
		KeyID      string                 `json:"kid"`
		Zip        any                    `json:"zip"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(protected)
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return nil, fmt.Errorf("%w: header of the JWE", ErrMalformed)
	}
	// The library checks the algorithms too, but its error does not distinguish this case. Details
	// are too small to need compression.
	if !slices.Contains(algorithms, header.Algorithm) || !slices.Contains(contentAlgorithms, header.Encryption) || header.Zip != nil {
		return nil, ErrAlgorithm
	}
	parse := jose.ParseEncryptedCompact
	if strings.HasPrefix(text, "{") {
		parse = jose.ParseEncryptedJSON
	}
	object, err := parse(text, algorithms, contentAlgorithms)
	if err != nil {
		return nil, fmt.Errorf("%w: not a JWE", ErrMalformed)
	}
	key, err := find(header.KeyID)
	if err != nil {
		return nil, err
	}
	plaintext, err := object.Decrypt(key)
	if err != nil {
		return nil, ErrDecrypt
	}
	return parseDetails(plaintext)
}
