// SPDX-License-Identifier: Apache-2.0
// The platform of the stories: answers each request with what the story says, and keeps the request headers it saw.
import http from 'node:http';
import { atEnd, freePort } from './site.mjs';

export class Upstream {
  /** answer(request, response, url): writes the whole answer. */
  static async start(answer) {
    const upstream = new Upstream();
    upstream.seen = [];
    upstream.port = await freePort();
    upstream.url = `http://127.0.0.1:${upstream.port}`;
    upstream.server = http.createServer({ keepAliveTimeout: 60000 }, (request, response) => {
      const url = new URL(request.url, upstream.url);
      upstream.seen.push({ method: request.method, url: request.url, headers: request.headers });
      if (upstream.seen.length > 20000) upstream.seen.splice(0, 10000);
      answer(request, response, url);
    });
    await new Promise((done) => upstream.server.listen(upstream.port, '127.0.0.1', done));
    upstream.forget = atEnd(() => upstream.stop());
    return upstream;
  }

  async stop() {
    this.forget();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

/** Sends a body whole, with its length; in pieces of a size when chunk is set. */
export function send(response, body, { type = 'application/json; charset=utf-8', status = 200, chunk = 0, headers = {} } = {}) {
  response.writeHead(status, { 'content-type': type, ...(chunk ? {} : { 'content-length': body.length }), ...headers });
  if (!chunk) return response.end(body);
  for (let at = 0; at < body.length; at += chunk) response.write(body.subarray(at, at + chunk));
  response.end();
}
