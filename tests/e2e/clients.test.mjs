// SPDX-License-Identifier: Apache-2.0
// Real clients read real pages through the gate: the ledger's units per app equal what the clients received and what a plain
// parser counts in the same files. Recorded pages where they are there, else generated ones; the run says which.
import assert from 'node:assert/strict';
import https from 'node:https';
import tls from 'node:tls';
import { createRequire } from 'node:module';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, grossOf, rowOf, run } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { pagesOf, countPage, unitsOf, page } from './lib/pages.mjs';
import { certificates } from './lib/tls.mjs';

const require = createRequire(import.meta.url);
const { TwitterApi } = require('twitter-api-v2');
const { Client } = require('twitter-api-sdk');

const { kind, pages } = await pagesOf();
const v2 = pages.filter((p) => p.group === 'x-v2');
console.log(`# used ${kind} pages: ${v2.length} of X v2, ${pages.length - v2.length} of Mastodon`);

/** Pages whose data the npm clients will take for what they asked: an array, or an object. */
const shaped = (test) => v2.filter(({ type, body }) => {
  if (!type.startsWith('application/json') || body.length > 500000) return false;
  try { return test(JSON.parse(body)); } catch { return false; }
});
const arrays = shaped(({ data }) => Array.isArray(data) && data.length > 0 && data.every((d) => d && typeof d === 'object'));
const objects = shaped(({ data, errors }) => data && !Array.isArray(data) && !errors);

const HOSTS = ['api.twitter.com', 'api.x.com', '127.0.0.1', 'localhost'];

story('X v2: twitter-api-v2 over TLS, twitter-api-sdk, curl', async () => {
  let next = { array: 0, object: 0 };
  const upstream = await Upstream.start((request, response, url) => {
    assert(!Object.keys(request.headers).some((name) => name.startsWith('licet-')), 'no Licet- header goes up');
    assert.match(request.headers['accept-encoding'], /^((gzip|x-gzip|deflate|br|zstd|identity)(;q=[0-9.]+)?(, |$))+$/, 'only what is counted is asked for');
    const replay = url.searchParams.get('replay');
    if (replay !== null) return send(response, v2[Number(replay)].body, { type: v2[Number(replay)].type, chunk: Number(replay) % 3 === 1 ? 1000 : 0 });
    if (/^\/2\/(tweets|users)\/\d+$/.test(url.pathname)) return send(response, objects[next.object++ % objects.length].body);
    return send(response, arrays[next.array++ % arrays.length].body);
  });
  const certs = await certificates(HOSTS);
  const apps = ['npm-v2', 'npm-sdk', 'curl-h1', 'curl-h2', 'curl-tls'];
  const site = await Site.make({ upstream: upstream.url, catalogue: 'x-api-v2@2022-10-10', apps, tls: certs, workers: 2 });
  await site.start();
  const got = Object.fromEntries(apps.map((app) => [app, 0]));

  // twitter-api-v2 dials api.twitter.com (or api.x.com); its agent dials the gate and trusts the stories' authority.
  const agent = new https.Agent({ keepAlive: true });
  agent.createConnection = (options, done) => tls.connect({ ...options, host: '127.0.0.1', port: site.tlsPort, ca: certs.ca,
    servername: options.servername ?? options.host, ALPNProtocols: ['http/1.1'] }, done);
  const twitter = new TwitterApi(site.keys['npm-v2'], { httpAgent: agent }).readOnly;
  for (let i = 0; i < arrays.length; i++) got['npm-v2'] += unitsOf((await twitter.v2.get('tweets/search/recent', { query: 'x', max_results: 100 })).data);
  got['npm-v2'] += unitsOf((await twitter.v2.tweets(['1', '2'])).data);
  for (let i = 0; i < objects.length; i++) got['npm-v2'] += unitsOf((await twitter.v2.singleTweet('20')).data);
  agent.destroy();

  // twitter-api-sdk takes the gate as its base_url.
  const sdk = new Client(site.keys['npm-sdk']);
  const base = { base_url: `http://127.0.0.1:${site.port}` };
  for (let i = 0; i < arrays.length; i++) got['npm-sdk'] += unitsOf((await sdk.tweets.tweetsRecentSearch({ query: 'x', max_results: 100 }, base)).data);
  for (let i = 0; i < objects.length; i++) got['npm-sdk'] += unitsOf((await sdk.tweets.findTweetById('20', undefined, base)).data);

  // curl reads every page, on HTTP/1.1, on HTTP/2 and over TLS.
  const curl = async (app, base_, flags) => {
    for (let n = 0; n < v2.length; n++) {
      const result = await run('curl', ['-sS', '--fail', '--cacert', certs.caFile, ...flags, '-H', `Authorization: Bearer ${site.keys[app]}`,
        `${base_}/2/tweets/search/recent?replay=${n}`]);
      assert.equal(result.code, 0, `${v2[n].name}: ${result.stderr}`);
      assert(result.raw.equals(v2[n].body), `${v2[n].name} came through changed`);
      const units = countPage({ ...v2[n], body: result.raw });
      if (!Number.isNaN(units)) got[app] += units;
    }
  };
  await curl('curl-h1', `http://127.0.0.1:${site.port}`, ['--http1.1']);
  await curl('curl-h2', `https://127.0.0.1:${site.tlsPort}`, ['--http2']);
  await curl('curl-tls', `https://127.0.0.1:${site.tlsPort}`, ['--http1.1']);

  const report = await site.report();
  for (const app of apps) {
    assert(got[app] > 0, `${app} received something`);
    assert.equal(grossOf(rowOf(report.apps, app)), got[app], `${app}: the report agrees with what the client received`);
    assert.equal(grossOf(rowOf(report.products, `Product-${app}`)), got[app]);
  }
  const plain = v2.map(countPage).filter((n) => !Number.isNaN(n)).reduce((a, b) => a + b, 0);
  assert.equal(got['curl-h1'], plain, 'what curl received is what a plain parser counts in the files');
  assert.equal(grossOf(report.totals), apps.reduce((sum, app) => sum + got[app], 0));
  await site.verify();
  await site.stop();
  await upstream.stop();
});

