/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports over random ledgers: every list adds up to the totals, the totals to
 * the entries, limits to a count by hand; and the text keeps to its width.
 */
#include "hand_ledger.h"
#include "text.h"

#include <jansson.h>

/* ---- an image made by hand: what the compiler would make of a small agreement -- */

static struct {
    licet_image_header header;
    licet_image_version versions[2];
    licet_image_clause clauses[4];
    licet_image_purpose purposes[2];
    licet_image_endpoint endpoints[1];
    licet_image_limit limits[6];
    uint32_t limit_endpoints[1];
    licet_image_app apps[3];
    licet_image_app_product app_products[2];
    licet_image_span spans[1];
    licet_text products[2];
    licet_image_credential credentials[2];
    licet_image_use_case use_cases[3];
    uint8_t strings[1024];
    uint32_t strings_len;
} blob;
static licet_image image;

static licet_text
put_string(const char *text)
{
    licet_text at = {blob.strings_len, (uint32_t)strlen(text)};

    memcpy(blob.strings + at.offset, text, at.len);
    blob.strings_len += at.len;
    return at;
}

static void
make_image(void)
{
    memset(&blob, 0, sizeof(blob));
    memcpy(blob.header.magic, LICET_IMAGE_MAGIC, 8);
    blob.header.agreement = put_string("M-2022-7");
    blob.header.licensor = put_string("Example Platform Inc.");
    blob.header.licensee = put_string("Meridian Corporation");
    blob.header.kinds_len = 5;
    blob.header.kinds[0] = put_string("request");
    blob.header.kinds[1] = put_string("byte");
    blob.header.kinds[2] = put_string("post");
    blob.header.kinds[3] = put_string("user");
    blob.header.kinds[4] = put_string("quote");
    blob.clauses[0] = (licet_image_clause){put_string("CAP-MONTH"), put_string("2"), put_string("Two million"),
                                           LICET_MODE_ENFORCE, 0};
    blob.clauses[1] = (licet_image_clause){put_string("NO-TRAIN"), put_string("II.A.g"), put_string("No training"),
                                           LICET_MODE_ENFORCE, 0};
    blob.clauses[2] = (licet_image_clause){put_string("CAP-DAY"), put_string("3"), put_string("So many a day"),
                                           LICET_MODE_ENFORCE, 0};
    blob.clauses[3] = (licet_image_clause){put_string("RATE"), put_string("4"), put_string("So many a quarter"),
                                           LICET_MODE_ENFORCE, 0};
    blob.purposes[0] = (licet_image_purpose){put_string("display"), LICET_NONE, 0};
    blob.purposes[1] = (licet_image_purpose){put_string("train-ai"), 1, 0};
    blob.endpoints[0] = (licet_image_endpoint){.id = put_string("search-recent")};
    for (uint32_t v = 0; v < 2; v++) {
        blob.versions[v] = (licet_image_version){.id = put_string(v == 0 ? "2022-10-10" : "2022-12-01"),
                                                 .catalogue = put_string("x-api-v2@2022-10-10"),
                                                 .from_ms = START_MS + (v == 0 ? 9 : 61) * DAY_MS,
                                                 .before_ms = START_MS + (v == 0 ? 61 : 400) * DAY_MS,
                                                 .limits = {3 * v, 3}};
        blob.limits[3 * v] = (licet_image_limit){
            .clause = 0, .kind = 2, .most = 20000, .per = LICET_PER_MONTH, .zone = LICET_NONE, .first_day = 1};
        blob.limits[3 * v + 1] = (licet_image_limit){.clause = 2,
                                                     .kind = 3,
                                                     .most = 100,
                                                     .span_s = 86400,
                                                     .over = LICET_OVER_APP,
                                                     .endpoints = {0, 1},
                                                     .zone = LICET_NONE,
                                                     .first_day = 1};
        blob.limits[3 * v + 2] =
            (licet_image_limit){.clause = 3, .kind = 0, .most = 450, .span_s = 900, .zone = LICET_NONE, .first_day = 1};
    }
    blob.products[0] = put_string("Pages");
    blob.products[1] = put_string("Search");
    blob.app_products[0] = (licet_image_app_product){.product = 0, .before_ms = UINT64_MAX};
    blob.app_products[1] = (licet_image_app_product){.product = 1, .before_ms = UINT64_MAX};
    blob.spans[0] = (licet_image_span){START_MS, UINT64_MAX};
    blob.apps[0] = (licet_image_app){
        put_string("pages"), put_string("prod"), 0, {0, 1}, LICET_NONE, 0, UINT64_MAX, 0, LICET_NONE, 0};
    blob.apps[1] = (licet_image_app){
        put_string("reader"), put_string("prod"), LICET_NONE, {0, 2}, LICET_NONE, 0, UINT64_MAX, 0, LICET_NONE, 0};
    blob.apps[2] = (licet_image_app){
        put_string("idle"), put_string("test"), LICET_NONE, {0, 0}, LICET_NONE, 0, UINT64_MAX, 0, LICET_NONE, 0};
    for (uint32_t i = 0; i < 2; i++) {
        blob.credentials[i] = (licet_image_credential){.id = put_string(i == 0 ? "K-1" : "K-2"),
                                                       .app = i,
                                                       .recipient = LICET_NONE,
                                                       .from_ms = START_MS,
                                                       .before_ms = UINT64_MAX};
    }
    for (uint32_t i = 0; i < 3; i++) {
        blob.use_cases[i] = (licet_image_use_case){.id = put_string(i == 0   ? "UC-1"
                                                                    : i == 1 ? "UC-2"
                                                                             : "UC-3"),
                                                   .purpose = blob.purposes[0].name,
                                                   .recipient = put_string(i == 2 ? "idle recipient" : "public"),
                                                   .product = i % 2,
                                                   .approved = {0, i != 2}};
    }
    image.header = &blob.header;
#define POINT(name)                                                                                                    \
    image.name = blob.name;                                                                                            \
    blob.header.name##_len = (uint32_t)(sizeof(blob.name) / sizeof(blob.name[0]));
    POINT(versions)
    POINT(clauses)
    POINT(purposes)
    POINT(endpoints)
    POINT(limits)
    POINT(limit_endpoints)
    POINT(spans)
    POINT(apps)
    POINT(app_products)
    POINT(products)
    POINT(credentials)
    POINT(use_cases)
    POINT(strings)
#undef POINT
}

