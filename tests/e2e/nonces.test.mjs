// SPDX-License-Identifier: Apache-2.0
// A signature is good once: over a reload, while a binary upgrade has two nginx that serve at once, over a stop and a start;
// and where the room for notes is given another size it is refused rather than taken twice. A caller that signs without end
// fills its own share of that room: it is refused, what it used stays used, and others are served.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { story, Site, run, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import { signed } from './lib/signed.mjs';
import * as catalogue from './lib/catalogue.mjs';

const PATH = '/2/tweets/search/recent?max_results=10';
const apps = ['bot', 'hog'];
const agentOf = (app) => `https://${app}.example`;
const LIFE = 3600000; // no signature ends within a story

async function make(options) {
  const upstream = await Upstream.start((request, response) => send(response, page(10)));
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps, workers: 2,
    extraServer: 'licet_signatures on; add_header X-Worker $pid always;', ...options });
  const pairs = {};
  for (const app of apps) {
    pairs[app] = crypto.generateKeyPairSync('ed25519');
    const file = join(site.folder, `${app}.json`);
    await writeFile(file, JSON.stringify(pairs[app].publicKey.export({ format: 'jwk' })));
    await site.must(['credential', 'new', site.dir, app, '--kind', 'http-signature', '--agent', agentOf(app), '--jwk', file]);
  }
  await site.start();
  const sign = (app) => signed({ pair: pairs[app], agent: agentOf(app), port: site.port, path: PATH, expires: new Date(Date.now() + LIFE) });
  const ask = (headers, agent = false) => new Promise((done, fail) => {
    http.request({ host: '127.0.0.1', port: site.port, agent, path: PATH, headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => { body += chunk; });
      response.on('end', () => done({ status: response.statusCode, worker: Number(response.headers['x-worker']),
        reason: response.statusCode === 200 ? 'none' : JSON.parse(body).type.replace('urn:licet:problem:', '') }));
    }).on('error', fail).end();
  });
  await nextSecond();
  return { site, upstream, sign, ask };
}

/** What is signed is signed in whole seconds, and what was signed in the second in which the notes began is refused. */
const nextSecond = () => sleep(1050 - Date.now() % 1000);
/** Many at once: one by one they would all come to the worker that is the first to be woken. */
const crowd = (ask) => Promise.all(Array.from({ length: 24 }, ask));
const workersOf = async (pid) => (await run('pgrep', ['-P', String(pid), '-f', 'worker process'])).stdout.split('\n').filter(Boolean).map(Number);
const pidFile = async (site, suffix = '') => Number(await readFile(join(site.dir, `data/nginx/nginx.pid${suffix}`), 'utf8').catch(() => 0));
const alive = (pid) => { try { process.kill(pid, 0); return true; } catch { return false; } };

