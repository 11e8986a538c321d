/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Epoch: which shared-memory file is in force.
 *
 *   the file is of this boot, this gate, the newest epoch, which did not end ──► adopted; licetd died, nothing is lost
 *   of this boot and gate, but not so ──► drained, and:
 *   anything else ──► gap record for the old epoch if it did not end in order ──► epoch raised ──► new file
 *   the file has too few rows or other numbers ──► the same, and the old file is drained until its last worker is gone
 *
 *  (1) data/epoch is raised durably before a file of that epoch exists: no identity is given twice.
 *  (2) A replaced file keeps a name (<path>.<epoch>) until it is drained, so that a death of licetd does not lose it.
 *  (3) In a new file counters and leases are set before a generation is published: until then no worker decides by it,
 *      and a licetd that finds it so sets them (again).
 *  (4) An orderly end without workers removes the file: what ended cannot be used again.
 */
#include "rooms.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CELLS_LEAST 256u
#define COUNTERS_LEAST 4096u
#define OLD_LOOK_BACK 64 /* epochs whose file may still be drained */

static bool
boot_id(uint8_t out[16], licet_error *err)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    uint8_t *text = NULL;
    char digits[33];
    size_t len, n = 0;
    bool ok;

    if (!licet_file_read(path, 4096, &text, &len, err)) {
        return false;
    }
    for (size_t i = 0; i < len && n < 32; i++) {
        if (text[i] != '-' && text[i] != '\n') {
            digits[n++] = (char)text[i];
        }
    }
    ok = n == 32 && licet_unhex(licet_bytes_of(digits, n), out, 16);
    free(text);
    return ok || LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: no boot id of 32 hex digits", path);
}

/* ---- data/epoch --------------------------------------------------------------- */

static bool
epoch_read(const licet_recorder *r, uint32_t *out_epoch, licet_error *err)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    uint64_t value = 0;
    licet_error local;
    size_t len;
    bool ok;

    *out_epoch = 0;
    if (!recorder_path(r, path, err, "data/epoch")) {
        return false;
    }
    if (!licet_file_read(path, 64, &text, &len, &local)) {
        if (local.code == LICET_E_NOT_FOUND) {
            return true;
        }
        if (err != NULL) {
            *err = local;
        }
        return false;
    }
    ok = len > 0 && licet_parse_u64(licet_bytes_of(text, text[len - 1] == '\n' ? len - 1 : len), &value) &&
         value < UINT32_MAX;
    free(text);
    *out_epoch = (uint32_t)value;
    return ok || LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: expected the number of an epoch", path);
}

static bool
epoch_raise(const licet_recorder *r, uint32_t *out_epoch, licet_error *err)
{
    char path[PATH_MAX], text[32];
    uint32_t epoch;
    int len;

    if (!epoch_read(r, &epoch, err) || !recorder_path(r, path, err, "data/epoch")) {
        return false;
    }
    epoch = epoch > r->lease_epoch ? epoch : r->lease_epoch;
    epoch = (epoch > r->seen_epoch ? epoch : r->seen_epoch) + 1;
    len = snprintf(text, sizeof(text), "%u\n", epoch);
    *out_epoch = epoch;
    return licet_file_replace(path, licet_bytes_of(text, (size_t)len), 0640, err);
}

/* ---- handles --------------------------------------------------------------------- */

void
recorder_gate_free(recorder_gate *gate)
{
    if (gate != NULL) {
        licet_gate_close(gate->gate);
        free(gate->areas);
        free(gate->followed);
        free(gate);
    }
}

/* Takes the mapping. Rings go on where the journal says. Where it cannot say (it lost its end, or its commit record has
 * no room for so many areas) their tails must be believed. */
