// SPDX-License-Identifier: Apache-2.0
// Doors: callers that nobody knows, that are slow, or that send too much, cost next to nothing and leave nothing behind.
//
//  (1) Of an unknown credential there is no entry, no receipt and no trace: a count per minute and reason.
//  (2) Memory does not grow with the number of such callers, and slots are taken by known callers alone.
//  (3) Licet-* of a client does not reach the platform, Licet-* of the platform does not reach the client, in any spelling.
//  (4) Whatever a request shows, one credential decides: the bearer token, then X-API-Key, then Api-Key; of equal names the
//      first; the first that is known.
// LICET_BAD_KEYS: how many bad keys (make nightly: a million).
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, atEnd, build, freePort, run, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { RawUpstream, exchange, reply } from './lib/raw.mjs';
import { Connection, TYPE, frame, get, headers, u32 } from './lib/h2.mjs';
import { filesWith, growth, memoryOf } from './lib/memory.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const MB = 1 << 20;
const SEARCH = '/2/tweets/search/recent?max_results=20';
const sanitized = /libasan/.test((await run('ldd', [join(build, 'ngx_http_licet_module.so')])).stdout);
const KEYS = Number(process.env.LICET_BAD_KEYS ?? (sanitized ? 20000 : 100000));
const flat = (what, sizes, most) => {
  console.log(`# used ${what}: ${Object.entries(sizes).map(([name, bytes]) => `${name} ${(bytes / MB).toFixed(2)}`).join(', ')} MB more`);
  // the sanitizer keeps what was freed for a while
  if (!sanitized) for (const [name, bytes] of Object.entries(sizes)) assert(bytes <= most, `${what}: ${name} grew by ${bytes} bytes`);
};

async function siteWith(upstream, options = {}) {
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['reader', 'hog'], workers: 2, ...options });
  await site.start();
  site.shared = /^shared_memory: *(\S+)/m.exec(await readFile(join(site.dir, 'licet.yaml'), 'utf8'))[1];
  site.status = async () => JSON.parse((await site.operator('GET', '/status')).body);
  return site;
}

/** A caller with a good key who never stops asking; each answer must be whole. end() gives how many. */
function goodCaller(site) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let running = true, served = 0, slowest = 0;
  const done = (async () => {
    while (running) {
      const begun = Date.now();
      const answer = await site.request('reader', SEARCH, { agent });
      assert.equal(answer.status, 200, answer.body.toString());
      assert.equal(JSON.parse(answer.body).data.length, 20);
      served++;
      slowest = Math.max(slowest, Date.now() - begun);
      await sleep(5);
    }
  })();
  done.catch(() => {});
  /** Ends it once it was served more than that many times. */
  return { end: async (least) => { await Promise.race([done, site.until(`the good caller is served ${least} times`, () => served > least)]); running = false; await done; agent.destroy(); return { served, slowest }; } };
}

/** Sends requests in batches over one connection; each batch is answered before the next. Gives how many had which status. */
async function pipeline(port, from, count, make) {
  const BATCH = 250, statuses = {};
  for (let at = 0; at < count;) {
    await new Promise((done, fail) => { // nginx ends a connection after so many requests
      const socket = net.connect(port, '127.0.0.1');
      const end = Math.min(count, at + 20000);
      let expected = 0, tail = '';
      const next = () => {
        if (at === end) return socket.end(), done();
        const n = Math.min(BATCH, end - at), text = [];
        for (let i = 0; i < n; i++) text.push(make(from + at + i));
        at += n;
        expected = n;
        socket.write(text.join(''));
      };
      socket.on('connect', next).on('error', fail).on('close', () => { if (expected > 0) fail(new Error(`closed with ${expected} answers due`)); });
      socket.on('data', (chunk) => {
        tail += chunk.toString('latin1');
        for (const [, status] of tail.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)) {
          statuses[status] = (statuses[status] ?? 0) + 1;
          expected--;
        }
        const cut = tail.lastIndexOf('HTTP/1.1 ');
        tail = tail.slice(Math.max(cut < 0 ? 0 : /^HTTP\/1\.1 \d{3} [A-Z]/.test(tail.slice(cut)) ? cut + 15 : cut, tail.length - 20));
        if (expected === 0) next();
      });
    });
  }
  return statuses;
}

