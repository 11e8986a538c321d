// SPDX-License-Identifier: Apache-2.0
// What was delivered: every transport, way through nginx, ending and size of lib/matrix.mjs. What the client received, what
// the ledger says and what was handed to its socket are measured by three parties that know nothing of each other (the
// client; the module; tests/shim/handed.c under nginx), and must be in that order.
//
//   LICET_MATRIX=full   every combination (make nightly); thin: pairs only (the form under sanitizers); else check
//   LICET_SEED=N        another choice of the rest
//   LICET_CASE=TEXT     only the cases whose name holds the text
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, story, Site, exists, freePort, run, sleep } from './lib/site.mjs';
import { Upstream } from './lib/upstream.mjs';
import { certificates } from './lib/tls.mjs';
import { connect } from './lib/wire.mjs';
import { Handed } from './lib/handed.mjs';
import * as matrix from './lib/matrix.mjs';

const MOST = 1_000_000_000;
// Text that nginx's gzip holds, of these pages: a block of deflate, 16383 symbols, is 40 kB of their noise at level 1 (any text: 4.2 MB
// at most, see docs/howto/endings.md); 64 kB of output_buffers may wait before it, and a sixteenth of gzip_buffers behind it be unmarked.
const GZIP_HOLDS = 262144;
const PATIENCE = 20000;
const TLS_BOUND = 16384; // body over on HTTP/2 over TLS: DESIGN.md, invariant 3

/** A case under way: what the upstream has to know, and what is learnt. */
class Case {
  constructor(n, { transport, feature, ending, size }) {
    Object.assign(this, { transport, feature, ending, size, id: `c${n}` });
    this.name = `${transport.name}, ${feature.name}, ${ending}, ${size} bytes`;
    this.page = matrix.pageOf(size);
    this.seen = feature.lang ? matrix.pageOf(size, feature.lang) : this.page;
    this.framing = transport.framing ?? (n % 2 ? 'chunked' : 'identity');
    this.released = new Promise((done) => { this.release = done; });
    this.held = new Promise((done) => { this.hold = done; });
    this.faults = [];
  }

  get path() {
    return `${this.feature.path ?? `/m/${this.feature.at ?? this.feature.name}`}/${this.feature.file ?? this.size}?case=${this.id}`;
  }

  /** Half a page, where the rest waits for what the client does or never comes; all of it where the client stops by itself. */
  upstreamStopsAt(length) {
    return this.ending === 'whole' || this.ending.startsWith('client stops') ? length : Math.floor(length / 2);
  }

  /** Bytes after which the client reads no more. */
  get stopAt() {
    return this.ending.startsWith('client') ? Math.floor(this.size * 0.3) : Infinity;
  }
}

class Bench {
  static async make() {
    const bench = new Bench();
    bench.cases = new Map();
    bench.upstream = await Upstream.start((request, response, url) => {
      const test = bench.cases.get(url.searchParams.get('case'));
      if (!test) return response.end();
      return (test.feature.answer ?? matrix.sendPage)(test, request, response, url);
    });
    bench.upstream.server.requestTimeout = 0;
    bench.certs = await certificates(['localhost', '127.0.0.1']);
    bench.ports = {};
    for (const name of Object.keys(matrix.servers)) bench.ports[name] = { plain: await freePort(), h2c: await freePort(), tls: await freePort() };
    const dead = await freePort();
    bench.site = await Site.make({ upstream: bench.upstream.url, workers: 1, catalogue: 'matrix@2020-01-01', catalogueText: matrix.catalogue,
      agreement: { limits: [`{ clause: CAP, unit: post, most: ${MOST}, per: month, over: licensee }`], clauses: { CAP: { section: '2', says: 'A cap' } } },
      extraHttp: (site) => matrix.configuration({ ports: bench.ports, upstream: bench.upstream.url.slice(7), dead, folder: site.folder, certs: bench.certs }) });
    const { folder } = bench.site;
    bench.handed = new Handed(join(folder, 'handed'));
    const shim = join(build, 'tests/shim/licet-test-handed.so');
    assert(await exists(shim), `${shim} is built`);
    bench.site.nginxPreload = [shim];
    bench.site.nginxEnv = { LICET_HANDED: bench.handed.folder };
    for (const name of ['pages', 'instead', 'handed']) await mkdir(join(folder, name), { mode: 0o755 });
    for (const [name, body] of matrix.files(matrix.sizes)) await writeFile(join(folder, name), body);
    await bench.site.start();
    return bench;
  }

  headers(test, recipient, more) {
    return { authorization: `Bearer ${this.site.keys.reader}`, 'licet-recipient': recipient, ...more };
  }

  async closed(port) {
    await this.site.until(`nginx closes the connection ${port}`, () => this.handed.closed(port), 20000);
  }

  /** What is in the cache before the case asks for it; once per page. */
  async prime(test) {
    const key = `${test.feature.name} ${test.size}`;
    this.primed ??= new Map();
    if (!this.primed.has(key)) {
      this.primed.set(key, (async () => {
        const twin = new Case(0, { ...test, ending: 'whole' });
        twin.id = `${test.id}-prime`;
        this.cases.set(twin.id, twin);
        const connection = await connect({ version: 1, secure: false }, this.ports.patient, this.certs.ca);
        await connection.request(twin.path, { headers: this.headers(twin, twin.id) }).until();
        connection.close();
      })());
    }
    await this.primed.get(key);
  }