static recorder_gate *
gate_hold(licet_recorder *r, licet_gate *mapped, const char *path, licet_error *err)
{
    recorder_gate *gate = calloc(1, sizeof(*gate));
    bool believe = r->journal_lost || r->positions_len == LICET_JOURNAL_POSITIONS_MAX;
    licet_gate_options made_with;

    licet_gate_options_of(mapped, &made_with);
    if (gate != NULL) {
        gate->gate = mapped;
        gate->ring = made_with.ring;
        gate->ring_ids = made_with.ring_ids;
        gate->epoch = licet_gate_epoch(mapped);
        gate->areas_len = licet_gate_areas(mapped);
        gate->areas = calloc(gate->areas_len, sizeof(*gate->areas));
        snprintf(gate->path, sizeof(gate->path), "%s", path);
    }
    if (gate == NULL || gate->areas == NULL || !licet_gate_serve(mapped, err)) {
        free(gate != NULL ? gate->areas : NULL);
        free(gate);
        licet_gate_close(mapped);
        LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for its areas", path);
        return NULL;
    }
    for (uint32_t a = 0; believe && a < gate->areas_len; a++) {
        recorder_area *area = &gate->areas[a];

        area->ring = licet_gate_tail(mapped, a);
        area->ids = licet_gate_ids_tail(mapped, a);
    }
    recorder_gate_positions(gate, r->positions, r->positions_len);
    return gate;
}

static uint32_t
power_of_two(uint64_t least)
{
    uint32_t n = 1;

    while (n < least && n < UINT32_C(1) << 24) {
        n *= 2;
    }
    return n;
}

static bool
group_of(const licet_recorder *r, int *out_gid, licet_error *err)
{
    const struct group *group;

    *out_gid = -1;
    if (r->config.group[0] == '\0') {
        return true;
    }
    group = getgrnam(r->config.group);
    if (group == NULL) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "licet.yaml: group \"%s\": no such group on this machine",
                          r->config.group);
    }
    *out_gid = (int)group->gr_gid;
    return true;
}

bool
recorder_share(licet_recorder *r, licet_error *err)
{
    char data[PATH_MAX];
    int gid;

    if (!group_of(r, &gid, err) || !recorder_path(r, data, err, "data")) {
        return false;
    }
    if (gid < 0) {
        return true;
    }
    if (chown(data, (uid_t)-1, (gid_t)gid) != 0 || chmod(data, 0710) != 0 ||
        chown(licet_store_images(r->store), (uid_t)-1, (gid_t)gid) != 0 ||
        chmod(licet_store_images(r->store), 02750) != 0) { /* what is made in it belongs to the group too */
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot be given to group \"%s\": %s", data, r->config.group,
                          strerror(errno));
    }
    return true;
}

/* Numbers of the file that the site needs now. */
static bool
options_wanted(const licet_recorder *r, licet_gate_options *out, licet_error *err)
{
    uint64_t cells = (uint64_t)licet_store_cells(r->store) * 2, counters = (uint64_t)licet_store_counters(r->store) * 2;

    *out = (licet_gate_options){
        .gate = r->config.gate,
        .workers = r->config.workers,
        .slots = r->config.slots,
        .cells = power_of_two(cells > CELLS_LEAST ? cells : CELLS_LEAST),
        .counters = power_of_two(counters > COUNTERS_LEAST ? counters : COUNTERS_LEAST),
        .images = licet_store_images(r->store),
        .mode = 0660,
    };
    if (out->cells > LICET_GATE_CELLS_MAX) {
        out->cells = LICET_GATE_CELLS_MAX;
    }
    memcpy(out->decision_key, r->keys.decision, sizeof(out->decision_key));
    memcpy(out->credential_key, r->keys.credential, sizeof(out->credential_key));
    return group_of(r, &out->gid, err) && boot_id(out->boot_id, err);
}

static bool
same_life(const licet_recorder *r, const licet_gate_options *have)
{
    return have->epoch == r->lease_epoch && !r->lease_ended && !r->journal_lost;
}

static bool
same_numbers(const licet_recorder *r, const licet_gate_options *have, const licet_gate_options *want)
{
    return have->workers == want->workers && have->slots == want->slots && have->cells >= licet_store_cells(r->store) &&
           have->counters >= licet_store_counters(r->store) && strcmp(have->images, want->images) == 0 &&
           memcmp(have->decision_key, want->decision_key, sizeof(have->decision_key)) == 0 &&
           memcmp(have->credential_key, want->credential_key, sizeof(have->credential_key)) == 0;
}

