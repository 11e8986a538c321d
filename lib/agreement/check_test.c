/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each message of check, with its place: one change of the test site a line, and the whole text that comes of it.
 */
#include "test_site.h"

static const struct change {
    const char *name, *file;
    const char *from; /* NULL: the whole file */
    const char *to;   /* NULL: the file goes away */
    const char *expected;
} changes[] = {
    {"syntax", VERSION, "mode: enforce\n", "mode: [enforce\n",
     "agreements/M-2022-7/2022-10-10.yaml:19:1: not YAML: did not find expected ',' or ']' (while parsing a flow "
     "sequence)\n"},
    {"tab", VERSION, "mode: enforce\n", "\tmode: enforce\n",
     "agreements/M-2022-7/2022-10-10.yaml:18:1: not YAML: found a tab character that violates indentation (while "
     "scanning a plain scalar)\n"},
    {"control character", CONFIG, "site: demo", "site: de\001mo",
     "licet.yaml:2:9: not YAML: control characters are not allowed\n"},
    {"not UTF-8", CONFIG, "site: demo", "site: \377", "licet.yaml:2:7: not YAML: invalid leading UTF-8 octet\n"},
    {"empty file", APPS, NULL, "", "agreements/M-2022-7/apps.yaml: the file is empty\n"},
    {"comment only", APPS, NULL, "# nothing\n", "agreements/M-2022-7/apps.yaml: the file is empty\n"},
    {"no mapping", CONFIG, NULL, "- party\n",
     "licet.yaml:1:1: the file is no mapping: expected fields such as \"party: ...\"\n"},
    {"anchor", CONFIG, "site: demo", "site: &name demo",
     "licet.yaml:2:7: anchor \"&name\" is not part of licet's YAML: write each value where it is meant\n"},
    {"alias", CONFIG, "site: demo", "site: *name",
     "licet.yaml:2:7: alias \"*name\" is not part of licet's YAML: write each value where it is meant\n"},
    {"tag", CONFIG, "gate: 1", "gate: !!int 1",
     "licet.yaml:3:7: tag \"tag:yaml.org,2002:int\" is not part of licet's YAML: the schema says which type a value "
     "has\n"},
    {"merge key", CONFIG, "gate: 1", "gate: 1\n<<: {}",
     "licet.yaml:4:1: merge key \"<<\" is not part of licet's YAML: write the fields out\n"},
    {"key no text", CONFIG, "gate: 1", "gate: 1\n[a]: 1",
     "licet.yaml:4:1: a key must be plain text, not a list or a mapping\n"},
    {"second document", CONFIG, "gate: 1", "gate: 1\n---\na: 1",
     "licet.yaml:4:1: a second document: expected one document in a file\n"},
    {"duplicate key", CONFIG, "gate: 1", "gate: 1\ngate: 2\ngate: 3",
     "licet.yaml:4:1: \"gate\" is given twice: it stands already in line 3\n"
     "licet.yaml:5:1: \"gate\" is given twice: it stands already in line 3\n"},
    {"too deep", CONFIG, "gate: 1", "gate: [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
     "licet.yaml:3:22: more than 16 levels of lists and mappings\n"},
    {"several mistakes", CONFIG, "gate: 1\nflow: acquired", "gate: 0\nflow: in",
     "licet.yaml:3:7: gate \"0\": expected a whole number from 1 to 65535\n"
     "licet.yaml:4:7: flow \"in\": expected acquired or passed-on\n"},
    {"unknown field", APPS, "role: licensing, from", "role: licensing, documnt: 1, from",
     "agreements/M-2022-7/apps.yaml:10:105: use case UC-2: approved: field \"documnt\" is not known here: expected one "
     "of "
     "by, role, from, before, document, says; did you mean \"document\"?\n"},
    {"unknown field, far", CONFIG, "gate: 1", "gate: 1\ncolour: red",
     "licet.yaml:4:1: field \"colour\" is not known here: expected one of party, site, gate, flow, upstream, "
     "upstreams, listen, metrics, "
     "key, shared_memory, identity, group, workers, slots\n"},
    {"upstreams of nobody", CONFIG, "gate: 1", "gate: 1\nupstreams: { M-2022-8: https://a.example }",
     "licet.yaml:4:14: upstreams: agreement \"M-2022-8\": there is no folder agreements/M-2022-8\n"},
    {"upstreams path", CONFIG, "gate: 1", "gate: 1\nupstreams: { M-2022-7: a.example }",
     "licet.yaml:4:24: upstreams: M-2022-7 \"a.example\": expected http:// or https:// with host and port and no path, "
     "such as https://api.internal\n"},
    {"outbound without file", APPS, "use_cases:", "outbound: { id: OUT-1 }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:11: outbound: field \"file\" is missing\n"},
    {"outbound file", APPS, "use_cases:", "outbound: { id: OUT-1, file: ../x }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:30: outbound: file \"../x\": expected a path within the site such as "
     "secrets/x-token, or an absolute one\n"},
    {"outbound header", APPS, "use_cases:", "outbound: { id: OUT-1, header: Host, file: x }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:32: outbound: header \"Host\": expected the name of a header that may carry a "
     "token, such as Authorization or X-API-Key\n"},
    {"outbound scheme", APPS, "use_cases:", "outbound: { id: OUT-1, scheme: \"a b\", file: x }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:32: outbound: scheme \"a b\": expected a word such as Bearer, or none\n"},
    {"outbound of some apps", APPS, "environment: staging }",
     "environment: staging, outbound: { id: OUT-1, file: x } }",
     "agreements/M-2022-7/apps.yaml:2:3: app pages: it has no outbound while app feed has one: what its callers show "
     "would go to the platform; give it one, or one to the whole file\n"},
    {"missing field", CONFIG, "gate: 1\n", "", "licet.yaml:1:1: field \"gate\" is missing\n"},
    {"no value", CONFIG, "gate: 1",
     "gate:", "licet.yaml:3:6: gate has no value: expected a whole number from 1 to 65535\n"},
    {"list for a value", CONFIG, "gate: 1", "gate: [1]",
     "licet.yaml:3:7: gate is a list: expected a whole number from 1 to 65535\n"},
    {"mapping for a value", CONFIG, "gate: 1", "gate: { a: 1 }",
     "licet.yaml:3:7: gate is a mapping: expected a whole number from 1 to 65535\n"},
    {"value for a list", VERSION, "allowed: [display, search]", "allowed: display",
     "agreements/M-2022-7/2022-10-10.yaml:12:22: purposes: allowed \"display\": expected a list\n"},
    {"mapping for a list", VERSION, "allowed: [display, search]", "allowed: { display: search }",
     "agreements/M-2022-7/2022-10-10.yaml:12:22: purposes: allowed is a mapping: expected a list\n"},
    {"value for a mapping", VERSION, "calendar: { zone: UTC, month: calendar }", "calendar: UTC",
     "agreements/M-2022-7/2022-10-10.yaml:3:11: calendar \"UTC\": expected a mapping\n"},
    {"no value for a mapping", VERSION, "calendar: { zone: UTC, month: calendar }",
     "calendar:", "agreements/M-2022-7/2022-10-10.yaml:3:10: calendar has no value: expected a mapping\n"},
    {"value in a list of mappings", VERSION, "  - { clause: CAP-MONTH", "  - x\n  - { clause: CAP-MONTH",
     "agreements/M-2022-7/2022-10-10.yaml:14:5: limit \"x\": expected a mapping\n"},
    {"value in a map of mappings", VERSION, "  RATE: { section: Order form 3, says: 450 searches in 15 minutes }",
     "  RATE: Order form 3",
     "agreements/M-2022-7/2022-10-10.yaml:11:9: clause RATE \"Order form 3\": expected a mapping\n"},
    {"party", CONFIG, "licensor", "platform", "licet.yaml:1:8: party \"platform\": expected licensor or licensee\n"},
    {"gate text", CONFIG, "gate: 1", "gate: one",
     "licet.yaml:3:7: gate \"one\": expected a whole number from 1 to 65535\n"},
    {"gate leading zero", CONFIG, "gate: 1", "gate: 007",
     "licet.yaml:3:7: gate \"007\": expected a whole number from 1 to 65535\n"},
    {"gate double underscore", CONFIG, "gate: 1", "gate: 1__0",
     "licet.yaml:3:7: gate \"1__0\": expected a whole number from 1 to 65535\n"},
    {"gate beyond 64 bits", CONFIG, "gate: 1", "gate: 99999999999999999999999",
     "licet.yaml:3:7: gate \"99999999999999999999999\": expected a whole number from 1 to 65535\n"},
    {"flow", CONFIG, "acquired", "both", "licet.yaml:4:7: flow \"both\": expected acquired or passed-on\n"},
    {"upstream path", CONFIG, "https://api.internal", "https://api.internal/v1",
     "licet.yaml:5:11: upstream \"https://api.internal/v1\": expected http:// or https:// with host and port and no "
     "path, such as https://api.internal\n"},
    {"upstream scheme", CONFIG, "https://api.internal", "api.internal",
     "licet.yaml:5:11: upstream \"api.internal\": expected http:// or https:// with host and port and no path, such as "
     "https://api.internal\n"},
    {"metrics beyond this machine", CONFIG, "127.0.0.1:8640", "127.0.0.1:8640\nmetrics: 127.evil.example:8641",
     "licet.yaml:7:10: metrics \"127.evil.example:8641\": expected a loopback address and a port such as "
     "127.0.0.1:8641\n"},
    {"listen", CONFIG, "127.0.0.1:8640", "8640",
     "licet.yaml:6:9: listen \"8640\": expected an address and a port such as 127.0.0.1:8640\n"},
    {"key outside", CONFIG, "data/key", "../key",
     "licet.yaml:7:6: key \"../key\": expected a path within the site such as data/key\n"},
    {"shared_memory", CONFIG, "/dev/shm/licet-demo", "licet-demo",
     "licet.yaml:8:16: shared_memory \"licet-demo\": expected an absolute path such as /dev/shm/licet-mine\n"},
    {"identity", CONFIG, "gate: 1", "gate: 1\nidentity: X-Consumer",
     "licet.yaml:4:11: identity \"X-Consumer\": expected an nginx variable such as $http_x_consumer_id\n"},
    {"group", CONFIG, "gate: 1", "gate: 1\ngroup: www data",
     "licet.yaml:4:8: group \"www data\": expected 1 to 64 letters, digits, dots, underscores and hyphens, a letter or "
     "digit first\n"},
    {"workers", CONFIG, "gate: 1", "gate: 1\nworkers: 257",
     "licet.yaml:4:10: workers \"257\": expected a whole number from 1 to 256\n"},
    {"slots", CONFIG, "gate: 1", "gate: 1\nslots: 1000", "licet.yaml:4:8: slots \"1000\": expected a power of two\n"},
    {"slots range", CONFIG, "gate: 1", "gate: 1\nslots: 8",
     "licet.yaml:4:8: slots \"8\": expected a whole number from 16 to 65536\n"},
    {"site id", CONFIG, "site: demo", "site: my site",
     "licet.yaml:2:7: site \"my site\": expected 1 to 64 letters, digits, dots, underscores and hyphens, a letter or "
     "digit first\n"},
    {"agreement is not its folder", VERSION, "agreement: M-2022-7", "agreement: M-2022-8",
     "agreements/M-2022-7/2022-10-10.yaml:1:12: agreement \"M-2022-8\": expected \"M-2022-7\", the name of its "
     "folder\n"},
    {"from", VERSION, "from: 2022-10-10", "from: 10.10.2022",
     "agreements/M-2022-7/2022-10-10.yaml:2:19: in_force: from \"10.10.2022\": expected a date such as 2022-10-10 or a "
     "time such as 2022-10-10T12:00:00Z\n"},
    {"from, no such day", VERSION, "from: 2022-10-10", "from: 2022-02-30",
     "agreements/M-2022-7/2022-10-10.yaml:2:19: in_force: from \"2022-02-30\": expected a date such as 2022-10-10 or a "
     "time such as 2022-10-10T12:00:00Z\n"},
    {"before is not after", VERSION, "before: 2023-10-10", "before: 2022-10-10",
     "agreements/M-2022-7/2022-10-10.yaml:2:39: in_force: before \"2022-10-10\": expected a time after from "
     "\"2022-10-10\"\n"},
    {"then renew", VERSION, "then: refuse", "then: renew 12 days",
     "agreements/M-2022-7/2022-10-10.yaml:2:57: in_force: then \"renew 12 days\": expected refuse, continue or a "
     "renewal such as renew 12 months\n"},
    {"then", VERSION, "then: refuse", "then: stop",
     "agreements/M-2022-7/2022-10-10.yaml:2:57: in_force: then \"stop\": expected refuse, continue or a renewal "
     "such as renew 12 months\n"},
    {"country", VERSION, "country: US", "country: USA",
     "agreements/M-2022-7/2022-10-10.yaml:6:58: parties: licensee: country \"USA\": expected a country of two capital "
     "letters such as US (ISO 3166-1)\n"},
    {"legal_name", VERSION, "legal_name: Meridian Corporation", "legal_name: \"\"",
     "agreements/M-2022-7/2022-10-10.yaml:6:27: parties: licensee: legal_name \"\": expected 1 to 1024 bytes of "
     "printable text\n"},
    {"party missing", VERSION, "  licensee: { legal_name: Meridian Corporation, country: US }\n", "",
     "agreements/M-2022-7/2022-10-10.yaml:5:3: parties: field \"licensee\" is missing\n"},
    {"catalogue form", VERSION, "catalogue: x-api-v2@2022-10-10", "catalogue: x-api-v2",
     "agreements/M-2022-7/2022-10-10.yaml:7:12: catalogue \"x-api-v2\": expected a name and a date such as "
     "x-api-v2@2022-10-10\n"},
    {"catalogue missing", VERSION, "catalogue: x-api-v2@2022-10-10", "catalogue: y-api@2022-10-10",
     "agreements/M-2022-7/2022-10-10.yaml:7:12: catalogue \"y-api@2022-10-10\": there is no file "
     "catalogue/y-api@2022-10-10.yaml\n"},
    {"clause key", VERSION, "  RATE: {", "  RATE 2: {",
     "agreements/M-2022-7/2022-10-10.yaml:11:3: clause \"RATE 2\": expected 1 to 64 letters, digits, dots, underscores "
     "and hyphens, a letter or digit first\n"
     "agreements/M-2022-7/2022-10-10.yaml:15:15: limit RATE: clause \"RATE\" is not among the clauses of this "
     "version\n"},
    {"clause without says", VERSION, ", says: No training of foundation models", "",
     "agreements/M-2022-7/2022-10-10.yaml:9:13: clause NO-TRAIN: field \"says\" is missing\n"},
    {"purpose twice", VERSION, "[display, search]", "[display, display]",
     "agreements/M-2022-7/2022-10-10.yaml:12:32: purposes: allowed names \"display\" twice\n"
     "agreements/M-2022-7/apps.yaml:11:35: use case UC-3: purpose \"search\" is neither allowed nor forbidden in any "
     "version of agreement M-2022-7\n"},
    {"purpose allowed and forbidden", VERSION, "[display, search]", "[display, search, train-ai]",
     "agreements/M-2022-7/2022-10-10.yaml:12:64: purposes: \"train-ai\" is both allowed and forbidden\n"},
    {"purpose clause", VERSION, "train-ai: NO-TRAIN", "train-ai: NO-TRAINING",
     "agreements/M-2022-7/2022-10-10.yaml:12:64: purposes: forbidden: train-ai: clause \"NO-TRAINING\" is not among "
     "the clauses of this version\n"},
    {"purpose name", VERSION, "[display, search]", "[\" display\", search]",
     "agreements/M-2022-7/2022-10-10.yaml:12:23: purposes: allowed \" display\": expected 1 to 64 bytes of printable "
     "text without a space at either end\n"},
    {"not_named", VERSION, "allowed: [display, search],", "allowed: [display, search], not_named: ignore,",
     "agreements/M-2022-7/2022-10-10.yaml:12:52: purposes: not_named \"ignore\": expected record or refuse\n"},
    {"limit per", VERSION, "per: month", "per: 3 fortnights",
     "agreements/M-2022-7/2022-10-10.yaml:14:60: limit CAP-MONTH: per \"3 fortnights\": expected second, minute, hour, "
     "day, month, year, term, concurrent, a span such as 15m or rolling 30d\n"},
    {"limit per zero", VERSION, "per: 15m", "per: 0m",
     "agreements/M-2022-7/2022-10-10.yaml:15:52: limit RATE: per \"0m\": expected second, minute, hour, day, month, "
     "year, term, concurrent, a span such as 15m or rolling 30d\n"},
    {"limit per too long", VERSION, "per: 15m", "per: 400d",
     "agreements/M-2022-7/2022-10-10.yaml:15:52: limit RATE: per \"400d\": expected second, minute, hour, day, month, "
     "year, term, concurrent, a span such as 15m or rolling 30d\n"},
    {"limit most", VERSION, "most: 450", "most: many",
     "agreements/M-2022-7/2022-10-10.yaml:15:42: limit RATE: most \"many\": expected a whole number from 0 to "
     "1099511627775\n"},
    {"limit most too large", VERSION, "most: 450", "most: 1_099_511_627_776",
     "agreements/M-2022-7/2022-10-10.yaml:15:42: limit RATE: most \"1_099_511_627_776\": expected a whole number from "
     "0 to 1099511627775\n"},
    {"limit clause", VERSION, "clause: CAP-MONTH", "clause: CAP-YEAR",
     "agreements/M-2022-7/2022-10-10.yaml:14:15: limit CAP-YEAR: clause \"CAP-YEAR\" is not among the clauses of this "
     "version\n"},
    {"limit unit", VERSION, "unit: post", "unit: article",
     "agreements/M-2022-7/2022-10-10.yaml:14:32: limit CAP-MONTH: unit \"article\": expected request, byte or a unit "
     "of catalogue x-api-v2@2022-10-10\n"},
    {"limit endpoint", VERSION, "[search-recent]", "[search-all]",
     "agreements/M-2022-7/2022-10-10.yaml:15:80: limit RATE: endpoint \"search-all\" is not in catalogue "
     "x-api-v2@2022-10-10\n"},
    {"limit endpoint twice", VERSION, "[search-recent]", "[search-recent, search-recent]",
     "agreements/M-2022-7/2022-10-10.yaml:15:95: limit RATE: endpoints names \"search-recent\" twice\n"},
    {"limit endpoints empty", VERSION, "[search-recent]", "[]",
     "agreements/M-2022-7/2022-10-10.yaml:15:79: limit RATE: endpoints is empty: expected at least one\n"},
    {"limits on one counter", VERSION, "limits:\n",
     "limits:\n  - { clause: CAP-MONTH, unit: post, most: 1, per: month, over: licensee, endpoints: [post] }\n",
     "agreements/M-2022-7/2022-10-10.yaml:15:5: limit CAP-MONTH: a second limit with this clause, unit post, per month "
     "and over licensee (line 14): they would share one counter; give it a clause of its own\n"},
    {"cannot_record missing", VERSION, "cannot_record: { allow: 10_000 posts, per: outage }\n", "",
     "agreements/M-2022-7/2022-10-10.yaml:1:1: field \"cannot_record\" is missing\n"},
    {"cannot_record", VERSION, "cannot_record: { allow: 10_000 posts, per: outage }", "cannot_record: pass",
     "agreements/M-2022-7/2022-10-10.yaml:16:16: cannot_record \"pass\": expected refuse, open or {allow: 10_000 "
     "posts, per: outage}\n"},
    {"cannot_record list", VERSION, "cannot_record: { allow: 10_000 posts, per: outage }", "cannot_record: [open]",
     "agreements/M-2022-7/2022-10-10.yaml:16:16: cannot_record is a list: expected refuse, open or {allow: 10_000 "
     "posts, per: outage}\n"},
    {"cannot_record allow", VERSION, "10_000 posts", "posts",
     "agreements/M-2022-7/2022-10-10.yaml:16:25: cannot_record: allow \"posts\": expected a number and a unit such as "
     "10_000 posts\n"},
    {"cannot_record unit", VERSION, "10_000 posts", "10_000 articles",
     "agreements/M-2022-7/2022-10-10.yaml:16:25: cannot_record: allow: unit \"articles\": expected request, byte or a "
     "unit of catalogue x-api-v2@2022-10-10\n"},
    {"cannot_record per", VERSION, "per: outage", "per: day",
     "agreements/M-2022-7/2022-10-10.yaml:16:44: cannot_record: per \"day\": expected outage\n"},
    {"cannot_record without per", VERSION, ", per: outage", "",
     "agreements/M-2022-7/2022-10-10.yaml:16:16: cannot_record: field \"per\" is missing\n"},
    {"on_overrun", VERSION, "on_overrun: deliver", "on_overrun: stop",
     "agreements/M-2022-7/2022-10-10.yaml:17:13: on_overrun \"stop\": expected deliver or cut\n"},
    {"mode", VERSION, "mode: enforce", "mode: strict",
     "agreements/M-2022-7/2022-10-10.yaml:18:7: mode \"strict\": expected observe or enforce\n"},
    {"unit name", CATALOGUE, "units: { post: {}", "units: { \"po st\": {}, post: {}",
     "catalogue/x-api-v2@2022-10-10.yaml:1:10: unit \"po st\": expected 1 to 64 letters, digits, dots, underscores and "
     "hyphens, a letter or digit first, and not request, byte or byte-acked, which the gate counts by itself\n"},
    {"unit request", CATALOGUE, "units: { post: {}", "units: { request: {}, post: {}",
     "catalogue/x-api-v2@2022-10-10.yaml:1:10: unit \"request\": expected 1 to 64 letters, digits, dots, underscores "
     "and hyphens, a letter or digit first, and not request, byte or byte-acked, which the gate counts by itself\n"},
    {"unit dedup", CATALOGUE, "units: { post: {}", "units: { post: { dedup: { by: id } }",
     "catalogue/x-api-v2@2022-10-10.yaml:1:25: unit post: dedup: field \"per\" is missing\n"},
    {"unit dedup per", CATALOGUE, "units: { post: {}", "units: { post: { dedup: { by: id, per: week } }",
     "catalogue/x-api-v2@2022-10-10.yaml:1:40: unit post: dedup: per \"week\": expected none, day or month\n"},
    {"unit dedup over", CATALOGUE, "units: { post: {}",
     "units: { post: { dedup: { by: id, per: none, over: product } }",
     "catalogue/x-api-v2@2022-10-10.yaml:1:52: unit post: dedup: over \"product\": expected licensee, app or "
     "credential\n"},
    {"unit dedup without ids", CATALOGUE, "units: { post: {}", "units: { post: { dedup: { by: id, per: day } }",
     "catalogue/x-api-v2@2022-10-10.yaml:11:14: endpoint post: unit \"post\" is deduplicated by id: expected ids to "
     "name where this endpoint has them\n"
     "catalogue/x-api-v2@2022-10-10.yaml:15:14: endpoint lookup: unit \"post\" is deduplicated by id: expected ids to "
     "name where this endpoint has them\n"},
    {"unlisted missing", CATALOGUE, "unlisted: record\n", "",
     "catalogue/x-api-v2@2022-10-10.yaml:1:1: field \"unlisted\" is missing\n"},
    {"match", CATALOGUE, "match: GET /2/tweets/{id}", "match: /2/tweets/{id}",
     "catalogue/x-api-v2@2022-10-10.yaml:10:12: endpoint post: match \"/2/tweets/{id}\": expected a method, a space "
     "and a path such as GET /2/tweets/{id}\n"},
    {"match method", CATALOGUE, "match: GET /2/tweets/{id}", "match: get /2/tweets/{id}",
     "catalogue/x-api-v2@2022-10-10.yaml:10:12: endpoint post: match \"get /2/tweets/{id}\": expected a method, a "
     "space and a path such as GET /2/tweets/{id}\n"},
    {"match query", CATALOGUE, "match: GET /2/tweets/{id}", "match: GET /2/tweets/{id}?a=b",
     "catalogue/x-api-v2@2022-10-10.yaml:10:12: endpoint post: match \"GET /2/tweets/{id}?a=b\": expected a path "
     "without its query, which is ignored\n"},
    {"match placeholder", CATALOGUE, "match: GET /2/tweets/{id}", "match: GET /2/tweets/id-{id}",
     "catalogue/x-api-v2@2022-10-10.yaml:10:12: endpoint post: match \"GET /2/tweets/id-{id}\": expected each "
     "placeholder such as {id} to be a whole segment\n"},
    {"match space", CATALOGUE, "match: GET /2/tweets/{id}", "match: GET /2/tweets /{id}",
     "catalogue/x-api-v2@2022-10-10.yaml:10:12: endpoint post: match \"GET /2/tweets /{id}\": expected a path without "
     "spaces\n"},
    {"match equal", CATALOGUE, "match: GET /2/tweets\n", "match: GET /2/tweets/{tweet}\n",
     "catalogue/x-api-v2@2022-10-10.yaml:14:12: endpoint lookup: match \"GET /2/tweets/{tweet}\": endpoint post in "
     "line 10 matches the same requests\n"},
    {"match segments", CATALOGUE, "match: GET /2/tweets\n",
     "match: GET /a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a\n",
     "catalogue/x-api-v2@2022-10-10.yaml:14:12: endpoint lookup: match \"GET "
     "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a\": expected at most 32 segments\n"},
    {"endpoint id twice", CATALOGUE, "id: lookup", "id: post",
     "catalogue/x-api-v2@2022-10-10.yaml:13:9: endpoint post: id \"post\" is taken already in line 9\n"},
    {"endpoint without id", CATALOGUE, "  - id: post\n    match", "  - match",
     "catalogue/x-api-v2@2022-10-10.yaml:9:5: endpoint 2: field \"id\" is missing\n"},
    {"count unit", CATALOGUE, "{ post: $.data }", "{ article: $.data }",
     "catalogue/x-api-v2@2022-10-10.yaml:11:14: endpoint post: count: unit \"article\": expected one of this "
     "catalogue's units\n"
     "catalogue/x-api-v2@2022-10-10.yaml:12:13: endpoint post: page: unit \"post\": expected a unit that this endpoint "
     "counts\n"},
    {"count request", CATALOGUE, "count: { post: $.data }\n    page: { post: 1 }", "count: { request: $.data }",
     "catalogue/x-api-v2@2022-10-10.yaml:11:14: endpoint post: count: unit \"request\": expected one of this "
     "catalogue's units\n"},
    {"count path, quoted", CATALOGUE, "\"$.includes.users\"", "\"$.includes[*].users\"",
     "catalogue/x-api-v2@2022-10-10.yaml:6:48: endpoint search-recent: count: user \"$.includes[*].users\": path "
     "\"$.includes[*].users\": byte 11: a wildcard is not supported; expected .name or ['name']\n"},
    {"count path, plain", CATALOGUE, "{ post: $.data }\n    page: { post: 1 }",
     "{ post: $..data }\n    page: { post: 1 }",
     "catalogue/x-api-v2@2022-10-10.yaml:11:21: endpoint post: count: post \"$..data\": path \"$..data\": byte 1: a "
     "descendant step is not supported; expected .name or ['name']\n"},
    {"ids unit", CATALOGUE, "ids: { post:", "ids: { tweet:",
     "catalogue/x-api-v2@2022-10-10.yaml:7:12: endpoint search-recent: ids: unit \"tweet\": expected a unit that this "
     "endpoint counts\n"},
    {"ids path", CATALOGUE, "\"$.data.id\"", "\"data.id\"",
     "catalogue/x-api-v2@2022-10-10.yaml:7:19: endpoint search-recent: ids: post \"data.id\": path \"data.id\": byte "
     "0: expected $\n"},
    {"page unit", CATALOGUE, "page: { post: 1 }", "page: { user: 1 }",
     "catalogue/x-api-v2@2022-10-10.yaml:12:13: endpoint post: page: unit \"user\": expected a unit that this endpoint "
     "counts\n"},
    {"page number", CATALOGUE, "page: { post: 1 }", "page: { post: 0 }",
     "catalogue/x-api-v2@2022-10-10.yaml:12:19: endpoint post: page: post \"0\": expected a whole number from 1 to "
     "1099511627775\n"},
    {"page default above most", CATALOGUE, "default: 10", "default: 101",
     "catalogue/x-api-v2@2022-10-10.yaml:8:50: endpoint search-recent: page: post: default \"101\": expected at most "
     "100, the most\n"},
    {"page without default", CATALOGUE, "default: 10, ", "",
     "catalogue/x-api-v2@2022-10-10.yaml:8:19: endpoint search-recent: page: post: field \"default\" is missing\n"},
    {"page without most", CATALOGUE, "default: 10, most: 100", "default: 10",
     "catalogue/x-api-v2@2022-10-10.yaml:8:19: endpoint search-recent: page: post: field \"most\" is missing\n"},
    {"page items default", CATALOGUE, "items: comma,", "items: comma, default: 1,",
     "catalogue/x-api-v2@2022-10-10.yaml:16:56: endpoint lookup: page: post: default \"1\": expected none beside "
     "items, where each item counts\n"},
    {"page items", CATALOGUE, "items: comma", "items: space",
     "catalogue/x-api-v2@2022-10-10.yaml:16:40: endpoint lookup: page: post: items \"space\": expected comma\n"},
    {"page query", CATALOGUE, "query: max_results", "query: a=b",
     "catalogue/x-api-v2@2022-10-10.yaml:8:28: endpoint search-recent: page: post: query \"a=b\": expected the name of "
     "a query parameter such as max_results\n"},
    {"page list", CATALOGUE, "page: { post: 1 }", "page: [1]",
     "catalogue/x-api-v2@2022-10-10.yaml:12:11: endpoint post: page: expected a mapping of units\n"},
    {"page of a unit as list", CATALOGUE, "page: { post: 1 }", "page: { post: [1] }",
     "catalogue/x-api-v2@2022-10-10.yaml:12:19: endpoint post: page: post is a list: expected a number or {query, "
     "default, most}\n"},
    {"app id", APPS, "  feed: {", "  the feed: {",
     "agreements/M-2022-7/apps.yaml:8:3: app \"the feed\": expected 1 to 64 letters, digits, dots, underscores and "
     "hyphens, a letter or digit first\n"},
    {"app without products", APPS, "    products: [Pages]\n", "",
     "agreements/M-2022-7/apps.yaml:3:5: app pages: field \"products\" is missing\n"},
    {"app products empty", APPS, "products: [Pages]", "products: []",
     "agreements/M-2022-7/apps.yaml:3:15: app pages: products is empty: expected at least one\n"},
    {"app products twice", APPS, "products: [Feed, Pages]", "products: [Feed, Feed, Pages]",
     "agreements/M-2022-7/apps.yaml:8:28: app feed: products names \"Feed\" twice\n"},
    {"app environment", APPS, "environment: staging", "environment: test",
     "agreements/M-2022-7/apps.yaml:8:49: app feed: environment \"test\": expected prod, staging or dev\n"},
    {"app outbound", APPS, "environment: staging", "outbound: []",
     "agreements/M-2022-7/apps.yaml:8:46: app feed: outbound is a list: expected a mapping\n"},
    {"default_use_case unknown", APPS, "default_use_case: UC-2", "default_use_case: UC-9",
     "agreements/M-2022-7/apps.yaml:4:23: app pages: default_use_case \"UC-9\" is not in use_cases\n"},
    {"default_use_case of another product", APPS, "default_use_case: UC-2", "default_use_case: UC-3",
     "agreements/M-2022-7/apps.yaml:4:23: app pages: default_use_case \"UC-3\" is for product \"Feed\", which this app "
     "does not feed\n"},
    {"credential kind", APPS, "kind: bearer", "kind: cookie",
     "agreements/M-2022-7/apps.yaml:6:26: app pages: credential K-1: kind \"cookie\": expected bearer, api-key, "
     "client-certificate, jwt or http-signature\n"},
    {"credential of a client certificate", APPS, "kind: bearer", "kind: client-certificate", ""},
    {"credential of a JWT", APPS, "kind: bearer", "kind: jwt", ""},
    {"credential of a signature", APPS, "kind: bearer",
     "kind: http-signature, key: JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs", ""},
    {"credential without its key", APPS, "kind: bearer", "kind: http-signature",
     "agreements/M-2022-7/apps.yaml:6:26: app pages: credential K-1: kind http-signature: expected a key, the public "
     "key that its requests are verified by\n"},
    {"credential with a key too many", APPS, "kind: bearer",
     "kind: bearer, key: JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs",
     "agreements/M-2022-7/apps.yaml:6:26: app pages: credential K-1: a key with kind bearer: expected one with "
     "http-signature only\n"},
    {"credential with a short key", APPS, "kind: bearer", "kind: http-signature, key: JrQLj5P_89iXES9",
     "agreements/M-2022-7/apps.yaml:6:47: app pages: credential K-1: key of 15 characters: expected an Ed25519 public "
     "key, 43 characters of base64url as x of its JWK\n"},
    {"credential hash", APPS, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "secret",
     "agreements/M-2022-7/apps.yaml:7:24: app pages: credential K-1: hmac_sha256 of 6 characters: expected 64 hex "
     "digits, as licet credential new writes them\n"},
    {"credential id twice", APPS, "    credentials:\n",
     "    credentials:\n      - { id: K-1, kind: bearer, from: 2022-10-10,\n          hmac_sha256: "
     "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }\n",
     "agreements/M-2022-7/apps.yaml:8:15: app pages: credential K-1: id \"K-1\" is taken already in line 6\n"},
    {"credential secret twice", APPS, "  feed: { products: [Feed, Pages], environment: staging }",
     "  feed:\n    products: [Feed, Pages]\n    credentials:\n      - { id: K-2, kind: api-key, from: 2022-10-10,\n    "
     "      hmac_sha256: 00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff }",
     "agreements/M-2022-7/apps.yaml:12:24: app feed: credential K-2: the same secret as credential K-1 of app pages in "
     "agreements/M-2022-7/apps.yaml; a secret belongs to one app\n"},
    {"credential before", APPS, "from: 2022-10-10,\n", "from: 2022-10-10, before: 2022-10-09,\n",
     "agreements/M-2022-7/apps.yaml:6:60: app pages: credential K-1: before \"2022-10-09\": expected from "
     "\"2022-10-10\" or a later time\n"},
    {"credential without from", APPS, "from: 2022-10-10,\n", "\n",
     "agreements/M-2022-7/apps.yaml:6:9: app pages: credential K-1: field \"from\" is missing\n"},
    {"use case product", APPS, "product: Feed", "product: Fee",
     "agreements/M-2022-7/apps.yaml:11:20: use case UC-3: product \"Fee\": no app feeds it\n"},
    {"use case purpose", APPS, "purpose: search", "purpose: resale",
     "agreements/M-2022-7/apps.yaml:11:35: use case UC-3: purpose \"resale\" is neither allowed nor forbidden in any "
     "version of agreement M-2022-7\n"},
    {"use case approved", APPS, ", role: licensing", "",
     "agreements/M-2022-7/apps.yaml:10:74: use case UC-2: approved: field \"role\" is missing\n"},
    {"product over time", APPS, "[Feed, Pages]", "[{ name: Feed, from: 2023-01-01, before: 2022-01-01 }, Pages]",
     "agreements/M-2022-7/apps.yaml:8:62: app feed: product Feed: before \"2022-01-01\": expected a time after from "
     "\"2023-01-01\"\n"},
    {"product twice at a time", APPS, "[Feed, Pages]",
     "[{ name: Feed, before: 2023-01-01 }, Pages, { name: Feed, from: 2022-12-01 }]",
     "agreements/M-2022-7/apps.yaml:8:73: app feed: products names \"Feed\" twice for the same time\n"},
    {"product by turns", APPS, "[Feed, Pages]",
     "[{ name: Feed, before: 2023-01-01 }, Pages, { name: Feed, from: 2023-01-01 }]", ""},
    {"product without a name", APPS, "[Feed, Pages]", "[Feed, { from: 2023-01-01 }, Pages]",
     "agreements/M-2022-7/apps.yaml:8:28: app feed: products: field \"name\" is missing\n"},
    {"products no list", APPS, "[Feed, Pages]", "Feed",
     "agreements/M-2022-7/apps.yaml:8:21: app feed: products \"Feed\": expected a list\n"},
    {"product not registered", APPS,
     "use_cases:", "products: { Pages: { owner: News, contact: news@example.org } }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:8:22: app feed: product \"Feed\" is not among the products of this file\n"},
    {"product registered ends", APPS,
     "use_cases:", "products: { Feed: { from: 2023-01-01, before: 2022-01-01 }, Pages: {} }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:47: product Feed: before \"2022-01-01\": expected a time after from "
     "\"2023-01-01\"\n"},
    {"app ends", APPS, "environment: staging", "from: 2023-01-01, before: 2023-01-01",
     "agreements/M-2022-7/apps.yaml:8:62: app feed: before \"2023-01-01\": expected a time after from "
     "\"2023-01-01\"\n"},
    {"credential environment", APPS, "kind: bearer", "kind: bearer, environment: test",
     "agreements/M-2022-7/apps.yaml:6:47: app pages: credential K-1: environment \"test\": expected prod, staging or "
     "dev\n"},
    {"tokens", VERSION, "mode: enforce\n", "mode: enforce\ncredentials: { most_per_app: 0, clause: RATE }\n",
     "agreements/M-2022-7/2022-10-10.yaml:19:30: credentials: most_per_app \"0\": expected a whole number from 1 to "
     "65535\n"},
    {"tokens clause", VERSION, "mode: enforce\n", "mode: enforce\ncredentials: { most_per_app: 1, clause: X-TOKLIM }\n",
     "agreements/M-2022-7/2022-10-10.yaml:19:41: credentials: clause \"X-TOKLIM\" is not among the clauses of this "
     "version\n"},
    {"life", APPS, "purpose: search }",
     "purpose: search, life: [ { state: draft, at: 2022-10-10, by: A, role: B }, { state: submitted, at: 2022-10-11, "
     "by: A, role: B }, { state: approved, at: 2022-10-12, by: A, role: B, document: "
     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }, { state: changed, at: 2022-10-13, by: A, "
     "role: B, says: more of it }, { state: approved, at: 2022-10-14, by: A, role: B }, { state: withdrawn, at: "
     "2022-10-15, by: A, role: B } ] }",
     ""},
    {"life begins", APPS, "purpose: search }",
     "purpose: search, life: [ { state: changed, at: 2022-10-10, by: A, role: B } ] }",
     "agreements/M-2022-7/apps.yaml:11:60: use case UC-3: life begins with \"changed\": expected draft, submitted or "
     "approved\n"},
    {"life draft approved", APPS, "purpose: search }",
     "purpose: search, life: [ { state: draft, at: 2022-10-10, by: A, role: B }, { state: approved, at: 2022-10-11, "
     "by: A, role: B } ] }",
     "agreements/M-2022-7/apps.yaml:11:110: use case UC-3: \"approved\" follows draft: expected submitted or "
     "withdrawn\n"},
    {"life approved twice", APPS, "purpose: search }",
     "purpose: search, life: [ { state: approved, at: 2022-10-10, by: A, role: B }, { state: approved, at: 2022-10-11, "
     "by: A, role: B } ] }",
     "agreements/M-2022-7/apps.yaml:11:113: use case UC-3: \"approved\" follows approved: expected changed, withdrawn "
     "or rejected\n"},
    {"life withdrawn changed", APPS, "purpose: search }",
     "purpose: search, life: [ { state: approved, at: 2022-10-10, by: A, role: B }, { state: withdrawn, at: "
     "2022-10-11, by: A, role: B }, { state: changed, at: 2022-10-12, by: A, role: B } ] }",
     "agreements/M-2022-7/apps.yaml:11:167: use case UC-3: \"changed\" follows withdrawn: expected draft, submitted or "
     "approved\n"},
    {"life backwards", APPS, "purpose: search }",
     "purpose: search, life: [ { state: draft, at: 2022-10-10, by: A, role: B }, { state: submitted, at: 2022-10-10, "
     "by: A, role: B } ] }",
     "agreements/M-2022-7/apps.yaml:11:125: use case UC-3: submitted at \"2022-10-10\": expected a time after draft at "
     "\"2022-10-10\"\n"},
    {"life without by", APPS, "purpose: search }",
     "purpose: search, life: [ { state: draft, at: 2022-10-10, role: B } ] }",
     "agreements/M-2022-7/apps.yaml:11:51: use case UC-3: life draft: field \"by\" is missing\n"},
    {"life state", APPS, "purpose: search }",
     "purpose: search, life: [ { state: agreed, at: 2022-10-10, by: A, role: B } ] }",
     "agreements/M-2022-7/apps.yaml:11:60: use case UC-3: life agreed: state \"agreed\": expected draft, submitted, "
     "approved, changed, withdrawn or rejected\n"},
    {"life document", APPS, "purpose: search }",
     "purpose: search, life: [ { state: draft, at: 2022-10-10, by: A, role: B, document: order.pdf } ] }",
     "agreements/M-2022-7/apps.yaml:11:109: use case UC-3: life draft: document \"order.pdf\": expected 64 hex digits, "
     "the SHA-256 of the document\n"},
    {"life and approved", APPS, "from: 2022-10-10 } }\n",
     "from: 2022-10-10 }, life: [ { state: draft, at: 2022-10-10, by: A, role: B } ] }\n",
     "agreements/M-2022-7/apps.yaml:10:3: use case UC-2: has both approved and life: approved is the short form of a "
     "life, expected one of them\n"},
    {"approved ends", APPS, "from: 2022-10-10 } }\n", "from: 2022-10-10, before: 2022-10-10 } }\n",
     "agreements/M-2022-7/apps.yaml:10:131: use case UC-2: before \"2022-10-10\": expected a time after from "
     "\"2022-10-10\"\n"},
    {"use case name", APPS, "  UC-3:", "  \"\":",
     "agreements/M-2022-7/apps.yaml:11:3: use case \"\": expected 1 to 64 bytes of printable text without a space at "
     "either end\n"},
    {"name too long", APPS, "recipient: public",
     "recipient: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "agreements/M-2022-7/apps.yaml:10:56: use case UC-2: recipient "
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": expected 1 to 64 bytes of printable text "
     "without a space at either end\n"},
    {"apps outbound", APPS, "use_cases:", "outbound: {}\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:11: outbound: field \"file\" is missing\n"
     "agreements/M-2022-7/apps.yaml:9:11: outbound: field \"id\" is missing\n"},
    {"no licet.yaml", CONFIG, NULL, NULL, "licet.yaml: cannot open: No such file or directory\n"},
    {"no catalogue", CATALOGUE, NULL, NULL,
     "agreements/M-2022-7/2022-10-10.yaml:7:12: catalogue \"x-api-v2@2022-10-10\": there is no file "
     "catalogue/x-api-v2@2022-10-10.yaml\n"},
    {"no version", VERSION, NULL, NULL,
     "agreements/M-2022-7: agreement M-2022-7 has no version: expected a file such as 2022-10-10.yaml\n"},
    {"no apps.yaml", APPS, NULL, NULL, "agreements/M-2022-7: agreement M-2022-7 has no apps.yaml\n"},
    {"catalogue file name", "catalogue/x-api-v2.yaml", NULL, "x: 1\n",
     "catalogue/x-api-v2.yaml: file name \"x-api-v2.yaml\": expected <name>@<date>.yaml such as "
     "x-api-v2@2022-10-10.yaml\n"},
    {"version file name", "agreements/M-2022-7/october.yaml", NULL, "x: 1\n",
     "agreements/M-2022-7/october.yaml: file name \"october.yaml\": expected apps.yaml or <date>.yaml such as "
     "2022-10-10.yaml\n"},
    {"version file ending", "agreements/M-2022-7/2023-10-10.yml", NULL, "x: 1\n",
     "agreements/M-2022-7/2023-10-10.yml: file name \"2023-10-10.yml\": expected apps.yaml or <date>.yaml such as "
     "2022-10-10.yaml\n"},
    {"agreement folder name", "agreements/M 1/apps.yaml", NULL, "x: 1\n",
     "agreements/M 1: agreement \"M 1\": expected 1 to 64 letters, digits, dots, underscores and hyphens, a letter or "
     "digit first\n"},
    {"agreement reserved", "agreements/unidentified/apps.yaml", NULL, "x: 1\n",
     "agreements/unidentified: agreement \"unidentified\": the name is reserved for callers nobody knows\n"},
};

