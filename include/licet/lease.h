/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lease: units lent to this node ahead of use, durable before use. They exist
 * for unlimited agreements too: after a power loss what was granted and not
 * recorded is the greatest number of units that can be unknown (a gap).
 *
 *  (1) granted totals only rise within an epoch; grant returns after they are durable.
 *  (2) recorded <= taken <= granted, per cell and kind; granted - recorded bounds the gap.
 *  (3) A crash can only cause under-use, never over-use.
 */
#ifndef LICET_LEASE_H
#define LICET_LEASE_H

#include "licet/base.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_QUOTA
#error "layer breach: lease.h belongs to quota/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct licet_lease_grant {
    uint32_t cell;
    char kind[65];    /* unit name: request, post, … */
    uint64_t granted; /* total of the epoch */
} licet_lease_grant;

/* The interface; lease_local.c is this node's own file. */
typedef struct licet_lease_store licet_lease_store;
typedef struct licet_lease_ops {
    /* Sets n totals of the epoch at once, durable on return. */
    bool (*grant)(licet_lease_store *store, uint32_t epoch, const licet_lease_grant *grants, size_t n,
                  licet_error *err);
    /* Calls on_grant for each total of the newest epoch; *out_epoch 0: none. ended: the epoch was closed in order. */
    bool (*each)(licet_lease_store *store, uint32_t *out_epoch, bool *out_ended,
                 bool (*on_grant)(void *user, const licet_lease_grant *grant), void *user, licet_error *err);
    /* Begins an epoch (drops the totals of the old one) or ends it in order; durable on return. */
    bool (*begin)(licet_lease_store *store, uint32_t epoch, licet_error *err);
    bool (*end)(licet_lease_store *store, uint32_t epoch, licet_error *err);
    void (*close)(licet_lease_store *store);
} licet_lease_ops;
struct licet_lease_store {
    const licet_lease_ops *ops;
};
/* Opens or makes path (data/leases): checksummed records appended and synced; begin rewrites it whole. CORRUPT with the
 * byte when a record in the middle is damaged; a torn last record is dropped. */
bool licet_lease_local_open(const char *path, licet_lease_store **out_store, licet_error *err);

#ifdef __cplusplus
}
#endif

#endif
