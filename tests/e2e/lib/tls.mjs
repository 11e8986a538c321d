// SPDX-License-Identifier: Apache-2.0
// A certificate authority of the stories, and a certificate for the hosts that real clients dial.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { run } from './site.mjs';

export async function certificates(hosts) {
  const folder = await mkdtemp(join(tmpdir(), 'licet-tls-'));
  const at = (name) => join(folder, name);
  const openssl = async (...args) => {
    const result = await run('openssl', args);
    assert.equal(result.code, 0, result.stderr);
  };
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=licet story authority',
    '-keyout', at('ca.key'), '-out', at('ca.pem'));
  await openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${hosts[0]}`, '-keyout', at('server.key'), '-out', at('server.csr'));
  await writeFile(at('ext'), `subjectAltName=${hosts.map((host) => (/^[0-9.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`)).join(',')}\n`);
  await openssl('x509', '-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext'), '-out', at('server.pem'));
  return { cert: at('server.pem'), key: at('server.key'), caFile: at('ca.pem'), ca: await readFile(at('ca.pem')) };
}
