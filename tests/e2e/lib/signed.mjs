// SPDX-License-Identifier: Apache-2.0
// Requests signed in the Web Bot Auth profile, by a library that knows nothing of licet.
import crypto from 'node:crypto';
import { createSigner, httpbis } from 'http-message-signatures';

export function thumbprint(publicKey) {
  const { crv, kty, x } = publicKey.export({ format: 'jwk' });
  return crypto.createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}

/** Headers of a signed request: pair, agent (its URL), port and path are needed. */
export async function signed({ pair, agent, port, path, method = 'GET', nonce = crypto.randomBytes(16).toString('base64'), created = new Date(), expires = new Date(Date.now() + 60000),
  fields = ['@method', '@path', '@authority', 'signature-agent'] }) {
  const message = { method, url: `http://127.0.0.1:${port}${path}`, headers: { 'signature-agent': `"${agent}"` } };
  const signer = createSigner(pair.privateKey, 'ed25519', thumbprint(pair.publicKey));
  const done = await httpbis.signMessage({ key: signer, name: 'sig1', fields, params: ['created', 'expires', 'keyid', 'nonce', 'tag'],
    paramValues: { created, expires, nonce, tag: 'web-bot-auth' } }, message);
  return Object.fromEntries(Object.entries(done.headers).map(([name, value]) => [name.toLowerCase(), value]));
}
