#!/usr/bin/env bash
# Prints the path of a Chromium for the tests of the sandbox's pages. Where there is none it is
# installed from Debian's packages, if that is possible; if not, this prints why and fails, and the
# tests skip. CHROMIUM names one that is somewhere else.
set -euo pipefail

say() { echo "chromium.sh: $*" >&2; }

find_it() {
	local name
	for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome; do
		command -v "$name" && return 0
	done
	return 1
}

find_it && exit 0
command -v apt-get >/dev/null || { say "no Chromium here, and no apt-get to install it with"; exit 1; }
[ "$(id -u)" -eq 0 ] || { say "no Chromium here, and only root can install it"; exit 1; }
say "installing Chromium"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1; then
	say "apt-get could not install chromium:"
	tail -5 "$log" >&2
	exit 1
fi
find_it
