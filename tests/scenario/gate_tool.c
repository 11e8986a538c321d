/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_tool: licetd's side of a gate, by hand, for the stories of this folder.
 *
 *   gate_tool SITE SHM OUT [--lease N] [--workers N] [--slots N] [--ring N] [--epoch N] [--late 1]
 *
 * Applies SITE, makes the shared memory SHM, lends each agreement N units of every kind ahead of use (default a
 * million, 0: none; --late 1: only once a worker asked) and writes each finished receipt as one JSON line to OUT, each
 * batch of ids to OUT.ids, and what was let through without a slot or refused to strangers to OUT.other. SIGHUP applies
 * SITE again. SIGTERM ends it in order.
 *
 *  (1) A line is written only whole, so that a story may read while it grows.
 *  (2) It journals nothing: it exists to be looked at.
 */
#include "licet/agreement.h"
#include "licet/gate.h"
#include "licet/store.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CELLS_MAX 64
#define ALLOWED (UINT64_C(1) << 40) /* requests and units without a slot: no story needs more */
#define OTHER_EACH 200              /* rounds: two looks without anything new end an outage */
#define LINE_MAX_BYTES 65536

typedef struct tool {
    const char *dir, *shm;
    uint64_t lease;
    uint32_t workers, slots, ring, epoch, late;
    FILE *out, *ids, *other;
    licet_store *store;
    licet_gate *gate;
    licet_gate_keys keys;
} tool;

static volatile sig_atomic_t stopped, again;

static void
on_signal(int signal)
{
    if (signal == SIGHUP) {
        again = 1;
    } else {
        stopped = 1;
    }
}

static uint64_t
now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- JSON lines ------------------------------------------------------------- */

static void
put_text(licet_buffer *line, const char *name, licet_bytes text)
{
    licet_put_format(line, ",\"%s\":\"", name);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] == '"' || text.data[i] == '\\') {
            licet_put_format(line, "\\u%04x", text.data[i]);
        } else {
            licet_put_u8(line, text.data[i]);
        }
    }
    licet_put_u8(line, '"');
}

static void
put_units(licet_buffer *line, const licet_image *image, const char *name, const uint64_t *units)
{
    const char *comma = "";

    licet_put_format(line, ",\"%s\":{", name);
    for (uint32_t kind = 0; kind < image->header->kinds_len; kind++) {
        licet_bytes unit = licet_image_text(image, image->header->kinds[kind]);
        if (units[kind] > 0) {
            licet_put_format(line, "%s\"%.*s\":%llu", comma, (int)unit.len, (const char *)unit.data,
                             (unsigned long long)units[kind]);
            comma = ",";
        }
    }
    licet_put_u8(line, '}');
}

static const char *
reason_slug(uint8_t reason)
{
    return reason < LICET_REASONS_LEN ? licet_reason_slug((licet_reason)reason) : "?";
}

static void
put_names(licet_buffer *line, const licet_image *image, const licet_wide *w)
{
    put_text(line, "agreement", licet_image_text(image, image->header->agreement));
    put_text(line, "app", licet_image_text(image, image->apps[w->app].id));
    if (w->credential != LICET_NONE) {
        put_text(line, "credential", licet_image_text(image, image->credentials[w->credential].id));
    }
    if (w->use_case != LICET_NONE) {
        put_text(line, "use_case", licet_image_text(image, image->use_cases[w->use_case].id));
    }
    if (w->endpoint != LICET_NONE) {
        put_text(line, "endpoint", licet_image_text(image, image->endpoints[w->endpoint].id));
    }
    if (w->clause != LICET_NONE) {
        put_text(line, "clause", licet_image_text(image, image->clauses[w->clause].key));
    }
    put_text(line, "purpose", licet_bytes_of(w->purpose, w->purpose_len));
    put_text(line, "recipient", licet_bytes_of(w->recipient, w->recipient_len));
}

