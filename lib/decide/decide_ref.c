/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decide, a second time: written from the rules in words, slow, and sharing nothing with decide.c, page.c or the
 * accessors of image.h. It copies every text, decodes the whole query into a list of pairs and tries every version and
 * endpoint; limits_ref.c tries every limit. Its only duty is to be obviously right.
 */
#include "decide_ref.h"

#include <stdlib.h>
#include <string.h>

typedef struct pair {
    char *name, *value; /* decoded; may hold NUL bytes */
    size_t name_len, value_len;
} pair;

static int
value_of_hex(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)((found - digits) % 16);
}

/* The decoded copy of text[0..len); NULL without memory. */
static char *
decoded(const char *text, size_t len, size_t *out_len)
{
    char *out = malloc(len + 1);
    size_t n = 0;

    for (size_t i = 0; out != NULL && i < len; i++) {
        if (text[i] == '+') {
            out[n++] = ' ';
        } else if (text[i] == '%' && i + 2 < len && value_of_hex(text[i + 1]) >= 0 && value_of_hex(text[i + 2]) >= 0) {
            out[n++] = (char)(value_of_hex(text[i + 1]) * 16 + value_of_hex(text[i + 2]));
            i += 2;
        } else {
            out[n++] = text[i];
        }
    }
    *out_len = n;
    return out;
}

/* Splits the query at each '&', each piece at its first '='. One pair more than there are '&'. */
static bool
split(licet_bytes query, pair **out_pairs, size_t *out_len)
{
    char *text = calloc(1, query.len + 1);
    pair *pairs = calloc(query.len + 1, sizeof(*pairs));
    size_t n = 0, start = 0;
    bool ok = text != NULL && pairs != NULL;

    if (ok && query.len > 0) {
        memcpy(text, query.data, query.len);
    }
    for (size_t i = 0; ok && i <= query.len; i++) {
        size_t equals = start;

        if (i < query.len && text[i] != '&') {
            continue;
        }
        while (equals < i && text[equals] != '=') {
            equals++;
        }
        pairs[n].name = decoded(text + start, equals - start, &pairs[n].name_len);
        pairs[n].value = equals < i ? decoded(text + equals + 1, i - equals - 1, &pairs[n].value_len) : calloc(1, 1);
        ok = pairs[n].name != NULL && pairs[n].value != NULL;
        n++;
        start = i + 1;
    }
    free(text);
    *out_pairs = pairs;
    *out_len = n;
    return ok;
}

