// SPDX-License-Identifier: Apache-2.0
// The catalogues we ship, through nginx: pages of all four platforms, whole, a byte at a time and cut at random places, plain
// or compressed as the platform sends them, come as they are, and the ledger has what a plain parser finds in them. Ids are
// seen by what they are for: each page is asked for twice under a rule by which an id counts once, and half is credited.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { story, Site } from './lib/site.mjs';
import { Upstream } from './lib/upstream.mjs';
import { page, pagesOf, unitsOf } from './lib/pages.mjs';

const root = new URL('../..', import.meta.url).pathname;
const noise = 'rain "children":[{}] \\ \u2028 é 🌧';
const thing = (kind, i, more = {}) => ({ kind, data: { id: i.toString(36), name: `${kind}_${i.toString(36)}`, body: noise, ...more } });
const listed = (children) => ({ kind: 'Listing', data: { after: null, dist: children.length, children, before: null } });
const posts = (n, from = 0) => listed(Array.from({ length: n }, (_, i) => thing('t3', from + i, { media_embed: {} })));
const more = (name) => ({ kind: 'more', data: { count: 2, name: `t1_${name}`, id: name, children: ['aa', 'bb'] } });
const thread = [posts(1, 5000), listed([thing('t1', 1, { replies: listed([thing('t1', 2, { replies: '' }), more('aa')]) }), thing('t1', 3, { replies: '' }), more('cc')])];
const questions = (n) => ({ items: Array.from({ length: n }, (_, i) => ({ question_id: 11227809 + i, body: noise, owner: { user_id: 7 },
  answers: i ? undefined : [{ answer_id: 1, comments: [{ comment_id: 1 }] }, { answer_id: 2 }], comments: i ? undefined : [{ comment_id: 3 }] })), has_more: true, backoff: 10, quota_max: 10000, quota_remaining: 9989 });