bool
recorder_gate_fits(const licet_recorder *r)
{
    return r->gate != NULL && licet_gate_cells(r->gate->gate) >= licet_store_cells(r->store) &&
           licet_gate_counters(r->gate->gate) >= licet_store_counters(r->store);
}

/* ---- replaced files --------------------------------------------------------------------- */

/* From now on what changes in it is followed; what it holds now is inherited, or was by an earlier licetd. */
static bool
follow_begin(recorder_gate *gate, licet_error *err)
{
    uint32_t counters = licet_gate_counters(gate->gate);

    gate->followed = calloc(counters, sizeof(*gate->followed));
    if (gate->followed == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory to follow %u counters", gate->path, counters);
    }
    for (uint32_t i = 0; i < counters; i++) {
        gate->followed[i] = licet_gate_counter(gate->gate, i);
    }
    return true;
}

static void
follow(licet_recorder *r, recorder_gate *from)
{
    for (uint32_t i = 0; i < licet_gate_counters(from->gate) && i < licet_gate_counters(r->gate->gate); i++) {
        licet_counter_value now = licet_gate_counter(from->gate, i), *seen = &from->followed[i];
        uint64_t known = now.window == seen->window ? seen->taken : 0;

        if (now.taken > known) {
            recorder_counter_add(r, i, now.window, now.taken - known, UINT64_MAX);
        } else if (now.taken < known) {
            licet_gate_credit(r->gate->gate, i, now.window, known - now.taken);
        }
        *seen = now;
    }
}

void
recorder_gate_old_follow(licet_recorder *r)
{
    for (size_t i = 0; i < r->old_len; i++) {
        follow(r, r->old[i]);
    }
}

/* Gives the file in force a second name, under which it is drained after it was replaced. */
static bool
old_keep(licet_recorder *r, recorder_gate *gate, licet_error *err)
{
    char name[sizeof(gate->path)];

    if (r->old_len == RECORDER_OLD_GATES_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: workers still use %d replaced files; stop old workers first",
                          gate->path, RECORDER_OLD_GATES_MAX);
    }
    if (snprintf(name, sizeof(name), "%s.%u", r->config.shared_memory, gate->epoch) >= (int)sizeof(name)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: too long a name", r->config.shared_memory);
    }
    if (!follow_begin(gate, err)) {
        return false;
    }
    if (link(gate->path, name) != 0 && errno != EEXIST) {
        free(gate->followed);
        gate->followed = NULL;
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot link: %s", name, strerror(errno));
    }
    LICET_STEP(OLD_NAMED);
    snprintf(gate->path, sizeof(gate->path), "%s", name);
    r->old[r->old_len++] = gate;
    return true;
}

/* True for a second name of the file in force: licetd died before it was replaced. Drained under both names, everything
 * in it would be recorded twice. */
static bool
second_name(const licet_recorder *r, const char *name)
{
    struct stat one, other;

    return stat(name, &one) == 0 && stat(r->config.shared_memory, &other) == 0 && one.st_ino == other.st_ino &&
           one.st_dev == other.st_dev;
}

/* Replaced files that an earlier licetd did not finish draining. */
static bool
old_find(licet_recorder *r, const licet_gate_options *want, licet_error *err)
{
    uint32_t newest = r->lease_epoch;

    for (uint32_t epoch = newest > OLD_LOOK_BACK ? newest - OLD_LOOK_BACK : 1; epoch <= newest; epoch++) {
        char name[LICET_GATE_PATH_MAX + 16];
        licet_gate_options have;
        licet_gate *mapped;

        if (snprintf(name, sizeof(name), "%s.%u", r->config.shared_memory, epoch) >= LICET_GATE_PATH_MAX ||
            access(name, F_OK) != 0) {
            continue;
        }
        if (second_name(r, name)) {
            unlink(name);
            continue;
        }
        if (!licet_gate_open(name, &mapped, NULL)) {
            continue;
        }
        licet_gate_options_of(mapped, &have);
        if (memcmp(have.boot_id, want->boot_id, sizeof(have.boot_id)) != 0 || have.gate != want->gate ||
            r->old_len == RECORDER_OLD_GATES_MAX) {
            licet_gate_close(mapped);
            continue;
        }
        r->old[r->old_len] = gate_hold(r, mapped, name, err);
        if (r->old[r->old_len] == NULL) {
            return false;
        }
        r->old[r->old_len]->found = true;
        if (!follow_begin(r->old[r->old_len++], err)) {
            return false;
        }
    }
    return true;
}