static void
write_line(FILE *out, licet_buffer *line)
{
    licet_put_format(line, "}\n");
    (void)fwrite(line->data, 1, line->len, out);
    (void)fflush(out);
    line->len = 0;
}

static void
write_receipt(tool *t, uint32_t area, const licet_wide *w)
{
    const licet_image *image = licet_store_image_number(t->store, w->image);
    char decision[LICET_DECISION_TEXT];
    licet_buffer line;

    licet_buffer_init(&line, LINE_MAX_BYTES);
    licet_decision_id(t->keys.decision, w->identity, decision);
    licet_put_format(&line, "{\"area\":%u,\"decision\":\"%s\"", area, decision);
    if (image != NULL) {
        put_names(&line, image, w);
        put_units(&line, image, "units", w->units);
        put_units(&line, image, "reserved", w->reserved);
        put_units(&line, image, "ids", w->ids);
    }
    licet_put_format(
        &line, ",\"status\":%u,\"ending\":\"%s\",\"verdict\":\"%s\",\"reason\":\"%s\",\"unmetered\":\"%s\"", w->status,
        licet_ending_text((licet_ending)w->ending), licet_verdict_name((licet_verdict_kind)w->verdict),
        reason_slug(w->reason), licet_unmetered_slug((licet_unmetered)w->unmetered));
    licet_put_format(&line, ",\"bytes\":%llu,\"duration_ms\":%u", (unsigned long long)w->bytes, w->duration_ms);
    if (w->bytes_acked != UINT64_MAX) {
        licet_put_format(&line, ",\"acked\":%llu", (unsigned long long)w->bytes_acked);
    }
    write_line(t->out, &line);
    licet_buffer_done(&line);
}

/* ---- draining ----------------------------------------------------------------- */

static void
drain_ids(tool *t, uint32_t area)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    licet_buffer buffer, line;
    licet_ids_chunk chunk;
    char decision[LICET_DECISION_TEXT];
    uint64_t at = licet_gate_ids_tail(t->gate, area), head = licet_gate_ids_head(t->gate, area);

    licet_buffer_init(&buffer, 1u << 20);
    licet_buffer_init(&line, 1u << 20);
    while (at < head) {
        if (!licet_gate_ids_peek(t->gate, area, at, &buffer, &chunk, &at, &err)) {
            fprintf(stderr, "gate_tool: ids of area %u: %s\n", area, err.text);
            at = head;
            break;
        }
        licet_decision_id(t->keys.decision, chunk.identity, decision);
        licet_put_format(&line, "{\"decision\":\"%s\",\"count\":%u,\"ids\":[", decision, chunk.count);
        licet_cursor cursor = {.in = chunk.ids};
        for (uint32_t i = 0; i < chunk.count; i++) {
            uint8_t len;
            licet_bytes id;
            if (licet_take_u8(&cursor, &len) && licet_take_bytes(&cursor, len, &id)) {
                licet_put_format(&line, "%s\"%.*s\"", i > 0 ? "," : "", (int)id.len, (const char *)id.data);
            }
        }
        licet_put_u8(&line, ']');
        write_line(t->ids, &line);
    }
    licet_gate_ids_release(t->gate, area, at);
    licet_buffer_done(&buffer);
    licet_buffer_done(&line);
}

static void
drain_area(tool *t, uint32_t area)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    uint64_t at = licet_gate_tail(t->gate, area), head = licet_gate_head(t->gate, area);
    licet_wide wide;

    drain_ids(t, area);
    for (; at < head; at++) {
        if (licet_gate_peek(t->gate, area, at, &wide, &err)) {
            write_receipt(t, area, &wide);
        } else {
            fprintf(stderr, "gate_tool: area %u: %s\n", area, err.text);
        }
    }
    licet_gate_release(t->gate, area, at);
}

