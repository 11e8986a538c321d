// SPDX-License-Identifier: Apache-2.0
// What is watched is what is recorded: after a mix of everything the counters of /metrics are the sums of the ledger, in three
// formats that Prometheus' own parser takes; what was refused while nothing could be recorded is counted too, in metric,
// ledger and report alike; a restart begins anew; nothing falls while licetd lives.
import assert from 'node:assert/strict';
import http from 'node:http';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { story, Site, freePort, root, run, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const ask = (options) => new Promise((done, fail) => http.get(options, (response) => {
  let body = '';
  response.on('data', (chunk) => { body += chunk; });
  response.on('end', () => done({ status: response.statusCode, type: response.headers['content-type'], body }));
}).on('error', fail));

/** Samples of a page: name{labels in order} to value. */
const samples = (text) => new Map(text.split('\n').filter((l) => l && !l.startsWith('#')).map((l) => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))]));
const tally = (list, key) => list.reduce((sums, item) => sums.set(key(item), (sums.get(key(item)) ?? 0) + 1), new Map());

story('the counters are the sums of the ledger', async () => {
  const upstream = await Upstream.start((request, response, url) => {
    const n = Number(url.searchParams.get('max_results') ?? 10);
    if (url.pathname === '/any/broken') return send(response, Buffer.from('{"data":[1,2,'));
    if (url.pathname === '/any/text') return send(response, Buffer.from('hello'), { type: 'text/plain' });
    if (url.pathname === '/any/gone') return send(response, Buffer.from('{}'), { status: 404 });
    if (url.pathname === '/any/slow') return setTimeout(() => send(response, page(1)), 700);
    send(response, page(n));
  });
  const metricsPort = await freePort();
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a', 'b'], workers: 2,
    settings: ['slots: 16', `metrics: 127.0.0.1:${metricsPort}`] });
  await site.start();
  const socketPath = join(site.dir, 'data/metrics.sock');
  const scrape = async () => samples((await ask({ socketPath, path: '/metrics' })).body);
  const first = (await ask({ socketPath, path: '/metrics' })).body;

  for (let i = 0; i < 40; i++) {
    const app = i % 3 ? 'a' : 'b';
    await site.request(app, `/2/tweets/search/recent?max_results=${1 + i}`);
    if (i % 4 === 0) await site.request('nobody-knows-this', '/2/tweets/search/recent');
    if (i % 8 === 0) await site.request(null, '/2/tweets/search/recent');
    if (i % 5 === 0) await site.request(app, '/2/stream', { headers: { 'licet-purpose': 'train-ai' } });
    if (i % 10 === 0) for (const name of ['broken', 'text', 'gone']) await site.request(app, `/any/${name}`);
  }
  await site.until('nothing is under way', async () => JSON.parse((await site.operator('GET', '/status')).body).under_way === 0);
  await site.sync();

  const compare = async () => {
    const receipts = await site.receipts(), now = await scrape();
    const passed = receipts.filter((r) => r.verdict !== 'refuse'), refused = receipts.filter((r) => r.verdict === 'refuse');
    const expect = (family, sums) => {
      const got = new Map([...now].filter(([name, value]) => name.startsWith(`${family}{`) && value > 0));
      assert.deepEqual([...got].sort(), [...sums].map(([labels, value]) => [`${family}{${labels}}`, value]).filter(([, value]) => value > 0).sort());
    };
    expect('licet_receipts_total', tally(passed, (r) => `agreement="T-1",verdict="${r.verdict}",ending="${r.ending}"`));
    expect('licet_refusals_total', tally(refused, (r) => `agreement="T-1",reason="${r.reason}"`));
    expect('licet_unmetered_responses_total', tally(passed.filter((r) => r.unmetered), (r) => `reason="${r.unmetered}"`));
    expect('licet_delivered_bytes_total', [['agreement="T-1"', passed.reduce((sum, r) => sum + r.bytes, 0)]]);
    const units = new Map();
    for (const r of passed) for (const [unit, n] of Object.entries(r.units)) if (!unit.includes(':') && unit !== 'byte-acked') units.set(unit, (units.get(unit) ?? 0) + n);
    const report = await site.report();
    units.set('request', passed.filter((r) => r.status === 200).length); // tail does not tell it; a 404 counts none
    expect('licet_units_total', [...units].map(([unit, n]) => [`agreement="T-1",unit="${unit}"`, n]));
    expect('licet_unidentified_requests_total', report.unidentified.reasons.map((r) => [`reason="${r.reason}"`, r.requests]));
    expect('licet_refusals_without_receipt_total', report.unrecorded_refusals.reasons.map((r) => [`agreement="T-1",reason="${r.reason}"`, r.requests]));
    assert.equal(now.get('licet_ledger_entries{ledger="T-1"}'), report.evidence.size);
    assert.equal(now.get('licet_checkpoint_entries{ledger="T-1"}'), report.evidence.size);
    return { receipts, report };
  };
  const { report } = await compare();
  assert.equal(report.unidentified.requests, 15);
  assert.equal(report.refusals.filter((r) => !r.would_be).reduce((sum, r) => sum + r.requests, 0), 8);

  // More at once than there are slots: the rest is refused without a receipt, and counted.
  const agent = new http.Agent({ maxSockets: 64 });
  const answers = await Promise.all(Array.from({ length: 64 }, () => site.request('a', '/any/slow', { agent })));
  agent.destroy();
  for (const a of answers.filter((b) => b.status !== 200)) assert.match(a.body.toString(), /urn:licet:problem:cannot-record/);
  const unrecorded = answers.filter((a) => a.status === 503).length;
  assert(unrecorded >= 32, `only ${unrecorded} refusals could not be recorded`);
  await site.until('nothing is under way', async () => JSON.parse((await site.operator('GET', '/status')).body).under_way === 0);
  await site.sync();
  assert.equal((await compare()).report.unrecorded_refusals.requests, unrecorded);
  await site.verify();

  // Three formats, on the socket, through nginx and by the command; Prometheus' parser judges them.
  const page1 = await ask({ host: '127.0.0.1', port: metricsPort, path: '/metrics' });
  assert.match(page1.type, /^text\/plain; version=0\.0\.4/);
  assert.equal((await ask({ host: '127.0.0.1', port: metricsPort, path: '/2/tweets/search/recent' })).status, 404);
  assert.equal((await ask({ host: '127.0.0.1', port: site.port, path: '/metrics' })).status, 401, 'not on the address that clients use');
  const open = await ask({ socketPath, path: '/metrics', headers: { accept: 'application/openmetrics-text; version=1.0.0' } });
  assert.match(open.type, /^application\/openmetrics-text; version=1\.0\.0/);
  const json = await site.must(['metrics', site.dir, '--json']);
  const text = await site.must(['metrics', site.dir]);
  const file = async (name, body) => { await writeFile(join(site.folder, name), body); return join(site.folder, name); };
  const judged = await run(join(root, 'tests/metrics.py'), [await file('text', text.stdout), await file('open', open.body), await file('json', json.stdout), await file('first', first)]);
  assert.equal(judged.code, 0, judged.stdout + judged.stderr);
  console.log(`# used ${judged.stdout.trim()}, ${unrecorded} refusals without a receipt`);
  assert.equal((await ask({ socketPath, path: '/status' })).status, 404, 'nothing but /metrics there');

  // Another process begins anew, and says since when.
  const began = (await scrape()).get('process_start_time_seconds');
  await site.kill(site.recorder, 'SIGTERM');
  const none = await site.licet(['metrics', site.dir]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /licetd does not run for this site/);
  await sleep(50);
  await site.startRecorder();
  const anew = await scrape();
  assert(anew.get('process_start_time_seconds') > began);
  assert.equal(anew.get('licet_receipts_total{agreement="T-1",verdict="allow",ending="complete"}'), 0);
  await site.stop();
  await upstream.stop();
});
