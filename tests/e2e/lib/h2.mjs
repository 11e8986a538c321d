// SPDX-License-Identifier: Apache-2.0
// HTTP/2 as frames, for requests no library would send: headers go out as HPACK literals (RFC 7541, 6.2.2), what comes back
// is decoded with the static table and the Huffman code; nginx never uses the dynamic table for what it sends.
import net from 'node:net';

export const TYPE = { DATA: 0, HEADERS: 1, PRIORITY: 2, RST_STREAM: 3, SETTINGS: 4, PUSH_PROMISE: 5, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8, CONTINUATION: 9 };
export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 };
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

export const u32 = (...numbers) => {
  const out = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, i) => out.writeUInt32BE(number >>> 0, 4 * i));
  return out;
};
export const settings = (pairs = [], flags = 0) => frame(TYPE.SETTINGS, flags, 0, Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 255]), u32(value)]))));

function text(value) {
  const bytes = Buffer.from(value, 'latin1'), head = [];
  if (bytes.length < 127) head.push(bytes.length);
  else {
    head.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest >>= 7) head.push((rest & 127) | 128);
    head.push(rest);
  }
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** A header block of literals that enter no table. */
export const block = (pairs) => Buffer.concat(pairs.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])));
/** The usual pseudo-headers, then more. */
export const get = (path = '/2/tweets/search/recent', more = [], method = 'GET') => [[':method', method], [':scheme', 'http'], [':path', path], [':authority', 'api.test'], ...more];
export const headers = (stream, pairs, { end = true, flags = FLAG.END_HEADERS } = {}) => frame(TYPE.HEADERS, flags | (end ? FLAG.END_STREAM : 0), stream, block(pairs));
export const data = (stream, bytes, { end = true } = {}) => frame(TYPE.DATA, end ? FLAG.END_STREAM : 0, stream, Buffer.from(bytes));

// ---- HPACK, what comes back --------------------------------------------------------------------------------------

const STATIC = (':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304|' +
  ':status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|' +
  'authorization|cache-control|content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|cookie|date|etag|' +
  'expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|' +
  'proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate')
  .split('|').map((entry) => { const at = entry.indexOf('=', 1); return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]; });

// The code of RFC 7541, appendix B, is canonical: the lengths say all. One character for each symbol: 5 to 9, a is 10, u is 30.
const LENGTHS = 'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777' +
  'fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmnlmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';
const CODES = new Map();
{
  const order = Array.from(LENGTHS, (c, symbol) => ({ symbol, length: parseInt(c, 36) })).sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0, length = order[0].length;
  order.forEach((entry, i) => {
    if (i > 0) code = (code + 1) * 2 ** (entry.length - length);
    length = entry.length;
    CODES.set(`${length}:${code}`, entry.symbol);
  });
}

function unhuffman(bytes) {
  const out = [];
  let code = 0, length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length++;
      const symbol = CODES.get(`${length}:${code}`);
      if (symbol !== undefined) {
        out.push(symbol);
        code = length = 0;
      }
    }
  }
  return Buffer.from(out).toString('latin1');
}

export function decode(bytes) {
  const pairs = [];
  let at = 0;
  const number = (bits) => {
    const most = 2 ** bits - 1;
    let value = bytes[at++] & most;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (!(byte & 128)) return value;
    }
  };
  const word = () => {
    const huffman = bytes[at] & 128, length = number(7), part = bytes.subarray(at, at + length);
    at += length;
    return huffman ? unhuffman(part) : part.toString('latin1');
  };
  while (at < bytes.length) {
    if (bytes[at] & 128) pairs.push(STATIC[number(7) - 1]);
    else if ((bytes[at] & 224) === 32) number(5);
    else {
      const index = number(bytes[at] & 64 ? 6 : 4);
      const name = index ? STATIC[index - 1][0] : word();
      pairs.push([name, word()]);
    }
  }
  return pairs;
}

// ---- a connection ----------------------------------------------------------------------------------------------------

/** What one connection was told: streams {headers, body, ended, reset}, goaway, pings, closed. */
export class Connection {
  static async open(port, { preface = Buffer.concat([PREFACE, settings()]) } = {}) {
    const connection = new Connection();
    connection.streams = new Map();
    connection.goaway = null;
    connection.pings = 0;
    connection.acks = 0;
    connection.closed = false;
    connection.waiting = Buffer.alloc(0);
    connection.waiters = new Set();
    connection.socket = net.connect(port, '127.0.0.1');
    const over = () => { connection.closed = true; connection.wake(); };
    connection.socket.on('error', over).on('end', over).on('close', over).on('data', (chunk) => connection.read(chunk));
    await new Promise((done) => connection.socket.once('connect', done).once('error', done));
    connection.client = `${connection.socket.localPort}-${port}`;
    connection.send(preface);
    return connection;
  }

  send(bytes) { if (!this.closed) this.socket.write(bytes); }
  wake() { for (const waiter of this.waiters) waiter(); }

  /** Waits until ask() is true, or the connection closed, or too long has passed. */
  async until(ask, ms = 60000) {
    const end = Date.now() + ms;
    while (!ask() && !this.closed && Date.now() < end) {
      await new Promise((next) => {
        const late = setTimeout(done, Math.max(1, end - Date.now())), waiters = this.waiters;
        function done() { clearTimeout(late); waiters.delete(done); next(); }
        waiters.add(done);
      });
    }
    return ask();
  }

  stream(id) {
    if (!this.streams.has(id)) this.streams.set(id, { headers: [], body: [], ended: false, reset: null });
    return this.streams.get(id);
  }

  over(id) { return this.streams.has(id) && (this.stream(id).ended || this.stream(id).reset !== null); }
  bodyOf(id) { return Buffer.concat(this.stream(id).body); }

  read(chunk) {
    this.waiting = Buffer.concat([this.waiting, chunk]);
    while (this.waiting.length >= 9) {
      const length = this.waiting.readUIntBE(0, 3);
      if (this.waiting.length < 9 + length) break;
      this.take(this.waiting[3], this.waiting[4], this.waiting.readUInt32BE(5), this.waiting.subarray(9, 9 + length));
      this.waiting = this.waiting.subarray(9 + length);
    }
    this.wake();
  }

  take(type, flags, id, payload) {
    if (type === TYPE.HEADERS || type === TYPE.CONTINUATION) {
      const stream = this.stream(id);
      stream.block = Buffer.concat([stream.block ?? Buffer.alloc(0), payload]);
      if (flags & FLAG.END_HEADERS) {
        stream.headers.push(...decode(stream.block));
        stream.block = undefined;
      }
      if (type === TYPE.HEADERS && flags & FLAG.END_STREAM) stream.ended = true;
    } else if (type === TYPE.DATA) {
      this.stream(id).body.push(Buffer.from(payload));
      if (flags & FLAG.END_STREAM) this.stream(id).ended = true;
    } else if (type === TYPE.RST_STREAM) this.stream(id).reset = payload.readUInt32BE(0);
    else if (type === TYPE.GOAWAY) this.goaway = { last: payload.readUInt32BE(0), code: payload.readUInt32BE(4) };
    else if (type === TYPE.PING && flags & FLAG.ACK) this.pings++;
    else if (type === TYPE.SETTINGS) {
      if (flags & FLAG.ACK) this.acks++;
      else this.send(settings([], FLAG.ACK));
    }
  }

  close() { this.socket.destroy(); }
}
