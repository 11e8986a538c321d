/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hand ledger: a ledger written entry by entry by a test, and the usage tables made of it in a folder of the test's.
 */
#ifndef LICET_REPORT_HAND_LEDGER_H
#define LICET_REPORT_HAND_LEDGER_H

#include "../usage/random_ledger.h"
#include "licet/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define START_MS UINT64_C(1664582400000) /* 2022-10-01 */
#define HOUR_MS UINT64_C(3600000)
#define DAY_MS UINT64_C(86400000)

__attribute__((unused)) static licet_error last; /* of the call before */
static char folder[] = "/tmp/licet-report-XXXXXX";

#define ok(call)                                                                                                       \
    do {                                                                                                               \
        if (!(call)) {                                                                                                 \
            fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #call, last.text);                                           \
        }                                                                                                              \
    } while (0)

__attribute__((unused)) static int
make_folder(void **state)
{
    return mkdtemp(folder) == NULL ? -1 : 0;
}

__attribute__((unused)) static int
remove_folder(void **state)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

__attribute__((unused)) static licet_usage *
apply_all(const random_ledger *r)
{
    licet_usage *usage;
    char path[300];

    snprintf(path, sizeof(path), "%s/usage.db", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/usage.db-wal", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/usage.db-shm", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/usage.db", folder);
    ok(licet_usage_open(path, false, &usage, &last));
    ok(licet_usage_begin(usage, &last));
    for (size_t i = 0; i < r->len; i++) {
        ok(licet_usage_apply(usage, r->name, i, r->entries[i], &last));
    }
    ok(licet_usage_commit(usage, &last));
    return usage;
}

__attribute__((unused)) static void
hand_begin(random_ledger *r)
{
    licet_fold_start start = {.fold_version = LICET_FOLD_VERSION,
                              .ledger = licet_bytes_of_text("M-2022-7"),
                              .party = licet_bytes_of_text("licensor"),
                              .time_ms = START_MS};

    memset(r, 0, sizeof(*r));
    r->name = "M-2022-7";
    licet_buffer_init(&r->bytes, 1 << 20);
    ok(licet_fold_start_encode(&start, &r->bytes, &last));
    random_close_entry(r);
}

__attribute__((unused)) static void
hand_context_of(random_ledger *r, uint32_t number, licet_context context)
{
    ok(licet_context_encode(number, &context, &r->bytes, &last));
    random_close_entry(r);
}

__attribute__((unused)) static void
hand_kind(random_ledger *r, uint8_t number, const char *name)
{
    ok(licet_unit_encode(number, licet_bytes_of_text(name), &r->bytes, &last));
    random_close_entry(r);
}

__attribute__((unused)) static void
hand_receipt(random_ledger *r, licet_receipt receipt)
{
    receipt.identity = (licet_identity){1, 7, ++r->sequence};
    receipt.status = 200;
    ok(licet_receipt_encode(&receipt, &r->bytes, &last));
    random_close_entry(r);
}

__attribute__((unused)) static void
hand_context(random_ledger *r, uint32_t number, const char *version, const char *clause)
{
    hand_context_of(r, number,
                    (licet_context){.app = licet_bytes_of_text("pages"),
                                    .endpoint = licet_bytes_of_text("search-recent"),
                                    .version = licet_bytes_of_text(version),
                                    .clause = licet_bytes_of_text(clause)});
}

/* What was written so far as entries, and the tables made of them. */
__attribute__((unused)) static licet_usage *
hand_tables(random_ledger *r)
{
    for (size_t i = 0; i < r->len; i++) {
        r->entries[i] = licet_bytes_of(r->bytes.data + r->at[i], r->at[i + 1] - r->at[i]);
    }
    return apply_all(r);
}

#endif
