/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying disclosures: each has its receipt right behind it, and both say the same.
 */
#include "verify.h"

#include <string.h>

static bool
same_units(const licet_disclosure *d, const licet_receipt *receipt)
{
    for (size_t i = 0; i < receipt->units_len; i++) {
        if (receipt->units[i].kind == d->unit) {
            return receipt->units[i].count == d->total;
        }
    }
    return d->total == 0;
}

static bool
same_identity(licet_identity a, licet_identity b)
{
    return a.gate == b.gate && a.epoch == b.epoch && a.sequence == b.sequence;
}

static bool
check_receipt(const licet_disclosure *d, licet_bytes entry, licet_error *err)
{
    licet_receipt receipt;
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < d->files_len; i++) {
        bytes += d->files[i].size;
    }
    if (entry.len == 0 || entry.data[0] != LICET_ENTRY_RECEIPT) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "no receipt of the disclosure before it");
    }
    if (!licet_receipt_decode(entry, &receipt, err)) {
        return false;
    }
    return (same_identity(d->identity, receipt.identity) && receipt.flow == LICET_FLOW_PASSED_ON &&
            receipt.time_ms == d->time_ms && receipt.bytes == bytes && same_units(d, &receipt) &&
            receipt.basis == (d->counted ? LICET_BASIS_COUNTED : LICET_BASIS_DECLARED) &&
            (receipt.verdict == LICET_VERDICT_OBSERVE) == (d->reason != LICET_REASON_NONE)) ||
           LICET_FAIL(err, LICET_E_CORRUPT, 0, "a receipt that differs from the disclosure before it, of sequence %llu",
                      (unsigned long long)d->identity.sequence);
}

bool
verify_disclosure(verify_pending *pending, licet_bytes entry, licet_error *err)
{
    licet_receipt receipt;

    if (pending->is) {
        pending->is = false;
        return check_receipt(&pending->disclosure, entry, err);
    }
    if (entry.len > 0 && entry.data[0] == LICET_ENTRY_DISCLOSURE) {
        pending->is = licet_disclosure_decode(entry, pending->files, &pending->disclosure, err);
        return pending->is;
    }
    if (entry.len == 0 || entry.data[0] != LICET_ENTRY_RECEIPT) {
        return true;
    }
    return licet_receipt_decode(entry, &receipt, err) &&
           (!licet_receipt_is_handed(&receipt) || receipt.part > 0 ||
            LICET_FAIL(err, LICET_E_CORRUPT, 0, "a receipt of files handed over, sequence %llu, without its disclosure",
                       (unsigned long long)receipt.identity.sequence));
}
