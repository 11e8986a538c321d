/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: what this recorder has counted and what it sees now, told to
 * whoever watches. docs/format/metrics.md lists them; a test compares.
 *
 *  (1) Counters count since the process began and what is durable alone; they never fall.
 *  (2) The first METRICS_TOLD agreements ever applied are told by name, all later ones together as OTHERS: the number
 * of series has a ceiling, and a series never changes its meaning. (3) Nothing secret: no credential, key, caller, path
 * or app. (4) Nothing here writes, and nothing waits for a lock.
 */
#include "exposition.h"
#include "rooms.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define METRICS_TOLD 200
#define OTHERS "_others"     /* no agreement can be called so */
#define UNITS_OTHERS_MAX 256 /* unit names told of OTHERS */
#define FILES_MAX 100000     /* looked at in one folder */

typedef struct metrics {
    licet_recorder *r;
    exposition e;
    uint64_t now_ms;
    counts_tally others; /* the sum of the agreements that are not told by name; units by place in other_units */
    const char *other_units[UNITS_OTHERS_MAX];
    unsigned other_units_len;
    bool any_other;
} metrics;

static const char *const cause_names[COUNTS_CAUSES] = {NULL, "power-loss", "without-slot", "outage"};

/* ---- what belongs to agreements ------------------------------------------------ */

static const counts_agreement *
counts_of(const metrics *m, uint32_t cell)
{
    return cell < m->r->counts.agreements_len ? m->r->counts.agreements[cell] : NULL;
}

static const char *
name_of(const metrics *m, uint32_t cell)
{
    return licet_store_cell_name(m->r->store, cell);
}

static uint32_t
told(const metrics *m)
{
    uint32_t cells = licet_store_cells(m->r->store);

    return cells < METRICS_TOLD + 1 ? cells : METRICS_TOLD + 1;
}

/* Names that begin with one of these, or that are this, say something about a response and are no unit. */
static bool
is_unit(const char *name)
{
    return strchr(name, ':') == NULL && strcmp(name, "byte-acked") != 0;
}

/* The place of a unit among those of the others; the last place stands for what finds none. */
static unsigned
other_unit(metrics *m, const char *name)
{
    for (unsigned i = 0; i < m->other_units_len; i++) {
        if (strcmp(m->other_units[i], name) == 0) {
            return i;
        }
    }
    if (m->other_units_len == UNITS_OTHERS_MAX - 1) {
        m->other_units[UNITS_OTHERS_MAX - 1] = OTHERS;
        return UNITS_OTHERS_MAX - 1;
    }
    m->other_units[m->other_units_len] = name;
    return m->other_units_len++;
}

/* All but the units, which have other numbers in each ledger, are added field by field. */
static void
add_other(metrics *m, const counts_agreement *agreement)
{
    const uint64_t *from = (const uint64_t *)&agreement->durable;
    uint64_t *to = (uint64_t *)&m->others;

    for (size_t i = 0; i < offsetof(counts_tally, units) / sizeof(uint64_t); i++) {
        counts_add(&to[i], from[i]);
    }
    for (unsigned number = 0; number < 256; number++) {
        if (agreement->units[number] != NULL && is_unit(agreement->units[number])) {
            counts_add(&m->others.units[other_unit(m, agreement->units[number])], agreement->durable.units[number]);
        }
    }
    m->any_other = true;
}

static void
gather_others(metrics *m)
{
    for (uint32_t cell = METRICS_TOLD + 1; cell < m->r->counts.agreements_len; cell++) {
        if (counts_of(m, cell) != NULL) {
            add_other(m, counts_of(m, cell));
        }
    }
}

/* Calls put for each agreement told, and for the others together. tally NULL: no traffic yet. */
typedef void (*put_tally)(metrics *m, const char *name, const counts_tally *tally);

