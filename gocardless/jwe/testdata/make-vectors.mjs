// Makes vectors.json with an implementation of RFC 7516 that is independent of the one under test:
// the jose package for Node.js, and its crypto module for details that are not a JWE. In an empty
// directory:
//
//	npm install jose@6.2.17
//	node make-vectors.mjs > vectors.json
//
// The keys are generated here and not used elsewhere.
import { FlattenedEncrypt, CompactEncrypt } from 'jose';
import * as crypto from 'node:crypto';

const details = {
  account_holder_name: 'Zoë Ünal',
  account_number: '55779911',
  bank_code: null,
  branch_code: '200000',
  country_code: 'GB',
  iban: 'GB60BARC20000055779911',
};
const swift = {
  iban: 'GB60BARC20000055779911',
  account_holder_name: 'Zoë Ünal',
  swift_bank_code: 'BARC',
  swift_branch_code: '200000',
  swift_account_number: '55779911',
};
const utf8 = (v) => new TextEncoder().encode(v);
const plaintext = utf8(JSON.stringify(details));

const pair = (bits) => crypto.generateKeyPairSync('rsa', { modulusLength: bits });
const pem = (key, type) => key.export({ type, format: 'pem' });
const key1 = pair(2048), key2 = pair(2048), weak = pair(1024);

const flattened = (header, key, text = plaintext) =>
  new FlattenedEncrypt(text).setProtectedHeader(header).encrypt(key);

const jwe = {};
for (const alg of ['RSA-OAEP', 'RSA-OAEP-256'])
  for (const enc of ['A128GCM', 'A192GCM', 'A256GCM', 'A256CBC-HS512'])
    jwe[`${alg} ${enc}`] = await flattened({ alg, enc, kid: 'key-1' }, key1.publicKey);

const refused = {
  'dir': await flattened({ alg: 'dir', enc: 'A256GCM', kid: 'key-1' }, crypto.randomBytes(32)),
  'PBES2': await flattened({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', kid: 'key-1' }, utf8('password')),
  'RSA-OAEP-512': await flattened({ alg: 'RSA-OAEP-512', enc: 'A256GCM', kid: 'key-1' }, key1.publicKey),
};

// The layout with a key of its own, which is no JWE.
const wrapped = (contentKey, oaepHash, publicKey = key1.publicKey) =>
  crypto.publicEncrypt({ key: publicKey, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, contentKey).toString('base64');
const sealed = (contentKey, encoding) => {
  const iv = crypto.randomBytes(12);
  const cipher = crypto.createCipheriv('aes-256-gcm', contentKey, iv);
  const text = Buffer.concat([cipher.update(JSON.stringify(swift)), cipher.final()]);
  return Buffer.concat([iv, text, cipher.getAuthTag()]).toString(encoding);
};
const k = () => crypto.randomBytes(32);
const transferred = {};
{
  const a = k(), b = k(), c = k(), d = k();
  transferred['GCM, OAEP with SHA-1, base64'] = { encrypted_customer_bank_details: sealed(a, 'base64'), encrypted_decryption_key: wrapped(a, 'sha1') };
  transferred['GCM, OAEP with SHA-256, base64url'] = { encrypted_customer_bank_details: sealed(b, 'base64url'), encrypted_decryption_key: wrapped(b, 'sha256') };
  transferred['compact JWE with the key'] = {
    encrypted_customer_bank_details: await new CompactEncrypt(utf8(JSON.stringify(swift))).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(c),
    encrypted_decryption_key: wrapped(c, 'sha1'),
  };
  transferred['compact JWE to the public key'] = {
    encrypted_customer_bank_details: await new CompactEncrypt(utf8(JSON.stringify(swift))).setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'key-1' }).encrypt(key1.publicKey),
    encrypted_decryption_key: wrapped(d, 'sha1'),
  };
  transferred['flattened JWE with the key'] = {
    encrypted_customer_bank_details: JSON.stringify(await flattened({ alg: 'dir', enc: 'A256GCM' }, d, utf8(JSON.stringify(swift)))),
    encrypted_decryption_key: wrapped(d, 'sha256'),
  };
}
for (const t of Object.values(transferred)) t.public_key_id = 'key-1';

console.log(JSON.stringify({
  made_with: `Node ${process.version}, jose 6.2.17`,
  plaintext: JSON.stringify(details),
  swift_plaintext: JSON.stringify(swift),
  keys: {
    'key-1': pem(key1.privateKey, 'pkcs8'),
    'key-1 PKCS#1': pem(key1.privateKey, 'pkcs1'),
    'key-2': pem(key2.privateKey, 'pkcs8'),
    'weak': pem(weak.privateKey, 'pkcs8'),
    'public': pem(key1.publicKey, 'spki'),
    'EC': pem(crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'pkcs8'),
    'encrypted': key1.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
  },
  jwk: key1.publicKey.export({ format: 'jwk' }),
  jwe,
  without_kid: await flattened({ alg: 'RSA-OAEP', enc: 'A256GCM' }, key1.publicKey),
  other_kid: await flattened({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'key-9' }, key1.publicKey),
  not_json: await flattened({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'key-1' }, key1.publicKey, utf8('GB60BARC20000055779911')),
  refused,
  transferred,
}, null, 2));
