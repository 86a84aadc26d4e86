// Runs a scenario with GoCardless's own client for Node.js and prints one line of JSON a step:
// the result, or the error that the client raised.
//
//   node driver.mjs MODULES BASE_URL SCENARIO
//
// MODULES is the directory with gocardless-nodejs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modules, base, file] = process.argv.slice(2);
const { default: gocardless, Environments } = createRequire(join(modules, 'x.js'))('gocardless-nodejs');
const client = gocardless('node-token', Environments.Sandbox);
client._api._baseUrl = base; // the client has no option for it

const results = {};

// resolve replaces "$name.path" with the result of the step with that name.
function resolve(value) {
  if (typeof value === 'string' && value.startsWith('$')) {
    const [name, ...path] = value.slice(1).split('.');
    return path.reduce((v, key) => v?.[key], results[name]);
  }
  if (Array.isArray(value)) return value.map(resolve);
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v)]));
  return value;
}

async function control(path, body) {
  const reply = await fetch(`${base}/_sandbox/${path}`, { method: body ? 'POST' : 'GET', body: body && JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

// has reports whether the client has an operation, because clients follow the API later than the SDK.
function has(call) {
  const [service, method] = call.split('.');
  return !!client[service]?.[method];
}

async function call(step) {
  const [service, method] = step.call.split('.');
  const args = (step.args ?? []).map(resolve);
  if (method !== 'all') return client[service][method](...args);
  const items = [];
  for await (const item of client[service].all(...args)) items.push(item);
  return { items };
}

async function run(step) {
  if (step.advance) return control('clock', { advance: step.advance });
  if (step.finish) return control(`flows/${resolve(step.finish)}/finish`, step.payer);
  if (step.has) return { has: has(step.has) };
  if (step.notices) return (await fetch(process.env.NOTICES)).json();
  return call(step);
}

for (const step of JSON.parse(readFileSync(file, 'utf8'))) {
  const line = {};
  try {
    line.result = await run(step);
    if (step.as) results[step.as] = line.result;
    line.want = resolve(step.want);
  } catch (e) {
    line.error = { name: e.constructor.name, message: e.message, errors: e.errors };
  }
  console.log(JSON.stringify(line));
}