static void
drain_other(tool *t)
{
    uint64_t requests, units, count;

    for (uint32_t cell = 1; cell < licet_store_cells(t->store); cell++) {
        if (licet_gate_unrecorded_take(t->gate, cell, &requests, &units)) {
            fprintf(t->other, "{\"unrecorded\":\"%s\",\"requests\":%llu,\"units\":%llu}\n",
                    licet_store_cell_name(t->store, cell), (unsigned long long)requests, (unsigned long long)units);
        }
    }
    for (uint32_t cell = 1; cell < licet_store_cells(t->store); cell++) {
        for (unsigned reason = 0; reason < LICET_REASONS_LEN; reason++) {
            count = licet_gate_refused(t->gate, cell, (licet_reason)reason);
            licet_gate_refused_release(t->gate, cell, (licet_reason)reason, count);
            if (count > 0) {
                fprintf(t->other, "{\"refused\":\"%s\",\"reason\":\"%s\",\"count\":%llu}\n",
                        licet_store_cell_name(t->store, cell), reason_slug((uint8_t)reason), (unsigned long long)count);
            }
        }
    }
    for (unsigned reason = 0; reason < LICET_REASONS_LEN; reason++) {
        count = licet_gate_unidentified(t->gate, (licet_reason)reason);
        licet_gate_unidentified_release(t->gate, (licet_reason)reason, count);
        if (count > 0) {
            fprintf(t->other, "{\"unidentified\":\"%s\",\"count\":%llu}\n", reason_slug((uint8_t)reason),
                    (unsigned long long)count);
        }
    }
    (void)fflush(t->other);
}

/* Late: only what a worker asked for, in the round after. */
static void
lend_late(tool *t)
{
    uint32_t wanted[CELLS_MAX], n = licet_gate_lease_wanted(t->gate, wanted, CELLS_MAX);

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
            licet_lease_value value = licet_gate_lease(t->gate, wanted[i], kind);
            licet_gate_lease_grant(t->gate, wanted[i], kind, value.taken + t->lease);
        }
    }
}

static void
lend(tool *t)
{
    for (uint32_t cell = 1; cell < licet_store_cells(t->store); cell++) {
        licet_gate_allow(t->gate, cell, ALLOWED, ALLOWED);
    }
    if (t->late) {
        lend_late(t);
        return;
    }
    for (uint32_t cell = 1; cell < licet_store_cells(t->store); cell++) {
        for (uint32_t kind = 0; t->lease > 0 && kind < LICET_KINDS_MAX; kind++) {
            licet_lease_value value = licet_gate_lease(t->gate, cell, kind);
            if (value.granted < value.taken + t->lease / 2) {
                licet_gate_lease_grant(t->gate, cell, kind, value.taken + t->lease);
            }
        }
    }
}

static void
turn(tool *t, bool all)
{
    licet_gate_alive(t->gate, now_ms());
    lend(t);
    (void)licet_gate_adopt(t->gate, now_ms(), NULL, NULL); /* their receipts come by the ring */
    for (uint32_t area = 0; area < licet_gate_areas(t->gate); area++) {
        drain_area(t, area);
    }
    if (all) {
        drain_other(t);
    }
}

/* ---- start ----------------------------------------------------------------------- */

static bool
apply(tool *t, licet_error *err)
{
    licet_mistakes mistakes = {NULL, 0, 0};
    licet_store_changes changes = {NULL, 0};
    licet_site *site = NULL;
    bool ok = licet_site_load(t->dir, &mistakes, &site, err);

    for (size_t i = 0; i < mistakes.len; i++) {
        fprintf(stderr, "%s:%u:%u: %s\n", mistakes.list[i].file, mistakes.list[i].line, mistakes.list[i].column,
                mistakes.list[i].text);
    }
    ok = ok && licet_store_apply(t->store, site, &changes, err);
    licet_store_changes_done(&changes);
    licet_mistakes_done(&mistakes);
    licet_site_free(site);
    return ok;
}