/* ---- helpers -------------------------------------------------------------- */

static json_t *
parse(const licet_report *report)
{
    licet_buffer text;
    json_error_t where;
    json_t *root;

    licet_buffer_init(&text, 64u << 20);
    ok(licet_report_json(report, &text, &last));
    assert_int_equal(text.data[text.len - 1], '\n');
    root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) {
        fail_msg("line %d: %s", where.line, where.text);
    }
    licet_buffer_done(&text);
    return root;
}

static json_int_t
get(const json_t *object, const char *a, const char *b, const char *c)
{
    object = json_object_get(object, a);
    object = b == NULL ? object : json_object_get(object, b);
    object = c == NULL ? object : json_object_get(object, c);
    assert_true(json_is_integer(object));
    return json_integer_value(object);
}

/* Every integer of a tally, in a fixed order. */
#define FIGURES (3 + 3 * 7)
static void
figures_of(const json_t *row, json_int_t *out)
{
    static const char *const units[] = {"post", "user", "quote"};
    static const char *const basis[] = {"counted", "reported", "estimated", "declared"};
    size_t at = 0;

    out[at++] = get(row, "requests", "delivered", NULL);
    out[at++] = get(row, "requests", "refused", NULL);
    out[at++] = get(row, "bytes", NULL, NULL);
    for (size_t i = 0; i < 3; i++) {
        const json_t *amount = json_object_get(json_object_get(row, "units"), units[i]);
        json_int_t sum = 0;

        out[at++] = get(amount, "gross", NULL, NULL);
        out[at++] = get(amount, "deduplicated", NULL, NULL);
        out[at++] = get(amount, "billable", NULL, NULL);
        for (size_t j = 0; j < 4; j++) {
            out[at] = get(amount, "basis", basis[j], NULL);
            sum += out[at++];
        }
        assert_int_equal(sum, out[at - 7]);
        assert_true(out[at - 7] >= out[at - 6]); /* duplicates were credited of some */
        assert_int_equal(out[at - 6], out[at - 5]);
    }
    assert_int_equal(at, FIGURES);
}

