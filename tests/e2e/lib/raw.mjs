// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 as bytes: a platform that keeps what reached it to the byte, and a client that sends what it is told.
//
//  (1) The platform finds a request's client by the header X-Client, which the nginx of the story adds: many may run at once.
//  (2) A client reads until the other side closes: nothing depends on how long an answer takes.
import net from 'node:net';
import { atEnd } from './site.mjs';

const HEAD_END = Buffer.from('\r\n\r\n');

/** Length of the first whole message in bytes, head and body; 0 while it is not all there. nginx frames what it sends. */
export function wholeMessage(bytes) {
  const head = bytes.indexOf(HEAD_END);
  if (head < 0) return 0;
  const text = bytes.subarray(0, head + 2).toString('latin1');
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text);
  if (length) return bytes.length >= head + 4 + Number(length[1]) ? head + 4 + Number(length[1]) : 0;
  if (!/\r\ntransfer-encoding: *chunked\r\n/i.test(text)) return head + 4;
  for (let at = head + 4; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return 0;
    const size = parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    at = line + 2 + size + 2;
    if (at > bytes.length) return 0;
    if (size === 0) return at;
  }
}

/** A platform on a TCP port: answer({method, path, head, body}) gives the bytes to send, {bytes, close} or null: say nothing. */
export class RawUpstream {
  static async start(answer) {
    const upstream = new RawUpstream();
    upstream.seen = new Map(); // X-Client → requests as they came
    upstream.all = 0;
    upstream.sockets = new Set();
    upstream.server = net.createServer((socket) => {
      let waiting = Buffer.alloc(0);
      upstream.sockets.add(socket);
      socket.on('close', () => upstream.sockets.delete(socket));
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        waiting = Buffer.concat([waiting, chunk]);
        for (let length; (length = wholeMessage(waiting)) > 0;) {
          const request = waiting.subarray(0, length);
          waiting = waiting.subarray(length);
          upstream.take(socket, request, answer);
        }
      });
    });
    await new Promise((done) => upstream.server.listen(0, '127.0.0.1', done));
    upstream.port = upstream.server.address().port;
    upstream.url = `http://127.0.0.1:${upstream.port}`;
    upstream.forget = atEnd(() => upstream.stop());
    return upstream;
  }

  take(socket, request, answer) {
    const end = request.indexOf(HEAD_END);
    const head = request.subarray(0, end + 4).toString('latin1');
    const [method, path] = head.split('\r\n', 1)[0].split(' ');
    const client = /\r\nx-client: (.*)\r\n/i.exec(head)?.[1] ?? '';
    if (!this.seen.has(client)) this.seen.set(client, []);
    this.seen.get(client).push(request);
    this.all++;
    const said = answer({ method, path, head, body: request.subarray(end + 4) });
    if (said === null) return;
    socket.write(said.bytes ?? said);
    if (said.close) socket.end();
  }

  async stop() {
    this.forget();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }
}

/** An answer with its length. */
export const reply = (body, { status = '200 OK', type = 'application/json', headers = [] } = {}) => {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from([`HTTP/1.1 ${status}`, `Content-Type: ${type}`, `Content-Length: ${bytes.length}`, ...headers, '', ''].join('\r\n'), 'latin1'), bytes]);
};

/** Sends bytes (one write, or several with a turn of the loop between) and reads until the other side closes. */
export function exchange(port, bytes, { half = false } = {}) {
  return new Promise((done) => {
    const chunks = [];
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let client = '', over = false;
    const end = (how) => {
      if (over) return;
      over = true;
      socket.destroy();
      done({ client, bytes: Buffer.concat(chunks), how });
    };
    socket.on('connect', async () => {
      client = `${socket.localPort}-${port}`;
      for (const piece of [bytes].flat()) {
        socket.write(piece);
        await new Promise((next) => setTimeout(next, 5));
      }
      if (half) socket.end();
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => end('closed'));
    socket.on('error', () => end('closed'));
    socket.on('close', () => end('closed'));
  });
}

/** Runs work(item) over all items, so many at a time. */
export async function atOnce(items, most, work) {
  let next = 0;
  const results = new Array(items.length);
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, async () => {
    for (let i; (i = next++) < items.length;) results[i] = await work(items[i], i);
  }));
  return results;
}
