/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of limits_test.c: name, file, text of the test site, what stands in its place, all that check says. */
{"zone unknown", VERSION, "zone: UTC", "zone: Europe/Atlantis",
 "agreements/M-2022-7/2022-10-10.yaml:3:19: calendar: zone \"Europe/Atlantis\": the tz database of this system "
 "(/usr/share/zoneinfo, package tzdata) has no such zone\n"},
    {"zone climbs", VERSION, "zone: UTC", "zone: ../../etc/passwd",
     "agreements/M-2022-7/2022-10-10.yaml:3:19: calendar: zone \"../../etc/passwd\": expected a zone such as UTC or "
     "Europe/Berlin\n"},
    {"zone from the root", VERSION, "zone: UTC", "zone: /etc/passwd",
     "agreements/M-2022-7/2022-10-10.yaml:3:19: calendar: zone \"/etc/passwd\": expected a zone such as UTC or "
     "Europe/Berlin\n"},
    {"zone climbs in the middle", VERSION, "zone: UTC", "zone: Europe/../../passwd",
     "agreements/M-2022-7/2022-10-10.yaml:3:19: calendar: zone \"Europe/../../passwd\": expected a zone such as UTC or "
     "Europe/Berlin\n"},
    {"zone is a folder", VERSION, "zone: UTC", "zone: Europe",
     "agreements/M-2022-7/2022-10-10.yaml:3:19: calendar: zone \"Europe\": the tz database of this system "
     "(/usr/share/zoneinfo, package tzdata) has no such zone\n"},
    {"zone is no TZif file", VERSION, "zone: UTC", "zone: tzdata.zi",
     "agreements/M-2022-7/2022-10-10.yaml:3:19: calendar: zone \"tzdata.zi\": expected a zone such as UTC or "
     "Europe/Berlin\n"},
    {"cycle without a start", VERSION, "month: calendar", "month: cycle",
     "agreements/M-2022-7/2022-10-10.yaml:3:31: calendar: month \"cycle\": field \"cycle_starts\" is missing, the date "
     "on which a cycle starts\n"},
    {"start without a cycle", VERSION, "month: calendar", "month: calendar, cycle_starts: 2022-10-15",
     "agreements/M-2022-7/2022-10-10.yaml:3:55: calendar: cycle_starts \"2022-10-15\": expected month: cycle beside "
     "it\n"},
    {"cycle_starts is no date", VERSION, "month: calendar", "month: cycle, cycle_starts: 15",
     "agreements/M-2022-7/2022-10-10.yaml:3:31: calendar: month \"cycle\": field \"cycle_starts\" is missing, the date "
     "on which a cycle starts\nagreements/M-2022-7/2022-10-10.yaml:3:52: calendar: cycle_starts \"15\": expected the "
     "date on which a cycle starts, such as 2022-10-15\n"},
    {"cycle_starts is no day", VERSION, "month: calendar", "month: cycle, cycle_starts: 2022-02-30",
     "agreements/M-2022-7/2022-10-10.yaml:3:31: calendar: month \"cycle\": field \"cycle_starts\" is missing, the date "
     "on which a cycle starts\nagreements/M-2022-7/2022-10-10.yaml:3:52: calendar: cycle_starts \"2022-02-30\": "
     "expected the date on which a cycle starts, such as 2022-10-15\n"},
    {"rolling fortnight", VERSION, "per: month", "per: rolling fortnight",
     "agreements/M-2022-7/2022-10-10.yaml:14:60: limit CAP-MONTH: per \"rolling fortnight\": expected second, minute, "
     "hour, day, month, year, term, concurrent, a span such as 15m or rolling 30d\n"},
    {"rolling month", VERSION, "per: month", "per: rolling month",
     "agreements/M-2022-7/2022-10-10.yaml:14:60: limit CAP-MONTH: per \"rolling month\": expected second, minute, "
     "hour, day, month, year, term, concurrent, a span such as 15m or rolling 30d\n"},
    {"rolling too long", VERSION, "per: month", "per: rolling 367d",
     "agreements/M-2022-7/2022-10-10.yaml:14:60: limit CAP-MONTH: per \"rolling 367d\": expected second, minute, hour, "
     "day, month, year, term, concurrent, a span such as 15m or rolling 30d\n"},
    {"over", VERSION, "over: licensee }", "over: everybody }",
     "agreements/M-2022-7/2022-10-10.yaml:14:73: limit CAP-MONTH: over \"everybody\": expected licensee, licensee and "
     "affiliates, app, credential, product, use case, recipient, country or endpoint\n"},
    {"count", VERSION, "unit: post,", "unit: post, count: net,",
     "agreements/M-2022-7/2022-10-10.yaml:14:45: limit CAP-MONTH: count \"net\": expected gross or deduplicated\n"},
    {"deduplicated requests", VERSION, "{ clause: RATE, unit: request,",
     "{ clause: RATE, unit: request, count: deduplicated,",
     "agreements/M-2022-7/2022-10-10.yaml:15:43: limit RATE: count \"deduplicated\" of unit \"request\": expected a "
     "unit that the catalogue deduplicates\n"},
    {"deduplicated, not by the catalogue", VERSION, "unit: post,", "unit: user, count: deduplicated,",
     "agreements/M-2022-7/2022-10-10.yaml:14:45: limit CAP-MONTH: count \"deduplicated\": catalogue "
     "x-api-v2@2022-10-10 counts unit \"user\" gross: expected dedup there, or gross here\n"},
    {"concurrent posts", VERSION, "per: month", "per: concurrent",
     "agreements/M-2022-7/2022-10-10.yaml:14:60: limit CAP-MONTH: per \"concurrent\" of unit \"post\": expected unit "
     "request; what is under way at once are requests\n"},
    {"flow", VERSION, "unit: post,", "unit: post, flow: sideways,",
     "agreements/M-2022-7/2022-10-10.yaml:14:44: limit CAP-MONTH: flow \"sideways\": expected acquired or passed-on\n"},
    {"purposes empty", VERSION, "unit: post,", "unit: post, purposes: [],",
     "agreements/M-2022-7/2022-10-10.yaml:14:48: limit CAP-MONTH: purposes is empty: expected at least one\n"},
    {"purposes twice", VERSION, "unit: post,", "unit: post, purposes: [display, display],",
     "agreements/M-2022-7/2022-10-10.yaml:14:58: limit CAP-MONTH: purposes names \"display\" twice\n"},
    {"purpose never", VERSION, "unit: post,", "unit: post, purposes: [resale],",
     "agreements/M-2022-7/2022-10-10.yaml:14:49: limit CAP-MONTH: purpose \"resale\" is neither allowed nor forbidden "
     "in this version, which refuses it: the limit can never bind for it\n"},
    {"class", VERSION, "unit: post,", "unit: post, recipients_of: [governments],",
     "agreements/M-2022-7/2022-10-10.yaml:14:54: limit CAP-MONTH: recipients_of \"governments\": expected public, "
     "person, company, academic, government, acting-for-government, surveillance or embargoed\n"},
    {"class twice", VERSION, "unit: post,", "unit: post, recipients_of: [government, government],",
     "agreements/M-2022-7/2022-10-10.yaml:14:66: limit CAP-MONTH: recipients_of names \"government\" twice\n"},
    {"never counted there", VERSION, "unit: post,", "unit: user, endpoints: [post, lookup],",
     "agreements/M-2022-7/2022-10-10.yaml:14:32: limit CAP-MONTH: no endpoint it names of catalogue "
     "x-api-v2@2022-10-10 counts unit \"user\": the limit can never bind\n"},
    {"set_by in a version", VERSION, "unit: post,", "unit: post, set_by: us,",
     "agreements/M-2022-7/2022-10-10.yaml:14:38: limit CAP-MONTH: field \"set_by\" is not known here: expected one of "
     "clause, unit, count, most, per, over, endpoints, flow, purposes, recipients_of\n"},
    {"clause mode", VERSION, "says: Two million", "mode: warn, says: Two million",
     "agreements/M-2022-7/2022-10-10.yaml:10:45: clause CAP-MONTH: mode \"warn\": expected observe or enforce\n"},
    {"one counter, another spelling", VERSION, "limits:\n",
     "limits:\n  - { clause: RATE, unit: request, most: 1, per: 900s, over: app }\n",
     "agreements/M-2022-7/2022-10-10.yaml:16:5: limit RATE: a second limit with this clause, unit request, per 15m and "
     "over app (line 14): they would share one counter; give it a clause of its own\n"},
    {"one counter, a day", VERSION, "limits:\n",
     "limits:\n  - { clause: RATE, unit: post, most: 1, per: day, over: licensee }\n  - { clause: RATE, unit: post, "
     "most: 2, per: 24h, over: licensee and affiliates }\n",
     "agreements/M-2022-7/2022-10-10.yaml:15:5: limit RATE: a second limit with this clause, unit post, per 24h and "
     "over licensee and affiliates (line 14): they would share one counter; give it a clause of its own\n"},
    {"budget without a name", APPS,
     "use_cases:", "budgets: [ { unit: post, most: 1, per: month, over: licensee } ]\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:12: budget 1: field \"name\" is missing\n"},
    {"budget with a clause", APPS, "use_cases:",
     "budgets: [ { clause: CAP-MONTH, name: B, unit: post, most: 1, per: month, over: licensee } ]\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:14: budget B: field \"clause\" is not known here: expected one of name, unit, "
     "count, most, per, over, endpoints, flow, purposes, recipients_of, product, app, set_by\n"},
    {"budget set by others", APPS, "use_cases:",
     "budgets: [ { name: B, set_by: them, unit: post, most: 1, per: month, over: licensee } ]\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:31: budget B: set_by \"them\": expected us\n"},
    {"budget unit", APPS,
     "use_cases:", "budgets: [ { name: B, unit: article, most: 1, per: month, over: licensee } ]\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:29: budget B: no version's catalogue counts unit \"article\" at any endpoint: "
     "the budget can never bind\n"},
    {"budget endpoint", APPS, "use_cases:",
     "budgets: [ { name: B, unit: post, most: 1, per: month, over: licensee, endpoints: [nowhere] } ]\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:29: budget B: no version's catalogue counts unit \"post\" at the endpoints it "
     "names: the budget can never bind\n"},
    {"budget product", APPS, "use_cases:",
     "budgets: [ { name: B, unit: post, most: 1, per: month, over: licensee, product: Page } ]\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:81: budget B: product \"Page\": no app feeds it: the budget can never bind\n"},
    {"budget app", APPS,
     "use_cases:", "budgets: [ { name: B, unit: post, most: 1, per: month, over: licensee, app: page } ]\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:77: budget B: app \"page\" is not among the apps: the budget can never bind\n"},
    {"budget concurrent", APPS,
     "use_cases:", "budgets: [ { name: B, unit: byte, most: 1, per: concurrent, over: licensee } ]\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:9:49: budget B: per \"concurrent\" of unit \"byte\": expected unit request; what "
     "is under way at once are requests\n"},
    {"budgets on one counter", APPS, "use_cases:",
     "budgets:\n  - { name: B, unit: post, most: 1, per: month, over: licensee }\n  - { name: B, unit: post, most: 2, "
     "per: month, over: licensee, product: Pages }\nuse_cases:",
     "agreements/M-2022-7/apps.yaml:11:5: budget B: a second budget with this name, unit post, per month and over "
     "licensee (line 10): they would share one counter; give it a name of its own\n"},
    {"too many budgets", APPS, "use_cases:",
     "budgets:\n  - { name: B-0, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-1, unit: request, "
     "most: 1, per: month, over: licensee }\n  - { name: B-2, unit: request, most: 1, per: month, over: licensee }\n  "
     "- { name: B-3, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-4, unit: request, most: 1, "
     "per: month, over: licensee }\n  - { name: B-5, unit: request, most: 1, per: month, over: licensee }\n  - { name: "
     "B-6, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-7, unit: request, most: 1, per: month, "
     "over: licensee }\n  - { name: B-8, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-9, unit: "
     "request, most: 1, per: month, over: licensee }\n  - { name: B-10, unit: request, most: 1, per: month, over: "
     "licensee }\n  - { name: B-11, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-12, unit: "
     "request, most: 1, per: month, over: licensee }\n  - { name: B-13, unit: request, most: 1, per: month, over: "
     "licensee }\n  - { name: B-14, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-15, unit: "
     "request, most: 1, per: month, over: licensee }\nuse_cases:",
     "agreements/M-2022-7/2022-10-10.yaml:15:5: 17 limits bind every request: expected at most 16\n"},
    {"too many with a product's", APPS, "use_cases:",
     "budgets:\n  - { name: B-0, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-1, unit: request, "
     "most: 1, per: month, over: licensee }\n  - { name: B-2, unit: request, most: 1, per: month, over: licensee }\n  "
     "- { name: B-3, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-4, unit: request, most: 1, "
     "per: month, over: licensee }\n  - { name: B-5, unit: request, most: 1, per: month, over: licensee }\n  - { name: "
     "B-6, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-7, unit: request, most: 1, per: month, "
     "over: licensee }\n  - { name: B-8, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-9, unit: "
     "request, most: 1, per: month, over: licensee }\n  - { name: B-10, unit: request, most: 1, per: month, over: "
     "licensee }\n  - { name: B-11, unit: request, most: 1, per: month, over: licensee }\n  - { name: B-12, unit: "
     "request, most: 1, per: month, over: licensee }\n  - { name: P, unit: request, most: 1, per: day, over: licensee, "
     "product: Pages }\n  - { name: A, unit: request, most: 1, per: day, over: licensee, app: feed }\nuse_cases:",
     "agreements/M-2022-7/2022-10-10.yaml:15:5: 17 limits, with those of a product and of an app, bind one request: "
     "expected at most 16\n"},
