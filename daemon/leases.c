/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: how much is lent to the workers ahead of use.
 *
 *  (1) A total is durable in the lease store before it is stored in shared memory.
 *  (2) A step covers what one second uses twice over, at least PAGES_LEAST of the largest page that the catalogues can
 *      bring, at most STEP_MOST; it shrinks again when use does. What is lent and not recorded bounds the gap after a
 *      power loss, so more is not better.
 *  (3) A quarter of the least step is kept back for responses under way: a page that outgrows its reservation is handed
 *      on only within what is granted, so that the bound holds for it too.
 *  (4) Who is short waits, an admission 100 ms: one look lends what all of them are short of, twice over, whatever the
 *      step was. A burst at a cold agreement needs two looks, not one for each 48 pages.
 *  (5) Nothing is lent while recording is impossible: the workers run dry and cannot_record applies.
 */
#include "rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_LEAST 64
#define REQUESTS_LEAST 4096
#define UNITS_LEAST 8192 /* of a unit whose pages have no known size: one buffer may bring thousands */
#define STEP_MOST (UINT64_C(1) << 32)
#define OVERRUN_MOST (16 * STEP_MOST)
#define WANTED_MOST 1024
#define GRANTS_MOST 4096
#define JUDGE_MS 1000
#define WISH_MOST (UINT64_C(1) << 24)

typedef struct granting {
    licet_lease_grant list[GRANTS_MOST];
    struct {
        uint32_t cell, kind;
    } of[GRANTS_MOST];
    size_t len;
} granting;

/* Somebody found a lease short, or half empty. */
typedef struct shortage {
    uint64_t units; /* what all who ask are short of; one buffer can bring thousands */
    bool replaced;  /* in a replaced file: what is left in the one in force says nothing of it */
} shortage;

/* UINT64_MAX when a page of the kind has no known size. */
static uint64_t
largest_page(const licet_image *image, uint32_t kind)
{
    uint64_t most = 1;

    for (uint32_t i = 0; i < image->header->counts_len; i++) {
        const licet_image_count *count = &image->counts[i];

        if (count->kind == kind && count->page_from == LICET_PAGE_NONE) {
            return UINT64_MAX;
        }
        if (count->kind == kind && count->page_most > most) {
            most = count->page_most;
        }
    }
    return most;
}

static uint64_t
least_step(const licet_image *image, uint32_t kind)
{
    uint64_t page = largest_page(image, kind);

    if (kind == LICET_KIND_REQUEST) {
        return REQUESTS_LEAST;
    }
    if (page == UINT64_MAX) {
        return UNITS_LEAST;
    }
    return page < STEP_MOST / PAGES_LEAST ? page * PAGES_LEAST : STEP_MOST;
}

/* A lease as far as it can be believed. Nobody but licetd grants, and what workers take beyond a grant, in overruns, is
 * never far beyond: what a worker wrote over it must neither be lent for ever nor bound a gap. */
static licet_lease_value
lease_of(licet_recorder *r, const recorder_book *book, uint32_t kind)
{
    licet_gate *gate = r->gate->gate;
    licet_lease_value now = licet_gate_lease(gate, book->cell, kind);
    uint64_t granted = book->leases[kind].granted;

    if (granted != 0 && now.granted > granted) {
        recorder_damage(r, COUNTS_DAMAGE_COUNTER, "%s: somebody wrote over a lease, %llu units granted; put right",
                        book->name, (unsigned long long)now.granted);
        licet_gate_lease_restore(gate, book->cell, kind, granted);
        now.granted = granted;
    }
    if (now.taken > now.granted && now.taken - now.granted > OVERRUN_MOST) {
        recorder_damage(r, COUNTS_DAMAGE_COUNTER,
                        "%s: somebody wrote over a lease, %llu units taken of %llu granted; put right", book->name,
                        (unsigned long long)now.taken, (unsigned long long)now.granted);
        (void)licet_gate_lease_swap(gate, book->cell, kind, now.taken, now.granted); /* else at the next look */
        now.taken = now.granted;
    }
    return now;
}