static const char *const lists[] = {"flows",      "apps",      "products",    "purposes", "use_cases",
                                    "recipients", "countries", "governments", "months",   "credentials"};

static const json_t *
row_of(const json_t *list, const char *id)
{
    const json_t *row;
    size_t i;

    json_array_foreach(list, i, row)
    {
        const char *found = json_string_value(json_object_get(row, "id"));

        if (id == NULL ? found == NULL : found != NULL && strcmp(found, id) == 0) {
            return row;
        }
    }
    return NULL;
}

static void
assert_adds_up(const json_t *root)
{
    json_int_t totals[FIGURES], row_figures[FIGURES];

    figures_of(json_object_get(root, "totals"), totals);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const json_t *list = json_object_get(root, lists[i]), *row;
        json_int_t sums[FIGURES] = {0};
        size_t j, none = 0;

        json_array_foreach(list, j, row)
        {
            figures_of(row, row_figures);
            for (size_t k = 0; k < FIGURES; k++) {
                sums[k] += row_figures[k];
            }
            none += json_is_null(json_object_get(row, "id"));
        }
        if (memcmp(sums, totals, sizeof(sums)) != 0) {
            fail_msg("list %s does not add up to the totals", lists[i]);
        }
        assert_int_equal(none, 1);
        assert_true(json_is_null(json_object_get(json_array_get(list, json_array_size(list) - 1), "id")));
    }
}

/* Refusals add up to what was refused, would-be ones to what was passed in spite of the terms. */
static void
assert_refusals(const json_t *root, uint64_t observed)
{
    const json_t *refusal;
    json_int_t refused = 0, would_be = 0;
    size_t i;

    json_array_foreach(json_object_get(root, "refusals"), i, refusal)
    {
        json_int_t requests = get(refusal, "requests", NULL, NULL);

        if (json_is_true(json_object_get(refusal, "would_be"))) {
            would_be += requests;
        } else {
            refused += requests;
        }
    }
    assert_int_equal(refused, get(root, "totals", "requests", "refused"));
    assert_int_equal(would_be, observed);
}

/* What the entries hold, counted without tables. */
typedef struct by_hand {
    uint64_t delivered, refused, bytes, posts, users, observed, unmetered, charged_posts, disclosed;
} by_hand;

static by_hand
count(const random_ledger *r, uint64_t from, uint64_t before)
{
    static uint64_t sequences[LICET_REFUSALS_MAX];
    by_hand h = {0};

    for (size_t i = 0; i < r->len; i++) {
        licet_receipt receipt;
        licet_refusals run;

        if (licet_receipt_decode(r->entries[i], &receipt, NULL) && receipt.time_ms >= from &&
            receipt.time_ms < before) {
            uint64_t post = 0, held = 0;

            for (size_t j = 0; j < receipt.units_len; j++) {
                post += receipt.units[j].kind == 3 ? receipt.units[j].count : 0;
                held += receipt.units[j].kind == 1 ? receipt.units[j].count : 0;
                h.users += receipt.units[j].kind == 4 ? receipt.units[j].count : 0;
            }
            h.delivered += receipt.part == 0 && receipt.identity.gate != 0;
            h.disclosed += receipt.identity.gate == 0 ? receipt.units[0].count : 0;
            h.observed += receipt.part == 0 && receipt.verdict == LICET_VERDICT_OBSERVE;
            h.bytes += receipt.bytes;
            h.posts += post;
            h.unmetered += receipt.unmetered && receipt.part == 0;
            h.charged_posts += !receipt.unmetered ? 0 : held > post ? held : post;
        } else if (licet_refusals_decode(r->entries[i], sequences, &run, NULL) && run.first_ms >= from &&
                   run.first_ms < before) {
            h.refused += run.count;
        }
    }
    return h;
}

