// SPDX-License-Identifier: Apache-2.0
// Deaths at numbered steps: what tests/crash/step.c reads, and the list of steps of include/licet/step.h.
import { openSync, readSync, writeSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './site.mjs';

const LENGTH = 64 + 2 * 128 * 4;
export const WORKER = 0, LICETD = 1;

export class Steps {
  static async make(path) {
    const steps = new Steps();
    steps.path = path;
    steps.fd = openSync(path, 'w+', 0o666);
    writeSync(steps.fd, Buffer.alloc(LENGTH));
    steps.names = new Map();
    const header = await readFile(join(root, 'include/licet/step.h'), 'utf8');
    for (const [, number, name] of header.matchAll(/\bX\((\d+), (\w+), "/g)) steps.names.set(Number(number), name);
    return steps;
  }

  words() {
    const buffer = Buffer.alloc(LENGTH);
    readSync(this.fd, buffer, 0, LENGTH, 0);
    return buffer;
  }

  /** The process of that side that passes the step for the n-th time from now dies there. */
  arm(side, number, passage) {
    const order = Buffer.alloc(16);
    order.writeUInt32LE(side, 0);
    order.writeUInt32LE(passage, 8);
    writeSync(this.fd, order, 0, 16, 0); // the number last
    order.writeUInt32LE(number, 4);
    writeSync(this.fd, order, 4, 4, 4);
  }

  disarm() { writeSync(this.fd, Buffer.alloc(16), 0, 16, 0); }
  deaths() { return this.words().readUInt32LE(16); }
  /** How often each step of a side was passed: [[number, times], …]. */
  counts(side) {
    const words = this.words();
    return [...this.names.keys()].map((n) => [n, words.readUInt32LE(64 + (side * 128 + n) * 4)]).filter(([, times]) => times > 0);
  }
  zero() { writeSync(this.fd, Buffer.alloc(LENGTH - 64), 0, LENGTH - 64, 64); }
  close() { closeSync(this.fd); }
}
