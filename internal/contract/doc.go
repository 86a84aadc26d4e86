// Package contract contains the contract tests of the SDK: for each generated method, the whole request
// that it must send and the reply that it must read. It is separate from the SDK, so that its
// dependencies are not in the go.sum of the SDK's users.
package contract
