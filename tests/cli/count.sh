#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# licet count, from the outside: what it prints, to the byte, and how it exits.
# usage: count.sh LICET; prints a line per case, exits non-zero when one failed.
set -u
licet=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder" || exit 2
failed=0

# check NAME EXIT COMMAND...: runs it, compares exit code, out and err with the files expect_out and expect_err.
check() {
  name=$1 code=$2
  shift 2
  "$@" >out 2>err </dev/null
  got=$?
  if [ "$got" = "$code" ] && cmp -s out expect_out && cmp -s err expect_err; then
    echo "ok      $name"
  else
    echo "FAILED  $name: exit $got, expected $code"
    diff expect_out out | sed 's/^/        out: /'
    diff expect_err err | sed 's/^/        err: /'
    failed=1
  fi
  : >expect_out
  : >expect_err
}
: >expect_out
: >expect_err

printf '%s' '{"data":[{"id":"1","text":"a"},{"id":"2"}],"includes":{"users":[{"id":"7"}]}}' >search.json
printf '%s' '{"data":{"id":"1"}}' >lookup.json
printf '%s\n\n%s\r\n' '{"data":{"id":"3"}}' '{"data":{"id":"1"}}' >stream.ndjson
printf '%s' '{"data":[{"id":"1"},{}]}' >differ.json
printf '%s' '{"data":[1,2,' >cut.json
printf '%s' '{"data":[1],"data":[1]}' >twice.json
printf '\037\213\010\000' >page.gz
printf '\357\273\277{}' >bom.json
: >empty.json

cat >expect_out <<'END'
file         documents  bytes  post
lookup.json          1     19     1
END
check 'one file' 0 "$licet" count --unit 'post=$.data' lookup.json

cat >expect_out <<'END'
file           documents  bytes  post  user
search.json            1     77     2     1
lookup.json            1     19     1     0
stream.ndjson          2     42     2     0
total                  4    138     5     1
ids of post: 5, 3 distinct
END
check 'several files and units' 0 "$licet" count --unit 'post=$.data' --id '$.data.id' --unit 'user=$.includes.users' \
  search.json lookup.json stream.ndjson

echo '{"documents":1,"units":{"post":2,"user":1},"ids":{"post":{"total":2,"distinct":2}},"bytes":77,"unmetered":[]}' >expect_out
check 'json' 0 "$licet" count --json --unit 'post=$.data' --id '$.data.id' --unit 'user=$.includes.users' search.json

echo '{"documents":1,"units":{"post":2},"ids":{},"bytes":77,"unmetered":[]}' >expect_out
check 'json without ids' 0 "$licet" count --json --unit 'post=$.data' search.json

echo '{"documents":4,"units":{"post":5},"ids":{"post":{"total":5,"distinct":3}},"bytes":138,"unmetered":[]}' >expect_out
check 'json of several files' 0 "$licet" count --unit='post=$.data' --id='$.data.id' search.json lookup.json stream.ndjson --json

cat >expect_out <<'END'
file              documents  bytes  post
(standard input)          1     77     2
END
check 'standard input' 0 sh -c "'$licet' count --unit 'post=\$.data' <search.json"

cat >expect_out <<'END'
file              documents  bytes  post
lookup.json               1     19     1
(standard input)          1     77     2
total                     2     96     3
END
check 'a dash' 0 sh -c "'$licet' count --unit 'post=\$.data' lookup.json - <search.json"

cat >expect_out <<'END'
file         documents  bytes  post
differ.json          1     24     2
ids of post: 1, 1 distinct
unmetered: differ.json, byte 24: ids-differ: 2 of post, but 1 ids, up to here
END
check 'ids differ' 0 "$licet" count --unit 'post=$.data' --id '$.data.id' differ.json

echo '{"documents":1,"units":{"post":2},"ids":{"post":{"total":1,"distinct":1}},"bytes":24,"unmetered":[{"reason":"ids-differ","file":"differ.json","offset":24,"unit":"post","count":2,"ids":1}]}' >expect_out
check 'ids differ, json, strict' 1 "$licet" count --unit 'post=$.data' --id '$.data.id' --strict --json differ.json

