/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nonces: which signatures were used, in memory that the workers share and a reload keeps.
 *
 *      tag (16 bytes of a keyed hash) ─► bucket ─► one of 16 places: free, ours (used before), or somebody's
 *
 *  (1) A signature passes once: look and note are one step under the zone's lock.
 *  (2) A place is free again only when its signature has ended, with room for clocks of workers that differ.
 *  (3) Only verified signatures are noted: a stranger cannot fill it. Where a bucket is full the request is refused.
 *  (4) What was used before the zone was made nobody knows: a signature created by then is refused.
 *  (5) The tag is keyed, so that nobody can choose the bucket.
 */
#include "ngx_http_licet.h"

#define NGX_HTTP_LICET_WAYS 16

typedef struct {
    uint64_t tag[2];
    uint64_t expires_s; /* 0: free */
} ngx_http_licet_nonce_t;

typedef struct {
    uint64_t made_s;
    uint64_t buckets;
    ngx_http_licet_nonce_t places[];
} ngx_http_licet_nonces_t;

static ngx_int_t
ngx_http_licet_nonces_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t *pool = (ngx_slab_pool_t *)zone->shm.addr;
    ngx_http_licet_nonces_t *nonces;
    size_t room;

    if (data != NULL) {
        zone->data = data;
        return NGX_OK;
    }
    room = (size_t)(pool->pfree - 1) * ngx_pagesize;
    nonces = ngx_slab_calloc(pool, room);
    if (nonces == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "licet_signature_nonces: %uz bytes: no room in its zone", room);
        return NGX_ERROR;
    }
    nonces->made_s = (uint64_t)ngx_time();
    nonces->buckets = (room - sizeof(ngx_http_licet_nonces_t)) / (NGX_HTTP_LICET_WAYS * sizeof(ngx_http_licet_nonce_t));
    zone->data = nonces;
    return NGX_OK;
}

ngx_int_t
ngx_http_licet_nonces_add(ngx_conf_t *cf, ngx_http_licet_main_conf_t *mcf)
{
    static ngx_str_t name = ngx_string("licet_signatures");
    size_t size = mcf->nonces_size != NGX_CONF_UNSET_SIZE ? mcf->nonces_size : 8 * 1024 * 1024;

    if (!mcf->signatures) {
        return NGX_OK;
    }
    mcf->nonces = ngx_shared_memory_add(cf, &name, size, &ngx_http_licet_module);
    if (mcf->nonces == NULL) {
        return NGX_ERROR;
    }
    mcf->nonces->init = ngx_http_licet_nonces_init;
    return NGX_OK;
}

/* The nonce where there is one, else the signature itself: Ed25519 makes the same one of the same text. */
static void
ngx_http_licet_nonce_tag(const licet_signature *signature, const uint8_t *key, uint64_t out_tag[2])
{
    u_char text[LICET_THUMBPRINT_LEN + 1 + 256 + 64], *last;
    licet_bytes used = signature->nonce.data != NULL ? signature->nonce : signature->bytes;
    licet_hash hash;

    last = ngx_cpymem(text, signature->key_id.data, signature->key_id.len);
    *last++ = signature->nonce.data != NULL ? 'n' : 's';
    last = ngx_cpymem(last, used.data, used.len);
    hash = licet_hmac_sha256(licet_bytes_of(key, 32), licet_bytes_of(text, (size_t)(last - text)));
    ngx_memcpy(out_tag, hash.bytes, 2 * sizeof(uint64_t));
}

licet_reason
ngx_http_licet_nonce_use(ngx_shm_zone_t *zone, const licet_signature *signature, const uint8_t *key, uint64_t now_s)
{
    ngx_slab_pool_t *pool = (ngx_slab_pool_t *)zone->shm.addr;
    ngx_http_licet_nonces_t *nonces = zone->data;
    ngx_http_licet_nonce_t *places, *place = NULL;
    licet_reason reason = LICET_REASON_CANNOT_RECORD;
    uint64_t tag[2];
    ngx_uint_t i;

    if (signature->created_s <= nonces->made_s) {
        return LICET_REASON_CREDENTIAL_REPLAYED;
    }
    ngx_http_licet_nonce_tag(signature, key, tag);
    places = &nonces->places[tag[0] % nonces->buckets * NGX_HTTP_LICET_WAYS];
    ngx_shmtx_lock(&pool->mutex);
    for (i = 0; i < NGX_HTTP_LICET_WAYS; i++) {
        if (places[i].expires_s + LICET_IDENTITY_SKEW_S <= now_s) {
            place = place == NULL ? &places[i] : place;
        } else if (places[i].tag[0] == tag[0] && places[i].tag[1] == tag[1]) {
            reason = LICET_REASON_CREDENTIAL_REPLAYED;
            break;
        }
    }
    if (reason != LICET_REASON_CREDENTIAL_REPLAYED && place != NULL) {
        place->tag[0] = tag[0];
        place->tag[1] = tag[1];
        place->expires_s = signature->expires_s;
        reason = LICET_REASON_NONE;
    }
    ngx_shmtx_unlock(&pool->mutex);
    return reason;
}
