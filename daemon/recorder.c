/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorder: opening and closing it, the lock, one round, and views for the APIs.
 *
 *  (1) data/lock is an open file description lock on a file that names its holder: the kernel frees it at any death. A
 *      holder that is ending says so there, and a licetd that is started meanwhile waits for it.
 *  (2) The signer is forked right after the lock is taken, before anything else is opened.
 *  (3) A failure of journal or ledgers stops all writing and all leases, says so, and the state is opened anew every
 *      second until that works: what was not committed is still in the rings.
 */
#include "rooms.h"
#include "signer/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const licet_recorder_request interrupted = {.reason = "recorded after an interruption"};

#define RETRY_MS 1000
#define ADOPT_MS 50
#define TICK_MS 1000
#define CLOCK_BACK_MS 5000
#define LOCK_TRIES 50
#define DAMAGE_LINES_MOST 20 /* in each DAMAGE_MS */
#define DAMAGE_MS 10000
#define LOCK_PAUSE_NS 10000000
#define LOCK_ENDING_TRIES 6000 /* a minute: an orderly end has a last tick, and a signature for each ledger */

void
recorder_say(licet_recorder *r, licet_recorder_level level, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (r->log == NULL) {
        return;
    }
    va_start(args, format);
    /* The analyzer of clang 14 loses sight of va_start here and below. */
    vsnprintf(text, sizeof(text), format, args); // NOLINT(clang-analyzer-valist.Uninitialized)
    va_end(args);
    r->log(r->log_user, level, text);
}

bool
recorder_say_seldom(licet_recorder *r)
{
    if (r->damage_lines++ < DAMAGE_LINES_MOST) {
        return true;
    }
    r->counts.log_dropped++;
    return false;
}

void
recorder_damage(licet_recorder *r, counts_damage what, const char *format, ...)
{
    char text[512];
    va_list args;

    r->broken++;
    r->counts.damages[what]++;
    if (!recorder_say_seldom(r)) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args); // NOLINT(clang-analyzer-valist.Uninitialized)
    va_end(args);
    recorder_say(r, LICET_LOG_ERROR, "%s", text);
}

static void
damage_lines_fade(licet_recorder *r, uint64_t now_ms)
{
    if (now_ms < r->damage_ms + DAMAGE_MS && now_ms >= r->damage_ms) {
        return;
    }
    if (r->damage_lines > DAMAGE_LINES_MOST) {
        recorder_say(r, LICET_LOG_ERROR, "%u more lines about workers that died or wrote nonsense were left out",
                     r->damage_lines - DAMAGE_LINES_MOST);
    }
    r->damage_lines = 0;
    r->damage_ms = now_ms;
    if (r->gate != NULL) {
        recorder_damages_fade(r->gate);
    }
    for (size_t i = 0; i < r->old_len; i++) {
        recorder_damages_fade(r->old[i]);
    }
}

const char *
recorder_unit_name(void *recorder, uint32_t cell, unsigned number)
{
    const recorder_book *book = recorder_book_of(recorder, cell);

    return book != NULL && number >= 1 && number <= book->names.units_len ? book->names.units[number - 1] : NULL;
}

bool
recorder_path(const licet_recorder *r, char out[PATH_MAX], licet_error *err, const char *format, ...)
{
    va_list args;
    int len, more;

    len = snprintf(out, PATH_MAX, "%s/", r->dir);
    if (len < 0 || len >= PATH_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: the name of the site is too long", r->dir);
    }
    va_start(args, format);
    more = vsnprintf(out + len, (size_t)(PATH_MAX - len), format, args); // NOLINT(clang-analyzer-valist.Uninitialized)
    va_end(args);
    if (more < 0 || more >= PATH_MAX - len) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: a path below it is longer than %d bytes", r->dir, PATH_MAX - 1);
    }
    return true;
}

recorder_book *
recorder_book_of(const licet_recorder *r, uint32_t cell)
{
    return cell < r->books_len ? r->books[cell] : NULL;
}

recorder_book *
recorder_book_named(const licet_recorder *r, const char *name)
{
    for (uint32_t i = 0; i < r->books_len; i++) {
        if (strcmp(r->books[i]->name, name) == 0) {
            return r->books[i];
        }
    }
    return NULL;
}

