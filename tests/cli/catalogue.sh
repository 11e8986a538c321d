#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The catalogues we ship against recorded pages: the endpoint that a request matches counts, by licet count, what a plain
# JSON parser finds at the same place, and ids agree. Without the recorded pages, pages of the same shapes are made.
. "$(dirname "${BASH_SOURCE[0]}")/cases.bash"
data=$(realpath -m "${LICET_TEST_DATA:-$root/../shared/data}")/01-api-json
cat >"$work/pages.py" <<'END'
import json, os, re, subprocess, sys

licet, root, data = sys.argv[1:4]
rc = 0


def endpoints(name):
    """id, count and ids of each endpoint, from the text of a catalogue as we write them."""
    text = re.sub(r",\n\s+", ", ", open(f"{root}/catalogue/{name}.yaml").read())
    for block in re.split(r"\n  - ", text)[1:]:
        fields = {k: dict(re.findall(r'([\w-]+): "(\$[^"]*)"', v)) for k, v in re.findall(r"^ {4}(count|ids): +\{(.*?) \}$", block, re.M)}
        yield re.match(r"id: (\S+)", block)[1], fields.get("count", {}), fields.get("ids", {})


CATALOGUES = {name: {e[0]: e[1:] for e in endpoints(name)} for name in ("x-api-v2@2022-10-10", "mastodon@2023-01-01")}


def at(value, path):
    """What the path counts, and the values it leads to: written from the words of the manual."""
    found = [value]
    for step in path.split(".")[1:]:
        flat = []
        for v in found:
            todo = [v]
            while todo:
                v = todo.pop(0)
                if isinstance(v, list):
                    todo = v + todo
                elif isinstance(v, dict) and step in v:
                    flat.append(v[step])
        found = flat
    return sum(len(v) if isinstance(v, list) else 1 if isinstance(v, dict) else 0 for v in found), found


def endpoint_of(site, request):
    out = subprocess.run([licet, "explain", site, "--app", "app-1", "--request", request, "--json"], capture_output=True, text=True)
    return json.loads(out.stdout)["facts"]["endpoint"]


def judge(name, request, expected, bodies):
    global rc
    faults, units = [], {}
    site = name.split("@")[0]
    endpoint = endpoint_of(site, request)
    if endpoint != expected:
        faults.append(f"matches {endpoint}, expected {expected}")
    counts, ids = CATALOGUES[name].get(endpoint, ({}, {}))
    for body in bodies if counts else []:
        arguments = []
        for unit, path in counts.items():
            arguments += ["--unit", f"{unit}={path}"] + (["--id", ids[unit]] if unit in ids else [])
        got = subprocess.run([licet, "count", *arguments, "--json"], input=body, capture_output=True)
        told = json.loads(got.stdout) if got.returncode == 0 else {"units": {}, "unmetered": [got.stderr.decode()]}
        truth = {unit: at(json.loads(body), path)[0] for unit, path in counts.items()}
        if told["units"] != truth or told["unmetered"]:
            faults.append(f"counts {told['units']} {told['unmetered']}, expected {truth}")
        for unit, n in truth.items():
            units[unit] = units.get(unit, 0) + n
    words = ", ".join(f"{n} {unit}" for unit, n in units.items() if n) or "nothing counts"
    print(f"{'FAILED' if faults else 'ok    '}  {site}: {request} is {expected}: {len(bodies)} pages, {words}" + "".join("\n        " + f for f in faults[:5]))
    rc |= bool(faults)