/* All mistakes as check prints them. Owned by the caller. */
static char *
all_text(const licet_mistakes *mistakes)
{
    licet_buffer out;
    char *text;

    licet_buffer_init(&out, (size_t)1 << 20);
    for (size_t i = 0; i < mistakes->len; i++) {
        const licet_mistake *mistake = &mistakes->list[i];
        if (mistake->line == 0) {
            licet_put_format(&out, "%s: %s\n", mistake->file, mistake->text);
        } else {
            licet_put_format(&out, "%s:%u:%u: %s\n", mistake->file, mistake->line, mistake->column, mistake->text);
        }
    }
    text = strndup(out.len == 0 ? "" : (const char *)out.data, out.len);
    licet_buffer_done(&out);
    assert_non_null(text);
    return text;
}

static char *
load_text(const test_site *site, licet_error *err)
{
    licet_mistakes mistakes = {0};
    licet_site *loaded = NULL;
    bool good = licet_site_load(site->dir, &mistakes, &loaded, err);
    char *text = all_text(&mistakes);

    assert_true(good == (mistakes.len == 0));
    licet_mistakes_done(&mistakes);
    licet_site_free(loaded);
    return text;
}

static void
test_messages(void **state)
{
    unsigned failures = 0;
    test_site site;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const struct change *change = &changes[i];
        licet_error err = {0};
        char path[512], *text;
        test_site_init(&site);
        if (change->to == NULL) {
            snprintf(path, sizeof(path), "%s/%s", site.dir, change->file);
            assert_int_equal(unlink(path), 0);
        } else {
            test_change(&site, change->file, change->from, change->to);
        }
        text = load_text(&site, &err);
        if (getenv("LICET_SHOW") != NULL) {
            printf("## %s\n%s", change->name, text);
        } else if (strcmp(text, change->expected) != 0) {
            print_error("%s:\n expected %s actual   %s", change->name, change->expected, text);
            failures++;
        }
        free(text);
        test_site_done(&site);
    }
    assert_int_equal(failures, 0);
}