static void
each_tally(metrics *m, put_tally put)
{
    static const counts_tally none;

    for (uint32_t cell = 1; cell < told(m); cell++) {
        put(m, name_of(m, cell), counts_of(m, cell) != NULL ? &counts_of(m, cell)->durable : &none);
    }
    if (m->any_other) {
        put(m, OTHERS, &m->others);
    }
}

static void
put_receipts(metrics *m, const char *name, const counts_tally *tally)
{
    for (unsigned verdict = 0; verdict <= LICET_VERDICT_OPEN; verdict++) {
        for (unsigned ending = 0; ending < LICET_ENDINGS_LEN; ending++) {
            uint64_t count = tally->receipts[verdict][ending];

            /* The usual one is there from the start, so that its first increase is seen. */
            if (count > 0 || (verdict == LICET_VERDICT_ALLOW && ending == LICET_ENDING_COMPLETE)) {
                exposition_put(&m->e, count, 0, "agreement", name, "verdict",
                               licet_verdict_name((licet_verdict_kind)verdict), "ending",
                               licet_ending_text((licet_ending)ending), NULL);
            }
        }
    }
}

static void
put_refusals(metrics *m, const char *name, const counts_tally *tally)
{
    for (unsigned reason = 1; reason < LICET_REASONS_LEN; reason++) {
        if (tally->refusals[reason] > 0) {
            exposition_put(&m->e, tally->refusals[reason], 0, "agreement", name, "reason",
                           licet_reason_slug((licet_reason)reason), NULL);
        }
    }
}

static void
put_refused(metrics *m, const char *name, const counts_tally *tally)
{
    for (unsigned reason = 1; reason < LICET_REASONS_LEN; reason++) {
        if (tally->refused[reason] > 0 || reason == LICET_REASON_CANNOT_RECORD) {
            exposition_put(&m->e, tally->refused[reason], 0, "agreement", name, "reason",
                           licet_reason_slug((licet_reason)reason), NULL);
        }
    }
}

static void
put_bytes(metrics *m, const char *name, const counts_tally *tally)
{
    exposition_put(&m->e, tally->bytes, 0, "agreement", name, NULL);
}

static void
put_units(metrics *m)
{
    for (uint32_t cell = 1; cell < told(m); cell++) {
        const counts_agreement *agreement = counts_of(m, cell);

        for (unsigned number = 0; agreement != NULL && number < 256; number++) {
            if (agreement->units[number] != NULL && is_unit(agreement->units[number])) {
                exposition_put(&m->e, agreement->durable.units[number], 0, "agreement", name_of(m, cell), "unit",
                               agreement->units[number], NULL);
            }
        }
    }
    for (unsigned i = 0; i < UNITS_OTHERS_MAX; i++) {
        if (m->other_units[i] != NULL) {
            exposition_put(&m->e, m->others.units[i], 0, "agreement", OTHERS, "unit", m->other_units[i], NULL);
        }
    }
}

/* Over all agreements: the one number to alarm on has no other label than why. */
static void
put_unmetered(metrics *m)
{
    for (unsigned reason = 1; reason < LICET_UNMETERED_LEN; reason++) {
        uint64_t sum = 0;

        for (uint32_t cell = 0; cell < m->r->counts.agreements_len; cell++) {
            counts_add(&sum, counts_of(m, cell) != NULL ? counts_of(m, cell)->durable.unmetered[reason] : 0);
        }
        exposition_put(&m->e, sum, 0, "reason", licet_unmetered_slug((licet_unmetered)reason), NULL);
    }
}

typedef enum gap_value { GAP_RECORDS, GAP_REQUESTS } gap_value;

static uint64_t
gap_of(const counts_gaps *gaps, gap_value what)
{
    return gaps == NULL ? 0 : (what == GAP_RECORDS ? gaps->records : gaps->requests);
}