/* Looks at the use since the last look; about each second. Returns it. */
static uint64_t
judge(recorder_lease *lease, uint64_t taken, uint64_t least)
{
    uint64_t use = taken > lease->taken_before ? taken - lease->taken_before : 0;
    uint64_t step = use < STEP_MOST / 2 ? use * 2 : STEP_MOST;

    if (step < lease->step / 2) {
        step = lease->step / 2;
    }
    lease->step = step > least ? step : least;
    lease->taken_before = taken;
    return use;
}

/* Sends what was gathered: first durable, then to the workers. */
static bool
grants_send(licet_recorder *r, granting *g, licet_error *err)
{
    LICET_STEP(GRANT);
    if (g->len > 0 && !r->lease_store->ops->grant(r->lease_store, r->gate->epoch, g->list, g->len, err)) {
        return false;
    }
    LICET_STEP(GRANT_DURABLE);
    for (size_t i = 0; i < g->len; i++) {
        r->books[g->of[i].cell]->leases[g->of[i].kind].granted = g->list[i].granted;
        licet_gate_lease_grant(r->gate->gate, g->of[i].cell, g->of[i].kind, g->list[i].granted);
    }
    LICET_STEP(GRANTED);
    g->len = 0;
    return true;
}

/* Because it was short of what was asked for, or nearly ran dry before we looked: what is kept back is no room for
 * those who ask. Twice what was asked for, since more come while it is made durable; but eight times the step at one
 * look: who waits asks again and again, and after an outage that would widen the gap's bound without need. */
static bool
step_raise(recorder_lease *lease, uint32_t kind, uint64_t room, uint64_t kept, const shortage *asking)
{
    uint64_t asked = (asking->units < WISH_MOST ? asking->units : WISH_MOST) * 2, step = kept + asked;

    if (!asking->replaced && step > lease->step * 8) {
        step = lease->step * 8;
    }
    if (kind != LICET_KIND_REQUEST && asked > 0 && (asking->replaced || asked > room) && lease->step < step) {
        lease->step = step;
        return true;
    }
    if (room >= lease->step / 8 || lease->step >= STEP_MOST / 2) {
        return false;
    }
    lease->step *= 2;
    return true;
}

static bool
grant_kind(licet_recorder *r, granting *g, recorder_book *book, const licet_image *image, uint32_t kind,
           const shortage *asking, licet_error *err)
{
    licet_lease_value now = lease_of(r, book, kind);
    recorder_lease *lease = &book->leases[kind];
    licet_bytes name = licet_image_text(image, image->header->kinds[kind]);
    uint64_t least = least_step(image, kind), left = now.granted > now.taken ? now.granted - now.taken : 0;
    uint64_t kept = kind == LICET_KIND_REQUEST ? 0 : least / 4;

    if (lease->step < least) {
        lease->step = least;
    }
    licet_gate_lease_keep(r->gate->gate, book->cell, kind, kept);
    if (asking != NULL && step_raise(lease, kind, left > kept ? left - kept : 0, kept, asking)) {
        r->fill = RECORDER_FULL;
    }
    if (left >= lease->step - lease->step / 8 && now.granted > 0) {
        return true;
    }
    if (g->len == GRANTS_MOST && !grants_send(r, g, err)) {
        return false;
    }
    g->of[g->len].cell = book->cell;
    g->of[g->len].kind = kind;
    g->list[g->len].cell = book->cell;
    snprintf(g->list[g->len].kind, sizeof(g->list[g->len].kind), "%.*s", (int)name.len, (const char *)name.data);
    g->list[g->len].granted = (now.taken > now.granted ? now.taken : now.granted) - left + lease->step;
    if (g->list[g->len].granted < now.granted) {
        g->list[g->len].granted = now.granted;
    }
    if (g->list[g->len].granted < lease->granted) {
        g->list[g->len].granted = lease->granted; /* durable, but a death kept it from the workers */
    }
    g->len++;
    return true;
}

