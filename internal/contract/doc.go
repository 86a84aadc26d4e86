// Package contract holds the contract tests of the SDK: for each generated method, the whole
// request that it has to make and the reply that it has to read. They live apart from the SDK so
// that what they import does not reach the go.sum of the SDK's users.
package contract
