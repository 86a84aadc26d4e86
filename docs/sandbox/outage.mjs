// An outage test against the sandbox, with the standard library alone (Node 18 or newer).
//
//     node outage.mjs http://127.0.0.1:8080
//
// It plays an app that collects a payment while the API breaks in three ways, and whose own
// webhook handler fails once. In the end there must be one payment, and the app must know of it.

import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const base = process.argv[2].replace(/\/$/, '');
const secret = 'webhook secret';

const send = async (method, path, body, headers = {}) => {
  const reply = await fetch(base + path, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : {} };
};

// Steers the sandbox; what it refuses is a mistake in this program.
const control = async (method, path, body) => {
  const reply = await send(method, '/_sandbox/' + path, body);
  assert.equal(reply.status, 200, path + ': ' + JSON.stringify(reply.body));
  return reply.body;
};

const api = (method, path, body, key) => send(method, path, body, {
  Authorization: 'Bearer any',
  'GoCardless-Version': '2015-07-06',
  ...(key ? { 'Idempotency-Key': key } : {}),
});

// The app under test: it retries a create with the same key.
const createPayment = async (mandate, key) => {
  const body = { payments: { amount: 1500, currency: 'GBP', links: { mandate } } };
  for (let attempt = 0; attempt < 5; attempt++) {
    let reply;
    try {
      reply = await api('POST', '/payments', body, key);
    } catch {
      continue; // the connection broke or the reply is not JSON: the payment may exist
    }
    if (reply.status === 201) return reply.body.payments.id;
    if (reply.status === 409) return reply.body.error.errors[0].links.conflicting_resource_id;
  }
  throw new Error('the payment could not be created');
};

const seen = [];
let failures = 1;
const app = createServer(async (request, reply) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const given = request.headers['webhook-signature'] ?? '';
  if (given.length !== signature.length || !timingSafeEqual(Buffer.from(given), Buffer.from(signature))) {
    reply.writeHead(498).end('bad signature');
  } else if (failures > 0) {
    failures--;
    reply.writeHead(500).end('the database is down');
  } else {
    seen.push(...JSON.parse(body).events.map((event) => event.action));
    reply.writeHead(204).end();
  }
});
await new Promise((listening) => app.listen(0, '127.0.0.1', listening));

// The world: a payer with an active mandate, and the app as an endpoint for events of payments.
await control('POST', 'reset');
await control('POST', 'clock', { frozen: true });
const { made } = await control('POST', 'worlds', { steps: [
  { do: 'customers.create', as: 'customer', with: { given_name: 'Ada', family_name: 'Byron', email: 'ada@example.com' } },
  { do: 'customer_bank_accounts.create', as: 'account', with: {
    account_holder_name: 'Ada Byron', branch_code: '200000', account_number: '55779911', country_code: 'GB',
    links: { customer: '$customer.id' } } },
  { do: 'mandates.create', as: 'mandate', with: { links: { customer_bank_account: '$account.id' } } },
  { do: 'sandbox.activate', id: '$mandate.id' },
] });
const endpoint = await control('POST', 'webhook_endpoints', {
  url: `http://127.0.0.1:${app.address().port}/webhooks`, secret, events: ['payments.*'] });

// The outage: two errors, and then a connection that breaks after the payment was made.
await control('POST', 'faults', { operation: 'payments.create', status: 503, times: 2 });
await control('POST', 'faults', { operation: 'payments.create', after: true, drop: true });
const payment = await createPayment(made.mandate.id, 'order 4711');

// There is one payment, and every attempt had the same key.
const list = await api('GET', '/payments?mandate=' + made.mandate.id);
assert.deepEqual(list.body.payments.map((p) => p.id), [payment]);
const attempts = (await control('GET', 'requests')).requests.filter((r) => r.operation === 'payments.create');
assert.deepEqual(attempts.filter((r) => !r.dropped).map((r) => r.status), [503, 503, 409]);
assert.deepEqual([...new Set(attempts.map((r) => r.idempotency_key))], ['order 4711']);

// A month goes by: the webhook that the app refused comes again, and the payment is paid out.
const moved = await control('POST', 'clock', { advance: '30d' });
assert.ok(moved.refused <= 1);
const refused = (await control('GET', 'deliveries')).deliveries.filter((d) => !d.accepted);
assert.deepEqual(refused.map((d) => d.reply), ['the database is down']);
assert.deepEqual(seen.sort(), ['confirmed', 'created', 'paid_out', 'submitted']);
assert.equal((await api('GET', '/payments/' + payment)).body.payments.status, 'paid_out');

await control('DELETE', 'webhook_endpoints/' + endpoint.id);
app.close();
console.log('one payment, paid out, and the app knows');