static void
free_pairs(pair *pairs, size_t n)
{
    for (size_t i = 0; pairs != NULL && i < n; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

static uint64_t
count_items(const pair *p)
{
    uint64_t items = p->value_len == 0 ? 0 : 1;

    for (size_t i = 0; i < p->value_len; i++) {
        if (p->value[i] == ',') {
            items++;
        }
    }
    return items;
}

/* Digits, however many, compared without arithmetic that could overflow. */
static uint64_t
read_number(const pair *p, uint64_t most)
{
    uint64_t number = 0;

    if (p->value_len == 0) {
        return most;
    }
    for (size_t i = 0; i < p->value_len; i++) {
        if (strchr("0123456789", p->value[i]) == NULL || p->value[i] == '\0') {
            return most;
        }
    }
    for (size_t i = 0; i < p->value_len; i++) {
        __extension__ unsigned __int128 next = (unsigned __int128)number * 10 + (unsigned)(p->value[i] - '0');

        if (next > most) {
            return most;
        }
        number = (uint64_t)next;
    }
    return number;
}

bool
licet_page_ref(const licet_image *image, const licet_image_count *count, licet_bytes query, uint64_t *out_units)
{
    const char *name = (const char *)image->strings + count->page_query.offset;
    pair *pairs = NULL;
    size_t n = 0, found = 0;
    uint64_t largest = 0, sum = 0, units;
    bool ok = split(query, &pairs, &n);

    for (size_t i = 0; ok && i < n; i++) {
        if (pairs[i].name_len == count->page_query.len && memcmp(pairs[i].name, name, pairs[i].name_len) == 0) {
            uint64_t number = read_number(&pairs[i], count->page_most);

            found++;
            largest = number > largest ? number : largest;
            sum += count_items(&pairs[i]);
        }
    }
    free_pairs(pairs, n);
    units = found == 0 ? count->page_default : count->page_from == LICET_PAGE_ITEMS ? sum : largest;
    if (units == 0) {
        units = 1;
    }
    if (units > count->page_most) {
        units = count->page_most;
    }
    if (count->page_from == LICET_PAGE_NUMBER) {
        units = count->page_most;
    }
    if (count->page_from == LICET_PAGE_NONE) {
        units = 1;
    }
    *out_units = units;
    return ok;
}

static bool
same(const licet_image *image, licet_text text, licet_bytes bytes)
{
    return text.len == bytes.len && (text.len == 0 || memcmp(image->strings + text.offset, bytes.data, text.len) == 0);
}

/* Began, has not ended (or goes on, renewed or not, and nothing began after it), and none that qualifies begins later.
 */
static uint32_t
version_at(const licet_image *image, uint64_t time)
{
    uint32_t newest = LICET_NONE;

    for (uint32_t i = 0; i < image->header->versions_len; i++) {
        if (image->versions[i].from_ms <= time &&
            (newest == LICET_NONE || image->versions[i].from_ms >= image->versions[newest].from_ms)) {
            newest = i;
        }
    }
    if (newest == LICET_NONE) {
        return LICET_NONE;
    }
    if (time < image->versions[newest].before_ms || image->versions[newest].then == LICET_THEN_CONTINUE ||
        image->versions[newest].then == LICET_THEN_RENEW) {
        return newest;
    }
    return LICET_NONE;
}

/* The n-th segment of a path such as /2/tweets (0: "2"); false when there are fewer. */
static bool
segment(licet_bytes path, uint32_t n, licet_bytes *out_segment)
{
    size_t i = 0;

    for (uint32_t seen = 0; i < path.len; seen++) {
        size_t start = i + 1, end = start;

        while (end < path.len && path.data[end] != '/') {
            end++;
        }
        if (seen == n) {
            *out_segment = licet_bytes_of(path.data + start, end - start);
            return true;
        }
        i = end;
    }
    return false;
}

static uint32_t
endpoint_of(const licet_image *image, const licet_image_version *version, licet_bytes method, licet_bytes path)
{
    uint32_t best = LICET_NONE, best_literals = 0;

    for (uint32_t row = version->endpoints.first; row < version->endpoints.first + version->endpoints.count; row++) {
        const licet_image_endpoint *e = &image->endpoints[row];
        uint32_t literals = 0, i;
        licet_bytes part;

        for (i = 0; i < e->segments.count; i++) {
            const licet_image_segment *s = &image->segments[e->segments.first + i];

            if (!segment(path, i, &part)) {
                break;
            }
            if (s->placeholder ? part.len == 0 : !same(image, s->literal, part)) {
                break;
            }
            literals += s->placeholder ? 0 : 1;
        }
        if (i == e->segments.count && !segment(path, i, &part) && same(image, e->method, method) &&
            (best == LICET_NONE || literals > best_literals)) {
            best = row;
            best_literals = literals;
        }
    }
    return best;
}

static uint32_t
purpose_row(const licet_image *image, const licet_image_version *version, licet_bytes name)
{
    for (uint32_t i = 0; i < image->header->purposes_len; i++) {
        if (i >= version->purposes.first && i - version->purposes.first < version->purposes.count &&
            same(image, image->purposes[i].name, name)) {
            return i;
        }
    }
    return LICET_NONE;
}

/* Which use case the request belongs to; *out_wrong: it names one that is not registered, or none of its app's. */
static uint32_t
use_case_of(const licet_image *image, const licet_facts *facts, bool *out_wrong)
{
    const licet_image_app *app = &image->apps[facts->app];
    uint32_t row = LICET_NONE;
    bool fed = false;

    *out_wrong = false;
    if (facts->use_case.len == 0) {
        row = app->default_use_case;
        if (row == LICET_NONE) {
            return LICET_NONE;
        }
    } else if (facts->use_case.len <= 64) {
        for (uint32_t i = 0; i < image->header->use_cases_len; i++) {
            if (same(image, image->use_cases[i].id, facts->use_case) && row == LICET_NONE) {
                row = i;
            }
        }
    }
    for (uint32_t i = 0; row != LICET_NONE && i < app->products.count; i++) {
        const licet_image_app_product *product = &image->app_products[app->products.first + i];
        fed = fed || (product->product == image->use_cases[row].product && facts->time_ms >= product->from_ms &&
                      facts->time_ms < product->before_ms);
    }
    *out_wrong = !fed;
    return fed ? row : LICET_NONE;
}

static bool
is_approved(const licet_image *image, const licet_image_use_case *use_case, uint64_t time)
{
    bool approved = false;

    for (uint32_t i = use_case->approved.first; i < use_case->approved.first + use_case->approved.count; i++) {
        approved = approved || (time >= image->spans[i].from_ms && time < image->spans[i].before_ms);
    }
    return approved;
}

/* One rule that refuses. */
typedef struct objection {
    licet_reason reason;
    uint32_t clause;
} objection;

#define OBJECTIONS_MAX 128

/* All that a recipient is: itself, what it is part of, what that is part of. Returns how many. */
static uint32_t
chain_of(const licet_image *image, uint32_t recipient, uint32_t out[LICET_PART_OF_MAX + 1])
{
    uint32_t n = 0;

    do {
        out[n++] = recipient;
        recipient = image->recipients[recipient].part_of;
    } while (n <= LICET_PART_OF_MAX && out[n - 1] != recipient);
    return n;
}

static uint32_t
recipient_named(const licet_image *image, licet_bytes name)
{
    for (uint32_t i = 0; i < image->header->recipients_len; i++) {
        if (same(image, image->recipients[i].id, name)) {
            return i;
        }
    }
    return LICET_NONE;
}

/* Declared, else the credential's or the app's, else the use case's; who shows a recipient's credential where content
 * is passed on is that recipient or a part of it, whatever it says. */
static void
recipient_of(const licet_image *image, const licet_facts *facts, licet_verdict *v)
{
    uint32_t of_caller = image->apps[facts->app].recipient, declared = LICET_NONE, chain[LICET_PART_OF_MAX + 1];
    bool is_caller = false;

    if (facts->credential != LICET_NONE) {
        of_caller = image->credentials[facts->credential].recipient;
    }
    if (facts->recipient.len > 0 && facts->recipient.len <= 64) {
        declared = recipient_named(image, facts->recipient);
    }
    for (uint32_t i = 0; declared != LICET_NONE && of_caller != LICET_NONE && i < chain_of(image, declared, chain);
         i++) {
        is_caller = is_caller || chain[i] == of_caller;
    }
    v->registered = LICET_NONE;
    v->recipient = licet_bytes_of(NULL, 0);
    if (of_caller != LICET_NONE && facts->flow == LICET_FLOW_PASSED_ON && facts->handed == NULL) {
        v->registered = is_caller ? declared : of_caller;
    } else if (facts->recipient.len > 64) {
        return;
    } else if (facts->recipient.len > 0) {
        v->registered = declared;
        v->recipient = facts->recipient;
        return;
    } else if (of_caller != LICET_NONE) {
        v->registered = of_caller;
    } else if (v->use_case != LICET_NONE) {
        licet_text text = image->use_cases[v->use_case].recipient;

        v->recipient = licet_bytes_of(image->strings + text.offset, text.len);
        v->registered = recipient_named(image, v->recipient);
        return;
    }
    if (v->registered != LICET_NONE) {
        licet_text text = image->recipients[v->registered].id;

        v->recipient = licet_bytes_of(image->strings + text.offset, text.len);
    }
}

/* What the version in force says of the recipient. */
static uint32_t
recipient_objections(const licet_image *image, const licet_facts *facts, const licet_verdict *v, objection *out)
{
    const licet_image_version *version = &image->versions[v->version];
    const licet_image_recipient *who = v->registered == LICET_NONE ? NULL : &image->recipients[v->registered];
    uint32_t n = 0, chain[LICET_PART_OF_MAX + 1], chain_len = who == NULL ? 0 : chain_of(image, v->registered, chain);
    bool known = who != NULL && facts->time_ms >= who->from_ms && facts->time_ms < who->before_ms, embargoed = false;

    if (v->recipient.len == 0 && facts->recipient.len <= 64 && version->recipient_not_declared) {
        out[n++] = (objection){LICET_REASON_RECIPIENT_NOT_DECLARED, version->recipient_clause};
    }
    if (v->recipient.len > 0 && !known && version->recipient_not_registered) {
        out[n++] = (objection){LICET_REASON_RECIPIENT_UNKNOWN, version->recipient_clause};
    }
    if (who != NULL && version->acceptance_clause != LICET_NONE && who->kind != LICET_CLASS_PUBLIC &&
        !(who->accepted_ms <= facts->time_ms)) {
        out[n++] = (objection){LICET_REASON_RECIPIENT_NOT_ACCEPTED, version->acceptance_clause};
    }
    for (uint32_t i = 0; i < chain_len; i++) {
        const licet_image_recipient *part = &image->recipients[chain[i]];

        embargoed = embargoed || part->kind == LICET_CLASS_EMBARGOED;
        for (uint32_t j = version->embargoed.first; j < version->embargoed.first + version->embargoed.count; j++) {
            embargoed =
                embargoed || same(image, part->country,
                                  licet_bytes_of(image->strings + image->embargoed[j].offset, image->embargoed[j].len));
        }
    }
    if (embargoed) {
        out[n++] = (objection){LICET_REASON_RECIPIENT_EMBARGOED, version->embargo_clause};
    }
    for (uint32_t i = version->government.first; i < version->government.first + version->government.count; i++) {
        const licet_image_government *rule = &image->government[i];
        bool asks = false, met = false;

        for (uint32_t j = 0; j < chain_len; j++) {
            asks = asks || (rule->classes & 1u << image->recipients[chain[j]].kind) != 0;
        }
        for (uint32_t j = 0; chain_len > 0 && j < rule->grants.count; j++) {
            const licet_image_grant *grant = &image->grants[rule->grants.first + j];

            met = met || (grant->recipient == chain[chain_len - 1] &&
                          (grant->use_case == LICET_NONE || grant->use_case == v->use_case) &&
                          facts->time_ms >= grant->from_ms && facts->time_ms < grant->before_ms);
        }
        if (asks && !met && (rule->flow == LICET_NONE || rule->flow == facts->flow)) {
            out[n++] = (objection){rule->needs == LICET_NEEDS_NOTICE     ? LICET_REASON_GOVERNMENT_NOTICE
                                   : rule->needs == LICET_NEEDS_APPROVAL ? LICET_REASON_GOVERNMENT_APPROVAL
                                                                         : LICET_REASON_GOVERNMENT_NEVER,
                                   rule->clause};
        }
    }
    return n;
}

/* Every rule that refuses, in the order in which a caller learns of them. */
static uint32_t
all_objections(const licet_image *image, const licet_facts *facts, const licet_verdict *v, bool in_force,
               objection out[OBJECTIONS_MAX])
{
    const licet_image_version *version = &image->versions[v->version];
    uint32_t purpose = purpose_row(image, version, v->purpose), n = 0;
    uint32_t by = in_force ? version->use_case_clause : LICET_NONE;
    bool wrong_use_case, needed = in_force && version->use_case_not_declared != 0, ended;

#define WHEN(condition, name, why)                                                                                     \
    if (condition) {                                                                                                   \
        out[n++] = (objection){LICET_REASON_##name, (why)};                                                            \
    }
    WHEN(facts->use_case.len > 64 || facts->purpose.len > 64 || facts->recipient.len > 64, DECLARATION_TOO_LONG,
         LICET_NONE)
    WHEN(!in_force, NO_AGREEMENT, LICET_NONE)
    ended = facts->time_ms < image->apps[facts->app].from_ms || facts->time_ms >= image->apps[facts->app].before_ms;
    if (facts->credential != LICET_NONE) {
        ended = ended || facts->time_ms < image->credentials[facts->credential].from_ms;
        ended = ended || facts->time_ms >= image->credentials[facts->credential].before_ms;
    }
    WHEN(ended, CREDENTIAL_ENDED, LICET_NONE)
    WHEN(facts->handed == NULL && facts->upgrade && (v->metered || v->endpoint == LICET_NONE), UPGRADE_REFUSED,
         LICET_NONE)
    WHEN(facts->handed == NULL && v->endpoint == LICET_NONE && version->unlisted == LICET_RULE_REFUSE,
         ENDPOINT_UNLISTED, LICET_NONE)
    use_case_of(image, facts, &wrong_use_case);
    WHEN(wrong_use_case, USE_CASE_UNKNOWN, by)
    WHEN(v->use_case == LICET_NONE && !wrong_use_case && needed, USE_CASE_NOT_DECLARED, by)
    WHEN(v->use_case != LICET_NONE && !is_approved(image, &image->use_cases[v->use_case], facts->time_ms),
         USE_CASE_NOT_APPROVED, by)
    WHEN(v->use_case != LICET_NONE && needed && facts->purpose.len > 0 && facts->purpose.len <= 64 &&
             !same(image, image->use_cases[v->use_case].purpose, facts->purpose),
         USE_CASE_OTHER_PURPOSE, by)
    if (in_force) {
        WHEN(facts->purpose.len <= 64 && v->purpose.len == 0 && version->purpose_not_declared == LICET_RULE_REFUSE,
             PURPOSE_NOT_DECLARED, LICET_NONE)
        WHEN(v->purpose.len > 0 && purpose == LICET_NONE && version->purpose_not_named == LICET_RULE_REFUSE,
             PURPOSE_NOT_NAMED, LICET_NONE)
        WHEN(v->purpose.len > 0 && purpose != LICET_NONE && image->purposes[purpose].forbidden_by != LICET_NONE,
             PURPOSE_FORBIDDEN, image->purposes[purpose].forbidden_by)
        n += recipient_objections(image, facts, v, out + n);
    }
#undef WHEN
    return n;
}

static licet_bytes
effective(const licet_image *image, licet_bytes declared, uint32_t use_case, licet_text of_use_case)
{
    if (declared.len > 64) {
        return licet_bytes_of(NULL, 0);
    }
    if (declared.len > 0 || use_case == LICET_NONE) {
        return declared;
    }
    return licet_bytes_of(image->strings + of_use_case.offset, of_use_case.len);
}

bool
licet_decide_ref(const licet_image *image, const licet_facts *facts, licet_verdict *out_verdict)
{
    licet_verdict v = {.clause = LICET_NONE, .version = version_at(image, facts->time_ms)};
    bool in_force = v.version != LICET_NONE, wrong;
    uint32_t mode = 0, objections_len, last_begun = LICET_NONE;
    objection objections[OBJECTIONS_MAX];
    licet_text none = {0, 0};

    if (in_force) {
        mode = image->versions[v.version].mode;
    } else {
        v.version = 0;
        for (uint32_t i = 0; i < image->header->versions_len; i++) {
            if (image->versions[i].from_ms < image->versions[v.version].from_ms) {
                v.version = i;
            }
        }
        for (uint32_t i = 0; i < image->header->versions_len; i++) {
            if (image->versions[i].from_ms <= facts->time_ms &&
                (last_begun == LICET_NONE || image->versions[i].from_ms >= image->versions[last_begun].from_ms)) {
                last_begun = i;
            }
        }
        mode = image->versions[last_begun == LICET_NONE ? v.version : last_begun].mode;
    }
    v.endpoint = endpoint_of(image, &image->versions[v.version], facts->method, facts->path);
    if (v.endpoint == LICET_NONE && facts->method.len == 4 && memcmp(facts->method.data, "HEAD", 4) == 0) {
        v.endpoint = endpoint_of(image, &image->versions[v.version], licet_bytes_of_text("GET"), facts->path);
    }
    v.endpoint = facts->handed != NULL ? LICET_NONE : v.endpoint;
    v.metered = facts->handed != NULL || (v.endpoint != LICET_NONE && image->endpoints[v.endpoint].counts.count != 0);
    v.use_case = use_case_of(image, facts, &wrong);
    v.purpose = effective(image, facts->purpose, v.use_case,
                          v.use_case == LICET_NONE ? none : image->use_cases[v.use_case].purpose);
    recipient_of(image, facts, &v);
    v.product = v.use_case == LICET_NONE ? LICET_NONE : image->use_cases[v.use_case].product;
    objections_len = all_objections(image, facts, &v, in_force, objections);
    for (unsigned observed = 0; observed < 2; observed++) { /* those that refuse first, then those that only would */
        for (uint32_t i = 0; i < objections_len; i++) {
            uint32_t by = objections[i].clause;
            bool only = by != LICET_NONE && image->clauses[by].mode == LICET_MODE_OBSERVE;

            v.reasons |= 1u << objections[i].reason;
            if (v.reason == LICET_REASON_NONE && only == (observed == 1)) {
                v.reason = objections[i].reason;
                v.clause = by;
                v.verdict = only || mode == LICET_MODE_OBSERVE ? LICET_VERDICT_OBSERVE : LICET_VERDICT_REFUSE;
            }
        }
    }
    if (v.verdict != LICET_VERDICT_REFUSE && !licet_amounts_ref(image, facts, in_force, &v)) {
        return false;
    }
    *out_verdict = v;
    return true;
}
