#!/usr/bin/env bash
# Takes the pictures of the README and docs/sandbox.md: the demo in a terminal, and the hosted page and
# the dashboard of the sandbox.
#
#   scripts/pictures.sh        writes docs/images/*.png
set -euo pipefail
cd "$(dirname "$0")/.."
browser=$(scripts/chromium.sh)
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT

# shoot takes a picture of a page: URL, file, width, height.
shoot() {
	"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1.5 \
		--user-data-dir="$dir/profile" --window-size="$3,$4" --screenshot="$PWD/$2" "$1" 2>/dev/null
}

# The demo, from the hosted page on.
{
	cat <<'HTML'
<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; background: #1b1f27; color: #d5dae3; font: 13px/1.45 "DejaVu Sans Mono", monospace; padding: 18px 22px }
pre { margin: 0; font: inherit; overflow: hidden; width: 970px } b { color: #7fd1a7 }
</style><pre><b>$</b> make demo
HTML
	GOWORK=off go run ./internal/demo/cmd | sed -n '/^A mandate through/,$p' |
		sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/^\([A-Z].*\)$/<b>\1<\/b>/'
	echo '</pre>'
} >"$dir/demo.html"
shoot "file://$dir/demo.html" docs/images/demo.png 1010 830

# The hosted page, as the sandbox serves it.
(cd cmd/gcpro && go build -o "$dir/gcpro" .)
"$dir/gcpro" sandbox --addr 127.0.0.1:0 >"$dir/log" 2>&1 &
server=$!
until url=$(grep -o 'http://127[^ ]*' "$dir/log" | head -1) && [ -n "$url" ]; do sleep 0.1; done
api() {
	curl -sf "$url$1" -H 'Authorization: Bearer any' -H 'GoCardless-Version: 2015-07-06' -H 'Content-Type: application/json' -d "$2"
}
request=$(api /billing_requests '{"billing_requests":{"mandate_request":{"scheme":"bacs","description":"Club membership"}}}' | grep -o 'BRQ[0-9A-Z]*' | head -1)
page=$(api /billing_request_flows "{\"billing_request_flows\":{\"prefilled_customer\":{\"given_name\":\"Ada\",\"family_name\":\"Lovelace\"},\"redirect_uri\":\"https://shop.example.com/welcome\",\"links\":{\"billing_request\":\"$request\"}}}" |
	grep -o '"authorisation_url":"[^"]*"' | cut -d'"' -f4)
shoot "$page" docs/images/hosted-page.png 420 690

# The dashboard, as the test of its layout sees it.
CHROMIUM=$browser GOCARDLESS_SCREENSHOTS=$dir go test -count=1 -run '^TestDashboardFits$' ./internal/browsertest
cp "$dir/dashboard-overview-wide-light.png" docs/images/dashboard.png
cp "$dir/dashboard-webhooks-wide-light.png" docs/images/dashboard-webhooks.png
cp "$dir/dashboard-mandate-phone-dark.png" docs/images/dashboard-phone.png
