// SPDX-License-Identifier: Apache-2.0
// Deduplication through the whole way: what is replayed is charged when it is delivered, credited a moment later, and shown
// both ways. A stream stops for 90 seconds and is taken up again with two minutes of backfill: 30 seconds of posts come twice.
import assert from 'node:assert/strict';
import { story, Site, sleep } from './lib/site.mjs';
import { Upstream } from './lib/upstream.mjs';

const name = 'replay-api@2020-01-01';
const text = `units: { post: { dedup: { by: id, per: month, over: licensee } } }
unlisted: record
endpoints:
  - id: stream
    match: GET /2/stream
    count: { post: "$.data" }
    ids: { post: "$.data.id" }
    page: { post: 160 }
`;

story('a 90 s gap and 2 min of backfill: 30 s of duplicates, both shown', async () => {
  const upstream = await Upstream.start((request, response, url) => { // one post a second
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    for (let second = Number(url.searchParams.get('from')); second < Number(url.searchParams.get('before')); second++) {
      response.write(`${JSON.stringify({ data: { id: String(1580000000000000000n + BigInt(second)), text: `post ${second}` } })}\n`);
    }
    response.end();
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: name, catalogueText: text, apps: ['reader', 'other'], workers: 2,
    agreement: { limits: ['{ clause: CAP, unit: post, count: deduplicated, most: 400, per: month, over: licensee }'], clauses: { CAP: { section: '2', says: 'Four hundred different posts a month' } } } });
  await site.start();
  const status = async () => JSON.parse((await site.operator('GET', '/status')).body);
  const credited = async (n) => site.until(`${n} credited`, async () => (await status()).credited === n);
  const stream = async (app, from, before) => {
    const answer = await site.request(app, `/2/stream?from=${from}&before=${before}`);
    assert.equal(answer.status, 200, answer.body.toString());
    assert.equal(answer.body.toString().trim().split('\n').length, before - from);
  };
  await stream('reader', 0, 100);
  await stream('reader', 70, 221); // at second 190 the last 120 seconds again, then on
  await credited(30);
  await site.until('the limit has them back', async () => (await status()).counters.some((c) => c.clause === 'CAP' && c.taken === 221));
  for (let i = 1; i <= 6; i++) { // gross far beyond the cap, and not one different post more
    await stream('other', 0, 150);
    await credited(30 + 150 * i);
  }
  await site.kill(site.recorder, 'SIGKILL').catch(() => {});
  await sleep(100);
  await site.startRecorder();
  await stream('other', 100, 200);
  await site.sync();
  const report = await site.report();
  const figures = ({ gross, deduplicated, billable }) => [gross, deduplicated, billable];
  assert.deepEqual(figures(report.totals.units.post), [251 + 6 * 150 + 100, 221, 221]);
  const of = (id) => report.apps.find((app) => app.id === id).units.post;
  assert.deepEqual(figures(of('reader')), [251, 221, 221]);
  assert.deepEqual(figures(of('other')), [1000, 0, 0]);
  await site.verify();
  await site.stop();
  await upstream.stop();
});
