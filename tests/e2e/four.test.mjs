// SPDX-License-Identifier: Apache-2.0
// Four ledgers of one flow of content, end to end:
//
//   platform's API ◄─ platform's gate ◄─ licensee's egress gate ◄─ five products ◄─ gates before the APIs of two of them ◄─ tenants
//
// A government tenant of one product is refused for want of notice while all others are served; once the notice is recorded and
// its objection period is over it is served too. What was acquired is what the platform gave, line by line; what two products passed on
// is what they acquired; every ledger verifies.
import assert from 'node:assert/strict';
import http from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, grossOf, rowOf } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { joined } from './lib/joined.mjs';
import { quiet } from './lib/books.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const DOC = 'ab'.repeat(32);
const PRODUCTS = ['pages', 'feed', 'maps', 'cloud', 'ads'];
const made = (upstream, apps, id) => Site.make({ upstream, catalogue: catalogue.name, catalogueText: catalogue.text, apps, workers: 1, agreement: { id } });
const appsOf = (site) => join(site.dir, 'agreements', site.agreement, 'apps.yaml');

/** A product: an API of its own that asks the licensee's egress with the product's internal key, and hands on what comes. */
const product = (egress, app) => Upstream.start((request, response, url) => {
  http.get({ host: '127.0.0.1', port: egress.port, path: url.pathname + url.search, headers: { authorization: `Bearer ${egress.keys[app]}` } }, (answer) => {
    const chunks = [];
    answer.on('data', (chunk) => chunks.push(chunk));
    answer.on('end', () => send(response, Buffer.concat(chunks), { status: answer.statusCode }));
  });
});

/** A gate before a product's own API: its tenants are the recipients. */
async function passing(upstream, id, tenants) {
  const site = await made(upstream, Object.keys(tenants), id);
  await site.writeAgreement({ id, clauses: { 'GOV-NOTICE': { section: 'XII.C', says: 'Written notice of each government end user before passing on' } } });
  const version = join(site.dir, 'agreements', id, '2020-01-01.yaml'), licet = join(site.dir, 'licet.yaml');
  await writeFile(version, 'government:\n  - { needs: notice, clause: GOV-NOTICE, flow: passed-on, each: [entity, use-case], objection: 5 days, silence: consent }\n', { flag: 'a' });
  await writeFile(licet, (await readFile(licet, 'utf8')).replace(/^flow:.*$/m, 'flow: passed-on'));
  let text = await readFile(appsOf(site), 'utf8');
  for (const [app, recipient] of Object.entries(tenants)) {
    text = text.replace(new RegExp(`^  ${app}:(.*)$`, 'm'), (line) => line.includes('{') ? line.replace('products:', `recipient: ${recipient.name}, products:`)
      : `${line}\n    recipient: ${recipient.name}`).replace(`product: Product-${app}, purpose: display, recipient: public,`, `product: Product-${app}, purpose: display,`)
      .replace(new RegExp(`(UC-${app}:[\\s\\S]*?)recipient: public,? ?`), '$1');
  }
  text += 'recipients:\n' + Object.values(tenants).map((r) => `  ${r.name}: { class: ${r.kind}, country: US }\n`).join('');
  await writeFile(appsOf(site), text);
  return site;
}