cat >expect_out <<'END'
file         documents  bytes  post
cut.json             0     13     2
twice.json           0     23     1
page.gz              0      4     0
bom.json             0      5     0
empty.json           0      0     0
search.json          1     77     2
total                1    122     5
unmetered: cut.json, byte 13: incomplete: it ends inside a document
unmetered: twice.json, byte 12: duplicate-key: this member of a path of post stands there for the second time
unmetered: page.gz, byte 0: malformed: not JSON from here on; it is compressed by gzip, decompress it first
unmetered: bom.json, byte 0: malformed: not JSON from here on; it begins with a byte order mark, which JSON does not have
unmetered: empty.json, byte 0: empty: no document
END
check 'unmetered, strict' 1 "$licet" count --strict --unit 'post=$.data' cut.json twice.json page.gz bom.json empty.json search.json

echo '{"documents":0,"units":{"post":1},"ids":{},"bytes":23,"unmetered":[{"reason":"duplicate-key","file":"twice.json","offset":12,"unit":"post"}]}' >expect_out
check 'duplicate, json' 0 "$licet" count --json --unit 'post=$.data' twice.json

echo '{"documents":2,"units":{"post":2},"ids":{},"bytes":42,"unmetered":[]}' >expect_out
check 'format ndjson' 0 "$licet" count --json --format ndjson --unit 'post=$.data' stream.ndjson

echo '{"documents":1,"units":{"post":1},"ids":{},"bytes":42,"unmetered":[{"reason":"malformed","file":"stream.ndjson","offset":21}]}' >expect_out
check 'format json' 0 "$licet" count --json --format json --unit 'post=$.data' stream.ndjson

cp search.json "$(printf 'odd"\377.json')"
echo '{"documents":1,"units":{"post":2},"ids":{},"bytes":154,"unmetered":[{"reason":"malformed","file":"odd\"?.json","offset":77}]}' >expect_out
cat search.json search.json >"$(printf 'odd"\377.json')"
check 'a name that is no UTF-8' 0 "$licet" count --json --unit 'post=$.data' "$(printf 'odd"\377.json')"

cat >expect_err <<'END'
licet count: path "$.data[0]": byte 7: an index is not supported; expected .name or ['name']
  --unit post=$.data[0]
                     ^
END
check 'a path that is refused' 2 "$licet" count --unit 'post=$.data[0]' search.json

cat >expect_err <<'END'
licet count: path "$.é.": byte 5: expected a name after the dot
  --id $.é.
           ^
END
check 'ids that are refused' 2 "$licet" count --unit 'post=$.data' --id '$.é.' search.json

echo 'licet count: missing.json: cannot open: No such file or directory' >expect_err
check 'a missing file' 2 "$licet" count --unit 'post=$.data' search.json missing.json

echo 'licet count: .: cannot read: Is a directory' >expect_err
check 'a folder' 2 "$licet" count --unit 'post=$.data' .

echo 'licet count: more than 2 distinct ids; --max-ids raises the ceiling' >expect_err
check 'the ceiling of ids' 2 "$licet" count --max-ids 2 --unit 'post=$.data' --id '$.data.id' search.json stream.ndjson

misuse() {
  name=$1
  printf 'licet count: %s\nsee licet count --help\n' "$2" >expect_err
  shift 2
  check "$name" 2 "$licet" count "$@"
}
misuse 'no unit' "nothing to count: expected --unit NAME=PATH such as --unit post='\$.data'" search.json
misuse 'a unit without a name' '--unit $.data: expected NAME=PATH with a NAME of at most 32 letters, digits, . _ -' --unit '$.data'
misuse 'a unit twice' '--unit a=$.b: unit a stands there twice' --unit 'a=$' --unit 'a=$.b'
misuse 'nine units' '--unit i=$: at most 8 units are counted at once' --unit 'a=$' --unit 'b=$' --unit 'c=$' --unit 'd=$' \
  --unit 'e=$' --unit 'f=$' --unit 'g=$' --unit 'h=$' --unit 'i=$'
