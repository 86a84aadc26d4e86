// Package bulksqltest tests the journals of billing runs, those in databases among
// them. It is a module of its own, so that the drivers are not among what the SDK
// requires.
//
// PostgreSQL is the one that the variable GOCARDLESS_TEST_POSTGRES names; without it
// those tests are skipped. From the top of the repository:
//
//	scripts/postgres.sh run go -C gocardless/bulk/bulksqltest test ./...
package bulksqltest