static void
put_gaps(metrics *m, gap_value what)
{
    for (unsigned cause = 0; cause < COUNTS_CAUSES; cause++) {
        uint64_t others = 0;

        for (uint32_t cell = 1; cell < m->r->counts.agreements_len; cell++) {
            const counts_gaps *gaps = counts_of(m, cell) != NULL ? counts_of(m, cell)->gaps[cause] : NULL;

            if (cell > METRICS_TOLD) {
                counts_add(&others, gap_of(gaps, what));
            }
        }
        for (uint32_t cell = 1; cause_names[cause] != NULL && cell < told(m); cell++) {
            const counts_gaps *gaps = counts_of(m, cell) != NULL ? counts_of(m, cell)->gaps[cause] : NULL;

            exposition_put(&m->e, gap_of(gaps, what), 0, "agreement", name_of(m, cell), "cause", cause_names[cause],
                           NULL);
        }
        if (others > 0 && cause_names[cause] != NULL) {
            exposition_put(&m->e, others, 0, "agreement", OTHERS, "cause", cause_names[cause], NULL);
        }
    }
}

static void
put_gap_units(metrics *m)
{
    for (uint32_t cell = 1; cell < told(m); cell++) {
        const counts_agreement *agreement = counts_of(m, cell);

        for (unsigned i = 0; agreement != NULL && i < COUNTS_CAUSES * 256; i++) {
            const counts_gaps *gaps = agreement->gaps[i / 256];

            if (gaps != NULL && gaps->units[i % 256] > 0 && cause_names[i / 256] != NULL &&
                agreement->units[i % 256] != NULL) {
                exposition_put(&m->e, gaps->units[i % 256], 0, "agreement", name_of(m, cell), "cause",
                               cause_names[i / 256], "unit", agreement->units[i % 256], NULL);
            }
        }
    }
}

static void
put_agreements(metrics *m)
{
    exposition *e = &m->e;

    gather_others(m);
    exposition_family(e, EXPOSITION_COUNTER, "licet_unmetered_responses",
                      "Responses delivered whose units could not be counted by the rule, by reason.");
    put_unmetered(m);
    exposition_family(e, EXPOSITION_COUNTER, "licet_receipts",
                      "Receipts recorded of responses that were not refused, by verdict and how the response ended.");
    each_tally(m, put_receipts);
    exposition_family(e, EXPOSITION_COUNTER, "licet_units", "Units delivered, as recorded.");
    put_units(m);
    exposition_family(e, EXPOSITION_COUNTER, "licet_delivered_bytes",
                      "Bytes of body handed to the kernel, as recorded.");
    each_tally(m, put_bytes);
    exposition_family(e, EXPOSITION_COUNTER, "licet_refusals", "Refusals recorded one by one, by reason.");
    each_tally(m, put_refusals);
    exposition_family(e, EXPOSITION_COUNTER, "licet_refusals_without_receipt",
                      "Known callers refused while nothing about them could be recorded, as recorded each minute.");
    each_tally(m, put_refused);
    exposition_family(e, EXPOSITION_COUNTER, "licet_gaps", "Gap records, by cause.");
    put_gaps(m, GAP_RECORDS);
    exposition_family(
        e, EXPOSITION_COUNTER, "licet_gap_requests",
        "The most requests that gap records hide, by cause; without-slot: let through without a receipt.");
    put_gaps(m, GAP_REQUESTS);
    exposition_family(e, EXPOSITION_COUNTER, "licet_gap_units", "The most units that gap records hide, by cause.");
    put_gap_units(m);
    exposition_family(e, EXPOSITION_COUNTER, "licet_unidentified_requests",
                      "Callers nobody knows, refused, as recorded each minute, by reason.");
    for (unsigned reason = LICET_REASON_CREDENTIAL_MISSING; reason <= LICET_REASON_CREDENTIAL_ENDED; reason++) {
        exposition_put(e, m->r->counts.unidentified[reason], 0, "reason", licet_reason_slug((licet_reason)reason),
                       NULL);
    }
}

/* ---- leases ------------------------------------------------------------------------ */

