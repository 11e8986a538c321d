/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of seen ids of a site in a folder: what came of late in memory, all
 * else in sorted runs (seen_run.c), named by a manifest. docs/format/seen.md.
 *
 *  (1) A window has a number, given once; a key is that number and the id.
 *  (2) Runs stand from the oldest to the newest; the newest that has a key is right. A run that is not more than twice
 *      as long as the next newer one is merged with it, so that there are few.
 *  (3) The manifest is replaced whole, after the runs it names are durable. What it does not name is removed.
 *  (4) Memory holds RECENT_MAX ids at most; beyond that they become a run that the next manifest names.
 *  (5) Ids of windows that are past are left out when runs are merged; a run of such windows alone is removed.
 */
#include "seen_run.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "LICETSET"
#define FORMAT 1u
#define RECENT_MAX (1u << 18)
#define RECENT_TABLE (2u * RECENT_MAX)
#define RUNS_MAX 64 /* (2): each is more than twice the next */
#define WINDOWS_MAX (1u << 24)
#define MANIFEST_MAX ((size_t)1 << 31)

typedef struct seen_window {
    licet_seen_window is;
    uint32_t number;
    uint8_t *scope; /* what is.scope shows; owned */
} seen_window;

typedef struct seen_recent {
    size_t at; /* of the key in keys */
    uint32_t key_len;
    uint32_t hash;
    licet_seen_copy copy;
} seen_recent;

typedef struct seen_file {
    licet_seen base;
    char dir[PATH_MAX];
    uint64_t seed;
    seen_window *windows; /* in order of their numbers */
    uint32_t windows_len, windows_capacity;
    uint32_t next_window;
    uint32_t *by_window; /* hash table: row + 1 */
    uint32_t by_window_len;
    seen_run runs[RUNS_MAX];
    unsigned runs_len;
    uint64_t next_run;
    bool changed; /* since the last manifest */
    seen_recent *recent;
    uint32_t recent_len;
    uint32_t *recent_table; /* row + 1 */
    licet_buffer keys;
} seen_file;