  /** What the client does, to the end. */
  async act(test, connection, exchange) {
    const { ending } = test;
    if (!ending.startsWith('client')) {
      if (ending.startsWith('upstream') && ending !== 'upstream falls silent') {
        await exchange.quiet(50);
        test.release();
      }
      return await exchange.until();
    }
    // nginx may keep half a page to itself
    await Promise.race([exchange.until(test.stopAt), test.held.then(() => sleep(150))]);
    await exchange.quiet(50);
    if (exchange.over) return undefined;
    if (ending === 'client stops, times out') {
      const limit = Date.now() + 3000;
      while (!exchange.over && Date.now() < limit && !(await this.handed.closed(connection.port))) await sleep(50);
    } else if (ending === 'client cancels') {
      connection.cancel(exchange);
    } else if (ending === 'client closes') {
      connection.fin();
      await sleep(30);
    } else if (ending === 'client resets') {
      connection.reset();
    }
    test.release();
    return undefined;
  }

  /** Another request on the same connection: what came before has not confused it. */
  async again(test, connection) {
    const next = new Case(0, { ...test, feature: matrix.features.buffered, ending: 'whole', size: 3000 });
    next.id = `${test.id}-again`;
    next.framing = test.framing;
    this.cases.set(next.id, next);
    test.again = next;
    next.exchange = connection.request(next.path, { headers: this.headers(next, next.id) });
    await next.exchange.until();
  }

  async run(test) {
    const { feature } = test;
    this.cases.set(test.id, test);
    if (feature.prime) await this.prime(test);
    const connection = await connect(test.transport, this.ports[matrix.serverOf(test)], this.certs.ca);
    const exchange = connection.request(test.path, { method: feature.method, headers: this.headers(test, test.id, feature.headers), stopAt: test.stopAt });
    test.exchange = exchange;
    await this.act(test, connection, exchange);
    test.release();
    if (connection.reusable && (exchange.whole || test.ending === 'client cancels')) await this.again(test, connection);
    connection.close();
    await this.closed(connection.port);
    const { bytes, cipher } = await this.handed.take(connection.port);
    const bodies = connection.handed(bytes);
    test.received = exchange.body;
    test.handed = { ...bodies[0], body: Buffer.concat(bodies[0].pieces) };
    if (test.again) {
      test.again.received = test.again.exchange.body;
      test.again.handed = { ...bodies[1], body: Buffer.concat(bodies[1].pieces) };
    }
    if (test.transport.secure && cipher < bytes.length) test.faults.push(`${bytes.length} bytes of text in ${cipher} bytes of TLS`);
    await this.weigh(test);
    if (test.again) await this.weigh(test.again);
  }

  /** Figures in place of bodies, which would fill the memory. */
  async weigh(test) {
    const { feature, exchange } = test, expected = test.ending !== 'whole' || feature.expect === null ? undefined
      : typeof feature.expect === 'function' ? feature.expect(test.page) : (feature.expect ?? test.seen.body);
    let plain = test.received, handed = test.handed.body;
    if (feature.recoded && feature.body !== 'none') [plain, handed] = [await matrix.inflated(plain), await matrix.inflated(handed)];
    if (expected && !plain.equals(expected)) test.faults.push(`the body is not what it should be: ${plain.length} bytes, not ${expected.length}`);
    if (!test.handed.body.subarray(0, test.received.length).equals(test.received)) test.faults.push('the client received what was never handed on');
    test.figures = { status: exchange.status, received: test.received.length, handed: test.handed.length, whole: test.handed.whole, receivedWhole: exchange.whole,
      receivedPage: plain.length, handedPage: handed.length };
    delete test.received;
    delete test.handed;
    delete test.exchange;
  }
}

/* ---- judging ------------------------------------------------------------------------ */

const ENDINGS = { 'client stops, closes': 'client closed in body', 'client stops, times out': 'send timed out', 'client closes': 'client closed in body',
  'client resets': 'client closed in body', 'client cancels': 'client closed in body', 'upstream closes': 'upstream aborted', 'upstream resets': 'upstream aborted',
  'upstream falls silent': 'upstream timed out' };

