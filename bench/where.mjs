// SPDX-License-Identifier: Apache-2.0
// Where the time goes: CPU per request of the plain worker, the gate's worker and licetd, by what they do.
//
// perf samples the processes under wrk by the CPU clock (it needs no counters, so it works in a virtual machine); a sample
// belongs to the first line below whose pattern its symbol or library matches, and samples over requests are microseconds.
// Functions that the compiler put into others count there. Where perf cannot sample, user and system time by the kernel's
// own account stand for the table.
import { readFile, rm } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { SIZES, pathOf, run, withRig } from './lib/rig.mjs';

const SECONDS = Number(process.env.WHERE_SECONDS ?? 4);
const HERTZ = 5000;
const CRYPTO = /libcrypto/, MODULE = /ngx_http_licet_module/;
const LINES = [
  ['kernel', (s) => s.library === 'kernel' && s.comm !== 'licetd'],
  ['nginx', (s) => s.comm !== 'licetd' && !MODULE.test(s.library) && !CRYPTO.test(s.library)],
  ['identify', (s) => s.comm !== 'licetd' && (CRYPTO.test(s.library) || /identify|hmac|sha256|index_by|equal_secret|header_in/.test(s.symbol))],
  ['decide', (s) => s.comm !== 'licetd' && /decide|image_|page_of|window|month|ngx_http_licet_(handler|admit)/.test(s.symbol)],
  ['admit', (s) => s.comm !== 'licetd' && /worker_admit|hold_|counter_|lease_|decision|gate_counter|ids_need|worker_/.test(s.symbol)],
  ['scan', (s) => s.comm !== 'licetd' && /licet_scan|licet_on_id|on_id/.test(s.symbol)],
  ['settle', (s) => s.comm !== 'licetd' && /slot_|ring_|ids_|settle|delivered/.test(s.symbol)],
  ['filters and headers', (s) => s.comm !== 'licetd'],
  ['licetd: kernel', (s) => s.library === 'kernel'],
  ['licetd: hashing', (s) => CRYPTO.test(s.library) || /sha256|tree/.test(s.symbol)],
  ['licetd: the rest', () => true],
];

/** Samples of some processes while body runs; null where perf cannot. */
async function sampled(pids, file, body) {
  const perf = spawn('perf', ['record', '-q', '-e', 'cpu-clock', '-F', String(HERTZ), '-p', pids.join(','), '-o', file], { stdio: 'ignore' });
  const ended = new Promise((done) => perf.on('exit', done).on('error', () => done(1)));
  const result = await body();
  perf.kill('SIGINT');
  await ended;
  const { stdout } = await run('perf', ['script', '-i', file, '-G', '-F', 'comm,period,ip,sym,dso']);
  await rm(file, { force: true });
  const samples = stdout.split('\n').map((line) => /^\s*(\S+)\s+(\d+)\s+[0-9a-f]+ (.*) \(([^()]*|\[.*\])\)\s*$/.exec(line)).filter(Boolean)
    .map(([, comm, period, symbol, library]) => ({ comm, ns: Number(period), symbol, library: /kernel/.test(library) ? 'kernel' : library }));
  return { result, samples: samples.length > 0 ? samples : null };
}

/** User and system time of some processes in µs, by the kernel's ticks. */
async function ticks(pids) {
  let user = 0, system = 0;
  for (const pid of pids) {
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
    user += Number(fields[11]) * 10000;
    system += Number(fields[12]) * 10000;
  }
  return { user, system };
}

async function drive(setup, path) {
  const { stdout } = await run('wrk', ['-t1', '-c32', `-d${SECONDS}s`, '-H', `Authorization: Bearer ${setup.key}`, `http://127.0.0.1:${setup.port}${path}`]);
  return Number(/(\d+) requests in/.exec(stdout)[1]);
}

await withRig(async (rig) => {
  await rig.proxy('plain-A');
  await rig.gate();
  await rig.ready();
  for (const [size, n] of SIZES) {
    const path = pathOf(n), columns = [];
    let ran = true;
    for (const setup of rig.setups) {
      const pids = [...setup.workers, ...setup.recorders];
      const before = await ticks(pids);
      const { result: requests, samples } = await sampled(pids, join(rig.folder, 'perf.data'), () => drive(setup, path));
      const after = await ticks(pids);
      if (samples === null) {
        ran = false;
        columns.push({ requests, user: (after.user - before.user) / requests, system: (after.system - before.system) / requests });
        continue;
      }
      const sums = LINES.map(() => 0);
      for (const sample of samples) sums[LINES.findIndex(([, belongs]) => belongs(sample))] += sample.ns;
      columns.push({ requests, sums: sums.map((ns) => ns / 1000 / requests) });
    }
    const [plain, gate] = columns;
    console.log(`\nwhere the time goes, page of ${size}: µs per request (${plain.requests} and ${gate.requests} requests)`);
    console.log('                          plain     gate');
    if (!ran) {
      console.log('  perf cannot sample here (tools/deps.sh bench installs it; it needs the right to): user and system time');
      for (const key of ['user', 'system']) console.log(`  ${key.padEnd(20)} ${plain[key].toFixed(2).padStart(8)} ${gate[key].toFixed(2).padStart(8)}`);
      continue;
    }
    LINES.forEach(([name], i) => console.log(`  ${name.padEnd(20)} ${plain.sums[i].toFixed(2).padStart(8)} ${gate.sums[i].toFixed(2).padStart(8)}`));
    const sum = (column) => column.sums.reduce((a, b) => a + b, 0);
    console.log(`  ${'together'.padEnd(20)} ${sum(plain).toFixed(2).padStart(8)} ${sum(gate).toFixed(2).padStart(8)}`);
  }
});
