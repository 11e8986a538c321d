/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nonces: which signatures were used, in memory that all workers share (ngx_http_licet_nonce_file.c).
 *
 *      tag (16 bytes of a keyed hash) ─► bucket ─► one of 63 places: free, ours (used before), or somebody's
 *
 *  (1) A signature passes once: look and note are one step under the bucket's lock.
 *  (2) A place is free again only when its signature has ended, with room for clocks of workers that differ.
 *  (3) Only verified signatures are noted: a stranger cannot fill it. Nothing is ever pushed out: where there is no
 * place the request is refused. (4) What was used before the memory was made nobody knows: a signature created by then
 * is refused. (5) Tags are keyed, so that nobody can choose the bucket, nor to be taken for another. (6) Shares: in
 * each bucket a credential takes a place only while it has fewer of them than are free, and all of an agreement
 * together only while they have fewer than three times those. So one credential leaves half of all room to others, a
 * licensee with however many keys a quarter, and a caller that has little finds room beside 20 that have all they can
 * get. (7) The lock names its holder. That of a process that is gone is taken over: a place is written in an order in
 * which it is free until it is whole.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_WAYS 63
#define NGX_HTTP_LICET_PATIENCE 10000 /* yields; a holder needs a microsecond */

typedef struct {
    uint64_t tag[2];
    uint32_t expires_s; /* 0: free */
    uint16_t licensee, credential;
} ngx_http_licet_nonce_t;

typedef struct {
    _Atomic uint32_t holder; /* process; 0: free */
    uint32_t reserved[5];
    ngx_http_licet_nonce_t places[NGX_HTTP_LICET_WAYS];
} ngx_http_licet_bucket_t;

_Static_assert(sizeof(ngx_http_licet_bucket_t) == 1536, "64 times 24 bytes");

/* False: somebody who lives holds it and does not let go. */
static bool
ngx_http_licet_bucket_lock(ngx_http_licet_bucket_t *bucket)
{
    uint32_t holder;
    ngx_uint_t i;

    for (i = 0; i < NGX_HTTP_LICET_PATIENCE; i++) {
        holder = 0;
        if (atomic_compare_exchange_strong(&bucket->holder, &holder, (uint32_t)ngx_pid)) {
            return true;
        }
        if (i % 64 == 63 && kill((ngx_pid_t)holder, 0) == -1 && ngx_errno == ESRCH &&
            atomic_compare_exchange_strong(&bucket->holder, &holder, (uint32_t)ngx_pid)) {
            return true;
        }
        ngx_sched_yield();
    }
    return false;
}

/* The nonce where there is one, else the signature itself: Ed25519 makes the same one of the same text. */
static void
ngx_http_licet_nonce_of(const licet_signature *signature, const ngx_http_licet_caller_t *caller, const uint8_t *key,
                        ngx_http_licet_nonce_t *out_nonce)
{
    const licet_image *image = &caller->image->image;
    u_char text[LICET_THUMBPRINT_LEN + 1 + 256 + 64], *last;
    licet_bytes used = signature->nonce.data != NULL ? signature->nonce : signature->bytes;
    licet_hash hash;

    last = ngx_cpymem(text, signature->key_id.data, signature->key_id.len);
    *last++ = signature->nonce.data != NULL ? 'n' : 's';
    last = ngx_cpymem(last, used.data, used.len);
    hash = licet_hmac_sha256(licet_bytes_of(key, 32), licet_bytes_of(text, (size_t)(last - text)));
    ngx_memcpy(out_nonce->tag, hash.bytes, sizeof(out_nonce->tag));
    hash = licet_hmac_sha256(licet_bytes_of(key, 32), licet_image_text(image, image->header->agreement));
    ngx_memcpy(&out_nonce->licensee, hash.bytes, sizeof(out_nonce->licensee));
    ngx_memcpy(&out_nonce->credential, image->credentials[caller->credential].hmac, sizeof(out_nonce->credential));
    out_nonce->expires_s = signature->expires_s < UINT32_MAX ? (uint32_t)signature->expires_s : UINT32_MAX;
}

/* The place for this nonce; NULL with REPLAYED where it is there, else where there is none for this caller. */
static ngx_http_licet_nonce_t *
ngx_http_licet_nonce_place(ngx_http_licet_bucket_t *bucket, const ngx_http_licet_nonce_t *nonce, uint64_t now_s,
                           licet_reason *out_reason)
{
    ngx_http_licet_nonce_t *p, *place = NULL;
    ngx_uint_t free = 0, licensees = 0, credentials = 0;

    for (p = bucket->places; p < bucket->places + NGX_HTTP_LICET_WAYS; p++) {
        if ((uint64_t)p->expires_s + LICET_IDENTITY_SKEW_S <= now_s) {
            place = place == NULL ? p : place;
            free++;
            continue;
        }
        if (p->tag[0] == nonce->tag[0] && p->tag[1] == nonce->tag[1]) {
            *out_reason = LICET_REASON_CREDENTIAL_REPLAYED;
            return NULL;
        }
        if (p->licensee == nonce->licensee) {
            licensees++;
            credentials += p->credential == nonce->credential;
        }
    }
    if (credentials >= free || licensees >= 3 * free) {
        *out_reason = LICET_REASON_CANNOT_RECORD;
        return NULL;
    }
    return place;
}

licet_reason
ngx_http_licet_nonce_use(ngx_http_licet_nonces_t *nonces, const licet_signature *signature,
                         const ngx_http_licet_caller_t *caller, const uint8_t *key, uint64_t now_s)
{
    size_t buckets = (nonces->size - sizeof(ngx_http_licet_nonces_t)) / sizeof(ngx_http_licet_bucket_t);
    ngx_http_licet_bucket_t *bucket = (ngx_http_licet_bucket_t *)(nonces + 1);
    licet_reason reason = LICET_REASON_NONE;
    ngx_http_licet_nonce_t nonce, *place;

    if (signature->created_s <= nonces->made_s) {
        return LICET_REASON_CREDENTIAL_REPLAYED;
    }
    ngx_http_licet_nonce_of(signature, caller, key, &nonce);
    bucket += nonce.tag[0] % buckets;
    if (!ngx_http_licet_bucket_lock(bucket)) {
        return LICET_REASON_CANNOT_RECORD;
    }
    place = ngx_http_licet_nonce_place(bucket, &nonce, now_s, &reason);
    if (atomic_load(&nonces->closed)) {
        reason = LICET_REASON_CANNOT_RECORD;
    } else if (place != NULL) {
        place->expires_s = 0;
        place->tag[0] = nonce.tag[0];
        place->tag[1] = nonce.tag[1];
        place->licensee = nonce.licensee;
        place->credential = nonce.credential;
        atomic_thread_fence(memory_order_release);
        place->expires_s = nonce.expires_s;
    }
    atomic_store(&bucket->holder, 0);
    return reason;
}
