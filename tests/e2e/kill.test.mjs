// SPDX-License-Identifier: Apache-2.0
// Nothing lost: clients under load over HTTP/1.1 and HTTP/2 keep what they received; licetd, its signer, a worker, or the
// master with all workers are killed (-9) at random moments. Afterwards each request has at most one receipt, exactly one with
// at least the units received, and exactly those if it was answered whole; verify passes; counters are what the receipts are
// charged; no limit was passed, no reservation stays behind.
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { story, Site, run, sleep } from './lib/site.mjs';
import { ask, askStream, books, statusOf } from './lib/books.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { certificates } from './lib/tls.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const ROUNDS = Number(process.env.LICET_KILLS ?? 20); // make check runs it twice
const seed = Number(process.env.LICET_SEED ?? Math.floor(Math.random() * 2 ** 31));
let state = seed;
const random = (n) => { state = (Math.imul(state, 1103515245) + 12345) >>> 0; return ((state >>> 8) % n); };
const killIt = (pid) => { try { process.kill(pid, 'SIGKILL'); } catch { /* it was gone */ } };

story(`${ROUNDS} rounds of kill -9 under load`, async () => {
  console.log(`# used seed ${seed} (LICET_SEED repeats it)`);
  const pages = Array.from({ length: 101 }, (_, n) => page(n));
  const upstream = await Upstream.start((request, response, url) => {
    const n = Number(url.searchParams.get('max_results'));
    setTimeout(() => send(response, pages[n], { chunk: n % 4 === 0 ? 2000 : 0 }), n % 5);
  });
  const certs = await certificates(['127.0.0.1']);
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a', 'b'], workers: 2, tls: certs,
    agreement: { limits: ['{ clause: CAP, unit: post, most: 3_000_000_000, per: month, over: licensee }'], clauses: { CAP: { section: '2', says: 'A cap' } } } });
  await site.start();
  const asked = new Map();
  let running = true, received = 0, failed = 0, streams = 0, n = 0;
  const note = async (label, most, answer) => {
    asked.set(label, { ...answer, most });
    received += answer.units;
    if (!answer.whole) { failed++; await sleep(20); }
  };
  const next = (i) => { const most = 1 + Math.floor(Math.random() * 100); return { label: `r${i}-${n++}`, most, path: `/2/tweets/search/recent?max_results=${most}`, app: i % 2 ? 'a' : 'b' }; };
  const client = async (i) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (running) {
      const { label, most, path, app } = next(i);
      await note(label, most, await ask(site, label, { path, app, agent }));
    }
    agent.destroy();
  };
  const session2 = async (i) => {
    while (running) {
      const session = http2.connect(`https://127.0.0.1:${site.tlsPort}`, { ca: certs.ca });
      session.on('error', () => {});
      await new Promise((done) => { session.once('connect', done); session.once('close', done); });
      while (running && !session.closed && !session.destroyed) {
        const batch = Array.from({ length: 4 }, () => next(i));
        await Promise.all(batch.map(async ({ label, most, path, app }) => await note(label, most, await askStream(site, session, label, { path, app }))));
        streams += batch.length;
      }
      session.destroy();
      await sleep(10);
    }
  };
  const clients = Promise.all([...Array.from({ length: 8 }, (_, i) => client(i)), ...Array.from({ length: 2 }, (_, i) => session2(8 + i))]);
  const killed = {};
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(150 + random(400));
    const what = ['licetd', 'worker', 'nginx', 'signer', 'worker'][random(5)];
    killed[what] = (killed[what] ?? 0) + 1;
    if (what === 'licetd') {
      killIt(site.recorder.pid);
      await site.recorder.ended;
      await sleep(random(200));
      await site.startRecorder();
    } else if (what === 'signer') {
      const { stdout } = await run('pgrep', ['-P', String(site.recorder.pid)]);
      for (const pid of stdout.split('\n').filter(Boolean)) killIt(Number(pid));
    } else if (what === 'worker') {
      const workers = await site.workers();
      if (workers.length > 0) killIt(workers[random(workers.length)]);
    } else {
      for (const pid of [site.nginx.pid, ...(await site.workers())]) killIt(pid);
      await site.nginx.ended;
      await site.startNginx();
    }
  }
  await sleep(500);
  running = false;
  await clients;
  const { charged } = await books(site, asked);
  assert(charged >= received, `${charged} charged, ${received} received`);
  const status = await statusOf(site);
  for (const { ledger, size, signed } of status.ledgers) assert.equal(signed, size, `${ledger}: what a killed signer did not sign is signed`);
  console.log(`# used ${asked.size} requests (${streams} over HTTP/2), ${received} posts, ${failed} not whole, killed ${JSON.stringify(killed)}`);
  assert(asked.size > ROUNDS * 10, 'the load was a load');
  await site.stop({ alerts: false }); // nginx itself logs an alert for each worker that was killed
  await upstream.stop();
});
