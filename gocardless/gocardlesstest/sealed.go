package gocardlesstest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RSA-OAEP is defined with it, where its weakness does not matter
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Encrypted bank details: those of a bank account as a flattened JWE (RFC 7516), and those of a
// transferred mandate.

// encryptionKey is a public key of WithEncryptionKey.
type encryptionKey struct {
	id  string
	key *rsa.PublicKey
}

func urlBase64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// noise returns n bytes that look encrypted, the same for the same seed.
func noise(seed uint64, n int) []byte {
	b := make([]byte, 0, n+8)
	for i := uint64(0); len(b) < n; i++ {
		b = binary.BigEndian.AppendUint64(b, store.Mix(seed^store.Mix(i)))
	}
	return b[:n]
}

// fullDetails returns the details of an account with its whole number. Some replies have a prefix in
// the names of local details.
func fullDetails(a *record, prefix string) object {
	o := object{{"account_holder_name", a.Str("account_holder_name")}, {"country_code", a.Str("country_code")}}
	kind, rest, _ := strings.Cut(a.Ref("key"), " ")
	codes, number, local := strings.Cut(rest, " ")
	bank, branch := codes, ""
	switch {
	case kind == "iban":
		return append(o, member{"iban", rest})
	case !local || len(kind) != 2:
		// Invented accounts have only the last digits of a number.
		bank, branch, number = "", "200000", "556666"+a.Str("account_number_ending")
	case kind == "GB" || kind == "AU" || kind == "SE":
		bank, branch = "", codes
	case kind == "CA" && len(codes) > 5:
		bank, branch = codes[:len(codes)-5], codes[len(codes)-5:]
	case kind == "NZ" && len(codes) > 2:
		bank, branch = codes[:2], codes[2:]
	}
	for _, m := range []member{{"bank_code", bank}, {"branch_code", branch}, {"account_number", number}} {
		if m.Val != "" {
			o = append(o, member{prefix + m.Key, m.Val})
		}
	}
	return o
}

// sealedFor encrypts an object as a flattened JWE with RSA-OAEP and A256GCM. Without keys, it returns
// random content in that form.
func (tx *tx) sealedFor(id string, o object, seed uint64) (object, error) {
	protected := urlBase64(value.Append(nil, object{{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}, {"kid", id}}))
	wrapped, iv, text, tag := noise(seed+1, 256), noise(seed+2, 12), noise(seed, 96), noise(seed+3, 16)
	if keys := tx.sb.opts.keys; len(keys) > 0 {
		var key *rsa.PublicKey
		for _, k := range keys {
			if k.id == id {
				key = k.key
			}
		}
		if key == nil {
			return nil, api.Refuse("bad_request", "The Gc-Key-Id header names an unknown key")
		}
		secret, sealed := seal(value.Append(nil, o), []byte(protected))
		iv, text, tag = sealed[:12], sealed[12:len(sealed)-16], sealed[len(sealed)-16:]
		var err error
		if wrapped, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, key, secret, nil); err != nil { //nolint:gosec // see the import
			return nil, api.Refuse("bad_request", "The key is too short")
		}
	}
	return object{
		{"ciphertext", urlBase64(text)}, {"encrypted_key", urlBase64(wrapped)}, {"iv", urlBase64(iv)},
		{"protected", protected}, {"tag", urlBase64(tag)},
	}, nil
}

// seal encrypts a plaintext with AES-256-GCM under a new key. The result is nonce, ciphertext and tag.
func seal(text, also []byte) (secret, sealed []byte) {
	secret = make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic(err) // the key has a length that AES takes
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	nonce := make([]byte, gcm.NonceSize())
	_, _ = rand.Read(nonce)
	return secret, gcm.Seal(nonce, nonce, text, also)
}

// sealedTransfer encrypts the details of a transferred mandate with AES-256-GCM, whose key it encrypts
// with RSA-OAEP and SHA-256. The API does not document its own format.
func (tx *tx) sealedTransfer(o object, seed uint64) object {
	id, text, wrapped := "PK"+store.Base32(seed>>4, 12), noise(seed, 128), noise(seed+1, 256)
	if keys := tx.sb.opts.keys; len(keys) > 0 {
		secret, sealed := seal(value.Append(nil, o), nil)
		if w, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, keys[0].key, secret, nil); err == nil {
			id, text, wrapped = keys[0].id, sealed, w
		}
	}
	return object{
		{"encrypted_customer_bank_details", base64.StdEncoding.EncodeToString(text)},
		{"encrypted_decryption_key", base64.StdEncoding.EncodeToString(wrapped)},
		{"public_key_id", id},
	}
}