story('a signature is good once, over reload, upgrade, restart and another size', async () => {
  const { site, upstream, sign, ask } = await make({ daemon: true });
  const used = [];
  const use = async () => {
    const headers = await sign('bot');
    const answer = await ask(headers);
    assert.equal(answer.reason, 'none');
    used.push(headers);
    return answer.worker;
  };
  /** Each of them is refused as used, by whoever gets it; by each of these workers at least one. */
  const refused = async (workers) => {
    for (const headers of used) assert.equal((await ask(headers)).reason, 'credential-replayed');
    const seen = new Set();
    await site.until('each worker was asked', async () => {
      for (const answer of await crowd(() => ask(used.at(-1)))) {
        assert.equal(answer.reason, 'credential-replayed');
        seen.add(answer.worker);
      }
      return workers.every((pid) => seen.has(pid));
    }, 120000);
  };
  const old = await pidFile(site), first = await workersOf(old);
  await use();
  await refused(first);

  process.kill(old, 'SIGHUP');
  await site.until('the workers are new', async () => { const now = await workersOf(old); return now.length === 2 && now.every((pid) => !first.includes(pid)); });
  const second = await workersOf(old);
  await refused(second);
  await use();

  let fresh = 0;
  process.kill(old, 'SIGUSR2');
  await site.until('the new master runs', async () => (fresh = await pidFile(site)) > 0 && fresh !== old && (await workersOf(fresh)).length === 2);
  const both = [...await workersOf(old), ...await workersOf(fresh)];
  assert.equal(both.length, 4);
  await refused(both);
  const by = new Set();
  await site.until('old and new served one each', async () => {
    const olds = await workersOf(old);
    for (const worker of await crowd(use)) by.add(olds.includes(worker));
    return by.size === 2;
  }, 120000);
  await refused(both);
  process.kill(old, 'SIGQUIT');
  await site.until('the old master is gone', async () => !alive(old));
  await use();
  await refused(await workersOf(fresh));

  process.kill(fresh, 'SIGQUIT');
  await site.until('nginx is gone', async () => !alive(fresh));
  await site.startNginx();
  const again = await pidFile(site);
  await refused(await workersOf(again));
  await use();

  const conf = await readFile(site.conf, 'utf8');
  const shm = /^shared_memory:\s*(\S+)/m.exec(await readFile(join(site.dir, 'licet.yaml'), 'utf8'))[1];
  const before = await stat(`${shm}.nonces`);
  assert.equal(before.mode & 0o777, 0o600);
  await writeFile(site.conf, conf.replace(/\n\s+upstream licet_upstream/, (found) => `\n    licet_signature_nonces 1m;${found}`));
  assert.equal((await run('nginx', ['-t', '-c', site.conf, '-p', join(site.dir, 'data/nginx'), '-e', '/dev/null'], { env: { ...process.env, ...site.nginxEnv } })).code, 0);
  assert.equal((await stat(`${shm}.nonces`)).ino, before.ino, 'nginx -t changes nothing');
  const leaving = await workersOf(again);
  process.kill(again, 'SIGHUP');
  await site.until('the workers are new', async () => { const now = await workersOf(again); return now.length === 2 && now.every((pid) => !leaving.includes(pid)); });
  assert.equal((await stat(`${shm}.nonces`)).size, 1024 * 1024);
  await refused(await workersOf(again));
  await nextSecond();
  await use();
  process.kill(again, 'SIGQUIT');
  await site.until('nginx is gone', async () => !alive(again));

  await site.sync();
  assert.equal((await site.receipts()).filter((receipt) => receipt.app === 'bot').length, used.length);
  await site.verify();
  console.log(`# used ${used.length} signatures, each once`);
  await site.stop();
  await upstream.stop();
});

// 64 KiB are 42 buckets of 63 places; of each one credential takes 32 at most.
const BUCKETS = 42, SHARE = 32, SIGNED = BUCKETS * SHARE + 300;

story('a caller that signs without end fills its own share of the notes', async () => {
  const { site, upstream, sign, ask } = await make({ extraHttp: 'licet_signature_nonces 64k;' });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const count = { none: 0, 'cannot-record': 0, 'credential-replayed': 0 };
  let first;
  const lines = Array.from({ length: 16 }, (_, line) => line);
  await Promise.all(lines.map(async (line) => {
    for (let i = line; i < SIGNED; i += lines.length) {
      const headers = await sign('hog');
      first ??= headers;
      count[(await ask(headers, agent)).reason]++;
    }
  }));
  assert.equal(count.none + count['cannot-record'], SIGNED);
  assert(count.none <= BUCKETS * SHARE, `${count.none} noted`);
  assert(count.none > BUCKETS * SHARE / 2, `${count.none} noted`);
  const mine = await sign('bot');
  assert.equal((await ask(mine)).reason, 'none', 'another caller has room');
  for (let i = 0; i < 60; i++) assert.equal((await ask(await sign('bot'), agent)).reason, 'none');
  assert.equal((await ask(mine)).reason, 'credential-replayed');
  assert.equal((await ask(first)).reason, 'credential-replayed', 'nothing was pushed out');
  agent.destroy();
  assert.match(await readFile(join(site.dir, 'data/nginx/error.log'), 'utf8'), /a signature of credential "[^"]+" was refused, for its nonce has no room/);
  console.log(`# used ${SIGNED} signatures, ${count.none} noted`);
  await site.stop();
  await upstream.stop();
});