int
licet_seen_order(const licet_seen_copy *a, const licet_seen_copy *b)
{
    const licet_identity *x = &a->identity, *y = &b->identity;

    if (a->time_ms != b->time_ms) {
        return a->time_ms < b->time_ms ? -1 : 1;
    }
    if (x->gate != y->gate) {
        return x->gate < y->gate ? -1 : 1;
    }
    if (x->epoch != y->epoch) {
        return x->epoch < y->epoch ? -1 : 1;
    }
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static uint64_t
hash_of(uint64_t seed, licet_bytes bytes)
{
    uint64_t h = seed ^ (bytes.len * UINT64_C(0x9e3779b97f4a7c15));

    for (size_t i = 0; i < bytes.len; i++) {
        h = (h ^ bytes.data[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 29;
    }
    return h ^ h >> 32;
}

/* ---- windows ---------------------------------------------------------------------- */

static bool
same_window(const licet_seen_window *a, const licet_seen_window *b)
{
    return a->ledger == b->ledger && a->unit == b->unit && a->flow == b->flow && a->from_ms == b->from_ms &&
           a->before_ms == b->before_ms && licet_bytes_equal(a->scope, b->scope);
}

static uint32_t
window_place(const seen_file *s, const licet_seen_window *w)
{
    uint64_t facts[3] = {(uint64_t)w->ledger << 16 | (uint64_t)w->unit << 8 | w->flow, w->from_ms, w->before_ms};
    uint64_t h = hash_of(hash_of(s->seed, w->scope), licet_bytes_of(facts, sizeof(facts)));
    uint32_t at = (uint32_t)h & (s->by_window_len - 1);

    while (s->by_window[at] != 0 && !same_window(&s->windows[s->by_window[at] - 1].is, w)) {
        at = (at + 1) & (s->by_window_len - 1);
    }
    return at;
}

static bool
windows_index(seen_file *s, uint32_t room, licet_error *err)
{
    uint32_t len = 64;
    uint32_t *table;

    while (len < 2 * room) {
        len *= 2;
    }
    table = calloc(len, sizeof(*table));
    if (table == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u windows", room);
    }
    free(s->by_window);
    s->by_window = table;
    s->by_window_len = len;
    for (uint32_t i = 0; i < s->windows_len; i++) {
        s->by_window[window_place(s, &s->windows[i].is)] = i + 1;
    }
    return true;
}

static bool
window_add(seen_file *s, const licet_seen_window *window, uint32_t number, licet_error *err)
{
    uint8_t *scope = malloc(window->scope.len + 1);
    seen_window *row;

    if (scope != NULL && s->windows_len == s->windows_capacity) {
        uint32_t capacity = s->windows_capacity == 0 ? 64 : 2 * s->windows_capacity;
        seen_window *grown =
            capacity > WINDOWS_MAX ? NULL : realloc(s->windows, (size_t)capacity * sizeof(*s->windows));
        if (grown != NULL) {
            s->windows = grown;
            s->windows_capacity = capacity;
        }
    }
    if (scope == NULL || s->windows_len == s->windows_capacity) {
        free(scope);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for more than %u windows of ids", s->windows_len);
    }
    if (window->scope.len > 0) {
        memcpy(scope, window->scope.data, window->scope.len);
    }
    row = &s->windows[s->windows_len++];
    *row = (seen_window){.is = *window, .number = number, .scope = scope};
    row->is.scope = licet_bytes_of(scope, window->scope.len);
    s->next_window = number + 1;
    s->changed = true;
    if (2 * s->windows_len > s->by_window_len) {
        return windows_index(s, 2 * s->windows_len, err);
    }
    s->by_window[window_place(s, window)] = s->windows_len;
    return true;
}

static bool
window_number(seen_file *s, const licet_seen_window *window, uint32_t *out_number, licet_error *err)
{
    uint32_t row = s->by_window[window_place(s, window)];

    if (row == 0) {
        if (!window_add(s, window, s->next_window, err)) {
            return false;
        }
        row = s->windows_len;
    }
    *out_number = s->windows[row - 1].number;
    return true;
}

/* Whether a window with a number in least..most is not past. */
static bool
alive(const seen_file *s, uint32_t least, uint32_t most)
{
    uint32_t low = 0, high = s->windows_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->windows[middle].number < least) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < s->windows_len && s->windows[low].number <= most;
}

/* ---- what came of late ----------------------------------------------------------------- */

static licet_bytes
recent_key(const seen_file *s, const seen_recent *r)
{
    return licet_bytes_of(s->keys.data + r->at, r->key_len);
}

static uint32_t
recent_place(const seen_file *s, licet_bytes key, uint32_t hash)
{
    uint32_t at = hash & (RECENT_TABLE - 1);

    while (s->recent_table[at] != 0) {
        const seen_recent *r = &s->recent[s->recent_table[at] - 1];
        if (r->hash == hash && licet_bytes_equal(recent_key(s, r), key)) {
            break;
        }
        at = (at + 1) & (RECENT_TABLE - 1);
    }
    return at;
}

static bool
recent_put(seen_file *s, licet_bytes key, uint32_t place, uint32_t hash, const licet_seen_copy *copy, licet_error *err)
{
    seen_recent *r = &s->recent[s->recent_len];

    if (s->recent_table[place] != 0) {
        s->recent[s->recent_table[place] - 1].copy = *copy;
        return true;
    }
    *r = (seen_recent){.at = s->keys.len, .key_len = (uint32_t)key.len, .hash = hash, .copy = *copy};
    if (!licet_put_bytes(&s->keys, key)) {
        s->keys.failed = false;
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for an id");
    }
    s->recent_table[place] = ++s->recent_len;
    return true;
}

static void
recent_empty(seen_file *s)
{
    memset(s->recent_table, 0, (size_t)RECENT_TABLE * sizeof(*s->recent_table));
    s->recent_len = 0;
    s->keys.len = 0;
}

static int
compare_recent(const void *left, const void *right, void *user)
{
    const seen_file *s = user;

    return seen_key_order(recent_key(s, left), recent_key(s, right));
}

/* ---- runs ------------------------------------------------------------------------------- */

/* (2) Two runs become one; the newer is right where both have a key. */
static bool
runs_merge(seen_file *s, const seen_run *old, const seen_run *new, seen_run *out, licet_error *err)
{
    uint32_t width = old->width > new->width ? old->width : new->width;
    uint64_t i = 0, j = 0;
    seen_writer w;

    if (!seen_run_begin(s->dir, s->next_run++, old->len + new->len, width, &w, err)) {
        return false;
    }
    while (i < old->len || j < new->len) {
        int by = i == old->len ? 1 : j == new->len ? -1 : seen_key_order(seen_run_key(old, i), seen_run_key(new, j));
        const seen_run *from = by < 0 ? old : new;
        uint64_t at = by < 0 ? i : j;
        uint32_t window = seen_run_window(from, at);

        if (alive(s, window, window)) { /* (5) */
            licet_seen_copy copy = seen_run_copy(from, at);
            seen_run_put(&w, seen_run_key(from, at), &copy);
        }
        i += by <= 0;
        j += by >= 0;
    }
    return seen_run_end(&w, out, err);
}

static bool
runs_settle(seen_file *s, licet_error *err)
{
    while (s->runs_len > 1 &&
           (s->runs[s->runs_len - 2].len <= 2 * s->runs[s->runs_len - 1].len || s->runs_len == RUNS_MAX)) {
        seen_run *old = &s->runs[s->runs_len - 2], merged;

        if (!runs_merge(s, old, old + 1, &merged, err)) {
            return false;
        }
        seen_run_close(old);
        seen_run_close(old + 1);
        *old = merged;
        s->runs_len--;
    }
    return true;
}

static bool
recent_to_run(seen_file *s, licet_error *err)
{
    uint32_t width = 4;
    seen_writer w;

    if (s->recent_len == 0) {
        return true;
    }
    for (uint32_t i = 0; i < s->recent_len; i++) {
        width = s->recent[i].key_len > width ? s->recent[i].key_len : width;
    }
    qsort_r(s->recent, s->recent_len, sizeof(*s->recent), compare_recent, s);
    if (!seen_run_begin(s->dir, s->next_run++, s->recent_len, width, &w, err)) {
        return false;
    }
    for (uint32_t i = 0; i < s->recent_len; i++) {
        seen_run_put(&w, recent_key(s, &s->recent[i]), &s->recent[i].copy);
    }
    if (!seen_run_end(&w, &s->runs[s->runs_len], err)) {
        return false;
    }
    s->runs_len++;
    s->changed = true;
    recent_empty(s);
    return runs_settle(s, err);
}

/* ---- the interface ------------------------------------------------------------------------- */

static bool
find(const seen_file *s, licet_bytes key, uint32_t place, licet_seen_copy *out_copy)
{
    if (s->recent_table[place] != 0) {
        *out_copy = s->recent[s->recent_table[place] - 1].copy;
        return true;
    }
    for (unsigned i = s->runs_len; i > 0; i--) {
        if (seen_run_find(&s->runs[i - 1], key, out_copy)) {
            return true;
        }
    }
    return false;
}

static bool
add_one(seen_file *s, licet_bytes key, const licet_seen_copy *copy, licet_on_duplicate on_duplicate, void *user,
        licet_error *err)
{
    uint32_t hash = (uint32_t)hash_of(s->seed, key), place;
    licet_seen_copy there;

    if (s->recent_len == RECENT_MAX && !recent_to_run(s, err)) { /* (4) */
        return false;
    }
    place = recent_place(s, key, hash);
    if (!find(s, key, place, &there)) {
        return recent_put(s, key, place, hash, copy, err);
    }
    if (licet_seen_order(copy, &there) >= 0) {
        return on_duplicate(user, copy, err);
    }
    return recent_put(s, key, place, hash, copy, err) && on_duplicate(user, &there, err);
}

static bool
file_add(licet_seen *seen, const licet_seen_window *window, const licet_seen_copy *copy, licet_bytes ids,
         uint32_t count, licet_on_duplicate on_duplicate, void *user, licet_error *err)
{
    seen_file *s = (seen_file *)seen;
    licet_cursor c = {ids, 0};
    uint32_t number;
    seen_key key;

    if (window->scope.len > LICET_SEEN_SCOPE_MAX) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "a scope of %zu bytes: expected at most %d", window->scope.len,
                          LICET_SEEN_SCOPE_MAX);
    }
    if (!window_number(s, window, &number, err)) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        key.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t len;
        licet_bytes id;
        if (!licet_take_u8(&c, &len) || !licet_take_bytes(&c, len, &id)) {
            return LICET_FAIL(err, LICET_E_INVALID, c.pos, "%u ids: the bytes end behind %u", count, i);
        }
        if (len > 0) {
            memcpy(key.bytes + 4, id.data, len);
        }
        key.len = 4 + (size_t)len;
        if (!add_one(s, licet_bytes_of(key.bytes, key.len), copy, on_duplicate, user, err)) {
            return false;
        }
    }
    return true;
}

