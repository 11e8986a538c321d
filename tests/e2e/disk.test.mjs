// SPDX-License-Identifier: Apache-2.0
// A full disk and a failing one, under the real licetd and nginx, for each cannot_record: what is refused is refused well, what is
// let through is bounded and told afterwards, no receipt is lost or doubled, and verify passes.
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, grossOf, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';
import { allThere, ask, dry, fill, read, recording, refusedWell, shimUnder, status } from './lib/disk.mjs';

const pages = Array.from({ length: 101 }, (_, n) => page(n));
const platform = () => Upstream.start((request, response, url) => send(response, pages[Number(url.searchParams.get('max_results') ?? 1)]));
const CAP = 1000000;

async function make(upstream, agreement = {}) {
  return await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 2,
    agreement: { limits: [`{ clause: CAP, unit: post, most: ${CAP}, per: month, over: licensee }`], clauses: { CAP: { section: '2', says: 'A cap' } }, ...agreement } });
}

const sum = (gaps, unit) => gaps.reduce((total, gap) => total + (unit === 'requests' ? gap.requests : gap.units[unit] ?? 0), 0);

const policies = [
  { name: 'refuse', cannotRecord: 'refuse', most: 0 },
  { name: 'allow 700 posts', cannotRecord: '{ allow: 700 posts, per: outage }', most: 7 },
  { name: 'open', cannotRecord: 'open', most: Infinity },
  { name: 'refuse, in observe mode', cannotRecord: 'refuse', mode: 'observe', most: 0 },
  { name: 'allow 3 requests, in observe mode', cannotRecord: '{ allow: 3 requests, per: outage }', mode: 'observe', most: 3 },
];

for (const policy of policies) {
  story(`the disk is full while requests run: ${policy.name}`, async () => {
    const upstream = await platform();
    const site = await make(upstream, { cannotRecord: policy.cannotRecord, mode: policy.mode ?? 'enforce' });
    const disk = await shimUnder(site);
    await site.start();
    const kept = new Map();
    let without = 0, postsWithout = 0;
    assert.equal((await ask(site, 12, { kept })).ok, 12);
    const rounds = policy.most === 7 ? ['full', 'full error=EDQUOT'] : ['full'];
    for (const words of rounds) {
      await disk(words);
      await fill(site, kept);
      assert.match((await status(site)).why, words === 'full' ? /No space left/ : /quota/i);
      const first = await dry(site, kept);
      let more = await ask(site, 40, { kept, at_once: 20 });
      // licetd tries again and again, and may lend once more what it has room for: the end is where something is refused
      for (let i = 0; policy.most !== Infinity && more.refused === 0 && i < 500; i++) {
        const again = await ask(site, 40, { kept, at_once: 20 });
        more = { ...again, ok: more.ok + again.ok, without: more.without + again.without, posts: more.posts + again.posts, postsWithout: more.postsWithout + again.postsWithout };
      }
      const let_through = first.without + more.without;
      console.log(`# used ${policy.name}: ${first.before.ok} of the lease, ${let_through} without a slot, ${first.refused + more.refused} refused`);
      if (policy.most === Infinity) assert(more.refused === 0 && more.without > 0 && more.ok + more.without === 40, 'open lets all through');
      else assert.equal(let_through, policy.most, 'as many as the agreement says');
      if (policy.most !== Infinity) refusedWell(more.problem);
      without += let_through;
      postsWithout += first.postsWithout + more.postsWithout;
      await disk('');
      await recording(site);
      await site.until('requests pass again', async () => (await ask(site, 1, { kept })).ok === 1);
      await site.sync();
      if (rounds.length > 1) await sleep(5000); // two looks that find nothing new end the outage
    }
    assert.equal((await ask(site, 12, { kept })).ok, 12);
    const { report } = await allThere(site, kept);
    assert.equal(sum(report.gaps, 'requests'), without, 'what went up without a slot is told, once');
    assert(sum(report.gaps, 'post') >= postsWithout, JSON.stringify(report.gaps));
    assert(sum(report.gaps, 'post') <= without * 100);
    for (const gap of report.gaps) assert.equal(gap.cause, 'admitted without a slot');
    assert.equal(grossOf(report.totals), [...kept.values()].reduce((total, n) => total + n, 0));
    await site.stop();
    await upstream.stop();
  });
}

story('licetd is stopped: the lease is used up, then cannot_record; the ring holds what ended', async () => {
  for (const policy of policies.slice(0, 3)) {
    const upstream = await platform();
    const site = await make(upstream, { cannotRecord: policy.cannotRecord });
    await site.start();
    const kept = new Map();
    await ask(site, 4, { kept });
    process.kill(site.recorder.pid, 'SIGSTOP');
    const first = await dry(site, kept), more = await ask(site, 20, { kept, at_once: 20 });
    const let_through = first.without + more.without;
    process.kill(site.recorder.pid, 'SIGCONT');
    if (policy.most === Infinity) assert(more.refused === 0 && more.without > 0);
    else assert.equal(let_through, policy.most);
    if (policy.most !== Infinity) refusedWell(more.problem);
    await site.until('requests pass again', async () => (await ask(site, 1, { kept })).ok === 1);
    const { report } = await allThere(site, kept);
    assert.equal(sum(report.gaps, 'requests'), let_through);
    await site.stop();
    await upstream.stop();
  }
});

