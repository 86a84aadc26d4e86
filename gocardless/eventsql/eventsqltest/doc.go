// Package eventsqltest tests eventsql with real databases. It is a module of its own to keep the
// drivers out of the SDK's go.mod.
//
// The variable GOCARDLESS_TEST_POSTGRES names the PostgreSQL server; without it, the tests that
// need one are skipped. From the top of the repository:
//
//	scripts/postgres.sh run go -C gocardless/eventsql/eventsqltest test ./...
package eventsqltest
