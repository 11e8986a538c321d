// SPDX-License-Identifier: Apache-2.0
// Unchanged: to odd HTTP/1.1 and HTTP/2 requests an nginx with the gate answers as the same nginx without it answers, to
// the byte, but for the gate's own headers; and what reached the platform differs by nothing but Accept-Encoding.
//
//  (1) Two nginx with one configuration run side by side; the caller is named by licet_app, so that even a request without
//      any header is an allowed one. What is never finished ends by nginx's own time-outs, not by the test's patience.
//  (2) Whether a connection stays open shows in the answer to one more request behind the odd one.
//  (3) Where the gate must answer otherwise the case is in a list of its own, with what it must say instead.
// LICET_ODD_ALL: each answer in each kind of location is asked for in every way, not in one (make nightly).
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, build, freePort, run } from './lib/site.mjs';
import { RawUpstream, atOnce, exchange, reply } from './lib/raw.mjs';
import { Connection, get, headers } from './lib/h2.mjs';
import { gated, recorded, written } from './lib/odd.mjs';
import { cases as frames, opened } from './lib/odd2.mjs';
import * as catalogue from './lib/catalogue.mjs';

const PAGE = '{"data":[{"id":"1"},{"id":"2"}],"includes":{"users":[{"id":"7"}]}}';
const AFTER = 'GET /any/after HTTP/1.1\r\nHost: after\r\nConnection: close\r\n\r\n';
const LAST = 0x7ffffff1; // the stream of the request behind an odd one
const close = (text) => ({ bytes: Buffer.from(text, 'latin1'), close: true });

/** What the platform answers: by the query, so that any target can ask for any of it. */
const ANSWERS = {
  chunked: () => Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"data":\r\n8\r\n[1,2,3]}\r\n0\r\n\r\n'),
  trailers: () => Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-T: 1\r\n\r\n'),
  noframe: () => close(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${PAGE}`),
  nolength: () => close(`HTTP/1.0 200 OK\r\n\r\n${PAGE}`),
  204: () => Buffer.from('HTTP/1.1 204 No Content\r\nX-Odd: a\r\n\r\n'),
  304: () => Buffer.from('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'),
  404: () => reply('{"title":"Not Found"}', { status: '404 Not Found', headers: ['X-Odd: a', 'WWW-Authenticate: Basic'] }),
  500: () => reply('{"title":"Broken"}', { status: '500 Oh No' }),
  redirect: () => reply('', { status: '302 Found', headers: ['Location: http://up/any/y', 'Set-Cookie: a=b', 'Set-Cookie: c=d'] }),
  moved: () => reply('{}', { status: '301 Moved Permanently', headers: ['Location: /any/y'] }),
  early: () => ({ bytes: Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'), reply(PAGE)]), close: true }),
  dup: () => reply(PAGE, { headers: ['X-Odd: a', 'X-Odd: b', 'x-odd: c', 'X_Odd: d', 'Vary: A', 'Vary: B', 'Cache-Control: no-store', 'Server: theirs', 'Date: Thu, 01 Jan 1970 00:00:00 GMT', 'Via: 1.1 x'] }),
  big: () => reply(`{"data":[${Array.from({ length: 3000 }, (_, i) => `{"id":"${i}","text":"${'t'.repeat(60)}"}`).join(',')}]}`),
  half: () => close(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n${PAGE}`),
  silentend: () => close(''),
  badhead: () => close('HTTP/1.1 two hundred\r\n\r\n'),
  longhead: () => reply(PAGE, { headers: [`X-Odd: ${'o'.repeat(9000)}`] }),
  html: () => reply('<html>no</html>', { type: 'text/html' }),
  empty: () => reply(''),
  encoded: () => reply('\x1f\x8bnot really', { headers: ['Content-Encoding: gzip'] }),
  range: () => reply('{"data"', { status: '206 Partial Content', headers: ['Content-Range: bytes 0-6/99'] }),
  accel: () => reply('{}', { headers: ['X-Accel-Redirect: /files/page.json', 'X-Accel-Limit-Rate: 100000'] }),
  expires: () => reply(PAGE, { headers: ['X-Accel-Expires: 5', 'Expires: 0', 'Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT', 'ETag: "e"'] }),
  refresh: () => reply(PAGE, { headers: ['Refresh: 1; url=http://up/any/y', 'Content-Disposition: inline', 'Content-Language: en'] }),
};
function answer({ method, path }) {
  const kind = /[?&]answer=([a-z0-9]+)/.exec(path)?.[1];
  const said = ANSWERS[kind]?.() ?? reply(PAGE);
  if (method !== 'HEAD') return said;
  const bytes = said.bytes ?? said, end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? said : { bytes: bytes.subarray(0, end + 4), close: said.close };
}

