// SPDX-License-Identifier: Apache-2.0
// No slot is free, or a ring is full: what cannot_record says happens, per agreement, and all goes on when there is room again.
// 128 streams of HTTP/2 meet a worker with 16 slots; refusals fill a receipt ring that nobody drains.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { story, Site, sleep } from './lib/site.mjs';
import { ask, askStream, books, quiet } from './lib/books.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { certificates } from './lib/tls.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const SLOTS = 16, STREAMS = 128, RING = 4096;

async function start(cannotRecord) {
  // What says wait is held until the others of its burst were answered.
  const held = [];
  const upstream = await Upstream.start((request, response, url) => {
    const answer = () => send(response, page(Number(url.searchParams.get('max_results'))));
    if (url.searchParams.has('wait')) held.push(answer); else answer();
  });
  const certs = await certificates(['127.0.0.1']);
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 1, tls: certs, settings: [`slots: ${SLOTS}`],
    agreement: { cannotRecord, limits: ['{ clause: CAP, unit: post, most: 5_000_000, per: month, over: licensee }'], clauses: { CAP: { section: '2', says: 'A cap' } } } });
  await site.start();
  const asked = new Map();
  let n = 0;
  /** So many streams of one session at once. */
  const burst = async (streams, { wait = false, headers = {} } = {}) => {
    const session = http2.connect(`https://127.0.0.1:${site.tlsPort}`, { ca: certs.ca });
    await new Promise((done, fail) => { session.once('remoteSettings', done); session.once('error', fail); });
    let answered = 0;
    const release = (async () => {
      while (wait && answered + held.length < streams) await sleep(10);
      for (const answer of held.splice(0)) answer();
    })();
    const answers = await Promise.all(Array.from({ length: streams }, async () => {
      const label = `b${n++}`, answer = await askStream(site, session, label, { path: `/2/tweets/search/recent?max_results=10${wait ? '&wait' : ''}`, headers });
      answered++;
      asked.set(label, { ...answer, most: 10 });
      return answer;
    }));
    await release;
    session.close();
    return (status) => answers.filter((answer) => answer.status === status && answer.whole).length;
  };
  return { site, upstream, asked, burst };
}

const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);

// What nobody counts is taken for the largest page of its endpoint: 100.
for (const [name, cannotRecord, through, rounds] of [['refuse', 'refuse', 0, 1], ['allow', '{ allow: 300 posts, per: outage }', 3, 2], ['open', 'open', STREAMS - SLOTS, 1]]) {
  story(`128 streams, 16 slots, cannot_record ${name}`, async () => {
    const { site, upstream, asked, burst } = await start(cannotRecord);
    for (let round = 1; round <= rounds; round++) {
      if (round > 1) await sleep(5000); // what is used up for an outage is whole again after it
      const count = await burst(STREAMS, { wait: true });
      assert.equal(count(200), SLOTS + through, `round ${round}: those with a slot, and ${through} without`);
      assert.equal(count(503), STREAMS - SLOTS - through);
      const after = await burst(SLOTS);
      assert.equal(after(200), SLOTS, 'there is room again');
    }
    await quiet(site);
    await site.sync();
    const receipts = await site.receipts(), gaps = (await site.report()).gaps;
    assert.equal(receipts.filter((receipt) => receipt.verdict === 'allow').length, 2 * rounds * SLOTS, 'each slot had its receipt');
    assert.equal(sum(gaps, (gap) => gap.requests ?? 0), rounds * through, 'and what had none lies in gaps');
    assert.equal(sum(gaps, (gap) => gap.units?.post ?? 0), rounds * through * 100);
    if (!through) await books(site, asked);
    await site.verify();
    await site.stop();
    await upstream.stop();
  });
}

story('a receipt ring that nobody drains fills up', async () => {
  const { site, upstream, burst } = await start('refuse');
  process.kill(site.recorder.pid, 'SIGSTOP');
  let refused = 0;
  for (let i = 0; i < RING / STREAMS + 2; i++) refused += (await burst(STREAMS, { headers: { 'licet-purpose': 'train-ai', 'licet-recipient': 'nobody' } }))(403);
  assert.equal(refused, (RING / STREAMS + 2) * STREAMS, 'who is refused is refused, recorded or not');
  assert.equal((await ask(site, 'full', { path: '/2/tweets/search/recent?max_results=10' })).status, 503, 'no room for a receipt');
  process.kill(site.recorder.pid, 'SIGCONT');
  await site.until('it goes on', async () => (await ask(site, `again-${Date.now()}`, { path: '/2/tweets/search/recent?max_results=10' })).status === 200);
  await quiet(site);
  await site.sync();
  const report = await site.report();
  assert.equal(report.totals.requests.refused, RING, 'what was in the ring is recorded, all of it, once');
  await site.verify();
  await site.stop();
  await upstream.stop();
});
