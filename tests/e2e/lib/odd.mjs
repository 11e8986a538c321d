// SPDX-License-Identifier: Apache-2.0
// Odd HTTP/1.1 requests as bytes: those written here, and those of a parser's own tests where ../shared/data is there.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { data, exists } from './site.mjs';

const METERED = '/2/tweets/search/recent?max_results=10';
const head = (line, ...lines) => [line, ...lines, '', ''].join('\r\n');
const get = (...lines) => head(`GET ${METERED} HTTP/1.1`, 'Host: api.test', ...lines);
const post = (...lines) => head('POST /any/x HTTP/1.1', 'Host: api.test', ...lines);
const path = (target) => head(`GET ${target} HTTP/1.1`, 'Host: api.test');
const many = (n, line) => Array.from({ length: n }, (_, i) => line(i));
const CHUNKS = '4\r\nabcd\r\n0\r\n\r\n';

/** [name, bytes or pieces of bytes, latin1]; requests to the metered endpoint unless the case is another. */
export const written = [
  ['plain', get()],
  ['two in one write', get() + get()],
  ['ten in one write', get().repeat(10)],
  ['byte by byte', [...head('GET /any/x HTTP/1.1', 'Host: a')]],
  ['empty lines before the request', '\r\n\r\n' + get()],
  ['bare LF for line ends', get().replaceAll('\r\n', '\n')],
  ['LF in the head, CRLF at its end', get().replace('\r\nHost', '\nHost')],
  ['CR alone in the line', get().replace('GET ', 'GET\r ')],
  ['CR alone in a header', get('X-Odd: a\rb')],
  // what frames a body
  ['length and chunked', post('Content-Length: 5', 'Transfer-Encoding: chunked') + CHUNKS],
  ['chunked and length', post('Transfer-Encoding: chunked', 'Content-Length: 4') + CHUNKS],
  ['length twice, the same', post('Content-Length: 4', 'Content-Length: 4') + 'abcd'],
  ['length twice, not the same', post('Content-Length: 4', 'Content-Length: 5') + 'abcde'],
  ['length as a list', post('Content-Length: 4, 4') + 'abcd'],
  ['length with a sign', post('Content-Length: +4') + 'abcd'],
  ['length below zero', post('Content-Length: -4') + 'abcd'],
  ['length in hex', post('Content-Length: 0x4') + 'abcd'],
  ['length with zeros', post('Content-Length: 0004') + 'abcd'],
  ['length with a space in it', post('Content-Length: 1 2') + 'abcd'],
  ['length empty', post('Content-Length:') + 'abcd'],
  ['length too large for any number', post('Content-Length: 99999999999999999999') + 'abcd'],
  ['length larger than allowed', post('Content-Length: 2000000')],
  ['length with a GET', get('Content-Length: 4') + 'abcd'],
  ['length more than comes', post('Content-Length: 4') + 'ab'],
  ['no length, no body', post()],
  ['no length, a body all the same', post() + 'abcd'],
  ['chunked', post('Transfer-Encoding: chunked') + CHUNKS],
  ['chunked, capitals', post('Transfer-Encoding: CHUNKED') + CHUNKS],
  ['chunked with a tab', post('Transfer-Encoding:\tchunked') + CHUNKS],
  ['chunked in quotes', post('Transfer-Encoding: "chunked"') + CHUNKS],
  ['chunked behind identity', post('Transfer-Encoding: identity, chunked') + CHUNKS],
  ['chunked before gzip', post('Transfer-Encoding: chunked, gzip') + CHUNKS],
  ['chunked twice', post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') + CHUNKS],
  ['chunked and then identity', post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + CHUNKS],
  ['xchunked', post('Transfer-Encoding: xchunked') + CHUNKS],
  ['chunked with a vertical tab', post('Transfer-Encoding: \x0bchunked') + CHUNKS],
  ['chunked with a NUL', post('Transfer-Encoding: chunked\0') + CHUNKS],
  ['space before the colon', post('Transfer-Encoding : chunked') + CHUNKS],
  ['tab before the colon', post('Content-Length\t: 4') + 'abcd'],
  ['chunked in a folded line', post('Transfer-Encoding:\r\n chunked') + CHUNKS],
  ['chunked under HTTP/1.0', post('Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0') + CHUNKS],
  ['chunk with an extension', post('Transfer-Encoding: chunked') + '4;a=b;c="d"\r\nabcd\r\n0\r\n\r\n'],
  ['chunk with zeros before its size', post('Transfer-Encoding: chunked') + '0000000004\r\nabcd\r\n0\r\n\r\n'],
  ['chunk size too large', post('Transfer-Encoding: chunked') + 'fffffffffffffffff\r\nabcd\r\n0\r\n\r\n'],
  ['chunk size below zero', post('Transfer-Encoding: chunked') + '-4\r\nabcd\r\n0\r\n\r\n'],
  ['chunk size in 0x', post('Transfer-Encoding: chunked') + '0x4\r\nabcd\r\n0\r\n\r\n'],
  ['chunk size that is none', post('Transfer-Encoding: chunked') + 'wxyz\r\nabcd\r\n0\r\n\r\n'],
  ['chunk longer than its size', post('Transfer-Encoding: chunked') + '3\r\nabcd\r\n0\r\n\r\n'],
  ['chunk ended by LF', post('Transfer-Encoding: chunked') + '4\nabcd\n0\n\n'],
  ['chunk size with a space behind', post('Transfer-Encoding: chunked') + '4 \r\nabcd\r\n0\r\n\r\n'],
  ['trailers', post('Transfer-Encoding: chunked', 'Trailer: X-T') + '4\r\nabcd\r\n0\r\nX-T: 1\r\nLicet-App: evil\r\n\r\n'],
  ['a request within a body', post('Content-Length: 58') + head('GET /inner HTTP/1.1', 'Host: api.test', 'X-Long: 0123456')],
  ['chunked in pieces', [post('Transfer-Encoding: chunked'), '4\r', '\nab', 'cd\r\n', '0\r\n\r', '\n']],
  ['large body', post('Content-Length: 300000') + 'x'.repeat(300000)],
  ['large body, chunked', post('Transfer-Encoding: chunked') + ('7530\r\n' + 'y'.repeat(30000) + '\r\n').repeat(10) + '0\r\n\r\n'],
  ['chunked beyond what is allowed', post('Transfer-Encoding: chunked') + ('7530\r\n' + 'y'.repeat(30000) + '\r\n').repeat(40) + '0\r\n\r\n'],
  ['unbuffered body', head('POST /unbuffered/x HTTP/1.1', 'Host: api.test', 'Content-Length: 100000') + 'x'.repeat(100000)],
  ['unbuffered chunked body', head('POST /unbuffered/x HTTP/1.1', 'Host: api.test', 'Transfer-Encoding: chunked') + CHUNKS],
  ['body of length 0', post('Content-Length: 0')],
  // expectations
  ['expects 100-continue', [post('Content-Length: 4', 'Expect: 100-continue'), 'abcd']],
  ['expects 100-continue, odd capitals', [post('Content-Length: 4', 'Expect: 100-Continue'), 'abcd']],
  ['expects 100-continue, no body', post('Expect: 100-continue')],
  ['expects 100-continue with a GET', get('Expect: 100-continue')],
  ['expects something else', post('Content-Length: 4', 'Expect: the-unexpected') + 'abcd'],
  ['expects twice', post('Content-Length: 4', 'Expect: 100-continue', 'Expect: 100-continue') + 'abcd'],
  ['expects 100-continue, too large', post('Content-Length: 2000000', 'Expect: 100-continue')],
  // headers
  ['obs-fold', get('X-Odd: a', ' b', '\tc')],
  ['obs-fold of the first line', `GET ${METERED} HTTP/1.1\r\n X: y\r\nHost: api.test\r\n\r\n`],
  ['no host', head(`GET ${METERED} HTTP/1.1`)],
  ['no host, HTTP/1.0', head(`GET ${METERED} HTTP/1.0`)],
  ['two hosts', get('Host: b')],
  ['two equal hosts', get('Host: api.test')],
  ['empty host', head(`GET ${METERED} HTTP/1.1`, 'Host:')],
  ['host with spaces', head(`GET ${METERED} HTTP/1.1`, 'Host: a b')],
  ['host with a path', head(`GET ${METERED} HTTP/1.1`, 'Host: a/b')],
  ['host with a port', head(`GET ${METERED} HTTP/1.1`, 'Host: a:99999')],
  ['host with a NUL', head(`GET ${METERED} HTTP/1.1`, 'Host: a\0b')],
  ['host of IPv6', head(`GET ${METERED} HTTP/1.1`, 'Host: [::1]:80')],
  ['header without a name', get(': x')],
  ['header without a colon', get('X-Odd')],
  ['header without a value', get('X-Odd:')],
  ['header with a NUL in its value', get('X-Odd: a\0b')],
  ['header with a NUL in its name', get('X\0Odd: a')],
  ['header with high bytes', get('X-Odd: \xe9\xff\x80')],
  ['header with a high byte in its name', get('X-\xe9: a')],
  ['header with brackets in its name', get('X(Odd): a')],
  ['header with an underscore', get('X_Odd: a')],
  ['header with a dot', get('X.Odd: a')],
  ['header of 7 kB', get(`X-Odd: ${'o'.repeat(7000)}`)],
  ['header of 9 kB', get(`X-Odd: ${'o'.repeat(9000)}`)],
  ['name of 9 kB', get(`X-${'o'.repeat(9000)}: a`)],
  ['heads of 40 kB', get(...many(20, (i) => `X-Odd-${i}: ${'o'.repeat(2000)}`))],
  ['heads of 25 kB', get(...many(12, (i) => `X-Odd-${i}: ${'o'.repeat(2000)}`))],
  ['500 headers', get(...many(500, (i) => `X-${i}: a`))],
  ['4000 headers', get(...many(4000, (i) => `X-${i}: a`))],
  ['the same header 200 times', get(...many(200, () => 'X-Same: a'))],
  ['cookies', get('Cookie: a=b', 'Cookie: c=d')],
  ['X-Forwarded-For twice', get('X-Forwarded-For: 10.0.0.1', 'X-Forwarded-For: 10.0.0.2')],
  ['authorization twice', get('Authorization: Bearer a', 'Authorization: Bearer b')],
  ['connection: close', get('Connection: close')],
  ['connection: keep-alive, HTTP/1.0', head(`GET ${METERED} HTTP/1.0`, 'Host: a', 'Connection: keep-alive')],
  ['connection names headers', get('Connection: X-Odd, close', 'X-Odd: a', 'Keep-Alive: 5')],
  ['connection twice', get('Connection: close', 'Connection: keep-alive')],
  ['proxy headers', get('Proxy: http://evil', 'Proxy-Connection: keep-alive', 'TE: trailers', 'Via: 1.0 x')],
  ['X-Accel-Redirect of a client', get('X-Accel-Redirect: /files/page.json', 'X-HTTP-Method-Override: PUT')],
  ['if-none-match', get('If-None-Match: "x"')],
  ['if-modified-since', get('If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT')],
  ['accept-encoding', get('Accept-Encoding: gzip, br')],
  ['accept-encoding twice', get('Accept-Encoding: gzip', 'Accept-Encoding: br')],
  // methods and versions
  ...['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'get', 'G', 'FOO', 'FOO-BAR', 'FOO_BAR', 'F\0O', 'X'.repeat(300)]
    .map((method) => [`method ${method.slice(0, 10).replace('\0', 'NUL')}`, head(`${method} ${METERED} HTTP/1.1`, 'Host: api.test')]),
  ['HEAD and then GET', head(`HEAD ${METERED} HTTP/1.1`, 'Host: a') + get()],
  ['HTTP/0.9', `GET ${METERED}\r\n`],
  ['HTTP/0.9 by version', head(`GET ${METERED} HTTP/0.9`, 'Host: a')],
  ...['HTTP/1.2', 'HTTP/1.10', 'HTTP/2.0', 'HTTP/9.9', 'HTTP/1.', 'HTTP/1', 'http/1.1', 'HTTP /1.1', 'HTTP/1.1 x', 'HTTP/01.1', 'ICY/1.0']
    .map((version) => [`version ${version}`, head(`GET ${METERED} ${version}`, 'Host: api.test')]),
  ['spaces in the line', head(`GET  ${METERED}  HTTP/1.1 `, 'Host: api.test')],
  ['tab in the line', head(`GET\t${METERED}\tHTTP/1.1`, 'Host: api.test')],
  // targets
  ['absolute form', head(`GET http://other.test${METERED} HTTP/1.1`, 'Host: api.test')],
  ['absolute form of another scheme', head(`GET https://other.test${METERED} HTTP/1.1`, 'Host: api.test')],
  ['absolute form, no path', head('GET http://other.test?a=b HTTP/1.1', 'Host: api.test')],
  ['absolute form, odd host', head('GET http://a b/ HTTP/1.1', 'Host: api.test')],
  ['authority form', head('GET other.test:80 HTTP/1.1', 'Host: api.test')],
  ['CONNECT', head('CONNECT other.test:443 HTTP/1.1', 'Host: other.test:443') + '\x16\x03\x01'],
  ['asterisk form', head('OPTIONS * HTTP/1.1', 'Host: api.test')],
  ['asterisk form with a GET', head('GET * HTTP/1.1', 'Host: api.test')],
  ...['//2/tweets/search/recent', '/2//tweets/search/recent', '/2/./tweets/search/recent', '/any/../2/tweets/search/recent', '/../x', '/any/x/../../..',
    '/%32/tweets/search/recent', '/2%2ftweets%2fsearch%2frecent', '/any/%00', '/any/%', '/any/%zz', '/any/%e9', '/any/\xe9', '/any/a b', '/any/a\tb', '/any/a\0b',
    '/any/;x', '/any/\\x', '/any/x#fragment', '/any/x?a#b', '/any/%2e%2e/x', '/any/..;/x', '/any/.%2e/x', '/any/x?', '/any/x??', '/any/x?a=%00', '/?', '',
    `/any/${'p'.repeat(4000)}`, `/any/${'p'.repeat(9000)}`, `/any/x?${'q'.repeat(6000)}`, '/2/tweets/search/recent?max_results=1&max_results=99',
    '/2/tweets/search/recent?max_results=99999999999999999999999', '/2/tweets/search/recent?max_results=-1', '/2/tweets/search/recent?max_results=%31%30']
    .map((target) => [`target ${target.slice(0, 40).replaceAll('\0', 'NUL')}`, path(target)]),
  // what the platform answers
  ...['chunked', 'trailers', 'noframe', '204', '304', '404', '500', 'redirect', 'moved', 'early', 'dup', 'big', 'half', 'silentend', 'badhead', 'longhead', 'html', 'empty',
    'encoded', 'range', 'accel', 'expires', 'refresh', 'nolength']
    .flatMap((kind) => [[`answer ${kind}`, head(`GET /any/x?answer=${kind} HTTP/1.1`, 'Host: api.test')],
      [`answer ${kind}, HEAD`, head(`HEAD /any/x?answer=${kind} HTTP/1.1`, 'Host: api.test')],
      [`answer ${kind}, HTTP/1.0`, head(`GET /any/x?answer=${kind} HTTP/1.0`, 'Host: api.test')],
      [`answer ${kind}, unbuffered`, head(`GET /unbuffered/x?answer=${kind} HTTP/1.1`, 'Host: api.test')]]),
  // files of nginx's own, not metered
  ['file', path('/files/page.json')],
  ['file, a slice of it', head('GET /files/page.json HTTP/1.1', 'Host: a', 'Range: bytes=2-5')],
  ['file, two slices of it', head('GET /files/page.json HTTP/1.1', 'Host: a', 'Range: bytes=2-5,7-9')],
  ['file, a slice that is not', head('GET /files/page.json HTTP/1.1', 'Host: a', 'Range: bytes=99999-')],
  ['file, not there', path('/files/none')],
  ['file, HEAD', head('HEAD /files/page.json HTTP/1.1', 'Host: a')],
  ['file, POST', head('POST /files/page.json HTTP/1.1', 'Host: a', 'Content-Length: 3') + 'abc'],
  ['folder', path('/files/')],
  ['folder without a slash', path('/files')],
  // not HTTP
  ['TLS to a plain port', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03' + '\x55'.repeat(160)],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
  ['NULs', '\0'.repeat(2000)],
  ['noise', Array.from({ length: 3000 }, (_, i) => String.fromCharCode((i * 7919 + 13) % 256)).join('')],
  ['nothing', ''],
  ['half a head', `GET ${METERED} HTTP/1.1\r\nHost: a`],
].map(([name, bytes]) => ({ name, bytes: [bytes].flat().map((piece) => Buffer.from(piece, 'latin1')) }));

/** Where the gate must answer otherwise, and says why: these are compared with what it must say. */
export const gated = [
  ['upgrade on a metered endpoint', get('Connection: Upgrade', 'Upgrade: websocket'), 'upgrade'],
  ['upgrade to h2c', get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'), 'upgrade'],
  ['range on a metered endpoint', get('Range: bytes=0-5'), 'range'],
  ['if-range on a metered endpoint', get('Range: bytes=0-5', 'If-Range: "x"'), 'range'],
  ['licet headers', get('Licet-Purpose: display', 'Licet-Recipient: public'), 'licet'],
].map(([name, bytes, why]) => ({ name, bytes: [Buffer.from(bytes, 'latin1')], why }));

// ---- a parser's own tests ------------------------------------------------------------------------------------------------

/** Each '## title' has one block 'http': its last line end is the fence's, escapes stand for bytes, line ends are CRLF. */
export function casesOf(text, file) {
  const cases = [];
  let title = '';
  for (const part of text.split(/^(?=#+ )/m)) {
    title = /^#+ (.*)/.exec(part)?.[1] ?? title;
    for (const block of part.matchAll(/```http\n([\s\S]*?)```/g)) {
      const bytes = block[1].replace(/\n$/, '').replace(/\\\n/g, '').replace(/\n/g, '\r\n').replace(/\\r/g, '\r').replace(/\\n/g, '\n').replace(/\\t/g, '\t')
        .replace(/\\f/g, '\f').replace(/\\x([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
      cases.push({ name: `llhttp ${file}: ${title}`, bytes: [Buffer.from(bytes, 'latin1')], upgrade: /^upgrade *:/im.test(bytes) });
    }
  }
  return cases;
}

export async function recorded() {
  const folder = join(data, '08-http/llhttp/request');
  if (!(await exists(folder))) return [];
  const cases = [];
  for (const file of (await readdir(folder)).sort()) cases.push(...casesOf(await readFile(join(folder, file), 'utf8'), file));
  return cases;
}
