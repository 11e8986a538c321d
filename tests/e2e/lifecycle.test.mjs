// SPDX-License-Identifier: Apache-2.0
// nginx lives and ends as operators know it, under load and with long downloads under way: reload, binary upgrade and the way
// back from it, quit, terminate, kill -9 of the master. Where none must fail no request fails; receipts are exactly what the
// clients got (lib/books.mjs).
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, run, sleep } from './lib/site.mjs';
import { ask, books, statusOf } from './lib/books.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const LONG = 1500; // posts of a download that takes about PIECES * 50 ms
const PIECES = 24;

async function start(options = {}) {
  const long = page(LONG);
  const upstream = await Upstream.start((request, response, url) => {
    if (url.pathname !== '/2/stream') return send(response, page(Number(url.searchParams.get('max_results'))));
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    const size = Math.ceil(long.length / PIECES);
    let at = 0;
    const timer = setInterval(() => {
      response.write(long.subarray(at, at += size));
      if (at >= long.length) { clearInterval(timer); response.end(); }
    }, 50);
    response.on('close', () => clearInterval(timer));
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 2, ...options,
    agreement: { limits: ['{ clause: CAP, unit: post, most: 900_000_000, per: month, over: licensee }', '{ clause: CAP, unit: request, most: 1_000_000, per: month, over: app }'],
      clauses: { CAP: { section: '2', says: 'A cap' } } } });
  await site.start();
  await site.until('both workers have joined', async () => (await statusOf(site)).workers === 2);
  const asked = new Map();
  let n = 0;
  const note = async (label, most, options) => {
    const answer = await ask(site, label, options);
    asked.set(label, { ...answer, most });
    return { label, ...answer };
  };
  const short = () => note(`s${n++}`, 20, { path: '/2/tweets/search/recent?max_results=20' });
  const large = () => note(`l${n++}`, 100, { path: '/2/tweets/search/recent?max_results=100' });
  const download = () => note(`long${n++}`, LONG, { path: '/2/stream' });
  /** Short requests go on while body() runs; returns those that failed. pause: ms between those of one client. */
  const under = async (body, pause = 2) => {
    const failed = [];
    let running = true;
    const clients = Promise.all([1, 2, 3].map(async () => {
      while (running) {
        const answer = await short();
        if (!answer.whole) failed.push(`${answer.label}: ${answer.status}`);
        await sleep(pause);
      }
    }));
    await body();
    running = false;
    await clients;
    return failed;
  };
  return { site, upstream, asked, short, large, download, under };
}

const pidFile = async (site, suffix = '') => Number(await readFile(join(site.dir, `data/nginx/nginx.pid${suffix}`), 'utf8').catch(() => 0));
const childrenOf = async (pid) => (await run('pgrep', ['-P', String(pid), '-f', 'worker process'])).stdout.split('\n').filter(Boolean).map(Number);
const alive = (pid) => { try { process.kill(pid, 0); return true; } catch { return false; } };

story('reload, again and again, with long downloads under way', async () => {
  const { site, upstream, asked, download, under } = await start();
  const first = await site.workers();
  let downloads = [];
  const failed = await under(async () => {
    for (let i = 0; i < 4; i++) {
      downloads.push(download(), download());
      await sleep(300);
      process.kill(site.nginx.pid, 'SIGHUP');
      await sleep(200);
    }
    downloads = await Promise.all(downloads);
    await site.until('old workers are gone', async () => (await site.workers()).length === 2);
  });
  assert.deepEqual(failed, [], 'no short request failed');
  for (const answer of downloads) assert(answer.whole && answer.units === LONG, `${answer.label}: ${answer.units} of ${LONG}`);
  assert((await site.workers()).every((pid) => !first.includes(pid)), 'all workers are new');
  await site.until('old areas are free', async () => (await statusOf(site)).workers === 2);
  await books(site, asked);
  console.log(`# used ${asked.size} requests, 8 long downloads over 4 reloads`);
  await site.stop();
  await upstream.stop();
});

story('binary upgrade, back, and upgrade for good', async () => {
  const { site, upstream, asked, download, under } = await start({ daemon: true });
  const old = await pidFile(site);
  let fresh = 0, downloads = [];
  const failed = await under(async () => {
    downloads.push(download());
    await sleep(100);
    process.kill(old, 'SIGUSR2');
    await site.until('the new master runs', async () => (fresh = await pidFile(site)) > 0 && fresh !== old && (await pidFile(site, '.oldbin')) === old && (await childrenOf(fresh)).length === 2);
    downloads.push(download(), download());
    await sleep(100);
    process.kill(old, 'SIGWINCH');
    downloads.push(download());
    await site.until('old workers drain', async () => (await childrenOf(old)).length === 0);
    // And back: the old master gets workers again, the new one goes.
    process.kill(old, 'SIGHUP');
    await site.until('the old master has workers again', async () => (await childrenOf(old)).length === 2);
    downloads.push(download(), download());
    await sleep(100);
    process.kill(fresh, 'SIGQUIT');
    await site.until('the new master is gone', async () => !alive(fresh));
    await site.until('the old one has its name again', async () => (await pidFile(site)) === old);
    // For good.
    process.kill(old, 'SIGUSR2');
    await site.until('a new master runs', async () => (fresh = await pidFile(site)) > 0 && fresh !== old && (await childrenOf(fresh)).length === 2);
    downloads.push(download(), download());
    await sleep(100);
    process.kill(old, 'SIGWINCH');
    process.kill(old, 'SIGQUIT');
    await site.until('the old master is gone', async () => !alive(old));
    downloads = await Promise.all(downloads);
  });
  assert.deepEqual(failed, [], 'no short request failed');
  for (const answer of downloads) assert(answer.whole && answer.units === LONG, `${answer.label}: ${answer.units} of ${LONG}`);
  await site.until('areas of two workers are taken', async () => (await statusOf(site)).workers === 2);
  await books(site, asked);
  console.log(`# used ${asked.size} requests, ${downloads.length} long downloads over two upgrades`);
  process.kill(fresh, 'SIGQUIT');
  await site.until('nginx is gone', async () => !alive(fresh));
  await site.stop();
  await upstream.stop();
});