static void
expect(const test_site *site, const char *expected)
{
    licet_error err = {0};
    char *text = load_text(site, &err);

    assert_string_equal(text, expected);
    free(text);
}

/* Two credentials of one app at a time, or one after the other. */
static void
test_tokens(void **state)
{
    static const char second[] =
        "    credentials:\n      - { id: K-0, kind: bearer, before: %s, from: 2022-10-10,\n"
        "          hmac_sha256: 11112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }"
        "\n";
    char text[512];
    test_site site;

    test_site_init(&site);
    test_change(&site, VERSION, "mode: enforce\n", "mode: enforce\ncredentials: { most_per_app: 1, clause: RATE }\n");
    expect(&site, "");
    snprintf(text, sizeof(text), second, "2023-01-01");
    test_change(&site, APPS, "    credentials:\n", text);
    expect(&site,
           "agreements/M-2022-7/apps.yaml:8:15: app pages: credential K-1 is one of 2 that are valid at one time: "
           "version 2022-10-10 allows 1 an app (RATE)\n");
    snprintf(text, sizeof(text), second, "2023-01-01");
    test_change(&site, APPS, "    credentials:\n", text);
    test_change(&site, VERSION, "mode: enforce\n", "mode: enforce\ncredentials: { most_per_app: 2, clause: RATE }\n");
    expect(&site, "");
    test_site_done(&site);
}

