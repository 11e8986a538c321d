// SPDX-License-Identifier: Apache-2.0
// A burst at a cold agreement: nothing has come so far and the first lease is small. 128 streams of one HTTP/2 connection, or
// 200 connections, ask for pages of 100 at the same moment, on a machine that is busy and a disk
// that takes 20 ms for a sync: none is refused as cannot-record, for
// licetd lends in one look what all that wait are short of.
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { Worker } from 'node:worker_threads';
import { story, Site, grossOf, freePort, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { shimUnder } from './lib/disk.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const path = '/2/tweets/search/recent?max_results=100';

function stream(session, key) {
  return new Promise((done, failed) => {
    const request = session.request({ ':path': path, authorization: `Bearer ${key}` });
    let status;
    request.on('response', (headers) => { status = headers[':status']; });
    request.on('error', failed);
    request.on('end', () => done(status));
    request.resume();
    request.end();
  });
}

async function streams(site, port, n) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await new Promise((done) => session.once('remoteSettings', done));
  const statuses = await Promise.all(Array.from({ length: n }, () => stream(session, site.keys.a)));
  session.close();
  return statuses;
}

async function connections(site, port, n) {
  const agent = new http.Agent({ maxSockets: n });
  const statuses = await Promise.all(Array.from({ length: n }, async () => (await site.request('a', path, { agent })).status));
  agent.destroy();
  return statuses;
}

for (const [name, burst, n] of [['128 streams', streams, 128], ['200 connections', connections, 200]]) {
  story(`a cold agreement meets ${name} at once`, async () => {
    const body = page(100);
    const upstream = await Upstream.start((request, response) => { setTimeout(() => send(response, body), 400); });
    const h2 = await freePort();
    const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a'], workers: 1,
      extraServer: `listen 127.0.0.1:${h2} http2;`, extraHttp: 'http2_max_concurrent_streams 128;', agreement: { cannotRecord: 'refuse' } });
    const disk = await shimUnder(site);
    await site.start();
    await disk('slow=20');
    await sleep(300); // licetd sleeps as long as it ever does
    const busy = new Worker('for (;;);', { eval: true });
    const statuses = await burst(site, h2, n);
    await busy.terminate();
    await disk('');
    assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.filter((status) => status !== 200)], [n, []]);
    assert.equal(grossOf((await site.report()).totals), n * 100);
    await site.verify();
    await site.stop();
    await upstream.stop();
  });
}
