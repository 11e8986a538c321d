/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of every entry's codec: against the vectors of docs/format/receipt.md
 * and records.md in both directions, and against itself with random values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "again.h"
#include "vectors.h"

#define T 0x183c1c422faULL

static uint64_t sequences_four[] = {16, 17, 217, 281474976710655ULL};
static uint64_t sequences_one[] = {16};

static licet_bytes
text(const char *s)
{
    return licet_bytes_of_text(s);
}

static licet_hash
hash_from(uint8_t first)
{
    licet_hash h;
    for (unsigned i = 0; i < 32; i++)
        h.bytes[i] = (uint8_t)(first + i);
    return h;
}

/* ---- one function per vector: encodes the value that the page describes ---- */

static bool
make_receipt(const char *name, licet_buffer *out, licet_error *err)
{
    licet_receipt r = {.identity = {1, 1, 1}, .time_ms = 1};
    if (strcmp(name, "receipt-page") == 0)
        r = (licet_receipt){.identity = {1, 7, 4711},
                            .time_ms = T,
                            .context = 3,
                            .duration_ms = 142,
                            .status = 200,
                            .bytes = 33640,
                            .units_len = 2,
                            .units = {{0, 1}, {2, 100}}};
    if (strcmp(name, "receipt-full") == 0)
        r = (licet_receipt){.flow = LICET_FLOW_PASSED_ON,
                            .basis = LICET_BASIS_DECLARED,
                            .verdict = LICET_VERDICT_OPEN,
                            .unmetered = true,
                            .observe = true,
                            .linked = true,
                            .identity = {65535, UINT32_MAX, (1ULL << 48) - 1},
                            .time_ms = (1ULL << 48) - 1,
                            .part = 65535,
                            .context = UINT32_MAX,
                            .duration_ms = UINT32_MAX,
                            .status = 1023,
                            .ending = LICET_ENDING_GATE_STOPPED,
                            .bytes = (1ULL << 40) - 1,
                            .units_len = 1,
                            .units = {{255, UINT64_MAX}}};
    if (strcmp(name, "receipt-aborted") == 0)
        r = (licet_receipt){.flow = LICET_FLOW_PASSED_ON,
                            .unmetered = true,
                            .identity = {2, 1, 255},
                            .time_ms = T + 1,
                            .part = 1,
                            .context = 16,
                            .duration_ms = 30000,
                            .status = 200,
                            .ending = LICET_ENDING_CLIENT_CLOSED_BODY,
                            .bytes = 65535,
                            .units_len = 3,
                            .units = {{0, 1}, {2, 300}, {9, 65536}}};
    return licet_receipt_encode(&r, out, err);
}

static bool
make_refusals(const char *name, licet_buffer *out, licet_error *err)
{
    licet_refusals r = {.gate = 1,
                        .epoch = 7,
                        .context = 3,
                        .status = 429,
                        .reason = LICET_REASON_CAP_REACHED,
                        .first_ms = T,
                        .last_ms = T,
                        .count = 1,
                        .sequences = sequences_one};
    if (strcmp(name, "refusals-four") == 0) {
        r.flow = LICET_FLOW_PASSED_ON;
        r.observe = true;
        r.status = 403;
        r.reason = LICET_REASON_PURPOSE_FORBIDDEN;
        r.last_ms = T + 18000;
        r.count = 4;
        r.sequences = sequences_four;
    }
    return licet_refusals_encode(&r, out, err);
}

static bool
make_dictionary(const char *name, licet_buffer *out, licet_error *err)
{
    licet_context full = {
        text("pages"),    text("K-1"), text("Pages"),         text("UC-2"),       text("display"),
        text("public"),   text("US"),  text("search-recent"), text("2022-10-10"), text("x-api-v2@2022-10-10"),
        text("CAP-MONTH")};
    licet_context empty = {0};
    if (strcmp(name, "context-full") == 0)
        return licet_context_encode(3, &full, out, err);
    if (strcmp(name, "context-empty") == 0)
        return licet_context_encode(0, &empty, out, err);
    if (strcmp(name, "unit-post") == 0)
        return licet_unit_encode(2, text("post"), out, err);
    return licet_unit_encode(255, text("held:post"), out, err);
}