story(`${KEYS} bad keys leave a count and nothing else`, async () => {
  const upstream = await Upstream.start((request, response) => send(response, page(20)));
  const site = await siteWith(upstream);
  const secret = `bad-key-${Math.random().toString(36).slice(2)}`;
  const shapes = [(n) => `Authorization: Bearer ${secret}-${n}\r\n`, (n) => `X-API-Key: ${secret}-${n}\r\n`, () => '', (n) => `Authorization: Bearer ${secret}-${n}\r\nApi-Key: ${secret}-${n}\r\n`];
  const make = (n) => `GET ${SEARCH} HTTP/1.1\r\nHost: api.test\r\n${shapes[n % 4](n)}\r\n`;
  const flood = async (from, count) => {
    const lanes = await Promise.all([0, 1, 2, 3].map((lane) => pipeline(site.port, from + lane * (count / 4), count / 4, make)));
    const all = lanes.reduce((sum, one) => sum + (one[401] ?? 0), 0);
    assert.equal(all, count, JSON.stringify(lanes));
  };
  await flood(0, 8000);
  for (let i = 0; i < 20; i++) await site.request('reader', SEARCH);
  await site.sync();
  const before = await memoryOf(site, site.shared), sizes = await site.status();
  const good = goodCaller(site), begun = Date.now();
  await flood(8000, KEYS);
  const seconds = (Date.now() - begun) / 1000;
  const { served, slowest } = await good.end(10);
  console.log(`# used ${Math.round(KEYS / seconds)} refusals a second; a good caller was served ${served} times meanwhile, after ${slowest} ms at most`);
  await site.sync();
  const after = await memoryOf(site, site.shared), status = await site.status();
  flat(`${KEYS} bad keys`, growth(before, after), 2 * MB);
  const sizeOf = (s, ledger) => s.ledgers.find((l) => l.ledger === ledger).size;
  const entries = sizeOf(status, 'unidentified') - sizeOf(sizes, 'unidentified');
  const minutes = Math.ceil(seconds / 60) + 2; // those it began and ended in, and the sync at the end
  assert(entries <= minutes * 2, `${entries} entries in ${minutes} minutes, for 2 reasons`);
  assert(sizeOf(status, 'T-1') - sizeOf(sizes, 'T-1') <= served + 5, 'the agreement’s ledger holds the good caller’s receipts alone');
  const { unidentified } = await site.report();
  const counts = Object.fromEntries(unidentified.reasons.map(({ reason, requests }) => [reason, requests]));
  assert.deepEqual(counts, { 'credential-missing': (8000 + KEYS) / 4, 'credential-unknown': ((8000 + KEYS) * 3) / 4 });
  assert.deepEqual(await filesWith(secret, site.folder, site.shared), [], 'an unknown credential is in no file');
  for (const key of Object.values(site.keys)) assert.deepEqual(await filesWith(key, site.folder, site.shared), [], 'nor is a known one');
  assert.equal(upstream.seen.length, Math.min(20000, 20 + served), 'nothing of theirs went up');
  await site.verify();
  await site.stop();
  await upstream.stop();
});

// ---- slow and large -----------------------------------------------------------------------------------------------

/** n connections that send something and then do nothing; close() ends them. Their answers are not read. */
async function idle(port, n, bytesOf) {
  const sockets = await Promise.all(Array.from({ length: n }, (_, i) => new Promise((done, fail) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.write(bytesOf(i)); socket.pause(); done(socket); }).on('error', fail);
  })));
  for (const socket of sockets) socket.removeAllListeners('error').on('error', () => {});
  const close = async () => { for (const socket of sockets) socket.destroy(); };
  atEnd(close);
  return { sockets, close };
}

const request = (lines, { method = 'GET', path = SEARCH } = {}) => [`${method} ${path} HTTP/1.1`, 'Host: api.test', ...lines, '', ''].join('\r\n');