story('four ledgers agree, and a government waits for its notice', async () => {
  const api = await Upstream.start((request, response, url) => send(response, page(Number(url.searchParams.get('max_results')))));
  const platform = await (await made(api.url, ['meridian'], 'M-1')).start();
  const egress = await made(`http://127.0.0.1:${platform.port}`, PRODUCTS, 'M-1');
  await mkdir(join(egress.dir, 'secrets'));
  await writeFile(join(egress.dir, 'secrets/token'), platform.keys.meridian, { mode: 0o600 });
  await writeFile(appsOf(egress), 'outbound: { id: OUT-1, file: secrets/token }\n', { flag: 'a' });
  await egress.start();
  const pagesApi = await product(egress, 'pages'), cloudApi = await product(egress, 'cloud');
  const pages = await (await passing(pagesApi.url, 'M-1', { acme: { name: 'Acme', kind: 'company' }, beta: { name: 'Beta', kind: 'academic' } })).start();
  const cloud = await (await passing(cloudApi.url, 'M-1', { ministry: { name: 'Ministry', kind: 'government' }, shop: { name: 'Shop', kind: 'company' } })).start();
  const path = (n) => `/2/tweets/search/recent?max_results=${n}`;
  const passed = { acme: 0, beta: 0, ministry: 0, shop: 0 };
  const ask = async (site, app, n) => {
    const answer = await site.request(app, path(n));
    if (answer.status === 200) passed[app] += JSON.parse(answer.body).data.length;
    return answer;
  };
  const refused = async () => {
    const before = api.seen.length, answer = await ask(cloud, 'ministry', 7);
    assert.equal(answer.status, 403, answer.body.toString());
    const problem = JSON.parse(answer.body);
    assert.match(problem.type, /government-notice$/);
    assert.equal(problem.clause, 'GOV-NOTICE');
    assert.equal(api.seen.length, before, 'nothing was acquired for it');
  };
  const others = async () => {
    for (const [site, app, n] of [[pages, 'acme', 3], [pages, 'beta', 4], [cloud, 'shop', 5]]) assert.equal((await ask(site, app, n)).status, 200);
  };
  await refused();
  await others();
  // three products without a gate of their own
  for (const [i, app] of ['feed', 'maps', 'ads'].entries()) assert.equal((await egress.request(app, path(10 + i))).status, 200);
  // the notice was given, and the platform may still object
  const today = new Date().toISOString().slice(0, 10);
  const notice = (given) => `    notices:\n      - { use_case: all, given: ${given}, by: A. Poe, role: compliance, document: ${DOC} }\n`;
  const plain = await readFile(appsOf(cloud), 'utf8');
  const noted = (given) => plain.replace('  Ministry: { class: government, country: US }\n', `  Ministry:\n    class: government\n    country: US\n${notice(given)}`);
  await writeFile(appsOf(cloud), noted(today));
  await cloud.must(['apply', cloud.dir, '--reason', 'notice of the Ministry']);
  await refused();
  await others();
  // five days later: here by the notice's date, which is before this month
  await writeFile(appsOf(cloud), noted('2020-02-01'));
  const apply = ['apply', cloud.dir, '--reason', 'the notice was given long ago'];
  const back = await cloud.licet([...apply, '--as', 'A. Poe, compliance', '--approved-by', 'J. Roe, licensing']);
  assert.equal(back.code, 0, back.stderr);
  assert.equal((await ask(cloud, 'ministry', 7)).status, 200);
  await others();

  const sites = [platform, egress, pages, cloud];
  for (const site of sites) await quiet(site);
  for (const site of sites) await site.sync();
  // platform and egress, line by line
  const pairs = joined(await egress.receipts(), await platform.receipts());
  const acquired = pairs.reduce((sum, [ours]) => sum + (ours.units?.post ?? 0), 0);
  const [given, got, byPages, byCloud] = await Promise.all(sites.map((site) => site.report()));
  assert.equal(grossOf(given.totals), acquired);
  assert.equal(grossOf(got.totals), acquired);
  // what the two products passed on is what they acquired
  for (const [report, app, tenants] of [[byPages, 'pages', ['acme', 'beta']], [byCloud, 'cloud', ['ministry', 'shop']]]) {
    assert.equal(grossOf(report.totals), grossOf(rowOf(got.apps, app)), app);
    for (const tenant of tenants) assert.equal(grossOf(rowOf(report.apps, tenant)), passed[tenant], tenant);
    const flow = report.flows.find((row) => grossOf(row) > 0);
    assert.match(flow.id, /passed/);
  }
  assert.equal(grossOf(rowOf(byCloud.recipients, 'Ministry')), 7);
  assert.equal(acquired, 3 * (3 + 4 + 5) + 7 + 10 + 11 + 12);
  assert.equal((await cloud.receipts()).filter((r) => r.reason === 'government-notice').length, 2);
  for (const site of sites) await site.verify();
  for (const site of sites) await site.stop();
  for (const server of [pagesApi, cloudApi, api]) await server.stop();
});