static bool
grant_book(licet_recorder *r, granting *g, recorder_book *book, const shortage *asking, licet_error *err)
{
    const licet_image *image = licet_store_image(r->store, book->cell);

    if (image == NULL || book->cell == 0 || book->cell >= licet_gate_cells(r->gate->gate)) {
        return true;
    }
    for (uint32_t kind = 0; kind < image->header->kinds_len; kind++) {
        if (kind != LICET_KIND_BYTE && !grant_kind(r, g, book, image, kind, asking, err)) {
            return false;
        }
    }
    return true;
}

bool
recorder_leases_all(licet_recorder *r, licet_error *err)
{
    granting *g = calloc(1, sizeof(*g));
    bool ok = g != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for leases");

    for (uint32_t i = 0; ok && i < r->books_len; i++) {
        ok = grant_book(r, g, r->books[i], NULL, err);
    }
    ok = ok && grants_send(r, g, err);
    free(g);
    return ok;
}

static void
judge_all(licet_recorder *r)
{
    for (uint32_t i = 1; i < r->books_len && i < licet_gate_cells(r->gate->gate); i++) {
        const licet_image *image = licet_store_image(r->store, i);

        for (uint32_t kind = 0; image != NULL && kind < image->header->kinds_len; kind++) {
            uint64_t use =
                judge(&r->books[i]->leases[kind], lease_of(r, r->books[i], kind).taken, least_step(image, kind));

            if (kind == LICET_KIND_REQUEST) {
                recorder_allow_used(r, i, use);
            }
        }
    }
}

/* A response under way in a replaced file that needs more gets it from the file in force: taken there first, so that
 * the bound of a gap, which is what is lent there, covers it; a death in between leaves it unused. */
static void
lend_on(licet_recorder *r, recorder_gate *old, uint32_t cell)
{
    recorder_book *book = recorder_book_of(r, cell);
    const licet_image *image = book != NULL ? licet_store_image(r->store, cell) : NULL;

    for (uint32_t kind = 0; image != NULL && kind < image->header->kinds_len; kind++) {
        licet_lease_value there = licet_gate_lease(old->gate, cell, kind), here;
        uint64_t lent = there.granted > there.taken ? there.granted : there.taken, left = lent - there.taken;
        uint64_t step = book->leases[kind].step, room, units;

        if (kind == LICET_KIND_BYTE || left >= step / 2) {
            continue;
        }
        here = licet_gate_lease(r->gate->gate, cell, kind);
        room = here.granted > here.taken ? here.granted - here.taken : 0;
        units = room / 2 < step - left ? room / 2 : step - left;
        if (units > 0 && licet_gate_lease_swap(r->gate->gate, cell, kind, here.taken, here.taken + units)) {
            LICET_STEP(LENT_ON);
            licet_gate_lease_grant(old->gate, cell, kind, lent + units);
        }
    }
}

/* What those who ask for it in a file may have of the file in force. */
static bool
wanted_in(licet_recorder *r, recorder_gate *gate, licet_error *err)
{
    uint32_t cells[WANTED_MOST], n = licet_gate_lease_wanted(gate->gate, cells, WANTED_MOST);
    granting *g = NULL;
    bool ok = true;

    if (n == 0) {
        return true;
    }
    g = calloc(1, sizeof(*g));
    ok = g != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for leases");
    for (uint32_t i = 0; ok && i < n; i++) {
        recorder_book *book = recorder_book_of(r, cells[i]);

        if (book != NULL) {
            shortage asking = {.units = licet_gate_lease_wish(gate->gate, cells[i]), .replaced = gate != r->gate};

            ok = grant_book(r, g, book, &asking, err);
        }
    }
    ok = ok && grants_send(r, g, err);
    free(g);
    for (uint32_t i = 0; ok && gate != r->gate && i < n; i++) {
        lend_on(r, gate, cells[i]);
    }
    return ok;
}

