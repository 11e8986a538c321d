#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""catalogue_pages.py LICET ROOT DATA: the catalogues of ROOT/catalogue against pages, by licet count --catalogue; see catalogue.sh.

The truth is a plain JSON parser. Where nothing was recorded pages of the same shapes are made, and what they count is written
beside them.
"""
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading

licet, root, data = sys.argv[1:4]
seed = int(os.environ.get("LICET_SEED") or random.randrange(1 << 32))
cuts = random.Random(seed)
rc = 0
NAMES = ("x-api-v2@2022-10-10", "mastodon@2023-01-01", "reddit@2023-07-01", "stack-exchange@2023-01-01")


def endpoints(name):
    """id; match, count and ids of each endpoint, from the text of a catalogue as we write them."""
    text = re.sub(r",\n\s+", ", ", open(f"{root}/catalogue/{name}.yaml").read())
    for block in re.split(r"\n  - ", text)[1:]:
        fields = {k: dict(re.findall(r'([\w-]+): "(\$[^"]*)"', v)) for k, v in re.findall(r"^ {4}(count|ids): +\{(.*?) \}$", block, re.M)}
        yield re.match(r"id: (\S+)", block)[1], (re.search(r"match: (.*)", block)[1], fields.get("count", {}), fields.get("ids", {}))


CATALOGUES = {name: dict(endpoints(name)) for name in NAMES}


def at(value, path):
    """What the path counts, and the ids it leads to: written from the words of docs/format/paths.md. Numbers are texts."""
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
    ids = [i for v in found for i in (v if isinstance(v, list) else [v]) if isinstance(i, str)]
    return sum(len(v) if isinstance(v, list) else 1 if isinstance(v, dict) else 0 for v in found), ids


def feed(out, pieces):
    for piece in pieces:
        out.send(piece)
    out.shutdown(socket.SHUT_WR)


def counted(name, request, pieces):
    """What licet count says of a body that comes in these pieces, a read each: the socket keeps messages apart."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [licet, "count", "--catalogue", name, "--request", request, "--json"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        theirs.close()
        writer = threading.Thread(target=feed, args=(ours, pieces))
        writer.start()
        out, err = process.communicate()
        writer.join()
        ours.close()
    return json.loads(out) if process.returncode == 0 else {"endpoint": None, "units": {}, "ids": {}, "unmetered": [err.decode()]}


def ways(body):
    """Whole (as far as a message holds it), a byte at a time, at random places."""
    yield "whole", [body[i:i + 32768] for i in range(0, len(body), 32768)]
    if len(body) <= 6000:
        yield "by bytes", [body[i:i + 1] for i in range(len(body))]
    places = sorted({0, len(body), *(cuts.randrange(len(body) + 1) for _ in range(40)), *range(0, len(body), 30000)})
    yield "cut", [body[a:b] for a, b in zip(places, places[1:])]


def judge(name, request, expected, bodies, most=None, units=None):
    """bodies: as the platform would answer request; units: what they count together, where a table says it; most: what is reserved."""
    global rc
    faults, sums = [], {}
    count, ids = CATALOGUES[name][expected][1:]
    for body in bodies:
        value = json.loads(body, parse_int=str, parse_float=str)
        truth = {unit: at(value, path)[0] for unit, path in count.items()}
        told = {unit: at(value, path)[1] for unit, path in ids.items()}
        told = {unit: {"total": len(found), "distinct": len(set(found))} for unit, found in told.items()}
        for way, pieces in ways(body):
            got = counted(name, request, pieces)
            if got["endpoint"] != expected:
                faults.append(f"matches {got['endpoint']}, expected {expected} {got['unmetered']}")
                break
            if got["units"] != truth or got["ids"] != told or got["unmetered"]:
                faults.append(f"{way}: counts {got['units']} {got['ids']} {got['unmetered']}, expected {truth} {told}")
            if most is not None and got["reserved"] != most:
                faults.append(f"reserves {got['reserved']}, expected {most}")
            if not count:
                break
        for unit, n in truth.items():
            sums[unit] = sums.get(unit, 0) + n
    sums = {unit: n for unit, n in sums.items() if n}
    if units is not None and sums != units:
        faults.append(f"the pages hold {sums}, expected {units}")
    words = ", ".join(f"{n} {unit}" for unit, n in sums.items()) or "nothing counts"
    print(f"{'FAILED' if faults else 'ok    '}  {name.split('@')[0]}: {request} is {expected}: {len(bodies)} pages, {words}" + "".join("\n        " + f for f in faults[:5]))
    rc |= bool(faults)


