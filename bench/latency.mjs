// SPDX-License-Identifier: Apache-2.0
// Added p99 at half load and a fixed rate (DESIGN.md section 10, row 3).
//
// Half load is half of what the gate serves with wrk at its best here, for every setup the same. bench-rate asks at that
// rate, one setup at a time, interleaved, and charges each answer from the time its request was due. What the gate adds is
// the median over the rounds of (gate - plain A) within a round; the budget is 100 µs, or the spread of plain B against
// plain A in the same run (median of the absolute differences) where that is larger.
import assert from 'node:assert/strict';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { SIZES, build, median, pathOf, run, withRig } from './lib/rig.mjs';

const long = process.argv.includes('long');
const ROUNDS = Number(process.env.LATENCY_ROUNDS ?? (long ? 21 : 11));
const SECONDS = Number(process.env.LATENCY_SECONDS ?? (long ? 5 : 2));
const CONNECTIONS = 64;
const BUDGET_US = 100;

/** The gate's best of three short runs of wrk, halved. */
async function half(setup, path) {
  let best = 0;
  for (let i = 0; i < 3; i++) {
    const { stdout } = await run('wrk', ['-t1', '-c32', '-d1s', '-H', `Authorization: Bearer ${setup.key}`, `http://127.0.0.1:${setup.port}${path}`]);
    best = Math.max(best, Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]));
  }
  return Math.floor(best / 2);
}

async function ask(setup, path, rate) {
  const { stdout, code, stderr } = await run(join(build, 'bench/bench-rate'), [String(setup.port), path, setup.key, String(rate), String(CONNECTIONS), String(SECONDS)]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

await withRig(async (rig) => {
  await rig.proxy('plain-A');
  await rig.proxy('plain-B');
  await rig.gate();
  await rig.ready();
  console.log(`latency at half load: ${cpus().length} × ${cpus()[0].model.trim()}, ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections, load average ${loadavg()[0].toFixed(1)}`);
  const lines = [];
  for (const [size, n] of SIZES) {
    const path = pathOf(n), rate = await half(rig.setups[2], path);
    const rounds = rig.setups.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (let k = 0; k < rig.setups.length; k++) {
        const i = (round + k) % rig.setups.length;
        rounds[i].push(await ask(rig.setups[i], path, rate));
      }
    }
    const checksum = rounds[0][0].checksum;
    assert(rounds.flat().every((r) => r.checksum === checksum), 'every setup serves the same bytes');
    console.log(`\npage of ${size} (${n} posts), checksum ${checksum}, ${rate} requests/s, ${rounds.flat().reduce((sum, r) => sum + r.requests, 0)} requests`);
    console.log('            µs, median of rounds: p50      p90      p99     p999   p99 of the best round');
    const of = (i, key) => median(rounds[i].map((r) => r[key]));
    rig.setups.forEach((setup, i) => console.log(`  ${setup.name.padEnd(8)} ${of(i, 'p50').toFixed(0).padStart(26)} ${of(i, 'p90').toFixed(0).padStart(8)} ` +
      `${of(i, 'p99').toFixed(0).padStart(8)} ${of(i, 'p999').toFixed(0).padStart(8)} ${Math.min(...rounds[i].map((r) => r.p99)).toFixed(0).padStart(23)}`));
    const added = median(rounds[2].map((r, i) => r.p99 - rounds[0][i].p99));
    const spread = median(rounds[1].map((r, i) => Math.abs(r.p99 - rounds[0][i].p99)));
    const budget = Math.max(BUDGET_US, Math.round(spread));
    if (spread > BUDGET_US) console.log(`  the two plain setups are ${spread.toFixed(0)} µs apart: this machine was busy, that is the budget of this run`);
    lines.push(`RATIO gate-added-p99-plain-against-plain-${size} ${spread.toFixed(0)}us - -`);
    lines.push(`RATIO gate-added-p99-${size} ${added.toFixed(0)}us <=${budget}us ${added <= budget ? 'holds' : 'short'}`);
  }
  console.log(`\nledger: ${await rig.verified()}`);
  console.log(lines.join('\n'));
});
