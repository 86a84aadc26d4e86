package jwe

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/gocardless-community/gocardless-go/gocardless"
)

// vectors were encrypted by another implementation; see testdata/make-vectors.mjs.
type vectors struct {
	Plaintext      string                                   `json:"plaintext"`
	SwiftPlaintext string                                   `json:"swift_plaintext"`
	Keys           map[string]string                        `json:"keys"`
	JWK            map[string]string                        `json:"jwk"`
	JWE            map[string]*gocardless.BankAccountDetail `json:"jwe"`
	WithoutKeyID   *gocardless.BankAccountDetail            `json:"without_kid"`
	OtherKeyID     *gocardless.BankAccountDetail            `json:"other_kid"`
	NotJSON        *gocardless.BankAccountDetail            `json:"not_json"`
	Refused        map[string]*gocardless.BankAccountDetail `json:"refused"`
	Transferred    map[string]*gocardless.TransferredMandate
}

func load(t testing.TB) (v vectors, key1, key2 Key) {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if key1, err = ParseKey("key-1", []byte(v.Keys["key-1"])); err != nil {
		t.Fatal(err)
	}
	if key2, err = ParseKey("key-2", []byte(v.Keys["key-2"])); err != nil {
		t.Fatal(err)
	}
	return v, key1, key2
}

func TestDecryptBankAccountDetail(t *testing.T) {
	v, key1, key2 := load(t)
	if len(v.JWE) != 8 {
		t.Fatalf("%d vectors", len(v.JWE))
	}
	for name, detail := range v.JWE {
		t.Run(name, func(t *testing.T) {
			got, err := DecryptBankAccountDetail(detail, key2, key1)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.JSON) != v.Plaintext || got.AccountHolderName != "Zoë Ünal" || got.IBAN != "GB60BARC20000055779911" ||
				got.BranchCode != "200000" || got.AccountNumber != "55779911" || got.BankCode != "" || got.CountryCode != "GB" {
				t.Errorf("details = %s", got.JSON)
			}
			// The right id on the wrong key.
			wrong := Key{ID: "key-1", Private: key2.Private}
			if d, err := DecryptBankAccountDetail(detail, wrong); !errors.Is(err, ErrDecrypt) || d != nil {
				t.Errorf("wrong key: %v", err)
			}
			if d, err := DecryptBankAccountDetail(detail, key2); !errors.Is(err, ErrNoKey) || d != nil {
				t.Errorf("another key: %v", err)
			}
			if d, err := DecryptBankAccountDetail(detail); !errors.Is(err, ErrNoKey) || d != nil {
				t.Errorf("no key: %v", err)
			}
		})
	}
}

