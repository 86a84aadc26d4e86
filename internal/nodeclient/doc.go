// Package nodeclient tests the sandbox with GoCardless's own client for Node.js: what that client
// sends must be understood, and what it gets must be what it expects.
package nodeclient
