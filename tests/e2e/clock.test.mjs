// SPDX-License-Identifier: Apache-2.0
// Clocks that are set, of nginx and of licetd together and apart (libfaketime): no window has a second budget, nothing is
// negative or absurd, ledgers and checkpoints only grow, and verify passes.
import assert from 'node:assert/strict';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, run, story, Site, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';
import { status } from './lib/disk.mjs';

const library = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const HOUR = 3600, DAY = 24 * HOUR, MOST = 20;

story('the clock leaps over the end of a window, and back', async (t) => {
  if (await access(library).then(() => false, () => true)) {
    console.log(`SKIP clocks that are set: ${library} is not there (Debian package faketime)`);
    return t.skip('no libfaketime');
  }
  if (/\blibasan\.so/.test((await run('ldd', [join(build, 'ngx_http_licet_module.so')])).stdout)) {
    console.log('SKIP clocks that are set: libfaketime and the sanitizer\'s runtime hang together in nginx');
    return t.skip('under a sanitizer');
  }
  const upstream = await Upstream.start((request, response) => send(response, page(3)));
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 1, from: '2020-01-01',
    agreement: { limits: [`{ clause: RATE, unit: request, most: ${MOST}, per: hour, over: licensee }`], clauses: { RATE: { section: '2', says: 'So many an hour' } } } });
  // Ten minutes past an hour, whatever it is now.
  const base = HOUR - (Math.floor(Date.now() / 1000) % HOUR) + 600;
  const clock = async (who, seconds) => await writeFile(join(site.folder, `clock-${who}`), `${base + seconds < 0 ? '-' : '+'}${Math.abs(base + seconds)}\n`);
  const faked = (who) => ({ FAKETIME_TIMESTAMP_FILE: join(site.folder, `clock-${who}`), FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' });
  site.recorderPreload = site.nginxPreload = [library];
  site.recorderEnv = faked('licetd');
  site.nginxEnv = faked('nginx');
  const set = async (seconds, who = ['nginx', 'licetd']) => {
    for (const one of who) await clock(one, seconds);
    await sleep(300);
  };
  await clock('nginx', 0);
  await clock('licetd', 0);
  await site.start();

  const sizes = [];
  const checkpoint = async () => {
    const text = await readFile(join(site.dir, 'data/ledger', site.agreement, 'checkpoint'), 'utf8').catch(() => '\n0\n');
    sizes.push(Number(text.split('\n')[1]));
  };
  let all = 0;
  const spend = async (n = MOST + 5) => {
    let ok = 0, last;
    for (let i = 0; i < n; i++) {
      const answer = last = await site.request('reader', '/2/tweets/search/recent?max_results=3');
      const [, r, reset] = /r=(-?\d+);t=(-?\d+)/.exec(answer.headers.ratelimit ?? '') ?? [];
      assert(Number(r) >= 0 && Number(r) <= MOST && Number(reset) >= 0, `RateLimit: ${answer.headers.ratelimit}, ${answer.status} ${answer.body.subarray(0, 300)}`);
      if (answer.status === 200) { ok++; continue; }
      assert.equal(answer.status, 429, answer.body.toString());
      assert.equal(Number(r), 0, `refused with ${answer.headers.ratelimit}`);
    }
    all += ok;
    await checkpoint();
    return { ok, after: last.status === 200 ? null : Number(last.headers['retry-after']) };
  };

  let seen = await spend();
  assert.equal(seen.ok, MOST);
  assert(seen.after > 0 && seen.after <= HOUR, `Retry-After ${seen.after}`);
  await set(HOUR);
  seen = await spend(MOST);
  assert.equal(seen.ok, MOST, 'a new hour, a new budget');
  await set(0);
  seen = await spend(5);
  assert.equal(seen.ok, 0, 'back in the old hour: it was used');
  assert(seen.after > HOUR && seen.after <= 2 * HOUR, `Retry-After ${seen.after}: until the end of the window that binds`);
  await set(-3 * DAY, ['nginx']);
  assert.equal((await spend(5)).ok, 0, 'days back: no window there has a budget of its own');
  await set(HOUR, ['nginx']);
  assert.equal((await spend(5)).ok, 0, 'forth again: it was used too');
  await set(2 * HOUR, ['nginx']);
  assert.equal((await spend(5)).ok, 5, 'nginx alone ahead: its clock decides the window');
  await set(-2 * DAY, ['licetd']);
  assert.equal((await spend(5)).ok, 5, 'licetd far behind: nothing of it');
  await site.until('licetd says that its clock went back', async () => /the clock was set back by \d+ s/.test(site.recorder.said));
  await set(40 * DAY, ['licetd']);
  assert.equal((await spend(MOST)).ok, MOST - 10);
  await set(2 * HOUR);
  assert.equal((await spend(5)).ok, 0);
  assert((await status(site)).recording);

  // Both sides start again while the clock is back.
  await site.kill(site.recorder, 'SIGKILL');
  await site.startRecorder();
  assert.equal((await spend(3)).ok, 0, 'a new licetd goes on with the counters');
  await set(3 * HOUR);
  assert.equal((await spend(MOST)).ok, MOST);

  await site.sync();
  await site.until('nothing is under way', async () => (await status(site)).under_way === 0);
  const receipts = (await site.receipts()).filter((receipt) => receipt.verdict === 'allow' && receipt.endpoint === 'search');
  assert.equal(receipts.length, all, 'each has its receipt');
  const perHour = new Map();
  for (const receipt of receipts) {
    assert(receipt.duration_ms === undefined || receipt.duration_ms < 60000, JSON.stringify(receipt));
    const hour = Math.floor(Date.parse(receipt.time) / 1000 / HOUR);
    perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
  }
  console.log(`# used ${all} requests in ${perHour.size} hours: ${[...perHour.values()].join(', ')}; checkpoints ${sizes.join(' ')}`);
  for (const [hour, n] of perHour) assert(n <= MOST, `hour ${hour} has ${n}`);
  assert.deepEqual(sizes, [...sizes].sort((a, b) => a - b), 'checkpoints only grow');
  for (const counter of (await status(site)).counters) assert(counter.taken <= MOST && counter.held === 0, JSON.stringify(counter));
  await site.verify();
  await site.stop();
  await upstream.stop();
});
