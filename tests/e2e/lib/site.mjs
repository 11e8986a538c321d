// SPDX-License-Identifier: Apache-2.0
// A site under test: made with licet's own commands, run by the real licetd and the real nginx.
//
//  (1) Everything lies in one temporary folder; every process is one this file started, and is ended by its pid.
//  (2) stop() fails the story when nginx logged an alert or worse, or when a sanitizer reported anything.
import { spawn, execFile } from 'node:child_process';
import { mkdtemp, mkdir, readFile, writeFile, rm, readdir, access } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import net from 'node:net';
import http from 'node:http';
import assert from 'node:assert/strict';
import test from 'node:test';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const build = process.env.LICET_BUILD ?? join(root, 'build');
export const data = process.env.LICET_TEST_DATA ?? join(root, '../shared/data');
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
/** What a story started and has not stopped; ended when the story ends, however it ends. */
const leftovers = new Set();
export const atEnd = (stop) => { leftovers.add(stop); return () => leftovers.delete(stop); };

/** A test whose processes and servers do not outlive it. */
export function story(name, body) {
  test(name, { timeout: 600000 }, async (t) => {
    try {
      await body(t);
    } finally {
      for (const stop of [...leftovers].reverse()) await stop().catch(() => {});
      leftovers.clear();
    }
  });
}

export const exists = (path) => access(path).then(() => true, () => false);

