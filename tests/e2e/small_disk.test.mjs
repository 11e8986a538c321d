// SPDX-License-Identifier: Apache-2.0
// A real file system of a few MB (a tmpfs in a mount namespace of its own) runs full while requests run, and is freed: no shim.
// Where the system lets nobody mount it is skipped by name.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { story, Site, run } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';
import { allThere, ask, dry, notRecording, recording, refusedWell, status } from './lib/disk.mjs';

const full = async (folder) => {
  for (const size of [65536, 4096, 512]) for (let i = 0; ; i++) {
    try { await writeFile(join(folder, `filler-${size}-${i}`), Buffer.alloc(size)); } catch (error) { assert.equal(error.code, 'ENOSPC'); break; }
  }
};

if (process.env.LICET_SMALL_DISK === undefined) {
  test('on a small real file system', { timeout: 300000 }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'licet-small-'));
    const may = await run('unshare', ['-m', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', folder]);
    if (may.code !== 0) {
      await rm(folder, { recursive: true });
      console.log(`SKIP a small real file system: unshare -m and mount: ${may.stderr.trim() || may.code}`);
      return t.skip('no mount namespace here');
    }
    const { NODE_TEST_CONTEXT, ...env } = process.env;
    const mount = `mount -t tmpfs -o size=6m none '${folder}' && exec '${process.execPath}' --test --test-reporter=spec '${new URL(import.meta.url).pathname}'`;
    const result = await run('unshare', ['-m', 'sh', '-c', mount], { env: { ...env, TMPDIR: folder, LICET_SMALL_DISK: folder } });
    await rm(folder, { recursive: true });
    for (const line of result.stdout.split('\n')) if (line.startsWith('# used')) console.log(line);
    assert.equal(result.code, 0, result.stdout.slice(-4000) + result.stderr.slice(-2000));
  });
} else {
  story('a real disk runs full and is freed', async () => {
    const pages = Array.from({ length: 101 }, (_, n) => page(n));
    const upstream = await Upstream.start((request, response, url) => send(response, pages[Number(url.searchParams.get('max_results'))]));
    for (const cannotRecord of ['refuse', 'open']) {
      const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 1, agreement: { cannotRecord } });
      await site.start();
      const kept = new Map();
      let without = 0;
      const asked = async (n, how = {}) => {
        const seen = await ask(site, n, { kept, ...how });
        without += seen.without;
        return seen;
      };
      assert.equal((await asked(8)).ok, 8);
      await full(site.folder);
      await asked(8);
      // The journal was given room ahead: it takes a while until nothing fits.
      for (let i = 0; i < 40 && (await status(site)).recording; i++) await asked(50, { at_once: 8 });
      await notRecording(site);
      const seen = await dry(site, kept), more = await asked(20);
      if (cannotRecord === 'refuse') refusedWell(more.problem); else assert.equal(more.refused, 0);
      await run('sh', ['-c', `rm -f '${site.folder}'/filler-*`]);
      await recording(site);
      await site.until('requests pass again', async () => (await asked(1)).ok === 1);
      without += seen.without;
      const { report } = await allThere(site, kept);
      assert.equal(report.gaps.reduce((total, gap) => total + gap.requests, 0), without);
      console.log(`# used a tmpfs of 6 MB, ${cannotRecord}: ${kept.size} receipts, ${without} without a slot, ${seen.refused + more.refused} refused`);
      await site.stop({ alerts: false });
    }
    await upstream.stop();
  });
}
