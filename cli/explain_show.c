/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explained decision for people and for programs: facts, rules in order, limits, what is reserved, the verdict.
 */
#include "explain.h"
#include "site.h"

#include <stdio.h>
#include <string.h>

/* ---- as words ----------------------------------------------------------------------------- */

#define TEXT(t) (int)licet_image_text(image, (t)).len, (const char *)licet_image_text(image, (t)).data

static void
print_value(const char *name, licet_bytes value, licet_bytes declared)
{
    if (value.len == 0) {
        printf("  %-10s none\n", name);
    } else {
        printf("  %-10s %.*s%s\n", name, (int)value.len, (const char *)value.data,
               declared.len > 0 ? " (declared)" : " (of the use case)");
    }
}

static void
print_facts(const licet_explain_view *view)
{
    const licet_image *image = view->image;
    const licet_verdict *v = &view->explanation->verdict;
    const licet_image_version *version = &image->versions[v->version];
    const char *comma = ": counts ";

    printf("  %-10s %.*s, %s, by %.*s\n", "version", TEXT(version->id),
           version->mode == LICET_MODE_ENFORCE ? "enforce" : "observe", TEXT(version->catalogue));
    if (v->endpoint == LICET_NONE) {
        printf("  %-10s none\n", "endpoint");
    } else {
        const licet_image_endpoint *endpoint = &image->endpoints[v->endpoint];

        printf("  %-10s %.*s", "endpoint", TEXT(endpoint->id));
        for (uint32_t i = 0; i < endpoint->counts.count; i++) {
            printf("%s%.*s", comma, TEXT(image->header->kinds[image->counts[endpoint->counts.first + i].kind]));
            comma = ", ";
        }
        printf("%s\n", endpoint->counts.count == 0 ? ": counts nothing but the request" : "");
    }
    if (v->use_case == LICET_NONE) {
        printf("  %-10s none: unattributed\n", "use case");
    } else {
        printf("  %-10s %.*s (%s), product %.*s\n", "use case", TEXT(image->use_cases[v->use_case].id),
               view->facts->use_case.len > 0 ? "declared" : "the app's default",
               TEXT(image->products[image->use_cases[v->use_case].product]));
    }
    print_value("purpose", v->purpose, view->facts->purpose);
    print_value("recipient", v->recipient, view->facts->recipient);
}

static void
print_rules(const licet_image *image, const licet_explanation *e)
{
    for (size_t i = 0; i < e->rules_len; i++) {
        const licet_rule_finding *rule = &e->rules[i];
        bool refused = strcmp(rule->outcome, "refuse") == 0;

        printf("  %-7s %-16s %s", refused ? "REFUSE" : rule->outcome, rule->rule, rule->text);
        if (rule->clause != LICET_NONE) {
            printf(" by %.*s (%.*s)", TEXT(image->clauses[rule->clause].key),
                   TEXT(image->clauses[rule->clause].section));
        }
        printf("\n");
    }
}

/* Windows without an end say nothing; a rolling one gets room back bucket by bucket. */
static void
print_until(const licet_image *image, const licet_image_limit *limit, uint32_t window)
{
    uint64_t end_ms = licet_window_end_ms(image, limit, window);
    char end[LICET_TIME_TEXT];

    if (end_ms != UINT64_MAX) {
        licet_cli_time(end_ms, end);
        printf(", %s %s", limit->per == LICET_PER_ROLLING ? "room may return at" : "until", end);
    }
}

static void
print_limits(const licet_image *image, const licet_explanation *e)
{
    const licet_verdict *v = &e->amounts;
    char amount[LICET_CLI_NUMBER_TEXT], most[LICET_CLI_NUMBER_TEXT], per[LICET_PER_TEXT];
    int width = 0;

    for (uint32_t i = 0; i < v->limits_len; i++) {
        licet_bytes name = licet_image_limit_name(image, &image->limits[v->limits[i].limit]);

        width = (int)name.len > width ? (int)name.len : width;
    }
    for (uint32_t i = 0; i < v->limits_len; i++) {
        const licet_image_limit *limit = &image->limits[v->limits[i].limit];
        licet_bytes name = licet_image_limit_name(image, limit);

        licet_limit_per(limit, per);
        printf("  %.*s%*s  %.*s %s of %s per %s over the %s", (int)name.len, (const char *)name.data,
               width - (int)name.len, "", TEXT(image->header->kinds[limit->kind]),
               licet_cli_number(v->limits[i].amount, amount), licet_cli_number(v->limits[i].most, most), per,
               licet_over_name(limit->over));
        print_until(image, limit, v->limits[i].window);
        if (limit->clause == LICET_NONE) {
            printf(" (our own)\n");
        } else {
            printf(" (%.*s)%s\n", TEXT(image->clauses[limit->clause].section),
                   v->limits[i].observe ? " only observed" : "");
        }
    }
    if (v->limits_len == 0) {
        printf("  none\n");
    }
}