static bool
make_fold(const char *name, licet_buffer *out, licet_error *err)
{
    licet_fold_start named = {1, text("M-2022-7"), text("licensor"), T};
    licet_fold_start unidentified = {1, text("unidentified"), text("licensee"), 0};
    return licet_fold_start_encode(strcmp(name, "fold-start") == 0 ? &named : &unidentified, out, err);
}

static bool
make_version(const char *name, licet_buffer *out, licet_error *err)
{
    licet_version_record v = {T,
                              42,
                              text("2022-10-10"),
                              text("x-api-v2@2022-10-10"),
                              hash_from(0),
                              hash_from(32),
                              hash_from(64),
                              hash_from(96)};
    (void)name;
    return licet_version_encode(&v, out, err);
}

static bool
make_gap(const char *name, licet_buffer *out, licet_error *err)
{
    licet_gap loss = {LICET_GAP_POWER_LOSS, 1, 7, T, T + 60000, 500, 2, {{0, 500}, {2, 50000}}};
    licet_gap slot = {LICET_GAP_WITHOUT_SLOT, 1, 7, T, T, 1, 0, {{0, 0}}};
    licet_gap outage = {LICET_GAP_OUTAGE, 1, 7, T, T + 60000, 65536, 1, {{2, 6553600}}};
    return licet_gap_encode(strcmp(name, "gap-power-loss") == 0 ? &loss
                            : strcmp(name, "gap-outage") == 0   ? &outage
                                                                : &slot,
                            out, err);
}

static bool
make_period(const char *name, licet_buffer *out, licet_error *err)
{
    licet_period p = {1664582400000ULL, 1667260800000ULL, 1000, 900, 4100, 2, {{0, 900}, {2, 81234}}};
    if (strcmp(name, "period-idle") == 0)
        p = (licet_period){.from_ms = 1664582400000ULL, .before_ms = 1667260800000ULL, .entries = 2};
    return licet_period_encode(&p, out, err);
}

static bool
make_unidentified(const char *name, licet_buffer *out, licet_error *err)
{
    licet_unidentified u = {27756720, LICET_REASON_CREDENTIAL_UNKNOWN, 17};
    (void)name;
    return licet_unidentified_encode(&u, out, err);
}

static bool
make_duplicates(const char *name, licet_buffer *out, licet_error *err)
{
    licet_duplicates r = {
        LICET_FLOW_ACQUIRED, {1, 7, 4711}, 1665403200250ULL, 3, 2, 1665360000000ULL, 1665446400000ULL, 17};

    return licet_duplicates_encode(&r, out, err);
}

static bool
make_refused(const char *name, licet_buffer *out, licet_error *err)
{
    licet_refused r = {1665403200250ULL, 1665403260250ULL, LICET_REASON_CANNOT_RECORD, 17};
    (void)name;
    return licet_refused_encode(&r, out, err);
}

static bool
make_change(const char *name, licet_buffer *out, licet_error *err)
{
    licet_change_record record = {.time_ms = 1665403200250ULL,
                                  .from_ms = 0x01823e6e4c00ULL,
                                  .image = 42,
                                  .number = 7,
                                  .subject = LICET_SUBJECT_USE_CASE,
                                  .action = LICET_ACTION_APPROVED,
                                  .flags = LICET_CHANGE_BACK_DATED,
                                  .id = licet_bytes_of_text("UC-2")};
    licet_hash *const hashes[] = {&record.document, &record.words, &record.who, &record.as, &record.approved};

    (void)name;
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned j = 0; j < LICET_SHA256_LEN; j++) {
            hashes[i]->bytes[j] = (uint8_t)(32 * i + j);
        }
    }
    return licet_change_encode(&record, out, err);
}

static bool
make_peers(const char *name, licet_buffer *out, licet_error *err)
{
    static const licet_peer list[] = {
        {5, {0x3a, 0x14, 0xc9, 0x9e, 0x02, 0x64, 0x64, 0x1d, 0x0e, 0xe3, 0xfd, 0x2e, 0xa8, 0xee, 0x1f, 0x9f}},
        {261, {0}}};
    licet_peers p = {1, 7, strcmp(name, "peers-one") == 0 ? 1 : 2, list};
    return licet_peers_encode(&p, out, err);
}

