/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes an entry of any kind and encodes it again, for test and fuzz target:
 * whatever a decoder accepts must come back as the same bytes.
 */
#ifndef LICET_RECEIPT_AGAIN_H
#define LICET_RECEIPT_AGAIN_H

#include "licet/receipt.h"

/* Decoding and encoding again must give the same bytes: with test_vectors_are_written this covers every field. */
static bool
again(licet_bytes in, licet_buffer *out, licet_error *err)
{
    static uint64_t storage[LICET_REFUSALS_MAX];
    static licet_peer peers[LICET_PEERS_MAX];
    static licet_disclosure_file files[LICET_DISCLOSURE_FILES_MAX];
    union {
        licet_receipt receipt;
        licet_refusals refusals;
        licet_context context;
        licet_fold_start fold;
        licet_version_record version;
        licet_gap gap;
        licet_period period;
        licet_unidentified unidentified;
        licet_refused refused;
        licet_duplicates duplicates;
        licet_change_record change;
        licet_acceptance_record acceptance;
        licet_peers peers;
        licet_disclosure disclosure;
    } u;
    uint32_t number;
    uint8_t kind;
    licet_bytes name;
    switch (in.len > 0 ? in.data[0] : 0) {
    case LICET_ENTRY_RECEIPT:
        return licet_receipt_decode(in, &u.receipt, err) && licet_receipt_encode(&u.receipt, out, err);
    case LICET_ENTRY_REFUSALS:
        return licet_refusals_decode(in, storage, &u.refusals, err) && licet_refusals_encode(&u.refusals, out, err);
    case LICET_ENTRY_FOLD:
        return licet_fold_start_decode(in, &u.fold, err) && licet_fold_start_encode(&u.fold, out, err);
    case LICET_ENTRY_CONTEXT:
        return licet_context_decode(in, &number, &u.context, err) && licet_context_encode(number, &u.context, out, err);
    case LICET_ENTRY_UNIT:
        return licet_unit_decode(in, &kind, &name, err) && licet_unit_encode(kind, name, out, err);
    case LICET_ENTRY_VERSION:
        return licet_version_decode(in, &u.version, err) && licet_version_encode(&u.version, out, err);
    case LICET_ENTRY_GAP:
        return licet_gap_decode(in, &u.gap, err) && licet_gap_encode(&u.gap, out, err);
    case LICET_ENTRY_PERIOD:
        return licet_period_decode(in, &u.period, err) && licet_period_encode(&u.period, out, err);
    case LICET_ENTRY_UNIDENTIFIED:
        return licet_unidentified_decode(in, &u.unidentified, err) &&
               licet_unidentified_encode(&u.unidentified, out, err);
    case LICET_ENTRY_REFUSED:
        return licet_refused_decode(in, &u.refused, err) && licet_refused_encode(&u.refused, out, err);
    case LICET_ENTRY_DUPLICATES:
        return licet_duplicates_decode(in, &u.duplicates, err) && licet_duplicates_encode(&u.duplicates, out, err);
    case LICET_ENTRY_CHANGE:
        return licet_change_decode(in, &u.change, err) && licet_change_encode(&u.change, out, err);
    case LICET_ENTRY_ACCEPTANCE:
        return licet_acceptance_decode(in, &u.acceptance, err) && licet_acceptance_encode(&u.acceptance, out, err);
    case LICET_ENTRY_PEERS:
        return licet_peers_decode(in, peers, &u.peers, err) && licet_peers_encode(&u.peers, out, err);
    case LICET_ENTRY_DISCLOSURE:
        return licet_disclosure_decode(in, files, &u.disclosure, err) &&
               licet_disclosure_encode(&u.disclosure, out, err);
    default:
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 0, "no such kind");
    }
}

#endif