def each_endpoint(name):
    """No endpoint stands in another's way: what each matches is itself."""
    global rc
    faults = []
    for id, (match, _, _) in CATALOGUES[name].items():
        request = re.sub(r"\{(\w+)\}", r"a\1", match)
        out = subprocess.run([licet, "count", "--catalogue", name, "--request", request, "--json"], input=b"{}", capture_output=True)
        got = json.loads(out.stdout).get("endpoint") if out.stdout else out.stderr.decode()
        if got != id:
            faults.append(f"{request} is {got}, expected {id}")
    print(f"{'FAILED' if faults else 'ok    '}  {name}: {len(CATALOGUES[name])} endpoints, each matches its own requests" + "".join("\n        " + f for f in faults[:5]))
    rc |= bool(faults)


for name in NAMES:
    each_endpoint(name)

# ---- X v2 and Mastodon: recorded pages ------------------------------------------------------------------------------------
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

# ---- Reddit: Listings made as they are published --------------------------------------------------------------------------
NOISE = '"children":[{"kind":"t3"}] \\ \u2028 é 🌧'


def thing(kind, i, **more):
    return {"kind": kind, "data": {"id": f"{i:x}", "name": f"{kind}_{i:x}", "body": NOISE, "created_utc": 1688169600.0, "gildings": {}, "edited": False} | more}


def more_of(ids, depth=0):
    """What Reddit leaves out; without ids the thread continues on another page."""
    return {"kind": "more", "data": {"count": len(ids), "name": f"t1_{ids[0] if ids else '_'}", "id": ids[0] if ids else "_", "parent_id": "t3_1", "depth": depth, "children": ids}}


def listed(children):
    return {"kind": "Listing", "data": {"after": None, "dist": len(children), "modhash": "", "children": children, "before": None}}


def posts(n, start=1000):
    return listed([thing("t3", start + i, title=f"a {i}", media_embed={}, preview={"images": [{"source": {}}]}) for i in range(n)])


def comment(i, replies=""):
    return thing("t1", i, replies=replies, link_id="t3_1", parent_id="t3_1")


# A post; three comments and a "more"; two replies and a "more" under the first, one under the third; below the first reply two
# levels that do not count.
DEEP = listed([comment(90, listed([comment(91), more_of([], 4)]))])
THREAD = [posts(1), listed([comment(10, listed([comment(20, DEEP), comment(21), more_of(["aa", "bb"], 1)])), comment(11), comment(12, listed([comment(30)])), more_of(["cc"])])]
FORBIDDEN = {"message": "Forbidden", "error": 403}
REDDIT = [  # request, endpoint, pages, what they count together, what is reserved for each
    ("GET /r/rain/new?limit=50", "subreddit-new", [posts(50), posts(0), FORBIDDEN], {"post": 50}, {"post": 50}),
    ("GET /r/rain/new.json?limit=1000", "subreddit-new-json", [posts(100)], {"post": 100}, {"post": 100}),
    ("GET /hot?raw_json=1", "hot", [posts(25), posts(3)], {"post": 28}, {"post": 25}),
    ("GET /r/rain/comments/15bfi0?depth=2", "subreddit-article", [THREAD], {"thing": 1 + 3 + 1, "reply": 3 + 1}, {"thing": 1, "reply": 1}),
    ("GET /comments/15bfi0/", "comments-slash", [THREAD, [posts(1), listed([])]], {"thing": 6, "reply": 4}, {"thing": 1, "reply": 1}),
    ("GET /r/rain/comments?limit=5", "subreddit-comments", [listed([comment(i) for i in range(5)])], {"comment": 5}, {"comment": 5}),
    ("GET /user/rain/overview", "user-overview", [listed([thing("t3", 1), comment(1), thing("t3", 2)])], {"thing": 3}, {"thing": 25}),
    ("GET /user/rain/about", "user-about", [{"kind": "t2", "data": {"id": "1w72", "name": "rain", "subreddit": {"name": "t5_x"}}}], {"user": 1}, {"user": 1}),
    ("GET /api/info?id=t3_a,t1_b,t5_c", "info", [listed([thing("t3", 10), thing("t1", 10), thing("t5", 10)])], {"thing": 3}, {"thing": 3}),
    ("GET /api/morechildren?api_type=json&link_id=t3_1&children=aa,bb", "morechildren",
     [{"json": {"errors": [], "data": {"things": [comment(170), comment(187), more_of(["dd"])]}}}], {"thing": 3}, {"thing": 2}),
    ("GET /search?q=rain&type=sr,link", "search", [[listed([thing("t5", 5)]), posts(2)]], {"thing": 3}, {"thing": 25}),
    ("GET /duplicates/15bfi0", "duplicates", [[posts(1), posts(4, 2000)]], {"post": 5}, {"post": 101}),
    ("GET /subreddits/search?q=rain", "subreddits-search", [listed([thing("t5", 1), thing("t5", 2)])], {"subreddit": 2}, {"subreddit": 25}),
    ("GET /r/rain/about/moderators", "subreddit-moderators", [{"kind": "UserList", "data": {"children": [{"name": "a", "id": "t2_1"}, {"name": "b", "id": "t2_2"}]}}], {"user": 2}, {"user": 25}),
    ("GET /api/v1/me", "me", [{"id": "1w72", "name": "rain", "features": {"a": []}}], {"user": 1}, {"user": 1}),
    ("POST /api/vote", "vote", [{}, {"json": {"errors": [["RATELIMIT", "you are doing that too much", "ratelimit"]]}}], {}, {}),
]

