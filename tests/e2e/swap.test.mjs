// SPDX-License-Identifier: Apache-2.0
// licet apply swaps the image while traffic runs: no nginx reload, no failed request, no count lost; the new limit holds at
// once, an app that is added can read at once, and the counter keeps what was used. A new shared-memory file takes over in
// the middle of it: what both files admit together stays within the limit, and what is applied next holds at once.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, grossOf, rowOf, sleep } from './lib/site.mjs';
import { statusOf } from './lib/books.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

story('apply under traffic', async () => {
  const upstream = await Upstream.start((request, response, url) => send(response, page(Number(url.searchParams.get('max_results')))));
  const clauses = { CAP: { section: '2', says: 'A cap' } };
  const cap = (most) => ({ clauses, limits: [`{ clause: CAP, unit: post, most: ${most}, per: month, over: licensee }`] });
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a'], workers: 2, agreement: cap(10000000) });
  await site.start();
  const workers = await site.workers();
  let running = true, received = 0, requests = 0;
  const client = async () => {
    while (running) {
      const answer = await site.request('a', '/2/tweets/search/recent?max_results=10');
      assert.equal(answer.status, 200, answer.body.toString());
      received += JSON.parse(answer.body).data.length;
      requests++;
    }
  };
  const clients = Promise.all([client(), client(), client(), client()]);
  for (let i = 0; i < 8; i++) {
    await sleep(200);
    await site.writeAgreement(cap(9000000 + i));
    const plan = await site.must(['plan', site.dir]);
    assert.match(plan.stdout, /CAP/);
    await site.must(['apply', site.dir, '--reason', `step ${i}`]);
  }
  const apps = join(site.dir, 'agreements', site.agreement, 'apps.yaml');
  await writeFile(apps, (await readFile(apps, 'utf8')).replace('apps:\n', 'apps:\n  late: { products: [Product-a], environment: prod, default_use_case: UC-a }\n'));
  const key = JSON.parse((await site.must(['credential', 'new', site.dir, 'late', '--json'])).stdout).secret;
  assert.equal((await site.request(key, '/2/tweets/search/recent?max_results=10')).status, 401, 'not before it is applied');
  await site.must(['apply', site.dir, '--reason', 'a late app']);
  assert.equal((await site.request(key, '/2/tweets/search/recent?max_results=10')).status, 200, 'at once after apply');
  running = false;
  await clients;
  await site.writeAgreement(cap(received));
  await site.must(['apply', site.dir, '--reason', 'the cap is what was used']);
  const refused = await site.request('a', '/2/tweets/search/recent?max_results=10');
  assert.equal(refused.status, 429, 'the counter kept what was used');
  assert.deepEqual(await site.workers(), workers, 'no worker was replaced');
  const report = await site.report();
  assert.equal(grossOf(rowOf(report.apps, 'a')), received);
  assert.equal(grossOf(rowOf(report.apps, 'late')), 10);
  assert.equal(rowOf(report.apps, 'a').requests.delivered, requests);
  await site.verify();
  await site.stop();
  await upstream.stop();
});

const ROUNDS = 6;

story('a limit holds while the shared memory is replaced', async () => {
  const upstream = await Upstream.start((request, response, url) => send(response, page(Number(url.searchParams.get('max_results')))));
  const clauses = { CAP: { section: '2', says: 'A cap' } };
  const cap = (most) => ({ clauses, limits: [`{ clause: CAP, unit: post, most: ${most}, per: month, over: licensee }`] });
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a'], workers: 2, agreement: cap(10) });
  await site.start();
  const yaml = join(site.dir, 'licet.yaml'), text = await readFile(yaml, 'utf8');
  let received = 0;
  const client = async () => {
    for (;;) {
      const answer = await site.request('a', '/2/tweets/search/recent?max_results=10');
      if (answer.status === 200) received += JSON.parse(answer.body).data.length;
      else if (answer.status === 503) await sleep(20); // the lease ran dry while licetd was away
      else if (answer.status !== 429) return answer;
      else if (!JSON.parse(answer.body).type.endsWith('quota-held')) return answer;
    }
  };
  for (let i = 1; i <= ROUNDS; i++) {
    const most = 6000 * i;
    await site.writeAgreement(cap(most));
    await site.must(['apply', site.dir, '--reason', `to ${most}`]);
    await writeFile(yaml, text.replace(/^slots:.*\n/m, '') + `slots: ${i % 2 ? 512 : 1024}\n`);
    const clients = Promise.all(Array.from({ length: 8 }, client));
    await sleep(i * 20);
    await site.kill(site.recorder, 'SIGKILL');
    site.recorder = site.start_('licetd', join(site.programs, 'licetd'), [site.dir], site.env);
    for (const answer of await clients) assert.equal(answer.status, 429, answer.body.toString());
    await site.until('the new file is in force', async () => /is drained from/.test(site.recorder.said) && (await statusOf(site).catch(() => null)) !== null);
    assert.ok(received <= most, `${received} posts received of ${most}`);
    assert.ok(received > most - 600, `${received} posts received of ${most}`);
  }
  const report = await site.report();
  assert.equal(grossOf(rowOf(report.apps, 'a')), received);
  await site.verify();
  await site.stop();
  await upstream.stop();
});
