// SPDX-License-Identifier: Apache-2.0
// Power loss, on a copy: licetd is stopped in its tracks, data/ is copied, the shared memory is not (it is gone), and the end
// of the journal is cut at some byte. A licetd started on the copy writes a gap whose bound covers all that clients received
// and the copy does not know; verify passes; the live counter was charged with the bound, so the cap still holds.
import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, grossOf, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';
import { ask, dry, fill, shimUnder } from './lib/disk.mjs';
import http from 'node:http';

/** The site as it is found after power was lost now: data/ as it is on the disk, no shared memory, 'cut' bytes of the journal lost. */
async function lose(site, cut, name = `copy-${cut}`) {
  const segments = (await readdir(join(site.dir, 'data/journal'))).sort();
  const copy = Object.assign(Object.create(Site.prototype), site, { children: [], dir: join(site.folder, name), recorderPreload: [], recorderEnv: {} });
  await cp(site.dir, copy.dir, { recursive: true, filter: (from) => !from.endsWith('.sock') });
  const last = join(copy.dir, 'data/journal', segments[segments.length - 1]);
  await truncate(last, (await stat(last)).size - cut);
  const yaml = await readFile(join(copy.dir, 'licet.yaml'), 'utf8');
  await writeFile(join(copy.dir, 'licet.yaml'), yaml.replace(/^(shared_memory:\s*)(\S+)/m, `$1$2-${name}`));
  return copy;
}

async function forget(copy) {
  await copy.kill(copy.recorder);
  const shm = /^shared_memory:\s*(\S+)/m.exec(await readFile(join(copy.dir, 'licet.yaml'), 'utf8'))[1];
  await rm(shm, { force: true });
}

const hiddenIn = (report, unit) => report.gaps.reduce((sum, gap) => sum + (unit === 'requests' ? gap.requests : gap.units[unit] ?? 0), 0);

story('what a cut journal does not know lies in a gap', async () => {
  const upstream = await Upstream.start((request, response, url) => send(response, page(Number(url.searchParams.get('max_results')))));
  const CAP = 100000;
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 2,
    agreement: { limits: [`{ clause: CAP, unit: post, most: ${CAP}, per: month, over: licensee }`], clauses: { CAP: { section: '2', says: 'A cap' } } } });
  await site.start();
  let received = 0, running = true;
  const clients = Promise.all([1, 2, 3, 4].map(async () => {
    while (running) {
      const answer = await site.request('reader', `/2/tweets/search/recent?max_results=${1 + Math.floor(Math.random() * 20)}`);
      if (answer.status === 200) received += JSON.parse(answer.body).data.length;
      else await sleep(10);
    }
  }));
  await sleep(2500);
  process.kill(site.recorder.pid, 'SIGSTOP');
  await sleep(100);
  running = false;
  await clients;
  const segments = (await readdir(join(site.dir, 'data/journal'))).sort();
  const size = (await stat(join(site.dir, 'data/journal', segments[segments.length - 1]))).size;
  const copies = [];
  for (const cut of [0, 1, 17, 300, 5000, Math.floor(size / 2)]) copies.push([cut, await lose(site, cut)]);
  process.kill(site.recorder.pid, 'SIGCONT');
  for (const [cut, copy] of copies) {
    await copy.startRecorder();
    const report = await copy.report();
    assert(report.gaps.length > 0, `cut ${cut}: a gap is recorded`);
    const hidden = report.gaps.reduce((sum, gap) => sum + (gap.units.post ?? 0), 0);
    const known = grossOf(report.totals);
    console.log(`# used cut ${cut}: clients received ${received}, the copy knows ${known}, the gap hides at most ${hidden}`);
    assert(known <= received, 'the copy knows no more than was received');
    assert(known + hidden >= received, `cut ${cut}: received ${received}, known ${known}, gap ${hidden}`);
    await copy.verify();
    const status = JSON.parse((await copy.operator('GET', '/status')).body);
    for (const counter of status.counters) {
      assert(counter.taken >= received, `the counter was charged with the gap: ${JSON.stringify(counter)}`);
      assert(counter.taken <= CAP + 0, JSON.stringify(counter));
    }
    for (const gap of report.gaps) assert.equal(gap.cause, 'power loss', 'nothing could go up without a slot');
    await forget(copy);
  }
  await site.stop();
  await upstream.stop();
});