void
recorder_stall(licet_recorder *r, const licet_error *err)
{
    if (!r->stalled) {
        r->counts.stalls++;
        snprintf(r->why, sizeof(r->why), "%s", err->text);
        recorder_say(r, LICET_LOG_ERROR,
                     "cannot record: %s; no more units are lent, the agreements' cannot_record applies until this is "
                     "mended",
                     err->text);
    }
    r->stalled = true;
}

/* ---- the lock -------------------------------------------------------------- */

/* What the lock file says of its holder: "<process>" LF, or "<process> ends" LF. process 0: nobody. */
typedef struct lock_holder {
    long process;
    bool ends;
} lock_holder;

static const char lock_ends[] = " ends";

static lock_holder
lock_read(int fd)
{
    char text[32] = {0};
    lock_holder holder = {0, false};
    uint64_t pid = 0;
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    size_t len = n > 1 ? (size_t)n - 1 : 0, ends = sizeof(lock_ends) - 1;

    if (len > ends && memcmp(text + len - ends, lock_ends, ends) == 0) {
        holder.ends = true;
        len -= ends;
    }
    if (licet_parse_u64(licet_bytes_of(text, len), &pid) && pid < INT_MAX) {
        holder.process = (long)pid;
    }
    return holder;
}

static bool
lock_write(const licet_recorder *r, bool ends, licet_error *err)
{
    char path[PATH_MAX], text[32];
    int len = snprintf(text, sizeof(text), "%ld%s\n", (long)getpid(), ends ? lock_ends : "");

    if (!recorder_path(r, path, err, "data/lock")) {
        return false;
    }
    if (ftruncate(r->lock, 0) != 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot write: %s", path, strerror(errno));
    }
    return licet_file_write_at(r->lock, path, licet_bytes_of(text, (size_t)len), 0, err);
}

static bool
lock_conflict(int fd, const char *path, licet_error *err)
{
    return LICET_FAIL(err, LICET_E_CONFLICT, 0, "%s: another recorder works on this site: process %ld", path,
                      lock_read(fd).process);
}

/* Tries again for a moment when the holder is dead: its signer was born with the lock and is just letting go of it. A
 * licetd tries for that moment in any case, for a holder that was told to end may not have said so yet, and waits for
 * one that ends. */
static bool
lock_try(licet_recorder *r, const struct flock *range)
{
    struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    bool said = false;

    for (int i = 0, tries = LOCK_TRIES; i < tries; i++) {
        lock_holder holder;

        if (fcntl(r->lock, F_OFD_SETLK, range) == 0) {
            return true;
        }
        holder = lock_read(r->lock);
        if (holder.ends && r->with_gate) {
            tries = LOCK_ENDING_TRIES;
            if (!said) {
                recorder_say(r, LICET_LOG_INFO, "waiting for process %ld, which is ending", holder.process);
            }
            said = true;
        } else if (!r->with_gate && holder.process != 0 && kill((pid_t)holder.process, 0) == 0) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

static bool
lock_take(licet_recorder *r, licet_error *err)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[PATH_MAX];

    if (!recorder_path(r, path, err, "data/lock")) {
        return false;
    }
    r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (r->lock < 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot open: %s", path, strerror(errno));
    }
    if (!lock_try(r, &range)) {
        return lock_conflict(r->lock, path, err);
    }
    return lock_write(r, false, err);
}

/* ---- opening and closing --------------------------------------------------- */

static bool
signer_start(licet_recorder *r, licet_error *err)
{
    char key[PATH_MAX], record[PATH_MAX];

    return recorder_path(r, key, err, "%s", r->config.key) && recorder_path(r, record, err, "data/signed") &&
           licet_signer_start(key, record, &r->signer, err);
}

static bool
stores_open(licet_recorder *r, licet_error *err)
{
    char usage[PATH_MAX], leases[PATH_MAX];
    licet_error why = {0};

    if (!licet_store_open(r->dir, false, &r->store, err) || !recorder_path(r, usage, err, "data/usage.db")) {
        return false;
    }
    if (!licet_usage_open(usage, false, &r->usage, &why)) {
        recorder_say(r, LICET_LOG_WARNING, "the usage tables are made anew from the ledgers: %s", why.text);
        r->usage_behind = true;
        r->dirty = true; /* at the next tick */
    }
    return licet_gate_keys_read(r->dir, true, &r->keys, err) && recorder_path(r, leases, err, "data/leases") &&
           licet_lease_local_open(leases, &r->lease_store, err);
}

static bool
ignore_grant(void *user, const licet_lease_grant *grant)
{
    (void)user;
    (void)grant;
    return true;
}

static bool
memory_init(licet_recorder *r, licet_error *err)
{
    licet_buffer_init(&r->batch, RECORDER_BATCH_MAX);
    licet_buffer_init(&r->scratch, (size_t)1 << 20);
    licet_buffer_init(&r->scratch_ids, (size_t)1 << 20);
    r->cache = calloc(RECORDER_CACHE_LEN, sizeof(*r->cache));
    if (r->cache == NULL || !recorder_recent_init(r, err) || !recorder_peers_init(r, err)) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the recorder");
    }
    return true;
}