/** What else operators put around a location: [name, directives]; each is /f/<name>, and metered. */
const FEATURES = {
  gzip: 'gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; gzip_vary on;',
  gunzip: 'gunzip on;',
  cached: 'proxy_cache cache; proxy_cache_valid any 1m; proxy_cache_key $uri$args; proxy_ignore_headers Expires Cache-Control Vary Set-Cookie X-Accel-Expires;',
  locked: 'proxy_cache cache; proxy_cache_valid 200 1m; proxy_cache_key locked$uri$args; proxy_cache_lock on; proxy_cache_use_stale error updating;',
  sub: "sub_filter '\"id\"' '\"key\"'; sub_filter_once off; sub_filter_types *;",
  ssi: 'ssi on; ssi_types application/json;',
  addition: 'addition_types *; add_before_body /any/before; add_after_body /any/after;',
  intercept: 'proxy_intercept_errors on; error_page 404 500 502 503 =200 /any/instead;',
  named: 'proxy_intercept_errors on; error_page 404 500 502 = @named;',
  page: 'proxy_intercept_errors on; error_page 404 500 502 /files/page.json;',
  tries: 'root /nowhere; try_files $uri @named;',
  auth: 'auth_request /any/auth; auth_request_set $kind $upstream_http_x_odd; add_header X-Kind $kind always;',
  denied: 'auth_request /any/auth?answer=404;',
  mirror: 'mirror /any/mirror; mirror_request_body off;',
  headers: 'add_header X-Own own always; expires 1h; etag off; proxy_hide_header X-Odd; add_trailer X-End end;',
  rate: 'limit_rate 200k; limit_rate_after 10k;',
  unbuffered: 'proxy_buffering off; postpone_output 0;',
  small: 'proxy_buffer_size 4k; proxy_buffers 2 4k; proxy_busy_buffers_size 4k; proxy_max_temp_file_size 0;',
  files: 'proxy_buffers 2 4k; proxy_buffer_size 4k; proxy_busy_buffers_size 4k; proxy_temp_file_write_size 4k; sendfile on;',
  plain: 'proxy_http_version 1.0; chunked_transfer_encoding off;',
  again: 'rewrite ^ /f/small last;',
  broken: 'rewrite ^ /any/rewritten break;',
  allowed: 'satisfy any; allow all; deny all;',
  forbidden: 'deny all;',
  closed: 'keepalive_timeout 0;',
};
const SET = 'proxy_set_header Connection ""; proxy_set_header X-Client $remote_port-$server_port;';
const features = (root) => Object.entries(FEATURES).map(([name, directives]) => `location = /f/${name} { ${directives} ${name === 'again' ? '' : 'proxy_pass http://up;'} }`).join('\n        ') +
  ` location ~ ^/any/(auth|mirror)$ { proxy_pass http://up; proxy_pass_request_body off; proxy_set_header Content-Length ""; ${SET} }
        location @named { proxy_pass http://up; rewrite ^ /any/named? break; } location /files { root ${root}; }`;

