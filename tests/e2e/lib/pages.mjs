// SPDX-License-Identifier: Apache-2.0
// API pages for the stories: the recorded ones where ../shared/data is there, else pages of the same shapes and sizes that
// are generated here (object, array, includes, errors beside data, 19-digit ids, escapes, empty, 8 MB).
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { data, exists } from './site.mjs';

const post = (i, text = 'rain over the harbour') => ({
  id: String(1700000000000000000n + BigInt(i)), text: `${text} ${i} — "data":[{}] \\ \u2028 é 🌧`, author_id: String(2000000 + (i % 40)),
  edit_history_tweet_ids: [String(1700000000000000000n + BigInt(i))], public_metrics: { like_count: i % 90, reply_count: 0 },
});

/** A v2 page of n posts. */
export function page(n, { users = Math.min(n, 40), errors = 0, escaped = false, from = 0 } = {}) {
  const body = { data: Array.from({ length: n }, (_, i) => post(from + i)) };
  if (users) body.includes = { users: Array.from({ length: users }, (_, i) => ({ id: String(2000000 + i), name: `Author ${i}`, username: `author_${i}` })) };
  if (errors) body.errors = Array.from({ length: errors }, (_, i) => ({ title: 'Not Found Error', resource_id: String(i), type: 'https://api.example/2/problems/resource-not-found' }));
  body.meta = { result_count: n, next_token: `t${n}` };
  const text = JSON.stringify(body);
  return Buffer.from(escaped ? text.replace(/"data":\[\{"id"/, '"d\\u0061ta":[{"\\u0069d"') : text);
}

function generated() {
  const pages = [];
  const add = (name, body, type = 'application/json; charset=utf-8') => pages.push({ name: `generated/${name}`, body: Buffer.from(body), type, group: 'x-v2' });
  add('object.json', JSON.stringify({ data: post(1) }));
  for (const n of [1, 2, 10, 20, 25, 50, 99, 100]) add(`array-${n}.json`, page(n));
  add('errors.json', page(7, { errors: 3 }));
  add('only-errors.json', JSON.stringify({ errors: [{ title: 'Not Found Error' }] }));
  add('empty.json', JSON.stringify({ meta: { result_count: 0 } }));
  add('empty-array.json', JSON.stringify({ data: [], meta: { result_count: 0 } }));
  add('escaped-key.json', page(12, { escaped: true }));
  add('large.json', page(20000));
  add('lines.jsonl', [page(5), page(7), page(1)].map(String).join('\n') + '\n', 'application/x-ndjson');
  for (const [n, name] of [[20, 'timeline'], [40, 'accounts'], [0, 'none']]) {
    pages.push({ name: `generated/mastodon-${name}.json`, group: 'mastodon', type: 'application/json; charset=utf-8', uri: '/api/v1/timelines/home',
      body: Buffer.from(JSON.stringify(Array.from({ length: n }, (_, i) => ({ id: String(117000000000000000n + BigInt(i)), content: `<p>${i}</p>` })))) });
  }
  return pages;
}

async function* filesOf(folder) {
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isDirectory()) yield* filesOf(join(folder, entry.name));
    else yield join(folder, entry.name);
  }
}

/** All pages, and which kind they are: {kind: 'recorded'|'generated', pages: [{name, body, type, group, uri?, status?}]}. */
export async function pagesOf() {
  const base = join(data, '01-api-json');
  if (!(await exists(join(base, 'x-v2')))) return { kind: 'generated', pages: generated() };
  const pages = [];
  for (const part of ['x-v2/python-twitter', 'x-v2/twittered', 'x-v2/twarc-csv']) {
    for await (const file of filesOf(join(base, part))) {
      const lines = file.endsWith('.jsonl');
      if (!lines && !file.endsWith('.json')) continue;
      pages.push({ name: file.slice(base.length + 1), body: await readFile(file), group: 'x-v2',
        type: lines ? 'application/x-ndjson' : 'application/json; charset=utf-8' });
    }
  }
  const exchanges = (await readFile(join(base, 'exchanges/mastodon.jsonl'), 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line));
  exchanges.forEach((exchange, i) => {
    if (exchange.method !== 'GET' || exchange.status !== 200 || !exchange.body) return;
    const type = exchange.resp_headers.find(([name]) => name === 'content-type')?.[1] ?? '';
    if (!type.startsWith('application/json')) return;
    pages.push({ name: `exchanges/mastodon.jsonl:${i + 1}`, body: Buffer.from(exchange.body), group: 'mastodon', type, uri: new URL(exchange.uri).pathname });
  });
  return { kind: 'recorded', pages };
}

/** What a plain parser counts: elements of an array, 1 for an object, else 0; NaN when it is no JSON. */
export const unitsOf = (value) => (Array.isArray(value) ? value.length : value !== null && typeof value === 'object' ? 1 : 0);
export function countPage({ body, type, group }) {
  const documents = type.startsWith('application/x-ndjson') ? body.toString().split('\n').filter((line) => line.trim()) : [body.toString()];
  try {
    return documents.reduce((sum, text) => {
      const value = JSON.parse(text);
      // A name step on an array applies to each of its elements.
      if (group === 'mastodon') return sum + unitsOf(value);
      return sum + (Array.isArray(value) ? value.reduce((n, element) => n + unitsOf(element?.data), 0) : unitsOf(value?.data));
    }, 0);
  } catch {
    return Number.NaN;
  }
}