static void
print_reserve(const licet_image *image, const licet_explanation *e)
{
    char amount[LICET_CLI_NUMBER_TEXT];
    const char *comma = "  ";

    for (uint32_t kind = 0; kind < image->header->kinds_len; kind++) {
        if (e->amounts.reserve[kind] > 0) {
            printf("%s%.*s %s", comma, TEXT(image->header->kinds[kind]),
                   licet_cli_number(e->amounts.reserve[kind], amount));
            comma = ", ";
        }
    }
    printf("\n");
}

static licet_bytes
detail_of(const licet_image *image, const licet_verdict *v)
{
    licet_bytes says =
        v->clause != LICET_NONE ? licet_image_text(image, image->clauses[v->clause].says) : licet_bytes_of(NULL, 0);

    return says.len > 0 ? says : licet_bytes_of_text(licet_reason_detail(v->reason));
}

static void
print_verdict(const licet_image *image, const licet_explanation *e)
{
    const licet_verdict *v = &e->verdict;
    licet_bytes detail = detail_of(image, v);

    if (v->reason == LICET_REASON_NONE) {
        printf("  allow%s\n", e->amounts.limits_len > 0 ? ", as long as the limits have room" : "");
        return;
    }
    printf("  %s %u %s%s",
           e->observe ? "allow; in enforce mode it would be refused:" : "refuse:", licet_reason_status(v->reason),
           licet_reason_slug(v->reason), v->clause != LICET_NONE ? ", clause " : "");
    if (v->clause != LICET_NONE) {
        printf("%.*s (%.*s)", TEXT(image->clauses[v->clause].key), TEXT(image->clauses[v->clause].section));
    }
    printf("\n  \"%.*s\"\n", (int)detail.len, (const char *)detail.data);
}

void
licet_explain_print(const licet_explain_view *view)
{
    const licet_explanation *e = view->explanation;
    bool refused = e->verdict.verdict == LICET_VERDICT_REFUSE;
    char at[LICET_TIME_TEXT];

    licet_cli_time(view->facts->time_ms, at);
    printf("%s\nby app %s under agreement %s at %s, as %s\n", view->request, view->app, view->agreement, at,
           view->recorded ? "recorded" : "the files say");
    printf("\nfacts\n");
    print_facts(view);
    printf("\nrules\n");
    print_rules(view->image, e);
    printf("\nlimits that %s\n", refused ? "would bind" : "bind");
    print_limits(view->image, e);
    printf("\nreserved before it goes up%s\n", refused ? ", were it allowed" : "");
    print_reserve(view->image, e);
    printf("\nverdict\n");
    print_verdict(view->image, e);
}

/* ---- as JSON ------------------------------------------------------------------------------- */

static json_t *
text_json(const licet_image *image, licet_text text)
{
    return licet_cli_json_text(licet_image_text(image, text));
}

static json_t *
value_json(licet_bytes value)
{
    return value.len > 0 ? licet_cli_json_text(value) : json_null();
}

json_t *
licet_explain_clause_json(const licet_image *image, uint32_t clause)
{
    return clause == LICET_NONE ? json_null()
                                : json_pack("{s:o, s:o, s:o}", "key", text_json(image, image->clauses[clause].key),
                                            "section", text_json(image, image->clauses[clause].section), "says",
                                            text_json(image, image->clauses[clause].says));
}