X = {  # recorded file: request, endpoint
    "tweet/tweet_resp": ("GET /2/tweets/1", "tweet"), "tweet/tweets_resp": ("GET /2/tweets?ids=1,2", "tweets"),
    "searches/search_tweets_query": ("GET /2/tweets/search/recent?query=x", "search-recent"),
    "searches/search_tweets_for_nyc": ("GET /2/tweets/search/all?query=x", "search-all"),
    "tweet/tweets_counts_recent_resp": ("GET /2/tweets/counts/recent", "counts-recent"),
    "tweet/tweets_counts_all_resp": ("GET /2/tweets/counts/all", "counts-all"),
    "timeline/timeline_tweets": ("GET /2/users/1/tweets", "user-tweets"),
    "timeline/timeline_mentions": ("GET /2/users/1/mentions", "user-mentions"),
    "timeline/timeline_reverse_chronological": ("GET /2/users/1/timelines/reverse_chronological", "home-timeline"),
    "tweet/tweet_quote_tweets_resp": ("GET /2/tweets/1/quote_tweets", "quote-tweets"),
    "tweet/tweet_retweet_tweets_resp": ("GET /2/tweets/1/retweets", "retweets"),
    "user/user_liked_tweets_resp": ("GET /2/users/1/liked_tweets", "liked-tweets"),
    "tweet/tweet_liking_users_resp": ("GET /2/tweets/1/liking_users", "liking-users"),
    "tweet/tweet_retweed_users_resp": ("GET /2/tweets/1/retweeted_by", "retweeted-by"),
    "user/user_resp": ("GET /2/users/1", "user"), "user/users_resp": ("GET /2/users?ids=1,2", "users"),
    "user/me_resp": ("GET /2/users/me", "me"), "user/search_users_resp": ("GET /2/users/search?query=x", "users-search"),
    "user/followers_resp": ("GET /2/users/1/followers", "followers"), "user/following_resp": ("GET /2/users/1/following", "following"),
    "user/blocking_users_list_resp": ("GET /2/users/1/blocking", "blocking"), "user/muting_resp": ("GET /2/users/1/muting", "muting"),
    "lists/list_resp": ("GET /2/lists/1", "list"), "lists/user_lists_resp": ("GET /2/users/1/owned_lists", "owned-lists"),
    "lists/user_memberships_lists_resp": ("GET /2/users/1/list_memberships", "list-memberships"),
    "lists/user_followed_lists_resp": ("GET /2/users/1/followed_lists", "followed-lists"),
    "lists/user_pinned_lists_resp": ("GET /2/users/1/pinned_lists", "pinned-lists"),
    "lists/list_tweets_resp": ("GET /2/lists/1/tweets", "list-tweets"), "lists/list_members_resp": ("GET /2/lists/1/members", "list-members"),
    "lists/list_followers_resp": ("GET /2/lists/1/followers", "list-followers"),
    "space/space_resp": ("GET /2/spaces/1", "space"), "space/spaces_resp": ("GET /2/spaces?ids=1,2", "spaces"),
    "space/spaces_by_creators": ("GET /2/spaces/by/creator_ids?user_ids=1", "spaces-by-creators"),
    "space/spaces_search_resp": ("GET /2/spaces/search?query=x", "spaces-search"),
    "space/tweets_by_space": ("GET /2/spaces/1/tweets", "space-tweets"), "space/buyers_by_space": ("GET /2/spaces/1/buyers", "space-buyers"),
    "tweet/tweets_by_user_bookmark": ("GET /2/users/1/bookmarks", "bookmarks"), "dm_events/events": ("GET /2/dm_events", "dm-events"),
    "dm_events/events_by_participant": ("GET /2/dm_conversations/with/1/dm_events", "dm-events-with"),
    "dm_events/events_by_conversation": ("GET /2/dm_conversations/1-2/dm_events", "dm-events-of"),
    "trends/trends_resp": ("GET /2/trends/by/woeid/1", "trends"), "usage/usage_tweets_resp": ("GET /2/usage/tweets", "usage"),
    "compliance_jobs/jobs_resp": ("GET /2/compliance/jobs", "compliance-jobs"),
}
MADE = [b'{"data":{"id":"1","text":"a \\"data\\":[{}]"},"includes":{"users":[{"id":"2"}]}}',
        b'{"data":[{"id":"1700000000000000001"},{"id":"1700000000000000002"}],"includes":{"users":[{"id":"2"}],"tweets":[{"id":"3"}]},"meta":{"result_count":2}}',
        b'{"meta":{"result_count":0}}', b'{"errors":[{"title":"Not Found Error"}],"data":[]}']
folder = f"{data}/x-v2/python-twitter/apis"
for name, (request, endpoint) in X.items():
    file = f"{folder}/{name}.json"
    judge("x-api-v2@2022-10-10", request, endpoint, [open(file, "rb").read()] if os.path.exists(file) else MADE)