/* ---- what takes more than one file, or many rows ------------------------------------ */

static void
add_version(const test_site *site, const char *name, const char *in_force)
{
    char path[128];
    char *text =
        test_replaced(test_files[2].text, "in_force: { from: 2022-10-10, before: 2023-10-10, then: refuse }", in_force);

    snprintf(path, sizeof(path), "agreements/M-2022-7/%s.yaml", name);
    test_write(site, path, text, strlen(text));
    free(text);
}

static void
test_versions(void **state)
{
    test_site site;

    test_site_init(&site);
    add_version(&site, "2023-10-10", "in_force: { from: 2023-10-10 }");
    expect(&site, ""); /* the first ends where the second begins */
    add_version(&site, "2023-10-10", "in_force: { from: 2023-10-09T23:59:59.999Z }");
    expect(&site, "agreements/M-2022-7/2023-10-10.yaml:2:19: in_force: from \"2023-10-09T23:59:59.999Z\": version "
                  "2022-10-10 is in force before \"2023-10-10\"; two versions may not overlap\n");
    add_version(&site, "2023-10-10", "in_force: { from: 2022-10-10T02:00:00+02:00 }");
    expect(&site, "agreements/M-2022-7/2023-10-10.yaml:2:19: in_force: from \"2022-10-10T02:00:00+02:00\": version "
                  "2022-10-10 begins at the same time\n");
    test_change(&site, VERSION, ", before: 2023-10-10, then: refuse", "");
    add_version(&site, "2023-10-10", "in_force: { from: 2023-01-01 }");
    expect(&site, ""); /* an open version ends where the next begins */
    test_site_done(&site);
}

