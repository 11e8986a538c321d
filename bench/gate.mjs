// SPDX-License-Identifier: Apache-2.0
// CPU per request of worker and licetd against the same nginx without the module (DESIGN.md section 10, rows 1 and 2).
//
// An nginx serves pages of 3, 12 and 60 kB (5, 20 and 100 posts). Others stand before it, each with one worker and the same
// configuration but for what is compared: plain A, plain B, the gate (metered with ids, two limits enforced, recorded), and
// as peers a Lua body filter and njs that count the same posts. wrk drives each in turn, interleaved; a round's figure is
// the run time of the worker (and of licetd) by the scheduler's own account over the requests of the round. The figure of a
// setup is the minimum of its rounds: what else the machine does can only add to it. The peers get a quarter of the rounds.
import assert from 'node:assert/strict';
import { cpus, loadavg } from 'node:os';
import { SIZES, fetchHash, median, pathOf, run, runTime, withRig } from './lib/rig.mjs';

const long = process.argv.includes('long');
const ROUNDS = Number(process.env.ROUNDS ?? (long ? 40 : 20));
const SECONDS = Number(process.env.SECONDS ?? (long ? 3 : 1));
const CONNECTIONS = 32;
const BUDGET = { '12kB': 1.10, '60kB': 1.15 };
const NOISY = 1.05; // two plain setups further apart than this: the machine was busy

async function drive(setup, path) {
  const before = await Promise.all([runTime(setup.workers), runTime(setup.recorders)]);
  const { stdout, code, stderr } = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, '-H', `Authorization: Bearer ${setup.key}`,
    `http://127.0.0.1:${setup.port}${path}`]);
  const after = await Promise.all([runTime(setup.workers), runTime(setup.recorders)]);
  assert.equal(code, 0, stderr);
  assert(!/Non-2xx|Socket errors/.test(stdout), stdout);
  const requests = Number(/(\d+) requests in/.exec(stdout)[1]);
  return { requests, rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), worker: (after[0] - before[0]) / requests,
    recorder: (after[1] - before[1]) / requests };
}

await withRig(async (rig) => {
  await rig.proxy('plain-A');
  await rig.proxy('plain-B');
  await rig.gate();
  await rig.peers();
  await rig.ready();
  const peer = (setup) => !/plain|gate/.test(setup.name);
  console.log(`gate against the same nginx without the module: ${cpus().length} × ${cpus()[0].model.trim()}, ${ROUNDS} rounds of ${SECONDS} s, ` +
    `${CONNECTIONS} connections, load average ${loadavg()[0].toFixed(1)}`);
  const lines = [];
  for (const [size, n] of SIZES) {
    const path = pathOf(n);
    const hashes = await Promise.all(rig.setups.map((setup) => fetchHash(setup, path)));
    assert(hashes.every((hash) => hash === hashes[0]), 'every setup serves the same bytes');
    const rounds = rig.setups.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (let k = 0; k < rig.setups.length; k++) {
        const i = (round + k) % rig.setups.length;
        if (!peer(rig.setups[i]) || round % 4 === 0) rounds[i].push(await drive(rig.setups[i], path));
      }
    }
    const least = (i, of) => Math.min(...rounds[i].map(of));
    const cpu = (r) => r.worker + r.recorder;
    console.log(`\npage of ${size} (${n} posts), checksum ${hashes[0]}, ${rounds.flat().reduce((sum, r) => sum + r.requests, 0)} requests`);
    console.log('            CPU per request, µs: min   median   of it licetd: min   requests/s: best   median');
    rig.setups.forEach((setup, i) => console.log(`  ${setup.name.padEnd(8)} ${(least(i, cpu) / 1000).toFixed(2).padStart(25)} ` +
      `${(median(rounds[i].map(cpu)) / 1000).toFixed(2).padStart(8)} ${(least(i, (r) => r.recorder) / 1000).toFixed(2).padStart(19)} ` +
      `${Math.max(...rounds[i].map((r) => r.rate)).toFixed(0).padStart(18)} ${median(rounds[i].map((r) => r.rate)).toFixed(0).padStart(8)}`));
    const plain = Math.min(least(0, cpu), least(1, cpu));
    const spread = Math.max(least(0, cpu), least(1, cpu)) / plain;
    const ratio = least(2, cpu) / plain;
    lines.push(`RATIO gate-cpu-plain-against-plain-${size} ${spread.toFixed(3)} - -`);
    if (spread > NOISY) console.log(`  the two plain setups differ by ${((spread - 1) * 100).toFixed(0)} %: this machine was busy, do not trust the ratio`);
    lines.push(BUDGET[size] ? `RATIO gate-cpu-${size} ${ratio.toFixed(3)} <=${BUDGET[size].toFixed(2)} ${ratio <= BUDGET[size] ? 'holds' : 'short'}`
      : `RATIO gate-cpu-${size} ${ratio.toFixed(3)} - -`);
    rig.setups.forEach((setup, i) => { if (peer(setup)) lines.push(`RATIO ${setup.name}-cpu-${size} ${(least(i, cpu) / plain).toFixed(3)} - -`); });
    lines.push(`RATIO gate-throughput-${size} ${(median(rounds[2].map((r) => r.rate)) / Math.max(median(rounds[0].map((r) => r.rate)), median(rounds[1].map((r) => r.rate)))).toFixed(3)} - -`);
  }
  console.log(`\nledger: ${await rig.verified()}`);
  for (const name of ['lua', 'njs']) if (!rig.setups.some((s) => s.name === name)) console.log(`${name}: its Debian package is not installed (tools/deps.sh bench), not measured`);
  console.log(lines.join('\n'));
});
