// SPDX-License-Identifier: Apache-2.0
// A worker is taken over: it floods, moves heads forward and back, writes over leases, tails, header and slots. licetd neither
// dies nor stands still, says so seldom, reads no more of that worker, and puts its area in order once it is gone. Another
// agreement's clients and books see nothing of it: each response received whole has its receipt, and there is no other.
import assert from 'node:assert/strict';
import http from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, agreementText, build, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

story('a worker that was taken over harms nobody but its own agreement', async () => {
  const seed = Number(process.env.LICET_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`# used seed ${seed} (LICET_SEED repeats it)`);
  const upstream = await Upstream.start((request, response, url) => send(response, page(Number(url.searchParams.get('max_results') ?? 10))));
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a'], workers: 2, settings: ['slots: 64'] });
  const folder = join(site.dir, 'agreements/H-1');
  await mkdir(folder);
  await writeFile(join(folder, '2020-01-01.yaml'), agreementText({ id: 'H-1', catalogue: catalogue.name }));
  await writeFile(join(folder, 'apps.yaml'), 'apps:\n  h: { products: [P], environment: prod, default_use_case: UC-h }\n'
    + 'use_cases:\n  UC-h: { product: P, purpose: display, recipient: public, approved: { by: A. Tester, role: licensing, from: 2020-01-01 } }\n');
  site.keys.h = JSON.parse((await site.must(['credential', 'new', site.dir, 'h', '--agreement', 'H-1', '--json'])).stdout).secret;
  await site.start();
  const cell = (await readFile(join(site.dir, 'data/cells'), 'utf8')).split('\n').find((line) => line.endsWith('\tH-1')).split('\t')[0];
  const shm = /^shared_memory:\s*(\S+)/m.exec(await readFile(join(site.dir, 'licet.yaml'), 'utf8'))[1];
  const metric = async (name) => {
    const { body } = await site.operator('GET', '/metrics');
    return body.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#')).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  };
  assert.equal((await site.request('h', '/2/tweets/search/recent')).status, 200);
  await site.sync();

  // An honest client of another agreement, all the while.
  const kept = new Map();
  let running = true, refused = 0, slowest = 0;
  const client = async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; running; n = (n + 7) % 40) {
      const answer = await site.request('a', `/2/tweets/search/recent?max_results=${1 + n}`, { agent });
      if (answer.status === 200) kept.set(answer.headers['licet-decision'], JSON.parse(answer.body).data.length);
      else refused++;
      await sleep(5);
    }
    agent.destroy();
  };
  const watch = async () => {
    for (; running; await sleep(50)) {
      const began = Date.now();
      await site.operator('GET', '/healthz');
      slowest = Math.max(slowest, Date.now() - began);
    }
  };
  const all = [client(), client(), client(), watch()];
  await sleep(300);
  const hostile = site.start_('hostile', join(build, 'tests/scenario/hostile'), [shm, cell, String(seed)]);
  await site.until('all of it is written', () => { assert(!hostile.over, hostile.said); return /^nonsense$/m.test(hostile.said); });
  await site.until('its area is no longer read', async () => (await metric('licet_worker_areas_quarantined')) > 0);
  assert(!site.recorder.over, `licetd ended:\n${site.recorder.said}`);
  const counted = kept.size;
  await site.until('the others are served while it is in quarantine', () => kept.size > counted);
  process.kill(hostile.pid, 'SIGKILL');
  await hostile.ended;
  await site.until('its area is in order', async () => (await metric('licet_worker_areas_quarantined')) === 0 && (await metric('licet_worker_areas_used')) === 2);
  await site.until('the load was a load', () => kept.size > 100);
  running = false;
  await Promise.all(all);
  await site.until('nothing is under way', async () => JSON.parse((await site.operator('GET', '/status')).body).under_way === 0);
  await site.sync();

  const damage = await metric('licet_damaged_total'), quarantines = await metric('licet_quarantines_total');
  const lines = site.recorder.said.split('\n').filter((line) => / licetd (error|warning): /.test(line)).length;
  console.log(`# used ${kept.size} responses of the other agreement, ${refused} refused, ${damage} damaged, ${quarantines} quarantines, ${lines} lines, slowest answer ${slowest} ms`);
  assert(damage > 32 && quarantines >= 1);
  assert(lines < 300, `${lines} lines`);
  const receipts = (await site.receipts()).filter((r) => r.agreement === 'T-1');
  const passed = receipts.filter((r) => r.verdict !== 'refuse');
  assert.equal(passed.length, kept.size, 'a receipt for each response, and none that was made up');
  for (const r of passed) assert.equal(r.units.post, kept.get(r.decision), `decision ${r.decision}`);
  const report = await site.report();
  assert.equal(report.totals.units.post.gross, [...kept.values()].reduce((sum, n) => sum + n, 0));
  assert.deepEqual(report.gaps, []);
  await site.verify();
  await site.stop();
  await upstream.stop();
});
