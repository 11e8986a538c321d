// SPDX-License-Identifier: Apache-2.0
// The rig of the gate's benchmarks: an nginx that serves pages, and others that stand before it, all on loopback.
//
//  (1) Every setup has one worker, an access log and the same directives, but for what is compared.
//  (2) CPU is run time by the scheduler's own account (/proc/PID/task/TID/schedstat), of the worker and of what records.
//  (3) Only processes that were started here are ended, by their id.
import { mkdir, readFile, writeFile, mkdtemp, rm, access } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Site, build, freePort, run } from '../../tests/e2e/lib/site.mjs';
import * as catalogue from '../../tests/e2e/lib/catalogue.mjs';

export { build, run };
export const SIZES = [['3kB', 5], ['12kB', 20], ['60kB', 100]];
export const pathOf = (posts) => `/2/tweets/search/recent?max_results=${posts}`;
export const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const MODULES = '/usr/lib/nginx/modules';

/** A v2 page of n posts of about 590 bytes each. */
function page(n) {
  const post = (i) => ({ id: String(1700000000000000000n + BigInt(i)), author_id: String(2000000 + i), lang: 'en',
    edit_history_tweet_ids: [String(1700000000000000000n + BigInt(i))], created_at: '2026-01-02T03:04:05.000Z',
    public_metrics: { retweet_count: i, reply_count: 1, like_count: 22, quote_count: 0 },
    text: `Synthetic post ${i}: ${'rain over the harbour, wind from the west, gulls loud. '.repeat(6)}` });
  return JSON.stringify({ data: Array.from({ length: n }, (_, i) => post(i)), meta: { result_count: n } });
}

export const fetchHash = async (setup, path) => {
  const { raw } = await run('curl', ['-sS', '-H', `Authorization: Bearer ${setup.key}`, `http://127.0.0.1:${setup.port}${path}`]);
  return createHash('sha256').update(raw).digest('hex').slice(0, 16);
};

/** Nanoseconds that all threads of these processes ran. */
export async function runTime(pids) {
  let ns = 0n;
  for (const pid of pids) {
    for (const task of (await run('ls', [`/proc/${pid}/task`])).stdout.split('\n').filter(Boolean)) {
      ns += BigInt((await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8')).split(' ')[0]);
    }
  }
  return Number(ns);
}

/** Runs a benchmark with a rig; whatever comes of it, no process outlives it. */
export async function withRig(body) {
  const rig = new Rig();
  try {
    await rig.begin();
    await body(rig);
  } finally {
    await rig.stop();
  }
}

export class Rig {
  site = new Site(); // what it starts it ends
  children = [];
  setups = [];

  async begin() {
    this.folder = await mkdtemp(join(tmpdir(), 'licet-bench-'));
    await run('chmod', ['755', this.folder]);
    const pages = join(this.folder, 'pages');
    await mkdir(pages);
    for (const [, n] of SIZES) await writeFile(join(pages, `search-${n}.json`), page(n));
    this.origin = await freePort();
    await this.nginx('origin', '', `access_log off; default_type application/json; open_file_cache max=100; server { listen 127.0.0.1:${this.origin};
      root ${pages}; location / { try_files /search-$arg_max_results.json =404; } }`);
  }

  async nginx(name, head, body) {
    const home = join(this.folder, name);
    await mkdir(home);
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/${kind};`).join(' ');
    await writeFile(join(home, 'nginx.conf'), `${head} user root; worker_processes 1; pid ${home}/nginx.pid; error_log ${home}/error.log; daemon off;
      events { worker_connections 4096; } http { ${temp} keepalive_requests 100000000; ${body} }`);
    const child = this.site.start_(name, 'nginx', ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'error.log')]);
    this.children.push(child);
    return child;
  }

  /** A proxy before the origin; head, http and location add what is compared. */
  async proxy(name, { head = '', http = '', location = '' } = {}) {
    const port = await freePort();
    const child = await this.nginx(name, head, `${http} log_format licet '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent app=- verdict=- units=- decision=-';
      access_log ${this.folder}/${name}/access.log licet; upstream licet_upstream { server 127.0.0.1:${this.origin}; keepalive 64; }
      server { listen 127.0.0.1:${port}; location / { ${location} proxy_pass http://licet_upstream; proxy_http_version 1.1;
        proxy_set_header Connection ""; proxy_set_header Host x; } }`);
    this.setups.push({ name, port, child, key: 'none' });
  }

  /** The same proxy with licet: metered with ids, two limits enforced, recorded. */
  async gate() {
    this.licet = await Site.make({ upstream: `http://127.0.0.1:${this.origin}`, catalogue: catalogue.name, catalogueText: catalogue.text, workers: 1,
      agreement: { limits: ['{ clause: CAP, unit: post, most: 1_000_000_000_000, per: month, over: licensee }', '{ clause: RATE, unit: request, most: 100_000_000_000, per: 15m, over: app }'],
        clauses: { CAP: { section: '2', says: 'A cap' }, RATE: { section: '3', says: 'A rate' } } } });
    await this.licet.start();
    this.setups.push({ name: 'gate', port: this.licet.port, child: this.licet.nginx, key: this.licet.keys.reader });
  }

  /**
   * The named peers, where their Debian packages are installed: posts counted by a Lua body filter and by njs, each as one
   * writes it there (gather the body, parse it at its end, add the length of data to a shared number).
   */
  async peers() {
    const has = (file) => access(join(MODULES, file)).then(() => true, () => false);
    if (await has('ngx_http_lua_module.so')) {
      await this.proxy('lua', { head: `load_module ${MODULES}/ndk_http_module.so; load_module ${MODULES}/ngx_http_lua_module.so;`,
        http: 'lua_shared_dict counts 1m;',
        location: `body_filter_by_lua_block {
          local parts = ngx.ctx.parts or {}
          ngx.ctx.parts = parts
          parts[#parts + 1] = ngx.arg[1]
          if ngx.arg[2] then
            local body = require("cjson.safe").decode(table.concat(parts))
            ngx.shared.counts:incr("posts", body and body.data and #body.data or 0, 0)
          end
        }` });
    }
    if (await has('ngx_http_js_module.so')) {
      await writeFile(join(this.folder, 'count.js'), `var parts = '';
        function filter(r, data, flags) {
          parts += data;
          if (flags.last) { r.variables.posts = JSON.parse(parts).data.length; }
          r.sendBuffer(data, flags);
        }
        export default { filter };`);
      await this.proxy('njs', { head: `load_module ${MODULES}/ngx_http_js_module.so;`,
        http: `js_path ${this.folder}; js_import count.js; js_var $posts;`, location: 'js_body_filter count.filter;' });
    }
  }

  /** Every setup has its worker's process ids, and serves the same bytes. */
  async ready() {
    await new Promise((done) => setTimeout(done, 500));
    for (const setup of this.setups) {
      setup.workers = (await run('pgrep', ['-P', String(setup.child.pid)])).stdout.split('\n').filter(Boolean).map(Number);
      setup.recorders = setup.name === 'gate' ? [this.licet.recorder.pid] : [];
    }
  }

  /** What the ledger holds, after licet verify said that it is whole. */
  async verified() {
    await this.licet.sync();
    const { totals } = await this.licet.report();
    await this.licet.verify();
    return `${totals.requests.delivered} responses, ${totals.units.post.gross} posts, verified`;
  }

  async stop() {
    for (const child of this.children) await this.site.kill(child, 'SIGTERM');
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
    await this.licet?.stop();
  }
}
