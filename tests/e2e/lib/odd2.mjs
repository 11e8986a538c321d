// SPDX-License-Identifier: Apache-2.0
// Odd HTTP/2, frame by frame. A case sends its bytes at once, or a run of steps where it must wait for an answer between.
import { FLAG, PREFACE, TYPE, block, data, frame, get, headers, settings, u32 } from './h2.mjs';

const METERED = '/2/tweets/search/recent?max_results=10';
const one = (pairs, options) => [headers(1, pairs, options)];
const post = (more = [], path = '/any/x') => get(path, more, 'POST');
const odd = (...pairs) => get(METERED, pairs);
const without = (name) => get(METERED).filter(([key]) => key !== name);
const range = (n, f) => Array.from({ length: n }, (_, i) => f(i));
const pad = (bytes, n, said = n) => Buffer.concat([Buffer.from([said]), bytes, Buffer.alloc(n)]);
const WINDOW = 4;
const answered = (c, id) => c.until(() => c.over(id));

/** [name, frames, {preface, steps(c): after the frames, streams: those that shall end}] */
export const cases = [
  ['plain', one(get(METERED))],
  ['HEAD', one(get(METERED, [], 'HEAD'))],
  ['POST with a body', [headers(1, post(), { end: false }), data(1, 'abcd')]],
  ['100 streams at once', range(100, (i) => headers(2 * i + 1, get(METERED)))],
  ['120 streams at once', range(120, (i) => headers(2 * i + 1, get(METERED)))], // of 128: which of more would be refused is a matter of time
  ['streams out of order', [headers(5, get(METERED)), headers(3, get(METERED))]],
  ['the same stream twice', [headers(1, get(METERED)), headers(1, get(METERED))]],
  ['an even stream', [headers(2, get(METERED))]],
  ['stream 0', [headers(0, get(METERED))]],
  // pseudo-headers
  ['no :path', one(without(':path'))],
  ['no :method', one(without(':method'))],
  ['no :scheme', one(without(':scheme'))],
  ['no :authority', one(without(':authority'))],
  ['no :authority, a host', one([...without(':authority'), ['host', 'api.test']])],
  [':authority and another host', one(odd(['host', 'other.test']))],
  ['two hosts', one(odd(['host', 'a'], ['host', 'b']))],
  [':path twice', one(odd([':path', '/any/y']))],
  [':path empty', one(get(''))],
  [':path without a slash', one(get('any/x'))],
  [':path asterisk', one(get('*', [], 'OPTIONS'))],
  [':path absolute', one(get(`http://other.test${METERED}`))],
  [':path with a space', one(get('/any/a b'))],
  [':path with CRLF', one(get('/any/a\r\nX-Odd: b'))],
  [':path with a NUL', one(get('/any/a\0b'))],
  [':path with high bytes', one(get('/any/\xe9'))],
  [':path with dots', one(get('/any/../2/tweets/search/recent'))],
  [':path of 9 kB', one(get(`/any/${'p'.repeat(9000)}`))],
  [':method of small letters', one(get(METERED, [], 'get'))],
  [':method with a space', one(get(METERED, [], 'GE T'))],
  [':method CONNECT', one([[':method', 'CONNECT'], [':authority', 'other.test:443']])],
  [':method CONNECT with a path', one(get('/any/x', [], 'CONNECT'))],
  [':scheme unknown', one(get(METERED).map(([name, value]) => [name, name === ':scheme' ? 'gopher' : value]))],
  [':status of a client', one(odd([':status', '200']))],
  [':unknown', one(odd([':unknown', 'x']))],
  [':path behind a header', one([[':method', 'GET'], [':scheme', 'http'], ['x-odd', 'a'], [':path', METERED], [':authority', 'a']])],
  // headers
  ['capitals in a name', one(odd(['X-Odd', 'a']))],
  ['empty name', one(odd(['', 'a']))],
  ['name with a space', one(odd(['x odd', 'a']))],
  ['name with a colon', one(odd(['x:odd', 'a']))],
  ['name with an underscore', one(odd(['x_odd', 'a']))],
  ['value with CRLF', one(odd(['x-odd', 'a\r\nLicet-App: b']))],
  ['value with a NUL', one(odd(['x-odd', 'a\0b']))],
  ['value with spaces around', one(odd(['x-odd', '  a  ']))],
  ['transfer-encoding', [headers(1, post([['transfer-encoding', 'chunked']]), { end: false }), data(1, '0\r\n\r\n')]],
  ['connection', one(odd(['connection', 'close'], ['keep-alive', '1']))],
  ['te', one(odd(['te', 'trailers']))],
  ['te of another kind', one(odd(['te', 'gzip']))],
  ['cookies in pieces', one(odd(['cookie', 'a=b'], ['cookie', 'c=d']))],
  ['authorization twice', one(odd(['authorization', 'Bearer a'], ['authorization', 'Bearer b']))],
  ['a header of 20 kB', one(odd(['x-odd', 'o'.repeat(15000)]))],
  ['500 headers', one(odd(...range(500, (i) => [`x-${i}`, 'a'])))],
  ['expect', [headers(1, post([['expect', '100-continue'], ['content-length', '4']]), { end: false }), data(1, 'abcd')]],
  ['accept-encoding', one(odd(['accept-encoding', 'gzip, br']))],
  // bodies
  ['content-length less than the body', [headers(1, post([['content-length', '2']]), { end: false }), data(1, 'abcd')]],
  ['content-length more than the body', [headers(1, post([['content-length', '9']]), { end: false }), data(1, 'abcd')]],
  ['content-length without a body', one(post([['content-length', '9']]))],
  ['content-length twice', [headers(1, post([['content-length', '4'], ['content-length', '4']]), { end: false }), data(1, 'abcd')]],
  ['content-length odd', [headers(1, post([['content-length', '+4']]), { end: false }), data(1, 'abcd')]],
  ['padded DATA', [headers(1, post(), { end: false }), frame(TYPE.DATA, FLAG.PADDED | FLAG.END_STREAM, 1, pad(Buffer.from('abcd'), 200))]],
  ['DATA of padding alone', [headers(1, post(), { end: false }), frame(TYPE.DATA, FLAG.PADDED | FLAG.END_STREAM, 1, pad(Buffer.alloc(0), 255))]],
  ['DATA with more padding than there is', [headers(1, post(), { end: false }), frame(TYPE.DATA, FLAG.PADDED | FLAG.END_STREAM, 1, pad(Buffer.from('abcd'), 2, 99))]],
  ['empty DATA frames', [headers(1, post(), { end: false }), ...range(100, () => data(1, '', { end: false })), data(1, 'abcd')]],
  ['DATA byte by byte', [headers(1, post(), { end: false }), ...range(50, () => data(1, 'x', { end: false })), data(1, '')]],
  ['DATA on a stream that is idle', [data(7, 'abcd')]],
  ['DATA behind the end', [headers(1, get(METERED)), data(1, 'abcd')]],
  ['DATA on stream 0', [data(0, 'abcd')]],
  ['DATA larger than a frame may be', [headers(1, post(), { end: false }), data(1, Buffer.alloc(20000))]],
  ['DATA beyond the window', [headers(1, post(), { end: false }), ...range(8, (i) => data(1, Buffer.alloc(16384), { end: i === 7 }))]],
  ['trailers', [headers(1, post(), { end: false }), data(1, 'abcd', { end: false }), frame(TYPE.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, block([['x-trailer', 'a'], ['licet-app', 'b']]))]],
  // HEADERS and CONTINUATION
  ['padded HEADERS', [frame(TYPE.HEADERS, FLAG.PADDED | FLAG.END_HEADERS | FLAG.END_STREAM, 1, pad(block(get(METERED)), 100))]],
  ['HEADERS with a priority', [frame(TYPE.HEADERS, FLAG.PRIORITY | FLAG.END_HEADERS | FLAG.END_STREAM, 1, Buffer.concat([u32(0), Buffer.from([15]), block(get(METERED))]))]],
  ['HEADERS that depend on themselves', [frame(TYPE.HEADERS, FLAG.PRIORITY | FLAG.END_HEADERS | FLAG.END_STREAM, 1, Buffer.concat([u32(1), Buffer.from([15]), block(get(METERED))]))]],
  ['CONTINUATION', [headers(1, get(METERED), { flags: 0 }), frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 1, block([['x-odd', 'a']]))]],
  ['many CONTINUATIONs', [headers(1, get(METERED), { flags: 0 }), ...range(50, (i) => frame(TYPE.CONTINUATION, 0, 1, block([[`x-${i}`, 'a']]))), frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 1)]],
  ['a header cut by CONTINUATION', (() => { const all = block(get(METERED)); return [frame(TYPE.HEADERS, FLAG.END_STREAM, 1, all.subarray(0, 9)), frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 1, all.subarray(9))]; })()],
  ['CONTINUATION of nothing', [frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 1, block([['x-odd', 'a']]))]],
  ['CONTINUATION of another stream', [headers(1, get(METERED), { flags: 0 }), frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 3, block([['x-odd', 'a']]))]],
  ['PING within a header block', [headers(1, get(METERED), { flags: 0 }), frame(TYPE.PING, 0, 0, Buffer.alloc(8)), frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 1)]],
  ['a header block that is none', [frame(TYPE.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))]],
  ['an index that is none', [frame(TYPE.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, Buffer.concat([Buffer.from([0xfe]), block(get(METERED))]))]],
  ['a table size too large', [frame(TYPE.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, Buffer.concat([Buffer.from([0x3f, 0xff, 0xff, 0x07]), block(get(METERED))]))]],
  ['an empty header block', [frame(TYPE.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1)]],
  // RST_STREAM, PRIORITY, WINDOW_UPDATE, SETTINGS, PING, GOAWAY, PUSH_PROMISE
  ['RST_STREAM of an idle stream', [frame(TYPE.RST_STREAM, 0, 9, u32(8))]],
  ['RST_STREAM on stream 0', [frame(TYPE.RST_STREAM, 0, 0, u32(8))]],
  ['RST_STREAM too short', [headers(1, get(METERED)), frame(TYPE.RST_STREAM, 0, 1, Buffer.alloc(2))]],
  ['PRIORITY of an idle stream', [frame(TYPE.PRIORITY, 0, 9, Buffer.concat([u32(0), Buffer.from([5])])), headers(11, get(METERED))]],
  ['PRIORITY that depends on itself', [frame(TYPE.PRIORITY, 0, 9, Buffer.concat([u32(9), Buffer.from([5])])), headers(11, get(METERED))]],
  ['PRIORITY on stream 0', [frame(TYPE.PRIORITY, 0, 0, Buffer.concat([u32(1), Buffer.from([5])]))]],
  ['PRIORITY too short', [frame(TYPE.PRIORITY, 0, 1, Buffer.alloc(4))]],
  ['PRIORITY in a ring', [...range(5, (i) => frame(TYPE.PRIORITY, 0, 2 * i + 1, Buffer.concat([u32(2 * ((i + 1) % 5) + 1), Buffer.from([9])]))), headers(11, get(METERED))]],
  ['WINDOW_UPDATE of 0', [frame(TYPE.WINDOW_UPDATE, 0, 0, u32(0))]],
  ['WINDOW_UPDATE of 0 for a stream', [headers(1, post(), { end: false }), frame(TYPE.WINDOW_UPDATE, 0, 1, u32(0))]],
  ['WINDOW_UPDATE too large', [frame(TYPE.WINDOW_UPDATE, 0, 0, u32(0x7fffffff)), frame(TYPE.WINDOW_UPDATE, 0, 0, u32(0x7fffffff))]],
  ['WINDOW_UPDATE too short', [frame(TYPE.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))]],
  ['a window of 0, opened later', [settings([[WINDOW, 0]]), headers(1, get(METERED))],
    { steps: async (c) => { await c.until(() => c.streams.has(1)); c.send(frame(TYPE.WINDOW_UPDATE, 0, 1, u32(100000))); await answered(c, 1); } }],
  ['a window that grows by one', [settings([[WINDOW, 1]]), headers(1, get('/any/x'))],
    { steps: async (c) => { for (let i = 0; i < 200 && !c.over(1); i++) { c.send(frame(TYPE.WINDOW_UPDATE, 0, 1, u32(1))); await new Promise((next) => setTimeout(next, 1)); } } }],
  ['a window that is too large', [settings([[WINDOW, 0x80000000]])]],
  ['a window that sinks under way', [headers(1, get('/any/x?answer=big'))],
    { steps: async (c) => { c.send(settings([[WINDOW, 10]])); await c.until(() => c.streams.has(1)); c.send(Buffer.concat([frame(TYPE.WINDOW_UPDATE, 0, 1, u32(1000000)), frame(TYPE.WINDOW_UPDATE, 0, 0, u32(1000000))])); await answered(c, 1); } }],
  ['SETTINGS under way', [headers(1, get('/any/x?answer=big')), settings([[5, 20000]]), settings([[1, 0]]), settings([[WINDOW, 1000000]]), frame(TYPE.WINDOW_UPDATE, 0, 0, u32(1000000))]],
  ['SETTINGS too long', [frame(TYPE.SETTINGS, 0, 0, Buffer.alloc(5))]],
  ['SETTINGS on a stream', [frame(TYPE.SETTINGS, 0, 1)]],
  ['SETTINGS with ACK and content', [frame(TYPE.SETTINGS, FLAG.ACK, 0, Buffer.alloc(6))]],
  ['SETTINGS unknown', [settings([[99, 1]]), headers(1, get(METERED))]],
  ['SETTINGS: frames too large', [settings([[5, 0xffffffff]])]],
  ['SETTINGS: push neither on nor off', [settings([[2, 7]])]],
  ['SETTINGS: push off', one(get(METERED)), { preface: Buffer.concat([PREFACE, settings([[2, 0]])]) }],
  ['PING', [frame(TYPE.PING, 0, 0, Buffer.from('12345678')), headers(1, get(METERED))]],
  ['PING too short', [frame(TYPE.PING, 0, 0, Buffer.alloc(4))]],
  ['GOAWAY of a client', [headers(1, get(METERED)), frame(TYPE.GOAWAY, 0, 0, u32(0, 0))]],
  ['PUSH_PROMISE of a client', [frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.concat([u32(2), block(get(METERED))]))]],
  ['a frame nobody knows', [frame(0x42, 0xff, 1, Buffer.from('abc')), headers(1, get(METERED))]],
  ['a frame too large', [frame(0x42, 0, 0, Buffer.alloc(20000))]],
  ['a preface that is none', [], { preface: Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n') }],
  ['HTTP/1.1 to a port of HTTP/2', [], { preface: Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n') }],
  ['no SETTINGS', [headers(1, get(METERED))], { preface: PREFACE }],
  // what the platform answers
  ...['chunked', 'trailers', 'noframe', '204', '304', '404', 'redirect', 'early', 'dup', 'big', 'half', 'empty', 'encoded', 'range', 'badhead']
    .map((kind) => [`answer ${kind}`, kind === 'big' ? [frame(TYPE.WINDOW_UPDATE, 0, 0, u32(1000000)), settings([[WINDOW, 1000000]]), headers(1, get('/any/x?answer=big'))] : one(get(`/any/x?answer=${kind}`))]),
].map(([name, frames, options = {}]) => ({ name, frames, ...options }));

/** Streams a case opened that can end: those whose head ended in one frame. */
export const opened = (frames) => frames.filter((bytes) => bytes[3] === TYPE.HEADERS && (bytes[4] & FLAG.END_STREAM || frames.some((other) => other[3] === TYPE.DATA &&
  other.readUInt32BE(5) === bytes.readUInt32BE(5) && other[4] & FLAG.END_STREAM))).map((bytes) => bytes.readUInt32BE(5));
