/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seal: a signed checkpoint for each ledger that grew.
 *
 *  (1) The journal that the entries come from is durable before the signer is asked.
 *  (2) The proof begins at what the signer says it signed last, not at what the recorder believes.
 *  (3) A tick seals for SEAL_MS at most and goes on at the next where it left off; a sync seals everything.
 *  (4) A refusal of the signer is said once per ledger; recording goes on, the old checkpoint stays.
 */
#include "rooms.h"
#include "signer/signer.h"

#include <string.h>
#include <time.h>

#define SEAL_MS 250
#define NOTE_MAX 65536

/* A signer that died is started again; what it signed last is in its record. */
static bool
signer_ensure(licet_recorder *r)
{
    char key[PATH_MAX], record[PATH_MAX];
    licet_error err;

    if (r->signer != NULL && licet_signer_lives(r->signer)) {
        return true;
    }
    recorder_say(r, LICET_LOG_WARNING, "the signer is gone; starting it again");
    licet_signer_stop(r->signer);
    r->signer = NULL;
    if (!recorder_path(r, key, &err, "%s", r->config.key) || !recorder_path(r, record, &err, "data/signed") ||
        !licet_signer_start(key, record, &r->signer, &err)) {
        recorder_say(r, LICET_LOG_ERROR, "nothing can be signed: %s", err.text);
        return false;
    }
    return true;
}

/* The size that a checkpoint names: its second line. */
static bool
note_size(licet_bytes note, uint64_t *out_size)
{
    const uint8_t *from = memchr(note.data, '\n', note.len), *end;

    if (from == NULL) {
        return false;
    }
    from++;
    end = memchr(from, '\n', note.len - (size_t)(from - note.data));
    return end != NULL && licet_parse_u64(licet_bytes_of(from, (size_t)(end - from)), out_size);
}

/* The newest signature may have got lost between signer and file: then the same checkpoint is signed again. */
static bool
note_lags(recorder_book *book)
{
    licet_buffer note;
    uint64_t size;
    bool lags;

    licet_buffer_init(&note, NOTE_MAX);
    lags = !licet_ledger_checkpoint_read(book->ledger, &note, NULL) || !note_size(licet_buffer_view(&note), &size) ||
           size != book->signed_size;
    licet_buffer_done(&note);
    return lags;
}

bool
recorder_seal_recall(licet_recorder *r, recorder_book *book, licet_error *err)
{
    if (!signer_ensure(r)) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "the signer does not run");
    }
    if (!licet_signer_last(r->signer, book->name, &book->signed_size, &book->signed_root, err)) {
        return false;
    }
    book->lags = book->ledger != NULL && book->signed_size > 0 && note_lags(book);
    return true;
}

static bool
seal_one(licet_recorder *r, recorder_book *book, licet_error *err)
{
    uint64_t size = licet_ledger_size(book->ledger);
    licet_hash root = licet_ledger_root(book->ledger);
    licet_proof proof = {.len = 0};
    licet_buffer note;
    bool ok;

    if (book->signed_size > 0 && book->signed_size < size &&
        !licet_ledger_consistency(book->ledger, book->signed_size, size, &proof, err)) {
        return false;
    }
    licet_buffer_init(&note, NOTE_MAX);
    LICET_STEP(SEAL);
    ok = licet_signer_sign(r->signer, book->name, book->signed_size, size, &root, &proof, &note, err);
    LICET_STEP(SIGNED);
    ok = ok && licet_ledger_checkpoint_write(book->ledger, licet_buffer_view(&note), err);
    LICET_STEP(SEALED);
    licet_buffer_done(&note);
    if (ok) {
        book->signed_size = size;
        book->signed_root = root;
        book->refused = false;
        book->lags = false;
    }
    return ok;
}

static uint64_t
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool
wants_seal(recorder_book *book, bool all)
{
    uint64_t size = book->ledger != NULL ? licet_ledger_size(book->ledger) : 0;

    return size > 0 && (size != book->signed_size || book->lags || (all && note_lags(book)));
}

bool
recorder_seal(licet_recorder *r, bool all, licet_error *err)
{
    uint64_t until = monotonic_ms() + SEAL_MS;
    bool ok = true;
    licet_error local;

    for (uint32_t n = 0; n < r->books_len; n++) {
        recorder_book *book = r->books[r->seal_next++ % r->books_len];

        if (!wants_seal(book, all)) {
            continue;
        }
        if (!signer_ensure(r) ? !LICET_FAIL(&local, LICET_E_STATE, 0, "the signer does not run")
                              : !seal_one(r, book, &local)) {
            if (!book->refused) {
                recorder_say(r, LICET_LOG_ERROR, "ledger %s keeps its old checkpoint: %s", book->name, local.text);
            }
            book->refused = true;
            recorder_seal_recall(r, book, NULL); /* it may have been signed and not written */
            ok = false;
            if (all && err != NULL) {
                *err = local;
            }
        }
        if (!all && monotonic_ms() > until) {
            break;
        }
    }
    return ok || !all;
}
