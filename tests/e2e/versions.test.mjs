// SPDX-License-Identifier: Apache-2.0
// A module of one version and a licetd of another: the shared memory has another layout. Both say what to do, nobody touches
// the file, and where it is given up what was delivered lies in a gap.
import assert from 'node:assert/strict';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, run } from './lib/site.mjs';
import { ask, statusOf } from './lib/books.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

story('a gate of another layout', async () => {
  const upstream = await Upstream.start((request, response) => send(response, page(10)));
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 1 });
  await site.start();
  const shm = /^shared_memory:\s*(\S+)/m.exec(await readFile(join(site.dir, 'licet.yaml'), 'utf8'))[1];
  const layout = async (number) => {
    const file = await open(shm, 'r+'), word = Buffer.alloc(4);
    const before = (await file.read(word, 0, 4, 8)).buffer.readUInt32LE();
    word.writeUInt32LE(number);
    await file.write(word, 0, 4, 8);
    await file.close();
    return before;
  };
  const short = (label) => ask(site, label, { path: '/2/tweets/search/recent?max_results=10' });
  const log = async () => await readFile(join(site.dir, 'data/nginx/error.log'), 'utf8');
  assert.equal((await short('one')).units, 10);
  await site.kill(site.recorder, 'SIGKILL');
  assert.equal((await short('two')).units, 10, 'delivered, and in the ring alone');

  const ours = await layout(99);
  const licetd = site.start_('licetd', join(site.programs, 'licetd'), [site.dir]);
  assert.equal((await licetd.ended).code, 2, 'licetd of another version does not start');
  assert.match(licetd.said, /has layout 99: another version of licet made it and did not end in order; start that version again, stop nginx/);
  const probe = await run('nginx', ['-t', '-c', site.conf, '-p', join(site.dir, 'data/nginx'), '-e', '/dev/null'], { env: { ...process.env, ...site.nginxEnv } });
  assert.match(probe.stderr, new RegExp(`layout 99: expected ${ours}: nginx's module and licetd must be of one version`), 'nginx -t says it');
  process.kill(site.nginx.pid, 'SIGHUP');
  await site.until('the new worker says it too', async () => /trying again each second/.test(await log()));
  assert.match(await log(), /layout 99: expected \d+: nginx's module and licetd must be of one version; trying again each second/);
  await site.until('the old worker is gone', async () => (await site.workers()).length === 1);
  assert.equal((await short('three')).status, 503);

  // The version that made it is started again: nothing is lost.
  await layout(ours);
  await site.startRecorder();
  await site.until('workers join', async () => (await short('four')).status === 200);
  await site.sync();
  assert.equal((await site.report()).gaps.length, 0);
  assert((await site.receipts()).some((receipt) => receipt.recipient === 'two'), 'what was in the ring is recorded');

  // Or the file is given up.
  await site.kill(site.recorder, 'SIGKILL');
  assert.equal((await short('five')).units, 10);
  const epoch = 1;
  await layout(99);
  await site.kill(site.nginx, 'SIGQUIT');
  await rm(shm);
  await site.startRecorder();
  await site.sync();
  const { gaps } = await site.report();
  assert(gaps.reduce((sum, gap) => sum + (gap.units?.post ?? 0), 0) >= 10, 'a gap covers it');
  assert((await statusOf(site)).epoch > epoch);
  await site.verify();
  await site.stop();
  await upstream.stop();
});