static bool
file_past(licet_seen *seen, uint64_t time_ms, licet_error *err)
{
    seen_file *s = (seen_file *)seen;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->windows_len; i++) {
        if (s->windows[i].is.before_ms + LICET_SEEN_KEEP_MS <= time_ms) {
            free(s->windows[i].scope);
        } else {
            s->windows[kept++] = s->windows[i];
        }
    }
    if (kept == s->windows_len) {
        return true;
    }
    s->windows_len = kept;
    s->changed = true;
    return windows_index(s, kept, err);
}

/* (5) */
static void
runs_forget(seen_file *s)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < s->runs_len; i++) {
        seen_run *run = &s->runs[i];
        if (run->len == 0 || !alive(s, seen_run_window(run, 0), seen_run_window(run, run->len - 1))) {
            seen_run_close(run);
        } else {
            s->runs[kept++] = *run;
        }
    }
    s->runs_len = kept;
}

static bool
is_named(const seen_file *s, uint64_t number)
{
    for (unsigned i = 0; i < s->runs_len; i++) {
        if (s->runs[i].number == number) {
            return true;
        }
    }
    return false;
}

/* (3) */
static void
sweep(const seen_file *s)
{
    DIR *dir = opendir(s->dir);
    char path[PATH_MAX];

    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        char *end;
        unsigned long long number = strtoull(e->d_name, &end, 16);
        if (end == e->d_name + 16 && strcmp(end, ".run") == 0 && !is_named(s, number) &&
            snprintf(path, sizeof(path), "%s/%s", s->dir, e->d_name) < (int)sizeof(path)) {
            unlink(path);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static bool
manifest_write(seen_file *s, uint64_t folded, uint64_t resume, uint64_t tick_ms, licet_error *err)
{
    char path[PATH_MAX + 16];
    licet_buffer b;
    licet_bytes body;
    licet_hash hash;
    bool ok;

    licet_buffer_init(&b, MANIFEST_MAX);
    licet_put_bytes(&b, LICET_BYTES_LITERAL(MAGIC));
    licet_put_u32(&b, FORMAT);
    licet_put_u64(&b, folded);
    licet_put_u64(&b, resume);
    licet_put_u64(&b, tick_ms);
    licet_put_u64(&b, s->next_run);
    licet_put_u32(&b, s->next_window);
    licet_put_u32(&b, s->windows_len);
    for (uint32_t i = 0; i < s->windows_len; i++) {
        const licet_seen_window *w = &s->windows[i].is;
        licet_put_u32(&b, s->windows[i].number);
        licet_put_u32(&b, w->ledger);
        licet_put_u8(&b, w->unit);
        licet_put_u8(&b, w->flow);
        licet_put_u64(&b, w->from_ms);
        licet_put_u64(&b, w->before_ms);
        licet_put_text(&b, w->scope);
    }
    licet_put_u32(&b, s->runs_len);
    for (unsigned i = 0; i < s->runs_len; i++) {
        licet_put_u64(&b, s->runs[i].number);
    }
    body = licet_buffer_view(&b);
    hash = licet_sha256(&body, 1);
    licet_put_bytes(&b, licet_bytes_of(hash.bytes, sizeof(hash.bytes)));
    snprintf(path, sizeof(path), "%s/manifest", s->dir);
    ok = !b.failed ? licet_file_replace(path, licet_buffer_view(&b), 0600, err)
                   : LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for it", path);
    licet_buffer_done(&b);
    return ok;
}

static bool
file_commit(licet_seen *seen, uint64_t folded, uint64_t resume, uint64_t tick_ms, licet_error *err)
{
    seen_file *s = (seen_file *)seen;

    runs_forget(s);
    if (!recent_to_run(s, err)) {
        return false;
    }
    runs_forget(s); /* a merge may have left nothing */
    if (!manifest_write(s, folded, resume, tick_ms, err)) {
        return false;
    }
    if (s->changed) {
        sweep(s);
    }
    s->changed = false;
    seen->folded = folded;
    seen->resume = resume;
    seen->tick_ms = tick_ms;
    return true;
}

static void
empty(seen_file *s)
{
    for (uint32_t i = 0; i < s->windows_len; i++) {
        free(s->windows[i].scope);
    }
    s->windows_len = 0;
    for (unsigned i = 0; i < s->runs_len; i++) {
        seen_run_close(&s->runs[i]);
    }
    s->runs_len = 0;
    recent_empty(s);
}

static bool
file_clear(licet_seen *seen, licet_error *err)
{
    seen_file *s = (seen_file *)seen;

    empty(s);
    s->next_window = 0;
    s->changed = true;
    return windows_index(s, 0, err) && file_commit(seen, 0, 0, 0, err);
}

static bool
file_has(const licet_seen *seen, uint32_t ledger)
{
    const seen_file *s = (const seen_file *)seen;

    for (uint32_t i = 0; i < s->windows_len; i++) {
        if (s->windows[i].is.ledger == ledger) {
            return true;
        }
    }
    return false;
}

static void
file_close(licet_seen *seen)
{
    seen_file *s = (seen_file *)seen;

    if (s->recent_table != NULL) {
        empty(s);
    }
    free(s->windows);
    free(s->by_window);
    free(s->recent);
    free(s->recent_table);
    licet_buffer_done(&s->keys);
    free(s);
}

/* ---- opening ----------------------------------------------------------------------------------- */

static bool
take_window(seen_file *s, licet_cursor *c, licet_error *err)
{
    licet_seen_window w;
    uint32_t number;

    if (!licet_take_u32(c, &number) || !licet_take_u32(c, &w.ledger) || !licet_take_u8(c, &w.unit) ||
        !licet_take_u8(c, &w.flow) || !licet_take_u64(c, &w.from_ms) || !licet_take_u64(c, &w.before_ms) ||
        !licet_take_text(c, &w.scope) || w.scope.len > LICET_SEEN_SCOPE_MAX || number < s->next_window) {
        return LICET_FAIL(err, LICET_E_CORRUPT, c->pos, "%s/manifest: a window cannot be", s->dir);
    }
    return window_add(s, &w, number, err);
}

static bool
manifest_take(seen_file *s, licet_bytes file, licet_error *err)
{
    size_t len = file.len < LICET_SHA256_LEN ? 0 : file.len - LICET_SHA256_LEN;
    licet_bytes body = licet_bytes_of(file.data, len), magic;
    licet_hash hash = licet_sha256(&body, 1);
    licet_cursor c = {body, 0};
    uint32_t format, windows, runs, next_window;

    if (len == 0 || memcmp(hash.bytes, file.data + len, sizeof(hash.bytes)) != 0) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s/manifest: it does not end in its SHA-256", s->dir);
    }
    if (!licet_take_bytes(&c, 8, &magic) || memcmp(magic.data, MAGIC, 8) != 0 || !licet_take_u32(&c, &format) ||
        format != FORMAT) {
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "%s/manifest: of another version", s->dir);
    }
    if (!licet_take_u64(&c, &s->base.folded) || !licet_take_u64(&c, &s->base.resume) ||
        !licet_take_u64(&c, &s->base.tick_ms) || !licet_take_u64(&c, &s->next_run) ||
        !licet_take_u32(&c, &next_window) || !licet_take_u32(&c, &windows)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, c.pos, "%s/manifest: too short", s->dir);
    }
    for (uint32_t i = 0; i < windows; i++) {
        if (!take_window(s, &c, err)) {
            return false;
        }
    }
    s->next_window = next_window;
    if (!licet_take_u32(&c, &runs) || runs > RUNS_MAX) {
        return LICET_FAIL(err, LICET_E_CORRUPT, c.pos, "%s/manifest: its runs cannot be", s->dir);
    }
    for (uint32_t i = 0; i < runs; i++) {
        uint64_t number;
        if (!licet_take_u64(&c, &number)) {
            return LICET_FAIL(err, LICET_E_CORRUPT, c.pos, "%s/manifest: too short", s->dir);
        }
        if (!seen_run_open(s->dir, number, &s->runs[s->runs_len], err)) {
            return false;
        }
        s->runs_len++;
    }
    return licet_cursor_at_end(&c) || LICET_FAIL(err, LICET_E_CORRUPT, c.pos, "%s/manifest: too long", s->dir);
}

