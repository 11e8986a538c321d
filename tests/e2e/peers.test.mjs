// SPDX-License-Identifier: Apache-2.0
// The platform's Licet-Decision is kept with the licensee's receipt: two gates one behind the other, two ledgers that agree
// line by line, in ordinary answers and in refusals of the platform. What is no decision id, and what a cache of our own answered, is kept as nothing.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { joined } from './lib/joined.mjs';
import { page } from './lib/pages.mjs';
import { quiet } from './lib/books.mjs';
import * as catalogue from './lib/catalogue.mjs';

/** A licensee's site whose apps go up with the platform's token. */
async function licensee(upstream, token, options = {}) {
  const site = await Site.make({ upstream, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a', 'b'], workers: 2, ...options });
  await mkdir(join(site.dir, 'secrets'));
  await writeFile(join(site.dir, 'secrets/token'), `${token}\n`, { mode: 0o600 });
  const apps = join(site.dir, 'agreements', site.agreement, 'apps.yaml');
  await writeFile(apps, 'outbound: { id: OUT-1, file: secrets/token }\n', { flag: 'a' });
  return site;
}

story('two books that agree line by line', async () => {
  const upstream = await Upstream.start((request, response, url) => send(response, page(Number(url.searchParams.get('max_results')))));
  const platform = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['meridian'], workers: 1,
    agreement: { clauses: { CAP: { section: '2', says: 'A cap' } }, limits: ['{ clause: CAP, unit: post, most: 2000, per: month, over: licensee }'] } });
  await platform.start();
  const site = await (await licensee(`http://127.0.0.1:${platform.port}`, platform.keys.meridian)).start();
  const statuses = new Map();
  const ask = async (app, n) => {
    const { status, headers } = await site.request(app, `/2/tweets/search/recent?max_results=${n}`);
    assert.match(headers['licet-decision'], /^[0-9a-f]{32}$/);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const clients = (rounds) => Promise.all(['a', 'b', 'a', 'b'].map(async (app, i) => { for (let k = 0; k < rounds; k++) await ask(app, 3 + ((i + k) % 7)); }));
  await clients(50);
  assert.equal((await site.request('a', '/2/tweets/search/recent?max_results=10', { headers: { 'licet-purpose': 'train-ai' } })).status, 403, 'refused here');
  while (!statuses.has(429)) await clients(25);
  await quiet(site); await quiet(platform);
  await site.sync(); await platform.sync();
  const pairs = joined(await site.receipts(), await platform.receipts());
  assert.equal(pairs.length, [...statuses.values()].reduce((a, b) => a + b, 0));
  assert.equal(pairs.filter(([, other]) => other.verdict === 'refuse').length, statuses.get(429), 'the platform\'s refusals are paired too');

  // what the API tells the licensee's own apps
  const api = await site.request('a', '/.well-known/licet/receipts');
  assert.equal(api.status, 200, api.body.toString());
  assert.match(api.body.toString(), /"peer":"[0-9a-f]{32}"/);
  await site.verify(); await platform.verify();
  await site.stop(); await platform.stop(); await upstream.stop();
});

story('what is no decision of a peer', async () => {
  const said = ['3a14c99e0264641d0ee3fd2ea8ee1f9', '3a14c99e0264641d0ee3fd2ea8ee1f9f0', 'za14c99e0264641d0ee3fd2ea8ee1f9f', '',
    ['3a14c99e0264641d0ee3fd2ea8ee1f9f', '00000000000000000000000000000001'], '3A14C99E0264641D0EE3FD2EA8EE1F9F'];
  const upstream = await Upstream.start((request, response, url) => send(response, page(3), { headers: { 'Licet-Decision': said[Number(url.searchParams.get('n'))] } }));
  const site = await (await licensee(upstream.url, 'token', { workers: 1,
    extraHttp: (s) => `proxy_cache_path "${s.folder}/cache" keys_zone=c:1m;`,
    extraLocation: 'proxy_cache c; proxy_cache_valid 200 1h; proxy_cache_key $request_uri;' })).start();
  for (let n = 0; n < said.length; n++) assert.equal((await site.request('a', `/2/tweets/search/recent?n=${n}`)).status, 200);
  const again = await site.request('a', `/2/tweets/search/recent?n=${said.length - 1}`);
  assert.equal(again.status, 200);
  assert.equal(upstream.seen.length, said.length, 'the last came from the cache');
  await quiet(site);
  await site.sync();
  const receipts = await site.receipts();
  assert.deepEqual(receipts.map((r) => r.peer), [...Array(said.length - 1).fill(undefined), '3a14c99e0264641d0ee3fd2ea8ee1f9f', undefined]);
  await site.verify();
  await site.stop(); await upstream.stop();
});
