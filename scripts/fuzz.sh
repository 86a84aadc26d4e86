#!/usr/bin/env bash
# fuzz.sh [DURATION] [PATTERN]: runs every fuzz target of the module whose name matches
# the pattern for the given time each (default: 1m, all of them), one after the other.
# Go fuzzes one target of one package at a time, so the targets are listed first.
set -euo pipefail
cd "$(dirname "$0")/.."
duration=${1:-1m}
pattern=${2:-.}
failed=0
while read -r dir; do
	package=./${dir#"$PWD"/}
	# The test binary is built only where a target exists.
	grep -lq '^func Fuzz' "$dir"/*_test.go 2>/dev/null || continue
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' | grep -E "$pattern" || true); do
		echo "== $package $target for $duration"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" -fuzzminimizetime 2s "$package" || failed=1
	done
done < <(go list -f '{{.Dir}}' ./...)
exit $failed