static bool
drained(const recorder_gate *gate)
{
    for (uint32_t a = 0; a < gate->areas_len; a++) {
        if (gate->areas[a].ring != licet_gate_head(gate->gate, a)) {
            return false;
        }
    }
    return licet_gate_owned(gate->gate) == 0 && !licet_gate_busy(gate->gate);
}

/* While no licetd ran nobody followed what was taken in files that an earlier one replaced. Once all of it is recorded
 * the ledgers know: no counter stays below them and what is held now. What ends in between counts twice: waste. */
static bool
catch_up(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    uint32_t len = licet_gate_counters(r->gate->gate);
    uint64_t *held = calloc(len, sizeof(*held));
    bool ok;

    if (held == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for what %u counters hold", len);
    }
    for (uint32_t i = 0; i < len; i++) {
        held[i] = licet_gate_counter(r->gate->gate, i).held;
    }
    ok = recorder_drain_all(r, now_ms, err) && recorder_sums_all(r, now_ms, err);
    for (uint32_t i = 0; ok && i < r->sums_len && i < len; i++) {
        if (r->sums[i].units > 0) {
            recorder_counter_raise(r, i, r->sums[i].window, r->sums[i].units + held[i]);
        }
    }
    recorder_sums_end(r);
    free(held);
    return ok;
}

static void
old_close(licet_recorder *r, recorder_gate *gate)
{
    recorder_say(r, LICET_LOG_INFO, "the replaced shared memory of epoch %u is drained", gate->epoch);
    LICET_STEP(OLD_DONE);
    unlink(gate->path);
    recorder_gate_free(gate);
}

bool
recorder_gate_old_done(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    bool done[RECORDER_OLD_GATES_MAX] = {false}, found = false, any = false;
    size_t kept = 0;

    for (size_t i = 0; i < r->old_len; i++) {
        done[i] = drained(r->old[i]);
        if (done[i]) {
            follow(r, r->old[i]); /* for the last time, now that nobody takes from it any more */
            found = found || r->old[i]->found;
            any = true;
        }
    }
    if (any && !recorder_minute(r, now_ms, true, err)) { /* what was refused there since the last goes with the file */
        return false;
    }
    if (found && !catch_up(r, now_ms, err)) {
        return false;
    }
    for (size_t i = 0; i < r->old_len; i++) {
        if (done[i]) {
            r->recount_due =
                r->recount_due || r->old[i]->found; /* what ended there unseen may still count as at once */
            old_close(r, r->old[i]);
        } else {
            r->old[kept++] = r->old[i];
        }
    }
    r->old_len = kept;
    return true;
}

/* ---- a new file ----------------------------------------------------------------------------- */

static bool
stage_epoch(licet_recorder *r, uint32_t epoch, uint64_t now_ms, licet_error *err)
{
    licet_buffer payload;
    bool ok;

    licet_buffer_init(&payload, 64);
    ok = licet_journal_put_epoch(&payload, r->config.gate, epoch, now_ms) &&
         recorder_stage(r, LICET_JOURNAL_EPOCH, licet_buffer_view(&payload), NULL, err);
    licet_buffer_done(&payload);
    return ok;
}

