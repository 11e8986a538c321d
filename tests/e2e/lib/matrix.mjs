// SPDX-License-Identifier: Apache-2.0
// The table of the transport test: every way a page can take through nginx, every transport, every ending, every size; what
// each case must come to; and which of the cases are run.
//
//  (1) A page's units lie at known places, so that a plain function says how many of them a prefix holds.
//  (2) A case is data. Its id is its line in the table: the same seed picks the same cases.
import { constants, createGunzip } from 'node:zlib';

/** Deterministic noise: a page must not compress away, and must be the same in each run. */
function* noise(seed) {
  for (let x = seed >>> 0 || 1; ;) {
    x ^= x << 13; x >>>= 0; x ^= x >>> 17; x ^= x << 5; x >>>= 0;
    yield x;
  }
}
export function random(seed) {
  const source = noise(seed);
  return (n) => source.next().value % n;
}

const pages = new Map();

/** A page of about so many bytes: {body, starts, ends} of its units. */
export function pageOf(size, lang = 'xx') {
  const key = `${size} ${lang}`;
  if (pages.has(key)) return pages.get(key);
  const units = lang === 'xx' ? Infinity : pageOf(size).starts.length;
  const source = noise(size);
  const starts = [], ends = [], parts = ['{"data":['];
  let at = parts[0].length;
  for (let i = 0; i < units && (at < size - 60 || units < Infinity); i++) {
    let text = '';
    for (let j = 0; j < 24; j++) text += source.next().value.toString(36);
    const unit = `${i ? ',' : ''}{"id":"${1700000000000000000n + BigInt(i)}","lang":"${lang}","text":"${text}"}`;
    starts.push(at + (i ? 1 : 0));
    at += unit.length;
    ends.push(at);
    parts.push(unit);
  }
  parts.push(`],"meta":{"result_count":${starts.length}}}`);
  const page = { body: Buffer.from(parts.join('')), starts, ends };
  pages.set(key, page);
  return page;
}