/* Mistakes of all files come in one list, in order of file, line and column. */
static void
test_all_files_in_order(void **state)
{
    test_site site;

    test_site_init(&site);
    test_change(&site, CONFIG, "gate: 1\nflow: acquired", "gate: 0\nflow: in");
    test_change(&site, CATALOGUE, "unlisted: record", "unlisted: hide");
    test_change(&site, VERSION, "mode: enforce", "mode: x");
    test_change(&site, APPS, "kind: bearer", "kind: x");
    test_write(&site, "agreements/A-1/apps.yaml", "apps: {}\n", 9);
    expect(&site, "agreements/A-1: agreement A-1 has no version: expected a file such as 2022-10-10.yaml\n"
                  "agreements/M-2022-7/2022-10-10.yaml:18:7: mode \"x\": expected observe or enforce\n"
                  "agreements/M-2022-7/apps.yaml:6:26: app pages: credential K-1: kind \"x\": expected bearer, "
                  "api-key, client-certificate, jwt or http-signature\n"
                  "catalogue/x-api-v2@2022-10-10.yaml:2:11: unlisted \"hide\": expected record or refuse\n"
                  "licet.yaml:3:7: gate \"0\": expected a whole number from 1 to 65535\n"
                  "licet.yaml:4:7: flow \"in\": expected acquired or passed-on\n");
    test_site_done(&site);
}

