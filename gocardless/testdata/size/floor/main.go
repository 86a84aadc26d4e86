// Command floor makes one call of the API with net/http and encoding/json by hand. Its size is
// what the program sdk is compared with.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

func main() {
	req, err := http.NewRequest("GET", "https://api.gocardless.com/payments/"+url.PathEscape(os.Args[1]), nil)
	if err != nil {
		fail(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("GOCARDLESS_ACCESS_TOKEN"))
	req.Header.Set("GoCardless-Version", "2015-07-06")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fail(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var reply struct {
		Payments struct {
			ID     string `json:"id"`
			Amount int    `json:"amount"`
			Status string `json:"status"`
		} `json:"payments"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		fail(err)
	}
	fmt.Println(reply.Payments.ID, reply.Payments.Amount, reply.Payments.Status)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
