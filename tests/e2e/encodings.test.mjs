// SPDX-License-Identifier: Apache-2.0
// Compressed bodies: they count what the same pages count plain and pass byte for byte, whoever asked for them and
// whatever nginx does beside; what is no encoding, or a bomb, is booked with its reason; what a client got before it left
// is never more than what the ledger has.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { story, Site, sleep, run } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { certificates } from './lib/tls.mjs';

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
const zstd = (body, ...flags) => execFileSync('zstd', ['-q', '-c', ...flags], { input: body, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] });
/** name: [Content-Encoding, how] */
const CODINGS = {
  gzip: ['gzip', (b) => zlib.gzipSync(b)],
  members: ['x-gzip', (b) => Buffer.concat([zlib.gzipSync(b.subarray(0, 1000)), zlib.gzipSync(b.subarray(1000)), Buffer.alloc(5)])],
  deflate: ['deflate', (b) => zlib.deflateSync(b)],
  raw: ['deflate', (b) => zlib.deflateRawSync(b)],
  br: ['br', (b) => zlib.brotliCompressSync(b, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } })],
  zstd: ['zstd', (b) => zstd(b)],
  frames: ['zstd', (b) => Buffer.concat([zstd(b.subarray(0, 500)), Buffer.from('512a4d1803000000616263', 'hex'), zstd(b.subarray(500), '--no-content-size')])],
};

/** Pages that do not compress away: half of a post is noise. */
function page(n) {
  const data = Array.from({ length: n }, (_, i) => ({ id: String(1700000000000000000n + BigInt(i)), text: `post ${i} ${randomBytes(60).toString('hex')}` }));
  return Buffer.from(JSON.stringify({ data, meta: { result_count: n } }));
}
const posts = (text) => text.toString().split('{"id":').length - 1;

const WAYS = { plain: '', unbuffered: 'proxy_buffering off;', gzip: 'gzip on; gzip_types application/json; gzip_min_length 1;', gunzip: 'gunzip on;', cached: 'proxy_cache cache; proxy_cache_valid 200 1h;' };
const catalogue = `units: { post: {} }
unlisted: record
endpoints:
  - id: page
    match: GET /{way}/page
    count: { post: "$.data" }
    ids: { post: "$.data.id" }
    page: { post: { query: max, default: 10, most: 100000 } }
  - id: free
    match: GET /plain/free
`;
const locations = Object.entries(WAYS).map(([way, says]) => `location /${way}/ { licet on; ${says} proxy_pass http://licet_upstream; proxy_http_version 1.1; proxy_set_header Connection ""; }`);

const pages = { small: page(20), large: page(4000) };
const packed = Object.fromEntries(Object.entries(CODINGS).map(([name, [, pack]]) => [name, Object.fromEntries(Object.entries(pages).map(([size, body]) => [size, pack(body)]))]));
/** Things that a story of its own sends, by name: [Content-Encoding, body]. */
const things = {};

async function start(options = {}) {
  const upstream = await Upstream.start((request, response, url) => {
    const [coding, size, thing] = ['coding', 'size', 'thing'].map((name) => url.searchParams.get(name));
    const [encoding, body] = thing ? things[thing] : coding === null ? [null, pages[size ?? 'small']] : [CODINGS[coding][0], packed[coding][size]];
    const headers = { ...(encoding ? { 'content-encoding': encoding } : {}), vary: 'accept-encoding' };
    const answer = url.searchParams.get('answer');
    if (answer === '304') return response.writeHead(304, headers).end();
    if (answer === '206') return send(response, body.subarray(0, 100), { status: 206, headers: { ...headers, 'content-range': `bytes 0-99/${body.length}` } });
    if (answer === 'breaks') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, ...headers });
      return response.write(body.subarray(0, body.length / 2), () => setTimeout(() => response.destroy(), 50));
    }
    return send(response, body, { chunk: Number(url.searchParams.get('chunk') ?? 0), headers });
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: 'story-encodings@2020-01-01', catalogueText: catalogue, workers: 1,
    extraHttp: 'proxy_cache_path cache keys_zone=cache:1m;', extraServer: locations.join('\n'), ...options });
  await site.start();
  return { upstream, site, end: async () => { await site.verify(); await site.stop(); await upstream.stop(); } };
}

