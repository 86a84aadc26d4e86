package jwe

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/leaktest"
)

func TestValuesDoNotPrintSecrets(t *testing.T) {
	const iban = "GB33BUKB20201555555555"
	leaktest.Check(t, BankDetails{IBAN: iban, AccountNumber: "55555555", AccountHolderName: "Jane", JSON: json.RawMessage(`{"iban":"` + iban + `"}`)},
		iban, "55555555", "Jane")
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	leaktest.Check(t, Key{ID: "k", Private: private}, private.D.String(), private.Primes[0].String())
}