const { pages: found } = await pagesOf();
const recorded = (group, path, most) => found.filter((p) => p.group === group && path(p) && p.body.length < 60000).slice(0, most).map((p) => JSON.parse(p.body));
const dataOf = (value) => unitsOf(value?.data);
// unit: the one that is deduplicated; pages: [path, body, unit → how many and their ids by a plain parser]
const PLATFORMS = {
  'x-api-v2@2022-10-10': { unit: 'post', pages: [JSON.parse(page(100)), ...recorded('x-v2', (p) => /searches|timeline\//.test(p.name), 8)]
    .map((body) => ['/2/tweets/search/recent?max_results=100', body, { post: dataOf(body), user: unitsOf(body.includes?.users) }, (Array.isArray(body.data) ? body.data : []).map((p) => p.id)]) },
  'mastodon@2023-01-01': { unit: 'status', pages: [Array.from({ length: 40 }, (_, i) => ({ id: String(117000000000000000n + BigInt(i)), content: noise })),
    ...recorded('mastodon', (p) => /^\/api\/v1\/timelines\/(home|public)$/.test(p.uri ?? ''), 12).filter(Array.isArray)]
    .map((body) => ['/api/v1/timelines/home?limit=40', body, { status: body.length }, body.map((s) => s.id)]) },
  'reddit@2023-07-01': { unit: 'thing', headers: 'x-ratelimit-used', pages: [
    ['/r/rain/new?limit=100', posts(100), { post: 100 }, []],
    ['/r/rain/comments/4x?depth=2', thread, { thing: 4, reply: 2 }, [...thread[0].data.children, ...thread[1].data.children].map((t) => t.data.name)],
    ['/search?q=rain&type=sr,link', [listed([thing('t5', 9)]), posts(2)], { thing: 3 }, ['t5_9', 't3_0', 't3_1']],
    ['/r/none/new', { message: 'Forbidden', error: 403 }, {}, [], 403]] },
  'stack-exchange@2023-01-01': { unit: 'question', gzip: true, pages: [
    ['/2.3/questions?pagesize=100&site=stackoverflow', questions(60), { question: 60, answer: 2, comment: 1, 'answer-comment': 1 }, questions(60).items.map((q) => String(q.question_id))],
    ['/2.3/questions/1;2?site=stackoverflow', questions(2), { question: 2, answer: 2, comment: 1, 'answer-comment': 1 }, questions(2).items.map((q) => String(q.question_id))],
    ['/2.3/questions?page=999', { error_id: 502, error_name: 'throttle_violation', error_message: 'too many requests' }, {}, [], 400]] },
};

for (const [name, { unit, headers, gzip, pages }] of Object.entries(PLATFORMS)) {
  story(`${name}: ${pages.length} pages, three ways each`, async () => {
    const text = (await readFile(join(root, `catalogue/${name}.yaml`), 'utf8')).replace(new RegExp(`^  ${unit}: \\{\\}`, 'm'), `  ${unit}: { dedup: { by: id, per: month, zone: UTC } }`);
    const sent = pages.map(([, value]) => Buffer.from(JSON.stringify(value))).map((body) => (gzip ? zlib.gzipSync(body) : body));
    const upstream = await Upstream.start((request, response) => {
      const [n, way] = request.headers['x-page'].split(':');
      const body = sent[n];
      response.writeHead(pages[n][4] ?? 200, { 'content-type': 'application/json; charset=utf-8', ...(gzip ? { 'content-encoding': 'gzip' } : {}) });
      if (way === 'whole') return response.end(body);
      // A byte at a time: the first 2,000, each a chunk of its own, then the rest. Cut: at forty random places.
      const places = way === 'bytes' ? Array.from({ length: Math.min(2000, body.length) }, (_, i) => i) : Array.from({ length: 40 }, () => Math.floor(Math.random() * body.length)).sort((a, b) => a - b);
      let last = 0;
      for (const at of [...places, body.length]) {
        if (at > last) response.write(body.subarray(last, at));
        last = at;
      }
      response.end();
    });
    const site = await Site.make({ upstream: upstream.url, catalogue: name, catalogueText: text, workers: 2, extraLocation: 'proxy_buffering off;',
      agreement: { limits: ['{ clause: RATE, unit: request, most: 1000, per: 10m, over: app }'], clauses: { RATE: { section: '2', says: 'A thousand requests in ten minutes' } } } });
    await site.start();
    const expected = {}, ids = new Set();
    let all = 0;
    for (const [n, [path, , units, told, status = 200]] of pages.entries()) {
      for (const way of ['whole', 'bytes', 'cut']) {
        const answer = await site.request('reader', path, { headers: { 'x-page': `${n}:${way}`, 'accept-encoding': 'gzip' } });
        assert.equal(answer.status, status, answer.body.toString());
        assert(answer.body.equals(sent[n]), `${path}, ${way}: the bytes are the platform's`);
        if (headers) assert.match(answer.headers[headers] ?? '', /^\d+$/, `${headers} on each answer`);
        for (const [u, count] of Object.entries(units)) expected[u] = (expected[u] ?? 0) + count;
        for (const id of told) ids.add(id);
        all += told.length;
      }
    }
    assert.equal(all, expected[unit], 'the plain parser finds an id for each unit');
    await site.sync();
    const credited = async () => JSON.parse((await site.operator('GET', '/status')).body).credited;
    await site.until(`${all - ids.size} credited`, async () => (await credited()) === all - ids.size);
    await site.sync();
    const { totals } = await site.report();
    const told = Object.fromEntries(Object.keys(expected).map((u) => [u, totals.units[u]?.gross ?? 0]));
    assert.deepEqual(told, expected);
    assert.equal(totals.units[unit].deduplicated, ids.size, 'each id counts once');
    for (const receipt of await site.receipts()) assert(!Object.keys(receipt.units).some((u) => u.startsWith('unmetered')), JSON.stringify(receipt));
    await site.verify();
    await site.stop();
    await upstream.stop();
  });
}
