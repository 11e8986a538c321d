// SPDX-License-Identifier: Apache-2.0
// One site of a licensee with two licensors: each internal key belongs to one agreement, and its requests go to that licensor
// with that licensor's token; each has a ledger of its own.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, agreementText } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

story('a licensee with two licensors', async () => {
  const platform = async (n) => await Upstream.start((request, response) => send(response, page(n)));
  const first = await platform(3), second = await platform(5);
  // "default" is a word of nginx's map: an agreement may be called so all the same
  const site = await Site.make({ upstream: first.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a'], workers: 1 });
  const folder = join(site.dir, 'agreements/default');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '2020-01-01.yaml'), agreementText({ id: 'default', catalogue: catalogue.name }));
  await writeFile(join(folder, 'apps.yaml'), 'apps:\n  a2: { products: [Product-a], environment: prod }\noutbound: { id: OUT-2, file: secrets/two }\n');
  await writeFile(join(site.dir, 'licet.yaml'), `upstreams: { default: "${second.url}" }\n`, { flag: 'a' });
  await mkdir(join(site.dir, 'secrets'));
  await writeFile(join(site.dir, 'secrets/one'), 'token-one\n', { mode: 0o600 });
  await writeFile(join(site.dir, 'secrets/two'), 'token-two\n', { mode: 0o600 });
  await writeFile(join(site.dir, 'agreements', site.agreement, 'apps.yaml'), 'outbound: { id: OUT-1, file: secrets/one }\n', { flag: 'a' });
  const other = JSON.parse((await site.must(['credential', 'new', site.dir, 'a2', '--json'])).stdout).secret;
  await site.start();
  const ask = async (key, path) => JSON.parse((await site.request(key, path)).body).data.length;
  for (let i = 0; i < 3; i++) {
    assert.equal(await ask('a', '/2/tweets/search/recent?max_results=10&x=%2F'), 3);
    assert.equal(await ask(other, '/2/tweets/search/recent?max_results=10&x=%2F'), 5);
  }
  for (const [upstream, token] of [[first, 'token-one'], [second, 'token-two']]) {
    assert.equal(upstream.seen.length, 3);
    for (const { headers, url } of upstream.seen) {
      assert.equal(headers.authorization, `Bearer ${token}`);
      assert.equal(headers.host, upstream.url.slice(7), 'each is asked by its own name');
      assert.equal(url, '/2/tweets/search/recent?max_results=10&x=%2F', 'as it came');
    }
  }
  await site.sync();
  for (const [agreement, units] of [[site.agreement, 9], ['default', 15]]) {
    site.agreement = agreement;
    assert.equal((await site.report()).totals.units.post.gross, units);
  }
  await site.verify();
  assert.equal((await site.request('nobody', '/2/tweets')).status, 401);
  await site.stop(); await first.stop(); await second.stop();
});
