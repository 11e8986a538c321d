/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer's record, read a second time and by other code than the signer's:
 * what was signed for a ledger is never more than the ledger holds.
 *
 *   place (256 bytes): two halves, the one with the greater turn counts
 *   half (128 bytes, big-endian): SHA-256 of the ledger's name 32, turn u64, size u64, root 32, zeros 16, SHA-256 of
 *   the 96 bytes before 32
 */
#include "verify.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HALF ((size_t)128)
#define SUMMED 96
#define RECORD_MAX ((size_t)65536 * 2 * HALF)

typedef struct half {
    licet_hash name, root;
    uint64_t turn, size;
} half;

static bool
take_hash(licet_cursor *c, licet_hash *out_hash)
{
    licet_bytes bytes;

    if (!licet_take_bytes(c, LICET_SHA256_LEN, &bytes)) {
        return false;
    }
    memcpy(out_hash->bytes, bytes.data, LICET_SHA256_LEN);
    return true;
}

static bool
take_half(const uint8_t *bytes, half *out_half)
{
    licet_cursor c = {{bytes, HALF}, 0};
    licet_bytes summed = {bytes, SUMMED}, zeros;
    licet_hash sum = licet_sha256(&summed, 1), told;

    return take_hash(&c, &out_half->name) && licet_take_u64(&c, &out_half->turn) &&
           licet_take_u64(&c, &out_half->size) && take_hash(&c, &out_half->root) && licet_take_bytes(&c, 16, &zeros) &&
           take_hash(&c, &told) && memcmp(told.bytes, sum.bytes, LICET_SHA256_LEN) == 0;
}

/* A place of which one half is spoilt was torn in a power loss, and the other half counts: a note. With both spoilt
 * nobody knows what was signed. */
static void
check(verify *v)
{
    licet_error err = {0};
    half h;

    for (size_t at = 0; at + 2 * HALF <= v->record_len; at += 2 * HALF) {
        bool first = take_half(v->record + at, &h), second = take_half(v->record + at + HALF, &h);

        if (!first && !second) {
            LICET_FAIL(&err, LICET_E_CORRUPT, at, "%s/data/signed: byte %zu: both copies of a place are damaged",
                       v->dir, at);
            verify_fault(v, &err);
        } else if (!first || !second) {
            fprintf(stderr,
                    "licet verify: %s/data/signed: byte %zu: one of two copies is damaged, as a power loss does\n",
                    v->dir, at + (first ? HALF : 0));
        }
    }
}

void
verify_signed_read(verify *v)
{
    char path[PATH_MAX];
    licet_error err = {0};

    if (!licet_cli_path(v->dir, "data/signed", path, sizeof(path), &err)) {
        verify_fault(v, &err);
        return;
    }
    /* The signer's alone: who verifies another's site has not got it and does without. */
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "licet verify: %s: not there; nothing to compare\n", path);
    } else if (!licet_file_read(path, RECORD_MAX, &v->record, &v->record_len, &err)) {
        verify_fault(v, &err);
    }
    check(v);
}

void
verify_signed_of(const verify *v, verify_ledger *l)
{
    licet_bytes text = licet_bytes_of_text(l->name);
    licet_hash name = licet_sha256(&text, 1);
    uint64_t turn = 0;

    for (size_t at = 0; at + HALF <= v->record_len; at += HALF) {
        half h;

        if (take_half(v->record + at, &h) && memcmp(h.name.bytes, name.bytes, LICET_SHA256_LEN) == 0 && h.turn > turn) {
            turn = h.turn;
            l->promised = (verify_signed){h.size, h.root};
        }
    }
}