/* Contexts by number; borrowed from the ledger. */
static void
read_contexts(const random_ledger *r, licet_context *contexts)
{
    uint32_t number;
    licet_context context;

    memset(contexts, 0, 256 * sizeof(*contexts));
    for (size_t i = 0; i < r->len; i++) {
        if (licet_context_decode(r->entries[i], &number, &context, NULL)) {
            contexts[number] = context;
        }
    }
}

/* The greatest use of a window by hand: posts of a month, or users of an app in a day at one endpoint. What later
 * admitted is not counted; an empty later leaves nothing out. */
static uint64_t
highest_posts(const random_ledger *r, uint64_t from, uint64_t before, const char *later)
{
    static licet_context contexts[256];
    uint64_t highest = 0;

    read_contexts(r, contexts);

    for (uint32_t month = licet_month_of(from); licet_month_start(month) < before; month++) {
        uint64_t used = 0;

        for (size_t i = 0; i < r->len; i++) {
            licet_receipt receipt;

            if (!licet_receipt_decode(r->entries[i], &receipt, NULL) || licet_month_of(receipt.time_ms) != month ||
                (later[0] != '\0' && licet_bytes_equal_text(contexts[receipt.context].version, later))) {
                continue;
            }
            uint64_t post = 0, held = 0;

            for (size_t j = 0; j < receipt.units_len; j++) {
                post += receipt.units[j].kind == 3 ? receipt.units[j].count : 0;
                held += receipt.units[j].kind == 1 ? receipt.units[j].count : 0;
            }
            used += receipt.unmetered && held > post ? held : post;
        }
        highest = used > highest ? used : highest;
    }
    return highest;
}

static uint64_t
highest_users(const random_ledger *r, uint64_t from, uint64_t before, const char *later)
{
    static licet_context contexts[256];
    uint64_t highest = 0;

    read_contexts(r, contexts);
    for (uint64_t day = from / DAY_MS; day * DAY_MS < before; day++) {
        for (size_t a = 0; a < 256; a++) {
            uint64_t used = 0;

            for (size_t i = 0; contexts[a].catalogue.len > 0 && i < r->len; i++) {
                licet_receipt receipt;
                uint64_t user = 0, held = 0;

                if (!licet_receipt_decode(r->entries[i], &receipt, NULL) || receipt.time_ms / DAY_MS != day ||
                    !licet_bytes_equal(contexts[receipt.context].app, contexts[a].app) ||
                    !licet_bytes_equal_text(contexts[receipt.context].endpoint, "search-recent") ||
                    (later[0] != '\0' && licet_bytes_equal_text(contexts[receipt.context].version, later))) {
                    continue;
                }
                for (size_t j = 0; j < receipt.units_len; j++) {
                    user += receipt.units[j].kind == 4 ? receipt.units[j].count : 0;
                    held += receipt.units[j].kind == 20 ? receipt.units[j].count : 0;
                }
                used += receipt.unmetered && held > user ? held : user;
            }
            highest = used > highest ? used : highest;
        }
    }
    return highest;
}

static const struct {
    uint64_t from, before;
} spans[] = {{START_MS, START_MS + 70 * DAY_MS},
             {START_MS + 31 * DAY_MS, START_MS + 61 * DAY_MS},
             {START_MS + 20 * DAY_MS + 5 * HOUR_MS, START_MS + 25 * DAY_MS + 7 * HOUR_MS},
             {START_MS + 200 * DAY_MS, START_MS + 210 * DAY_MS}};

/* ---- tests -------------------------------------------------------------------- */

static void
check_lists(const json_t *root)
{
    assert_non_null(row_of(json_object_get(root, "apps"), "idle"));
    assert_non_null(row_of(json_object_get(root, "use_cases"), "UC-3"));
    assert_non_null(row_of(json_object_get(root, "recipients"), "idle recipient"));
    assert_non_null(row_of(json_object_get(root, "products"), "Search"));
    assert_non_null(row_of(json_object_get(root, "flows"), "passed-on"));
    assert_string_equal(
        json_string_value(json_object_get(row_of(json_object_get(root, "purposes"), "train-ai"), "forbidden_by")),
        "NO-TRAIN");
}

