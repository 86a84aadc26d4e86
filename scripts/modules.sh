#!/usr/bin/env bash
# Does the same for every module that go.work names besides the root.
#
#   scripts/modules.sh list               their directories
#   scripts/modules.sh packages           their packages
#   scripts/modules.sh run COMMAND...     runs COMMAND in each; fails at the first that fails
#   scripts/modules.sh tidy               tidies go.mod and go.sum of each
#   scripts/modules.sh tidy-check         fails if one is not tidy
#   scripts/modules.sh tags VERSION       the tags by which go install and go get find a version of those
#                                         that users install: not of examples and tests
#
# go mod tidy ignores go.work, and would ask for a version of the root module that may not be
# published yet. So it works on a copy of go.mod that replaces the modules of this repository.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
GO=${GO:-go}

# modules prints path and directory of every module of the workspace.
modules() { "$GO" list -m -f '{{.Path}} {{.Dir}}'; }

others() { modules | awk -v root="$root" '$2 != root { print $2 }'; }

# tidied writes go.mod and go.sum of the module in $1, tidied, to the directory $2.
tidied() {
	cp "$1/go.mod" "$2/go.mod"
	: >"$2/go.sum"
	[ ! -f "$1/go.sum" ] || cp "$1/go.sum" "$2/go.sum"
	local path dir replaced=()
	while read -r path dir; do
		[ "$dir" = "$1" ] && continue
		"$GO" mod edit -replace="$path=$dir" "$2/go.mod"
		replaced+=("$path")
	done < <(modules)
	(cd "$1" && GOWORK=off "$GO" mod tidy -modfile="$2/go.mod")
	for path in "${replaced[@]}"; do
		"$GO" mod edit -dropreplace="$path" "$2/go.mod"
	done
}

case ${1:-} in
list) others ;;
packages) others | sed 's|$|/...|' | xargs "$GO" list ;;
run)
	shift
	for dir in $(others); do
		echo "== ${dir#"$root"/}" >&2
		(cd "$dir" && "$@")
	done
	;;
tidy | tidy-check)
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	for dir in $(others); do
		tidied "$dir" "$copy"
		if [ "$1" = tidy ]; then
			cp "$copy/go.mod" "$copy/go.sum" "$dir/"
		else
			diff -u "$dir/go.mod" "$copy/go.mod" && diff -u "$dir/go.sum" "$copy/go.sum" ||
				{ echo "modules.sh: ${dir#"$root"/} is not tidy; run scripts/modules.sh tidy" >&2; exit 1; }
		fi
	done
	;;
tags)
	others | sed "s|^$root/||" | grep -v -e '^examples/' -e 'test$' | sed "s|\$|/${2:?tags needs a version, such as v1.2.3}|"
	;;
*)
	sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