story('slow readers, slow senders and header floods', async () => {
  const big = page(20000);
  const upstream = await Upstream.start((q, response, url) => send(response, url.searchParams.get('big') ? big : page(20)));
  // one worker, so that each round is the same to it
  const site = await siteWith(upstream, { workers: 1, extraLocation: 'proxy_max_temp_file_size 0;' });
  const bad = `Authorization: Bearer slow-${Math.random().toString(36).slice(2)}`, secret = bad.slice(22);
  const known = `Authorization: Bearer ${site.keys.hog}`;
  const kinds = {
    'slow readers nobody knows': { n: 300, bytes: () => request([bad]).repeat(400), under: 0 },
    'slow heads': { n: 300, bytes: (i) => request([i % 2 ? bad : known]).slice(0, -3 - (i % 40)), under: 0 },
    'slow bodies nobody knows': { n: 300, bytes: () => request([bad, 'Content-Length: 1000000'], { method: 'POST' }) + 'x', under: 0 },
    'floods of headers': { n: 100, bytes: (i) => request([bad, ...Array.from({ length: 1500 }, (_, k) => `${['X-API-Key', 'Licet-Purpose', 'Api-Key', 'X-Odd'][i % 4]}: ${secret}${k}`.slice(0, 20))]), under: 0 },
    'floods of large headers': { n: 100, bytes: (i) => request([known, ...Array.from({ length: 3 }, (_, k) => `X-Odd-${k}: ${'o'.repeat(7000)}`)]).slice(0, i % 2 ? undefined : -2), under: 0 },
    'slow readers with a good key': { n: 100, bytes: () => request([known], { path: '/any/x?big=1' }), under: 100 },
    'slow bodies with a good key': { n: 100, bytes: () => request([known, 'Content-Length: 1000000'], { method: 'POST', path: '/any/x' }) + 'x', under: 100 },
  };
  for (let i = 0; i < 20; i++) await site.request('reader', SEARCH);
  const good = goodCaller(site);
  // A leak grows in each round; a heap finds its height after one or two, however its callers met. Six rounds are enough to tell.
  let last, more, round = 0;
  for (; round < 2 || (round < 6 && !sanitized && Object.values(more).some((bytes) => bytes > 2 * MB)); round++) {
    for (const [name, kind] of Object.entries(kinds)) {
      const before = await memoryOf(site, site.shared);
      const held = await idle(site.port, kind.n, kind.bytes);
      await site.until(`${name}: slots`, async () => (await site.status()).under_way >= kind.under);
      await sleep(200);
      const { under_way: under } = await site.status();
      assert(under <= kind.under + 2, `${name}: ${under} slots are taken`);
      if (round === 0) flat(`${kind.n} ${name}`, growth(before, await memoryOf(site, site.shared)), kind.n * 96 * 1024 + MB);
      await held.close();
      await site.until(`${name}: slots are free again`, async () => (await site.status()).under_way <= 2);
    }
    const now = await memoryOf(site, site.shared);
    if (last) more = growth(last, now);
    last = now;
  }
  flat(`round ${round} of all of these`, more, 2 * MB);
  const { served, slowest } = await good.end(100);
  console.log(`# used a good caller was served ${served} times meanwhile, after ${slowest} ms at most`);
  await site.sync();
  const endings = new Set((await site.receipts()).map(({ app, ending }) => `${app} ${ending}`));
  assert(endings.has('hog client closed in body') && endings.has('hog client closed before head'), [...endings].join(', '));
  assert.deepEqual(await filesWith(secret, site.folder, site.shared), []);
  await site.verify();
  await site.stop();
  await upstream.stop();
});

/** Posts n bytes; gives the head of the answer. The connection may be closed before all was sent. */
function post(port, path, lines, n) {
  return new Promise((done) => {
    const piece = Buffer.alloc(256 * 1024, 'b');
    const socket = net.connect(port, '127.0.0.1');
    let got = '', left = n;
    const more = () => {
      while (left > 0 && !socket.destroyed) {
        const part = piece.subarray(0, Math.min(left, piece.length));
        left -= part.length;
        if (!socket.write(part)) return socket.once('drain', more);
      }
    };
    socket.on('connect', () => { socket.write(request([...lines, `Content-Length: ${n}`, 'Connection: close'], { method: 'POST', path })); more(); });
    socket.on('data', (chunk) => { got += chunk.toString('latin1'); }).on('error', () => {}).on('close', () => done(got));
  });
}

