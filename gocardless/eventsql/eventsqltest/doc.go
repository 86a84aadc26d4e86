// Package eventsqltest tests eventsql with real databases. It is a module of its own, so that
// the drivers are not among what the SDK requires.
//
// PostgreSQL is the one that the variable GOCARDLESS_TEST_POSTGRES names; without it those
// tests are skipped. From the top of the repository:
//
//	scripts/postgres.sh run go -C gocardless/eventsql/eventsqltest test ./...
package eventsqltest
