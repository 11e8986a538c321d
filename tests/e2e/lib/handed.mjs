// SPDX-License-Identifier: Apache-2.0
// What was handed to a client's socket, read from the logs of tests/shim/handed.c, and what of it is body: by the framing
// of HTTP/1.1 and HTTP/2 as plain readers understand it. The client's own bytes go through the same reader.
import { readFile, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const CRLF = Buffer.from('\r\n');

/** Responses of one HTTP/1.1 connection, as far as they go: {status, headers, pieces, length, whole}. */
export class Http1Reader {
  constructor(methods) {
    this.methods = methods;
    this.responses = [];
    this.rest = Buffer.alloc(0);
    this.state = 'head';
    this.left = 0;
  }

  body(bytes) {
    const response = this.responses.at(-1);
    response.pieces.push(bytes);
    response.length += bytes.length;
  }

  over() {
    this.responses.at(-1).whole = true;
    this.state = 'head';
  }

  head(text) {
    const [line, ...fields] = text.split('\r\n');
    const headers = Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]));
    const status = Number(line.split(' ')[1]);
    const method = this.methods[this.responses.length];
    this.responses.push({ status, headers, pieces: [], length: 0, whole: false });
    if (method === 'HEAD' || status === 204 || status === 304) return this.over();
    if (headers['transfer-encoding'] === 'chunked') this.state = 'size';
    else if (headers['content-length'] !== undefined) {
      this.left = Number(headers['content-length']);
      this.state = 'identity';
      if (this.left === 0) this.over();
    } else this.state = 'until close';
  }

  /** Takes one step; false: more bytes are needed. */
  step() {
    const { rest } = this;
    if (this.state === 'head') {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return false;
      this.rest = rest.subarray(end + 4);
      this.head(rest.subarray(0, end).toString('latin1'));
      return true;
    }
    if (this.state === 'size' || this.state === 'trailer') {
      const end = rest.indexOf(CRLF);
      if (end < 0) return false;
      this.rest = rest.subarray(end + 2);
      const line = rest.subarray(0, end).toString('latin1');
      if (this.state === 'trailer') {
        if (line === '') this.over();
        else (this.responses.at(-1).trailers ??= []).push(line);
      } else {
        if (!/^[0-9a-f]+$/.test(line)) throw new Error(`a chunk of "${line.slice(0, 40)}" bytes`);
        this.left = parseInt(line, 16);
        this.state = this.left === 0 ? 'trailer' : 'chunk';
      }
      return true;
    }
    if (this.state === 'chunk end') {
      if (rest.length < 2) return false;
      this.rest = rest.subarray(2);
      this.state = 'size';
      return true;
    }
    if (rest.length === 0) return false;
    const n = this.state === 'until close' ? rest.length : Math.min(rest.length, this.left);
    this.rest = rest.subarray(n);
    this.left -= n;
    this.body(rest.subarray(0, n));
    if (this.left === 0 && this.state === 'identity') this.over();
    else if (this.left === 0 && this.state === 'chunk') this.state = 'chunk end';
    return true;
  }

  push(bytes) {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    while (this.step());
  }
}

/** Body by stream of what a server wrote in HTTP/2: {pieces, length, whole}; the last frame may be there in part. */
export function http2Bodies(bytes) {
  const streams = new Map();
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3), type = bytes[at + 3], flags = bytes[at + 4], id = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    const payload = bytes.subarray(at + 9, at + 9 + length);
    if (!streams.has(id)) streams.set(id, { pieces: [], length: 0, whole: false });
    const stream = streams.get(id);
    if (type === 0) {
      stream.pieces.push(payload);
      stream.length += payload.length;
    }
    if (type <= 1 && flags & 1 && payload.length === length) stream.whole = true;
    at += 9 + length;
  }
  return streams;
}

/** The records of a log: what went out in clear, in order, and whether the connection is closed. */
function* records(log) {
  for (let at = 0; at + 5 <= log.length;) {
    const length = log.readUInt32LE(at + 1);
    yield { kind: String.fromCharCode(log[at]), bytes: log.subarray(at + 5, at + 5 + length) };
    at += 5 + length;
  }
}

export class Handed {
  constructor(folder) {
    this.folder = folder;
  }

  /** nginx closed the connection of these two ports. */
  async closed(port) {
    const file = await open(join(this.folder, String(port))).catch(() => null);
    if (!file) return false;
    try {
      const { size } = await file.stat();
      if (size < 5) return false;
      const { buffer } = await file.read(Buffer.alloc(5), 0, 5, size - 5);
      return buffer[0] === 'e'.charCodeAt(0) && buffer.readUInt32LE(1) === 0;
    } finally {
      await file.close();
    }
  }

  /** Everything in clear that went out between these ports, and the bytes of TLS it went in (0: in clear). The log is gone then. */
  async take(port) {
    const path = join(this.folder, String(port));
    const log = await readFile(path);
    await rm(path);
    const plain = [];
    let cipher = 0;
    for (const { kind, bytes } of records(log)) {
      if (kind === 'c') cipher += Number(bytes.readBigUInt64LE());
      else if (kind !== 'e') plain.push(bytes);
    }
    return { bytes: Buffer.concat(plain), cipher };
  }
}