/* A catalogue that cannot be read is one mistake, not one for each that refers to it. */
static void
test_one_cause_one_mistake(void **state)
{
    test_site site;

    test_site_init(&site);
    test_write(&site, CATALOGUE, "units: {", 8);
    expect(&site, "catalogue/x-api-v2@2022-10-10.yaml:2:1: not YAML: did not find expected node content (while parsing "
                  "a flow node)\n");
    test_site_done(&site);
}

static void
test_same_secret_in_two_agreements(void **state)
{
    test_site site;

    test_site_init(&site);
    test_write(&site, "agreements/M-2/apps.yaml", test_files[3].text, strlen(test_files[3].text));
    char *text = test_replaced(test_files[2].text, "agreement: M-2022-7", "agreement: M-2");
    test_write(&site, "agreements/M-2/2022-10-10.yaml", text, strlen(text));
    free(text);
    expect(&site, "agreements/M-2022-7/apps.yaml:7:24: app pages: credential K-1: the same secret as credential K-1 of "
                  "app pages in agreements/M-2/apps.yaml; a secret belongs to one app\n");
    test_site_done(&site);
}

/* A text of a file becomes rows made from a format with the row's number, between two other texts. */
static void
change_to_rows(const test_site *site, const char *path, const char *from, const char *before, const char *row,
               unsigned rows, const char *after)
{
    licet_buffer out;

    licet_buffer_init(&out, (size_t)8 << 20);
    licet_put_format(&out, "%s", before);
    for (unsigned i = 0; i < rows; i++) {
        const char *mark = strchr(row, '#');
        licet_put_format(&out, "%.*s%u%s", (int)(mark - row), row, i, mark + 1);
    }
    licet_put_format(&out, "%s", after);
    licet_put_u8(&out, 0);
    assert_false(out.failed);
    test_change(site, path, from, (const char *)out.data);
    licet_buffer_done(&out);
}

