package jwe_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"testing"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
	"github.com/gocardless-community/gocardless-go/gocardless/jwe"
)

// Details that the sandbox encrypts, with only the standard library, can be decrypted.
func TestSandboxReplies(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := jwe.Key{ID: "key-1", Private: private}
	sandbox := gocardlesstest.New(gocardlesstest.WithEncryptionKey("key-1", &private.PublicKey))
	client := sandbox.Client()
	ctx := t.Context()
	customer, err := client.Customers.Create(ctx, gocardless.CustomerCreateParams{
		GivenName: new("Ada"), FamilyName: new("Byron"), Email: new("ada@example.com"), CountryCode: new("GB"),
	})
	if err != nil {
		t.Fatal(err)
	}
	account, err := client.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Ada Byron"), BranchCode: new("20-00-00"), AccountNumber: new("55779911"), CountryCode: new("GB"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: customer.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := client.BankAccountDetails.Get(ctx, account.ID, gocardless.BankAccountDetailGetParams{GcKeyID: "key-1"})
	if err != nil {
		t.Fatal(err)
	}
	details, err := jwe.DecryptBankAccountDetail(sealed, key)
	if err != nil {
		t.Fatal(err)
	}
	if details.BranchCode != "200000" || details.AccountNumber != "55779911" || details.AccountHolderName != "ADA BYRON" {
		t.Errorf("details of the account: %s", details.JSON)
	}
	_, err = client.BankAccountDetails.Get(ctx, account.ID, gocardless.BankAccountDetailGetParams{GcKeyID: "key-2"})
	if apiErr, ok := errors.AsType[*gocardless.Error](err); !ok || apiErr.StatusCode != 400 {
		t.Errorf("with an unknown key: %v", err)
	}

	mandate, err := client.Mandates.Create(ctx, gocardless.MandateCreateParams{Links: gocardless.MandateCreateParamsLinks{CustomerBankAccount: account.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.TransferredMandates.Get(ctx, mandate.ID); !errors.Is(err, gocardless.ErrNotFound) {
		t.Errorf("before the transfer: %v", err)
	}
	_, err = client.ScenarioSimulators.Run(ctx, "mandate_transferred", gocardless.ScenarioSimulatorRunParams{
		Links: &gocardless.ScenarioSimulatorRunParamsLinks{Resource: mandate.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	moved, err := client.TransferredMandates.Get(ctx, mandate.ID)
	if err != nil {
		t.Fatal(err)
	}
	if details, err = jwe.DecryptTransferredMandate(moved, key); err != nil {
		t.Fatal(err)
	}
	if details.AccountNumber != "55666666" || details.BranchCode != "200000" {
		t.Errorf("details after the transfer: %s", details.JSON)
	}
}
