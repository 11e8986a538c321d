// SPDX-License-Identifier: Apache-2.0
// Exact: 64 concurrent clients over two workers against a cap of 1,000 posts with pages of 1 to 100. Never more than 1,000
// are delivered; since the clients retry quota-held refusals and follow retry_with, all 1,000 are had.
import assert from 'node:assert/strict';
import http from 'node:http';
import { story, Site, grossOf, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

for (const shortfall of [false, true]) {
  story(`64 clients, a cap of 1,000 posts, pages ${shortfall ? 'shorter than asked for' : 'as asked for'}`, async () => {
    const upstream = await Upstream.start((request, response, url) => {
      const asked = Number(url.searchParams.get('max_results'));
      const n = shortfall ? Math.ceil(asked / 3) : asked;
      setTimeout(() => send(response, page(n)), Math.random() * 8);
    });
    const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a', 'b'], workers: 2,
      agreement: { limits: ['{ clause: CAP, unit: post, most: 1000, per: month, over: licensee }'], clauses: { CAP: { section: '2', says: 'A thousand posts a month' } } } });
    await site.start();
    let received = 0, held = 0, refused = 0;
    const client = async (i) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      let want = 1 + ((i * 37) % 100);
      for (let tries = 0; tries < 3000; tries++) {
        const answer = await site.request(i % 2 ? 'a' : 'b', `/2/tweets/search/recent?max_results=${want}`, { agent });
        if (answer.status === 200) {
          received += JSON.parse(answer.body).data.length;
          assert(received <= 1000, `clients have ${received} posts`);
          continue;
        }
        assert.equal(answer.status, 429, answer.body.toString());
        const problem = JSON.parse(answer.body);
        if (problem.type.endsWith('quota-held')) {
          assert.equal(answer.headers['retry-after'], '1');
          held++;
          await sleep(5 + Math.random() * 20);
        } else if (problem.retry_with) {
          want = Number(/<=(\d+)/.exec(problem.retry_with)[1]);
          assert(want >= 1);
        } else {
          assert(problem.type.endsWith('cap-reached'), problem.type);
          assert.equal(problem.clause, 'CAP');
          refused++;
          agent.destroy();
          return;
        }
      }
      assert.fail('a client never came to an end');
    };
    await Promise.all(Array.from({ length: 64 }, (_, i) => client(i)));
    assert.equal(received, 1000, `received ${received}, ${held} quota-held, ${refused} refused for good`);
    const report = await site.report();
    assert.equal(grossOf(report.totals), 1000);
    await site.verify();
    await site.stop();
    await upstream.stop();
    console.log(`# used ${held} quota-held retries`);
  });
}
