/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random ledgers for tests: entries that follow the rules, in an order that
 * does not help (dictionary records come as late as they may), from a seed.
 */
#ifndef LICET_RANDOM_LEDGER_H
#define LICET_RANDOM_LEDGER_H

#include "licet/receipt.h"

#include <stdlib.h>
#include <string.h>

#define RANDOM_CONTEXTS 12
#define RANDOM_KINDS 8
#define RANDOM_ENTRIES_MAX 4096

typedef struct random_ledger {
    uint64_t state;
    const char *name;
    uint64_t start_ms; /* entries lie in the 70 days from here */
    licet_buffer bytes;
    size_t at[RANDOM_ENTRIES_MAX + 1];
    licet_bytes entries[RANDOM_ENTRIES_MAX];
    size_t len;
    bool context_told[RANDOM_CONTEXTS], kind_told[RANDOM_KINDS];
    uint64_t sequence;
    licet_duplicates credit; /* that the receipt added last can bear; count 0: none */
} random_ledger;

/* Numbers with holes, and 'held:post' with a smaller number than 'post'. */
static const struct {
    uint8_t number;
    const char *name;
} random_kinds[RANDOM_KINDS] = {{1, "held:post"},
                                {3, "post"},
                                {4, "user"},
                                {9, "byte-acked"},
                                {20, "held:user"},
                                {21, "unmetered:malformed"},
                                {200, "unmetered:ids-differ"},
                                {201, "observed:cap-reached"}};

static inline uint64_t
random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t
random_below(random_ledger *r, uint64_t n)
{
    return random_next(&r->state) % n;
}

static inline licet_bytes
random_of(random_ledger *r, const char *const *texts, size_t n)
{
    return licet_bytes_of_text(texts[random_below(r, n)]);
}

static inline void
random_close_entry(random_ledger *r)
{
    if (r->bytes.failed || r->len == RANDOM_ENTRIES_MAX) {
        abort();
    }
    r->at[++r->len] = r->bytes.len;
}

static inline uint32_t
random_context_number(size_t i)
{
    return (uint32_t)(i * i + 5);
}

static inline void
random_tell_context(random_ledger *r, size_t i)
{
    static const char *const apps[] = {"pages", "reader", "", "unknown app"};
    static const char *const credentials[] = {"K-1", "K-2", ""};
    static const char *const products[] = {"Pages", "Search", ""};
    static const char *const use_cases[] = {"UC-1", "UC-2", ""};
    static const char *const purposes[] = {"display", "train-ai", "", "odd\tpurpose\\", "\xff\xfe not UTF-8"};
    static const char *const recipients[] = {"public", "Ministry of X", ""};
    static const char *const endpoints[] = {"search-recent", "lookup", ""};
    static const char *const versions[] = {"2022-10-10", "2022-12-01", ""};
    static const char *const clauses[] = {"CAP-MONTH", "NO-TRAIN", ""};
    licet_context context = {.app = random_of(r, apps, 4),
                             .credential = random_of(r, credentials, 3),
                             .product = random_of(r, products, 3),
                             .use_case = random_of(r, use_cases, 3),
                             .purpose = random_of(r, purposes, 5),
                             .recipient = random_of(r, recipients, 3),
                             .endpoint = random_of(r, endpoints, 3),
                             .version = random_of(r, versions, 3),
                             .catalogue = licet_bytes_of_text("x-api-v2@2022-10-10"),
                             .clause = random_of(r, clauses, 3)};

    if (!r->context_told[i]) {
        licet_context_encode(random_context_number(i), &context, &r->bytes, NULL);
        random_close_entry(r);
        r->context_told[i] = true;
    }
}

static inline void
random_tell_kind(random_ledger *r, size_t i)
{
    if (!r->kind_told[i]) {
        licet_unit_encode(random_kinds[i].number, licet_bytes_of_text(random_kinds[i].name), &r->bytes, NULL);
        random_close_entry(r);
        r->kind_told[i] = true;
    }
}

static inline uint64_t
random_time(random_ledger *r)
{
    return r->start_ms + random_below(r, UINT64_C(70) * 24 * 3600000);
}

static inline size_t
random_units(random_ledger *r, uint64_t chance, licet_receipt_unit *units)
{
    size_t len = 0;

    for (size_t i = 0; i < RANDOM_KINDS; i++) {
        if (random_below(r, 100) < chance) {
            random_tell_kind(r, i);
            units[len++] = (licet_receipt_unit){random_kinds[i].number, 1 + random_below(r, 100)};
        }
    }
    return len;
}

