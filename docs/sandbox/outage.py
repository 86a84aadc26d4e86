"""An outage test against the sandbox, with the standard library alone.

    python3 outage.py http://127.0.0.1:8080

It plays an app that collects a payment while the API breaks in three ways, and whose own
webhook handler fails once. In the end there must be one payment, and the app must know of it.
"""

import hashlib
import hmac
import json
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

BASE = sys.argv[1].rstrip("/")
SECRET = "webhook secret"


def send(method, path, body=None, headers=None):
    """Makes a request; returns its status and its body as JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, method=method, headers=headers or {})
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"{}")


def control(method, path, body=None):
    """Steers the sandbox; what it refuses is a mistake in this program."""
    status, reply = send(method, "/_sandbox/" + path, body)
    assert status == 200, (path, status, reply)
    return reply


def api(method, path, body=None, key=None):
    headers = {"Authorization": "Bearer any", "GoCardless-Version": "2015-07-06"}
    if key:
        headers["Idempotency-Key"] = key
    return send(method, path, body, headers)


# The app under test: it retries a create with the same key.

def create_payment(mandate, key):
    body = {"payments": {"amount": 1500, "currency": "GBP", "links": {"mandate": mandate}}}
    for _ in range(5):
        try:
            status, reply = api("POST", "/payments", body, key)
        except (urllib.error.URLError, ConnectionError, OSError):
            continue  # the connection broke: the payment may exist
        if status == 201:
            return reply["payments"]["id"]
        if status == 409:
            return reply["error"]["errors"][0]["links"]["conflicting_resource_id"]
    raise AssertionError("the payment could not be created")


class App(BaseHTTPRequestHandler):
    failures = 1
    seen = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, self.headers["Webhook-Signature"]):
            self.answer(498, "bad signature")
        elif App.failures > 0:
            App.failures -= 1
            self.answer(500, "the database is down")
        else:
            App.seen += [event["action"] for event in json.loads(body)["events"]]
            self.answer(204, "")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), App)
threading.Thread(target=server.serve_forever, daemon=True).start()

# The world: a payer with an active mandate, and the app as an endpoint for events of payments.
control("POST", "reset")
control("POST", "clock", {"frozen": True})
made = control("POST", "worlds", {"steps": [
    {"do": "customers.create", "as": "customer", "with": {"given_name": "Ada", "family_name": "Byron", "email": "ada@example.com"}},
    {"do": "customer_bank_accounts.create", "as": "account", "with": {
        "account_holder_name": "Ada Byron", "branch_code": "200000", "account_number": "55779911", "country_code": "GB",
        "links": {"customer": "$customer.id"}}},
    {"do": "mandates.create", "as": "mandate", "with": {"links": {"customer_bank_account": "$account.id"}}},
    {"do": "sandbox.activate", "id": "$mandate.id"},
]})["made"]
endpoint = control("POST", "webhook_endpoints", {
    "url": "http://127.0.0.1:%d/webhooks" % server.server_port, "secret": SECRET, "events": ["payments.*"]})["id"]

# The outage: two errors, and then a connection that breaks after the payment was made.
control("POST", "faults", {"operation": "payments.create", "status": 503, "times": 2})
control("POST", "faults", {"operation": "payments.create", "after": True, "drop": True})
payment = create_payment(made["mandate"]["id"], "order 4711")

# There is one payment, and every attempt had the same key.
_, reply = api("GET", "/payments?mandate=" + made["mandate"]["id"])
assert [p["id"] for p in reply["payments"]] == [payment], reply
attempts = [r for r in control("GET", "requests")["requests"] if r["operation"] == "payments.create"]
assert [r["status"] for r in attempts if not r["dropped"]] == [503, 503, 409], attempts
assert {r["idempotency_key"] for r in attempts} == {"order 4711"}, attempts

# A month goes by: the webhook that the app refused comes again, and the payment is paid out.
moved = control("POST", "clock", {"advance": "30d"})
assert moved["refused"] <= 1, moved
refused = [d for d in control("GET", "deliveries")["deliveries"] if not d["accepted"]]
assert [d["reply"] for d in refused] == ["the database is down"], refused
assert sorted(App.seen) == ["confirmed", "created", "paid_out", "submitted"], App.seen
_, reply = api("GET", "/payments/" + payment)
assert reply["payments"]["status"] == "paid_out", reply

control("DELETE", "webhook_endpoints/" + endpoint)
print("one payment, paid out, and the app knows")