static void
check_unattributed(const json_t *root)
{
    const char *at = json_string_value(json_object_get(json_object_get(root, "unattributed"), "at"));
    json_int_t told[FIGURES], row[FIGURES];
    size_t index;

    assert_int_equal(sscanf(at, "/use_cases/%zu", &index), 1);
    figures_of(json_array_get(json_object_get(root, "use_cases"), index), row);
    figures_of(json_object_get(root, "unattributed"), told);
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "use_cases"), index), "id")));
    assert_memory_equal(told, row, sizeof(row));
}

static void
check_limits(const json_t *root, const random_ledger *r, uint64_t from, uint64_t before)
{
    const json_t *list = json_object_get(root, "limits"), *limit;
    size_t i;

    json_array_foreach(list, i, limit)
    {
        const char *clause = json_string_value(json_object_get(limit, "clause"));
        bool first = strcmp(json_string_value(json_object_get(limit, "version")), "2022-10-10") == 0;
        uint64_t begin = START_MS + (first ? 9 : 61) * DAY_MS, end = START_MS + (first ? 61 : 400) * DAY_MS;
        uint64_t expected = 0;

        begin = begin > from ? begin : from;
        end = end < before ? end : before;
        if (strcmp(clause, "RATE") == 0) {
            assert_true(json_is_false(json_object_get(limit, "derivable")));
            assert_true(json_is_null(json_object_get(limit, "highest")));
            assert_string_equal(json_string_value(json_object_get(limit, "per")), "15m");
            continue;
        }
        expected = strcmp(clause, "CAP-MONTH") == 0 ? highest_posts(r, begin, end, first ? "2022-12-01" : "")
                                                    : highest_users(r, begin, end, first ? "2022-12-01" : "");
        if (expected == 0) {
            assert_true(json_is_null(json_object_get(limit, "highest")));
        } else {
            assert_int_equal(get(limit, "highest", "used", NULL), expected);
        }
    }
}

static uint64_t
disclosed(const json_t *root)
{
    const json_t *list = json_object_get(root, "disclosures"), *row;
    uint64_t sum = 0;
    size_t i;

    json_array_foreach(list, i, row)
    {
        sum += (uint64_t)json_integer_value(json_object_get(row, "gross"));
        assert_true(json_array_size(json_object_get(row, "files")) >= 1);
    }
    return sum;
}

static void
test_sums(void **state)
{
    static random_ledger r;

    for (uint64_t seed = 1; seed <= 6; seed++) {
        licet_usage *usage;

        random_ledger_make(&r, "M-2022-7", seed * 31, 600 * seed, START_MS);
        usage = apply_all(&r);
        for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
            licet_report_options options = {.image = &image,
                                            .agreement = "M-2022-7",
                                            .from_ms = spans[i].from,
                                            .before_ms = spans[i].before,
                                            .as_of_ms = START_MS + 80 * DAY_MS};
            by_hand h = count(&r, spans[i].from, spans[i].before);
            licet_report *report;
            json_t *root;

            ok(licet_report_make(usage, &options, &report, &last));
            root = parse(report);
            assert_adds_up(root);
            assert_int_equal(get(root, "totals", "requests", "delivered"), h.delivered);
            assert_int_equal(get(root, "totals", "requests", "refused"), h.refused);
            assert_int_equal(get(root, "totals", "bytes", NULL), h.bytes);
            assert_int_equal(get(json_object_get(root, "totals"), "units", "post", "gross"), h.posts);
            assert_int_equal(get(json_object_get(root, "totals"), "units", "user", "gross"), h.users);
            assert_int_equal(get(root, "unmetered", "responses", NULL), h.unmetered);
            assert_int_equal(get(json_object_get(root, "unmetered"), "units", "post", "charged"), h.charged_posts);
            assert_int_equal(disclosed(root), h.disclosed);
            assert_refusals(root, h.observed);
            check_lists(root);
            check_unattributed(root);
            check_limits(root, &r, spans[i].from, spans[i].before);
            json_decref(root);
            licet_report_free(report);
        }
        ok(licet_usage_close(usage, &last));
        random_ledger_done(&r);
    }
}

