// SPDX-License-Identifier: Apache-2.0
// Nothing lost: clients under load keep each Licet-Decision of a response they received whole; licetd, a worker, or all of
// nginx are killed (-9) at random moments. Afterwards each kept decision has exactly one receipt with at least the units
// received, verify passes, the counter never exceeded the limit, no reservation stays behind.
import assert from 'node:assert/strict';
import http from 'node:http';
import { story, Site, grossOf, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const ROUNDS = Number(process.env.LICET_KILLS ?? 20);
const seed = Number(process.env.LICET_SEED ?? Math.floor(Math.random() * 2 ** 31));
let state = seed;
const random = (n) => { state = (Math.imul(state, 1103515245) + 12345) >>> 0; return ((state >>> 8) % n); };

story(`${ROUNDS} rounds of kill -9 under load`, async () => {
  console.log(`# used seed ${seed} (LICET_SEED repeats it)`);
  const pages = Array.from({ length: 101 }, (_, n) => page(n));
  const upstream = await Upstream.start((request, response, url) => {
    const n = Number(url.searchParams.get('max_results'));
    setTimeout(() => send(response, pages[n], { chunk: n % 4 === 0 ? 2000 : 0 }), n % 5);
  });
  const CAP = 3000000;
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a', 'b'], workers: 2,
    agreement: { limits: [`{ clause: CAP, unit: post, most: ${CAP}, per: month, over: licensee }`], clauses: { CAP: { section: '2', says: 'A cap' } } } });
  await site.start();
  const kept = new Map();
  let running = true, received = 0, failed = 0;
  const client = async (i) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (running) {
      const want = 1 + Math.floor(Math.random() * 100);
      try {
        const answer = await site.request(i % 2 ? 'a' : 'b', `/2/tweets/search/recent?max_results=${want}`, { agent });
        if (answer.status === 200) {
          const units = JSON.parse(answer.body).data.length;
          const decision = answer.headers['licet-decision'];
          assert(!kept.has(decision), `decision ${decision} was given twice`);
          kept.set(decision, units);
          received += units;
        } else {
          failed++;
          await sleep(20);
        }
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        failed++;
        await sleep(20);
      }
    }
    agent.destroy();
  };
  const clients = Promise.all(Array.from({ length: 16 }, (_, i) => client(i)));
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(150 + random(400));
    const what = ['licetd', 'worker', 'nginx', 'worker'][random(4)];
    if (what === 'licetd') {
      process.kill(site.recorder.pid, 'SIGKILL');
      await site.recorder.ended;
      await sleep(random(200));
      await site.startRecorder();
    } else if (what === 'worker') {
      const workers = await site.workers();
      if (workers.length > 0) try { process.kill(workers[random(workers.length)], 'SIGKILL'); } catch { /* it was gone */ }
    } else {
      const workers = await site.workers();
      for (const pid of [site.nginx.pid, ...workers]) try { process.kill(pid, 'SIGKILL'); } catch { /* it was gone */ }
      await site.nginx.ended;
      await site.startNginx();
    }
  }
  await sleep(500);
  running = false;
  await clients;
  await site.until('nothing is under way', async () => JSON.parse((await site.operator('GET', '/status')).body).under_way === 0);
  await site.sync();
  const receipts = new Map();
  for (const receipt of await site.receipts()) {
    if (receipt.verdict !== 'allow') continue;
    assert(!receipts.has(receipt.decision), `${receipt.decision} has two receipts`);
    receipts.set(receipt.decision, receipt);
  }
  for (const [decision, units] of kept) {
    const receipt = receipts.get(decision);
    assert(receipt, `${decision} was received whole and has no receipt`);
    assert((receipt.units.post ?? 0) >= units, `${decision}: received ${units}, receipt ${JSON.stringify(receipt)}`);
  }
  const report = await site.report();
  assert(grossOf(report.totals) >= received, `report ${grossOf(report.totals)}, received ${received}`);
  assert(grossOf(report.totals) <= CAP);
  const status = JSON.parse((await site.operator('GET', '/status')).body);
  for (const counter of status.counters) {
    assert(counter.taken <= CAP, JSON.stringify(counter));
    assert.equal(counter.held, 0, `a reservation stays behind: ${JSON.stringify(counter)}`);
  }
  await site.verify();
  console.log(`# used ${kept.size} kept decisions, ${received} posts, ${failed} failed requests`);
  assert(kept.size > ROUNDS * 10, 'the load was a load');
  await site.stop({ alerts: false }); // nginx itself logs an alert for each worker that was killed
  await upstream.stop();
});