static bool
make_acceptance(const char *name, licet_buffer *out, licet_error *err)
{
    licet_acceptance_record a = {.time_ms = T,
                                 .accepted_ms = T - 250,
                                 .party = LICET_PARTY_LICENSEE,
                                 .version = LICET_BYTES_LITERAL("2022-10-10"),
                                 .catalogue = LICET_BYTES_LITERAL("x-api-v2@2022-10-10"),
                                 .key = LICET_BYTES_LITERAL("meridian")};

    memset(a.agreement_sha256.bytes, 0x11, LICET_SHA256_LEN);
    memset(a.catalogue_sha256.bytes, 0x22, LICET_SHA256_LEN);
    memset(a.public_key.bytes, 0x33, LICET_SHA256_LEN);
    memset(a.note.bytes, 0x44, LICET_SHA256_LEN);
    return licet_acceptance_encode(&a, out, err);
}

static bool
make_disclosure(const char *name, licet_buffer *out, licet_error *err)
{
    licet_disclosure_file files[2] = {{81234, {{0}}}, {0, {{0}}}};
    licet_disclosure d = {{0, 0, 42}, T, true, false, 0, 2, 5000, 4900, 2, files};
    memset(files[0].sha256.bytes, 0xab, LICET_SHA256_LEN);
    memset(files[1].sha256.bytes, 0xcd, LICET_SHA256_LEN);
    if (strcmp(name, "disclosure-anyway") == 0)
        d = (licet_disclosure){{0, 0, 43}, T, false, true, LICET_REASON_GOVERNMENT_NOTICE, 2, 100, 0, 1, files};
    return licet_disclosure_encode(&d, out, err);
}

typedef bool (*make)(const char *name, licet_buffer *out, licet_error *err);
static const struct {
    const char *name;
    make make;
} CASES[] = {
    {"receipt-least", make_receipt},
    {"receipt-page", make_receipt},
    {"receipt-full", make_receipt},
    {"receipt-aborted", make_receipt},
    {"refusals-one", make_refusals},
    {"refusals-four", make_refusals},
    {"context-full", make_dictionary},
    {"context-empty", make_dictionary},
    {"unit-post", make_dictionary},
    {"unit-held", make_dictionary},
    {"fold-start", make_fold},
    {"fold-start-unidentified", make_fold},
    {"version", make_version},
    {"gap-power-loss", make_gap},
    {"gap-without-slot", make_gap},
    {"gap-outage", make_gap},
    {"period", make_period},
    {"period-idle", make_period},
    {"unidentified", make_unidentified},
    {"refused", make_refused},
    {"duplicates", make_duplicates},
    {"change", make_change},
    {"acceptance", make_acceptance},
    {"peers-one", make_peers},
    {"peers-two", make_peers},
    {"disclosure-counted", make_disclosure},
    {"disclosure-anyway", make_disclosure},
};

static vectors *
pages(void)
{
    vectors *all = calloc(1, sizeof(*all));
    assert_non_null(all);
    vectors_read("docs/format/receipt.md", all);
    vectors_read("docs/format/records.md", all);
    return all;
}

static void
test_vectors_are_written(void **state)
{
    vectors *all = pages();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        licet_buffer out;
        licet_error err = {0};
        vector *v = vectors_find(all, CASES[i].name);
        assert_non_null(v);
        licet_buffer_init(&out, 1 << 20);
        if (!CASES[i].make(CASES[i].name, &out, &err))
            fail_msg("%s: %s", CASES[i].name, err.text);
        if (out.len != v->len || memcmp(out.data, v->bytes, v->len) != 0)
            fail_msg("%s: written bytes differ from the page", CASES[i].name);
        licet_buffer_done(&out);
    }
    for (size_t i = 0; i < all->len; i++)
        if (!all->list[i].used && !all->list[i].refused)
            fail_msg("vector %s of the page is not tested", all->list[i].name);
    free(all);
}

static void
test_vectors_are_read(void **state)
{
    vectors *all = pages();
    for (size_t i = 0; i < all->len; i++) {
        vector *v = &all->list[i];
        licet_buffer out;
        licet_error err = {0};
        licet_bytes in = {v->bytes, v->len};
        licet_buffer_init(&out, 1 << 20);
        bool ok = licet_entry_check(in, &err);
        if (ok == v->refused)
            fail_msg("%s: %s", v->name, ok ? "accepted, the page refuses it" : err.text);
        if (!ok && (err.code == LICET_E_NONE || err.text[0] == '\0'))
            fail_msg("%s: refused without a word", v->name);
        if (ok && (!again(in, &out, &err) || out.len != v->len || memcmp(out.data, v->bytes, v->len) != 0))
            fail_msg("%s: read and written again it differs: %s", v->name, err.text);
        licet_buffer_done(&out);
    }
    free(all);
}

