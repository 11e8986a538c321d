/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allow: how much may go up without a slot while nothing can be recorded,
 * made durable ahead of it, so that a power loss has a bound for that too.
 *
 *  (1) A total is durable in the lease store before it is stored in shared memory: as units of two kinds that no
 *      catalogue can name.
 *  (2) Ahead lies what one outage may use: N of 'allow N'; of 'open' an hour of the busiest use, and OPEN_LEAST
 * requests at least. What goes up beyond that is refused, whatever cannot_record says: nobody could state it
 * afterwards. (3) While recording is impossible but the lease store can still be written (room was allocated ahead),
 * what is ahead of 'open' is renewed as it is used. 'allow N' stays N until the outage is over. (4) What lies here
 * outlives the state that is opened anew after a failure.
 */
#include "rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_LEAST 65536u
#define OPEN_MOST (UINT64_C(1) << 32)
#define OPEN_SECONDS 3600u
#define UNITS_MOST (UINT64_C(1) << 52)

typedef struct ahead {
    uint64_t requests, units;
} ahead;

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
greatest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The largest page of any endpoint that could be let through: one without a page for each of its units is not. */
static uint64_t
largest_page(const licet_image *image)
{
    uint64_t most = 0;

    for (uint32_t i = 0; i < image->header->endpoints_len; i++) {
        const licet_image_endpoint *e = &image->endpoints[i];
        uint64_t page = 0;
        bool known = true;

        for (uint32_t k = 0; k < e->counts.count; k++) {
            const licet_image_count *count = &image->counts[e->counts.first + k];

            known = known && count->page_from != LICET_PAGE_NONE;
            page = greatest(page, count->page_most);
        }
        most = known ? greatest(most, page) : most;
    }
    return most;
}

static ahead
ahead_of_version(const licet_image *image, const licet_image_version *version, uint64_t open_requests)
{
    uint64_t page = largest_page(image), units;
    ahead out = {0, 0};

    if (version->cannot_record == LICET_CANNOT_RECORD_OPEN) {
        out.requests = open_requests;
    } else if (version->cannot_record == LICET_CANNOT_RECORD_ALLOW) {
        out.requests = least(version->allow_units, UNITS_MOST);
    }
    if (__builtin_mul_overflow(out.requests, page, &units)) {
        units = UNITS_MOST;
    }
    if (version->cannot_record == LICET_CANNOT_RECORD_ALLOW && version->allow_kind != LICET_KIND_REQUEST) {
        units = out.requests; /* N units, however few requests bring them */
    }
    out.units = least(units, UNITS_MOST);
    return out;
}

static ahead
ahead_of(const licet_image *image, uint64_t busiest, bool open_only)
{
    uint64_t requests = least(greatest(busiest * OPEN_SECONDS, OPEN_LEAST), OPEN_MOST);
    ahead most = {0, 0};

    for (uint32_t v = 0; v < image->header->versions_len; v++) {
        const licet_image_version *version = &image->versions[v];

        if (!open_only || version->cannot_record == LICET_CANNOT_RECORD_OPEN) {
            ahead one = ahead_of_version(image, version, requests);

            most.requests = greatest(most.requests, one.requests);
            most.units = greatest(most.units, one.units);
        }
    }
    return most;
}

/* ---- the totals ------------------------------------------------------------------ */

static bool
grow(licet_recorder *r, uint32_t cells, licet_error *err)
{
    recorder_allowed *grown;

    if (cells <= r->allowed_len) {
        return true;
    }
    grown = realloc(r->allowed, cells * sizeof(*grown));
    if (grown == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for what may go up without a slot");
    }
    memset(grown + r->allowed_len, 0, (cells - r->allowed_len) * sizeof(*grown));
    r->allowed = grown;
    r->allowed_len = cells;
    return true;
}

void
recorder_allow_begin(licet_recorder *r)
{
    for (uint32_t i = 0; i < r->allowed_len; i++) {
        r->allowed[i].requests = r->allowed[i].units = 0;
    }
}