misuse 'ids without a unit' '--id $.id: no --unit before it' --id '$.id'
misuse 'ids twice' '--id $.x: unit a has --id $.id already' --unit 'a=$' --id '$.id' --id '$.x'
misuse 'event streams' '--format sse: event streams are counted by a later version; expected auto, json or ndjson' \
  --unit 'a=$' --format sse
misuse 'another format' '--format xml: expected auto, json or ndjson' --format xml
misuse 'a catalogue without a request' \
  "--request is missing: expected the request that was answered, such as 'GET /2/tweets?ids=1,2'" --catalogue x-api-v2 search.json
misuse 'a request without a catalogue' '--catalogue is missing: expected one, such as x-api-v2' --request 'GET /2/tweets' search.json
misuse 'a catalogue and a unit' '--unit and --catalogue: expected either of them' --unit 'a=$' --catalogue x-api-v2 --request 'GET /2/tweets'
misuse 'suggest and catalogue' '--suggest takes one FILE and no --catalogue' --suggest search.json --catalogue x-api-v2
misuse 'no number' '--max-ids many: expected a number from 1 on' --max-ids many
misuse 'an unknown option' '--colour: no option of this command' --colour
misuse 'an option without its value' '--unit: expected a value after it' --unit
misuse 'suggest and unit' '--suggest takes one FILE and no --unit' --suggest search.json --unit 'a=$'

# ---- by a catalogue ----

cat >mine.yaml <<'END'
units: { post: {}, author: {} }
unlisted: refuse
endpoints:
  - { id: any, match: "GET /2/{kind}/{id}", count: { post: $.data } }
  - id: search
    match: GET /2/posts/search
    count: { post: $.data }
    ids: { post: $.data.id }
    page: { post: { query: max, default: 10, most: 2000 } }
  - id: authors
    match: GET /2/authors
    count: { author: $.includes.users, post: $.data }
    page: { author: { query: ids, items: comma, most: 100 }, post: 1 }
  - { id: figures, match: GET /2/posts/figures }
END

cat >expect_out <<'END'
search: would reserve 100 posts
file         documents  bytes  post
search.json          1     77     2
ids of post: 2, 2 distinct
END
check 'by a catalogue' 0 "$licet" count --catalogue mine.yaml --request 'GET /2/posts/search?q=x&max=100' search.json

echo '{"documents":1,"units":{"post":2},"ids":{"post":{"total":2,"distinct":2}},"bytes":77,"unmetered":[],"endpoint":"search","reserved":{"post":100}}' >expect_out
check 'by a catalogue, json' 0 "$licet" count --json --catalogue ./mine.yaml --request 'GET /2/posts/search?max=100' search.json

cat >expect_out <<'END'
search: would reserve 2,000 posts
file         documents  bytes  post
differ.json          1     24     2
ids of post: 1, 1 distinct
unmetered: differ.json, byte 24: ids-differ: 2 of post, but 1 ids, up to here
END
check 'a page that is no number, ids that differ, strict' 1 "$licet" count --strict --catalogue mine.yaml \
  --request 'GET /2/posts/search?max=all' differ.json

cat >expect_out <<'END'
authors: would reserve 3 authors, 1 post
file           documents  bytes  author  post
search.json            1     77       1     2
stream.ndjson          2     42       0     2
total                  3    119       1     4
END
check 'items of a query, two units, two files' 0 "$licet" count --catalogue mine.yaml --request 'GET /2/authors?ids=1%2C2,3' \
  search.json stream.ndjson

echo '{"documents":1,"units":{"post":1},"ids":{},"bytes":19,"unmetered":[],"endpoint":"any","reserved":{"post":1}}' >expect_out
check 'a placeholder, no page' 0 sh -c "'$licet' count --json --catalogue mine.yaml --request 'GET /2/posts/7' <lookup.json"

echo '{"documents":1,"units":{"post":2},"ids":{"post":{"total":2,"distinct":2}},"bytes":77,"unmetered":[],"endpoint":"search","reserved":{"post":10}}' >expect_out
check 'the most literal one, decoded, HEAD' 0 "$licet" count --json --catalogue mine.yaml --request 'HEAD /2/posts/se%61rch' search.json