MASTODON = [  # endpoint, path as recorded, a request to it
    ("status", r"/api/v1/statuses/\d+", "GET /api/v1/statuses/1"), ("status-context", r"/api/v1/statuses/\d+/context", "GET /api/v1/statuses/1/context"),
    ("status-reblogged-by", r"/api/v1/statuses/\d+/reblogged_by", "GET /api/v1/statuses/1/reblogged_by"),
    ("timeline-home", "/api/v1/timelines/home", "GET /api/v1/timelines/home"), ("timeline-public", "/api/v1/timelines/public", "GET /api/v1/timelines/public"),
    ("timeline-tag", r"/api/v1/timelines/tag/\w+", "GET /api/v1/timelines/tag/x"), ("account-statuses", r"/api/v1/accounts/\d+/statuses", "GET /api/v1/accounts/1/statuses"),
    ("favourites", "/api/v1/favourites", "GET /api/v1/favourites"), ("bookmarks", "/api/v1/bookmarks", "GET /api/v1/bookmarks"),
    ("search", "/api/v2/search", "GET /api/v2/search?q=x"), ("notifications", "/api/v1/notifications", "GET /api/v1/notifications"),
    ("notification", r"/api/v1/notifications/\d+", "GET /api/v1/notifications/1"), ("notifications-grouped", "/api/v2/notifications", "GET /api/v2/notifications"),
    ("account", r"/api/v1/accounts/\d+", "GET /api/v1/accounts/1"), ("account-lookup", "/api/v1/accounts/lookup", "GET /api/v1/accounts/lookup?acct=x"),
    ("account-self", "/api/v1/accounts/verify_credentials", "GET /api/v1/accounts/verify_credentials"),
    ("followers", r"/api/v1/accounts/\d+/followers", "GET /api/v1/accounts/1/followers"), ("following", r"/api/v1/accounts/\d+/following", "GET /api/v1/accounts/1/following"),
    ("account-search", "/api/v1/accounts/search", "GET /api/v1/accounts/search?q=x"), ("conversations", "/api/v1/conversations/?", "GET /api/v1/conversations"),
    ("list-accounts", r"/api/v1/lists/\d+/accounts", "GET /api/v1/lists/1/accounts"), ("trending-tags", "/api/v1/trends/tags", "GET /api/v1/trends/tags"),
    ("trending-links", "/api/v1/trends/links", "GET /api/v1/trends/links"), ("directory", "/api/v1/directory", "GET /api/v1/directory"),
    ("endorsements", "/api/v1/endorsements", "GET /api/v1/endorsements"), ("blocks", "/api/v1/blocks", "GET /api/v1/blocks"),
    ("follow-requests", "/api/v1/follow_requests", "GET /api/v1/follow_requests"), ("instance-v2", "/api/v2/instance/?", "GET /api/v2/instance"),
]
recorded = []
if os.path.exists(f"{data}/exchanges/mastodon.jsonl"):
    for line in open(f"{data}/exchanges/mastodon.jsonl", encoding="utf-8"):
        e = json.loads(line)
        if e["method"] == "GET" and e["status"] == 200:
            body = e.get("body") if "body" in e else e.get("resp_body")
            recorded.append((re.sub(r"^https?://[^/]*|\?.*$", "", e["uri"]), body))
LIST = b'[{"id":"1","content":"<p>a</p>"},{"id":"2","reblog":{"id":"3"}}]'
for endpoint, path, request in MASTODON:
    bodies = [b if isinstance(b, bytes) else b.encode() for p, b in recorded if re.fullmatch(path, p) and b]
    judge("mastodon@2023-01-01", request, endpoint, bodies or [LIST if not recorded else b"[]"])
sys.exit(rc)
END
for name in x-api-v2 mastodon; do
    "$licet" init "$name" --upstream http://127.0.0.1:9000 --catalogue "$name" >/dev/null
done
echo "# used: $([ -d "$data" ] && echo recorded pages || echo pages made here)"
python3 "$work/pages.py" "$licet" "$root" "$data" || rc=1
exit $rc