static void
test_ceiling_of_units(void **state)
{
    static const char units[] = "{ post: {}, user: {} }";
    test_site site;

    test_site_init(&site);
    change_to_rows(&site, CATALOGUE, units, "{ post: {}, user: {}", ", u#: {}", 12, " }");
    expect(&site, "");
    change_to_rows(&site, CATALOGUE, units, "{ post: {}, user: {}", ", u#: {}", 13, " }");
    expect(&site, "catalogue/x-api-v2@2022-10-10.yaml:1:128: 15 units: expected at most 14 beside request and byte\n");
    test_site_done(&site);
}

/* Two catalogues that are within the ceiling each and beyond it together. */
static void
test_ceiling_of_kinds(void **state)
{
    static const char more[] = "units: { a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}, i: {}, j: {}, k: {}, "
                               "l: {}, m: {} }\nunlisted: record\nendpoints: []\n";
    test_site site;

    test_site_init(&site);
    test_write(&site, "catalogue/more@2022-10-10.yaml", more, strlen(more));
    char *text = test_replaced("agreement: M-2022-7\nin_force: { from: 2023-10-10 }\nparties:\n"
                               "  licensor: { legal_name: A, country: US }\n"
                               "  licensee: { legal_name: B, country: US }\n"
                               "catalogue: more@2022-10-10\ncannot_record: refuse\n",
                               "", "");
    test_write(&site, "agreements/M-2022-7/2023-10-10.yaml", text, strlen(text));
    free(text);
    expect(&site, "agreements/M-2022-7/2023-10-10.yaml:6:12: catalogue \"more@2022-10-10\": unit m is more than the 14 "
                  "that all versions of an agreement may name together\n");
    test_site_done(&site);
}