/* Epoch, journal entry, lease store and file, in this order. */
static bool
gate_make(licet_recorder *r, licet_gate_options *options, uint64_t now_ms, licet_error *err)
{
    licet_gate *mapped;

    if (!epoch_raise(r, &options->epoch, err)) {
        return false;
    }
    LICET_STEP(EPOCH_RAISED);
    if (!stage_epoch(r, options->epoch, now_ms, err) || !recorder_commit(r, now_ms, err)) {
        return false;
    }
    LICET_STEP(EPOCH_JOURNALLED);
    if (!r->lease_store->ops->begin(r->lease_store, options->epoch, err)) {
        return false;
    }
    LICET_STEP(EPOCH_LEASES);
    r->lease_epoch = options->epoch;
    r->lease_ended = false;
    recorder_leases_begin(r);
    if (!licet_gate_create(r->config.shared_memory, options, &mapped, err)) {
        return false;
    }
    LICET_STEP(EPOCH_FILE);
    r->gate = gate_hold(r, mapped, r->config.shared_memory, err);
    if (r->gate == NULL) {
        return false;
    }
    r->journal_lost = false;
    recorder_say(r, LICET_LOG_INFO, "new shared memory %s, epoch %u, %u areas of %u slots", r->config.shared_memory,
                 options->epoch, options->workers, options->slots);
    return true;
}

/* Counters of replaced files, as they stand, go over into the new one, and so does what is lent there. Done again after
 * a death in between, it changes nothing. */
static void
inherit(licet_recorder *r, recorder_gate *const *from, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        for (uint32_t i = 0; i < licet_gate_counters(from[k]->gate); i++) {
            licet_counter_value value = licet_gate_counter(from[k]->gate, i);

            recorder_counter_raise(r, i, value.window, value.taken);
            if (from[k]->followed != NULL) {
                from[k]->followed[i] = value;
            }
        }
    }
    recorder_leases_inherit(r);
    LICET_STEP(HANDED_OVER);
}

/* A file that no worker decides by yet: the licetd that made it may have died before it set what must be set. */
static void
gate_set(licet_recorder *r)
{
    recorder_counters_set(r);
    recorder_leases_carry(r, r->old, r->old_len);
    inherit(r, r->old, r->old_len);
}

/* Whether there is room for the new file beside the old one: once the epoch is raised there is no way back. */
static bool
gate_room(const licet_recorder *r, const licet_gate_options *options, licet_error *err)
{
    licet_gate_options trial = *options;
    char path[LICET_GATE_PATH_MAX];
    licet_gate *gate;

    trial.epoch = r->lease_epoch;
    if (snprintf(path, sizeof(path), "%s.room", r->config.shared_memory) >= (int)sizeof(path)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%s: too long a name", r->config.shared_memory);
    }
    if (!licet_gate_create(path, &trial, &gate, err)) {
        return false;
    }
    licet_gate_close(gate);
    unlink(path);
    return true;
}

static bool
gate_publish(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    recorder_gap_told(r, now_ms);
    if (!recorder_leases_all(r, err) || !recorder_allow(r, false, err)) {
        return false;
    }
    /* Nobody waits for what is slow above: only from here to the generation nothing is admitted anywhere. */
    for (size_t i = 0; i < r->old_len; i++) {
        licet_gate_shut(r->old[i]->gate);
    }
    LICET_STEP(OLD_SHUT);
    recorder_gate_old_follow(r);
    licet_gate_publish(r->gate->gate, licet_store_generation(r->store));
    LICET_STEP(GENERATION);
    return true;
}

bool
recorder_gate_replace(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    recorder_gate *before = r->gate;
    licet_gate_options options;

    if (!options_wanted(r, &options, err) || !gate_room(r, &options, err) || !old_keep(r, before, err)) {
        return false;
    }
    recorder_allow_revoke(r, before->gate);
    if (!recorder_gap_unrecorded_of(r, before, now_ms, err)) {
        return false;
    }
    recorder_leases_carry(r, &before, 1);
    r->gate = NULL;
    if (!gate_make(r, &options, now_ms, err)) {
        r->gate = before;
        r->old_len--;
        free(before->followed);
        before->followed = NULL;
        if (second_name(r, before->path)) {
            unlink(before->path);
            snprintf(before->path, sizeof(before->path), "%s", r->config.shared_memory);
        }
        return false;
    }
    inherit(r, &before, 1);
    recorder_say(r, LICET_LOG_INFO, "epoch %u is drained from %s", before->epoch, before->path);
    return recorder_counters_seed(r, now_ms, err) && gate_publish(r, now_ms, err);
}