const conf = ({ folder, files, upstream, ports, module, gate }) => `${module ? `load_module ${module};` : ''}
user root;
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log notice;
events { worker_connections 4096; }
http {
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
    access_log off;
    ${gate ? `licet_gate ${gate}; licet on; licet_app reader;` : ''}
    client_header_timeout 3s; client_body_timeout 3s; send_timeout 3s; keepalive_timeout 1s; port_in_redirect off; lingering_close always; proxy_read_timeout 5s;
    proxy_http_version 1.1;
    ${SET}
    default_type application/json;
    proxy_cache_path ${folder}/cache keys_zone=cache:4m;
    upstream up { server 127.0.0.1:${upstream}; }
    server {
        listen 127.0.0.1:${ports[0]};
        location / { proxy_pass http://up; }
        location /unbuffered/ { proxy_pass http://up; proxy_buffering off; proxy_request_buffering off; }
        location /files { root ${files}; }
    }
    server {
        listen 127.0.0.1:${ports[1]};
        underscores_in_headers on; ignore_invalid_headers off; merge_slashes off;
        location / { proxy_pass http://up; proxy_set_header Host $http_host; }
        location /files { root ${files}; }
    }
    server {
        listen 127.0.0.1:${ports[2]} http2;
        location / { proxy_pass http://up; }
    }
    server {
        listen 127.0.0.1:${ports[3]};
        location / { proxy_pass http://up; }
        ${features(files)}
    }
}
`;

async function pair() {
  const upstream = await RawUpstream.start(answer);
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: `${catalogue.text}  - id: feature
    match: GET /f/{name}
    count: { post: "$.data", user: "$.includes.users" }
    ids: { post: "$.data.id" }
    page: { post: 100, user: 100 }
`, agreement: { cannotRecord: 'open' } }); // on a machine so busy that licetd lends too late, the answer is the platform's all the same
  const files = join(site.folder, 'www');
  await mkdir(join(files, 'files'), { recursive: true });
  await writeFile(join(files, 'files/page.json'), PAGE);
  const gate = /^shared_memory: *(\S+)/m.exec(await readFile(join(site.dir, 'licet.yaml'), 'utf8'))[1];
  const ports = { gate: [site.port, await freePort(), await freePort(), await freePort()], plain: [await freePort(), await freePort(), await freePort(), await freePort()] };
  site.writeConf = async () => {
    const folder = join(site.dir, 'data/nginx');
    site.conf = join(folder, 'nginx.conf');
    await mkdir(folder, { recursive: true });
    await writeFile(site.conf, conf({ folder, files, upstream: upstream.port, ports: ports.gate, module: join(build, 'ngx_http_licet_module.so'), gate }));
  };
  await site.start();
  const folder = join(site.folder, 'plain');
  await mkdir(folder);
  await writeFile(join(folder, 'nginx.conf'), conf({ folder, files, upstream: upstream.port, ports: ports.plain }));
  const plain = site.start_('nginx without the gate', 'nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]);
  await site.until('the other nginx listens', async () => {
    assert(!plain.over, `nginx ended:\n${plain.said}`);
    return await run('curl', ['-sS', '-o', '/dev/null', `http://127.0.0.1:${ports.plain[0]}/any/x`]).then(({ code }) => code === 0);
  });
  return { upstream, site, ports, stop: async () => {
    await site.kill(plain, 'SIGQUIT');
    await site.sync();
    await site.verify();
    await site.stop();
    await upstream.stop();
  } };
}

const latin = (bytes) => bytes.toString('latin1');
/** Less what changes by the clock or counts requests, and what the gate adds. */
const toClient = (bytes) => latin(bytes).replace(/^(date|expires): .*\r\n/gim, '').replace(/\b0{9,}\d+\b/g, 'boundary').replace(/^(licet-decision|ratelimit|ratelimit-policy): .*\r\n/gim, '');
const toUpstream = (requests = []) => requests.map((bytes) => latin(bytes).replace(/^(accept-encoding|x-client): .*\r\n/gim, '')).sort();
/** Bodies in chunks as one piece: where a large body is cut is a matter of time, not of the gate. */
function unchunked(text) {
  const out = [];
  for (let at = 0; ;) {
    const head = text.indexOf('\r\n\r\n', text.indexOf('\r\nTransfer-Encoding: chunked\r\n', at));
    if (head < 0 || !text.includes('\r\nTransfer-Encoding: chunked\r\n', at)) return out.concat(text.slice(at)).join('');
    out.push(text.slice(at, head + 4));
    at = head + 4;
    for (let size; (size = /^([0-9a-f]+)\r\n/.exec(text.slice(at, at + 20)));) {
      at += size[0].length;
      out.push(text.slice(at, at + parseInt(size[1], 16)));
      at += parseInt(size[1], 16) + (size[1] === '0' ? 0 : 2);
      if (size[1] === '0') {
        out.push('(end of chunks)');
        break;
      }
    }
  }
}
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
/** Where two values part, and what stands around it in each. */
function parted(ours, theirs) {
  const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)];
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const around = (text) => `${at > 200 ? '…' : ''}${text.slice(Math.max(0, at - 200), at + 400)}`;
  return `\n  ${around(a)}\nwithout the gate\n  ${around(b)}`;
}