/** A port below those that connections take by themselves: a test beside this one must not get it in between. */
export async function freePort() {
  for (;;) {
    const port = 10240 + Math.floor(Math.random() * (32000 - 10240));
    const free = await new Promise((done) => {
      const server = net.createServer().once('error', () => done(false)).listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
    if (free) return port;
  }
}

/** Runs a program to its end. */
export function run(file, args, options = {}) {
  return new Promise((done) => {
    const child = execFile(file, args, { maxBuffer: 512 << 20, encoding: 'buffer', ...options }, (error, stdout, stderr) =>
      done({ code: error ? (error.code ?? 128) : 0, stdout: stdout.toString(), raw: stdout, stderr: stderr.toString() }));
    if (options.input !== undefined) child.stdin.end(options.input);
  });
}

const today = () => new Date().toISOString().slice(0, 10);

/** Text of an agreement; limits are lines of YAML flow maps, clauses their names. */
export function agreementText({ id = 'T-1', catalogue, mode = 'enforce', limits = [], clauses = {}, cannotRecord = 'refuse',
  onOverrun = 'deliver', purposes = '{ allowed: [display], forbidden: { train-ai: NO-TRAIN }, not_named: refuse, not_declared: record }' }) {
  const all = { 'NO-TRAIN': { section: 'II.A', says: 'No training of models' }, ...clauses };
  return [
    `agreement: ${id}`,
    `in_force: { from: 2020-01-01, then: refuse }`,
    'parties:',
    '  licensor: { legal_name: Test Platform, country: US }',
    '  licensee: { legal_name: Test Licensee, country: NO }',
    `catalogue: ${catalogue}`,
    'clauses:',
    ...Object.entries(all).map(([key, c]) => `  ${key}: { section: ${c.section}, says: ${c.says} }`),
    `purposes: ${purposes}`,
    ...(limits.length > 0 ? ['limits:', ...limits.map((l) => `  - ${l}`)] : []),
    `cannot_record: ${cannotRecord}`,
    `on_overrun: ${onOverrun}`,
    `mode: ${mode}`,
    '',
  ].join('\n');
}

export class Site {
  constructor() {
    this.children = [];
    this.keys = {};
  }

  /**
   * options: upstream (url), apps (names), agreement (options of agreementText), catalogueText and catalogue (name@date;
   * written by the story) or catalogue (shipped name), workers, tls ({cert, key}), extraHttp (or a function of the site),
   * extraServer, extraLocation,
   * daemon (true: nginx goes into the background, as it must to heed SIGUSR2 and SIGWINCH), steps (true: the module and the licetd that die at steps), settings (lines for licet.yaml).
   */
  static async make(options) {
    const site = new Site();
    site.options = options;
    site.programs = options.steps ? join(build, 'tests/crash') : build;
    site.env = {};
    site.folder = await mkdtemp(join(tmpdir(), 'licet-e2e-'));
    await run('chmod', ['755', site.folder]);
    site.dir = join(site.folder, 'site');
    site.port = await freePort();
    site.tlsPort = options.tls ? await freePort() : 0;
    const id = options.agreement?.id ?? 'T-1';
    site.agreement = id;
    const init = ['init', site.dir, '--upstream', options.upstream, '--agreement', id];
    if (!options.catalogueText) init.push('--catalogue', options.catalogue.split('@')[0]);
    await site.must(init);
    if (options.catalogueText) {
      for (const file of await readdir(join(site.dir, 'catalogue'))) await rm(join(site.dir, 'catalogue', file));
      await writeFile(join(site.dir, 'catalogue', `${options.catalogue}.yaml`), options.catalogueText);
    }
    const yaml = await readFile(join(site.dir, 'licet.yaml'), 'utf8');
    await writeFile(join(site.dir, 'licet.yaml'), yaml.replace(/^listen:.*$/m, `listen: 127.0.0.1:${site.port}`) + (options.settings ?? []).map((line) => `${line}\n`).join(''));
    const folder = join(site.dir, 'agreements', id);
    for (const file of await readdir(folder)) await rm(join(folder, file));
    await site.writeAgreement(options.agreement ?? {});
    const apps = options.apps ?? ['reader'];
    await writeFile(join(folder, 'apps.yaml'), [
      'apps:',
      ...apps.map((app) => `  ${app}: { products: [Product-${app}], environment: prod, default_use_case: UC-${app} }`),
      'use_cases:',
      ...apps.map((app) => `  UC-${app}: { product: Product-${app}, purpose: display, recipient: public, approved: { by: A. Tester, role: licensing, from: 2020-01-01 } }`),
      '',
    ].join('\n'));
    for (const app of apps) {
      const answer = JSON.parse((await site.must(['credential', 'new', site.dir, app, '--json', ...(options.from ? ['--from', options.from] : [])])).stdout);
      site.keys[app] = answer.secret;
    }
    await site.must(['check', site.dir]);
    return site;
  }

  async writeAgreement(agreement, name = '2020-01-01') {
    await writeFile(join(this.dir, 'agreements', this.agreement, `${name}.yaml`),
      agreementText({ id: this.agreement, catalogue: this.options.catalogue, ...agreement }));
  }

  async licet(args, options) {
    return await run(join(build, 'licet'), args, options);
  }

  async must(args, options) {
    const result = await this.licet(args, options);
    assert.equal(result.code, 0, `licet ${args.join(' ')} ended with ${result.code}:\n${result.stdout}${result.stderr}`);
    return result;
  }

  start_(name, file, args, env = {}) {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...process.env, ...env } });
    child.name = name;
    child.said = '';
    const keep = (chunk) => { child.said = (child.said + chunk).slice(-200000); };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.ended = new Promise((done) => child.on('exit', (code, signal) => { child.over = true; done({ code, signal }); }));
    this.children.push(child);
    // The whole group: workers outlive a master that is killed, and would keep the story from its end.
    atEnd(async () => process.kill(-child.pid, 'SIGKILL'));
    return child;
  }

  /** Environment in which a program is started with libraries before its own; the sanitizer's runtime stands before them. */
  async preload(needs, libraries = [], env = {}) {
    const wants = /\b(libasan\.so)/.test((await run('ldd', [needs])).stdout);
    const runtime = wants ? [(await run('gcc', ['-print-file-name=libasan.so'])).stdout.trim()] : [];
    return { ...(libraries.length > 0 ? { LD_PRELOAD: [...runtime, ...libraries].join(' ') } : {}), ...this.env, ...env };
  }

  /** recorderPreload, recorderEnv: libraries and environment of licetd alone. */
  async startRecorder() {
    const program = join(this.programs, 'licetd');
    this.recorder = this.start_('licetd', program, [this.dir], await this.preload(program, this.recorderPreload, this.recorderEnv));
    await this.until('licetd answers', async () => {
      assert(!this.recorder.over, `licetd ended:\n${this.recorder.said}`);
      return (await this.operator('GET', '/healthz').catch(() => ({ status: 0 }))).status === 200;
    });
  }

  /** The configuration that licet up would use, with what the story adds. */
  async writeConf() {
    let conf = (await this.must(['up', this.dir, '--print-nginx', '--workers', String(this.options.workers ?? 2)])).stdout;
    await mkdir(join(this.dir, 'data/nginx'), { recursive: true });
    if (this.options.tls) {
      conf = conf.replace(/(\n\s+listen [^;]+;)/, `$1\n        listen 127.0.0.1:${this.tlsPort} ssl http2;\n` +
        `        ssl_certificate ${this.options.tls.cert};\n        ssl_certificate_key ${this.options.tls.key};`);
    }
    conf = conf.replace(/^load_module .*$/m, `load_module "${join(this.programs, 'ngx_http_licet_module.so')}";\nenv LD_PRELOAD;\nenv ASAN_OPTIONS;`);
    if (this.options.daemon) conf = conf.replace(/^daemon off;$/m, 'daemon on;');
    const { extraHttp } = this.options;
    if (extraHttp) conf = conf.replace(/\n\s+upstream licet_upstream/, (found) => `\n    ${typeof extraHttp === 'function' ? extraHttp(this) : extraHttp}${found}`);
    if (this.options.extraServer) conf = conf.replace(/(\n\s+location \/ \{)/, `\n        ${this.options.extraServer}$1`);
    if (this.options.extraLocation) conf = conf.replace(/(licet on;)/, `$1\n            ${this.options.extraLocation}`);
    conf = Object.keys(this.nginxEnv ?? {}).map((name) => `env ${name};\n`).join('') + conf; // nginx clears the others
    this.conf = join(this.dir, 'data/nginx/nginx.conf');
    await writeFile(this.conf, conf);
  }

  async startNginx() {
    await this.writeConf();
    const folder = join(this.dir, 'data/nginx');
    // nginx itself is not linked with the sanitizer's runtime that the module asks for.
    const wants = /\b(libasan\.so)/.test((await run('ldd', [join(build, 'ngx_http_licet_module.so')])).stdout);
    const runtime = wants ? (await run('gcc', ['-print-file-name=libasan.so'])).stdout.trim() : '';
    const libraries = [...(wants ? [runtime] : []), ...(this.nginxPreload ?? [])].join(' ');
    const env = { ...(libraries ? { LD_PRELOAD: libraries } : {}), ...(wants ? { ASAN_OPTIONS: 'detect_leaks=0' } : {}), ...this.env, ...this.nginxEnv };
    // With its whole path: a binary upgrade starts what it was started as.
    const command = [(await run('sh', ['-c', 'command -v nginx'])).stdout.trim(), '-p', folder, '-c', this.conf, '-e', join(folder, 'error.log')];
    this.nginxEnv = env;
    this.nginx = this.start_('nginx', command[0], command.slice(1), env);
    if (this.options.daemon) {
      await this.nginx.ended;
      const master = Number(await readFile(join(folder, 'nginx.pid'), 'utf8'));
      atEnd(async () => process.kill(-master, 'SIGKILL')); // its group: those that follow it too
    }
    await this.until('nginx listens', async () => {
      assert(this.options.daemon || !this.nginx.over, `nginx ended:\n${this.nginx.said}`);
      return await new Promise((done) => {
        const socket = net.connect(this.port, '127.0.0.1', () => { socket.destroy(); done(true); }).on('error', () => done(false));
      });
    });
    if (!this.options.daemon) await this.until('all workers are there', async () => (await this.workers()).length >= (this.options.workers ?? 2));
  }

  async start() {
    await this.startRecorder();
    await this.startNginx();
    return this;
  }

  /** Waits for what must come; the end of its patience is for what hangs, not for a slow machine. */
  async until(what, ask, ms = 120000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) if (await ask()) return;
    assert.fail(`${what}: not within ${ms} ms`);
  }

  operator(method, path) {
    return new Promise((done, fail) => {
      const request = http.request({ socketPath: join(this.dir, 'data/operator.sock'), method, path }, (response) => {
        let body = '';
        response.on('data', (chunk) => { body += chunk; });
        response.on('end', () => done({ status: response.statusCode, body }));
      }).on('error', fail);
      request.end();
    });
  }

  async workers() {
    const { stdout } = await run('pgrep', ['-P', String(this.nginx.pid)]);
    return stdout.split('\n').filter(Boolean).map(Number);
  }

  /** One request; the whole body as a Buffer. Without an agent it returns once nginx has closed the connection, which it does
   *  after it has settled the request: what the next request finds in the counters depends on no clock. */
  request(app, path, options = {}) {
    return new Promise((done, fail) => {
      const request = http.request({ host: '127.0.0.1', port: this.port, path, method: options.method ?? 'GET', agent: options.agent ?? false,
        headers: { ...(app ? { authorization: `Bearer ${this.keys[app] ?? app}` } : {}), ...options.headers } }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', fail);
        response.on('aborted', () => fail(new Error('aborted')));
        response.on('end', () => {
          const answer = { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
          if (options.agent || response.socket.closed) return done(answer);
          response.socket.on('error', () => {}).on('close', () => done(answer));
        });
      }).on('error', fail);
      // At the body's end node would destroy its socket: it only ends its side, and so sees when nginx closes.
      if (!options.agent) request.on('socket', (socket) => { socket.destroySoon = socket.end; });
      request.end(options.body);
    });
  }

  async sync() {
    const answer = await this.operator('POST', '/sync');
    assert.equal(answer.status, 200, answer.body);
  }

  /** The report of the current month, after a sync. */
  async report() {
    const now = new Date();
    const month = (n) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + n, 1)).toISOString().slice(0, 10);
    return JSON.parse((await this.must(['report', this.dir, '--agreement', this.agreement, '--from', month(0), '--before', month(1), '--json'])).stdout);
  }

  async verify() {
    return await this.must(['verify', this.dir]);
  }

  /** Every receipt of the ledger, refusals one by one. */
  async receipts() {
    const { stdout } = await this.must(['tail', this.dir, '--all', '--once', '--json']);
    return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  async kill(child, signal = 'SIGTERM') {
    if (!child || child.over) return;
    process.kill(child.pid, signal);
    const late = setTimeout(() => { if (!child.over) process.kill(child.pid, 'SIGKILL'); }, 60000);
    await child.ended;
    clearTimeout(late);
  }

  async stop({ keep = false, alerts = true } = {}) {
    await this.kill(this.nginx, 'SIGQUIT');
    await this.kill(this.recorder, 'SIGTERM');
    const log = await readFile(join(this.dir, 'data/nginx/error.log'), 'utf8').catch(() => '');
    const faults = log.split('\n').filter((line) => /\[(alert|emerg|crit)\]/.test(line));
    const said = this.children.map((child) => child.said).join('');
    for (const text of [said, log]) {
      assert(!/AddressSanitizer|runtime error:|LeakSanitizer/.test(text), `a sanitizer reports:\n${text.slice(-4000)}`);
    }
    if (alerts) assert.deepEqual(faults, [], 'the nginx error log holds no alert');
    const shm = await readFile(join(this.dir, 'licet.yaml'), 'utf8').then((t) => /^shared_memory:\s*(\S+)/m.exec(t)?.[1], () => null);
    for (const file of shm ? [shm, `${shm}.nonces`] : []) await rm(file, { force: true });
    if (!keep) await rm(this.folder, { recursive: true, force: true });
  }
}

export const grossOf = (row, unit = 'post') => row?.units?.[unit]?.gross ?? 0;
export const rowOf = (list, id) => list.find((row) => row.id === id);
