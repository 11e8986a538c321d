// SPDX-License-Identifier: Apache-2.0
// Requests that can be told apart afterwards, and the books that must be right whoever died meanwhile. A request names itself
// by the recipient that it declares; its receipt tells it.
//
//  (1) Each request has at most one receipt; exactly one with at least the units it got if its client got any.
//  (2) A counter has at least what the receipts are charged, none has more once nothing is under way and licetd has
//      recounted, nothing stays held, no limit is passed.
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { grossOf } from './site.mjs';

/** Whole posts in what came of a body made by page(): one field that is near the end of each. */
const posts = (text) => (text.match(/"edit_history_tweet_ids"/g) ?? []).length;
const got = (status, text, whole) => ({ status, whole, units: status === 200 ? posts(text) : 0 });

/** Asks over HTTP/1.1 and reads as much as comes; never throws. stop: closes after so many bytes. status 0: no answer. */
export const ask = (site, label, { path, headers = {}, stop = 0, agent = false, app = 'reader' }) => new Promise((done) => {
  let text = '', status = 0, whole = false;
  const end = () => done(got(status, text, whole));
  const request = http.request({ host: '127.0.0.1', port: site.port, path, agent,
    headers: { authorization: `Bearer ${site.keys[app]}`, 'licet-recipient': label, ...headers } }, (response) => {
    status = response.statusCode;
    response.on('data', (chunk) => { text += chunk; if (stop && text.length >= stop) request.destroy(); });
    response.on('end', () => { whole = response.complete; });
    response.on('error', end);
    response.on('close', end);
  }).on('error', end);
  request.end();
});

/** The same as one stream of an HTTP/2 session. */
export const askStream = (site, session, label, { path, headers = {}, app = 'reader' }) => new Promise((done) => {
  let text = '', status = 0, whole = false;
  const stream = session.request({ ':path': path, authorization: `Bearer ${site.keys[app]}`, 'licet-recipient': label, ...headers });
  stream.on('response', (h) => { status = h[':status']; });
  stream.on('data', (chunk) => { text += chunk; });
  stream.on('end', () => { whole = stream.rstCode === http2.constants.NGHTTP2_NO_ERROR; });
  stream.on('error', () => {});
  stream.on('close', () => done(got(status, text, whole)));
});

export const statusOf = async (site) => JSON.parse((await site.operator('GET', '/status')).body);

/** Nothing under way, nothing to drain, nothing held. */
export const quiet = async (site, ms) => await site.until('nothing is under way or held', async () => {
  const status = await statusOf(site).catch(() => ({ under_way: 1 }));
  return status.under_way === 0 && status.lag === 0 && status.counters.every((counter) => counter.held === 0);
}, ms);

/**
 * asked: label → {units, most, whole}: what its client got, the most that its answer could bring, whether it came whole.
 * exact: counters of these clauses are exactly what the receipts are charged; else at least that.
 */
export async function books(site, asked, { exact = ['CAP'] } = {}) {
  await quiet(site);
  await site.sync();
  const receipts = new Map();
  let charged = 0, requests = 0;
  for (const receipt of await site.receipts()) {
    charged += receipt.units?.post ?? 0;
    // A request is charged once anything of its answer was handed on.
    if (receipt.verdict === 'allow' && (receipt.status || receipt.bytes || Object.keys(receipt.units).length)) requests++;
    if (!receipt.recipient) continue;
    assert(!receipts.has(receipt.recipient), `${receipt.recipient} has two receipts`);
    receipts.set(receipt.recipient, receipt);
  }
  for (const [label, { units, most, whole, status }] of asked) {
    const receipt = receipts.get(label);
    assert(receipt || units === 0, `${label} got ${units} posts and has no receipt`);
    const delivered = receipt?.units?.post ?? 0;
    assert(delivered >= units, `${label}: received ${units}, receipt ${JSON.stringify(receipt)}`);
    assert(delivered <= most, `${label}: no more than ${most}: ${JSON.stringify(receipt)}`);
    // 503 is what nobody could record.
    if (whole && [200, 403, 429].includes(status)) assert(receipt && delivered === units, `${label} was answered whole with ${units}: ${JSON.stringify(receipt)}`);
  }
  const { totals } = await site.report();
  assert.equal(grossOf(totals), charged, 'the report tells what the receipts tell');
  const counters = (await statusOf(site)).counters;
  for (const counter of counters) {
    const expected = counter.unit === 'post' ? charged : requests;
    const text = `receipts say ${expected} ${counter.unit}s, the counter ${JSON.stringify(counter)}`;
    assert(counter.taken <= counter.most, `a limit was passed: ${text}`);
    if (exact.includes(counter.clause)) assert.equal(counter.taken, expected, text);
    else if (counter.most > 0) assert(counter.taken >= expected, text);
  }
  await site.verify();
  return { receipts, charged, requests };
}