echo 'figures: nothing counts there but the request; the gate does not look into the body' >expect_out
check 'an endpoint that counts nothing' 0 "$licet" count --strict --catalogue mine.yaml --request 'GET /2/posts/figures' cut.json

echo '{"documents":0,"units":{},"ids":{},"bytes":13,"unmetered":[],"endpoint":"figures","reserved":{}}' >expect_out
check 'an endpoint that counts nothing, json' 0 "$licet" count --json --catalogue mine.yaml --request 'GET /2/posts/figures' cut.json

echo 'licet count: missing.json: cannot open: No such file or directory' >expect_err
check 'an endpoint that counts nothing, a missing file' 2 "$licet" count --catalogue mine.yaml --request 'GET /2/posts/figures' missing.json

echo 'licet count: mine.yaml does not list POST /2/authors?x: the gate would refuse it (unlisted: refuse)' >expect_err
check 'an endpoint that is not listed: refuse' 1 "$licet" count --catalogue mine.yaml --request 'POST /2/authors?x' search.json
echo '{"endpoint":null,"unlisted":"refuse"}' >expect_out
check 'an endpoint that is not listed, json' 1 "$licet" count --json --catalogue mine.yaml --request 'GET /2' search.json

echo 'licet count: x-api-v2@2022-10-10 does not list GET /3/x: the gate would pass it on and book what it brings as unmetered (unlisted: record)' >expect_err
check 'an endpoint that is not listed: record' 1 "$licet" count --catalogue x-api-v2 --request 'GET /3/x' search.json

for name in x-api-v2 x-api-v2@2022-10-10; do
  cat >expect_out <<'END'
search-recent: would reserve 100 posts, 1 included-post, 1 user, 1 media, 1 place, 1 poll
file         documents  bytes  post  included-post  user  media  place  poll
search.json          1     77     2              0     1      0      0     0
ids of post: 2, 2 distinct
ids of included-post: 0, 0 distinct
ids of user: 1, 1 distinct
END
  check "one that licet brings along: $name" 0 "$licet" count --catalogue "$name" \
    --request 'GET /2/tweets/search/recent?query=x&max_results=100' search.json
done

# What is told of a request without a site is what licet explain tells of it in one.
agree() {
  python3 - "$licet" "$1" "$root/catalogue/$1.yaml" <<'END'
import json, re, subprocess, sys
licet, name, file = sys.argv[1:]
def told(*arguments):
    run = subprocess.run([licet, *arguments, "--json"], input="{}", capture_output=True, text=True)
    return json.loads(run.stdout or "{}") or run.stderr
requests = [f"{method} {path}?max_results=7&limit=7&ids=1,2,3"
            for method, path in re.findall(r"match: ([A-Z]+) ([^ \n]+)", open(file).read().replace("{", "").replace("}", ""))]
differ = 0 if requests else 1
for request in requests:
    explained = told("explain", "site-" + name, "--app", "app-1", "--request", request)
    counted = told("count", "--catalogue", name, "--request", request)
    reserve = {unit: n for unit, n in explained["reserve"].items() if unit not in ("request", "byte")}
    if (counted["endpoint"], counted["reserved"]) != (explained["facts"]["endpoint"], reserve):
        print(f"{request}: count says {counted}, explain {explained['facts']['endpoint']} {reserve}", file=sys.stderr)
        differ = 1
sys.exit(differ)
END
}
for name in x-api-v2@2022-10-10 mastodon@2023-01-01 reddit@2023-07-01 stack-exchange@2023-01-01; do
  "$licet" init "site-$name" --upstream http://127.0.0.1:9000 --catalogue "$name" >/dev/null
  check "each endpoint of $name as licet explain has it" 0 agree "$name"
done

cat >wrong.yaml <<'END'
units: { post: {} }
unlisted: maybe
endpoints:
  - { id: a, match: GET /a, count: { posts: "$.data[0]" } }
