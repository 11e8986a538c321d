// SPDX-License-Identifier: Apache-2.0
// What a caller sees of its limits, and what real clients make of it: each waits out a 429 and finishes, and a stream client
// that is told to stop does not come again and again. The headers are read by a strict parser of Structured Fields.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseList } from 'structured-headers';
import { story, Site, run, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import { certificates } from './lib/tls.mjs';

const { Client } = createRequire(import.meta.url)('twitter-api-sdk');
const CLAUSES = { RATE: { section: '2', says: 'Three requests in two seconds' }, CAP: { section: '3', says: 'So many posts a month' } };
const RATE = '{ clause: RATE, unit: request, most: 3, per: 2s, over: app }';
const CAP = '{ clause: CAP, unit: post, most: 1_000_000, per: month, over: licensee }';

/** A platform whose own gateway tells of other limits. */
const platform = () => Upstream.start((request, response, url) => {
  response.setHeader('x-rate-limit-limit', '999');
  response.setHeader('x-rate-limit-remaining', '998');
  response.setHeader('X-Ratelimit-Used', '7');
  return send(response, page(Number(url.searchParams.get('max_results') ?? 10)));
});

async function make(upstream, limits, apps, more = {}) {
  const site = await Site.make({ upstream: upstream.url, catalogue: 'x-api-v2@2022-10-10', apps, workers: 2, agreement: { limits, clauses: CLAUSES }, ...more });
  await site.start();
  return site;
}

const items = (header) => new Map(parseList(header).map(([value, parameters]) => {
  assert.equal(typeof value, 'string', 'the name of a policy is a String');
  return [value, Object.fromEntries(parameters)];
}));

story('RateLimit and RateLimit-Policy, strictly, and x-rate-limit beside them', async () => {
  const upstream = await platform();
  const site = await make(upstream, [RATE.replace('2s', 'hour'), CAP], ['reader']);
  const now = () => Math.floor(Date.now() / 1000);
  for (let left = 2; left >= 0; left--) {
    const answer = await site.request('reader', '/2/tweets/search/recent?max_results=20');
    const policy = items(answer.headers['ratelimit-policy']), state = items(answer.headers.ratelimit);
    assert.equal(answer.status, 200);
    assert.deepEqual(policy.get('RATE'), { q: 3, w: 3600 });
    assert.equal(policy.get('CAP').q, 1000000);
    assert.equal(policy.get('CAP')['licet-unit'], 'post');
    assert.equal(state.get('RATE').r, left);
    assert(state.get('RATE').t >= 0 && state.get('RATE').t <= 3600);
    assert.equal(state.get('CAP').r, 1000000 - 20 * (3 - left), 'what was held for the page is gone');
    assert.equal(answer.headers['x-rate-limit-limit'], '3', 'the gate tells, not the upstream');
    assert.equal(answer.headers['x-rate-limit-remaining'], String(left));
    assert.equal(Number(answer.headers['x-rate-limit-reset']) % 3600, 0, 'the end of the hour');
    assert.equal(answer.headers['x-ratelimit-used'], '7', 'another form is left as it is');
  }
  const refused = await site.request('reader', '/2/tweets/search/recent?max_results=20');
  const problem = JSON.parse(refused.body);
  assert.equal(refused.status, 429);
  assert.equal(problem.type, 'urn:licet:problem:rate-limit', 'a rate is not a cap');
  assert.equal(refused.headers['x-rate-limit-remaining'], '0');
  assert(Number(refused.headers['retry-after']) >= 1 && Number(refused.headers['retry-after']) <= 3600);
  assert(Number(refused.headers['x-rate-limit-reset']) >= now());
  assert(Number(refused.headers['retry-after']) >= items(refused.headers.ratelimit).get('RATE').t, 'Retry-After is not earlier');
  await site.stop();
  await upstream.stop();
});

story('a cap is told as a cap, in the form of its platform', async () => {
  const upstream = await platform();
  const site = await make(upstream, ['{ clause: CAP, unit: post, most: 25, per: month, over: licensee }', RATE.replace('most: 3', 'most: 100')], ['reader']);
  assert.equal((await site.request('reader', '/2/tweets/search/recent?max_results=20')).status, 200);
  const refused = await site.request('reader', '/2/tweets/search/recent?max_results=20');
  const problem = JSON.parse(refused.body);
  assert.equal(refused.status, 429);
  assert.equal(problem.type, 'urn:licet:problem:cap-reached');
  assert.equal(problem.remaining, 5);
  assert.equal(refused.headers['x-rate-limit-limit'], '25', 'the limit that refuses is told');
  assert.equal(refused.headers['x-rate-limit-remaining'], '0');
  assert(Math.abs(Number(refused.headers['x-rate-limit-reset']) * 1000 - Date.parse(problem.resets_at)) < 1000);
  await site.stop();
  await upstream.stop();
});

story('real clients wait out a 429 and finish', async () => {
  const upstream = await platform();
  const certs = await certificates(['api.twitter.com', '127.0.0.1']);
  const site = await make(upstream, [RATE, CAP], ['sdk', 'tweepy', 'curl'], { tls: certs });
  const path = '/2/tweets/search/recent?query=x&max_results=10';

  const sdk = (async () => {
    const client = new Client(site.keys.sdk);
    for (let i = 0; i < 8; i++) {
      const answer = await client.tweets.tweetsRecentSearch({ query: 'x', max_results: 10 }, { base_url: `http://127.0.0.1:${site.port}`, max_retries: 5 });
      assert.equal(answer.data.length, 10);
    }
  })();

  // tweepy dials https://api.twitter.com: an adapter of its session dials the gate, and trusts the stories' authority.
  const script = join(site.folder, 'tweepy_client.py');
  await writeFile(script, [
    'import sys, tweepy, requests',
    'from urllib3 import HTTPSConnectionPool',
    'class Gate(requests.adapters.HTTPAdapter):',
    '    def get_connection(self, url, proxies=None):',
    `        return HTTPSConnectionPool("127.0.0.1", ${site.tlsPort}, ca_certs=sys.argv[2], cert_reqs="CERT_REQUIRED", server_hostname="api.twitter.com", assert_hostname="api.twitter.com")`,
    '    def cert_verify(self, conn, url, verify, cert): pass',
    'client = tweepy.Client(bearer_token=sys.argv[1], wait_on_rate_limit=True)',
    'client.session.mount("https://api.twitter.com", Gate())',
    'print(sum(len(client.search_recent_tweets("x", max_results=10).data) for _ in range(5)))',
  ].join('\n'));
  const tweepy = run('/usr/bin/python3', [script, site.keys.tweepy, certs.caFile]);

  const curl = (async () => {
    for (let i = 0; i < 8; i++) {
      const answer = await run('curl', ['-sS', '--fail', '--retry', '5', '-H', `Authorization: Bearer ${site.keys.curl}`, `http://127.0.0.1:${site.port}${path}`]);
      assert.equal(answer.code, 0, answer.stderr);
    }
  })();

  const python = await tweepy;
  assert.equal(python.code, 0, python.stderr);
  assert.equal(python.stdout.trim(), '50');
  await Promise.all([sdk, curl]);
  const report = await site.report();
  const rows = Object.fromEntries(report.apps.filter((app) => app.id).map((app) => [app.id, app.requests]));
  assert.deepEqual([rows.sdk.delivered, rows.tweepy.delivered, rows.curl.delivered], [8, 5, 8]);
  for (const name of ['sdk', 'tweepy', 'curl']) {
    assert(rows[name].refused >= 1, `${name} was told to wait`);
    assert(rows[name].refused <= 12, `${name} did not storm: ${rows[name].refused} refusals`);
  }
  console.log(`# used refusals: ${JSON.stringify(Object.fromEntries(Object.entries(rows).map(([name, requests]) => [name, requests.refused])))}`);
  await site.stop();
  await upstream.stop();
});

story('a stream client that is told to stop does not storm', async () => {
  const upstream = await platform();
  const certs = await certificates(['api.twitter.com', '127.0.0.1']);
  const site = await make(upstream, ['{ clause: CAP, unit: post, most: 0, per: month, over: licensee }'], ['stream'], { tls: certs });
  const script = join(site.folder, 'stream.py');
  await writeFile(script, [
    'import sys, tweepy, requests',
    'from urllib3 import HTTPSConnectionPool',
    'class Gate(requests.adapters.HTTPAdapter):',
    '    def get_connection(self, url, proxies=None):',
    `        return HTTPSConnectionPool("127.0.0.1", ${site.tlsPort}, ca_certs=sys.argv[2], cert_reqs="CERT_REQUIRED", server_hostname="api.twitter.com", assert_hostname="api.twitter.com")`,
    '    def cert_verify(self, conn, url, verify, cert): pass',
    'client = tweepy.StreamingClient(sys.argv[1])',
    'client.session.mount("https://api.twitter.com", Gate())',
    'client.sample()',
  ].join('\n'));
  const child = spawn('/usr/bin/python3', [script, site.keys.stream, certs.caFile], { stdio: 'ignore' });
  const ended = new Promise((done) => child.on('close', done));
  await site.until('it asked', async () => (await site.report()).totals.requests.refused > 0);
  await sleep(3000);
  child.kill('SIGKILL');
  await ended;
  assert.equal((await site.report()).totals.requests.refused, 1, 'once in three seconds');
  await site.stop();
  await upstream.stop();
});

story('usage in the two shapes that X published', async () => {
  const upstream = await platform();
  const site = await make(upstream, [CAP], ['one', 'two']);
  const USAGE = '/.well-known/licet/usage/tweets';
  for (const app of ['one', 'one', 'two']) assert.equal((await site.request(app, '/2/tweets/search/recent?max_results=20')).status, 200);
  await site.sync();
  const get = async (query) => {
    const answer = await site.request('one', USAGE + query);
    return { status: answer.status, ...JSON.parse(answer.body) };
  };
  const today = new Date().toISOString().slice(0, 10);
  const { data: spec } = await get('');
  assert.deepEqual(Object.keys(spec).sort(), ['cap_reset_day', 'daily_client_app_usage', 'daily_project_usage', 'project_cap', 'project_id', 'project_usage']);
  assert.deepEqual([spec.project_id, spec.project_cap, spec.project_usage, spec.cap_reset_day], [site.agreement, '1000000', '60', '1']);
  assert.equal(spec.daily_project_usage.project_id, site.agreement);
  assert.equal(spec.daily_project_usage.usage.length, 7);
  const last = spec.daily_project_usage.usage.at(-1);
  assert(last.date.startsWith(today) && last.usage === '60', JSON.stringify(last));
  assert.deepEqual(spec.daily_client_app_usage.map((app) => [app.client_app_id, app.usage_result_count, app.usage.reduce((sum, day) => sum + Number(day.usage), 0)]),
    [['one', '7', 40], ['two', '7', 20]]);
  const { data: guide } = await get('?days=1&shape=guide');
  assert.deepEqual(guide.daily_project_usage.map((day) => day.usage), [[{ app_id: 'one', tweets_consumed: 40 }, { app_id: 'two', tweets_consumed: 20 }]]);
  assert.deepEqual([guide.project_cap, guide.project_usage, guide.cap_reset_day], [1000000, 60, 1]);
  assert.deepEqual((await get('?usage.fields=project_usage')).data, { project_id: site.agreement, project_usage: '60' });
  for (const [query, detail] of [['?days=0', /1 to 90/], ['?days=91', /1 to 90/], ['?shape=x', /spec or guide/], ['?usage.fields=cap', /usage.fields/], ['?app=two', /"app" is not defined here: expected none or days, usage.fields, shape/]]) {
    const answer = await get(query);
    assert.equal(answer.status, 400, query);
    assert.match(answer.detail, detail);
  }
  await site.stop();
  await upstream.stop();
});

story('a problem type leads to a page that explains it', async () => {
  const upstream = await platform();
  const PLACE = '/.well-known/licet/problems/';
  const site = await make(upstream, ['{ clause: CAP, unit: post, most: 0, per: month, over: licensee }'], ['reader'], { extraHttp: `licet_problems ${PLACE};` });
  for (const [app, name, status] of [['reader', 'cap-reached', 429], ['nobody', 'credential-unknown', 401]]) {
    const refused = await site.request(app, '/2/tweets/search/recent?max_results=20');
    const problem = JSON.parse(refused.body);
    assert.equal(problem.type, PLACE + name);
    const explained = await site.request(null, problem.type);
    assert.equal(explained.status, 200);
    assert.equal(explained.headers['content-type'], 'text/html; charset=utf-8');
    assert(explained.body.toString().includes(`<h1>${problem.title}</h1>`) && explained.body.toString().includes(`<dd>${status}</dd>`));
  }
  assert.equal((await site.request(null, `${PLACE}no-such`)).status, 404);
  assert.equal((await site.request(null, `${PLACE}cap-reached`, { method: 'POST' })).status, 405);
  assert.equal((await site.request(null, '/.well-known/licet/usage')).status, 401, 'what is the licensee\'s still needs a credential');
  await site.stop();
  await upstream.stop();
});
