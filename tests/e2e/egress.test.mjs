// SPDX-License-Identifier: Apache-2.0
// The gate at the licensee's egress: the product's own key comes in, the platform's token goes out. The key never leaves,
// whichever header it came in; the token is in a file and nowhere else; a new one needs no reload; without one nothing
// goes up, and the refusal is recorded.
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, sleep } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import { page } from './lib/pages.mjs';
import * as catalogue from './lib/catalogue.mjs';

const PATH = '/2/tweets/search/recent?max_results=10';

/** Replaces the file, as a careful hand does. */
async function put(file, text, mode = 0o600) {
  await writeFile(`${file}.new`, text, { mode });
  await chmod(`${file}.new`, mode);
  await rename(`${file}.new`, file);
}

/** Every file below a folder that holds the text. */
async function holding(folder, text, skip) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: false })) {
    const path = join(folder, entry.name);
    if (path === skip) continue;
    if (entry.isDirectory()) found.push(...await holding(path, text, skip));
    else if (entry.isFile() && (await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

story('the internal key in, the platform\'s token out', async () => {
  const seen = [];
  const upstream = await Upstream.start((request, response, url) => {
    seen.push(request.rawHeaders);
    send(response, page(Number(url.searchParams.get('max_results'))));
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text, apps: ['a', 'b'], workers: 1,
    extraServer: 'underscores_in_headers on;' });
  const secrets = join(site.dir, 'secrets'), token = join(secrets, 'x-token'), other = join(secrets, 'b-token');
  const apps = join(site.dir, 'agreements', site.agreement, 'apps.yaml');
  await mkdir(secrets, { mode: 0o755 });
  await put(token, 'PLATFORM-one\n');
  await put(other, 'PLATFORM-of-b');
  await writeFile(apps, `${await readFile(apps, 'utf8')}` + 'outbound: { id: OUT-1, header: Authorization, scheme: Bearer, file: secrets/x-token }\n');
  assert.equal((await site.must(['check', site.dir])).stdout.includes('secrets/'), false, 'nothing to note');
  await chmod(token, 0o644);
  assert.match((await site.must(['check', site.dir])).stdout, /note: outbound OUT-1: .*x-token has mode 0644: expected 0600 or 0640/);
  await chmod(token, 0o600);
  await site.start();

  const values = (headers, name) => headers.filter((_, i) => i % 2 === 1 && headers[i - 1].toLowerCase() === name);
  const expectOne = (name, value) => {
    const headers = seen.pop();
    assert.deepEqual(values(headers, name), [value]);
    assert(!headers.some((text) => Object.values(site.keys).some((key) => text.includes(key))), `no key leaves: ${headers}`);
    assert.equal(seen.length, 0);
  };
  assert.equal((await site.request('a', PATH)).status, 200);
  expectOne('authorization', 'Bearer PLATFORM-one');
  // the same key in every place where a client may put it, beside the one that counts
  assert.equal((await site.request('a', PATH, { headers: { 'x-api-key': site.keys.a, 'api-key': site.keys.a, 'X_Api_Key': site.keys.a,
    'proxy-authorization': `Bearer ${site.keys.a}` } })).status, 200);
  expectOne('authorization', 'Bearer PLATFORM-one');

  // a new token holds within a second, and no worker is replaced
  const workers = await site.workers();
  await put(token, 'PLATFORM-two\n');
  await sleep(1100);
  assert.equal((await site.request('a', PATH)).status, 200);
  expectOne('authorization', 'Bearer PLATFORM-two');
  assert.deepEqual(await site.workers(), workers);

  // a token of an app's own, in a header of its own, by apply
  await writeFile(apps, (await readFile(apps, 'utf8')).replace(/^  b:(.*)$/m, (line) => line.includes('{')
    ? line.replace('environment: prod,', 'environment: prod, outbound: { id: OUT-B, header: X-API-Key, file: secrets/b-token },')
    : `${line}\n    outbound: { id: OUT-B, header: X-API-Key, file: secrets/b-token }`));
  assert.match((await site.must(['plan', site.dir], {})).stdout, /app b .*sends OUT-B as X-API-Key: the token of secrets\/b-token/);
  await site.must(['apply', site.dir, '--reason', 'b has a token of its own']);
  assert.equal((await site.request('b', PATH)).status, 200);
  assert.deepEqual(values(seen[0], 'authorization'), [], 'b\'s own key does not leave either');
  expectOne('x-api-key', 'PLATFORM-of-b');
  assert.equal((await site.request('a', PATH)).status, 200);
  expectOne('authorization', 'Bearer PLATFORM-two');

  // no token, or one that lies open: nothing goes up
  const refused = async (why) => {
    await sleep(1100);
    const answer = await site.request('a', PATH);
    assert.equal(answer.status, 503, why);
    const problem = JSON.parse(answer.body);
    assert.match(problem.type, /outbound-missing$/);
    assert.doesNotMatch(answer.body.toString(), /x-token|PLATFORM/, 'the caller is not told where it lies');
    assert.equal(seen.length, 0, why);
    return problem.decision;
  };
  await rm(token);
  const decision = await refused('the file is gone');
  await put(token, 'PLATFORM-open', 0o644);
  await refused('the file lies open');
  await put(token, '', 0o600);
  await refused('the file is empty');
  await put(token, 'PLATFORM-three');
  await sleep(1100);
  assert.equal((await site.request('a', PATH)).status, 200);
  expectOne('authorization', 'Bearer PLATFORM-three');

  await site.sync();
  const receipts = await site.receipts();
  const refusals = receipts.filter((r) => r.verdict === 'refuse');
  assert.deepEqual(refusals.map((r) => r.reason), Array(3).fill('outbound-missing'), JSON.stringify(refusals));
  assert(refusals.some((r) => r.decision === decision));
  const log = await readFile(join(site.dir, 'data/nginx/error.log'), 'utf8');
  assert.match(log, /outbound OUT-1 cannot be used, requests are refused: .*x-token: No such file/);
  assert.match(log, /x-token has mode 0644/);
  await site.verify();
  for (const text of ['PLATFORM-', ...Object.values(site.keys)]) assert.deepEqual(await holding(site.folder, text, secrets), [], 'no secret is anywhere else');
  await site.stop();
  await upstream.stop();
});