story('bodies of 100 MB', async () => {
  let arrived = 0;
  const upstream = await Upstream.start((q, response) => q.on('data', (chunk) => { arrived += chunk.length; })
    .on('end', () => send(response, page(20))));
  const site = await siteWith(upstream, { extraHttp: 'client_max_body_size 0;',
    extraServer: 'location /unbuffered/ { licet on; proxy_request_buffering off; proxy_http_version 1.1; proxy_pass http://licet_upstream; }' });
  const secret = `large-${Math.random().toString(36).slice(2)}`;
  const known = `Authorization: Bearer ${site.keys.hog}`, unknown = `Authorization: Bearer ${secret}`;
  await post(site.port, '/any/x', [known], 1000);
  await post(site.port, '/unbuffered/x', [known], 1000);
  arrived = 0;
  const before = await memoryOf(site, site.shared);
  let most = before, running = true;
  const watch = (async () => {
    while (running) {
      const now = await memoryOf(site, site.shared);
      most = Object.fromEntries(Object.entries(now).map(([name, bytes]) => [name, Math.max(bytes, most[name])]));
      await sleep(30);
    }
  })();
  const good = goodCaller(site);
  for (const [path, credential, status, bytes] of [['/any/x', unknown, 401, 0], ['/unbuffered/x', unknown, 401, 0], ['/any/x', known, 200, 100 * MB], ['/unbuffered/x', known, 200, 100 * MB]]) {
    arrived = 0;
    const got = await post(site.port, path, [credential], 100 * MB);
    assert.match(got, new RegExp(`^HTTP/1.1 ${status} `), `${path} ${status}`);
    assert.equal(arrived, bytes, `${path} ${status}: what the platform got`);
  }
  // 4 of each kind at once
  await Promise.all(['/any/x', '/unbuffered/x'].flatMap((path) => [known, unknown].map((credential) => post(site.port, path, [credential], 20 * MB))));
  const { served } = await good.end(10);
  running = false;
  await watch;
  flat('100 MB bodies, at the highest', growth(before, most), 3 * MB);
  assert.deepEqual(await filesWith(secret, site.folder, site.shared), []);
  await site.sync();
  await site.verify();
  await site.stop();
  await upstream.stop();
});

story('rapid resets, and one caller who would have all slots', async () => {
  const upstream = await Upstream.start((q, response) => setTimeout(() => send(response, page(20)), 5));
  const h2 = await freePort();
  const site = await siteWith(upstream, { workers: 1, settings: ['slots: 16'], extraServer: `listen 127.0.0.1:${h2} http2;`,
    extraHttp: 'http2_max_concurrent_streams 128; limit_conn_zone $http_authorization zone=callers:1m;', extraLocation: 'limit_conn callers 6;' });
  const good = goodCaller(site);
  // each stream is reset as soon as it was asked for; in between the connection is given up for a new one
  const resets = async (credential, rounds) => {
    for (let round = 0; round < rounds; round++) {
      const connection = await Connection.open(h2);
      for (let stream = 1; stream < 400 && !connection.closed; stream += 2) {
        connection.send(Buffer.concat([headers(stream, get(SEARCH, [['authorization', credential]])), frame(TYPE.RST_STREAM, 0, stream, u32(8))]));
      }
      connection.send(frame(TYPE.PING, 0, 0, Buffer.alloc(8)));
      await connection.until(() => connection.pings > 0);
      connection.close();
    }
  };
  await resets('Bearer nobody', 3);
  await resets(`Bearer ${site.keys.hog}`, 3);
  await site.until('slots are free again', async () => (await site.status()).under_way <= 1);
  await site.sync();
  const before = await memoryOf(site, site.shared);
  await resets('Bearer nobody', 10);
  await resets(`Bearer ${site.keys.hog}`, 10);
  await site.until('slots are free again', async () => (await site.status()).under_way <= 1);
  await site.sync();
  flat('4000 streams that were reset', growth(before, await memoryOf(site, site.shared)), 3 * MB);

  // more slow bodies than there are slots in both workers; limit_conn leaves the others their part
  const held = await idle(site.port, 60, () => request([`Authorization: Bearer ${site.keys.hog}`, 'Content-Length: 1000000'], { method: 'POST', path: '/any/x' }) + 'x');
  await site.until('slots', async () => (await site.status()).under_way >= 6);
  await sleep(300);
  const { under_way: under } = await site.status();
  assert(under <= 7, `${under} slots are taken`);
  await held.close();
  const { served } = await good.end(20);
  await site.until('slots are free again', async () => (await site.status()).under_way === 0);
  await site.sync();
  const hog = (await site.receipts()).filter(({ app }) => app === 'hog');
  assert(hog.length > 100, `only ${hog.length} of the streams that were reset got as far as the gate`);
  assert(hog.every(({ units, ending }) => !units.post && (ending === 'client closed before head' || ending === 'refused')), 'what was reset was not delivered');
  await site.verify();
  await site.stop();
  await upstream.stop();
});