static void
test_ceiling_of_an_endpoint(void **state)
{
    static const char head[] = "units: { a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, post: {}, user: {} }\n"
                               "unlisted: record\nendpoints:\n  - id: search-recent\n    match: GET /x\n";
    char text[1024];
    test_site site;

    test_site_init(&site);
    snprintf(text, sizeof(text), "%s    count: { a: $, b: $, c: $, d: $, e: $, f: $, g: $, post: $, user: $ }\n", head);
    test_write(&site, CATALOGUE, text, strlen(text));
    expect(&site, "catalogue/x-api-v2@2022-10-10.yaml:6:65: endpoint search-recent: count names 9 units: expected at "
                  "most 8 at one endpoint\n");
    snprintf(text, sizeof(text),
             "%s    count: { a: $.a.b.c.d.e.f.g.h, b: $.i.b.c.d.e.f.g.h, post: $.j.b.c.d.e.f.g.h }\n"
             "    ids: { a: $.k.b.c.d.e.f.g.h }\n",
             head);
    test_write(&site, CATALOGUE, text, strlen(text));
    expect(&site, "");
    snprintf(text, sizeof(text),
             "%s    count: { a: $.a.b.c.d.e.f.g.h, b: $.i.b.c.d.e.f.g.h, post: $.j.b.c.d.e.f.g.h }\n"
             "    ids: { a: $.k.b.c.d.e.f.g.h, b: $.k.x }\n",
             head);
    test_write(&site, CATALOGUE, text, strlen(text));
    expect(&site, "catalogue/x-api-v2@2022-10-10.yaml:4:9: endpoint search-recent: its paths have 33 distinct steps: "
                  "expected at most 32\n");
    test_site_done(&site);
}

static void
test_ceiling_of_limits(void **state)
{
    static const char limits[] = "limits:\n  - { clause: CAP-MONTH, unit: post, most: 2_000_000, per: month, over: "
                                 "licensee }\n";
    test_site site;

    test_site_init(&site);
    change_to_rows(&site, VERSION, limits, "limits:\n",
                   "  - { clause: RATE, unit: request, most: 1, per: 1#s, over: app }\n", 15, "");
    expect(&site, "");
    change_to_rows(&site, VERSION, limits, "limits:\n",
                   "  - { clause: RATE, unit: request, most: 1, per: 1#s, over: app }\n", 16, "");
    expect(&site,
           "agreements/M-2022-7/2022-10-10.yaml:30:5: 17 limits bind a request to endpoint search-recent: expected "
           "at most 16\n");
    change_to_rows(&site, VERSION, limits, "limits:\n",
                   "  - { clause: RATE, unit: request, most: 1, per: 1#s, over: app }\n", 17, "");
    expect(&site, "agreements/M-2022-7/2022-10-10.yaml:31:5: 17 limits bind every request: expected at most 16\n");
    test_site_done(&site);
}

static void
test_ceiling_of_mistakes(void **state)
{
    licet_mistakes mistakes = {0};
    licet_site *loaded = NULL;
    licet_error err = {0};
    test_site site;

    test_site_init(&site);
    change_to_rows(&site, CONFIG, "gate: 1\n", "gate: 1\n", "x#: 1\n", 5000, "");
    assert_false(licet_site_load(site.dir, &mistakes, &loaded, &err));
    assert_int_equal(mistakes.len, 1001);
    assert_int_equal(mistakes.list[0].line, 0);
    assert_string_equal(mistakes.list[0].text, "more than 1000 mistakes: mend these first, the rest is not listed");
    licet_mistakes_done(&mistakes);
    test_site_done(&site);
}

static void
test_ceiling_of_a_file(void **state)
{
    size_t len = (size_t)5 << 20;
    char *text = malloc(len);
    test_site site;

    assert_non_null(text);
    memset(text, '#', len);
    test_site_init(&site);
    test_write(&site, APPS, text, len);
    free(text);
    expect(&site, "agreements/M-2022-7/apps.yaml: larger than 4 MiB\n");
    change_to_rows(&site, APPS, "[Pages]", "[", "#, ", 400000, "Pages]");
    expect(&site, "agreements/M-2022-7/apps.yaml:3:3088874: more than 400000 values in one file\n");
    test_site_done(&site);
}

static void
test_no_site(void **state)
{
    licet_mistakes mistakes = {0};
    licet_site *loaded = NULL;
    licet_error err = {0};

    assert_false(licet_site_load("/tmp/licet-agreement-none", &mistakes, &loaded, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    assert_int_equal(mistakes.len, 0);
    assert_string_equal(err.text, "/tmp/licet-agreement-none: No such file or directory");
    assert_false(licet_site_load("/dev/null", &mistakes, &loaded, &err));
    assert_string_equal(err.text, "/dev/null is no folder: expected a site");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_all_files_in_order),
        cmocka_unit_test(test_one_cause_one_mistake),
        cmocka_unit_test(test_same_secret_in_two_agreements),
        cmocka_unit_test(test_ceiling_of_units),
        cmocka_unit_test(test_ceiling_of_kinds),
        cmocka_unit_test(test_ceiling_of_an_endpoint),
        cmocka_unit_test(test_ceiling_of_limits),
        cmocka_unit_test(test_ceiling_of_mistakes),
        cmocka_unit_test(test_ceiling_of_a_file),
        cmocka_unit_test(test_no_site),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
