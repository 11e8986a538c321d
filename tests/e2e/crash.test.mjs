// SPDX-License-Identifier: Apache-2.0
// The crash matrix: a worker of the real nginx dies at each numbered step (docs/format/gate.md, section 6) of each of its
// ways; nginx starts another worker, licetd adopts what the dead one left, and the books are right (lib/books.mjs).
//
// Every passage of every step, but under sanitizers only the last passage of each, unless LICET_STEPS_ALL is set (make nightly).
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { story, Site } from './lib/site.mjs';
import { ask, books, quiet, statusOf } from './lib/books.mjs';
import { Steps, WORKER } from './lib/steps.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const ALL = Boolean(process.env.LICET_STEPS_ALL) || !/asan/.test(process.env.LICET_BUILD ?? '');

/** What a worker is asked; each for every step that it passes. */
const ways = [
  { name: 'allowed', path: '/2/tweets/search/recent?max_results=5', status: 200, units: 5 },
  { name: 'topped-up', path: '/any/outgrown', status: 200, units: 250, pieces: true },
  { name: 'refused', path: '/2/tweets/search/recent?max_results=5', headers: { 'licet-purpose': 'train-ai' }, status: 403, units: 0 },
  { name: 'spent', path: '/2/stream', status: 429, units: 0 },
  { name: 'chunked', path: '/2/tweets/search/recent?max_results=90&chunk=4000', status: 200, units: 90, pieces: true },
  { name: 'aborted', path: '/2/tweets/search/recent?max_results=99&slow=1', stop: 2000, status: 200, pieces: true },
];

const passages = (times) => (ALL ? Array.from({ length: times }, (_, i) => i + 1) : [times]);

async function start() {
  const big = page(250);
  const upstream = await Upstream.start((request, response, url) => {
    if (url.pathname === '/any/outgrown') return send(response, big, { chunk: 20000 });
    const body = page(Number(url.searchParams.get('max_results') ?? 1));
    if (!url.searchParams.get('slow')) return send(response, body, { chunk: Number(url.searchParams.get('chunk') ?? 0) });
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length });
    response.write(body.subarray(0, 6000));
    const more = setTimeout(() => response.end(body.subarray(6000)), 300);
    response.on('close', () => clearTimeout(more));
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 1, steps: true,
    agreement: { limits: ['{ clause: CAP, unit: post, most: 5_000_000, per: month, over: licensee }',
      '{ clause: CAP, unit: request, most: 1_000_000, per: month, over: app }',
      '{ clause: SPENT, unit: request, most: 0, per: day, over: licensee, endpoints: [stream] }'],
    clauses: { CAP: { section: '2', says: 'A cap' }, SPENT: { section: '3', says: 'Not this way' } } } });
  const steps = await Steps.make(join(site.folder, 'steps'));
  site.env = { LICET_STEPS: steps.path };
  await site.start();
  return { site, steps, upstream };
}

story('a worker dies at each step of each of its ways', async () => {
  const { site, steps, upstream } = await start();
  const asked = new Map();
  let deaths = 0;
  for (const way of ways) {
    const most = way.units ?? 99;
    await site.until('a worker is there', async () => (await statusOf(site)).workers === 1);
    steps.zero();
    const answer = await ask(site, `${way.name}-whole`, way);
    assert.equal(answer.status, way.status, way.name);
    asked.set(`${way.name}-whole`, { ...answer, most });
    await quiet(site);
    const counts = steps.counts(WORKER).filter(([number]) => number < 30);
    assert(counts.length > 8, `steps are counted: ${counts}`);
    for (const [number, times] of counts) {
      for (const passage of passages(times)) {
        const label = `${way.name}-${number}-${passage}`, before = steps.deaths();
        await site.until('areas are adopted as fast as workers die', async () => (await statusOf(site)).workers < 12);
        steps.arm(WORKER, number, passage);
        const { units } = await ask(site, label, way);
        // What the log phase does may come after the client has everything. How often a body that comes in pieces passes a
        // step depends on the pieces.
        await site.until(`${label}: a worker dies at ${steps.names.get(number)}`, async () => steps.deaths() > before, way.pieces ? 1000 : 120000).then(() => { deaths++; }, (error) => {
          steps.disarm();
          if (!way.pieces || passage === 1) throw error;
        });
        asked.set(label, { units, most });
      }
    }
  }
  await books(site, asked);
  const after = await ask(site, 'after', ways[0]);
  assert.equal(after.units, 5, 'and it goes on');
  console.log(`# used ${deaths} deaths of a worker`);
  steps.close();
  await site.stop({ alerts: false });
  await upstream.stop();
});
