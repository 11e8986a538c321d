/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of responses under way, see gather.h. */
#include "gather.h"

#include <stdlib.h>

#define BUCKETS 4096u
#define IDS_MAX ((size_t)1 << 32) /* of one response; the recorder gives up on a response long before */

struct ledger_gather {
    size_t len;
    uint64_t bytes, count;
    ledger_gathered *buckets[BUCKETS];
};

ledger_gather *
ledger_gather_new(void)
{
    return calloc(1, sizeof(ledger_gather));
}

/* Sequences of one gate follow each other: their low bits spread well. */
static uint32_t
bucket_of(uint32_t ledger, licet_identity identity)
{
    return ((uint32_t)identity.sequence ^ ledger * 2654435761u ^ identity.epoch) & (BUCKETS - 1);
}

static bool
is_of(const ledger_gathered *g, uint32_t ledger, licet_identity identity)
{
    return g->ledger == ledger && g->identity.gate == identity.gate && g->identity.epoch == identity.epoch &&
           g->identity.sequence == identity.sequence;
}

static void
remove_at(ledger_gather *gather, ledger_gathered **at)
{
    ledger_gathered *gone = *at;

    *at = gone->next;
    gather->len--;
    gather->bytes -= gone->ids.len;
    gather->count -= gone->count;
    licet_buffer_done(&gone->ids);
    free(gone);
}

void
ledger_gather_free(ledger_gather *gather)
{
    if (gather == NULL)
        return;
    for (unsigned i = 0; i < BUCKETS; i++)
        while (gather->buckets[i] != NULL)
            remove_at(gather, &gather->buckets[i]);
    free(gather);
}

ledger_gathered *
ledger_gather_find(const ledger_gather *gather, uint32_t ledger, licet_identity identity, uint8_t unit)
{
    ledger_gathered *g = gather->buckets[bucket_of(ledger, identity)];

    while (g != NULL && !(is_of(g, ledger, identity) && g->unit == unit))
        g = g->next;
    return g;
}

bool
ledger_gather_add(ledger_gather *gather, uint64_t number, const licet_journal_facts *f, licet_error *err)
{
    ledger_gathered *g = ledger_gather_find(gather, f->ledger, f->identity, f->unit);

    if (g == NULL) {
        ledger_gathered **bucket = &gather->buckets[bucket_of(f->ledger, f->identity)];
        g = calloc(1, sizeof(*g));
        if (g == NULL)
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for ids of a response");
        *g = (ledger_gathered){
            .next = *bucket, .ledger = f->ledger, .unit = f->unit, .identity = f->identity, .first = number};
        licet_buffer_init(&g->ids, IDS_MAX);
        *bucket = g;
        gather->len++;
    }
    if (!licet_put_bytes(&g->ids, f->entry))
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %zu bytes of ids", g->ids.len + f->entry.len);
    g->count += f->count;
    gather->count += f->count;
    gather->bytes += f->entry.len;
    return true;
}

void
ledger_gather_drop(ledger_gather *gather, uint32_t ledger, licet_identity identity)
{
    ledger_gathered **at = &gather->buckets[bucket_of(ledger, identity)];

    while (*at != NULL)
        if (is_of(*at, ledger, identity))
            remove_at(gather, at);
        else
            at = &(*at)->next;
}

bool
ledger_gather_empty(const ledger_gather *gather)
{
    return gather->len == 0;
}

uint64_t
ledger_gather_first(const ledger_gather *gather)
{
    uint64_t first = 0;

    for (unsigned i = 0; gather->len > 0 && i < BUCKETS; i++)
        for (const ledger_gathered *g = gather->buckets[i]; g != NULL; g = g->next)
            first = first == 0 || g->first < first ? g->first : first;
    return first;
}

uint64_t
ledger_gather_count(const ledger_gather *gather)
{
    return gather->count;
}

uint64_t
ledger_gather_bytes(const ledger_gather *gather, const ledger_gathered **out_largest)
{
    const ledger_gathered *largest = NULL;

    for (unsigned i = 0; gather->len > 0 && i < BUCKETS; i++)
        for (const ledger_gathered *g = gather->buckets[i]; g != NULL; g = g->next)
            largest = largest == NULL || g->ids.len > largest->ids.len ? g : largest;
    *out_largest = largest;
    return gather->bytes;
}
