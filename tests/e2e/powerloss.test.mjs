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
  const last = segments[segments.length - 1];
  const size = (await stat(join(site.dir, 'data/journal', last))).size;
  const copies = [];
  for (const cut of [0, 1, 17, 300, 5000, Math.floor(size / 2)]) {
    const copy = Object.assign(Object.create(Site.prototype), site, { children: [], dir: join(site.folder, `copy-${cut}`) });
    await cp(site.dir, copy.dir, { recursive: true, filter: (from) => !from.endsWith('.sock') });
    await truncate(join(copy.dir, 'data/journal', last), size - cut);
    const yaml = await readFile(join(copy.dir, 'licet.yaml'), 'utf8');
    await writeFile(join(copy.dir, 'licet.yaml'), yaml.replace(/^(shared_memory:\s*)(\S+)/m, `$1$2-copy-${cut}`));
    copies.push([cut, copy]);
  }
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
    await copy.kill(copy.recorder);
    const shm = /^shared_memory:\s*(\S+)/m.exec(await readFile(join(copy.dir, 'licet.yaml'), 'utf8'))[1];
    await rm(shm, { force: true });
  }
  await site.stop();
  await upstream.stop();
});
