// SPDX-License-Identifier: Apache-2.0
// A small catalogue of the stories, where the shipped ones would be in the way.
export const name = 'story-api@2020-01-01';
export const text = `units: { post: {}, user: {} }
unlisted: record
endpoints:
  - id: search
    match: GET /2/tweets/search/recent
    count: { post: "$.data", user: "$.includes.users" }
    ids: { post: "$.data.id" }
    page: { post: { query: max_results, default: 10, most: 100 }, user: 100 }
  - id: stream
    match: GET /2/stream
    count: { post: "$.data" }
    page: { post: 100 }
  - id: any
    match: GET /any/{name}
    count: { post: "$.data" }
    page: { post: 100 }
`;
