/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of report and verify: adds to the journal of a site that was
 * applied once what a gate would have brought in. The next command that opens
 * the recorder folds it into the ledger and signs.
 *
 *   licet-test-seed DIR RECEIPTS [observed [more]]
 *
 * more: also what the peer called one response, and a gap.
 */
#include "licet/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEDGER 1
#define BEGIN_MS UINT64_C(1795413600000) /* 2026-11-23T06:00:00Z */
#define APPS 4

static licet_journal *journal;
static licet_buffer entry, payload;
static licet_error err;

static void
need(bool ok)
{
    if (!ok) {
        fprintf(stderr, "licet-test-seed: %s\n", err.text);
        exit(2);
    }
}

static void
append(licet_journal_kind kind)
{
    need(journal->ops->append(journal, kind, licet_buffer_view(&payload), NULL, &err));
    payload.len = 0;
}

static void
append_entry(void)
{
    need(licet_journal_put_entry(&payload, LEDGER, licet_buffer_view(&entry)));
    append(LICET_JOURNAL_ENTRY);
    entry.len = 0;
}

static void
append_dictionary(bool observed)
{
    static const char *const apps[APPS] = {"app-1", "app-1", "stranger", ""};
    static const char *const purposes[APPS] = {"display", "train-ai", "display", ""};
    static const char *const kinds[] = {
        "request", "post", "user", "held:post", "unmetered:malformed", "observed:cap-reached"};

    for (uint32_t i = 0; i < APPS; i++) {
        licet_context context = {.app = licet_bytes_of_text(apps[i]),
                                 .product = licet_bytes_of_text(i < 2 ? "Product 1" : ""),
                                 .use_case = licet_bytes_of_text(i < 2 ? "UC-1" : ""),
                                 .purpose = licet_bytes_of_text(purposes[i]),
                                 .recipient = licet_bytes_of_text(i < 2 ? "public" : "\x1b[31mred\xff"),
                                 .endpoint = licet_bytes_of_text("search-recent"),
                                 .version = licet_bytes_of_text("2026-11-23"),
                                 .catalogue = licet_bytes_of_text("x-api-v2@2022-10-10"),
                                 .clause = licet_bytes_of_text(i == 1 ? "NO-TRAIN" : "")};

        need(licet_context_encode(1 + i, &context, &entry, &err));
        append_entry();
    }
    for (uint8_t i = 0; i < (observed ? 6 : 5); i++) {
        need(licet_unit_encode((uint8_t)(i + 1), licet_bytes_of_text(kinds[i]), &entry, &err));
        append_entry();
    }
}

/* Every 7th is refused, every 50th unmetered; if observed every 11th would be refused, half of these say why: all
 * figures follow from i. */
static void
append_receipt(uint64_t i, bool observed)
{
    licet_receipt receipt = {.identity = {9, 1, i},
                             .time_ms = BEGIN_MS + i * 1000,
                             .context = 1 + (uint32_t)(i % APPS),
                             .duration_ms = 20,
                             .status = 200,
                             .bytes = 1000 + i,
                             .units_len = 3,
                             .units = {{1, 1}, {2, 10}, {3, 3}}};

    if (i % 7 == 6) {
        receipt.verdict = LICET_VERDICT_REFUSE;
        receipt.ending = LICET_ENDING_REFUSED;
        receipt.status = 403;
        receipt.bytes = 0;
        receipt.units_len = 0;
        need(licet_receipt_encode(&receipt, &entry, &err) &&
             licet_journal_put_refusal(&payload, LEDGER, LICET_REASON_PURPOSE_FORBIDDEN, licet_buffer_view(&entry)));
        append(LICET_JOURNAL_REFUSAL);
        entry.len = 0;
        return;
    }
    if (i % 50 == 0) {
        receipt.unmetered = true;
        receipt.units_len = 5;
        receipt.units[3] = (licet_receipt_unit){4, 100};
        receipt.units[4] = (licet_receipt_unit){5, 1};
    }
    if (observed && i % 11 == 5) {
        receipt.verdict = LICET_VERDICT_OBSERVE;
        if (i % 2 == 0) {
            receipt.units[receipt.units_len++] = (licet_receipt_unit){6, 1};
        }
    }
    need(licet_receipt_encode(&receipt, &entry, &err));
    append_entry();
}

/* What the peer called receipt 8. */
static void
append_peer(void)
{
    licet_peer peer = {.sequence = 8, .id = {0xab, 0xcd}};
    licet_peers peers = {.gate = 9, .epoch = 1, .count = 1, .list = &peer};

    need(licet_peers_encode(&peers, &entry, &err));
    append_entry();
}

/* Ten seconds in which at most three requests and 50 posts are not told. */
static void
append_gap(void)
{
    licet_gap gap = {.cause = LICET_GAP_POWER_LOSS,
                     .gate = 9,
                     .epoch = 1,
                     .from_ms = BEGIN_MS + 10000,
                     .to_ms = BEGIN_MS + 20000,
                     .requests = 3,
                     .units_len = 1,
                     .units = {{2, 50}}};

    need(licet_gap_encode(&gap, &entry, &err));
    append_entry();
}

int
main(int argc, char **argv)
{
    char path[4096];
    uint64_t receipts;
    const licet_journal_position *positions;
    bool observed = argc >= 4 && strcmp(argv[3], "observed") == 0;
    bool more = observed && argc == 5 && strcmp(argv[4], "more") == 0;
    size_t n;

    if ((argc != 3 && !more && !(observed && argc == 4)) || !licet_parse_u64(licet_bytes_of_text(argv[2]), &receipts)) {
        fprintf(stderr, "usage: licet-test-seed DIR RECEIPTS [observed [more]]\n");
        return 2;
    }
    licet_buffer_init(&entry, LICET_ENTRY_MAX);
    licet_buffer_init(&payload, 2 * LICET_ENTRY_MAX);
    snprintf(path, sizeof(path), "%s/data/journal", argv[1]);
    need(licet_journal_file_open(path, false, 0, &journal, &err));
    append_dictionary(observed);
    if (more) {
        append_peer();
    }
    for (uint64_t i = 0; i < receipts; i++) {
        append_receipt(i, observed);
    }
    if (more) {
        append_gap();
    }
    need(licet_journal_put_time(&payload, BEGIN_MS + receipts * 1000));
    append(LICET_JOURNAL_TICK);
    positions = journal->ops->positions(journal, &n);
    need(journal->ops->commit(journal, positions, n, BEGIN_MS + receipts * 1000, &err));
    need(journal->ops->close(journal, &err));
    licet_buffer_done(&entry);
    licet_buffer_done(&payload);
    return 0;
}