bool
recorder_leases_wanted(licet_recorder *r, uint64_t now_ms, licet_error *err)
{
    if (now_ms >= r->lease_ms + JUDGE_MS || now_ms < r->lease_ms) {
        r->lease_ms = now_ms;
        judge_all(r);
    }
    for (size_t i = 0; i < r->old_len; i++) {
        if (!wanted_in(r, r->old[i], err)) {
            return false;
        }
    }
    return wanted_in(r, r->gate, err);
}

static bool
on_granted(void *user, const licet_lease_grant *grant)
{
    licet_recorder *r = user;
    recorder_book *book = recorder_book_of(r, grant->cell);
    const licet_image *image = book != NULL ? licet_store_image(r->store, grant->cell) : NULL;

    if (recorder_allow_recall(r, grant)) {
        return true;
    }
    for (uint32_t kind = 0; image != NULL && kind < image->header->kinds_len; kind++) {
        if (licet_bytes_equal_text(licet_image_text(image, image->header->kinds[kind]), grant->kind)) {
            book->leases[kind].granted = grant->granted;
        }
    }
    return true;
}

bool
recorder_leases_recall(licet_recorder *r, licet_error *err)
{
    uint32_t epoch;
    bool ended;

    return r->gate == NULL || r->lease_store->ops->each(r->lease_store, &epoch, &ended, on_granted, r, err);
}

void
recorder_leases_begin(licet_recorder *r)
{
    recorder_allow_begin(r);
    for (uint32_t i = 0; i < r->books_len; i++) {
        recorder_book *book = r->books[i];

        memset(book->recorded, 0, sizeof(book->recorded));
        book->gap_known = false;
        book->told_requests = book->told_units = 0;
        for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
            book->leases[kind] = (recorder_lease){.carried = book->leases[kind].carried};
        }
    }
}

/* Beyond what is recorded of it; of an epoch that is not the newest that is not known. */
static uint64_t
carried(const licet_recorder *r, const recorder_book *book, const licet_image *image, const recorder_gate *from,
        uint32_t kind)
{
    licet_lease_value lease = licet_gate_lease(from->gate, book->cell, kind);
    uint64_t lent = lease.granted > lease.taken ? lease.granted : lease.taken;
    uint8_t unit = recorder_unit_known(book, licet_image_text(image, image->header->kinds[kind]));
    uint64_t recorded = unit != 0 && from->epoch == r->lease_epoch ? book->recorded[unit] : 0;

    return lent > recorded ? lent - recorded : 0;
}

void
recorder_leases_carry(licet_recorder *r, recorder_gate *const *before, size_t n)
{
    for (uint32_t i = 1; i < r->books_len; i++) {
        recorder_book *book = r->books[i];
        const licet_image *image = licet_store_image(r->store, i);

        for (uint32_t kind = 0; image != NULL && kind < image->header->kinds_len; kind++) {
            book->leases[kind].carried = 0;
            for (size_t k = 0; k < n; k++) {
                book->leases[kind].carried += carried(r, book, image, before[k], kind);
            }
        }
    }
}

void
recorder_leases_inherit(licet_recorder *r)
{
    for (uint32_t i = 1; i < r->books_len; i++) {
        for (uint32_t kind = 0; kind < LICET_KINDS_MAX; kind++) {
            recorder_lease *lease = &r->books[i]->leases[kind];
            uint64_t taken = licet_gate_lease(r->gate->gate, i, kind).taken;

            if (lease->carried > taken) {
                licet_gate_lease_swap(r->gate->gate, i, kind, taken, lease->carried);
            }
            lease->taken_before = lease->carried;
            lease->carried = 0;
        }
    }
}