static inline void
random_add_receipt(random_ledger *r)
{
    size_t context = random_below(r, RANDOM_CONTEXTS);
    licet_receipt receipt = {.flow = (licet_flow)random_below(r, 2),
                             .basis = (licet_basis)random_below(r, 4),
                             .verdict = random_below(r, 4) == 0 ? LICET_VERDICT_OBSERVE : LICET_VERDICT_ALLOW,
                             .unmetered = random_below(r, 5) == 0,
                             .observe = random_below(r, 3) == 0,
                             .identity = {1, 7, r->sequence++},
                             .time_ms = random_time(r),
                             .part = random_below(r, 10) == 0 ? 1 : 0,
                             .context = random_context_number(context),
                             .duration_ms = 12,
                             .status = random_below(r, 3) == 0 ? 404 : 200,
                             .ending = (licet_ending)(random_below(r, 2) * 4),
                             .bytes = random_below(r, 40000)};

    if (random_below(r, 20) == 0) {
        receipt.verdict = LICET_VERDICT_OPEN;
    }
    random_tell_context(r, context);
    receipt.units_len = random_units(r, 35, receipt.units);
    licet_receipt_encode(&receipt, &r->bytes, NULL);
    random_close_entry(r);
    r->credit = (licet_duplicates){.flow = receipt.flow,
                                   .identity = receipt.identity,
                                   .time_ms = receipt.time_ms,
                                   .context = receipt.context,
                                   .from_ms = receipt.time_ms,
                                   .before_ms = receipt.time_ms + 1};
    for (size_t i = 0; i < receipt.units_len; i++) {
        if (receipt.units[i].kind == 3 || receipt.units[i].kind == 4) { /* post, user */
            r->credit.unit = receipt.units[i].kind;
            r->credit.count = 1 + random_below(r, receipt.units[i].count);
        }
    }
}

static inline void
random_add_refusals(random_ledger *r)
{
    uint64_t sequences[40];
    size_t context = random_below(r, RANDOM_CONTEXTS);
    licet_refusals run = {.flow = (licet_flow)random_below(r, 2),
                          .gate = 1,
                          .epoch = 7,
                          .context = random_context_number(context),
                          .status = 429,
                          .reason = (uint8_t)(12 + random_below(r, 3)),
                          .first_ms = random_time(r),
                          .count = (uint32_t)(1 + random_below(r, 40)),
                          .sequences = sequences};

    random_tell_context(r, context);
    run.last_ms = run.first_ms + random_below(r, 60000);
    for (uint32_t i = 0; i < run.count; i++) {
        sequences[i] = r->sequence;
        r->sequence += 1 + random_below(r, 5);
    }
    licet_refusals_encode(&run, &r->bytes, NULL);
    random_close_entry(r);
}

static inline void
random_add_record(random_ledger *r)
{
    licet_version_record version = {.time_ms = random_time(r),
                                    .image = r->len,
                                    .version = licet_bytes_of_text("2022-10-10"),
                                    .catalogue = licet_bytes_of_text("x-api-v2@2022-10-10")};
    licet_gap gap = {.cause = LICET_GAP_POWER_LOSS, .gate = 1, .epoch = 7, .from_ms = random_time(r), .requests = 9};
    licet_period period = {.entries = r->len, .receipts = 5, .refused = 2};
    licet_unidentified unidentified = {.minute = (uint32_t)(random_time(r) / 60000),
                                       .reason = (uint8_t)(1 + random_below(r, 2)),
                                       .count = 1 + random_below(r, 50)};

    licet_refused refused = {.from_ms = random_time(r), .reason = LICET_REASON_CANNOT_RECORD, .count = 7};

    licet_change_record change = {.time_ms = random_time(r), .image = r->len, .id = licet_bytes_of_text("UC-2")};

    switch (random_below(r, 7)) {
    case 0:
        memset(version.agreement_sha256.bytes, (int)random_below(r, 256), LICET_SHA256_LEN);
        licet_version_encode(&version, &r->bytes, NULL);
        break;
    case 1:
        gap.to_ms = gap.from_ms + random_below(r, 600000);
        gap.units_len = random_units(r, 40, gap.units);
        licet_gap_encode(&gap, &r->bytes, NULL);
        break;
    case 2:
        period.from_ms = r->start_ms;
        period.before_ms = r->start_ms + 1000;
        period.units_len = random_units(r, 40, period.units);
        period.entries = r->len;
        licet_period_encode(&period, &r->bytes, NULL);
        break;
    case 3:
        refused.to_ms = refused.from_ms + random_below(r, 60000);
        licet_refused_encode(&refused, &r->bytes, NULL);
        break;
    case 4:
        change.subject = (uint8_t)(1 + random_below(r, LICET_SUBJECTS_END - 1));
        change.action = (uint8_t)(1 + random_below(r, LICET_ACTIONS_END - 1));
        memset(change.words.bytes, (int)random_below(r, 256), LICET_SHA256_LEN);
        licet_change_encode(&change, &r->bytes, NULL);
        break;
    case 5: /* of the receipt added last, once */
        if (r->credit.count > 0) {
            licet_duplicates_encode(&r->credit, &r->bytes, NULL);
            r->credit.count = 0;
            break;
        } /* fall through */
    default:
        licet_unidentified_encode(&unidentified, &r->bytes, NULL);
        break;
    }
    random_close_entry(r);
}

