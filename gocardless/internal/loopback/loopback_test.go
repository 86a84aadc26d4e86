package loopback

import "testing"

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "localhost.": true, "api.localhost": true, "a.b.localhost": true,
		"127.0.0.1": true, "127.8.8.8": true, "::1": true,
		"": false, "localhost.example.com": false, "notlocalhost": false, "127.0.0.1.example.com": false,
		"10.0.0.1": false, "0.0.0.0": false, "::": false, "sandbox": false, "host.docker.internal": false,
	} {
		if got := Host(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
