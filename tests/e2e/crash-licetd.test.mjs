// SPDX-License-Identifier: Apache-2.0
// The crash matrix of licetd: it dies at each numbered step of its own (docs/format/gate.md, section 6) while requests go on,
// and is started again. No request fails for that (but those of a worker that is killed for it to adopt), and the books are
// right (lib/books.mjs).
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import http from 'node:http';
import { story, Site, sleep } from './lib/site.mjs';
import { ask, books, quiet, statusOf } from './lib/books.mjs';
import { Steps, WORKER, LICETD } from './lib/steps.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const ALL = Boolean(process.env.LICET_STEPS_ALL);
const THIN = /asan/.test(process.env.LICET_BUILD ?? '') && !ALL;
const passages = ALL ? [1, 2, 5] : [1];

async function start({ cannotRecord = 'refuse', settings = [], workers = 2 } = {}) {
  const upstream = await Upstream.start((request, response, url) => {
    const n = Number(url.searchParams.get('max_results') ?? 1);
    setTimeout(() => send(response, page(n)), Number(url.searchParams.get('wait') ?? n % 7));
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers, steps: true, settings,
    agreement: { cannotRecord, limits: ['{ clause: CAP, unit: post, most: 5_000_000, per: month, over: licensee }',
      '{ clause: CAP, unit: request, most: 1_000_000, per: month, over: app }'], clauses: { CAP: { section: '2', says: 'A cap' } } } });
  const steps = await Steps.make(join(site.folder, 'steps'));
  site.env = { LICET_STEPS: steps.path };
  await site.start();
  return { site, steps, upstream };
}

/** Clients that go on until stop() is called. */
function load(site, asked, clients) {
  const state = { running: true, failed: [], mayFail: 0, n: 0 };
  const client = async (i) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (state.running) {
      const label = `r${i}-${state.n++}`, most = 1 + (state.n * 7) % 40, excused = state.mayFail > 0;
      const answer = await ask(site, label, { path: `/2/tweets/search/recent?max_results=${most}`, agent });
      asked.set(label, { ...answer, most });
      if (!answer.whole && !(excused || state.mayFail > 0)) state.failed.push(`${label}: ${answer.status}`);
      await sleep(5);
    }
    agent.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, (_, i) => client(i)));
  return { state, stop: async () => { state.running = false; await all; } };
}

/** licetd dies at a step that something brings about, and is started again. */
async function dies(site, steps, number, passage, bring = async () => {}) {
  const before = steps.deaths();
  steps.arm(LICETD, number, passage);
  await bring();
  await site.until(`licetd dies at ${steps.names.get(number)} (step ${number}, passage ${passage})`, async () => steps.deaths() > before);
  await site.recorder.ended;
  await site.startRecorder();
}

story('licetd dies at each of its steps while requests go on', async () => {
  const { site, steps, upstream } = await start();
  const asked = new Map(), { state, stop } = load(site, asked, 4);
  const numbers = [...steps.names.keys()].filter((n) => n >= 55 && n < 73 && steps.names.get(n) !== 'RECOUNTED');
  let deaths = 0;
  for (const number of numbers) {
    for (const passage of passages) {
      // More is lent at a start at least.
      const bring = number >= 70 ? async () => { await site.kill(site.recorder, 'SIGKILL'); site.recorder = site.start_('licetd', join(site.programs, 'licetd'), [site.dir], site.env); } : undefined;
      await dies(site, steps, number, number >= 62 ? 1 : passage, bring);
      deaths++;
    }
  }
  assert.deepEqual(state.failed, [], 'no request failed');
  // A worker dies in the middle of an answer, licetd while it adopts what is left.
  for (const number of [...steps.names.keys()].filter((n) => (n >= 22 && n <= 29 && n !== 26 && n !== 27) || (n >= 50 && n < 53))) {
    if (THIN && number % 2) continue;
    state.mayFail++;
    await dies(site, steps, number, 1, async () => {
      const victim = (await site.workers())[0];
      const slow = ask(site, `slow-${number}`, { path: '/2/tweets/search/recent?max_results=9&wait=400' }).then((answer) => asked.set(`slow-${number}`, { ...answer, most: 9 }));
      await sleep(50);
      for (const worker of await site.workers()) process.kill(worker, 'SIGKILL');
      assert(victim > 0);
      await slow;
    });
    deaths++;
    await sleep(100);
    state.mayFail--;
  }
  await site.until('the load was a load', () => asked.size > 200);
  await stop();
  // A hold that leaked, and a licetd that dies right after it gave it back.
  await quiet(site);
  const before = steps.deaths();
  steps.arm(WORKER, 26, 1);
  asked.set('leak', { ...(await ask(site, 'leak', { path: '/2/tweets/search/recent?max_results=9' })), most: 9 });
  await site.until('a worker dies', () => steps.deaths() > before); // it may do so when the client has everything
  await dies(site, steps, 73, 1);
  await books(site, asked);
  console.log(`# used ${deaths + 1} deaths of licetd, ${asked.size} requests, ${(await statusOf(site)).journal} journal entries`);
  steps.close();
  await site.stop({ alerts: false });
  await upstream.stop();
});

