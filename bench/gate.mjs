// SPDX-License-Identifier: Apache-2.0
// CPU of the gate per request, and its throughput, against the same nginx without the module.
//
// An nginx serves pages of 3, 12 and 60 kB (5, 20 and 100 posts). Three more stand before it, each with one worker and the
// same configuration but for the licet directives: plain A, plain B, and the gate (metered, enforced, recorded, with a limit
// that binds). wrk drives each in turn, interleaved, ROUNDS times; a round's figure is the run time of the worker (and of
// licetd) by the scheduler's own account, over the requests of the round. The figure of a setup is the minimum of its rounds.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { Site, freePort, run } from '../tests/e2e/lib/site.mjs';
import * as catalogue from '../tests/e2e/lib/catalogue.mjs';

const long = process.argv.includes('long');
const ROUNDS = Number(process.env.ROUNDS ?? (long ? 40 : 20));
const SECONDS = Number(process.env.SECONDS ?? (long ? 3 : 1));
const CONNECTIONS = 32;
const SIZES = [['3 kB', 5], ['12 kB', 20], ['60 kB', 100]];
const BUDGET = { '12 kB': 1.10, '60 kB': 1.15 };

/** A v2 page of n posts of about 590 bytes each. */
function page(n) {
  const post = (i) => ({ id: String(1700000000000000000n + BigInt(i)), author_id: String(2000000 + i), lang: 'en',
    edit_history_tweet_ids: [String(1700000000000000000n + BigInt(i))], created_at: '2026-01-02T03:04:05.000Z',
    public_metrics: { retweet_count: i, reply_count: 1, like_count: 22, quote_count: 0 },
    text: `Synthetic post ${i}: ${'rain over the harbour, wind from the west, gulls loud. '.repeat(6)}` });
  return JSON.stringify({ data: Array.from({ length: n }, (_, i) => post(i)), meta: { result_count: n } });
}

const runTime = async (pids) => {
  let ns = 0n;
  for (const pid of pids) {
    for (const task of (await run('ls', [`/proc/${pid}/task`])).stdout.split('\n').filter(Boolean)) {
      ns += BigInt((await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8')).split(' ')[0]);
    }
  }
  return Number(ns);
};

async function drive(setup, path) {
  const before = await runTime(setup.pids);
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, '-H', `Authorization: Bearer ${setup.key}`, `http://127.0.0.1:${setup.port}${path}`];
  const { stdout, code, stderr } = await run('wrk', args);
  assert.equal(code, 0, stderr);
  assert(!/Non-2xx/.test(stdout), stdout);
  const requests = Number(/(\d+) requests in/.exec(stdout)[1]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]);
  return { ns: (await runTime(setup.pids) - before) / requests, rate, requests };
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const fetchHash = async (setup, path) => {
  const { raw } = await run('curl', ['-sS', '-H', `Authorization: Bearer ${setup.key}`, `http://127.0.0.1:${setup.port}${path}`]);
  return createHash('sha256').update(raw).digest('hex').slice(0, 16);
};

const folder = await mkdtemp(join(tmpdir(), 'licet-bench-'));
await run('chmod', ['755', folder]);
const pages = join(folder, 'pages');
await mkdir(pages);
for (const [, n] of SIZES) await writeFile(join(pages, `search-${n}.json`), page(n));

const site = new Site();
const started = [];
async function plainNginx(name, body) {
  const home = join(folder, name);
  await mkdir(home);
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/${kind};`).join(' ');
  await writeFile(join(home, 'nginx.conf'), `user root; worker_processes 1; pid ${home}/nginx.pid; error_log ${home}/error.log; daemon off;
    events { worker_connections 4096; } http { ${temp} keepalive_requests 100000000; ${body} }`);
  const child = site.start_(name, 'nginx', ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'error.log')]);
  started.push(child);
  return child;
}
const originPort = await freePort();
await plainNginx('origin', `access_log off; default_type application/json; open_file_cache max=100; server { listen 127.0.0.1:${originPort};
  root ${pages}; location / { try_files /search-$arg_max_results.json =404; } }`);

const gate = await Site.make({ upstream: `http://127.0.0.1:${originPort}`, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 1,
  agreement: { limits: ['{ clause: CAP, unit: post, most: 1_000_000_000_000, per: month, over: licensee }', '{ clause: RATE, unit: request, most: 100_000_000_000, per: 15m, over: app }'],
    clauses: { CAP: { section: '2', says: 'A cap' }, RATE: { section: '3', says: 'A rate' } } } });
