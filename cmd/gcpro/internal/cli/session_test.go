package cli

import "testing"

// Hosts on this machine are those for which the SDK allows plain HTTP, on any port.
func TestIsLoopback(t *testing.T) {
	for base, want := range map[string]bool{
		"http://127.0.0.1:0": true, "http://[::1]:8080": true, "https://localhost:9/x": true, "http://api.localhost": true,
		"http://10.0.0.1": false, "http://0.0.0.0:80": false, "https://api.gocardless.com": false, "http://:8080": false, "": false, "http://[": false,
	} {
		if got := isLoopback(base); got != want {
			t.Errorf("%q: got %v, want %v", base, got, want)
		}
	}
}