static void
recorder_free(licet_recorder *r)
{
    recorder_state_close(r);
    for (size_t i = 0; i < r->old_len; i++) {
        recorder_gate_free(r->old[i]);
    }
    recorder_gate_free(r->gate);
    recorder_sums_end(r);
    if (r->lease_store != NULL) {
        r->lease_store->ops->close(r->lease_store);
    }
    if (r->usage != NULL) {
        licet_usage_close(r->usage, NULL);
    }
    licet_store_close(r->store);
    licet_signer_stop(r->signer);
    if (r->lock >= 0) {
        close(r->lock);
    }
    licet_buffer_done(&r->batch);
    licet_buffer_done(&r->scratch);
    licet_buffer_done(&r->scratch_ids);
    explicit_bzero(&r->keys, sizeof(r->keys));
    free(r->allowed);
    free(r->staged);
    free(r->cache);
    free(r->recent);
    recorder_peers_done(r);
    counts_done(&r->counts);
    free(r);
}

static bool
lease_recall(licet_recorder *r, licet_error *err)
{
    return r->lease_store->ops->each(r->lease_store, &r->lease_epoch, &r->lease_ended, ignore_grant, NULL, err);
}

bool
licet_recorder_open(const licet_recorder_options *options, licet_recorder **out_recorder, licet_error *err)
{
    licet_recorder *r = calloc(1, sizeof(*r));
    char data[PATH_MAX];
    bool ok = false;

    if (r == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the recorder");
    }
    r->lock = -1;
    r->with_gate = options->with_gate;
    r->began_ms = options->now_ms;
    r->log = options->log;
    r->log_user = options->log_user;
    if (snprintf(r->dir, sizeof(r->dir), "%s", options->dir) >= (int)sizeof(r->dir)) {
        LICET_FAIL(err, LICET_E_LIMIT, 0, "the name of the site is longer than %zu bytes", sizeof(r->dir) - 1);
        goto done;
    }
    if (!memory_init(r, err) || !recorder_config_read(r, err) || !recorder_path(r, data, err, "data") ||
        !licet_dir_make(data, 0750, err) || !lock_take(r, err) || !signer_start(r, err) || !stores_open(r, err) ||
        !lease_recall(r, err)) {
        goto done;
    }
    if (!recorder_state_open(r, options->now_ms, err) ||
        !recorder_publish_missing(r, NULL, &interrupted, options->now_ms, err) ||
        !(r->with_gate ? recorder_gate_start(r, options->now_ms, err) : recorder_lost_keep(r, err)) ||
        !recorder_tick(r, options->now_ms, true, err)) {
        goto done;
    }
    *out_recorder = r;
    ok = true;
done:
    if (!ok) {
        recorder_free(r);
    }
    return ok;
}

static bool settle(licet_recorder *r, uint64_t now_ms, licet_error *err);

bool
licet_recorder_close(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    bool ok = true;

    if (r == NULL) {
        return true;
    }
    if (r->with_gate) {
        lock_write(r, true, NULL); /* who follows need not know */
    }
    ok = settle(r, now_ms, err) && (r->gate == NULL || recorder_gate_end(r, err)) &&
         recorder_tick(r, now_ms, true, err) &&
         (!r->with_gate ||
          (recorder_stage_time(r, LICET_JOURNAL_STOP, now_ms, NULL, err) && recorder_commit(r, now_ms, err)));
    recorder_free(r);
    return ok;
}

/* ---- one round --------------------------------------------------------------- */