/* Every way to cut or lengthen a vector is refused, but for a receipt cut before or after a whole unit. */
static void
test_cut_entries(void **state)
{
    vectors *all = pages();
    for (size_t i = 0; i < all->len; i++) {
        vector *v = &all->list[i];
        if (v->refused)
            continue;
        for (size_t len = 0; len <= v->len + 1; len++) {
            uint8_t copy[sizeof(v->bytes) + 1] = {0};
            licet_buffer out;
            licet_error err = {0};
            memcpy(copy, v->bytes, len < v->len ? len : v->len);
            licet_buffer_init(&out, 1 << 20);
            licet_bytes in = {copy, len};
            if (licet_entry_check(in, &err) && (!again(in, &out, &err) || out.len != len))
                fail_msg("%s cut to %zu bytes: accepted in a second form", v->name, len);
            licet_buffer_done(&out);
        }
    }
    free(all);
}

static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void
random_receipt(uint64_t *seed, licet_receipt *r)
{
    memset(r, 0, sizeof(*r));
    uint64_t bits = next_random(seed);
    r->flow = (licet_flow)(bits & 1);
    r->basis = (licet_basis)(bits >> 1 & 3);
    r->verdict = (licet_verdict_kind)(bits >> 3 & 3);
    r->unmetered = bits >> 5 & 1;
    r->observe = bits >> 6 & 1;
    r->linked = bits >> 7 & 1;
    r->part = (uint16_t)(bits >> 8);
    r->status = (uint16_t)(bits >> 24 & 1023);
    r->ending = (licet_ending)((bits >> 40) % LICET_ENDINGS_LEN);
    r->identity = (licet_identity){(uint16_t)next_random(seed), (uint32_t)next_random(seed), next_random(seed) >> 16};
    r->time_ms = next_random(seed) >> 16;
    r->context = (uint32_t)next_random(seed);
    r->duration_ms = (uint32_t)next_random(seed);
    r->bytes = next_random(seed) >> 24;
    r->units_len = next_random(seed) % (LICET_RECEIPT_UNITS_MAX + 1);
    for (size_t i = 0; i < r->units_len; i++) {
        r->units[i].kind = (uint8_t)(i * 9 + next_random(seed) % 9);
        r->units[i].count = (next_random(seed) >> (next_random(seed) % 64)) | 1;
    }
}

static void
test_random_receipts(void **state)
{
    uint64_t seed = 0x9e3779b97f4a7c15ULL;
    unsigned written = 0, too_long = 0;
    for (unsigned i = 0; i < 20000; i++) {
        licet_receipt r, back;
        licet_buffer out;
        licet_error err = {0};
        random_receipt(&seed, &r);
        memset(&back, 0, sizeof(back));
        licet_buffer_init(&out, 1 << 16);
        if (!licet_receipt_encode(&r, &out, &err)) {
            assert_int_equal(err.code, LICET_E_LIMIT);
            assert_int_equal(out.len, 0);
            too_long++;
        } else {
            assert_true(out.len <= LICET_RECEIPT_MAX);
            assert_true(licet_receipt_decode(licet_buffer_view(&out), &back, &err));
            assert_int_equal(back.units_len, r.units_len);
            memset(back.units + back.units_len, 0, sizeof(back.units[0]) * (LICET_RECEIPT_UNITS_MAX - back.units_len));
            for (size_t k = 0; k < r.units_len; k++) {
                assert_int_equal(back.units[k].kind, r.units[k].kind);
                assert_true(back.units[k].count == r.units[k].count);
            }
            assert_true(back.flow == r.flow && back.basis == r.basis && back.verdict == r.verdict);
            assert_true(back.unmetered == r.unmetered && back.observe == r.observe && back.linked == r.linked);
            assert_true(back.identity.gate == r.identity.gate && back.identity.epoch == r.identity.epoch &&
                        back.identity.sequence == r.identity.sequence);
            assert_true(back.time_ms == r.time_ms && back.part == r.part && back.context == r.context);
            assert_true(back.duration_ms == r.duration_ms && back.status == r.status && back.ending == r.ending &&
                        back.bytes == r.bytes);
            written++;
        }
        licet_buffer_done(&out);
    }
    assert_true(written > 1000 && too_long > 1000); /* both sides of the ceiling were met */
}