/* ---- a ledger made by hand ------------------------------------------------------ */

/* The tables of the ledger, and what is reported of the 70 days from START_MS. */
static licet_report *
hand_report(random_ledger *r)
{
    licet_report_options options = {
        .image = &image, .agreement = "M-2022-7", .from_ms = START_MS, .before_ms = START_MS + 70 * DAY_MS};
    licet_report *report;
    licet_usage *usage;

    usage = hand_tables(r);
    ok(licet_report_make(usage, &options, &report, &last));
    ok(licet_usage_close(usage, &last));
    random_ledger_done(r);
    return report;
}

static json_int_t
used(const json_t *root, size_t limit)
{
    return get(json_array_get(json_object_get(root, "limits"), limit), "highest", "used", NULL);
}

static const json_t *
would_be(const json_t *root, const char *reason, const char *clause)
{
    const json_t *refusal;
    size_t i;

    json_array_foreach(json_object_get(root, "refusals"), i, refusal)
    {
        const char *told = json_string_value(json_object_get(refusal, "reason"));
        const char *of = json_string_value(json_object_get(refusal, "clause"));

        if (json_is_true(json_object_get(refusal, "would_be")) && strcmp(of == NULL ? "" : of, clause) == 0 &&
            (reason == NULL ? told == NULL : told != NULL && strcmp(told, reason) == 0)) {
            return refusal;
        }
    }
    return NULL;
}

/* What would have been refused is told by reason and clause; receipts that do not say why stay without one. */
static void
test_reasons_of_what_was_only_observed(void **state)
{
    static random_ledger r;
    static const struct {
        uint8_t reason; /* unit kind, 0: none */
        uint32_t context;
        unsigned requests;
    } cases[] = {{2, 1, 3}, {3, 1, 2}, {0, 1, 4}, {3, 2, 5}, {4, 2, 6}};
    licet_report *report;
    json_t *root;

    hand_begin(&r);
    hand_context(&r, 1, "2022-10-10", "CAP-MONTH");
    hand_context(&r, 2, "2022-10-10", "");
    hand_kind(&r, 1, "request");
    hand_kind(&r, 2, "observed:cap-reached");
    hand_kind(&r, 3, "observed:purpose-not-declared");
    hand_kind(&r, 4, "observed:of a later version");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned j = 0; j < cases[i].requests; j++) {
            hand_receipt(&r, (licet_receipt){.verdict = LICET_VERDICT_OBSERVE,
                                             .observe = true,
                                             .context = cases[i].context,
                                             .time_ms = START_MS + 10 * DAY_MS,
                                             .units = {{1, 1}, {cases[i].reason, 1}},
                                             .units_len = cases[i].reason > 0 ? 2 : 1});
        }
    }
    report = hand_report(&r);
    root = parse(report);
    assert_int_equal(json_array_size(json_object_get(root, "refusals")), 5);
    assert_int_equal(get(would_be(root, "cap-reached", "CAP-MONTH"), "requests", NULL, NULL), 3);
    assert_int_equal(get(would_be(root, "purpose-not-declared", "CAP-MONTH"), "requests", NULL, NULL), 2);
    assert_int_equal(get(would_be(root, NULL, "CAP-MONTH"), "requests", NULL, NULL), 4);
    assert_int_equal(get(would_be(root, "purpose-not-declared", ""), "requests", NULL, NULL), 5);
    assert_int_equal(get(would_be(root, NULL, ""), "requests", NULL, NULL), 6);
    assert_refusals(root, 20);
    assert_int_equal(json_object_size(json_object_get(json_object_get(root, "totals"), "units")), 3); /* of the image */
    json_decref(root);
    licet_report_free(report);
}