await gate.start();
const proxy = async (name) => {
  const port = await freePort();
  const child = await plainNginx(name, `log_format licet '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent app=- verdict=- units=- decision=-';
    access_log ${folder}/${name}/access.log licet; upstream licet_upstream { server 127.0.0.1:${originPort}; keepalive 64; }
    server { listen 127.0.0.1:${port}; location / { proxy_pass http://licet_upstream; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host x; } }`);
  return { name, port, child, key: gate.keys.reader };
};
const setups = [await proxy('plain A'.replace(' ', '-')), await proxy('plain-B'), { name: 'gate', port: gate.port, child: gate.nginx, key: gate.keys.reader }];
await new Promise((done) => setTimeout(done, 500));
for (const setup of setups) {
  setup.pids = (await run('pgrep', ['-P', String(setup.child.pid)])).stdout.split('\n').filter(Boolean).map(Number);
  if (setup.name === 'gate') setup.pids.push(gate.recorder.pid);
}

console.log(`gate against the same nginx without the module: ${cpus().length} × ${cpus()[0].model.trim()}, ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections`);
const lines = [];
for (const [size, n] of SIZES) {
  const path = `/2/tweets/search/recent?max_results=${n}`;
  const hashes = await Promise.all(setups.map((setup) => fetchHash(setup, path)));
  assert(hashes.every((hash) => hash === hashes[0]), 'every setup serves the same bytes');
  const figures = setups.map(() => ({ ns: [], rate: [] }));
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let k = 0; k < setups.length; k++) {
      const i = (round + k) % setups.length;
      const { ns, rate, requests } = await drive(setups[i], path);
      figures[i].ns.push(ns);
      figures[i].rate.push(rate);
      total += requests;
    }
  }
  console.log(`\npage of ${size} (${n} posts), checksum ${hashes[0]}, ${total} requests`);
  console.log('              CPU per request, µs: min   median    requests/s: best   median');
  setups.forEach((setup, i) => console.log(`  ${setup.name.padEnd(10)} ${(Math.min(...figures[i].ns) / 1000).toFixed(2).padStart(25)} ${(median(figures[i].ns) / 1000).toFixed(2).padStart(8)} ` +
    `${Math.max(...figures[i].rate).toFixed(0).padStart(20)} ${median(figures[i].rate).toFixed(0).padStart(8)}`));
  const [a, b, g] = figures.map(({ ns }) => Math.min(...ns));
  const ratio = g / Math.min(a, b), spread = Math.max(a, b) / Math.min(a, b);
  const key = size.replace(' ', '');
  lines.push(`RATIO gate-cpu-plain-against-plain-${key} ${spread.toFixed(3)} - -`);
  lines.push(BUDGET[size] ? `RATIO gate-cpu-${key} ${ratio.toFixed(3)} <=${BUDGET[size].toFixed(2)} ${ratio <= BUDGET[size] ? 'holds' : 'short'}` : `RATIO gate-cpu-${key} ${ratio.toFixed(3)} - -`);
  lines.push(`RATIO gate-throughput-${key} ${(median(figures[2].rate) / Math.max(median(figures[0].rate), median(figures[1].rate))).toFixed(3)} - -`);
}
await gate.sync();
const report = await gate.report();
await gate.verify();
console.log(`\nledger: ${report.totals.requests.delivered} responses, ${report.totals.units.post.gross} posts, verified`);
console.log(lines.join('\n'));
await gate.stop();
for (const child of started) await site.kill(child, 'SIGTERM');
await rm(folder, { recursive: true, force: true });