async function one(pair, port, bytes) {
  const { client, bytes: got } = await exchange(port, bytes);
  const requests = pair.upstream.seen.get(client);
  pair.upstream.seen.delete(client);
  return { client: toClient(got), upstream: toUpstream(requests), decisions: (latin(got).match(/^licet-decision: /gim) ?? []).length };
}

story('odd HTTP/1.1 is answered as without the gate', async () => {
  const both = await pair();
  const theirs = await recorded();
  const cases = [...written, ...theirs.filter(({ upgrade }) => !upgrade)];
  console.log(`# used ${written.length} requests written here and ${theirs.length ? `${theirs.length} of llhttp's tests` : 'none of llhttp’s tests: LICET_TEST_DATA has none'}`);
  const runs = cases.flatMap((c) => [0, 1].flatMap((server) => [[c, server, [...c.bytes, Buffer.from(AFTER)]], [c, server, c.bytes]]));
  const differ = [];
  let answered = 0, decisions = 0;
  await atOnce(runs, 128, async ([c, server, bytes]) => {
    const [plain, gate] = await Promise.all([one(both, both.ports.plain[server], bytes), one(both, both.ports.gate[server], bytes)]);
    if (plain.client.startsWith('HTTP/1.1 2')) answered++;
    decisions += gate.decisions;
    assert.equal(plain.decisions, 0);
    if (plain.client !== gate.client) differ.push(`${c.name}, server ${server}: answered${parted(gate.client, plain.client)}`);
    if (!same(plain.upstream, gate.upstream)) differ.push(`${c.name}, server ${server}: the platform got${parted(gate.upstream, plain.upstream)}`);
  });
  assert(differ.length === 0, `${differ.length} differ:\n${differ.join('\n').slice(0, 20000)}`);
  assert(answered > runs.length / 4 && decisions > answered, `only ${answered} of ${runs.length} were answered at all, ${decisions} by the gate`);
  await must(both, theirs.filter(({ upgrade }) => upgrade));
  await both.stop();
});

/** Where the gate must say something else. */
async function must(both, upgrades) {
  for (const c of [...gated, ...upgrades.map((u) => ({ ...u, why: 'upgrade' }))]) {
    const gate = await one(both, both.ports.gate[0], [...c.bytes, Buffer.from(AFTER)]);
    const plain = await one(both, both.ports.plain[0], [...c.bytes, Buffer.from(AFTER)]);
    if (c.why === 'upgrade' && /^HTTP\/1.1 200/.test(plain.client)) {
      assert.match(gate.client, /^HTTP\/1.1 403 Forbidden\r\n[\s\S]*urn:licet:problem:upgrade-refused/, c.name);
      assert(gate.upstream.length < plain.upstream.length, `${c.name}: a refused request went up`);
    } else if (c.why === 'range') {
      assert(plain.upstream.some((text) => /^range: /im.test(text)) && !gate.upstream.some((text) => /^(if-)?range: /im.test(text)), c.name);
      assert.equal(gate.client, plain.client, c.name);
    } else if (c.why === 'licet') {
      assert(plain.upstream.some((text) => /^licet-/im.test(text)) && !gate.upstream.some((text) => /^licet-/im.test(text)), c.name);
      assert.equal(gate.client, plain.client, c.name);
    }
  }
}

story('what operators put around a location works as without the gate', async () => {
  const both = await pair();
  const cases = [];
  for (const name of Object.keys(FEATURES)) {
    for (const kind of ['', ...Object.keys(ANSWERS)]) {
      const ways = [['GET'], ['HEAD'], ['GET', 'Accept-Encoding: gzip'], ['GET', 'If-None-Match: "e"'], ['POST', 'Content-Length: 4']];
      for (const [method, ...lines] of process.env.LICET_ODD_ALL ? ways : [ways[cases.length % ways.length]]) {
        const line = `${method} /f/${name}?answer=${kind}&n=${cases.length} HTTP/1.1`;
        const bytes = Buffer.from([line, 'Host: api.test', ...lines, '', method === 'POST' ? 'abcd' : ''].join('\r\n'));
        cases.push({ name: `${line} ${lines}`, bytes: Buffer.concat([bytes, bytes, Buffer.from(AFTER)]) }); // the second from the cache, where there is one
      }
    }
  }
  const differ = [];
  let answered = 0, decisions = 0;
  await atOnce(cases, 48, async (c) => {
    const [plain, gate] = await Promise.all([one(both, both.ports.plain[3], c.bytes), one(both, both.ports.gate[3], c.bytes)]);
    if (plain.client.startsWith('HTTP/1.1 2')) answered++;
    decisions += gate.decisions;
    for (const side of ['client', 'upstream']) {
      const [ours, theirs] = side === 'client' ? [unchunked(gate.client), unchunked(plain.client)] : [gate.upstream, plain.upstream];
      if (!same(theirs, ours)) differ.push(`${c.name}, ${side}:${parted(ours, theirs)}`);
    }
  });
  console.log(`# used ${cases.length} requests in ${Object.keys(FEATURES).length} kinds of location`);
  assert(differ.length === 0, `${differ.length} differ:\n${differ.join('\n').slice(0, 20000)}`);
  assert(answered > cases.length / 3 && decisions > answered, `only ${answered} were answered at all, ${decisions} by the gate`);
  await both.stop();
});

// ---- HTTP/2 -------------------------------------------------------------------------------------------------------

async function two(pair, port, c) {
  const connection = await Connection.open(port, c.preface ? { preface: c.preface } : {});
  connection.send(Buffer.concat(c.frames));
  if (c.steps) await c.steps(connection);
  connection.send(headers(LAST, get('/any/after')));
  await connection.until(() => connection.over(LAST) && opened(c.frames).every((id) => id === 0 || connection.over(id)), 60000);
  if (connection.goaway) await connection.until(() => connection.closed, 60000);
  const streams = [...connection.streams].sort(([a], [b]) => a - b).map(([id, stream]) => ({ id, ended: stream.ended, reset: stream.reset,
    headers: stream.headers.filter(([name]) => !/^(date|licet-decision|ratelimit|ratelimit-policy)$/.test(name)), body: latin(connection.bodyOf(id)) }));
  const decided = [...connection.streams.values()].some((stream) => stream.headers.some(([name]) => name === 'licet-decision'));
  const result = { decided, client: { streams, goaway: connection.goaway, closed: connection.closed, pings: connection.pings }, upstream: toUpstream(pair.upstream.seen.get(connection.client)) };
  pair.upstream.seen.delete(connection.client);
  connection.close();
  return result;
}

story('odd HTTP/2 is answered as without the gate', async () => {
  const both = await pair();
  const differ = [];
  let answered = 0, decisions = 0;
  await atOnce(frames, 16, async (c) => {
    const [plain, gate] = await Promise.all([two(both, both.ports.plain[2], c), two(both, both.ports.gate[2], c)]);
    answered += plain.client.streams.some(({ id, ended }) => id === LAST && ended) ? 1 : 0;
    assert(!plain.decided);
    decisions += gate.decided ? 1 : 0;
    for (const side of ['client', 'upstream']) {
      if (!same(plain[side], gate[side])) differ.push(`${c.name}, ${side}:${parted(gate[side], plain[side])}`);
    }
  });
  console.log(`# used ${frames.length} runs of frames, ${answered} connections lived on`);
  assert(differ.length === 0, `${differ.length} differ:\n${differ.join('\n').slice(0, 20000)}`);
  assert(answered > frames.length / 3 && decisions > answered / 2, `only ${answered} connections lived on, ${decisions} were judged`);
  await both.stop();
});