static bool
manifest_read(seen_file *s, licet_error *err)
{
    char path[PATH_MAX + 16];
    uint8_t *data = NULL;
    size_t len;
    licet_error local;
    bool ok;

    snprintf(path, sizeof(path), "%s/manifest", s->dir);
    if (!licet_file_read(path, MANIFEST_MAX, &data, &len, &local)) {
        return local.code == LICET_E_NOT_FOUND || LICET_FAIL(err, local.code, 0, "%s", local.text);
    }
    ok = manifest_take(s, licet_bytes_of(data, len), err);
    free(data);
    return ok;
}

bool
licet_seen_file_open(const char *dir, uint64_t seed, licet_seen **out_seen, licet_error *err)
{
    static const licet_seen_ops ops = {file_add, file_past, file_commit, file_clear, file_has, file_close};
    seen_file *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a set of ids");
    }
    s->base.ops = &ops;
    s->seed = seed;
    licet_buffer_init(&s->keys, (size_t)RECENT_MAX * SEEN_KEY_MAX);
    s->recent = calloc(RECENT_MAX, sizeof(*s->recent));
    s->recent_table = calloc((size_t)RECENT_TABLE, sizeof(*s->recent_table));
    if (s->recent == NULL || s->recent_table == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a set of ids");
        goto fail;
    }
    if (snprintf(s->dir, sizeof(s->dir), "%s", dir) >= (int)sizeof(s->dir)) {
        LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: the path is too long", dir);
        goto fail;
    }
    if (!licet_dir_make(dir, 0700, err) || !windows_index(s, 0, err) || !manifest_read(s, err)) {
        goto fail;
    }
    s->changed = false;
    sweep(s);
    *out_seen = &s->base;
    return true;
fail:
    file_close(&s->base);
    return false;
}

bool
licet_seen_file_remove(const char *dir, licet_error *err)
{
    seen_file none = {.runs_len = 0};
    char path[PATH_MAX + 16];

    if (snprintf(none.dir, sizeof(none.dir), "%s", dir) >= (int)sizeof(none.dir)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: the path is too long", dir);
    }
    snprintf(path, sizeof(path), "%s/manifest", dir);
    if (unlink(path) != 0 && errno != ENOENT) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    sweep(&none);
    return true;
}
