#!/usr/bin/env bash
# A PostgreSQL for the tests, on the loopback interface, gone afterwards.
#
#   scripts/postgres.sh run COMMAND...   start one, run COMMAND with its address in
#                                        GOCARDLESS_TEST_POSTGRES, stop it; the status is COMMAND's
#   scripts/postgres.sh start            start one and leave it running; prints its address
#   scripts/postgres.sh stop             stop the one that start left running
#
# A server that GOCARDLESS_TEST_POSTGRES names already is used as it is. Where PostgreSQL is
# missing it is installed from Debian's packages, if that is possible; if not, "run" prints that and
# runs COMMAND without, whose tests then skip what needs it. PostgreSQL refuses to run as root, so
# root hands it to the user that the package made, or to "nobody".
set -euo pipefail

state=${TMPDIR:-/tmp}/gocardless-test-postgres.$(id -u)

say() { echo "postgres.sh: $*" >&2; }

# as_owner runs a command as a user who may run PostgreSQL.
as_owner() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	elif command -v runuser >/dev/null; then
		runuser -u "$owner" -- "$@"
	else
		setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups "$@"
	fi
}

# binaries prints the directory of initdb and postgres.
binaries() {
	local dir
	for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -rn) $(dirname "$(command -v initdb 2>/dev/null || echo /)"); do
		if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
			echo "$dir"
			return 0
		fi
	done
	return 1
}

install_it() {
	command -v apt-get >/dev/null || { say "no PostgreSQL here, and no apt-get to install it with"; return 1; }
	[ "$(id -u)" -eq 0 ] || { say "no PostgreSQL here, and only root can install it"; return 1; }
	say "installing PostgreSQL"
	local log
	log=$(mktemp)
	if ! { DEBIAN_FRONTEND=noninteractive apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql; } >"$log" 2>&1; then
		say "apt-get could not install postgresql:"
		tail -5 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

# start_in starts a server with its files in the directory $1 and prints its address.
start_in() {
	local dir=$1 bin port try
	bin=$(binaries) || { install_it && bin=$(binaries); } || return 1
	owner=$(id -un)
	if [ "$(id -u)" -eq 0 ]; then
		owner=nobody
		if id postgres >/dev/null 2>&1; then owner=postgres; fi
	fi
	mkdir -p "$dir"
	chown "$owner" "$dir"
	chmod 700 "$dir"
	echo "$owner" >"$dir/owner"
	cd "$dir"
	as_owner "$bin/initdb" -D "$dir/data" -U gocardless --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 ||
		{ say "initdb failed:"; tail -5 "$dir/initdb.log" >&2; return 1; }
	for try in 1 2 3 4 5; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		# Nothing here has to survive a crash of the machine.
		if as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 30 -o "-h 127.0.0.1 -p $port -k '$dir' -c fsync=off -c max_connections=100" start >/dev/null 2>&1; then
			echo "postgres://gocardless@127.0.0.1:$port/postgres?sslmode=disable" >"$dir/address"
			cat "$dir/address"
			return 0
		fi
	done
	say "the server does not start:"
	tail -5 "$dir/server.log" >&2
	return 1
}

stop_in() {
	local dir=$1 bin
	[ -d "$dir/data" ] || { rm -rf "$dir"; return 0; }
	bin=$(binaries) || return 0
	owner=$(cat "$dir/owner")
	(cd "$dir" && as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1) || true
	rm -rf "$dir"
}

alive() { [ -f "$1/address" ] && [ -f "$1/data/postmaster.pid" ] && kill -0 "$(head -1 "$1/data/postmaster.pid")" 2>/dev/null; }

case ${1:-} in
run)
	shift
	if [ -z "${GOCARDLESS_TEST_POSTGRES:-}" ]; then
		dir=$(mktemp -d "${TMPDIR:-/tmp}/gocardless-postgres.XXXXXX")
		trap 'stop_in "$dir"' EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM
		if GOCARDLESS_TEST_POSTGRES=$(start_in "$dir"); then
			export GOCARDLESS_TEST_POSTGRES
		else
			say "no PostgreSQL: the tests that need it are skipped"
			unset GOCARDLESS_TEST_POSTGRES
		fi
	fi
	status=0
	"$@" || status=$?
	exit "$status"
	;;
start)
	if alive "$state"; then
		cat "$state/address"
		exit 0
	fi
	stop_in "$state"
	start_in "$state" || { stop_in "$state"; exit 1; }
	;;
stop)
	stop_in "$state"
	;;
*)
	sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