story('Mastodon: python3-mastodon and curl', async () => {
  const mastodon = pages.filter((p) => p.group === 'mastodon');
  const timelines = mastodon.filter((p) => /\/timelines\/|\/statuses$/.test(p.uri) && unitsOf(JSON.parse(p.body)) > 0);
  let next = 0;
  const upstream = await Upstream.start((request, response, url) => {
    const replay = url.searchParams.get('replay');
    if (replay !== null) return send(response, mastodon[Number(replay)].body, { type: mastodon[Number(replay)].type });
    if (url.pathname === '/api/v1/instance' || url.pathname.endsWith('/instance/')) return send(response, Buffer.from('{"uri":"127.0.0.1","version":"4.0.0"}'));
    return send(response, timelines[next++ % timelines.length].body);
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: 'mastodon@2023-01-01', apps: ['python', 'curl'], workers: 2 });
  await site.start();
  const script = join(site.folder, 'client.py');
  await writeFile(script, [
    'import sys, warnings',
    'warnings.simplefilter("ignore")',
    'from mastodon import Mastodon',
    `api = Mastodon(access_token=sys.argv[1], api_base_url="http://127.0.0.1:${site.port}", version_check_mode="none", ratelimit_method="throw")`,
    `print(sum(len(api.timeline_home(limit=40)) for _ in range(${timelines.length})))`,
  ].join('\n'));
  const python = await run('/usr/bin/python3', [script, site.keys.python]);
  assert.equal(python.code, 0, python.stderr);
  let curl = 0, plain = 0;
  for (let n = 0; n < mastodon.length; n++) {
    const answer = await site.request('curl', `/api/v1/timelines/home?replay=${n}`);
    assert(answer.body.equals(mastodon[n].body), `${mastodon[n].name} came through changed`);
    curl += unitsOf(JSON.parse(answer.body));
    plain += countPage(mastodon[n]);
  }
  const report = await site.report();
  const kindOf = Object.keys(rowOf(report.apps, 'curl').units)[0];
  assert.equal(curl, plain);
  assert.equal(grossOf(rowOf(report.apps, 'python'), kindOf), Number(python.stdout));
  assert.equal(grossOf(rowOf(report.apps, 'curl'), kindOf), curl);
  await site.verify();
  await site.stop();
  await upstream.stop();
});
