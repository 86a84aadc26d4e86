package jwe_test

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/jwe"
)

func ExampleDecryptBankAccountDetail() {
	text, detail, err := example()
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := jwe.ParseKey("key-1", text) // of the file with your private key
	if err != nil {
		fmt.Println(err)
		return
	}
	// detail, err := client.BankAccountDetails.Get(ctx, "BA000123", gocardless.BankAccountDetailGetParams{GcKeyID: key.ID})
	details, err := jwe.DecryptBankAccountDetail(detail, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(details.BranchCode, details.AccountNumber)
	fmt.Println(details)
	// Output:
	// 200000 55779911
	// jwe.BankDetails{redacted}
}

// example returns a key and a reply of the API that is encrypted with it.
func example() (key []byte, detail *gocardless.BankAccountDetail, err error) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		return nil, nil, err
	}
	var file struct {
		Keys map[string]string                        `json:"keys"`
		JWE  map[string]*gocardless.BankAccountDetail `json:"jwe"`
	}
	err = json.Unmarshal(data, &file)
	return []byte(file.Keys["key-1"]), file.JWE["RSA-OAEP A256GCM"], err
}