END
cat >expect_err <<'END'
wrong.yaml:2:11: unlisted "maybe": expected record or refuse
wrong.yaml:4:38: endpoint a: count: unit "posts": expected one of this catalogue's units
wrong.yaml:4:53: endpoint a: count: posts "$.data[0]": path "$.data[0]": byte 7: an index is not supported; expected .name or ['name']
3 mistakes
END
check 'mistakes of a catalogue' 1 "$licet" count --catalogue wrong.yaml --request 'GET /a' search.json

: >empty.yaml
echo '{"mistakes":[{"file":"./empty.yaml","line":0,"column":0,"text":"the file is empty"}]}' >expect_out
check 'mistakes of a catalogue, json' 1 "$licet" count --json --catalogue ./empty.yaml --request 'GET /a' search.json

echo 'licet count: missing.yaml: cannot open: No such file or directory' >expect_err
check 'a catalogue that is not there' 2 "$licet" count --catalogue missing.yaml --request 'GET /a' search.json
echo 'licet count: --catalogue "mine": expected one that licet brings along (mastodon@2023-01-01, reddit@2023-07-01, stack-exchange@2023-01-01, x-api-v2@2022-10-10) or the path of a .yaml file' >expect_err
check 'a catalogue nobody knows' 2 "$licet" count --catalogue mine --request 'GET /a' search.json
echo 'licet count: --request "/2/tweets": expected a method, a space and a path such as '"'GET /2/tweets?ids=1,2'" >expect_err
check 'a request without a method' 2 "$licet" count --catalogue mine.yaml --request /2/tweets search.json
echo 'licet count: cannot write the result: No space left on device' >expect_err
check 'a full disk, not listed' 2 sh -c "'$licet' count --json --catalogue mine.yaml --request 'GET /2' search.json >/dev/full"

cat >expect_out <<'END'
post $.data (2) · ids $.data.id (2, equal)
user $.includes.users (1) · ids $.includes.users.id (1, equal)
END
check 'suggest' 0 "$licet" count --suggest search.json

echo '{"suggestions":[{"unit":"post","count":"$.data","units":2,"ids":"$.data.id","ids_total":1,"unmetered":"ids-differ"}]}' >expect_out
check 'suggest, json' 0 "$licet" count --suggest differ.json --json

printf '%s' '{"odd name":{"stories":[{"story_id":5,"x":{"id":1}},{"story_id":6}]}}' >odd.json
echo "story \$['odd name'].stories (2) · ids \$['odd name'].stories.story_id (2, equal)" >expect_out
check 'suggest an odd name' 0 "$licet" count --suggest odd.json

echo 'post $.data (1) · ids $.data.id (1, equal)' >expect_out
check 'suggest a lookup' 0 "$licet" count --suggest lookup.json

echo '{"data":{"id":"1","entities":{"urls":[{"a":1},{"a":2}]}},"status":{"id":2}}' >line.json
cat >expect_out <<'END'
url $.data.entities.urls (2)
post $.data (1) · ids $.data.id (1, equal)
status $.status (1) · ids $.status.id (1, equal)
END
check 'suggest a line of a stream' 0 "$licet" count --suggest line.json

echo '{"a":[1,2],"b":{"x":1}}' >plain.json
echo 'licet count: plain.json: no array of objects, and no object with an id, in its first document' >expect_err
check 'suggest nothing' 1 "$licet" count --suggest plain.json

echo 'licet count: cut.json: byte 13: '\'']'\'' expected near end of file' >expect_err
check 'suggest, malformed' 2 "$licet" count --suggest cut.json

echo 'licet count: missing.json: cannot open: No such file or directory' >expect_err
check 'suggest, a missing file' 2 "$licet" count --suggest missing.json

echo 'licet count: cannot write the result: No space left on device' >expect_err
check 'a full disk' 2 sh -c "'$licet' count --unit 'post=\$.data' lookup.json >/dev/full"
echo 'licet count: cannot write the result: No space left on device' >expect_err
check 'a full disk, suggest' 2 sh -c "'$licet' count --suggest lookup.json >/dev/full"

"$licet" count --help >help
if [ $? = 0 ] && grep -q '^usage: licet count ' help; then echo 'ok      help'; else echo 'FAILED  help'; failed=1; fi

exit $failed
