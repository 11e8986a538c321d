// SPDX-License-Identifier: Apache-2.0
// Untouched: bodies leave the gate byte for byte as they came, and what cannot be counted is booked as unmetered with a
// reason. Over the JSON torture files where they are there, and over broken bodies made here.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { story, Site, data, exists } from './lib/site.mjs';
import { Upstream, send } from './lib/upstream.mjs';
import * as catalogue from './lib/catalogue.mjs';

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function bodies() {
  const list = [
    { name: 'made/not-json', body: Buffer.from('<html>no</html>') },
    { name: 'made/cut', body: Buffer.from('{"data":[{"id":"1"},{"id"') },
    { name: 'made/twice', body: Buffer.from('{"data":[{"id":"1"}],"data":[{"id":"2"}]}') },
    { name: 'made/zero-bytes', body: Buffer.alloc(3000) },
    { name: 'made/deep', body: Buffer.from('['.repeat(5000)) },
    { name: 'made/trailing', body: Buffer.from('{"data":[1]} x') },
  ];
  const folder = join(data, '01-api-json/torture');
  if (!(await exists(folder))) return { kind: 'made here', list };
  for (const part of ['nst-test_parsing', 'nst-test_transform', '.']) {
    for (const entry of await readdir(join(folder, part), { withFileTypes: true })) {
      if (entry.isFile()) list.push({ name: `${part}/${entry.name}`, body: await readFile(join(folder, part, entry.name)) });
    }
  }
  return { kind: 'the torture files', list };
}

story('bodies leave as they came, whole and in pieces', async () => {
  const { kind, list } = await bodies();
  console.log(`# used ${kind}: ${list.length} bodies`);
  const upstream = await Upstream.start((request, response, url) => {
    const { body } = list[Number(url.searchParams.get('n'))];
    send(response, body, { chunk: Number(url.searchParams.get('chunk') ?? 0) });
  });
  const site = await Site.make({ upstream: upstream.url, catalogue: catalogue.name, catalogueText: catalogue.text });
  await site.start();
  const valid = list.map(({ body }) => { try { JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)); return true; } catch { return false; } });
  for (const chunk of [0, 7]) {
    for (let n = 0; n < list.length; n++) {
      if (chunk && list[n].body.length > 100000) continue;
      const answer = await site.request('reader', `/any/x?n=${n}&chunk=${chunk}`);
      assert.equal(answer.status, 200);
      assert.equal(sha(answer.body), sha(list[n].body), `${list[n].name} came through changed`);
      list[n].decision = answer.headers['licet-decision'];
      assert.match(list[n].decision, /^[0-9a-f]{32}$/);
    }
    if (chunk === 0) await check(site, list, valid);
  }
  const report = await site.report();
  assert(report.unmetered.responses > 0);
  await site.verify();
  await site.stop();
  await upstream.stop();
});

async function check(site, list, valid) {
  await site.sync();
  const receipts = new Map((await site.receipts()).map((receipt) => [receipt.decision, receipt]));
  for (let n = 0; n < list.length; n++) {
    const receipt = receipts.get(list[n].decision);
    assert(receipt, `${list[n].name} has a receipt`);
    // What JSON.parse refuses must be unmetered; what i_ files hold may go either way (they are not UTF-8 or out of range).
    const name = list[n].name.split('/').pop();
    if (!valid[n] && !name.startsWith('i_') && !/invalid.utf|iso_latin|utf8/i.test(name) && !list[n].name.includes('transform')) {
      assert(receipt.unmetered, `${list[n].name} is unmetered`);
    }
    if (valid[n] && !/duplicate|twice/.test(name) && list[n].body.length < 1e6) assert(!receipt.unmetered, `${list[n].name} is metered: ${JSON.stringify(receipt)}`);
  }
}