/** Posts that arrived, also of a response that is cut. */
const postsOf = (site, path) => new Promise((done) => {
  const chunks = [];
  const count = () => done((Buffer.concat(chunks).toString('latin1').match(/"id":"17\d{17}"/g) ?? []).length);
  http.get({ host: '127.0.0.1', port: site.port, path, agent: false, headers: { authorization: `Bearer ${site.keys.reader}` } }, (response) => {
    response.on('data', (chunk) => chunks.push(chunk)).on('end', count).on('error', count).on('aborted', count);
  }).on('error', count);
});

story('pages that outgrow their reservation lie in the gap too', async () => {
  const body = page(900, { users: 0 });
  const upstream = await Upstream.start((request, response) => send(response, body));
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, workers: 2,
    catalogueText: `${catalogue.text}  - id: unbounded\n    match: GET /unbounded\n    count: { post: "$.data" }\n`,
    agreement: { limits: ['{ clause: CAP, unit: post, most: 10000000, per: month, over: licensee }'], clauses: { CAP: { section: '2', says: 'A cap' } } } });
  await site.start();
  let received = 0, running = true;
  const clients = Promise.all(Array.from({ length: 8 }, async () => {
    while (running) {
      const got = await postsOf(site, '/unbounded');
      received += got;
      if (got === 0) await sleep(20);
    }
  }));
  await sleep(1200);
  process.kill(site.recorder.pid, 'SIGSTOP'); // nobody lends, nobody records: what goes on is what was durable before
  await sleep(1500);
  await site.until('the load was a load', () => received > 10000);
  running = false;
  await clients;
  const copy = await lose(site, 0);
  process.kill(site.recorder.pid, 'SIGCONT');
  await copy.startRecorder();
  const report = await copy.report();
  const known = grossOf(report.totals), hidden = hiddenIn(report, 'post');
  console.log(`# used overruns: clients received ${received}, the copy knows ${known}, the gap hides at most ${hidden}`);
  assert(known + hidden >= received, `received ${received}, known ${known}, gap ${hidden}`);
  await copy.verify();
  await forget(copy);
  await site.stop();
  await upstream.stop();
});

for (const [cannotRecord, most] of [['open', Infinity], ['{ allow: 2000 posts, per: outage }', 20]]) {
  story(`what goes up while the disk is full, and then power is lost: ${cannotRecord}`, async () => {
    const upstream = await Upstream.start((request, response, url) => send(response, page(Number(url.searchParams.get('max_results')))));
    const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 2, agreement: { cannotRecord } });
    const disk = await shimUnder(site);
    await site.start();
    const kept = new Map();
    let received = (await ask(site, 8, { kept })).posts;
    await site.sync();
    await disk('full');
    received += await fill(site, kept);
    const first = await dry(site, kept), more = await ask(site, 60, { kept, at_once: 8 });
    received += first.before.posts + more.posts;
    const without = first.without + more.without;
    if (most === Infinity) assert(more.refused === 0 && without > 20, 'open lets all through'); else assert.equal(without, most);
    process.kill(site.recorder.pid, 'SIGSTOP');
    const copy = await lose(site, 0);
    process.kill(site.recorder.pid, 'SIGCONT');
    await copy.startRecorder();
    const report = await copy.report(), perhaps = report.gaps.filter((gap) => gap.cause === 'power loss, perhaps admitted without a slot');
    const known = grossOf(report.totals), hidden = hiddenIn(report, 'post');
    console.log(`# used ${cannotRecord}: ${without} without a slot; received ${received}, known ${known}, gaps hide at most ${hidden} in ${hiddenIn(report, 'requests')} requests`);
    // the disk may have had room for one small record of what went up: that and what is perhaps are the bound together
    const told = [...perhaps, ...report.gaps.filter((gap) => gap.cause === 'admitted without a slot')], bound = { gaps: told };
    assert.equal(perhaps.length, 1);
    assert(hiddenIn(bound, 'requests') >= without && hiddenIn(bound, 'post') >= first.postsWithout + more.postsWithout, JSON.stringify(report.gaps));
    if (most !== Infinity) assert((perhaps[0].units.post ?? 0) <= 2000, `of allow N no more than N is perhaps: ${JSON.stringify(report.gaps)}`);
    assert(known + hidden >= received);
    await copy.verify();
    await copy.kill(copy.recorder, 'SIGKILL');
    await copy.startRecorder();
    assert.equal((await copy.report()).gaps.length, report.gaps.length, 'told once');
    await forget(copy);
    await disk('');
    await site.stop();
    await upstream.stop();
  });
}
