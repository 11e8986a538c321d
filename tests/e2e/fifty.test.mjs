// SPDX-License-Identifier: Apache-2.0
// A thousand requests at once under a limit of fifty: exactly fifty are served, by 1, 2 and 8 workers; also while nginx is
// reloaded and licetd is killed (-9) and comes again; and where a worker is killed with responses under way, never more,
// and what it had not delivered is served to others. Twenty credentials of one licensee, of four apps, share the one limit.
import assert from 'node:assert/strict';
import http from 'node:http';
import { story, Site, grossOf, rowOf, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const REQUESTS = 1000, MOST = 50, CREDENTIALS = 20;
const apps = ['a', 'b', 'c', 'd'];
const path = '/2/tweets/search/recent?max_results=10';

async function make(upstream, workers) {
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps, workers,
    agreement: { limits: [`{ clause: CAP, unit: request, most: ${MOST}, per: month, over: licensee }`], clauses: { CAP: { section: '2', says: 'Fifty a month' } } } });
  const keys = Object.values(site.keys);
  while (keys.length < CREDENTIALS) {
    keys.push(JSON.parse((await site.must(['credential', 'new', site.dir, apps[keys.length % apps.length], '--json'])).stdout).secret);
  }
  await site.start();
  return { site, keys };
}

/** Statuses of so many requests at once; 0: the connection ended before its answer did. again: such are asked again, for a
 *  worker that quits closes connections on which nothing has been asked yet. */
async function crowd(site, keys, requests, again = 0) {
  const agent = new http.Agent({ maxSockets: 400 });
  const ask = async (i, left) => {
    const { status, body } = await site.request(keys[i % keys.length], path, { agent }).catch(() => ({ status: 0 }));
    return status === 0 && left > 0 ? await ask(i, left - 1) : { status, problem: status === 429 ? JSON.parse(body) : undefined };
  };
  const answers = await Promise.all(Array.from({ length: requests }, (_, i) => ask(i, again)));
  agent.destroy();
  return answers;
}

const count = (answers, status) => answers.filter((answer) => answer.status === status).length;

async function taken(site) {
  return JSON.parse((await site.operator('GET', '/status')).body).counters.filter((row) => row.clause === 'CAP').map(({ taken, held }) => ({ taken, held }));
}

const disturbances = {
  'nothing happens': async () => {},
  'nginx is reloaded, licetd is killed': async (site) => {
    process.kill(site.nginx.pid, 'SIGHUP');
    process.kill(site.recorder.pid, 'SIGKILL');
    await site.recorder.ended;
    await site.startRecorder();
  },
};

for (const [workers, what] of [[1, 'nothing happens'], [2, 'nginx is reloaded, licetd is killed'], [8, 'nothing happens']]) {
  story(`${workers} workers, ${what}`, async () => {
    const body = page(10);
    const upstream = await Upstream.start((request, response) => { setTimeout(() => send(response, body), 30); });
    const { site, keys } = await make(upstream, workers);
    const [answers] = await Promise.all([crowd(site, keys, REQUESTS, 5), sleep(40).then(() => disturbances[what](site))]);
    const late = await crowd(site, keys, CREDENTIALS); // the limit holds for each of the credentials
    assert.deepEqual([count(answers, 200), count(answers, 429), count(late, 429)], [MOST, REQUESTS - MOST, CREDENTIALS]);
    for (const { problem } of [...answers, ...late].filter((answer) => answer.problem)) {
      assert.match(problem.type, /:(rate-limit|quota-held)$/);
      assert.equal(problem.limit, 'CAP');
    }
    const report = await site.report();
    assert.equal(report.totals.requests.delivered, MOST);
    assert.equal(apps.reduce((sum, app) => sum + (rowOf(report.apps, app)?.requests.delivered ?? 0), 0), MOST);
    assert.deepEqual(await taken(site), [{ taken: MOST, held: 0 }]);
    await site.verify();
    await site.stop();
    await upstream.stop();
  });
}

story('2 workers, one is killed with responses under way', async () => {
  const body = page(10);
  let waiting = [], open = false;
  const upstream = await Upstream.start((request, response) => { // what is admitted first waits until it is told
    if (open) send(response, body); else waiting.push(response);
  });
  const { site, keys } = await make(upstream, 2);
  const first = crowd(site, keys, REQUESTS);
  await site.until('fifty are under way', async () => waiting.length === MOST);
  const [victim] = await site.workers();
  process.kill(victim, 'SIGKILL');
  open = true;
  for (const response of waiting) send(response, body);
  const served = count(await first, 200);
  assert(served <= MOST, `${served} served`);
  await site.until('what the dead one held is back', async () => (await taken(site))[0].taken === served && (await taken(site))[0].held === 0);
  const again = await crowd(site, keys, REQUESTS / 4);
  assert.equal(served + count(again, 200), MOST);
  assert.equal(grossOf((await site.report()).totals), MOST * 10);
  await site.verify();
  await site.stop({ alerts: false }); // nginx says that a worker was killed
  await upstream.stop();
});
