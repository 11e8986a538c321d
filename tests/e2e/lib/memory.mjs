// SPDX-License-Identifier: Apache-2.0
// Memory of processes as the kernel counts it, and files that hold a text.
import { readFile } from 'node:fs/promises';
import { run } from './site.mjs';

/** Bytes of a process that are its own: what it took and did not share (heap, stacks), without files and shared memory. */
export async function anonymous(pid) {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Anonymous: +(\d+) kB/m.exec(text)[1]) * 1024;
}

/** All processes of a site: {'worker 1': bytes, …, licetd, signer, shared}. */
export async function memoryOf(site, shared) {
  const sizes = {};
  const workers = await site.workers();
  for (const [i, pid] of workers.entries()) sizes[`worker ${i + 1}`] = await anonymous(pid);
  sizes.licetd = await anonymous(site.recorder.pid);
  const { stdout } = await run('pgrep', ['-P', String(site.recorder.pid)]);
  for (const pid of stdout.split('\n').filter(Boolean)) sizes.signer = await anonymous(pid);
  const { stdout: blocks } = await run('stat', ['-c', '%b', shared]);
  sizes.shared = Number(blocks) * 512;
  return sizes;
}

export const growth = (before, after) => Object.fromEntries(Object.keys(before).map((name) => [name, after[name] - before[name]]));

/** Files below the folders that hold a text. */
export async function filesWith(text, ...folders) {
  const { stdout } = await run('grep', ['-rlaF', '--', text, ...folders]);
  return stdout.split('\n').filter(Boolean);
}