static bool
start(tool *t, licet_error *err)
{
    if (!licet_gate_keys_read(t->dir, true, &t->keys, err) || !licet_store_open(t->dir, false, &t->store, err) ||
        !apply(t, err)) {
        return false;
    }
    licet_gate_options options = {.gate = 1,
                                  .epoch = t->epoch,
                                  .workers = t->workers,
                                  .slots = t->slots,
                                  .ring = t->ring,
                                  .cells = CELLS_MAX,
                                  .counters = licet_store_counters(t->store) + 64,
                                  .images = licet_store_images(t->store),
                                  .mode = 0666,
                                  .gid = -1};
    memcpy(options.decision_key, t->keys.decision, sizeof(options.decision_key));
    memcpy(options.credential_key, t->keys.credential, sizeof(options.credential_key));
    (void)umask(0);
    if (!licet_gate_create(t->shm, &options, &t->gate, err)) {
        return false;
    }
    lend(t);
    licet_gate_alive(t->gate, now_ms());
    licet_gate_publish(t->gate, licet_store_generation(t->store));
    return true;
}

static bool
open_outputs(tool *t, const char *out)
{
    char name[4096];

    t->out = fopen(out, "ae");
    (void)snprintf(name, sizeof(name), "%s.ids", out);
    t->ids = fopen(name, "ae");
    (void)snprintf(name, sizeof(name), "%s.other", out);
    t->other = fopen(name, "ae");
    return t->out != NULL && t->ids != NULL && t->other != NULL;
}

static bool
options_read(tool *t, int argc, char **argv, const char **out_file)
{
    static const struct option options[] = {{"lease", required_argument, NULL, 'l'},
                                            {"workers", required_argument, NULL, 'w'},
                                            {"slots", required_argument, NULL, 's'},
                                            {"epoch", required_argument, NULL, 'e'},
                                            {"late", required_argument, NULL, 'a'},
                                            {"ring", required_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint64_t value = 0;
        if (c == '?' || !licet_parse_u64(licet_bytes_of_text(optarg), &value) || value > UINT32_MAX) {
            return false;
        }
        if (c == 'l') {
            t->lease = value;
        } else if (c == 'r') {
            t->ring = (uint32_t)value;
        } else {
            *(c == 'w' ? &t->workers : c == 's' ? &t->slots : c == 'a' ? &t->late : &t->epoch) = (uint32_t)value;
        }
    }
    if (argc - optind != 3) {
        return false;
    }
    t->dir = argv[optind];
    t->shm = argv[optind + 1];
    *out_file = argv[optind + 2];
    return true;
}

int
main(int argc, char **argv)
{
    tool t = {.lease = 1000000, .workers = 4, .slots = 64, .epoch = 1};
    struct sigaction action = {.sa_handler = on_signal};
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    const char *out = NULL;

    if (!options_read(&t, argc, argv, &out)) {
        fprintf(stderr, "usage: gate_tool SITE SHM OUT [--lease N] [--workers N] [--slots N] [--ring N] [--epoch N] "
                        "[--late 1]\n");
        return 2;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    if (!open_outputs(&t, out) || !start(&t, &err)) {
        fprintf(stderr, "gate_tool: %s\n", err.code != LICET_E_NONE ? err.text : strerror(errno));
        return 2;
    }
    printf("ready\n");
    (void)fflush(stdout);
    for (unsigned round = 0; !stopped; round++) {
        if (again) {
            again = 0;
            if (apply(&t, &err)) {
                licet_gate_publish(t.gate, licet_store_generation(t.store));
            } else {
                fprintf(stderr, "gate_tool: %s\n", err.text);
            }
        }
        turn(&t, round % OTHER_EACH == 0);
        (void)usleep(2000);
    }
    turn(&t, true);
    licet_gate_close(t.gate);
    licet_store_close(t.store);
    return 0;
}