/** How many of the sorted places lie below a limit. */
function below(places, limit) {
  let low = 0, high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
/** Units that are complete in the first bytes of a page; units of which these hold at least the first byte. */
export const complete = (page, bytes) => below(page.ends, bytes + 1);
export const started = (page, bytes) => below(page.starts, bytes);

/* ---- features ------------------------------------------------------------------ */

const INSTEAD = Buffer.from('{"title":"Not here","data":[{"id":"not a unit"}]}');
const SENDS = { 'content-type': 'application/json; charset=utf-8' };

/** The upstream's whole answer with a page: in one piece or in chunks, and cut, silent or held where the case says so. */
async function sendPage(test, request, response, { status = 200, headers = {}, body = test.page.body } = {}) {
  const chunked = test.framing === 'chunked';
  response.on('error', () => {});
  response.writeHead(status, { ...SENDS, ...(chunked ? {} : { 'content-length': body.length }), ...headers });
  if (request.method === 'HEAD') return response.end();
  const stop = test.upstreamStopsAt(body.length);
  response.write(body.subarray(0, stop), test.hold);
  if (stop === body.length) return response.end();
  await test.released;
  if (test.ending === 'upstream closes') response.socket?.destroySoon();
  else if (test.ending === 'upstream resets') response.socket?.resetAndDestroy();
  else response.end(body.subarray(stop));
}

/** A page made of three subrequests and of what the page itself says. */
function sendParts(test, request, response, url) {
  const { body } = test.page, part = url.searchParams.get('part');
  const cuts = [0, 1, 2, 3, 4].map((i) => Math.floor((body.length * i) / 4));
  if (part) {
    const bytes = body.subarray(cuts[part - 1], cuts[part]);
    response.writeHead(200, { ...SENDS, 'content-length': bytes.length });
    return response.end(bytes);
  }
  const include = (n) => Buffer.from(`<!--# include virtual="/m/part/${test.size}?case=${test.id}&part=${n}" -->`);
  const bytes = Buffer.concat([include(1), body.subarray(cuts[1], cuts[2]), include(3), include(4)]);
  response.writeHead(200, { ...SENDS, 'content-length': bytes.length });
  return response.end(bytes);
}

/** Range as an origin answers it. */
function sendRange(test, request, response) {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const { body } = test.page;
  if (!range) return sendPage(test, request, response);
  const from = Number(range[1]), to = Math.min(range[2] === '' ? body.length - 1 : Number(range[2]), body.length - 1);
  const bytes = body.subarray(from, to + 1);
  response.writeHead(206, { ...SENDS, 'content-length': bytes.length, 'content-range': `bytes ${from}-${to}/${body.length}`, etag: '"one"' });
  return response.end(bytes);
}

const sendStatus = (status, body = Buffer.alloc(0), headers = {}) => (test, request, response) => {
  response.writeHead(status, { ...SENDS, ...(status === 204 || status === 304 ? {} : { 'content-length': body.length }), ...headers });
  response.end(body);
};

/*
 * name: { at: where (default its own name), serves: configuration of its location, answer: of the upstream, and
 *   body: 'proxied' (comes while the case runs), 'kept' (nginx has it), 'none' (no page: one size, only whole);
 *   framing: what HTTP/1.1 uses where the upstream has no say; recoded: gzip; many: part of what is under way that may be
 *   told too much, for so many buffers are; lang: what sub_filter makes of the page;
 *   largest: pages of subrequests do not wait for a lease in the middle, and so are reserved whole;
 *   status, ending, unmetered, units, expect: what it comes to where that is not 200, 'complete', null, the page's }.
 */
const PROXY = 'proxy_pass http://matrix;';
export const features = {
  buffered: { serves: PROXY, body: 'proxied' },
  unbuffered: { serves: `${PROXY} proxy_buffering off;`, body: 'proxied' },
  'to-disk': { serves: `${PROXY} proxy_buffer_size 4k; proxy_buffers 2 4k; proxy_busy_buffers_size 4k;`, body: 'proxied' },
  'no-disk': { serves: `${PROXY} proxy_buffer_size 4k; proxy_buffers 2 4k; proxy_busy_buffers_size 4k; proxy_max_temp_file_size 0;`, body: 'proxied' },
  gzip: { serves: `${PROXY} gzip on; gzip_types application/json; gzip_min_length 1; gzip_comp_level 1;`, body: 'proxied', framing: 'chunked', recoded: true,
    headers: { 'accept-encoding': 'gzip' } },
  sub: { serves: `${PROXY} sub_filter '"lang":"xx"' '"lang":"english"'; sub_filter_once off; sub_filter_types application/json;`, body: 'proxied', framing: 'chunked', lang: 'english' },
  ssi: { serves: `${PROXY} ssi on; ssi_types application/json;`, body: 'kept', framing: 'chunked', answer: sendParts, many: 1 / 32, largest: 600000 },
  cached: { serves: `${PROXY} proxy_cache matrix; proxy_cache_key $uri;`, body: 'kept', framing: 'identity', prime: true },
  fills: { serves: `${PROXY} proxy_cache matrix; proxy_cache_key $request_uri;`, body: 'proxied' },
  slice: { serves: `${PROXY} slice 64k; proxy_cache matrix; proxy_cache_key $uri$slice_range; proxy_set_header Range $slice_range;`, body: 'kept', framing: 'identity', answer: sendRange, many: 1 / 32, largest: 600000 },
  file: { serves: 'alias @PAGES@/; sendfile on;', body: 'kept', framing: 'identity' },
  'file-gzip': { serves: 'alias @PAGES@/; sendfile on; gzip on; gzip_types application/json; gzip_min_length 1; gzip_comp_level 1;', body: 'kept', framing: 'chunked', recoded: true,
    headers: { 'accept-encoding': 'gzip' } },
  accel: { serves: PROXY, body: 'kept', framing: 'identity', answer: (test, request, response) => {
    response.writeHead(200, { ...SENDS, 'content-length': 0, 'x-accel-redirect': `/inside/${test.size}` });
    response.end();
  } },
  fallback: { serves: 'proxy_pass http://nobody; error_page 502 = @again;', body: 'proxied' },
  tryfiles: { serves: 'try_files /nowhere$uri @again;', body: 'proxied' },
  rewrite: { serves: 'rewrite ^/m/rewrite/(.*)$ /m/buffered/$1 last;', body: 'proxied' },
  'range-dropped': { at: 'file', body: 'kept', framing: 'identity', headers: { range: 'bytes=100-1999' } },
  'range-dropped-up': { at: 'buffered', body: 'proxied', headers: { range: 'bytes=100-1999' }, answer: sendRange },

  // endpoints nobody listed: the upstream's and nginx's own ranges
  'range-up': { path: '/raw/up', serves: PROXY, body: 'none', headers: { range: 'bytes=100-1999' }, answer: sendRange, status: 206, units: 0, expect: (page) => page.body.subarray(100, 2000), unmetered: 'unlisted', size: 60000 },
  'range-file': { path: '/raw/file', serves: 'alias @PAGES@/; sendfile on;', body: 'none', headers: { range: 'bytes=100-51999' }, status: 206, units: 0, expect: (page) => page.body.subarray(100, 52000), unmetered: 'unlisted', size: 60000 },
  'range-file-parts': { path: '/raw/file', body: 'none', headers: { range: 'bytes=0-99,20000-40000' }, status: 206, units: 0, expect: null, unmetered: 'unlisted', size: 60000 },
  'range-file-past': { path: '/raw/file', body: 'none', headers: { range: 'bytes=99999999-' }, status: 416, units: 0, expect: null, ending: 'upstream refused', size: 60000 },
  'unlisted-file': { path: '/raw/file', body: 'kept', framing: 'identity', units: 0, unmetered: 'unlisted' },
  'unlisted-up': { path: '/raw/up', body: 'proxied', units: 0, unmetered: 'unlisted' },

  // no page: refused, empty, redirected
  head: { at: 'buffered', body: 'none', method: 'HEAD', units: 0, expect: Buffer.alloc(0), ending: 'no body due' },
  'head-file': { at: 'file', body: 'none', method: 'HEAD', units: 0, expect: Buffer.alloc(0), ending: 'no body due' },
  'head-cached': { at: 'cached', body: 'none', method: 'HEAD', units: 0, expect: Buffer.alloc(0), ending: 'no body due', prime: true },
  'head-gzip': { at: 'gzip', body: 'none', method: 'HEAD', units: 0, expect: Buffer.alloc(0), ending: 'no body due', headers: { 'accept-encoding': 'gzip' } },
  'no-content': { at: 'buffered', body: 'none', answer: sendStatus(204), status: 204, units: 0, expect: Buffer.alloc(0), ending: 'no body due' },
  'not-modified': { at: 'buffered', body: 'none', headers: { 'if-none-match': '"one"' }, answer: sendStatus(304, Buffer.alloc(0), { etag: '"one"' }), status: 304, units: 0, expect: Buffer.alloc(0), ending: 'no body due' },
  'not-modified-file': { at: 'file', body: 'none', headers: { 'if-modified-since': 'Thu, 01 Jan 2037 00:00:00 GMT' }, status: 304, units: 0, expect: Buffer.alloc(0), ending: 'no body due' },
  moved: { at: 'buffered', body: 'none', answer: sendStatus(302, Buffer.from('over there'), { location: '/there' }), status: 302, units: 0, expect: Buffer.from('over there') },
  'no-file': { at: 'file', body: 'none', file: 'missing', status: 404, units: 0, expect: null, ending: 'upstream refused' },
  'not-found': { at: 'buffered', body: 'none', answer: sendStatus(404, INSTEAD), status: 404, units: 0, expect: INSTEAD, ending: 'upstream refused' },
  unavailable: { at: 'buffered', body: 'none', answer: sendStatus(503, INSTEAD), status: 503, units: 0, expect: INSTEAD, ending: 'upstream refused' },
  intercepted: { serves: `${PROXY} proxy_intercept_errors on; error_page 404 /instead/404; error_page 503 = @again;`, body: 'none', answer: sendStatus(404, Buffer.from('{"secret":1}')), status: 404, units: 0, expect: INSTEAD,
    ending: 'upstream refused' },
  'intercepted-page': { at: 'intercepted', body: 'proxied', answer: (test, request, response, url) =>
    (url.pathname.startsWith('/m/') ? sendStatus(503)(test, request, response) : sendPage(test, request, response)) },
  nobody: { serves: 'proxy_pass http://nobody;', body: 'none', status: 502, units: 0, expect: null, ending: 'upstream aborted' },
  'cut-in-head': { at: 'buffered', body: 'none', answer: (test, request, response) => response.socket.end('HTTP/1.1 200 OK\r\nContent-Ty'), status: 502, units: 0, expect: null, ending: 'upstream aborted' },
  'no-head': { at: 'buffered', body: 'none', answer: (test, request, response) => response.socket.end(), status: 502, units: 0, expect: null, ending: 'upstream aborted' },
  'bad-head': { at: 'buffered', body: 'none', version: 2, answer: (test, request, response) => response.socket.end('SSH-2.0-nothing of yours\r\nHow now\r\n\r\n'), status: 0, units: 0, expect: null, unmetered: 'media-type' },
  mute: { at: 'buffered', body: 'none', answer: () => {}, status: 504, units: 0, expect: null, ending: 'upstream timed out' },
};
for (const [name, feature] of Object.entries(features)) feature.name = name;

/**
 * Servers that have all features and differ in whom they wait for: only where a case is about a time-out may one come.
 * Ports of each: of HTTP/1.1 and of HTTP/2 in clear, and of TLS.
 */
export const servers = { patient: '', 'no client': 'send_timeout 1s;', 'no upstream': 'proxy_read_timeout 1s;' };
export const serverOf = ({ ending, feature }) =>
  (ending === 'client stops, times out' ? 'no client' : ending === 'upstream falls silent' || feature.name === 'mute' ? 'no upstream' : 'patient');

export function configuration({ ports, upstream, dead, folder, certs }) {
  const locations = Object.entries(features).filter(([, feature]) => feature.serves).map(([name, feature]) =>
    `        location ${feature.path ?? `/m/${name}`}/ { ${feature.serves.replaceAll('@PAGES@', `${folder}/pages`)} }`);
  const server = ([name, timeouts]) => `server {
        listen 127.0.0.1:${ports[name].plain};
        listen 127.0.0.1:${ports[name].h2c} http2;
        listen 127.0.0.1:${ports[name].tls} ssl http2;
        ssl_certificate ${certs.cert};
        ssl_certificate_key ${certs.key};
        licet on;
        default_type application/json;
        if_modified_since before;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_next_upstream off;
        proxy_cache_valid 200 206 1h;
        keepalive_timeout 30s;
        ${timeouts}
${locations.join('\n')}
        location /m/part/ { ${PROXY} }
        location /inside/ { internal; alias ${folder}/pages/; sendfile on; }
        location /instead/ { internal; alias ${folder}/instead/; }
        location @again { rewrite ^/m/[^/]*/(.*)$ /again/$1 break; ${PROXY} }
    }
    `;
  return `upstream matrix { server ${upstream}; keepalive 64; }
    upstream nobody { server 127.0.0.1:${dead}; }
    proxy_cache_path ${folder}/cache keys_zone=matrix:8m;
    ${Object.entries(servers).map(server).join('')}`;
}
export const files = (sizes) => [...sizes.map((size) => [`pages/${size}`, pageOf(size).body]), ['instead/404', INSTEAD]];
export const catalogue = `units: { post: {} }
unlisted: record
endpoints:
  - id: page
    match: GET /m/{feature}/{size}
    count: { post: "$.data" }
    ids: { post: "$.data.id" }
    page: { post: 20 }
  - id: ssi
    match: GET /m/ssi/{size}
    count: { post: "$.data" }
    ids: { post: "$.data.id" }
    page: { post: 4000 }
  - id: slice
    match: GET /m/slice/{size}
    count: { post: "$.data" }
    ids: { post: "$.data.id" }
    page: { post: 4000 }
`;

/* ---- transports, endings, sizes ---------------------------------------------------- */

export const transports = [];
for (const secure of [false, true]) {
  transports.push({ name: `HTTP/1.1 identity${secure ? ' TLS' : ''}`, version: 1, secure, framing: 'identity' });
  transports.push({ name: `HTTP/1.1 chunked${secure ? ' TLS' : ''}`, version: 1, secure, framing: 'chunked' });
  transports.push({ name: `HTTP/2${secure ? ' TLS' : ''}`, version: 2, secure });
}

export const endings = ['whole', 'client stops, closes', 'client stops, times out', 'client closes', 'client resets', 'client cancels',
  'upstream closes', 'upstream resets', 'upstream falls silent'];
export const sizes = [3000, 12000, 60000, 600000, 8000000];

/** A case makes sense: nginx picks the framing of what it has itself; streams are cancelled in HTTP/2; files have no upstream. */
function makesSense({ transport, feature, ending, size }) {
  if (feature.framing && transport.framing && transport.framing !== feature.framing) return false;
  if (feature.body === 'none') return ending === 'whole' && size === (feature.size ?? 3000) && (transport.framing ?? 'identity') === 'identity' && transport.version >= (feature.version ?? 1);
  if (size > (feature.largest ?? Infinity)) return false;
  if (ending === 'client cancels' && transport.version === 1) return false;
  if (ending.startsWith('upstream') && feature.body !== 'proxied') return false;
  return true;
}

export function product() {
  const all = [];
  for (const feature of Object.values(features)) {
    for (const ending of endings) for (const size of sizes) for (const transport of transports) {
      const one = { transport, feature, ending, size };
      if (makesSense(one)) all.push(one);
    }
  }
  return all;
}

const pairsOf = ({ transport, feature, ending, size }) => [`tf ${transport.name} ${feature.name}`, `te ${transport.name} ${ending}`, `ts ${transport.name} ${size}`,
  `fe ${feature.name} ${ending}`, `fs ${feature.name} ${size}`, `es ${ending} ${size}`];

/** So few cases that each pair of values that can meet does, and more by chance. */
export function covering(cases, seed, more) {
  const dice = random(seed);
  const order = cases.map((one) => [dice(1 << 30), one]).sort((a, b) => a[0] - b[0]).map(([, one]) => one);
  const open = new Set(order.flatMap(pairsOf));
  const chosen = [];
  for (let gain = 6; gain > 0; gain--) {
    for (const one of order) {
      const news = pairsOf(one).filter((pair) => open.has(pair));
      if (news.length < gain) continue;
      news.forEach((pair) => open.delete(pair));
      chosen.push(one);
    }
  }
  const left = order.filter((one) => !chosen.includes(one)).slice(0, more);
  return [...chosen, ...left];
}

/** The cases of this run. level: 'full' (all of them), 'check', 'thin'. */
export function choose(level, seed) {
  const all = product();
  if (level === 'full') return all;
  const whole = all.filter((one) => one.ending === 'whole'), broken = all.filter((one) => one.ending !== 'whole');
  const large = (one) => one.size === sizes.at(-1);
  return level === 'thin' ? [...covering(whole, seed, 0), ...covering(broken, seed, 0)]
    : [...whole.filter((one) => !large(one)), ...covering(whole.filter(large), seed, 0), ...covering(broken, seed, 150)];
}

/* ---- what it comes to ---------------------------------------------------------------- */

export { sendPage };
export function inflated(bytes) {
  return new Promise((done) => {
    const out = [];
    const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
    gunzip.on('data', (piece) => out.push(piece)).on('end', () => done(Buffer.concat(out))).on('error', () => done(Buffer.concat(out)));
    gunzip.end(bytes);
  });
}
