/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of a period, see sums.h. */
#include "sums.h"

#include <string.h>

void
ledger_sums_init(ledger_sums *sums)
{
    memset(sums, 0, sizeof(*sums));
}

void
ledger_sums_done(ledger_sums *sums)
{
    ledger_names_done(&sums->names);
}

/* A sum stops at its largest value: what somebody made up in one agreement must not keep the others from being folded.
 */
static bool
add(uint64_t *sum, uint64_t value)
{
    *sum = value > LEDGER_SUM_MOST - *sum ? LEDGER_SUM_MOST : *sum + value;
    return true;
}

static bool
add_receipt(ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    licet_receipt receipt;
    if (!licet_receipt_decode(entry, &receipt, err) || !ledger_names_context(&sums->names, receipt.context, err) ||
        !ledger_names_units(&sums->names, receipt.units, receipt.units_len, err))
        return false;
    if (receipt.verdict == LICET_VERDICT_REFUSE)
        return add(&sums->refused, 1);
    for (size_t i = 0; i < receipt.units_len; i++)
        if (!add(&sums->units[receipt.units[i].kind], receipt.units[i].count))
            return false;
    return add(&sums->receipts, 1);
}

static bool
add_refusals(ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    uint64_t storage[LICET_REFUSALS_MAX];
    licet_refusals refusals;
    return licet_refusals_decode(entry, storage, &refusals, err) &&
           ledger_names_context(&sums->names, refusals.context, err) && add(&sums->refused, refusals.count);
}

static bool
add_fold(ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    licet_fold_start start;
    if (!licet_fold_start_decode(entry, &start, err))
        return false;
    if (start.fold_version != LICET_FOLD_VERSION)
        return LICET_FAIL(err, LICET_E_UNSUPPORTED, 1, "fold version %u: this version knows %d", start.fold_version,
                          LICET_FOLD_VERSION);
    sums->from_ms = licet_month_start(licet_month_of(start.time_ms));
    return true;
}

static bool
same(const licet_period *a, const licet_period *b)
{
    if (a->from_ms != b->from_ms || a->before_ms != b->before_ms || a->entries != b->entries ||
        a->receipts != b->receipts || a->refused != b->refused || a->units_len != b->units_len)
        return false;
    for (size_t i = 0; i < a->units_len; i++)
        if (a->units[i].kind != b->units[i].kind || a->units[i].count != b->units[i].count)
            return false;
    return true;
}

static bool
add_period(ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    licet_period period, due;
    if (!licet_period_decode(entry, &period, err))
        return false;
    ledger_sums_close(sums, period.before_ms, &due);
    if (!sums->any || !same(&period, &due))
        return LICET_FAIL(err, LICET_E_INVALID, 0,
                          "period close: receipts %llu, refused %llu, entries %llu: the entries before it give %llu, "
                          "%llu, %llu (or other units or times)",
                          (unsigned long long)period.receipts, (unsigned long long)period.refused,
                          (unsigned long long)period.entries, (unsigned long long)due.receipts,
                          (unsigned long long)due.refused, (unsigned long long)due.entries);
    sums->from_ms = period.before_ms;
    sums->any = false;
    sums->receipts = sums->refused = 0;
    memset(sums->units, 0, sizeof(sums->units));
    return true;
}

static bool
add_context(ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    licet_context context;
    uint32_t number;
    return licet_context_decode(entry, &number, &context, err) && ledger_names_give_context(&sums->names, number, err);
}

static bool
add_unit(ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    licet_bytes name;
    uint8_t number;
    return licet_unit_decode(entry, &number, &name, err) && ledger_names_give_unit(&sums->names, number, err);
}

static bool
add_gap(const ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    licet_gap gap;
    return licet_gap_decode(entry, &gap, err) && ledger_names_units(&sums->names, gap.units, gap.units_len, err);
}

static bool
add_duplicates(const ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    licet_duplicates record;
    licet_receipt_unit unit;
    if (!licet_duplicates_decode(entry, &record, err))
        return false;
    unit = (licet_receipt_unit){record.unit, record.count};
    return ledger_names_context(&sums->names, record.context, err) && ledger_names_units(&sums->names, &unit, 1, err);
}

static bool
add_kind(ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    switch (entry.data[0]) {
    case LICET_ENTRY_RECEIPT:
        return add_receipt(sums, entry, err);
    case LICET_ENTRY_REFUSALS:
        return add_refusals(sums, entry, err);
    case LICET_ENTRY_FOLD:
        return add_fold(sums, entry, err);
    case LICET_ENTRY_PERIOD:
        return add_period(sums, entry, err);
    case LICET_ENTRY_CONTEXT:
        return add_context(sums, entry, err);
    case LICET_ENTRY_UNIT:
        return add_unit(sums, entry, err);
    case LICET_ENTRY_GAP:
        return add_gap(sums, entry, err);
    case LICET_ENTRY_DUPLICATES:
        return add_duplicates(sums, entry, err);
    default:
        return licet_entry_check(entry, err);
    }
}

bool
ledger_sums_add(ledger_sums *sums, licet_bytes entry, licet_error *err)
{
    if (entry.len == 0)
        return LICET_FAIL(err, LICET_E_INVALID, 0, "entry of 0 bytes: expected at least its kind");
    bool is_fold = entry.data[0] == LICET_ENTRY_FOLD;
    if (is_fold != (sums->entries == 0))
        return LICET_FAIL(err, LICET_E_INVALID, 0,
                          "entry of kind %u: expected the fold version as the first entry and nowhere else",
                          entry.data[0]);
    if (!add_kind(sums, entry, err))
        return false;
    if (!is_fold && entry.data[0] != LICET_ENTRY_PERIOD)
        sums->any = true;
    sums->entries++;
    return true;
}

bool
ledger_sums_due(const ledger_sums *sums, uint64_t tick_ms)
{
    return sums->any && licet_month_start(licet_month_of(tick_ms)) > sums->from_ms;
}

void
ledger_sums_close(const ledger_sums *sums, uint64_t tick_ms, licet_period *out_period)
{
    *out_period = (licet_period){.from_ms = sums->from_ms,
                                 .before_ms = licet_month_start(licet_month_of(tick_ms)),
                                 .entries = sums->entries,
                                 .receipts = sums->receipts,
                                 .refused = sums->refused};
    for (unsigned kind = 0; kind < 256; kind++)
        if (sums->units[kind] > 0)
            out_period->units[out_period->units_len++] = (licet_receipt_unit){(uint8_t)kind, sums->units[kind]};
}