bool
recorder_allow_recall(licet_recorder *r, const licet_lease_grant *grant)
{
    bool requests = strcmp(grant->kind, RECORDER_ALLOW_REQUESTS) == 0;

    if (!requests && strcmp(grant->kind, RECORDER_ALLOW_UNITS) != 0) {
        return false;
    }
    if (grant->cell < licet_store_cells(r->store) && grow(r, grant->cell + 1, NULL)) {
        recorder_allowed *allowed = &r->allowed[grant->cell];
        uint64_t *total = requests ? &allowed->requests : &allowed->units;

        *total = greatest(*total, grant->granted);
    }
    return true;
}

void
recorder_allow_used(licet_recorder *r, uint32_t cell, uint64_t requests_a_second)
{
    if (cell < r->allowed_len) {
        recorder_allowed *allowed = &r->allowed[cell];

        allowed->busiest = greatest(requests_a_second, allowed->busiest - allowed->busiest / OPEN_SECONDS);
    }
}

void
recorder_allow_revoke(licet_recorder *r, licet_gate *gate)
{
    for (uint32_t i = 0; i < licet_gate_cells(gate) && i < r->allowed_len; i++) {
        licet_gate_allow(gate, i, 0, 0);
    }
}

/* ---- granting -------------------------------------------------------------------- */

typedef struct raising {
    licet_lease_grant *list; /* two for each cell */
    size_t len;
} raising;

static void
raise_one(raising *g, uint32_t cell, const char *kind, uint64_t total)
{
    licet_lease_grant *grant = &g->list[g->len++];

    *grant = (licet_lease_grant){.cell = cell, .granted = total};
    snprintf(grant->kind, sizeof(grant->kind), "%s", kind);
}

/* True when less than three quarters of what should lie ahead does. */
static bool
short_of(uint64_t total, uint64_t used, uint64_t wanted)
{
    return total < used + wanted - wanted / 4;
}

static void
raise_cell(licet_recorder *r, raising *g, uint32_t cell, bool open_only)
{
    const licet_image *image = licet_store_image(r->store, cell);
    recorder_allowed *allowed = &r->allowed[cell];
    uint64_t requests, units;
    ahead wanted;

    if (image == NULL) {
        return;
    }
    wanted = ahead_of(image, allowed->busiest, open_only);
    licet_gate_unrecorded_all(r->gate->gate, cell, &requests, &units);
    requests = least(requests, allowed->requests); /* no worker adds more: what says so is not believed */
    units = least(units, allowed->units);
    if ((wanted.requests > 0 || wanted.units > 0) &&
        (short_of(allowed->requests, requests, wanted.requests) || short_of(allowed->units, units, wanted.units))) {
        raise_one(g, cell, RECORDER_ALLOW_REQUESTS, greatest(allowed->requests, requests + wanted.requests));
        raise_one(g, cell, RECORDER_ALLOW_UNITS, greatest(allowed->units, units + wanted.units));
    }
}

static uint32_t
cells_of(const licet_recorder *r)
{
    uint32_t cells = licet_store_cells(r->store), rows = licet_gate_cells(r->gate->gate);

    return cells < rows ? cells : rows;
}

bool
recorder_allow(licet_recorder *r, bool open_only, licet_error *err)
{
    uint32_t cells = cells_of(r);
    raising g = {NULL, 0};
    bool ok = false;

    if (!grow(r, cells, err)) {
        return false;
    }
    g.list = calloc((size_t)cells * 2 + 1, sizeof(*g.list));
    if (g.list == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for what may go up without a slot");
    }
    for (uint32_t i = 1; i < cells; i++) {
        raise_cell(r, &g, i, open_only);
    }
    if (g.len > 0 && !r->lease_store->ops->grant(r->lease_store, r->gate->epoch, g.list, g.len, err)) {
        goto done;
    }
    for (size_t i = 0; i < g.len; i += 2) {
        r->allowed[g.list[i].cell].requests = g.list[i].granted;
        r->allowed[g.list[i].cell].units = g.list[i + 1].granted;
    }
    for (uint32_t i = 1; i < cells; i++) {
        licet_gate_allow(r->gate->gate, i, r->allowed[i].requests, r->allowed[i].units);
    }
    ok = true;
done:
    free(g.list);
    return ok;
}