/* Both gaps' units stand in line 10 added up, and behind the table one by one. */
static void
test_text_tells_the_units_of_gaps(void **state)
{
    static random_ledger r;
    static const char *const told[] = {
        "gaps: 2, hiding at most 225 requests, 22,007 post, 3 user;",
        "\n  entry 4 hides at most 22,000 post\n  entry 5 hides at most 7 post, 3 user\n"};
    licet_gap gap = {.cause = LICET_GAP_POWER_LOSS,
                     .gate = 1,
                     .epoch = 7,
                     .from_ms = START_MS,
                     .to_ms = START_MS + 1000,
                     .requests = 220,
                     .units = {{1, 220}, {2, 22000}},
                     .units_len = 2};
    licet_report *report;
    licet_buffer text;

    hand_begin(&r);
    hand_kind(&r, 1, "request");
    hand_kind(&r, 2, "post");
    hand_kind(&r, 3, "user");
    ok(licet_gap_encode(&gap, &r.bytes, &last));
    random_close_entry(&r);
    gap.requests = 5;
    gap.units[0] = (licet_receipt_unit){2, 7};
    gap.units[1] = (licet_receipt_unit){3, 3};
    ok(licet_gap_encode(&gap, &r.bytes, &last));
    random_close_entry(&r);
    report = hand_report(&r);
    licet_buffer_init(&text, 1 << 20);
    ok(licet_report_text(report, &text, &last));
    licet_put_u8(&text, '\0');
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        if (strstr((char *)text.data, told[i]) == NULL) {
            fail_msg("\"%s\" is not in\n%s", told[i], (char *)text.data);
        }
    }
    licet_buffer_done(&text);
    licet_report_free(report);
}

/* A cap is raised within its window: what the later version let through is not held against the earlier one. */
static void
test_a_limit_raised_within_its_window(void **state)
{
    static random_ledger r;
    licet_image_version kept[2] = {blob.versions[0], blob.versions[1]};
    uint64_t change = START_MS + 50 * DAY_MS;
    licet_report *report;
    json_t *root;

    blob.versions[0].before_ms = blob.versions[1].from_ms = change;
    hand_begin(&r);
    hand_context(&r, 1, "2022-10-10", "");
    hand_context(&r, 2, "2022-12-01", "");
    hand_kind(&r, 1, "post");
    hand_receipt(&r, (licet_receipt){.context = 1, .time_ms = change - HOUR_MS, .units = {{1, 20000}}, .units_len = 1});
    hand_receipt(&r, (licet_receipt){.context = 2, .time_ms = change, .units = {{1, 500}}, .units_len = 1});
    report = hand_report(&r);
    root = parse(report);
    assert_int_equal(used(root, 0), 20000);
    assert_int_equal(used(root, 3), 20500);
    json_decref(root);
    licet_report_free(report);
    memcpy(blob.versions, kept, sizeof(kept));
}

/* No line is wider than 100 columns, none holds a control character; the command to check it comes last. */
static void
test_text(void **state)
{
    static random_ledger r;
    licet_usage *usage;

    random_ledger_make(&r, "M-2022-7", 99, 2000, START_MS);
    usage = apply_all(&r);
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        licet_report_options options = {.image = i == 1 ? NULL : &image,
                                        .agreement = "M-2022-7",
                                        .from_ms = spans[i].from,
                                        .before_ms = spans[i].before,
                                        .edition = i == 2 ? LICET_EDITION_COUNTERPARTY : LICET_EDITION_INTERNAL,
                                        .as_of_ms = START_MS + 80 * DAY_MS};
        licet_report *report;
        licet_buffer text;
        char *line, *rest;

        ok(licet_report_make(usage, &options, &report, &last));
        licet_buffer_init(&text, 1 << 20);
        ok(licet_report_text(report, &text, &last));
        licet_put_u8(&text, '\0');
        assert_non_null(strstr((char *)text.data, "\nevidence\n"));
        assert_non_null(strstr((char *)text.data, "\n  check  licet verify DIR\n"));
        assert_true((strstr((char *)text.data, "credential-missing") != NULL) == (i == 0 || i == 1));
        for (line = (char *)text.data; (rest = strchr(line, '\n')) != NULL; line = rest + 1) {
            *rest = '\0';
            for (const char *c = line; *c != '\0'; c++) {
                assert_true((unsigned char)*c >= 0x20);
            }
            if (text_width(line) > TEXT_WIDTH) {
                fail_msg("%zu columns: %s", text_width(line), line);
            }
        }
        assert_int_equal(*line, '\0');
        licet_buffer_done(&text);
        licet_report_free(report);
    }
    ok(licet_usage_close(usage, &last));
    random_ledger_done(&r);
}