story('an endpoint without a largest page is refused even under open, and the log says why', async () => {
  const upstream = await platform();
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, workers: 1, agreement: { cannotRecord: 'open' },
    catalogueText: `${catalogue.text}  - id: unbounded\n    match: GET /unbounded\n    count: { post: "$.data" }\n` });
  await site.start();
  const kept = new Map();
  process.kill(site.recorder.pid, 'SIGSTOP');
  assert((await dry(site, kept)).without > 0);
  const seen = await ask(site, 12, { kept, path: '/unbounded' });
  assert(seen.refused > 0 && seen.without === 0, JSON.stringify(seen));
  refusedWell(seen.problem);
  process.kill(site.recorder.pid, 'SIGCONT');
  assert(/unit post of endpoint unbounded has no page/.test(await read(join(site.dir, 'data/nginx/error.log'))), 'the log names the unit');
  await site.until('requests pass again', async () => (await ask(site, 1, { kept })).ok === 1);
  await site.stop();
  await upstream.stop();
});

story('a disk that fails: a sync is never trusted after an error; short, interrupted and slow calls harm nothing', async () => {
  const upstream = await platform();
  const site = await make(upstream);
  const disk = await shimUnder(site);
  await site.start();
  const kept = new Map();
  for (const words of ['sync=EIO only=journal nth=1', 'sync=EIO only=leases nth=1', 'sync=EIO only=ledger nth=2', 'write=EIO only=journal nth=1',
    'write=EIO only=ledger nth=1', 'rename=EIO nth=1', 'open=EIO only=checkpoint nth=1', 'cut=EIO nth=1', 'write=ENOSPC only=/ledger/']) {
    await disk(words);
    let ok = 0;
    for (let i = 0; i < 3; i++) { ok += (await ask(site, 5, { kept })).ok; await sleep(150); }
    await disk('');
    await recording(site);
    const again = await ask(site, 5, { kept });
    assert.equal(again.ok + again.refused, 5);
    assert(ok > 0, `${words}: what was lent goes on`);
  }
  for (const words of ['short', 'interrupted', 'slow=60']) {
    await disk(words);
    await site.until('requests pass', async () => (await ask(site, 1, { kept })).ok === 1);
    const seen = await ask(site, 20, { kept });
    assert(seen.ok > 0 && seen.ok + seen.refused === 20, words); // a slow machine may find the lease empty for 100 ms
    await site.sync();
    assert((await status(site)).recording, words);
  }
  await disk('');
  const { report } = await allThere(site, kept);
  assert.deepEqual(report.gaps, []);
  await site.stop();
  await upstream.stop();
});

story('usage tables that cannot be written stop nothing', async () => {
  const upstream = await platform();
  const site = await make(upstream);
  const disk = await shimUnder(site);
  await site.start();
  const kept = new Map();
  await ask(site, 4, { kept });
  await disk('full only=usage.db');
  for (let i = 0; i < 6; i++) { assert.equal((await ask(site, 50, { kept, at_once: 8 })).ok, 50); await sleep(400); }
  assert((await status(site)).recording);
  await site.until('licetd says so', async () => /usage tables cannot be brought up to date/.test(site.recorder.said));
  await disk('');
  await allThere(site, kept);
  await site.stop();
  await upstream.stop();
});

story('full at the start: licetd says what is full and ends; shared memory is had whole or not at all', async () => {
  const upstream = await platform();
  const site = await make(upstream);
  const disk = await shimUnder(site);
  await disk('full');
  const refused = async (pattern) => {
    await assert.rejects(site.startRecorder());
    const { code } = await site.recorder.ended;
    assert.equal(code, 2);
    assert.match(site.recorder.said, pattern);
  };
  await refused(/No space left on device/);
  await disk('');
  await site.start();
  const kept = new Map();
  assert.equal((await ask(site, 8, { kept })).ok, 8);
  await allThere(site, kept);
  await site.kill(site.nginx, 'SIGQUIT');
  await site.kill(site.recorder);

  const shm = /^shared_memory:\s*(\S+)/m.exec(await read(join(site.dir, 'licet.yaml')))[1];
  const memory = await shimUnder(site, shm);
  await memory('room=ENOSPC');
  await refused(/allocating \d+ bytes: No space left on device/);
  for (const name of [shm, `${shm}.new`]) await assert.rejects(access(name), 'nothing half made is left');
  await memory('');
  await site.start();
  assert.equal((await ask(site, 8, { kept })).ok, 8);
  await allThere(site, kept);
  await site.stop();
  await upstream.stop();
});

