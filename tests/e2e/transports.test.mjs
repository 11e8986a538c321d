// SPDX-License-Identifier: Apache-2.0
// The same page over each transport gives the same receipt: HTTP/1.1 and HTTP/2, plain and TLS, identity and chunked,
// keep-alive, HEAD, refusals as problem documents; and what the API of the licensee shows of it.
import assert from 'node:assert/strict';
import { story, Site, grossOf, rowOf, run } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import { certificates } from './lib/tls.mjs';
import * as catalogue from './lib/catalogue.mjs';

story('transports, headers, problems, the licensee’s API', async () => {
  const upstream = await Upstream.start((request, response, url) => {
    if (url.pathname === '/missing') return send(response, Buffer.from('{"title":"Not Found"}'), { status: 404 });
    send(response, page(20), { chunk: url.searchParams.get('chunk') ? 777 : 0, headers: { 'licet-decision': 'not-mine', 'x-rate-limit-remaining': '7' } });
  });
  const certs = await certificates(['127.0.0.1', 'localhost']);
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a', 'b'], tls: certs, workers: 2,
    agreement: { limits: ['{ clause: RATE, unit: request, most: 1000, per: hour, over: app }', '{ clause: CAP, unit: post, most: 5000, per: month, over: licensee }'],
      clauses: { RATE: { section: '3', says: 'A rate' }, CAP: { section: '2', says: 'A cap' } } } });
  await site.start();
  const plain = `http://127.0.0.1:${site.port}`, secure = `https://localhost:${site.tlsPort}`;
  const path = '/2/tweets/search/recent?max_results=20';
  let posts = 0;
  const expected = page(20);
  for (const [base, flags] of [[plain, ['--http1.1']], [plain, ['--http1.0']], [secure, ['--http1.1']], [secure, ['--http2']]]) {
    for (const chunk of ['', '&chunk=1']) {
      const result = await run('curl', ['-sS', '-i', ...flags, '--cacert', certs.caFile, '-H', `Authorization: Bearer ${site.keys.a}`, base + path + chunk]);
      assert.equal(result.code, 0, result.stderr);
      const text = result.raw.toString();
      assert.match(text, /^HTTP\/[\d.]+ 200/);
      assert.match(text, /\r\nlicet-decision: [0-9a-f]{32}\r\n/i);
      assert(!/not-mine/.test(text), 'what the upstream says as Licet- does not reach the client');
      assert.match(text, /\r\nratelimit-policy: .*"CAP";q=5000;w=\d+;licet-unit="post"/i);
      assert.match(text, /\r\nratelimit: .*"CAP";r=\d+;t=\d+/i);
      assert.match(text, /\r\nx-rate-limit-remaining: 7\r\n/i);
      assert(result.raw.subarray(result.raw.indexOf('\r\n\r\n') + 4).equals(expected));
      posts += 20;
    }
  }
  const head = await site.request('a', path, { method: 'HEAD' });
  assert.equal(head.status, 200);
  await site.sync();
  assert((await site.receipts()).some((r) => r.ending === 'no body due' && r.endpoint === 'search' && !r.units.post), 'HEAD is judged as the GET it stands for');
  assert.equal((await site.request('a', '/missing')).status, 404);

  const keyed = await site.request(null, path, { headers: { 'x-api-key': site.keys.b } });
  assert.equal(keyed.status, 401, 'a bearer token is no API key');

  const problem = async (app, headers, status, type) => {
    const answer = await site.request(app, path, { headers });
    assert.equal(answer.status, status, answer.body.toString());
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    const body = JSON.parse(answer.body);
    assert(body.type.endsWith(type), body.type);
    assert.equal(body.status, status);
    assert(body.title && body.detail);
    return { answer, body };
  };
  const missing = await problem(null, {}, 401, 'credential-missing');
  assert.match(missing.answer.headers['www-authenticate'], /^Bearer/);
  await problem('nobody', {}, 401, 'credential-unknown');
  const forbidden = await problem('b', { 'licet-purpose': 'train-ai' }, 403, 'purpose-forbidden');
  assert.equal(forbidden.body.clause, 'NO-TRAIN');
  assert.equal(forbidden.body.agreement, site.agreement);
  assert.equal(forbidden.body.in_force_from.slice(0, 10), '2020-01-01');
  assert.match(forbidden.body.decision, /^[0-9a-f]{32}$/);
  await problem('b', { 'licet-purpose': 'astrology' }, 403, 'purpose-not-named');
  await problem('b', { 'licet-use-case': 'UC-none' }, 403, 'use-case-unknown');
  assert(upstream.seen.every(({ headers }) => !Object.keys(headers).some((name) => name.startsWith('licet-'))));

  const report = await site.report();
  assert.equal(grossOf(rowOf(report.apps, 'a')), posts);
  assert.equal(grossOf(rowOf(report.apps, 'b')), 0);
  assert.equal(rowOf(report.apps, 'b').requests.refused, 3);
  for (const list of [report.apps, report.products, report.purposes, report.use_cases, report.flows, report.months]) {
    assert.equal(list.reduce((sum, row) => sum + grossOf(row), 0), grossOf(report.totals), 'each list adds up to the total');
    assert.equal(list.reduce((sum, row) => sum + row.requests.delivered, 0), report.totals.requests.delivered);
  }

  const api = async (app, name) => await site.request(app, `/.well-known/licet/${name}`);
  assert.equal((await api(null, 'usage')).status, 401);
  const agreement = JSON.parse((await api('a', 'agreement')).body);
  assert.equal(agreement.id, site.agreement);
  const usage = await api('a', 'usage');
  assert.equal(usage.status, 200);
  assert(usage.body.includes('"post"'));
  const receipts = (await api('a', 'receipts')).body.toString().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert(receipts.length >= 8);
  const checkpoint = (await api('a', 'ledger/checkpoint')).body.toString();
  const [origin, size] = checkpoint.split('\n');
  assert(origin.endsWith(`/${site.agreement}`));
  assert.equal(Number(size), report.evidence.size);
  const tile = await api('a', `ledger/tile/0/000.p/${size}`);
  assert.equal(tile.body.length, 32 * Number(size));
  assert.equal((await api('a', 'ledger/tile/0/00')).status, 404);
  await site.verify();
  await site.stop();
  await upstream.stop();
});