static void
refuse_receipt(const char *what, const licet_receipt *r, licet_errc code)
{
    licet_buffer out;
    licet_error err = {0};
    licet_buffer_init(&out, 1 << 16);
    if (licet_receipt_encode(r, &out, &err) || err.code != code || out.len != 0)
        fail_msg("%s: expected error %d and nothing written, got %d, %zu bytes: %s", what, (int)code, (int)err.code,
                 out.len, err.text);
    licet_buffer_done(&out);
}

static void
test_encoders_refuse(void **state)
{
    const licet_receipt good = {.identity = {1, 1, 1}, .time_ms = 1};
    licet_receipt r;
#define REFUSE(code, ...)                                                                                              \
    r = good;                                                                                                          \
    __VA_ARGS__;                                                                                                       \
    refuse_receipt(#__VA_ARGS__, &r, code)
    REFUSE(LICET_E_INVALID, r.identity.sequence = 1ULL << 48);
    REFUSE(LICET_E_INVALID, r.time_ms = 1ULL << 48);
    REFUSE(LICET_E_INVALID, r.status = 1024);
    REFUSE(LICET_E_INVALID, r.bytes = 1ULL << 40);
    REFUSE(LICET_E_INVALID, r.flow = (licet_flow)2);
    REFUSE(LICET_E_INVALID, r.basis = (licet_basis)4);
    REFUSE(LICET_E_INVALID, r.verdict = (licet_verdict_kind)4);
    REFUSE(LICET_E_UNSUPPORTED, r.ending = (licet_ending)14);
    REFUSE(LICET_E_LIMIT, r.units_len = 28);
    REFUSE(LICET_E_INVALID, r.units_len = 1);
    REFUSE(LICET_E_INVALID, r.units_len = 2; r.units[0].kind = 1; r.units[0].count = 1; r.units[1] = r.units[0]);
#undef REFUSE
}

static void
test_greatest_run(void **state)
{
    static uint64_t sequences[LICET_REFUSALS_MAX + 1], back[LICET_REFUSALS_MAX];
    licet_refusals r = {.status = 429,
                        .reason = LICET_REASON_RATE_LIMIT,
                        .last_ms = 5,
                        .count = LICET_REFUSALS_MAX,
                        .sequences = sequences};
    licet_refusals read;
    licet_buffer out;
    licet_error err = {0};
    for (unsigned i = 0; i <= LICET_REFUSALS_MAX; i++)
        sequences[i] = (uint64_t)i * 68000000000ULL; /* the widest steps that fit: six bytes each */
    licet_buffer_init(&out, 1 << 17);
    assert_true(licet_refusals_encode(&r, &out, &err));
    assert_true(out.len <= LICET_ENTRY_MAX);
    assert_true(licet_refusals_decode(licet_buffer_view(&out), back, &read, &err));
    assert_memory_equal(back, sequences, sizeof(back));
    r.count++;
    assert_false(licet_refusals_encode(&r, &out, &err));
    sequences[5] = sequences[4];
    r.count = 10;
    assert_false(licet_refusals_encode(&r, &out, &err));
    licet_buffer_done(&out);
}

static void
test_ceiling_of_the_buffer(void **state)
{
    licet_receipt r = {.identity = {1, 1, 1}, .time_ms = 1};
    licet_buffer out;
    licet_error err = {0};
    licet_buffer_init(&out, 36);
    assert_false(licet_receipt_encode(&r, &out, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    licet_buffer_done(&out);
    static uint8_t much[70000];
    licet_context context = {.app = {much, sizeof(much)}};
    licet_buffer_init(&out, 1 << 20);
    assert_false(licet_context_encode(1, &context, &out, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    context.app.len = 60000;
    context.purpose = (licet_bytes){much, 60000};
    assert_false(licet_context_encode(1, &context, &out, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    assert_int_equal(out.len, 0);
    licet_buffer_done(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_are_written),   cmocka_unit_test(test_vectors_are_read),
        cmocka_unit_test(test_cut_entries),           cmocka_unit_test(test_random_receipts),
        cmocka_unit_test(test_encoders_refuse),       cmocka_unit_test(test_greatest_run),
        cmocka_unit_test(test_ceiling_of_the_buffer),
    };
    return cmocka_run_group_tests_name("receipt", tests, NULL, NULL);
}
