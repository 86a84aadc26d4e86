package bank

import (
	"regexp"
	"slices"
	"strings"
)

// Check digits of account numbers, where the rules are public.

// ibanLengths holds the length of an IBAN in each country of SEPA.
var ibanLengths = map[string]int{
	"AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27,
	"GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27,
	"MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}

var ibanForm = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]+$`)

// validIBAN checks length and check digits (ISO 7064, modulo 97).
func validIBAN(s string) bool {
	if !ibanForm.MatchString(s) || ibanLengths[s[:2]] != len(s) {
		return false
	}
	rest := 0
	for _, c := range s[4:] + s[:4] {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// validRouting checks the check digit of a US routing number (ABA).
func validRouting(s string) bool {
	sum := 0
	for i, w := range []int{3, 7, 1, 3, 7, 1, 3, 7, 1} {
		sum += w * int(s[i]-'0')
	}
	return sum%10 == 0 && sum > 0
}

// validSwedishAccount checks the only kind of account whose rule follows from the clearing number: one
// with a 5xxx clearing number. It has up to seven digits, and a modulus of 11 over the last three
// digits of the clearing number and the account number.
func validSwedishAccount(clearing, account string) bool {
	if clearing[0] != '5' {
		return true
	}
	if len(account) > 7 {
		return false
	}
	s := clearing[1:4] + strings.Repeat("0", 7-len(account)) + account
	sum := 0
	for i := range 10 {
		sum += (10 - i) * int(s[i]-'0')
	}
	return sum%11 == 0
}

// validNZ checks the modulus of the banks that weight branch and account number. From account number
// 0990000 on, the branch has no weight. The rules of other banks are not checked.
func validNZ(bank, branch, account string) bool {
	if slices.Contains([]string{"08", "09", "25", "26", "28", "29", "31", "33", "38"}, bank) {
		return true
	}
	digits := branch + "0" + account
	weights := []int{6, 3, 7, 9, 0, 0, 10, 5, 8, 4, 2, 1}
	if account >= "0990000" {
		weights = []int{0, 0, 0, 0, 0, 0, 10, 5, 8, 4, 2, 1}
	}
	sum := 0
	for i, w := range weights {
		sum += w * int(digits[i]-'0')
	}
	return sum%11 == 0
}