/* After a failure: the state is opened anew (the lease store mends itself). True when recording is possible (again). */
static bool
mend(licet_recorder *r, uint64_t now_ms)
{
    licet_error err;

    if (!r->stalled) {
        return true;
    }
    if (now_ms < r->retry_ms && now_ms + RETRY_MS >= r->retry_ms) { /* else the clock was set back */
        return false;
    }
    r->retry_ms = now_ms + RETRY_MS;
    recorder_state_close(r);
    if (!recorder_state_open(r, now_ms, &err) || !recorder_leases_recall(r, &err)) {
        recorder_state_close(r);
        snprintf(r->why, sizeof(r->why), "%s", err.text);
        if (r->gate != NULL) {
            (void)recorder_allow(r, true, NULL); /* what can be stated later may still go up */
        }
        return false;
    }
    if (r->gate != NULL) {
        recorder_gap_told(r, now_ms);
    }
    r->stalled = false;
    r->why[0] = '\0';
    recorder_say(r, LICET_LOG_WARNING, "recording again; the journal goes on at %llu",
                 (unsigned long long)r->journal->ops->next(r->journal));
    if (!recorder_publish_missing(r, NULL, &interrupted, now_ms, &err)) {
        recorder_stall(r, &err);
    }
    return !r->stalled;
}

/* What happens about each second. */
static bool
second(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    bool month = r->last_tick != 0 && licet_month_of(now_ms) > licet_month_of(r->last_tick);

    if (now_ms < r->second_ms + TICK_MS && now_ms >= r->second_ms) {
        return true;
    }
    r->second_ms = now_ms;
    damage_lines_fade(r, now_ms);
    if (r->gate != NULL && (!recorder_gap_unrecorded(r, now_ms, err) || !recorder_allow(r, false, err) ||
                            !recorder_minute(r, now_ms, false, err))) {
        return false;
    }
    if ((r->dirty || month) && !recorder_tick(r, now_ms, false, err)) {
        return false;
    }
    if (r->gate != NULL) {
        recorder_mend(r, r->gate);
        for (size_t i = 0; i < r->old_len; i++) {
            recorder_mend(r, r->old[i]);
        }
        if (!recorder_recount(r, now_ms, err)) {
            return false;
        }
        return recorder_gate_old_done(r, now_ms, err);
    }
    return true;
}

static bool
gate_round(licet_recorder *r, uint64_t now_ms, uint64_t *out_work, licet_error *err)
{
    if (now_ms >= r->adopt_ms || now_ms + ADOPT_MS < r->adopt_ms) {
        r->adopt_ms = now_ms + ADOPT_MS;
        recorder_adopt(r, now_ms);
    }
    recorder_gate_old_follow(r); /* each round: until then what is taken in two files can pass a limit */
    r->fill = 0;
    /* those who wait for a lease do not wait for the journal's sync as well, nor those who came during it */
    return recorder_gathered_bound(r, err) && recorder_leases_wanted(r, now_ms, err) &&
           recorder_drain(r, now_ms, out_work, err) && recorder_leases_wanted(r, now_ms, err);
}

/* Nothing goes back with it: windows, ticks and periods wait until the clock has come that far again. */
static void
watch_clock(licet_recorder *r, uint64_t now_ms)
{
    if (now_ms + CLOCK_BACK_MS < r->round_ms) {
        recorder_say(
            r, LICET_LOG_WARNING,
            "the clock was set back by %llu s; limits whose window had moved on stay in it until its time comes",
            (unsigned long long)((r->round_ms - now_ms) / 1000));
    }
    r->round_ms = now_ms;
}

bool
licet_recorder_round(licet_recorder *r, uint64_t now_ms, uint64_t *out_work, licet_error *err)
{
    *out_work = 0;
    watch_clock(r, now_ms);
    if (r->gate != NULL) {
        licet_gate_alive(r->gate->gate, now_ms);
    }
    if (!mend(r, now_ms)) {
        return true;
    }
    if ((r->gate != NULL && !gate_round(r, now_ms, out_work, err)) || !second(r, now_ms, err)) {
        recorder_stall(r, err);
        r->retry_ms = now_ms + RETRY_MS;
        return false;
    }
    return true;
}

uint32_t
licet_recorder_fill(const licet_recorder *r)
{
    return r->fill;
}

bool
licet_recorder_wanted(const licet_recorder *r)
{
    if (r->gate == NULL || r->stalled) {
        return false; /* a round that lends nothing would leave it wanted */
    }
    for (size_t i = 0; i < r->old_len; i++) {
        if (licet_gate_lease_is_wanted(r->old[i]->gate)) {
            return true;
        }
    }
    return licet_gate_lease_is_wanted(r->gate->gate);
}