story('licetd dies while it records what went up without a slot', async () => {
  const { site, steps, upstream } = await start({ cannotRecord: 'open', settings: ['slots: 16'], workers: 1 });
  const asked = new Map();
  let most = 0, open = 0;
  for (const number of [74, 75, 76]) {
    await dies(site, steps, number, 1, async () => {
      const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => {
        const label = `${number}-${i}`;
        return ask(site, label, { path: '/2/tweets/search/recent?max_results=10&wait=700' }).then((answer) => [label, answer]);
      }));
      for (const [, answer] of answers) assert.equal(answer.units, 10, 'all are answered');
      most += 24 * 10;
    });
  }
  await quiet(site);
  await site.sync();
  const recorded = (await site.receipts()).reduce((sum, receipt) => sum + (receipt.units?.post ?? 0), 0);
  const report = await site.report();
  const gaps = report.gaps.reduce((sum, gap) => sum + (gap.units?.post ?? 0), 0), requests = report.gaps.reduce((sum, gap) => sum + (gap.requests ?? 0), 0);
  open = most - recorded;
  assert(open > 0, 'some went up without a slot');
  assert(gaps >= open, `what has no receipt lies in gaps: ${open} posts, gaps ${gaps}`);
  assert(requests >= open / 10 && requests <= 2 * open / 10, `a death tells them twice at most: ${open / 10} requests, gaps tell ${requests}`);
  for (const counter of (await statusOf(site)).counters) {
    if (counter.unit === 'post') assert(counter.taken >= most, `what went up is charged: ${JSON.stringify(counter)}`);
  }
  await site.verify();
  steps.close();
  await site.stop({ alerts: false });
  await upstream.stop();
});

story('licetd dies while it replaces the shared memory', async () => {
  const { site, steps, upstream } = await start();
  const asked = new Map(), { state, stop } = load(site, asked, 4);
  const yaml = join(site.dir, 'licet.yaml'), text = await readFile(yaml, 'utf8');
  let slots = 1024;
  for (const number of [...steps.names.keys()].filter((n) => n >= 80 && steps.names.get(n) !== 'LENT_ON')) {
    slots = slots === 1024 ? 512 : 1024;
    await writeFile(yaml, text.replace(/^slots:.*\n/m, '') + `slots: ${slots}\n`);
    await dies(site, steps, number, 1, async () => {
      await site.kill(site.recorder, 'SIGKILL');
      site.recorder = site.start_('licetd', join(site.programs, 'licetd'), [site.dir], site.env);
    });
    await site.until('only one file is left', async () => (await statusOf(site)).workers === 2 && !/is drained from/.test(site.recorder.said.split('is drained\n').pop()), 10000);
    await sleep(300);
  }
  await stop();
  assert.deepEqual(state.failed, [], 'no request failed');
  await books(site, asked, { exact: [] });
  console.log(`# used ${asked.size} requests, epoch ${(await statusOf(site)).epoch}`);
  steps.close();
  await site.stop({ alerts: false });
  await upstream.stop();
});
