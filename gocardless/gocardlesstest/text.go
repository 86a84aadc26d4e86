package gocardlesstest

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// holderCheckTime is how long a check of an account's holder takes.
const holderCheckTime = time.Second

// holderMatch is the result of asking a bank whether an account belongs to a name.
func holderMatch(holder string) (match string, actual any) {
	switch n := strings.ToLower(holder); {
	case strings.Contains(n, "partial"):
		return "partial_match", titleCase(strings.ToLower(holder)) + " Jr"
	case strings.Contains(n, "nobody"):
		return "no_match", nil
	case strings.Contains(n, "unable"):
		return "unable_to_match", nil
	}
	return "full_match", nil
}

func urlBase64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sealed is text that looks like n encrypted bytes, the same for the same seed.
func sealed(seed uint64, n int) string {
	b := make([]byte, 0, n+8)
	for i := uint64(0); len(b) < n; i++ {
		b = binary.BigEndian.AppendUint64(b, mix(seed^mix(i)))
	}
	return urlBase64(b[:n])
}