// ---- Licet-*, both ways -----------------------------------------------------------------------------------------------

/** Whatever a server behind could take for Licet-something. */
const OURS = /^licet[^a-z0-9]/i;
const namesIn = (head) => head.split('\r\n').slice(1).filter(Boolean).map((line) => line.split(':', 1)[0]);
const SPELLED = ['Licet-Purpose: display', 'LICET-PURPOSE: display', 'licet-purpose: display', 'LiCeT-uSe-CaSe: UC-reader', 'Licet-Recipient: public', 'Licet-App: evil',
  'Licet-Agreement: EVIL', 'Licet-Decision: 0', 'Licet_App: evil', 'LICET_PURPOSE: x', 'Licet.App: evil', 'Licet-: x', 'Licet_: x', 'Licet--App: evil', 'Licet-\xe9: x', 'Licet!App: x',
  `Licet-${'x'.repeat(3000)}: y`, 'Licet-Empty:'];

story('Licet-* stays on its side', async () => {
  const theirs = ['Licet-Decision: theirs', 'LICET-APP: theirs', 'Licet_App: theirs', 'licet-odd: theirs', 'X-Theirs: kept'];
  const raw = (text) => Buffer.from(text, 'latin1');
  const kinds = {
    200: () => reply('{"data":[]}', { headers: theirs }), 404: () => reply('{}', { status: '404 Not Found', headers: theirs }),
    500: () => reply('{}', { status: '500 No', headers: theirs }), 302: () => reply('', { status: '302 Found', headers: ['Location: /any/y', ...theirs] }),
    204: () => raw(['HTTP/1.1 204 No Content', ...theirs, '', ''].join('\r\n')), 304: () => raw(['HTTP/1.1 304 Not Modified', ...theirs, '', ''].join('\r\n')),
    206: () => reply('{}', { status: '206 Partial Content', headers: ['Content-Range: bytes 0-1/9', ...theirs] }),
    early: () => ({ bytes: Buffer.concat([raw(['HTTP/1.1 103 Early Hints', ...theirs, '', ''].join('\r\n')), reply('{}', { headers: theirs })]), close: true }),
    accel: () => reply('{}', { headers: ['X-Accel-Redirect: /any/z?kind=200', ...theirs] }),
    chunked: () => raw(['HTTP/1.1 200 OK', 'Content-Type: application/json', 'Transfer-Encoding: chunked', 'Trailer: Licet-T', ...theirs, '', '2', '{}', '0', 'Licet-T: theirs', '', ''].join('\r\n')),
    broken: () => ({ bytes: raw(['HTTP/1.1 200 OK', ...theirs, 'broken\0', '', ''].join('\r\n')), close: true }),
  };
  const upstream = await RawUpstream.start(({ path, method }) => {
    const said = (kinds[/kind=(\w+)/.exec(path)?.[1]] ?? kinds[200])();
    const bytes = said.bytes ?? said;
    return method === 'HEAD' ? { bytes: bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 4), close: said.close } : said;
  });
  const grpc = http2.createServer().on('stream', (stream) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'licet-trailer': 'theirs', 'grpc-status': '0', 'x-trailer': 'kept' }));
    stream.respond({ ':status': 200, 'content-type': 'application/json', 'licet-decision': 'theirs' }, { waitForTrailers: true });
    stream.end('{}');
  });
  await new Promise((done) => grpc.listen(0, '127.0.0.1', done));
  atEnd(async () => grpc.close());
  const h2 = await freePort();
  const site = await siteWith(upstream, {
    extraHttp: 'underscores_in_headers on; ignore_invalid_headers off; proxy_cache_path cache keys_zone=cache:1m;',
    extraServer: `listen 127.0.0.1:${h2} http2;
        location /cached/ { licet on; proxy_pass http://licet_upstream; proxy_cache cache; proxy_cache_valid any 1m; proxy_cache_key $uri$args; add_header X-Cache $upstream_cache_status always; }
        location /intercepted/ { licet on; proxy_pass http://licet_upstream; proxy_intercept_errors on; error_page 404 500 502 = @instead; }
        location @instead { licet on; proxy_pass http://licet_upstream; rewrite ^ /any/instead?kind=200? break; }
        location /unbuffered/ { licet on; proxy_pass http://licet_upstream; proxy_buffering off; }
        location /grpc/ { licet on; grpc_pass grpc://127.0.0.1:${grpc.address().port}; }`,
  });
  const key = `Authorization: Bearer ${site.keys.reader}`;

  // to the platform
  for (const line of [...SPELLED, ...SPELLED.map((one) => Array(20).fill(one).join('\r\n').slice(0, 7000)), SPELLED.join('\r\n')]) {
    upstream.seen.clear();
    const { bytes } = await exchange(site.port, Buffer.from(request([key, line, 'X-Mine: kept', 'Licetx: kept', 'Connection: close']), 'latin1'));
    const name = line.slice(0, 40);
    assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 200 /, name);
    const [head] = upstream.seen.get('');
    const names = namesIn(head.toString('latin1'));
    assert.deepEqual(names.filter((one) => OURS.test(one)), [], `${name} went up`);
    assert(names.includes('X-Mine') && names.includes('Licetx'), `${name}: what is not ours goes up`);
  }
  const connection = await Connection.open(h2);
  let stream = 1;
  for (const name of ['licet-purpose', 'licet_app', 'licet-', 'licet.app', 'licet_', 'licet-x', 'licet-app']) {
    upstream.seen.clear();
    const pairs = get(SEARCH, [['authorization', `Bearer ${site.keys.reader}`], ...Array(50).fill([name, 'display']), ['x-mine', 'kept']]);
    connection.send(headers(stream, pairs));
    assert(await connection.until(() => connection.over(stream)), name);
    assert.equal(connection.stream(stream).headers[0][1], '200', name);
    const names = namesIn(upstream.seen.get('')[0].toString('latin1'));
    assert.deepEqual(names.filter((one) => OURS.test(one)), [], `${name} went up over HTTP/2`);
    assert(names.includes('x-mine'));
    stream += 2;
  }

  // to the client
  for (const place of ['/any', '/cached', '/cached', '/intercepted', '/unbuffered']) {
    for (const kind of Object.keys(kinds)) {
      for (const method of ['GET', 'HEAD']) {
        const what = `${method} ${place} ${kind}`, path = `${place}/x?kind=${kind}`;
        const { bytes } = await exchange(site.port, Buffer.from(request([key, 'Connection: close'], { method, path })));
        const text = bytes.toString('latin1');
        assert.match(text, /^HTTP\/1\.1 \d{3} /, what);
        // nginx takes a 1xx for the answer and what follows it for the body: that is passed on as it came
        const own = kind === 'early' ? text.slice(0, text.indexOf('\r\n\r\n')) : text;
        assert(!/: theirs/i.test(own), `${what}: the platform’s Licet- reached the client:\n${text}`);
        assert((own.match(/^licet[^a-z0-9]/gim) ?? []).length <= 1, `${what}: at most our own\n${text}`);
        connection.send(headers(stream, get(path, [['authorization', `Bearer ${site.keys.reader}`]], method)));
        await connection.until(() => connection.over(stream));
        const told = connection.stream(stream).headers;
        assert(told.length > 0 && told.every(([name, value]) => value !== 'theirs' && (!OURS.test(name) || name === 'licet-decision')), `${what} over HTTP/2: ${JSON.stringify(told)}`);
        stream += 2;
      }
    }
  }
  // a refusal of what lies in the cache is no answer from the cache
  const refused = (await exchange(site.port, Buffer.from(request(['Authorization: Bearer nobody', 'Connection: close'], { path: '/cached/x?kind=200' })))).bytes.toString('latin1');
  assert.match(refused, /^HTTP\/1\.1 401 /);
  assert(!/: theirs|^licet|^x-theirs/im.test(refused), refused);
  const forbidden = (await exchange(site.port, Buffer.from(request([key, 'Licet-Purpose: train-ai', 'Connection: close'], { path: '/cached/x?kind=200' })))).bytes.toString('latin1');
  assert.match(forbidden, /^HTTP\/1\.1 403 /);
  assert(!/: theirs|^licet_|^x-theirs/im.test(forbidden), forbidden);
  // trailers of a platform that has them
  connection.send(headers(stream, get('/grpc/x', [['authorization', `Bearer ${site.keys.reader}`], ['te', 'trailers']])));
  assert(await connection.until(() => connection.over(stream)));
  const told = connection.stream(stream).headers;
  assert(told.some(([name]) => name === 'x-trailer'), JSON.stringify(told));
  assert(told.every(([name, value]) => value !== 'theirs' && name !== 'licet-trailer'), JSON.stringify(told));
  connection.close();
  await site.sync();
  const early = (await site.receipts()).filter(({ status }) => status === 103);
  assert(early.length > 0 && early.every(({ unmetered, ending }) => unmetered || ending === 'no body due'), 'what follows a 1xx was not counted, and says so');
  await site.verify();
  await site.stop();
  await upstream.stop();
});