/* What left in a file, and its receipt. */
static inline void
random_add_disclosure(random_ledger *r)
{
    size_t context = random_below(r, RANDOM_CONTEXTS);
    licet_disclosure_file files[2] = {{random_below(r, 1000), {{0}}}, {random_below(r, 1000), {{0}}}};
    licet_disclosure d = {.identity = {0, 0, r->sequence++}, .time_ms = random_time(r), .files = files};
    licet_receipt receipt = {.flow = LICET_FLOW_PASSED_ON,
                             .basis = LICET_BASIS_DECLARED,
                             .identity = d.identity,
                             .time_ms = d.time_ms,
                             .context = random_context_number(context),
                             .bytes = random_below(r, 10000)};

    random_tell_context(r, context);
    random_tell_kind(r, 0);
    if (random_below(r, 2) == 0) {
        licet_acceptance_record accepted = {.time_ms = d.time_ms,
                                            .party = LICET_PARTY_LICENSEE,
                                            .version = licet_bytes_of_text("2022-10-10"),
                                            .key = licet_bytes_of_text("meridian")};

        memset(accepted.note.bytes, (int)random_below(r, 256), LICET_SHA256_LEN);
        licet_acceptance_encode(&accepted, &r->bytes, NULL);
        random_close_entry(r);
    }
    d.unit = random_kinds[0].number;
    d.total = 1 + random_below(r, 5000);
    d.files_len = 1 + (uint32_t)random_below(r, 2);
    memset(files[0].sha256.bytes, (int)random_below(r, 256), LICET_SHA256_LEN);
    receipt.units_len = 1;
    receipt.units[0] = (licet_receipt_unit){d.unit, d.total};
    licet_disclosure_encode(&d, &r->bytes, NULL);
    random_close_entry(r);
    licet_receipt_encode(&receipt, &r->bytes, NULL);
    random_close_entry(r);
}

/* About n entries; r->entries and r->len hold them, until random_ledger_done. */
static inline void
random_ledger_make(random_ledger *r, const char *name, uint64_t seed, size_t n, uint64_t start_ms)
{
    licet_fold_start start = {.fold_version = LICET_FOLD_VERSION, .time_ms = start_ms};

    memset(r, 0, sizeof(*r));
    r->state = seed;
    r->name = name;
    r->start_ms = start_ms;
    licet_buffer_init(&r->bytes, 64u << 20);
    start.ledger = licet_bytes_of_text(name);
    start.party = licet_bytes_of_text("licensor");
    licet_fold_start_encode(&start, &r->bytes, NULL);
    random_close_entry(r);
    while (r->len < n) {
        uint64_t what = random_below(r, 10);

        if (what < 7) {
            random_add_receipt(r);
        } else if (what < 9) {
            random_add_refusals(r);
        } else if (random_below(r, 6) == 0) {
            random_add_disclosure(r);
        } else {
            random_add_record(r);
        }
    }
    for (size_t i = 0; i < r->len; i++) {
        r->entries[i] = licet_bytes_of(r->bytes.data + r->at[i], r->at[i + 1] - r->at[i]);
    }
}

static inline void
random_ledger_done(random_ledger *r)
{
    licet_buffer_done(&r->bytes);
}

#endif