static void
put_leases(metrics *m, bool granted)
{
    for (uint32_t cell = 1; m->r->gate != NULL && cell < told(m); cell++) {
        const licet_image *image = licet_store_image(m->r->store, cell);

        for (uint32_t kind = 0; image != NULL && kind < image->header->kinds_len; kind++) {
            licet_bytes name = licet_image_text(image, image->header->kinds[kind]);
            licet_lease_value value = licet_gate_lease(m->r->gate->gate, cell, kind);
            char unit[LICET_NAME_MAX + 1];

            if (kind != LICET_KIND_BYTE) {
                snprintf(unit, sizeof(unit), "%.*s", (int)name.len, (const char *)name.data);
                exposition_put(&m->e, granted ? value.granted : value.taken, 0, "agreement", name_of(m, cell), "unit",
                               unit, NULL);
            }
        }
    }
}

/* ---- shared memory --------------------------------------------------------------------- */

typedef struct gate_sums {
    char epoch[16];
    uint64_t slots, slots_used, ring, ring_used, fullest, ids, ids_used, areas, owned, quarantined;
} gate_sums;

static gate_sums
sum_gate(const recorder_gate *gate)
{
    licet_gate_options options;
    gate_sums s = {.fullest = 0};

    licet_gate_options_of(gate->gate, &options);
    snprintf(s.epoch, sizeof(s.epoch), "%u", gate->epoch);
    s.areas = gate->areas_len;
    s.owned = licet_gate_owned(gate->gate);
    s.slots = s.areas * options.slots;
    s.slots_used = licet_gate_under_way(gate->gate);
    s.ring = s.areas * options.ring;
    s.ids = s.areas * options.ring_ids;
    for (uint32_t a = 0; a < gate->areas_len; a++) {
        uint64_t fill = licet_gate_head(gate->gate, a) - licet_gate_tail(gate->gate, a);
        uint64_t ids = licet_gate_ids_head(gate->gate, a) - licet_gate_ids_tail(gate->gate, a);

        fill = fill <= options.ring ? fill : 0;
        s.ring_used += fill;
        s.fullest = fill > s.fullest ? fill : s.fullest;
        s.ids_used += ids <= options.ring_ids ? ids : 0;
        s.quarantined += gate->areas[a].quarantined ? 1 : 0;
    }
    return s;
}

static const struct {
    const char *name, *help;
    size_t at;
} gate_gauges[] = {
    {"licet_worker_areas", "Areas of workers in the shared memory.", offsetof(gate_sums, areas)},
    {"licet_worker_areas_used", "Areas that a worker has, or had and that are not yet adopted and drained.",
     offsetof(gate_sums, owned)},
    {"licet_worker_areas_quarantined", "Areas whose worker wrote nonsense; they are not read while it lives.",
     offsetof(gate_sums, quarantined)},
    {"licet_slots", "Slots for responses under way.", offsetof(gate_sums, slots)},
    {"licet_slots_used", "Responses under way.", offsetof(gate_sums, slots_used)},
    {"licet_ring_receipts", "Room for finished receipts in all rings.", offsetof(gate_sums, ring)},
    {"licet_ring_receipts_used", "Finished receipts that are not journalled yet.", offsetof(gate_sums, ring_used)},
    {"licet_ring_receipts_fullest", "Finished receipts not journalled yet, in the fullest ring.",
     offsetof(gate_sums, fullest)},
    {"licet_ring_ids_bytes", "Room for delivered ids in all rings.", offsetof(gate_sums, ids)},
    {"licet_ring_ids_used_bytes", "Delivered ids that are not journalled yet.", offsetof(gate_sums, ids_used)},
};