story('quit, terminate, and a master that is killed', async () => {
  const { site, upstream, asked, short, download } = await start();
  // Quit: what is under way ends in order, while another nginx serves already.
  let downloads = [download(), download()];
  await sleep(200);
  const leaving = site.nginx;
  process.kill(leaving.pid, 'SIGQUIT');
  await sleep(50);
  await site.startNginx();
  assert((await short()).whole);
  for (const answer of await Promise.all(downloads)) assert(answer.whole && answer.units === LONG, 'quit: the download ends whole');
  await leaving.ended;
  // Terminate: it is cut; the receipt says how much.
  downloads = [download(), download()];
  await sleep(500);
  await site.kill(site.nginx, 'SIGTERM');
  const cut = await Promise.all(downloads);
  for (const answer of cut) assert(!answer.whole && answer.units > 0 && answer.units < LONG, `terminate: cut after ${answer.units}`);
  await site.startNginx();
  assert((await short()).whole);
  // The master dies: its workers serve on, until they are told to go.
  const orphans = await site.workers(), master = site.nginx;
  process.kill(master.pid, 'SIGKILL');
  await sleep(100);
  assert((await short()).whole, 'orphans serve');
  downloads = [download()];
  await sleep(200);
  for (const pid of orphans) process.kill(pid, 'SIGQUIT');
  await sleep(50);
  await site.startNginx();
  assert((await short()).whole);
  for (const answer of await Promise.all(downloads)) assert(answer.whole && answer.units === LONG, 'an orphan ends its download');
  await site.until('orphans are gone', async () => orphans.every((pid) => !alive(pid)));
  const { receipts } = await books(site, asked);
  for (const { label } of cut) assert.equal(receipts.get(label).ending, 'gate stopped', JSON.stringify(receipts.get(label)));
  await site.stop({ alerts: false }); // the one that quits takes the pid file of its successor along, and the successor misses it
  await upstream.stop();
});

story('licetd restarts, is upgraded, and is away for long', async () => {
  const { site, upstream, asked, short, large, download, under } = await start();
  const downloads = [];
  let failed = await under(async () => {
    for (let i = 0; i < 3; i++) {
      downloads.push(download());
      await site.kill(site.recorder, 'SIGTERM');
      await site.startRecorder();
      await sleep(300);
    }
    // Upgrade: the new one is started while the old one is still going.
    for (let i = 0; i < 3; i++) {
      downloads.push(download());
      const going = site.recorder;
      process.kill(going.pid, 'SIGTERM');
      await site.startRecorder();
      await going.ended;
      assert.match(going.said, /ended in order/);
      await sleep(200);
    }
  }, 50); // what is lent must last while licetd is away
  for (const answer of await Promise.all(downloads)) assert(answer.whole && answer.units === LONG, `${answer.label}: ${answer.status}, ${answer.units} of ${LONG}`);
  assert.deepEqual(failed, [], 'no request failed');
  // A second one beside a living one is refused, and says who is there.
  const second = site.start_('licetd', join(site.programs, 'licetd'), [site.dir]);
  assert.equal((await second.ended).code, 2);
  assert.match(second.said, new RegExp(`another recorder works on this site: process ${site.recorder.pid}`));
  // Away until what was lent is used up: then cannot_record, which refuses here; what was let through before is recorded.
  await site.kill(site.recorder, 'SIGKILL');
  let refused = 0, let_through = 0;
  for (const end = Date.now() + 30000; Date.now() < end && refused < 20;) {
    for (const answer of await Promise.all(Array.from({ length: 8 }, () => large()))) answer.status === 503 ? refused++ : let_through++;
  }
  assert(refused >= 20, 'it ends when what was lent is used up');
  assert(let_through > 0, 'what was lent is used without licetd'); // half a step at least, less what is kept for responses under way
  await site.startRecorder();
  await site.until('it goes on by itself', async () => (await short()).whole);
  failed = await under(async () => await sleep(300));
  assert.deepEqual(failed, []);
  await books(site, asked);
  console.log(`# used ${asked.size} requests, ${let_through} without licetd`);
  await site.stop();
  await upstream.stop();
});