# ---- Stack Exchange: the wrapper ------------------------------------------------------------------------------------------
OWNER = {"user_id": 7, "reputation": 1, "user_type": "registered", "display_name": 'a "items":[{}]'}
THROTTLED = {"error_id": 502, "error_message": "too many requests from this IP, more requests available in 79 seconds", "error_name": "throttle_violation"}


def wrapped(items, **more):
    return {"items": items, "has_more": False, "quota_max": 10000, "quota_remaining": 9989} | more


def remarks(start, n):
    return [{"comment_id": start + i, "owner": OWNER, "post_id": 1, "body": "rain"} for i in range(n)]


def answers(start, n):
    return [{"answer_id": start + i, "question_id": 1, "owner": OWNER, "comments": remarks(10 * (start + i), 2)} for i in range(n)]


def questions(n, **more):
    return [{"question_id": 11227809 + i, "tags": ["c", "performance"], "owner": OWNER, "answer_count": 3, "is_answered": True} | more for i in range(n)]


WITH = {"answer": 1, "comment": 1, "answer-comment": 1}
EXCHANGE = [
    ("GET /2.3/questions?site=stackoverflow&pagesize=7", "questions", [wrapped(questions(7), has_more=True, backoff=10), THROTTLED, {"total": 24013478}], {"question": 7}, {"question": 7} | WITH),
    ("GET /2.3/questions/1;2?site=stackoverflow", "questions-by-ids", [wrapped(questions(1, answers=answers(100, 3), comments=remarks(1, 4)) + questions(1))],
     {"question": 2, "answer": 3, "comment": 4, "answer-comment": 6}, {"question": 30} | WITH),
    ("GET /2.3/questions/1/answers?pagesize=100", "questions-answers", [wrapped(answers(1, 5))], {"answer": 5, "comment": 10}, {"answer": 100, "comment": 1}),
    ("GET /2.3/search/excerpts?q=rain", "search-excerpts", [wrapped([{"item_type": "question", "question_id": 1}, {"item_type": "answer", "question_id": 1, "answer_id": 2}])], {"excerpt": 2}, {"excerpt": 30}),
    ("GET /2.3/users/7;8?site=stackoverflow", "users-by-ids", [wrapped([{"user_id": 7, "badge_counts": {"bronze": 1}}, {"user_id": 8}])], {"user": 2}, {"user": 30}),
    ("GET /2.3/tags/c/top-answerers/all_time", "tag-top-answerers", [wrapped([{"score": 3, "post_count": 1, "user": OWNER}])], {"user": 1}, {"user": 30}),
    ("GET /2.3/comments", "comments", [wrapped(remarks(1, 30))], {"comment": 30}, {"comment": 30}),
    ("GET /2.3/tags?pagesize=500", "tags", [wrapped([{"name": "c", "count": 1}, {"name": "c++", "count": 2}])], {"tag": 2}, {"tag": 100}),
    ("GET /2.3/posts/1/revisions", "posts-revisions", [wrapped([{"revision_guid": "D9CE1EB8-5D5A-4B1E-9D5C-0A6B3E3A1F00", "revision_number": 1}])], {"revision": 1}, {"revision": 30}),
    ("GET /2.3/users/7/reputation-history", "users-reputation-history", [wrapped([{"reputation_change": 10}, {"reputation_change": -2}])], {"activity": 2}, {"activity": 30}),
    ("GET /2.3/sites", "sites", [wrapped([{"api_site_parameter": "stackoverflow"}])], {}, {}),
]
for name, cases in (("reddit@2023-07-01", REDDIT), ("stack-exchange@2023-01-01", EXCHANGE)):
    for request, endpoint, pages, units, most in cases:
        judge(name, request, endpoint, [json.dumps(page, ensure_ascii=False).encode() for page in pages], most, units)
print(f"# seed {seed}")
sys.exit(rc)