static void
put_gates(metrics *m)
{
    gate_sums sums[1 + RECORDER_OLD_GATES_MAX];
    size_t len = 0;

    if (m->r->gate != NULL) {
        sums[len++] = sum_gate(m->r->gate);
    }
    for (size_t i = 0; m->r->gate != NULL && i < m->r->old_len; i++) {
        sums[len++] = sum_gate(m->r->old[i]);
    }
    for (size_t g = 0; g < sizeof(gate_gauges) / sizeof(gate_gauges[0]); g++) {
        exposition_family(&m->e, EXPOSITION_GAUGE, gate_gauges[g].name, gate_gauges[g].help);
        for (size_t i = 0; i < len; i++) {
            uint64_t value;

            memcpy(&value, (const char *)&sums[i] + gate_gauges[g].at, sizeof(value));
            exposition_put(&m->e, value, 0, "epoch", sums[i].epoch, "state", i == 0 ? "in_force" : "replaced", NULL);
        }
    }
}

static void
put_workers(metrics *m)
{
    licet_recorder *r = m->r;
    exposition *e = &m->e;
    uint64_t generation = licet_store_generation(r->store), oldest = generation;
    static const char *const damages[] = {
#define DAMAGE_LABEL(name, label) label,
        COUNTS_DAMAGES(DAMAGE_LABEL)
#undef DAMAGE_LABEL
    };

    if (r->gate != NULL && licet_gate_oldest_use(r->gate->gate) < oldest) {
        oldest = licet_gate_oldest_use(r->gate->gate);
    }
    exposition_family(e, EXPOSITION_GAUGE, "licet_generation", "Generation of the index in force.");
    exposition_put(e, generation, 0, NULL);
    exposition_family(e, EXPOSITION_GAUGE, "licet_generation_lag",
                      "Generations that the worker furthest behind is behind the index in force.");
    exposition_put(e, generation - oldest, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_adopted_slots", "Responses of dead workers that were recorded.");
    exposition_put(e, r->counts.adopted_slots, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_adopted_areas", "Areas of dead workers that were put in order.");
    exposition_put(e, r->counts.adopted_areas, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_leaked_slots",
                      "Slots of dead workers whose units may have leaked; a recount gives them back.");
    exposition_put(e, r->counts.leaks, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_damaged", "Things in shared memory that made no sense, by what.");
    for (size_t i = 0; i < COUNTS_DAMAGES_LEN; i++) {
        exposition_put(e, r->counts.damages[i], 0, "what", damages[i], NULL);
    }
    exposition_family(e, EXPOSITION_COUNTER, "licet_quarantines", "Times that an area was no longer read.");
    exposition_put(e, r->counts.quarantines, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_log_lines_dropped",
                      "Lines about workers that died or wrote nonsense which were left out of the log.");
    exposition_put(e, r->counts.log_dropped, 0, NULL);
}

/* ---- journal, ledgers, disk --------------------------------------------------------------- */

/* Bytes of the files in a folder of the site; 0 when there is none. */
static uint64_t
folder_bytes(const licet_recorder *r, const char *format, const char *name)
{
    char path[PATH_MAX], folder[128];
    const struct dirent *entry;
    struct stat st;
    uint64_t sum = 0;
    DIR *dir;

    snprintf(folder, sizeof(folder), "%s/%s", format, name);
    if (!recorder_path(r, path, NULL, "%s", folder) || (dir = opendir(path)) == NULL) {
        return 0;
    }
    for (unsigned n = 0; n < FILES_MAX && (entry = readdir(dir)) != NULL; n++) {
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
            sum += (uint64_t)st.st_size;
        }
    }
    closedir(dir);
    return sum;
}

static void
put_commits(metrics *m)
{
    const recorder_counts *c = &m->r->counts;
    exposition *e = &m->e;
    char bound[32];

    exposition_family(e, EXPOSITION_HISTOGRAM, "licet_journal_commit_seconds",
                      "Time to make a batch durable: one write of the journal and its fdatasync.");
    for (unsigned i = 0; i < COUNTS_COMMIT_BUCKETS; i++) {
        int len = snprintf(bound, sizeof(bound), "%u.%06u", counts_commit_bounds_us[i] / 1000000,
                           counts_commit_bounds_us[i] % 1000000);

        while (bound[len - 1] == '0' && bound[len - 2] != '.') {
            bound[--len] = '\0';
        }
        exposition_put_part(e, "_bucket", c->commit_buckets[i], 0, "le", bound, NULL);
    }
    exposition_put_part(e, "_bucket", c->commits, 0, "le", "+Inf", NULL);
    exposition_put_part(e, "_sum", c->commit_ns, 9, NULL);
    exposition_put_part(e, "_count", c->commits, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_journal_commit_failures",
                      "Batches that could not be made durable.");
    exposition_put(e, c->commits_failed, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_journal_entries", "Entries made durable in the journal.");
    exposition_put(e, c->entries, 0, NULL);
    exposition_family(e, EXPOSITION_GAUGE, "licet_journal_bytes", "Size of the journal on disk.");
    exposition_put(e, folder_bytes(m->r, "data", "journal"), 0, NULL);
}

typedef enum ledger_value { LEDGER_ENTRIES, LEDGER_BYTES, LEDGER_SIGNED, LEDGER_SIGNED_AT } ledger_value;

static void
put_ledger(metrics *m, uint32_t cell, ledger_value what)
{
    const recorder_book *book = recorder_book_of(m->r, cell);
    char path[PATH_MAX];
    struct stat st;

    if (book == NULL || book->ledger == NULL) {
        return;
    }
    switch (what) {
    case LEDGER_ENTRIES:
        exposition_put(&m->e, licet_ledger_size(book->ledger), 0, "ledger", book->name, NULL);
        break;
    case LEDGER_BYTES:
        exposition_put(&m->e, folder_bytes(m->r, "data/ledger", book->name), 0, "ledger", book->name, NULL);
        break;
    case LEDGER_SIGNED:
        exposition_put(&m->e, book->signed_size, 0, "ledger", book->name, NULL);
        break;
    case LEDGER_SIGNED_AT:
        if (recorder_path(m->r, path, NULL, "data/ledger/%s/checkpoint", book->name) && stat(path, &st) == 0) {
            exposition_put(&m->e, (uint64_t)st.st_mtim.tv_sec * 1000 + (uint64_t)st.st_mtim.tv_nsec / 1000000, 3,
                           "ledger", book->name, NULL);
        }
        break;
    }
}

static void
put_ledgers(metrics *m)
{
    static const struct {
        const char *name, *help;
        ledger_value what;
    } families[] = {
        {"licet_ledger_entries", "Entries of a ledger.", LEDGER_ENTRIES},
        {"licet_ledger_bytes", "Size of a ledger on disk.", LEDGER_BYTES},
        {"licet_checkpoint_entries", "Entries that the newest signed checkpoint covers.", LEDGER_SIGNED},
        {"licet_checkpoint_timestamp_seconds", "When the newest checkpoint was written.", LEDGER_SIGNED_AT},
    };
    uint64_t behind = 0;

    for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
        exposition_family(&m->e, EXPOSITION_GAUGE, families[f].name, families[f].help);
        for (uint32_t cell = 0; cell < told(m); cell++) {
            put_ledger(m, cell, families[f].what);
        }
    }
    for (uint32_t cell = 0; cell < m->r->books_len; cell++) {
        const recorder_book *book = m->r->books[cell];

        behind += book->ledger != NULL && licet_ledger_size(book->ledger) != book->signed_size ? 1 : 0;
    }
    exposition_family(&m->e, EXPOSITION_GAUGE, "licet_ledgers", "Ledgers of this site.");
    exposition_put(&m->e, m->r->books_len, 0, NULL);
    exposition_family(&m->e, EXPOSITION_GAUGE, "licet_ledgers_unsigned",
                      "Ledgers that hold entries which no signed checkpoint covers yet.");
    exposition_put(&m->e, behind, 0, NULL);
}

static void
put_disk(metrics *m)
{
    char path[PATH_MAX];
    struct statvfs fs;
    bool known = recorder_path(m->r, path, NULL, "data") && statvfs(path, &fs) == 0;

    exposition_family(&m->e, EXPOSITION_GAUGE, "licet_disk_free_bytes",
                      "Room for this process on the file system of journal and ledgers.");
    if (known) {
        exposition_put(&m->e, (uint64_t)fs.f_bavail * fs.f_frsize, 0, NULL);
    }
    exposition_family(&m->e, EXPOSITION_GAUGE, "licet_disk_size_bytes", "Size of that file system.");
    if (known) {
        exposition_put(&m->e, (uint64_t)fs.f_blocks * fs.f_frsize, 0, NULL);
    }
}

/* ---- the process ---------------------------------------------------------------------------- */

static void
put_process(metrics *m)
{
    licet_recorder *r = m->r;
    exposition *e = &m->e;
    char gate[8];

    snprintf(gate, sizeof(gate), "%u", r->config.gate);
    exposition_family(e, EXPOSITION_INFO, "licet_build", "Version of licetd, and which gate of which party this is.");
    exposition_put(e, 1, 0, "version", LICET_BUILD, "party", r->config.party, "gate", gate, NULL);
    exposition_family(e, EXPOSITION_GAUGE, "process_start_time_seconds",
                      "When this process began; counters count since.");
    exposition_put(e, r->began_ms, 3, NULL);
    exposition_family(e, EXPOSITION_GAUGE, "licet_alive_timestamp_seconds",
                      "Last sign of life of the recorder's loop, as the workers see it.");
    if (r->gate != NULL) {
        exposition_put(e, licet_gate_alive_ms(r->gate->gate), 3, NULL);
    }
    exposition_family(e, EXPOSITION_GAUGE, "licet_recording", "1: what is delivered is recorded. 0: nothing can be.");
    exposition_put(e, r->stalled ? 0 : 1, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_recording_stalls", "Times that recording became impossible.");
    exposition_put(e, r->counts.stalls, 0, NULL);
    exposition_family(e, EXPOSITION_GAUGE, "licet_usage_tables_behind",
                      "1: the usage tables could not be brought up to date; nothing is lost.");
    exposition_put(e, r->usage_behind ? 1 : 0, 0, NULL);
    exposition_family(e, EXPOSITION_COUNTER, "licet_applies", "Changes of the site's files, by outcome.");
    exposition_put(e, r->counts.applies, 0, "outcome", "applied", NULL);
    exposition_put(e, r->counts.applies_refused, 0, "outcome", "refused", NULL);
    exposition_family(e, EXPOSITION_GAUGE, "licet_apply_timestamp_seconds",
                      "When changes were applied last by this process; 0: not yet.");
    exposition_put(e, r->counts.applied_ms, 3, NULL);
    exposition_family(e, EXPOSITION_GAUGE, "licet_apply_duration_seconds", "How long that took.");
    exposition_put(e, r->counts.apply_ns, 9, NULL);
}

bool
licet_recorder_metrics(licet_recorder *r, licet_metrics_format format, uint64_t now_ms, licet_buffer *out,
                       licet_error *err)
{
    metrics *m = calloc(1, sizeof(*m));

    if (m == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for metrics");
    }
    m->r = r;
    m->now_ms = now_ms;
    exposition_begin(&m->e, out, format);
    put_agreements(m);
    exposition_family(&m->e, EXPOSITION_GAUGE, "licet_lease_granted_units",
                      "Units lent to the workers since the shared memory was made; what is granted and not recorded "
                      "bounds a gap.");
    put_leases(m, true);
    exposition_family(&m->e, EXPOSITION_GAUGE, "licet_lease_taken_units", "Of these, units taken by responses.");
    put_leases(m, false);
    put_gates(m);
    put_workers(m);
    put_commits(m);
    put_ledgers(m);
    put_disk(m);
    put_process(m);
    exposition_end(&m->e);
    free(m);
    return !out->failed || LICET_FAIL(err, LICET_E_LIMIT, 0, "the metrics take more than %zu bytes", out->ceiling);
}
