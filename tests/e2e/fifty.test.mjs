// SPDX-License-Identifier: Apache-2.0
// A thousand requests at once under a limit of fifty: exactly fifty are served, by 1, 2 and 8 workers; also where, with fifty
// responses under way, nginx is reloaded, licetd is killed (-9) and comes again, or both; and where a worker is killed,
// never more, and what it had not delivered is served to others. Twenty credentials of one licensee, of four apps, share the
// one limit.
import assert from 'node:assert/strict';
import http from 'node:http';
import { story, Site, grossOf, rowOf } from './lib/site.mjs';
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

/** The first fifty wait for their pages until they are told: what happens meanwhile happens in the middle. */
async function slow() {
  const body = page(10);
  let open = false;
  const waiting = [];
  const upstream = await Upstream.start((request, response) => { if (open) send(response, body); else waiting.push(response); });
  return { upstream, waiting, deliver() { open = true; for (const response of waiting) send(response, body); } };
}

const reload = async (site) => {
  const old = await site.workers();
  process.kill(site.nginx.pid, 'SIGHUP');
  await site.until('new workers are there', async () => (await site.workers()).filter((pid) => !old.includes(pid)).length === old.length);
};
const killRecorder = async (site) => {
  await site.kill(site.recorder, 'SIGKILL');
  await site.startRecorder();
};
const disturbances = {
  'nothing happens': async () => {},
  'nginx is reloaded': reload,
  'licetd is killed': killRecorder,
  'nginx is reloaded and licetd killed': async (site) => { await Promise.all([reload(site), killRecorder(site)]); },
};

for (const workers of [1, 2, 8]) {
  for (const [what, disturb] of Object.entries(disturbances)) {
    story(`${workers} workers, ${what} in the middle`, async () => {
      const { upstream, waiting, deliver } = await slow();
      const { site, keys } = await make(upstream, workers);
      const first = crowd(site, keys, REQUESTS, 5);
      await site.until('fifty are under way', async () => waiting.length === MOST);
      await disturb(site);
      deliver();
      const answers = await first;
      const late = await crowd(site, keys, CREDENTIALS); // the limit holds for each of the credentials
      assert.deepEqual([count(answers, 200), count(answers, 429), count(late, 429)], [MOST, REQUESTS - MOST, CREDENTIALS]);
      for (const { problem } of [...answers, ...late].filter((answer) => answer.problem)) {
        assert.match(problem.type, /:(rate-limit|quota-held)$/);
        assert.equal(problem.limit, 'CAP');
      }
      assert.equal(waiting.length, MOST, 'no more went up');
      const report = await site.report();
      assert.equal(report.totals.requests.delivered, MOST);
      assert.equal(apps.reduce((sum, app) => sum + (rowOf(report.apps, app)?.requests.delivered ?? 0), 0), MOST);
      assert.deepEqual(await taken(site), [{ taken: MOST, held: 0 }]);
      await site.verify();
      await site.stop();
      await upstream.stop();
    });
  }

  story(`${workers} workers, one is killed with responses under way`, async () => {
    const { upstream, waiting, deliver } = await slow();
    const { site, keys } = await make(upstream, workers);
    const first = crowd(site, keys, REQUESTS);
    await site.until('fifty are under way', async () => waiting.length === MOST);
    const [victim] = await site.workers();
    process.kill(victim, 'SIGKILL');
    deliver();
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
}
