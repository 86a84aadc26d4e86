#!/usr/bin/env bash
# Writes the man pages and completions of gcpro to build/share, for the archives and packages of a
# release. The pages have the date of the commit, so that the same commit gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
share=$PWD/build/share
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
rm -rf "$share"
mkdir -p "$share/completions"
(cd cmd/gcpro && "${GO:-go}" build -o "$share/gcpro" .)
"$share/gcpro" man "$share/man"
"$share/gcpro" completion bash >"$share/completions/gcpro.bash"
"$share/gcpro" completion zsh >"$share/completions/_gcpro"
"$share/gcpro" completion fish >"$share/completions/gcpro.fish"
"$share/gcpro" completion powershell >"$share/completions/gcpro.ps1"
rm "$share/gcpro"
