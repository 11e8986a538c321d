// SPDX-License-Identifier: Apache-2.0
// Credentials: who asks is proved by a client certificate, a JSON web token or a signed request, each against licet's own
// commands, nginx with two workers, and software that knows nothing of licet (openssl, node's crypto, a signing library).
//
//  (1) Each proof names its app in the receipt, and no other proof does.
//  (2) A signature is good once, whichever worker it comes to, and for the one method and path that it covers.
//  (3) A key set that changed is in force within two seconds, without a reload.
//  (4) A stranger's proof is a 401 that leaves a count and nothing else.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, run, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import { certificates } from './lib/tls.mjs';
import { signed } from './lib/signed.mjs';
import * as catalogue from './lib/catalogue.mjs';

const PATH = '/2/tweets/search/recent?max_results=10';
const ISSUER = 'https://id.example', AGENT = 'https://agent.example';
const now = () => Math.floor(Date.now() / 1000);
const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** JWS in the compact form. */
function token(key, header, claims) {
  const text = `${b64(header)}.${b64({ iss: ISSUER, aud: 'licet', sub: 'service-1', exp: now() + 60, ...claims })}`;
  return `${text}.${crypto.sign(header.alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const jwks = (keys) => JSON.stringify({ keys: Object.entries(keys).map(([kid, key]) => ({ ...key.export({ format: 'jwk' }), kid })) });

/** One client certificate of the authority. */
async function clientCertificate(folder, ca, name) {
  const at = (file) => join(folder, `${name}.${file}`);
  for (const args of [
    ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-keyout', at('key'), '-out', at('csr')],
    ['x509', '-req', '-in', at('csr'), '-CA', ca, '-CAkey', ca.replace(/pem$/, 'key'), '-CAcreateserial', '-days', '2', '-out', at('pem')],
  ]) assert.equal((await run('openssl', args)).code, 0);
  return { file: at('pem'), cert: await readFile(at('pem')), key: await readFile(at('key')) };
}

const ask = (options, secure = false) => new Promise((done, fail) => {
  (secure ? https : http).request({ host: '127.0.0.1', agent: false, path: PATH, ...options }, (response) => {
    let body = '';
    response.on('data', (chunk) => { body += chunk; });
    response.on('end', () => done({ status: response.statusCode, headers: response.headers, body }));
  }).on('error', fail).end();
});

const reasonOf = (answer) => JSON.parse(answer.body).type.replace('urn:licet:problem:', '');

story('certificates, tokens and signed requests say who asks', async () => {
  const upstream = await Upstream.start((request, response) => send(response, page(10)));
  const tls = await certificates(['127.0.0.1']);
  const folder = tls.caFile.replace(/\/[^/]*$/, '');
  const known = await clientCertificate(folder, tls.caFile, 'known'), unknown = await clientCertificate(folder, tls.caFile, 'unknown');
  const issuer = crypto.generateKeyPairSync('ed25519'), next = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const agent = crypto.generateKeyPairSync('ed25519'), stranger = crypto.generateKeyPairSync('ed25519');
  const keys = join(folder, 'jwks.json'), agentKey = join(folder, 'agent.json');
  await run('chmod', ['-R', 'a+rX', folder]);
  await writeFile(keys, jwks({ one: issuer.publicKey, rsa: rsa.publicKey }));
  await writeFile(agentKey, JSON.stringify(agent.publicKey.export({ format: 'jwk' })));
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['reader', 'mtls', 'service', 'bot'], workers: 2, tls,
    extraServer: `ssl_client_certificate ${tls.caFile}; ssl_verify_client optional; licet_signatures on; licet_jwks ${keys} issuer=${ISSUER} audience=licet;` });
  await site.must(['credential', 'new', site.dir, 'mtls', '--kind', 'client-certificate', '--certificate', known.file]);
  await site.must(['credential', 'new', site.dir, 'service', '--kind', 'jwt', '--issuer', ISSUER, '--subject', 'service-1']);
  await site.must(['credential', 'new', site.dir, 'bot', '--kind', 'http-signature', '--agent', `${AGENT}/`, '--jwk', agentKey]);
  await site.start();
  const served = { mtls: 0, service: 0, bot: 0, reader: 0 };
  const good = (app, answer) => { assert.equal(answer.status, 200, answer.body); served[app]++; };
  const refused = (answer, reason) => { assert.equal(answer.status, 401, answer.body); assert.equal(reasonOf(answer), reason); };

  // ---- client certificates
  const secure = (who, headers = {}) => ask({ port: site.tlsPort, ca: tls.ca, cert: who?.cert, key: who?.key, headers }, true);
  good('mtls', await secure(known));
  refused(await secure(unknown), 'credential-unknown');
  refused(await secure(null), 'credential-missing');
  good('reader', await secure(known, { authorization: `Bearer ${site.keys.reader}` })); // what the request says comes first

  // ---- tokens
  const bearer = (text) => ask({ port: site.port, headers: { authorization: `Bearer ${text}` } });
  good('service', await bearer(token(issuer.privateKey, { alg: 'EdDSA', kid: 'one' })));
  good('service', await bearer(token(rsa.privateKey, { alg: 'RS256', kid: 'rsa' })));
  refused(await bearer(token(issuer.privateKey, { alg: 'EdDSA', kid: 'one' }, { exp: now() - 60 })), 'credential-ended');
  refused(await bearer(token(issuer.privateKey, { alg: 'EdDSA', kid: 'one' }, { aud: 'other' })), 'credential-unknown');
  refused(await bearer(token(issuer.privateKey, { alg: 'EdDSA', kid: 'one' }, { sub: 'service-2' })), 'credential-unknown');
  refused(await bearer(`${b64({ alg: 'none' })}.${b64({ iss: ISSUER, aud: 'licet', sub: 'service-1', exp: now() + 60 })}.`), 'credential-unknown');
  refused(await bearer(token(next.privateKey, { alg: 'ES256', kid: 'two' })), 'credential-unknown');
  await writeFile(keys, jwks({ two: next.publicKey }));
  await sleep(2100); // each worker looks once a second
  good('service', await bearer(token(next.privateKey, { alg: 'ES256', kid: 'two' })));
  refused(await bearer(token(issuer.privateKey, { alg: 'EdDSA', kid: 'one' })), 'credential-unknown');
  await writeFile(keys, 'no keys at all');
  await sleep(1100);
  good('service', await bearer(token(next.privateKey, { alg: 'ES256', kid: 'two' }))); // the last good set stays

  // ---- signed requests
  const sign = ({ agentUrl = AGENT, ...more } = {}) => signed({ pair: agent, agent: agentUrl, port: site.port, path: PATH, ...more });
  const show = (headers, options = {}) => ask({ port: site.port, headers, ...options });
  good('bot', await show(await sign()));
  good('bot', await show(await sign({ agentUrl: 'https://Agent.example/' }))); // the same URL
  const missing = await show({});
  refused(missing, 'credential-missing');
  assert.match(missing.headers['accept-signature'], /^sig1=\("@method" "@path" .*tag="web-bot-auth"$/);
  assert.match(missing.headers['www-authenticate'], /^Bearer/);
  refused(await show(await sign({ pair: stranger })), 'credential-unknown');
  refused(await show(await sign({ agentUrl: 'https://other.example' })), 'credential-unknown'); // the pair, not the key id
  refused(await show(await sign({ created: new Date(Date.now() - 9000), expires: new Date(Date.now() - 2000) })), 'credential-ended');
  refused(await show(await sign({ created: new Date(Date.now() + 90000), expires: new Date(Date.now() + 95000) })), 'credential-ended');
  refused(await show(await sign({ expires: new Date(Date.now() + 90000000) })), 'credential-unknown');
  refused(await show(await sign({ fields: ['@authority', 'signature-agent'] })), 'credential-unknown');
  refused(await show(await sign({ method: 'POST' })), 'credential-unknown');
  refused(await show(await sign({ path: '/2/stream' })), 'credential-unknown');
  for (const [name, value] of [['signature-input', '('], ['signature', 'sig1=:AAAA:'], ['signature-agent', 'x'], ['signature-input', `sig1=(${'"a" '.repeat(900)})`]]) {
    refused(await show({ ...await sign(), [name]: value }), 'credential-unknown');
  }
  const whole = await sign();
  refused(await show({ ...whole, 'signature-input': [whole['signature-input'], whole['signature-input'].replace('sig1', 'sig2')] }), 'credential-unknown');

  // ---- once
  const once = await sign(), answers = await Promise.all(Array.from({ length: 24 }, () => show(once)));
  assert.equal(answers.filter((answer) => answer.status === 200).length, 1, 'a signature is good once, at all workers together');
  served.bot++;
  answers.filter((answer) => answer.status !== 200).forEach((answer) => refused(answer, 'credential-replayed'));
  const plain = await sign({ nonce: 'again' });
  good('bot', await show(plain));
  refused(await show(await sign({ nonce: 'again', expires: new Date(Date.now() + 70000) })), 'credential-replayed');

  // ---- what stands in the books
  await site.sync();
  const counted = {};
  for (const receipt of await site.receipts()) counted[receipt.app] = (counted[receipt.app] ?? 0) + 1;
  assert.deepEqual(counted, served);
  await site.verify();
  await site.stop();
  await upstream.stop();
});