static json_t *
facts_json(const licet_image *image, const licet_verdict *v)
{
    const licet_image_version *version = &image->versions[v->version];
    json_t *counts = json_array();

    for (uint32_t i = 0; v->endpoint != LICET_NONE && i < image->endpoints[v->endpoint].counts.count; i++) {
        const licet_image_count *count = &image->counts[image->endpoints[v->endpoint].counts.first + i];

        json_array_append_new(counts, text_json(image, image->header->kinds[count->kind]));
    }
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", text_json(image, version->id), "mode",
        version->mode == LICET_MODE_ENFORCE ? "enforce" : "observe", "catalogue", text_json(image, version->catalogue),
        "endpoint", v->endpoint == LICET_NONE ? json_null() : text_json(image, image->endpoints[v->endpoint].id),
        "counts", counts, "use_case",
        v->use_case == LICET_NONE ? json_null() : text_json(image, image->use_cases[v->use_case].id), "product",
        v->use_case == LICET_NONE ? json_null()
                                  : text_json(image, image->products[image->use_cases[v->use_case].product]),
        "purpose", value_json(v->purpose), "recipient", value_json(v->recipient));
}

json_t *
licet_explain_rules_json(const licet_image *image, const licet_explanation *e)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < e->rules_len; i++) {
        const licet_rule_finding *rule = &e->rules[i];

        json_array_append_new(rules, json_pack("{s:s, s:s, s:o, s:o}", "rule", rule->rule, "outcome", rule->outcome,
                                               "found", licet_cli_json_text(licet_bytes_of_text(rule->text)), "clause",
                                               licet_explain_clause_json(image, rule->clause)));
    }
    return rules;
}

static json_t *
limits_json(const licet_image *image, const licet_verdict *v)
{
    json_t *limits = json_array();

    for (uint32_t i = 0; i < v->limits_len; i++) {
        const licet_image_limit *limit = &image->limits[v->limits[i].limit];
        licet_bytes name = licet_image_limit_name(image, limit);
        uint64_t end_ms = licet_window_end_ms(image, limit, v->limits[i].window);
        char per[LICET_PER_TEXT], end[LICET_TIME_TEXT] = "";

        licet_limit_per(limit, per);
        if (end_ms != UINT64_MAX) {
            licet_time_format(end_ms, end);
        }
        json_array_append_new(
            limits,
            json_pack("{s:o, s:o, s:s, s:b, s:o, s:I, s:I, s:s, s:s, s:o}", "clause",
                      licet_explain_clause_json(image, limit->clause), "name", licet_cli_json_text(name), "set_by",
                      limit->set_by == LICET_SET_BY_US ? "us" : "contract", "observe", v->limits[i].observe, "unit",
                      text_json(image, image->header->kinds[limit->kind]), "amount", (json_int_t)v->limits[i].amount,
                      "most", (json_int_t)v->limits[i].most, "per", per, "over", licet_over_name(limit->over), "until",
                      end[0] == '\0' ? json_null() : json_string(end)));
    }
    return limits;
}

static json_t *
reserve_json(const licet_image *image, const licet_verdict *v)
{
    json_t *reserve = json_object();

    for (uint32_t kind = 0; kind < image->header->kinds_len; kind++) {
        if (v->reserve[kind] > 0) {
            licet_bytes name = licet_image_text(image, image->header->kinds[kind]);
            char key[LICET_NAME_MAX + 1] = "";

            memcpy(key, name.data, name.len < LICET_NAME_MAX ? name.len : LICET_NAME_MAX);
            json_object_set_new(reserve, key, json_integer((json_int_t)v->reserve[kind]));
        }
    }
    return reserve;
}

json_t *
licet_explain_json(const licet_explain_view *view)
{
    const licet_image *image = view->image;
    const licet_explanation *e = view->explanation;
    const licet_verdict *v = &e->verdict;
    char at[LICET_TIME_TEXT];

    licet_time_format(view->facts->time_ms, at);
    return json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:i, s:s, s:o, s:o}", "request",
                     licet_cli_json_text(licet_bytes_of_text(view->request)), "agreement", view->agreement, "app",
                     view->app, "at", at, "by", view->recorded ? "recorded" : "files", "facts", facts_json(image, v),
                     "rules", licet_explain_rules_json(image, e), "limits", limits_json(image, &e->amounts), "reserve",
                     reserve_json(image, &e->amounts), "verdict", licet_verdict_name(v->verdict), "reason",
                     licet_reason_slug(v->reason), "status", (int)licet_reason_status(v->reason), "title",
                     licet_reason_title(v->reason), "detail", licet_cli_json_text(detail_of(image, v)), "clause",
                     licet_explain_clause_json(image, v->clause));
}
