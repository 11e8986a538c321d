// SPDX-License-Identifier: Apache-2.0
// Clients that know what they received to the byte, and can stop reading, close or reset wherever they stand: HTTP/1.1 on a
// raw socket, HTTP/2 by node's own; each in clear and over TLS.
import net from 'node:net';
import tls from 'node:tls';
import http2 from 'node:http2';
import { Http1Reader, http2Bodies } from './handed.mjs';

/** One response under way. */
class Exchange {
  constructor(stopAt) {
    this.stopAt = stopAt;
    this.pieces = [];
    this.length = 0;
    this.whole = false;
    this.over = false;
    this.moved = Date.now();
    this.waiting = [];
  }

  tell() {
    this.moved = Date.now();
    this.waiting = this.waiting.filter((wake) => !wake());
  }

  got(bytes) {
    this.pieces.push(bytes);
    this.length += bytes.length;
    this.tell();
  }

  end(whole) {
    if (this.over) return;
    this.over = true;
    this.whole = whole;
    this.tell();
  }

  /** Until so many bytes of body are there, or no more will come. */
  until(bytes = Infinity) {
    return new Promise((done) => {
      const wake = () => (this.over || this.length >= bytes ? (done(), true) : false);
      if (!wake()) this.waiting.push(wake);
    });
  }

  /** Until nothing has come for some time. */
  async quiet(ms) {
    while (!this.over && Date.now() - this.moved < ms) await new Promise((done) => setTimeout(done, 5));
  }

  get body() {
    return Buffer.concat(this.pieces);
  }
}

function dial(port, secure, ca, alpn) {
  return new Promise((done, fail) => {
    const raw = net.connect({ port, host: '127.0.0.1', noDelay: true });
    raw.once('error', fail);
    raw.once('connect', () => {
      raw.off('error', fail);
      raw.on('error', () => {});
      const local = `${port}-${raw.localPort}`; // a client's port may be taken twice, toward two servers
      if (!secure) return done({ raw, socket: raw, local });
      const socket = tls.connect({ socket: raw, servername: 'localhost', ca, ALPNProtocols: [alpn] }, () => done({ raw, socket, local }));
      socket.on('error', fail);
    });
  });
}

class Http1Connection {
  constructor({ raw, socket, local }) {
    Object.assign(this, { raw, socket, port: local, methods: [], exchanges: [] });
    this.reader = new Http1Reader(this.methods);
    socket.on('data', (bytes) => this.take(bytes));
    for (const event of ['close', 'end', 'error']) {
      socket.on(event, () => this.exchanges.at(-1)?.end(this.reader.state === 'until close' && event === 'end'));
    }
  }

  take(bytes) {
    const before = this.reader.responses.length;
    const had = this.reader.responses.at(-1)?.pieces.length ?? 0;
    this.reader.push(bytes);
    const exchange = this.exchanges.at(-1), response = this.reader.responses[this.exchanges.length - 1];
    if (!response || exchange.over) return;
    exchange.status = response.status;
    exchange.headers = response.headers;
    for (const piece of response.pieces.slice(this.reader.responses.length > before ? 0 : had)) exchange.got(piece);
    if (response.whole) exchange.end(true);
    else if (exchange.length >= exchange.stopAt) this.socket.pause();
    exchange.tell();
  }

  request(path, { method = 'GET', headers = {}, stopAt = Infinity } = {}) {
    const exchange = new Exchange(stopAt);
    this.methods.push(method);
    this.exchanges.push(exchange);
    this.socket.write([`${method} ${path} HTTP/1.1`, 'Host: localhost', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n'));
    return exchange;
  }

  get reusable() {
    const last = this.reader.responses.at(-1);
    return !this.socket.destroyed && last?.whole && last.headers.connection !== 'close';
  }

  /** Says that nothing more will be sent; goes on to have the socket. */
  fin() {
    this.raw.end();
  }

  reset() {
    this.raw.resetAndDestroy();
    this.exchanges.at(-1)?.end(false);
  }

  close() {
    this.socket.destroy();
    this.raw.destroy();
    this.exchanges.at(-1)?.end(false);
  }

  /** The body bytes of the n-th exchange among what the server handed on. */
  handed(bytes) {
    const reader = new Http1Reader(this.methods);
    reader.push(bytes);
    return this.exchanges.map((_, n) => reader.responses[n] ?? { pieces: [], length: 0, whole: false });
  }
}

class Http2Connection {
  constructor({ raw, socket, local }, authority) {
    Object.assign(this, { raw, port: local, exchanges: [] });
    this.session = http2.connect(authority, { createConnection: () => socket });
    this.session.on('error', () => {});
    this.session.on('close', () => { this.gone = true; for (const exchange of this.exchanges) exchange.end(false); });
  }

  request(path, { method = 'GET', headers = {}, stopAt = Infinity } = {}) {
    const exchange = new Exchange(stopAt);
    const stream = this.session.request({ ':method': method, ':path': path, ...Object.fromEntries(Object.entries(headers).map(([n, v]) => [n.toLowerCase(), v])) });
    exchange.stream = stream;
    this.exchanges.push(exchange);
    stream.on('response', (head) => {
      exchange.status = head[':status'];
      exchange.headers = head;
      exchange.tell();
    });
    stream.on('trailers', (trailers) => { exchange.trailers = trailers; });
    stream.on('data', (bytes) => {
      exchange.got(bytes);
      if (exchange.length >= exchange.stopAt) stream.pause();
    });
    let ended = false;
    stream.on('end', () => { ended = true; });
    stream.on('error', () => {});
    stream.on('close', () => exchange.end(ended && stream.rstCode === 0 && !stream.aborted && exchange.status !== undefined));
    stream.end();
    return exchange;
  }

  get reusable() {
    return !this.session.closed && !this.session.destroyed && !this.gone;
  }

  cancel(exchange) {
    exchange.stream.close(http2.constants.NGHTTP2_CANCEL);
    exchange.end(false);
  }

  fin() {
    this.session.destroy();
  }

  reset() {
    this.raw.resetAndDestroy();
    this.session.destroy();
  }

  close() {
    this.session.destroy();
    this.raw.destroy();
  }

  /** As above: by the number of its stream. */
  handed(bytes) {
    const streams = http2Bodies(bytes);
    return this.exchanges.map((exchange) => streams.get(exchange.stream.id) ?? { pieces: [], length: 0, whole: false });
  }
}

/** A connection by a transport: {version: 1|2, secure}. ports: {plain, h2c, tls}. */
export async function connect(transport, ports, ca) {
  const port = transport.secure ? ports.tls : transport.version === 2 ? ports.h2c : ports.plain;
  const dialled = await dial(port, transport.secure, ca, transport.version === 2 ? 'h2' : 'http/1.1');
  if (transport.version === 1) return new Http1Connection(dialled);
  return new Http2Connection(dialled, `${transport.secure ? 'https' : 'http'}://localhost:${port}`);
}