story('whatever is shown, one credential decides', async () => {
  const upstream = await Upstream.start((q, response) => send(response, page(1)));
  const site = await siteWith(upstream, { apps: ['a', 'b'] });
  // credentials of the kind api-key, which credential new does not make: the same secrets hashed the same way
  const file = join(site.dir, 'agreements/T-1/apps.yaml');
  const yaml = await readFile(file, 'utf8');
  const hashes = [...yaml.matchAll(/kind: bearer, hmac_sha256: "?([0-9a-f]{64})/g)].map(([, hash]) => hash);
  assert.equal(hashes.length, 2, yaml);
  const b = yaml.lastIndexOf('kind: bearer');
  await writeFile(file, `${yaml.slice(0, b)}kind: api-key${yaml.slice(b + 'kind: bearer'.length)}`);
  await site.must(['apply', site.dir, '--reason', 'b shows an API key']);
  const A = `Authorization: Bearer ${site.keys.a}`, B = `X-API-Key: ${site.keys.b}`, B2 = `Api-Key: ${site.keys.b}`;
  const wrong = { a: 'Authorization: Bearer wrong', key: 'X-API-Key: wrong', key2: 'Api-Key: wrong' };
  const table = [
    [[A], 200, 'a'], [[B], 200, 'b'], [[B2], 200, 'b'], [[A, B], 200, 'a'], [[B, A], 200, 'a'], [[wrong.a, B], 200, 'b'], [[B, wrong.a], 200, 'b'], [[A, wrong.key], 200, 'a'],
    [[wrong.key, B2], 200, 'b'], [[B, wrong.key], 200, 'b'], [[wrong.key, B], 401, null], [[wrong.a, wrong.key, wrong.key2], 401, null], [['Authorization: Basic YTpi', B], 200, 'b'],
    [[A, A], 400, null], [[A, wrong.a], 400, null], [['Authorization:', A], 400, null], [['Authorization: Bearer', B], 200, 'b'], [['authorization: bearer ' + site.keys.a], 200, 'a'],
    [['AUTHORIZATION: BEARER ' + site.keys.a], 200, 'a'], [[`Authorization: Bearer  ${site.keys.a}\t`], 200, 'a'], [[`Authorization: Bearer ${site.keys.a},${site.keys.a}`], 401, null],
    [[`Authorization: Bearer ${site.keys.b}`], 401, null], [[`X-API-Key: ${site.keys.a}`], 401, null], [[`Authorization: Bearer ${site.keys.a}\0`], 400, null],
  ];
  const seen = [];
  for (const [lines, status, app] of table) {
    await site.sync();
    const { bytes } = await exchange(site.port, Buffer.from(request([...lines, 'Connection: close'])));
    const text = bytes.toString('latin1'), what = JSON.stringify(lines.map((line) => line.replace(site.keys.a, '<a>').replace(site.keys.b, '<b>')));
    assert.equal(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), status, `${what}: ${text}`);
    const decisions = [...text.matchAll(/^licet-decision: ([0-9a-f]{32})\r$/gim)].map(([, decision]) => decision);
    assert.equal(decisions.length, app ? 1 : 0, what);
    if (app) seen.push([decisions[0], app, what]);
  }
  await site.sync();
  const receipts = new Map((await site.receipts()).map((receipt) => [receipt.decision, receipt]));
  for (const [decision, app, what] of seen) assert.equal(receipts.get(decision)?.app, app, what);
  assert.equal(receipts.size, seen.length, 'one receipt for each');
  await site.verify();
  await site.stop();
  await upstream.stop();
});
