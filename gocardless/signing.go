package gocardless

import "net/http"

// requestSigner adds the headers of a signature to a request.
type requestSigner interface {
	sign(req *http.Request, body []byte) error
}
