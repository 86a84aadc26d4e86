package jwe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// DecryptTransferredMandate decrypts the reply of TransferredMandateService.Get: the customer's new
// bank details, encrypted with an AES-256 key that is itself encrypted with your public key.
//
// The API does not document the layout, so several are tried. For the details: a JWE in compact or
// flattened form, encrypted with that key or directly with yours, and AES-256-GCM with a nonce of
// 12 bytes in front and a tag of 16 at the end, in base64. For the key: RSA-OAEP with SHA-1 and
// with SHA-256. All of them are authenticated, so an unexpected layout results in an error and
// never in wrong details. In that case, use [TransferredMandateKey] to get the AES key.
func DecryptTransferredMandate(mandate *gocardless.TransferredMandate, keys ...Key) (*BankDetails, error) {
	if mandate == nil || mandate.EncryptedCustomerBankDetails == "" {
		return nil, fmt.Errorf("%w: no encrypted details", ErrMalformed)
	}
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	text := strings.TrimSpace(mandate.EncryptedCustomerBankDetails)
	if protected, ok := protectedHeader(text); ok {
		algorithms := append([]jose.KeyAlgorithm{jose.DIRECT}, keyAlgorithms...)
		return openJWE(text, protected, algorithms, func(id string) (any, error) {
			if usesKey(protected) {
				return TransferredMandateKey(mandate, keys...)
			}
			if id == "" {
				id = mandate.PublicKeyID
			}
			return findKey(id, keys)
		})
	}
	sealed, err := decodeBase64(text)
	if err != nil || len(sealed) < nonceSize+tagSize {
		return nil, fmt.Errorf("%w: details are neither a JWE nor base64", ErrMalformed)
	}
	contentKey, err := TransferredMandateKey(mandate, keys...)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(contentKey)
	if err != nil {
		return nil, ErrDecrypt
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, ErrDecrypt
	}
	plaintext, err := gcm.Open(nil, sealed[:nonceSize], sealed[nonceSize:], nil)
	if err != nil {
		return nil, ErrDecrypt
	}
	return parseDetails(plaintext)
}

const (
	nonceSize = 12
	tagSize   = 16
)

// TransferredMandateKey returns the AES-256 key of a transferred mandate's bank details, decrypted
// with the key that the mandate names. The AES key is a secret.
func TransferredMandateKey(mandate *gocardless.TransferredMandate, keys ...Key) ([]byte, error) {
	if mandate == nil || mandate.EncryptedDecryptionKey == "" {
		return nil, fmt.Errorf("%w: no encrypted key", ErrMalformed)
	}
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	wrapped, err := decodeBase64(strings.TrimSpace(mandate.EncryptedDecryptionKey))
	if err != nil {
		return nil, fmt.Errorf("%w: encrypted key is not base64", ErrMalformed)
	}
	private, err := findKey(mandate.PublicKeyID, keys)
	if err != nil {
		return nil, err
	}
	// Decryption with the wrong hash fails, because OAEP authenticates it.
	for _, h := range []func() hash.Hash{sha1.New, sha256.New} {
		key, err := rsa.DecryptOAEP(h(), rand.Reader, private, wrapped, nil)
		if err == nil && len(key) == 32 {
			return key, nil
		}
	}
	return nil, ErrDecrypt
}

// protectedHeader returns the header of a JWE in compact or flattened form, and whether the value
// looks like one.
func protectedHeader(text string) (string, bool) {
	if strings.HasPrefix(text, "{") {
		var flattened struct {
			Protected string `json:"protected"`
		}
		_ = json.Unmarshal([]byte(text), &flattened)
		return flattened.Protected, true
	}
	parts := strings.Split(text, ".")
	return parts[0], len(parts) == 5
}

// usesKey reports whether a JWE is encrypted directly with a shared key, not with a public key.
func usesKey(protected string) bool {
	raw, _ := base64.RawURLEncoding.DecodeString(protected)
	var header struct {
		Algorithm jose.KeyAlgorithm `json:"alg"`
	}
	_ = json.Unmarshal(raw, &header)
	return header.Algorithm == jose.DIRECT
}

// decodeBase64 reads base64 in any of its common forms.
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "").Replace(text)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}