/** What curl got of a body, and the decision that its head names. */
async function curl(...args) {
  const { code, raw } = await run('curl', ['-sS', '-i', ...args]), end = raw.indexOf('\r\n\r\n') + 4, head = raw.subarray(0, end).toString();
  return { code, head, body: raw.subarray(end), decision: /licet-decision: (\w+)/i.exec(head)?.[1] };
}

/** Receipts by decision. */
async function receiptsOf(site) {
  await site.sync();
  return new Map((await site.receipts()).map((receipt) => [receipt.decision, receipt]));
}

story('compressed pages count as plain ones and pass untouched', async () => {
  const { upstream, site, end } = await start();
  const sent = [];
  const ask = async (way, coding, size, chunk, accept, again) => {
    const answer = await site.request('reader', `/${way}/page?max=4000&coding=${coding}&size=${size}&chunk=${chunk}`, { headers: accept ? { 'accept-encoding': accept } : {} });
    const what = `${way} ${coding} ${size} ${chunk ? 'chunked' : 'whole'} ${accept ?? 'not asked'}${again ? ' again' : ''}`;
    const opened = way === 'gunzip' && CODINGS[coding][0] === 'gzip' && !accept;
    assert.equal(answer.status, 200, what);
    assert.equal(answer.headers['content-encoding'], opened ? undefined : CODINGS[coding][0], what);
    assert.equal(sha(answer.body), sha(opened ? pages[size] : packed[coding][size]), `${what} came through changed`);
    sent.push({ what, decision: answer.headers['licet-decision'], bytes: answer.body.length, n: posts(pages[size]) });
  };
  for (const way of Object.keys(WAYS)) {
    for (const coding of Object.keys(CODINGS)) {
      for (const [size, chunk] of [['small', 0], ['small', 7], ['large', 0], ['large', 5000]]) {
        await ask(way, coding, size, chunk, 'gzip, deflate, br, zstd');
        if (way === 'plain' || way === 'gunzip' || chunk === 0) await ask(way, coding, size, chunk, null);
        if (way === 'cached') await ask(way, coding, size, chunk, 'gzip, deflate, br, zstd', true);
      }
    }
  }
  assert(upstream.seen.filter(({ url }) => url.startsWith('/cached/')).length < sent.filter(({ what }) => what.startsWith('cached')).length, 'some came from the cache');
  const receipts = await receiptsOf(site);
  for (const { what, decision, bytes, n } of sent) {
    const receipt = receipts.get(decision);
    assert(receipt, `${what} has a receipt`);
    assert.deepEqual([receipt.ending, receipt.unmetered, receipt.units.post, receipt.bytes], ['complete', null, n, bytes], what);
  }
  // files that lie there compressed
  const files = await mkdtemp(join(tmpdir(), 'licet-files-'));
  await mkdir(join(files, 'static'));
  await writeFile(join(files, 'static/page'), pages.large);
  await writeFile(join(files, 'static/page.gz'), packed.gzip.large);
  await run('chmod', ['-R', 'a+rX', files]);
  site.options.extraServer += `location /static/ { licet on; gzip_static on; default_type application/json; root ${files}; }`;
  await site.writeConf();
  process.kill(site.nginx.pid, 'SIGHUP');
  let file;
  await site.until('the file is served', async () => (file = await site.request('reader', '/static/page?max=4000', { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'] === 'gzip');
  assert.equal(sha(file.body), sha(packed.gzip.large));
  const stored = (await receiptsOf(site)).get(file.headers['licet-decision']);
  assert.deepEqual([stored.units.post, stored.unmetered], [4000, null]);
  await rm(files, { recursive: true });
  // nginx compresses what came plain: counted before
  const answer = await site.request('reader', '/gzip/page?max=20', { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(answer.headers['content-encoding'], 'gzip');
  assert.equal(sha(zlib.gunzipSync(answer.body)), sha(pages.small));
  assert.equal((await receiptsOf(site)).get(answer.headers['licet-decision']).units.post, 20);
  await end();
});

story('only encodings that are counted are asked for', async () => {
  const { upstream, site, end } = await start();
  const asked = async (accept, path = '/plain/page') => {
    await site.request('reader', path, { headers: accept === undefined ? {} : { 'accept-encoding': accept } });
    return upstream.seen.at(-1).headers['accept-encoding'];
  };
  assert.equal(await asked(undefined), 'identity');
  assert.equal(await asked('gzip, deflate, br, zstd'), 'gzip, deflate, br, zstd', 'as a browser asks without the gate');
  assert.equal(await asked('compress, dcz, gzip;q=0.3'), 'gzip;q=0.3');
  assert.equal(await asked('compress'), 'identity');
  assert.equal(await asked('*'), 'gzip, deflate, br, zstd, identity');
  assert.equal(await asked(['br;q=0', 'zstd']), 'br;q=0, zstd', 'of all lists');
  assert.equal(await asked('compress, gzip;q=0.3', '/plain/free'), 'compress, gzip;q=0.3', 'where nothing is counted nothing is changed');
  assert.equal(await asked('compress', '/plain/not/listed'), 'compress');
  await end();
});

story('what is no encoding, or a bomb, or no whole body, has a reason', async () => {
  const { upstream, site, end } = await start();
  const gzip = packed.gzip.small, spaces = Buffer.alloc(1 << 20, ' ');
  const padded = (open) => Buffer.concat([zlib.gzipSync(open), ...Array(300).fill(zlib.gzipSync(spaces)), zlib.gzipSync(']}')]);
  Object.assign(things, {
    claimed: ['gzip', pages.small], 'claimed br': ['br', pages.small], 'claimed zstd': ['zstd', pages.small], 'claimed deflate': ['deflate', pages.small],
    cut: ['gzip', gzip.subarray(0, -12)], 'cut br': ['br', packed.br.small.subarray(0, -5)], 'cut zstd': ['zstd', packed.zstd.small.subarray(0, -3)],
    trailing: ['gzip', Buffer.concat([gzip, pages.small])], checksum: ['gzip', Buffer.concat([gzip.subarray(0, -8), Buffer.alloc(8)])],
    chain: ['gzip, br', zlib.brotliCompressSync(gzip)], unknown: ['compress', gzip], none: ['identity', pages.small],
    'a bomb of spaces': ['gzip', padded('{"data":[{"id":"1"}')],
    'a bomb of zeros': ['gzip', Buffer.concat(Array(1000).fill(zlib.gzipSync(Buffer.alloc(1 << 20))))],
    'a bomb of br': ['br', zlib.brotliCompressSync(Buffer.concat([Buffer.from('{"data":["'), Buffer.alloc(200 << 20, 'x'), Buffer.from('"]}')]), { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })],
    'a bomb of zstd': ['zstd', zstd(Buffer.concat([Buffer.from('{"data":["'), Buffer.alloc(200 << 20, 'x'), Buffer.from('"]}')]), '-1')],
    'a window of zstd': ['zstd', zstd(Buffer.concat([pages.small, Buffer.alloc(20 << 20, ' ')]), '--long=27', '--no-content-size')],
  });
  const reasons = { claimed: 'bad-encoding', 'claimed br': 'bad-encoding', 'claimed zstd': 'bad-encoding', 'claimed deflate': 'malformed' /* raw deflate has no head: it holds one byte of something */, cut: 'incomplete', 'cut br': 'incomplete',
    'cut zstd': 'incomplete', trailing: 'bad-encoding', checksum: 'bad-encoding', chain: 'encoding', unknown: 'encoding', none: null, 'a bomb of spaces': 'inflates-too-far',
    'a bomb of zeros': 'malformed', 'a bomb of br': 'inflates-too-far', 'a bomb of zstd': 'inflates-too-far', 'a window of zstd': 'inflates-too-far' };
  const memory = async () => Number(/VmHWM:\s+(\d+)/.exec(execFileSync('cat', [`/proc/${(await site.workers())[0]}/status`], { encoding: 'utf8' }))[1]);
  const before = await memory();
  const sent = [];
  for (const thing of Object.keys(things)) {
    const answer = await site.request('reader', `/plain/page?max=30&thing=${encodeURIComponent(thing)}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-encoding'], things[thing][0]);
    assert.equal(sha(answer.body), sha(things[thing][1]), `${thing} came through changed`);
    sent.push([thing, answer.headers['licet-decision']]);
  }
  const grown = (await memory()) - before;
  console.log(`# bombs of 1.3 GB: the worker grew by ${grown} kB`);
  assert(grown < 100000, `the worker grew by ${grown} kB`);
  const receipts = await receiptsOf(site);
  for (const [thing, decision] of sent) {
    const { unmetered, units } = receipts.get(decision);
    assert.equal(unmetered, reasons[thing], thing);
    if (unmetered) assert.equal(units['held:post'] ?? units.post, 30, `${thing} is charged its reservation`);
    if (thing === 'trailing' || thing === 'checksum') assert.equal(units.post, 20, `${thing}: what was complete is told`);
  }
  const report = await site.report();
  assert.equal(report.unmetered.responses, sent.length - 1);
  await end();
});

story('endings without a body, and bodies that break off', async () => {
  const { upstream, site, end } = await start();
  const decisions = {};
  const ask = async (name, query, options) => {
    const answer = await site.request('reader', `/plain/page?max=4000&coding=gzip&size=large${query}`, options);
    decisions[name] = answer.headers['licet-decision'];
    return answer;
  };
  assert.equal((await ask('head', '', { method: 'HEAD' })).headers['content-encoding'], 'gzip');
  assert.equal((await ask('304', '&answer=304')).status, 304);
  assert.equal((await ask('206', '&answer=206')).status, 206);
  await assert.rejects(ask('breaks', '&answer=breaks'), /aborted|socket hang up/);
  await site.sync();
  const all = await site.receipts(), receipts = new Map(all.map((receipt) => [receipt.decision, receipt]));
  assert.deepEqual([receipts.get(decisions.head).ending, receipts.get(decisions.head).units.post ?? 0, receipts.get(decisions.head).unmetered], ['no body due', 0, null]);
  assert.equal(receipts.get(decisions['304']).ending, 'no body due');
  assert.equal(receipts.get(decisions['206']).unmetered, 'range');
  const broken = all.at(-1), half = zlib.gunzipSync(packed.gzip.large.subarray(0, packed.gzip.large.length / 2), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  assert.deepEqual([broken.ending, broken.unmetered, broken.bytes, broken.units.post], ['upstream aborted', null, Math.floor(packed.gzip.large.length / 2), posts(half)]);
  await end();
});

/** What an ordinary decoder makes of the beginning of a body. */
function beginning(coding, body) {
  if (coding === 'gzip') return zlib.gunzipSync(body, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  if (coding === 'br') return zlib.brotliDecompressSync(body, { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH });
  try {
    return zstd(body, '-d');
  } catch (error) {
    return error.stdout;
  }
}

story('a page that outgrows the limit is cut before the buffer that breaks it', async () => {
  const { upstream, site, end } = await start({ agreement: { onOverrun: 'cut', limits: ['{ clause: CAP, unit: post, most: 500, per: month, over: licensee }'], clauses: { CAP: { section: '2', says: 'A cap' } } } });
  let left = 500;
  for (const coding of ['gzip', 'br', 'zstd', 'gzip']) {
    const got = await curl('-H', `Authorization: Bearer ${site.keys.reader}`, `http://127.0.0.1:${site.port}/unbuffered/page?max=10&coding=${coding}&size=large`);
    if (left < 10) {
      assert.match(got.head, /^HTTP\/1.1 429/);
      break;
    }
    const receipt = (await receiptsOf(site)).get(got.decision), client = posts(beginning(coding, got.body)), units = receipt.units.post ?? 0;
    assert.deepEqual([receipt.ending, receipt.unmetered, receipt.bytes], ['cut by limit', null, got.body.length], coding);
    assert(client <= units && units <= left, `${coding}: ${client} <= ${units} <= ${left}`);
    if (coding === 'gzip' && left === 500) assert(client > 100, `${client} of 500 came`);
    left -= units;
  }
  await end();
});

story('a client that leaves in the middle got no more than the ledger has', async () => {
  const tls = await certificates(['127.0.0.1', 'localhost']);
  const { upstream, site, end } = await start({ tls });
  const body = page(60000); // more than the kernel takes ahead
  for (const coding of ['gzip', 'br', 'zstd']) things[coding] = [CODINGS[coding][0], CODINGS[coding][1](body)];
  const left = [];
  for (const [way, wants] of [['plain', [1, 3000, 400000]], ['unbuffered', [3000, 200000]]]) {
    for (const coding of ['gzip', 'br', 'zstd']) {
      for (const want of wants) {
        const got = await new Promise((done, fail) => {
          const socket = net.connect(site.port, '127.0.0.1', () => socket.write(`GET /${way}/page?max=10&thing=${coding} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${site.keys.reader}\r\n\r\n`));
          let all = Buffer.alloc(0);
          socket.on('data', async (chunk) => {
            all = Buffer.concat([all, chunk]);
            const head = all.indexOf('\r\n\r\n') + 4;
            if (head < 4 || all.length - head < want) return;
            socket.removeAllListeners('data').pause();
            await sleep(30);
            socket.destroy();
            done({ head: all.subarray(0, head).toString(), body: all.subarray(head) });
          });
          socket.on('error', fail);
        });
        left.push({ what: `${way} ${coding} ${want}`, coding, got, decision: /licet-decision: (\w+)/i.exec(got.head)[1] });
      }
    }
  }
  await Promise.all(['--http1.1', '--http2'].flatMap((version) => ['gzip', 'br'].map(async (coding) => {
    const got = await curl(version, '--cacert', tls.caFile, '--limit-rate', '300k', '--max-time', '1', '-H', `Authorization: Bearer ${site.keys.reader}`,
      `https://localhost:${site.tlsPort}/plain/page?max=10&thing=${coding}`);
    assert.notEqual(got.code, 0, 'curl left');
    left.push({ what: `TLS ${version} ${coding}`, coding, got, decision: got.decision });
  })));
  await sleep(200);
  const receipts = await receiptsOf(site);
  for (const { what, coding, got, decision } of left) {
    const receipt = receipts.get(decision), whole = things[coding][1];
    assert(receipt, `${what} has a receipt`);
    assert.equal(receipt.ending, 'client closed in body', what);
    assert.equal(receipt.unmetered, null, what);
    const client = posts(beginning(coding, got.body)), ledger = receipt.units.post ?? 0, handed = posts(beginning(coding, whole.subarray(0, receipt.bytes)));
    const above = posts(beginning(coding, whole.subarray(0, receipt.bytes + (what.includes('http2') ? 32768 : 8192))));
    assert(got.body.length <= receipt.bytes, what);
    assert(client <= handed && handed <= ledger && ledger <= above, `${what}: ${client} <= ${handed} <= ${ledger} <= ${above}`);
  }
  await end();
});