/* Everything published before the call is durable, in its ledger and signed afterwards. */
static bool
settle(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    if (r->stalled) {
        r->retry_ms = 0;
        if (!mend(r, now_ms)) {
            return LICET_FAIL(err, LICET_E_STATE, 0, "cannot record: %s", r->why);
        }
    }
    if (r->gate != NULL) {
        recorder_adopt(r, now_ms);
        if (!recorder_drain_all(r, now_ms, err)) {
            goto failed;
        }
        if (!recorder_gap_unrecorded(r, now_ms, err) || !recorder_minute(r, now_ms, true, err)) {
            goto failed;
        }
    }
    if (r->dirty && !recorder_tick(r, now_ms, false, err)) {
        goto failed;
    }
    return recorder_seal(r, true, err);
failed:
    recorder_stall(r, err);
    r->retry_ms = now_ms + RETRY_MS;
    return false;
}

bool
licet_recorder_sync(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    if (!settle(r, now_ms, err)) {
        return false;
    }
    if (r->usage_behind && !recorder_usage_follow(r, err)) {
        return false; /* everything is recorded, but a report would be behind */
    }
    r->usage_behind = false;
    return true;
}

bool
licet_recorder_rebuild(licet_recorder *r, licet_error *err)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    char path[PATH_MAX];
    bool ok = r->usage == NULL || licet_usage_close(r->usage, err);

    r->usage = NULL;
    for (size_t i = 0; ok && i < sizeof(tails) / sizeof(tails[0]); i++) {
        ok = recorder_path(r, path, err, "data/usage.db%s", tails[i]);
        if (ok && unlink(path) != 0 && errno != ENOENT) {
            ok = LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot remove: %s", path, strerror(errno));
        }
    }
    for (uint32_t i = 0; i < r->books_len; i++) {
        r->books[i]->applied = 0;
    }
    return ok && recorder_path(r, path, err, "data/usage.db") && licet_usage_open(path, false, &r->usage, err) &&
           recorder_usage_follow(r, err);
}

/* ---- views ---------------------------------------------------------------------- */

licet_store *
licet_recorder_store(licet_recorder *r)
{
    return r->store;
}

licet_usage *
licet_recorder_usage(licet_recorder *r)
{
    return r->usage;
}

licet_gate *
licet_recorder_gate(licet_recorder *r)
{
    return r->gate != NULL ? r->gate->gate : NULL;
}

licet_ledger *
licet_recorder_ledger(licet_recorder *r, const char *name)
{
    recorder_book *book = recorder_book_named(r, name);

    return book != NULL ? book->ledger : NULL;
}

bool
licet_recorder_ledger_at(licet_recorder *r, uint32_t i, const char **out_name, uint64_t *out_size, uint64_t *out_signed)
{
    recorder_book *book = recorder_book_of(r, i);

    if (book == NULL) {
        return false;
    }
    *out_name = book->name;
    *out_size = book->ledger != NULL ? licet_ledger_size(book->ledger) : 0;
    *out_signed = book->signed_size;
    return true;
}

bool
licet_recorder_verifier(licet_recorder *r, const char *name, licet_buffer *out, licet_error *err)
{
    return r->signer != NULL ? licet_signer_verifier(r->signer, name, out, err)
                             : LICET_FAIL(err, LICET_E_STATE, 0, "the signer does not run");
}

void
licet_recorder_status_get(licet_recorder *r, licet_recorder_status *out)
{
    memset(out, 0, sizeof(*out));
    out->generation = licet_store_generation(r->store);
    out->journal = r->journal != NULL ? r->journal->ops->next(r->journal) - 1 : 0;
    out->unmetered = r->unmetered;
    out->credited = r->credited;
    out->ids_waiting = r->fold != NULL ? licet_fold_waiting(r->fold) : 0;
    out->broken = r->broken;
    out->stalled = r->stalled;
    out->why = r->why;
    if (r->gate == NULL) {
        return;
    }
    out->epoch = r->gate->epoch;
    out->under_way = licet_gate_under_way(r->gate->gate);
    out->workers = licet_gate_owned(r->gate->gate);
    for (uint32_t a = 0; a < r->gate->areas_len; a++) {
        uint64_t head = licet_gate_head(r->gate->gate, a);

        out->lag += head > r->gate->areas[a].ring ? head - r->gate->areas[a].ring : 0;
    }
}
