#!/usr/bin/env bash
# A Redis for the tests, on the loopback interface, gone afterwards.
#
#   scripts/redis.sh run COMMAND...   start one, run COMMAND with its address in
#                                     GOCARDLESS_TEST_REDIS and the path of the program in
#                                     GOCARDLESS_TEST_REDIS_SERVER, stop it; the status is COMMAND's
#   scripts/redis.sh path             print the path of the program, installing it if need be
#
# A server that GOCARDLESS_TEST_REDIS names already is used as it is. Where Redis is missing it is
# installed from Debian's packages, if that is possible; if not, "run" prints that and runs COMMAND
# without, whose tests then skip what needs it. Nothing is written to the disk.
set -euo pipefail

say() { echo "redis.sh: $*" >&2; }

program() {
	command -v redis-server && return 0
	command -v apt-get >/dev/null || { say "no Redis here, and no apt-get to install it with"; return 1; }
	[ "$(id -u)" -eq 0 ] || { say "no Redis here, and only root can install it"; return 1; }
	say "installing Redis"
	local log
	log=$(mktemp)
	# The package would start a server of its own; RUNLEVEL=1 keeps it from that.
	if ! { RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server; } >"$log" 2>&1; then
		say "apt-get could not install redis-server:"
		tail -5 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
	command -v redis-server
}

# start_in starts a server with its files in the directory $1 and prints its address.
start_in() {
	local dir=$1 server port wait
	server=$(program) || return 1
	for _ in 1 2 3 4 5; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		"$server" --bind 127.0.0.1 --port "$port" --save "" --appendonly no --dir "$dir" >"$dir/log" 2>&1 &
		echo $! >"$dir/pid"
		for wait in $(seq 100); do
			if grep -q "Ready to accept connections" "$dir/log"; then
				echo "127.0.0.1:$port"
				return 0
			fi
			kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
			sleep 0.1
		done
		kill "$(cat "$dir/pid")" 2>/dev/null || true
	done
	say "the server does not start:"
	tail -5 "$dir/log" >&2
	return 1
}

stop_in() {
	[ ! -f "$1/pid" ] || kill "$(cat "$1/pid")" 2>/dev/null || true
	rm -rf "$1"
}

case ${1:-} in
run)
	shift
	if [ -z "${GOCARDLESS_TEST_REDIS:-}" ]; then
		dir=$(mktemp -d "${TMPDIR:-/tmp}/gocardless-redis.XXXXXX")
		trap 'stop_in "$dir"' EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM
		if start_in "$dir" >"$dir/address"; then
			GOCARDLESS_TEST_REDIS=$(cat "$dir/address")
			GOCARDLESS_TEST_REDIS_SERVER=$(program)
			export GOCARDLESS_TEST_REDIS GOCARDLESS_TEST_REDIS_SERVER
		else
			say "no Redis: the tests that need it are skipped"
		fi
	fi
	status=0
	"$@" || status=$?
	exit "$status"
	;;
path)
	program
	;;
*)
	sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
