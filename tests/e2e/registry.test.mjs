// SPDX-License-Identifier: Apache-2.0
// Credentials over time, while traffic runs: a token is replaced with an overlap and no request fails; a revocation acts on
// the next request, and on the next buffer of a response under way; a use case is approved and withdrawn without restart; who
// did what is in the ledger as records.
import assert from 'node:assert/strict';
import http from 'node:http';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const SEARCH = '/2/tweets/search/recent?max_results=10';
const AS = ['--as', 'A. Poe, operations'];

/** A response that tells of each chunk as it comes; ended: how it ended. */
function stream(site, key) {
  const got = { bytes: 0 };
  got.ended = new Promise((done) => {
    const request = http.request({ host: '127.0.0.1', port: site.port, path: SEARCH, headers: { authorization: `Bearer ${key}` } }, (response) => {
      got.status = response.statusCode;
      response.on('data', (chunk) => { got.bytes += chunk.length; });
      response.on('aborted', () => done('aborted'));
      response.on('error', () => done('aborted'));
      response.on('end', () => done('whole'));
    }).on('error', () => done('aborted'));
    request.end();
  });
  return got;
}

story('rotation and revocation under traffic', async () => {
  const slow = [];
  const upstream = await Upstream.start((request, response, url) => {
    if (slow.wanted !== true) return send(response, page(Number(url.searchParams.get('max_results'))));
    slow.wanted = false;
    const body = page(10), half = Math.floor(body.length / 2);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(body.subarray(0, half));
    slow.push(() => response.end(body.subarray(half)));
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a', 'b'], workers: 2 });
  await site.start();
  let running = true, served = 0;
  const client = async () => {
    while (running) {
      const answer = await site.request('b', SEARCH);
      assert.equal(answer.status, 200, answer.body.toString());
      served++;
    }
  };
  const clients = Promise.all([client(), client()]);

  const made = JSON.parse((await site.must(['credential', 'new', site.dir, 'a', '--id', 'K-new', '--json'])).stdout);
  await site.must(['apply', site.dir, '--reason', 'a new token of a', ...AS]);
  const old = site.keys.a;
  const list = JSON.parse((await site.must(['credential', 'list', site.dir, '--json'])).stdout).credentials;
  const oldId = list.find((c) => c.app === 'a' && c.id !== 'K-new').id;
  await site.must(['credential', 'end', site.dir, oldId, '--overlap', '1h']);
  await site.must(['apply', site.dir, '--reason', 'the old one ends in an hour', ...AS]);
  for (const key of [old, made.secret]) assert.equal((await site.request(key, SEARCH)).status, 200, 'both are valid while they overlap');

  running = false; // the stream is the next request to the upstream
  await clients;
  slow.wanted = true;
  const cut = stream(site, old);
  await site.until('the first half is there', async () => slow.length === 1 && cut.bytes > 0);
  slow.wanted = true;
  const whole = stream(site, made.secret);
  await site.until('the first half of the other', async () => slow.length === 2 && whole.bytes > 0);
  running = true;
  const more = Promise.all([client(), client()]);
  await site.must(['credential', 'end', site.dir, oldId]);
  await site.must(['apply', site.dir, '--reason', 'the old one is revoked', ...AS]);
  const refused = await site.request(old, SEARCH);
  assert.equal(refused.status, 401, 'the next request');
  assert.match(JSON.parse(refused.body).type, /credential-ended$/);
  assert.equal((await site.request(made.secret, SEARCH)).status, 200);
  await sleep(1500); // each worker has looked
  const before = cut.bytes;
  for (const go of slow) go();
  assert.equal(await cut.ended, 'aborted', 'a response of the revoked token is cut');
  assert.equal(cut.bytes, before, 'before its next buffer');
  assert.equal(await whole.ended, 'whole', 'another of the same app is not');
  running = false;
  await more;
  assert.ok(served > 0);

  await site.sync();
  const receipts = await site.receipts();
  const ended = receipts.filter((r) => r.ending === 'cut by revocation');
  assert.deepEqual(ended.map((r) => r.app), ['a']);
  assert.ok(!receipts.some((r) => r.ending !== 'complete' && r.verdict === 'allow' && r.ending !== 'cut by revocation'));
  await site.verify();
  await site.stop();
  await upstream.stop();
});

story('a use case lives without restart', async () => {
  const upstream = await Upstream.start((request, response, url) => send(response, page(Number(url.searchParams.get('max_results')))));
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a'], workers: 2 });
  await site.start();
  const file = join(site.dir, 'agreements', site.agreement, 'apps.yaml'), text = await readFile(file, 'utf8');
  const ask = async () => (await site.request('a', SEARCH, { headers: { 'licet-use-case': 'UC-new' } })).status;
  const steps = [];
  const step = async (state, who) => {
    steps.push(`{ state: ${state}, at: ${new Date().toISOString()}, by: ${who}, role: licensing }`);
    await writeFile(file, text.replace('use_cases:\n', `use_cases:\n  UC-new: { product: Product-a, purpose: display, life: [ ${steps.join(', ')} ] }\n`));
    await site.must(['apply', site.dir, '--reason', state, ...AS]);
    return ask();
  };
  assert.equal(await ask(), 403, 'nobody declared it');
  assert.equal(await step('draft', 'N. Ash'), 403);
  assert.equal(await step('submitted', 'N. Ash'), 403);
  assert.equal(await step('approved', 'J. Roe'), 200, 'approved: the next request');
  assert.equal(await step('changed', 'N. Ash'), 403, 'changed: not before it is approved anew');
  assert.equal(await step('approved', 'J. Roe'), 200);
  assert.equal(await step('withdrawn', 'J. Roe'), 403);
  await writeFile(file, text); // whoever tidies up is told that it stays
  const gone = await site.licet(['apply', site.dir, '--reason', 'tidy']);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /use case UC-new .*it was recorded, so it ends and is not taken away/);
  await site.must(['apply', site.dir, '--reason', 'tidy', '--remove', ...AS]);
  const report = await site.report();
  const approvals = report.registry.filter((r) => r.id === 'UC-new' && r.action === 'approved');
  assert.deepEqual(approvals.map((r) => [r.who, r.applied_by, r.back_dated]), [['J. Roe, licensing', 'A. Poe, operations', false], ['J. Roe, licensing', 'A. Poe, operations', false]], 'who approved outlives the file');
  await site.verify();
  await site.stop();
  await upstream.stop();
});
