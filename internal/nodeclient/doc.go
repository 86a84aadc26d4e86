// Package nodeclient tests the sandbox with GoCardless's own client for Node.js: the sandbox must
// accept the client's requests, and the client must understand the replies.
package nodeclient