func TestKeyID(t *testing.T) {
	v, key1, key2 := load(t)
	if _, err := DecryptBankAccountDetail(v.WithoutKeyID, key1); err != nil {
		t.Errorf("no id, one key: %v", err)
	}
	if _, err := DecryptBankAccountDetail(v.WithoutKeyID, key1, key2); !errors.Is(err, ErrNoKey) {
		t.Errorf("no id, two keys: %v", err)
	}
	if _, err := DecryptBankAccountDetail(v.OtherKeyID, key1); !errors.Is(err, ErrNoKey) {
		t.Errorf("another id: %v", err)
	}
	for name, k := range map[string]Key{"nil": {ID: "key-1"}, "no id": {Private: key1.Private}} {
		if _, err := DecryptBankAccountDetail(v.WithoutKeyID, k); err == nil || errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every part is authenticated: a change of any character is an error.
func TestTampered(t *testing.T) {
	v, key1, _ := load(t)
	for _, name := range []string{"RSA-OAEP A256GCM", "RSA-OAEP-256 A256CBC-HS512"} {
		good := v.JWE[name]
		for part, edit := range map[string]func(*gocardless.BankAccountDetail) *string{
			"protected":     func(d *gocardless.BankAccountDetail) *string { return &d.Protected },
			"encrypted_key": func(d *gocardless.BankAccountDetail) *string { return &d.EncryptedKey },
			"iv":            func(d *gocardless.BankAccountDetail) *string { return &d.Iv },
			"ciphertext":    func(d *gocardless.BankAccountDetail) *string { return &d.Ciphertext },
			"tag":           func(d *gocardless.BankAccountDetail) *string { return &d.Tag },
		} {
			changes := map[string]string{"missing": "", "garbage": "!", "truncated": ""}
			copied := *good
			field := edit(&copied)
			original := *field
			changes["truncated"] = original[:len(original)/2]
			changes["doubled"] = original + original
			for i := 0; i < len(original)-1; i += 17 { // some bits of the last character are unused
				c := byte('A')
				if original[i] == c {
					c = 'B'
				}
				changes[fmt.Sprint("character ", i)] = original[:i] + string(c) + original[i+1:]
			}
			for what, value := range changes {
				*field = value
				if d, err := DecryptBankAccountDetail(&copied, key1); err == nil || d != nil {
					t.Errorf("%s: %s of %s is not noticed", name, what, part)
				} else if !errors.Is(err, ErrDecrypt) && !errors.Is(err, ErrMalformed) && part != "protected" {
					t.Errorf("%s: %s of %s: %v", name, what, part, err)
				}
			}
		}
	}
	// A header that describes the same content differently.
	copied := *v.JWE["RSA-OAEP A256GCM"]
	copied.Protected = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"key-1","x":1}`))
	if _, err := DecryptBankAccountDetail(&copied, key1); !errors.Is(err, ErrDecrypt) {
		t.Errorf("another header: %v", err)
	}
}

func TestRefused(t *testing.T) {
	v, key1, _ := load(t)
	for name, detail := range v.Refused {
		if detail.EncryptedKey == "" {
			detail.EncryptedKey = "AAAA" // a JWE with "dir" has none, so it would count as incomplete
		}
		if _, err := DecryptBankAccountDetail(detail, key1); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v, want ErrAlgorithm", name, err)
		}
	}
	for _, header := range []string{`{"alg":"RSA1_5","enc":"A256GCM","kid":"key-1"}`, `{"alg":"none","enc":"A256GCM"}`, `{}`, `{"alg":"RSA-OAEP","enc":"none"}`} {
		detail := *v.JWE["RSA-OAEP A256GCM"]
		detail.Protected = base64.RawURLEncoding.EncodeToString([]byte(header))
		if _, err := DecryptBankAccountDetail(&detail, key1); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v, want ErrAlgorithm", header, err)
		}
	}
	compressing, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP, Key: &key1.Private.PublicKey, KeyID: "key-1"},
		&jose.EncrypterOptions{Compression: jose.DEFLATE})
	if err != nil {
		t.Fatal(err)
	}
	object, err := compressing.Encrypt(make([]byte, 1000))
	if err != nil {
		t.Fatal(err)
	}
	var detail gocardless.BankAccountDetail
	if err := json.Unmarshal([]byte(object.FullSerialize()), &detail); err != nil {
		t.Fatal(err)
	}
	if _, err := DecryptBankAccountDetail(&detail, key1); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("compressed: %v", err)
	}
	for name, detail := range map[string]*gocardless.BankAccountDetail{"nil": nil, "empty": {}, "not JSON": v.NotJSON} {
		d, err := DecryptBankAccountDetail(detail, key1)
		if !errors.Is(err, ErrMalformed) || d != nil || strings.Contains(err.Error(), "GB60") {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
}

func TestDecryptTransferredMandate(t *testing.T) {
	v, key1, key2 := load(t)
	if len(v.Transferred) != 5 {
		t.Fatalf("%d vectors", len(v.Transferred))
	}
	for name, mandate := range v.Transferred {
		t.Run(name, func(t *testing.T) {
			got, err := DecryptTransferredMandate(mandate, key2, key1)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.JSON) != v.SwiftPlaintext || got.AccountHolderName != "Zoë Ünal" || got.IBAN != "GB60BARC20000055779911" ||
				got.BankCode != "BARC" || got.BranchCode != "200000" || got.AccountNumber != "55779911" {
				t.Errorf("details = %s", got.JSON)
			}
			if key, err := TransferredMandateKey(mandate, key1); err != nil || len(key) != 32 {
				t.Errorf("key: %d bytes, %v", len(key), err)
			}
			if _, err := DecryptTransferredMandate(mandate, Key{ID: "key-1", Private: key2.Private}); !errors.Is(err, ErrDecrypt) {
				t.Errorf("wrong key: %v", err)
			}
			if _, err := DecryptTransferredMandate(mandate, key2); !errors.Is(err, ErrNoKey) {
				t.Errorf("another key: %v", err)
			}
			if _, err := DecryptTransferredMandate(mandate, Key{ID: "key-1"}); err == nil {
				t.Error("nil key accepted")
			}
			text := mandate.EncryptedCustomerBankDetails
			for i := 0; i < len(text)-2; i += 11 {
				c := byte('A')
				if text[i] == c {
					c = 'B'
				}
				changed := *mandate
				changed.EncryptedCustomerBankDetails = text[:i] + string(c) + text[i+1:]
				if d, err := DecryptTransferredMandate(&changed, key1); err == nil {
					t.Errorf("character %d of %d changed: %s", i, len(text), d.JSON)
				}
			}
		})
	}
	gcm := v.Transferred["GCM, OAEP with SHA-1, base64"]
	for name, spoil := range map[string]func(*gocardless.TransferredMandate){
		"no details":     func(m *gocardless.TransferredMandate) { m.EncryptedCustomerBankDetails = "" },
		"no key":         func(m *gocardless.TransferredMandate) { m.EncryptedDecryptionKey = "" },
		"not base64":     func(m *gocardless.TransferredMandate) { m.EncryptedCustomerBankDetails = "?" },
		"too short":      func(m *gocardless.TransferredMandate) { m.EncryptedCustomerBankDetails = "AAAA" },
		"key not base64": func(m *gocardless.TransferredMandate) { m.EncryptedDecryptionKey = "?" },
		"empty object":   func(m *gocardless.TransferredMandate) { m.EncryptedCustomerBankDetails = "{}" },
	} {
		changed := *gcm
		spoil(&changed)
		if _, err := DecryptTransferredMandate(&changed, key1); !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := DecryptTransferredMandate(nil, key1); !errors.Is(err, ErrMalformed) {
		t.Errorf("nil: %v", err)
	}
	// A key of another length is not an AES-256 key.
	short := *gcm
	short.EncryptedDecryptionKey = v.JWE["RSA-OAEP A128GCM"].EncryptedKey
	if _, err := DecryptTransferredMandate(&short, key1); !errors.Is(err, ErrDecrypt) {
		t.Errorf("AES-128: %v", err)
	}
}

func TestParseKey(t *testing.T) {
	v, key1, _ := load(t)
	again, err := ParseKey("key-1", []byte(v.Keys["key-1 PKCS#1"]))
	if err != nil || !again.Private.Equal(key1.Private) {
		t.Errorf("PKCS #1: %v", err)
	}
	for _, name := range []string{"weak", "public", "EC", "encrypted"} {
		if _, err := ParseKey("x", []byte(v.Keys[name])); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, text := range map[string]string{"empty": "", "text": "hello", "broken": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"broken PKCS #1": "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"} {
		if _, err := ParseKey("x", []byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := ParseKey("", []byte(v.Keys["key-1"])); err == nil {
		t.Error("no id: accepted")
	}
}

func TestJWKS(t *testing.T) {
	v, key1, key2 := load(t)
	data, err := JWKS(key1, key2)
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(data, &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%s: %v", data, err)
	}
	want := map[string]string{"kty": "RSA", "n": v.JWK["n"], "e": v.JWK["e"], "kid": "key-1", "use": "enc", "alg": "RSA-OAEP"}
	if fmt.Sprint(set.Keys[0]) != fmt.Sprint(want) {
		t.Errorf("key = %v, want %v", set.Keys[0], want)
	}
	if _, err := JWKS(Key{ID: "x"}); err == nil {
		t.Error("nil key accepted")
	}
	if data, err := JWKS(); err != nil || !strings.Contains(string(data), `"keys": []`) {
		t.Errorf("no keys: %s, %v", data, err)
	}
}

func TestNothingIsPrinted(t *testing.T) {
	v, key1, _ := load(t)
	details, err := DecryptBankAccountDetail(v.JWE["RSA-OAEP A256GCM"], key1)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "details", details, "value", *details, "key", key1)
	for _, value := range []any{details, *details, key1, &key1} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", value, value, value, value)
	}
	for _, secret := range []string{"GB60", "Zo", "5577", key1.Private.D.String()[:10]} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("printed: %s", secret)
		}
	}
}

func FuzzDecryptBankAccountDetail(f *testing.F) {
	v, key1, _ := load(f)
	for _, d := range v.JWE {
		f.Add(d.Protected, d.EncryptedKey, d.Iv, d.Ciphertext, d.Tag)
	}
	f.Fuzz(func(t *testing.T, protected, encryptedKey, iv, ciphertext, tag string) {
		d, err := DecryptBankAccountDetail(&gocardless.BankAccountDetail{
			Protected: protected, EncryptedKey: encryptedKey, Iv: iv, Ciphertext: ciphertext, Tag: tag,
		}, key1)
		if (d == nil) != (err != nil) {
			t.Fatalf("%v, %v", d, err)
		}
		if d != nil && string(d.JSON) != v.Plaintext {
			t.Fatalf("forged: %s", d.JSON)
		}
	})
}
