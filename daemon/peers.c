/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers: what the platform's own gate called the responses that a licensee's gate passed on, kept beside its receipts,
 * so that the two books can be compared line by line.
 *
 *  (1) A record of them stands in the same batch as the receipts that it names, and before them: a reader who goes
 *      through a ledger needs to keep only the last.
 *  (2) What a worker says is not believed to be in order: sequences are sorted, the first of two equal ones counts.
 */
#include "rooms.h"

#include <stdlib.h>
#include <string.h>

bool
recorder_peers_init(licet_recorder *r, licet_error *err)
{
    r->wides = calloc(RECORDER_CHUNK, sizeof(*r->wides));
    return r->wides != NULL || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to read a ring");
}

void
recorder_peers_done(licet_recorder *r)
{
    free(r->wides);
    r->wides = NULL;
}

static int
compare(const void *left, const void *right)
{
    const licet_peer *a = left, *b = right;

    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static bool
named(const licet_wide *w)
{
    return w->has_peer == 1 && w->verdict != LICET_VERDICT_REFUSE;
}

/* Those of the same ledger, gate and epoch as the first, which are struck off. */
static bool
stage_like(licet_recorder *r, recorder_book *book, uint32_t first, uint32_t len, bool *told, licet_error *err)
{
    licet_identity like = r->wides[first].identity;
    licet_peer list[RECORDER_CHUNK];
    licet_peers peers = {.gate = like.gate, .epoch = like.epoch, .list = list};
    uint32_t n = 0;

    for (uint32_t i = first; i < len; i++) {
        const licet_wide *w = &r->wides[i];

        if (told[i] || !named(w) || w->cell != r->wides[first].cell || w->identity.gate != like.gate ||
            w->identity.epoch != like.epoch) {
            continue;
        }
        told[i] = true;
        list[n].sequence = w->identity.sequence;
        memcpy(list[n++].id, w->peer, sizeof(w->peer));
    }
    qsort(list, n, sizeof(list[0]), compare);
    for (uint32_t i = 0; i < n; i++) {
        if (peers.count == 0 || list[i].sequence != list[peers.count - 1].sequence) {
            list[peers.count++] = list[i];
        }
    }
    r->scratch.len = 0;
    return licet_peers_encode(&peers, &r->scratch, err) &&
           recorder_stage_entry(r, book, licet_buffer_view(&r->scratch), err);
}

bool
recorder_stage_peers(licet_recorder *r, uint32_t len, licet_error *err)
{
    bool told[RECORDER_CHUNK] = {false};

    for (uint32_t i = 0; i < len; i++) {
        recorder_book *book =
            told[i] || !named(&r->wides[i]) || r->wides[i].cell == 0 ? NULL : recorder_book_of(r, r->wides[i].cell);

        if (book != NULL && !stage_like(r, book, i, len, told, err)) {
            return false;
        }
    }
    return true;
}