function judge(test, receipts) {
  const { feature, figures, faults } = test;
  const say = (what, ...figure) => faults.push(`${what}: ${figure.join(' ')}`);
  if (!figures) return say('it did not come to its end', '');
  if (receipts.length !== 1) return say('receipts', receipts.length);
  const [receipt] = receipts;
  const units = receipt.units.post ?? 0, counted = feature.units !== 0;
  const over = test.transport.secure && test.transport.version === 2 ? TLS_BOUND : 0;
  if (figures.status === undefined && figures.handed === 0 && test.ending.startsWith('client') && receipt.ending === 'client closed before head') {
    // a machine so slow that the upstream's head came later than the client's patience ended
    if (receipt.status !== 499 || receipt.bytes !== 0 || units !== 0) say('before the head', receipt.status, receipt.bytes, units);
    return undefined;
  }
  if (receipt.status !== (feature.status ?? 200)) say('status', receipt.status, 'not', feature.status ?? 200);
  if (figures.status !== undefined && figures.status !== receipt.status) say('status', receipt.status, 'where the client got', figures.status);

  // over TLS the streams of HTTP/2 share a buffer, and what is in it counts as handed on
  const reached = figures.whole || (over > 0 && receipt.ending === 'complete' && receipt.bytes <= figures.handed + over);
  const ending = reached ? (feature.ending ?? 'complete') : ENDINGS[test.ending];
  if (receipt.ending !== ending) say('ending', `"${receipt.ending}" not "${ending}"`);
  if (test.ending === 'whole' && !(figures.whole && figures.receivedWhole)) say('not whole', JSON.stringify(figures));

  if (receipt.bytes < figures.received || receipt.bytes > figures.handed + over) say('bytes', figures.received, '<=', receipt.bytes, '<=', figures.handed);
  if (figures.receivedWhole && figures.whole && receipt.bytes !== figures.handed) say('bytes of a whole response', receipt.bytes, 'not', figures.handed);
  const least = counted ? matrix.complete(test.seen, figures.receivedPage) : 0;
  // what gzip holds cannot be told from what it gave; of many buffers under way not each keeps its own count
  const slack = feature.recoded ? GZIP_HOLDS : Math.ceil((feature.many ?? 0) * test.size);
  const most = counted ? matrix.started(test.seen, figures.handedPage + over + slack) : 0;
  if (units < least || units > most) say('units', least, '<=', units, '<=', most);
  if (counted && reached && units !== test.seen.starts.length) say('units of a whole page', units, 'not', test.seen.starts.length);
  if (counted && !feature.recoded && !feature.many && units !== matrix.started(test.seen, receipt.bytes)) say('units at the byte told', units, 'not', matrix.started(test.seen, receipt.bytes));
  if (receipt.bytes > 0 && (receipt.unmetered ?? null) !== (feature.unmetered ?? null)) say('unmetered', receipt.unmetered);
  return undefined;
}

async function inParallel(list, lanes, body) {
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (next < list.length) await body(list[next++]);
  }));
}

const sanitized = async () => /libasan/.test((await run('ldd', [join(build, 'ngx_http_licet_module.so')])).stdout);

story('received ≤ ledger ≤ handed to the socket', async () => {
  const seed = Number(process.env.LICET_SEED ?? 20221010);
  const level = process.env.LICET_MATRIX ?? ((await sanitized()) ? 'thin' : 'check');
  const bench = await Bench.make();
  const { site } = bench;
  const cases = matrix.choose(level, seed).map((one, n) => new Case(n + 1, one)).filter((test) => test.name.includes(process.env.LICET_CASE ?? ''));
  const began = Date.now();
  await inParallel(cases, 10, async (test) => {
    try {
      await Promise.race([bench.run(test), sleep(PATIENCE).then(() => { throw new Error(`not at its end after ${PATIENCE} ms`); })]);
    } catch (error) {
      test.faults.push(error.stack);
    }
  });
  console.log(`# used ${cases.length} of ${matrix.product().length} combinations, seed ${seed}, ${level}: ${((Date.now() - began) / 1000).toFixed(0)} s`);

  await site.sync();
  const byRecipient = new Map();
  for (const receipt of await site.receipts()) byRecipient.set(receipt.recipient, [...(byRecipient.get(receipt.recipient) ?? []), receipt]);
  for (const test of cases) {
    judge(test, byRecipient.get(test.id) ?? []);
    if (test.again) judge(test.again, byRecipient.get(test.again.id) ?? []);
  }
  const all = cases.flatMap((test) => [test, ...(test.again ? [test.again] : [])]);
  const known = new Set(bench.cases.keys());
  const strange = [...byRecipient.keys()].filter((recipient) => !known.has(recipient));
  const wrong = all.filter((test) => test.faults.length > 0);
  for (const test of wrong.slice(0, 60)) console.log(`# ${test.id} ${test.name}:\n#    ${test.faults.join('\n#    ')}`);
  assert.equal(wrong.length, 0, `${wrong.length} of ${all.length} responses are not as they should be`);
  assert.deepEqual(strange, [], 'no receipt stands for nothing');

  await reservationsAreBack(site, [...byRecipient.values()].flat());
  await site.verify();
  await site.stop();
  await bench.upstream.stop();
});

/** The counter is the sum of the receipts, and of the reservation of the request that asks. */
async function reservationsAreBack(site, receipts) {
  const charged = receipts.reduce((sum, { units }) => sum + Math.max(units.post ?? 0, units['held:post'] ?? 0), 0);
  const answer = await site.request('reader', '/m/nothing/1', { headers: { 'licet-recipient': 'probe' }, method: 'HEAD' });
  const left = Number(/"CAP";r=(\d+)/.exec(answer.headers.ratelimit)[1]);
  const most = MOST - charged;
  assert(left === most - 20 || left === most, `${most - left} units are held: ${left} left, ${charged} charged`);
}