static bool
gate_new_life(licet_recorder *r, licet_gate_options *options, uint64_t now_ms, licet_error *err)
{
    if (r->lease_epoch != 0 && !r->lease_ended && !recorder_gap_power(r, now_ms, err)) {
        return false;
    }
    if (!gate_make(r, options, now_ms, err)) {
        return false;
    }
    gate_set(r);
    return true;
}

/* A file of another version that did not end in order: its workers may hold receipts that only that version can read.
 * Whoever starts this one decides; to go on as if nobody was there would lose them into a gap. */
static bool
gate_ours(licet_recorder *r, const licet_gate_options *want, licet_error *err)
{
    uint8_t boot[16];
    uint32_t layout;

    if (r->lease_epoch == 0 || r->lease_ended || !licet_gate_foreign(r->config.shared_memory, &layout, boot) ||
        memcmp(boot, want->boot_id, sizeof(boot)) != 0) {
        return true;
    }
    recorder_say(r, LICET_LOG_ERROR,
                 "%s has layout %u: another version of licet made it and did not end in order; start that version "
                 "again, stop nginx, stop licetd, then start this one and nginx with its module (or remove the file, "
                 "and what nobody journalled lies in a gap)",
                 r->config.shared_memory, layout);
    return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "%s: made by another version of licet, and in use",
                      r->config.shared_memory);
}

/* Uses the file that is there, if it may be used. */
static bool
gate_adopt(licet_recorder *r, licet_gate_options *want, uint64_t now_ms, bool *out_adopted, licet_error *err)
{
    licet_gate_options have;
    licet_gate *mapped = NULL;

    *out_adopted = false;
    if (!gate_ours(r, want, err)) {
        return false;
    }
    if (!licet_gate_open(r->config.shared_memory, &mapped, NULL)) {
        return true;
    }
    licet_gate_options_of(mapped, &have);
    if (memcmp(have.boot_id, want->boot_id, sizeof(have.boot_id)) != 0 || have.gate != want->gate) {
        licet_gate_close(mapped); /* of another life of the machine: nobody writes into it any more */
        return true;
    }
    r->seen_epoch = have.epoch;
    r->gate = gate_hold(r, mapped, r->config.shared_memory, err);
    if (r->gate == NULL) {
        return false;
    }
    if (!same_life(r, &have)) {
        if (!old_keep(r, r->gate, err)) {
            return false;
        }
        r->gate = NULL;
        return true;
    }
    if (licet_gate_generation(mapped) == 0) {
        gate_set(r);
    } else if (licet_gate_generation(mapped) != licet_store_generation(r->store)) {
        recorder_counters_set(r); /* those that the workers know hold as much or more */
    }
    r->recount_due = true;
    *out_adopted = true;
    recorder_say(r, LICET_LOG_INFO, "going on with the shared memory %s of epoch %u", r->config.shared_memory,
                 have.epoch);
    return recorder_leases_recall(r, err) && (same_numbers(r, &have, want) || recorder_gate_replace(r, now_ms, err));
}

bool
recorder_gate_start(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    licet_gate_options want;
    bool adopted;

    if (!recorder_share(r, err) || !options_wanted(r, &want, err) || !old_find(r, &want, err) ||
        !gate_adopt(r, &want, now_ms, &adopted, err) || (!adopted && !gate_new_life(r, &want, now_ms, err))) {
        return false;
    }
    recorder_counted(r);
    recorder_sums_end(r);
    licet_gate_alive(r->gate->gate, now_ms);
    return recorder_lost_done(r, err) && gate_publish(r, now_ms, err);
}

bool
recorder_gate_end(licet_recorder *r, licet_error *err)
{
    if (!drained(r->gate) || r->old_len > 0) {
        recorder_say(r, LICET_LOG_INFO, "workers are still there; their shared memory stays as it is");
        return true;
    }
    if (!r->lease_store->ops->end(r->lease_store, r->gate->epoch, err)) {
        return false;
    }
    if (unlink(r->gate->path) != 0 && errno != ENOENT) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot remove: %s", r->gate->path, strerror(errno));
    }
    recorder_gate_free(r->gate);
    r->gate = NULL;
    return true;
}
