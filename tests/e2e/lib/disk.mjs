// SPDX-License-Identifier: Apache-2.0
// A disk that fails on demand under licetd (tests/shim/files.c), and what a client sees of it.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, sleep } from './site.mjs';

export const shim = join(build, 'tests/licet-files-shim.so');

/** licetd of the site runs on it from its next start; answers how to set what the disk does. */
export async function shimUnder(site, under = join(site.dir, 'data')) {
  const control = join(site.folder, 'disk-control');
  await writeFile(control, '');
  site.recorderPreload = [shim];
  site.recorderEnv = { LICET_SHIM_UNDER: under, LICET_SHIM_CONTROL: control };
  return async (words) => await writeFile(control, words);
}

export const status = async (site) => JSON.parse((await site.operator('GET', '/status')).body);
export const recording = async (site) => await site.until('licetd records again', async () => (await status(site)).recording);
export const notRecording = async (site) => await site.until('licetd cannot record', async () => !(await status(site)).recording);

/** Asks n times, so many at once, and tells what came. Kept: decision → posts. */
export async function ask(site, n, { at_once = 4, posts = 100, kept = new Map(), app = 'reader', path = '/2/tweets/search/recent' } = {}) {
  const seen = { ok: 0, without: 0, refused: 0, posts: 0, postsWithout: 0, other: [], kept, last: null };
  let left = n;
  await Promise.all(Array.from({ length: at_once }, async () => {
    while (left-- > 0) {
      const answer = await site.request(app, `${path}?max_results=${posts}`);
      seen.last = answer;
      if (answer.status === 503) { seen.refused++; seen.problem = answer; continue; }
      if (answer.status !== 200) { seen.other.push(answer.status); continue; }
      const got = JSON.parse(answer.body).data.length, decision = answer.headers['licet-decision'];
      seen.posts += got;
      if (decision) { seen.ok++; assert(!kept.has(decision), 'a decision is given once'); kept.set(decision, got); } else { seen.without++; seen.postsWithout += got; }
    }
  }));
  return seen;
}

/** Asks until nothing can be recorded: a while, for room is allocated ahead. Answers the posts that came. */
export async function fill(site, kept) {
  let posts = 0;
  for (let i = 0; i < 100 && (await status(site)).recording; i++) {
    const seen = await ask(site, 20, { kept, at_once: 8, posts: 10 });
    assert.equal(seen.ok, 20, 'as long as it records it is as ever');
    posts += seen.posts;
    await sleep(50);
  }
  await notRecording(site);
  return posts;
}

/** Until what was lent is used up: something is refused or goes up without a decision. */
export async function dry(site, kept) {
  const all = { ok: 0, posts: 0 };
  for (let i = 0; i < 2500; i++) {
    const seen = await ask(site, 8, { kept });
    all.ok += seen.ok;
    all.posts += seen.posts;
    if (seen.refused + seen.without > 0) return { ...seen, before: all };
  }
  assert.fail('the lease is never used up');
}

/** Every decision kept has one receipt with its units, verify passes; answers report and receipts. */
export async function allThere(site, kept) {
  await site.sync();
  const receipts = new Map();
  for (const receipt of await site.receipts()) {
    if (receipt.verdict === 'refuse') continue;
    assert(!receipts.has(receipt.decision), `${receipt.decision} has two receipts`);
    receipts.set(receipt.decision, receipt);
  }
  for (const [decision, units] of kept) {
    assert.equal(receipts.get(decision)?.units.post ?? 0, units, `${decision}: ${JSON.stringify(receipts.get(decision))}`);
  }
  assert.equal(receipts.size, kept.size, 'no receipt more than responses');
  await site.verify();
  return { report: await site.report(), receipts };
}

export function refusedWell(answer) {
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  const problem = JSON.parse(answer.body);
  assert.equal(problem.type, 'urn:licet:problem:cannot-record');
  assert.match(answer.headers['retry-after'], /^[1-9]\d{0,4}$/);
}

export const rest = sleep;
export const read = async (path) => await readFile(path, 'utf8');
