/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: any bytes as journal entries, each kind u8, length u8 and
 * payload. Fold and reference must agree on whatever the fold accepts.
 */
#include <stdlib.h>
#include <string.h>

#include "fold_ref.h"

#define ENTRIES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
on_ledger(void *user, uint32_t ledger, licet_bytes name, licet_bytes party, licet_error *err)
{
    (void)user, (void)ledger, (void)name, (void)party, (void)err;
    return true;
}

static bool
on_entry(void *user, uint32_t ledger, licet_bytes entry, licet_error *err)
{
    licet_error check;
    if (!licet_entry_check(entry, &check))
        abort(); /* a ledger never holds what its reader would refuse */
    (void)err;
    return licet_put_u32(user, ledger) && licet_put_bytes(user, entry);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    licet_journal_entry entries[ENTRIES_MAX];
    licet_cursor c = {{data, size}, 0};
    licet_fold *fold = NULL;
    licet_buffer fast, slow;
    licet_error err;
    size_t n = 0, folded = 0;
    uint8_t kind, len;
    while (n < ENTRIES_MAX && licet_take_u8(&c, &kind) && licet_take_u8(&c, &len) &&
           licet_take_bytes(&c, len, &entries[n].payload)) {
        entries[n].kind = (licet_journal_kind)kind;
        entries[n].number = n + 1;
        n++;
    }
    licet_buffer_init(&fast, 1 << 22);
    licet_buffer_init(&slow, 1 << 22);
    if (!licet_fold_new(on_ledger, on_entry, &fast, &fold, &err))
        abort();
    while (folded < n && licet_fold_feed(fold, &entries[folded], &err))
        folded++;
    if (folded == n && !licet_fold_ref(entries, n, on_entry, &slow, &err))
        abort();
    if (folded == n && (fast.len != slow.len || (fast.len > 0 && memcmp(fast.data, slow.data, fast.len) != 0)))
        abort();
    licet_fold_free(fold);
    licet_buffer_done(&fast);
    licet_buffer_done(&slow);
    return 0;
}