/* The counterparty is told that callers nobody knows are elsewhere, and nothing of them. */
static void
test_editions(void **state)
{
    static random_ledger r;
    licet_usage *usage;

    random_ledger_make(&r, "M-2022-7", 12, 600, START_MS);
    usage = apply_all(&r);
    for (licet_edition edition = LICET_EDITION_INTERNAL; edition <= LICET_EDITION_AUDITOR; edition++) {
        licet_report_options options = {
            .agreement = "M-2022-7", .from_ms = START_MS, .before_ms = START_MS + 70 * DAY_MS, .edition = edition};
        licet_report *report;
        json_t *root;
        const json_t *unidentified;

        ok(licet_report_make(usage, &options, &report, &last));
        root = parse(report);
        unidentified = json_object_get(root, "unidentified");
        if (edition == LICET_EDITION_COUNTERPARTY) {
            assert_true(json_is_null(json_object_get(unidentified, "requests")));
            assert_int_equal(json_array_size(json_object_get(unidentified, "reasons")), 0);
        } else {
            assert_true(get(unidentified, "requests", NULL, NULL) > 0);
        }
        assert_true(get(root, "unrecorded_refusals", "requests", NULL) > 0); /* both parties' */
        json_decref(root);
        licet_report_free(report);
    }
    ok(licet_usage_close(usage, &last));
    random_ledger_done(&r);
}

static void
test_refused_spans(void **state)
{
    static random_ledger r;
    licet_report *report;
    licet_report_options options = {.agreement = "M-2022-7", .from_ms = START_MS, .before_ms = START_MS};
    licet_usage *usage;

    random_ledger_make(&r, "M-2022-7", 12, 10, START_MS);
    usage = apply_all(&r);
    assert_false(licet_report_make(usage, &options, &report, &last));
    assert_int_equal(last.code, LICET_E_INVALID);
    options.before_ms = START_MS + 1;
    assert_false(licet_report_make(usage, &options, &report, &last));
    assert_int_equal(last.code, LICET_E_INVALID);
    ok(licet_usage_close(usage, &last));
    random_ledger_done(&r);
}

static void
test_numbers(void **state)
{
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {
        {0, "0"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"}, {UINT64_MAX, "18,446,744,073,709,551,615"}};
    char out[TEXT_NUMBER_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(text_number(cases[i].value, out), cases[i].text);
    }
    assert_string_equal(text_share(48, 1000, out), "4.8 %");
    assert_string_equal(text_share(1, 100000, out), "< 0.1 %");
    assert_string_equal(text_share(0, 0, out), "-");
    assert_string_equal(text_share(1, 2000, out), "0.1 %");
    assert_string_equal(text_share(2, 3, out), "66.7 %");
    assert_string_equal(text_share(1, 3, out), "33.3 %");
    assert_string_equal(text_share(UINT64_MAX, UINT64_MAX, out), "100.0 %");
    assert_string_equal(text_share(UINT64_MAX / 2, UINT64_MAX / 4, out), "200.0 %");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refused_spans),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_a_limit_raised_within_its_window),
        cmocka_unit_test(test_text_tells_the_units_of_gaps),
        cmocka_unit_test(test_reasons_of_what_was_only_observed),
        cmocka_unit_test(test_editions),
        cmocka_unit_test(test_text),
    };

    make_image();
    return cmocka_run_group_tests_name("report", tests, make_folder, remove_folder);
}
