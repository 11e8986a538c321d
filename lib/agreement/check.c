/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check: what one file says about another, over the whole site.
 *
 *  (1) A file that could not be read is not judged, nor is what refers to it: one cause, one mistake.
 *  (2) Nothing costs the square of the number of agreements, apps or credentials: names are found in sorted arrays.
 */
#include "terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED(scalar) licet_quote_of((scalar).text).text

/* ---- one version --------------------------------------------------------------- */

static void
check_in_force(licet_reader *reader, const licet_terms_agreement *agreement, const licet_terms_version *version)
{
    const struct licet_terms_in_force *in_force = &version->in_force;

    if (version->agreement.line != 0 && !licet_bytes_equal(version->agreement.text, agreement->id.text)) {
        licet_reader_say(reader, &version->agreement, "", "agreement \"%s\": expected \"%s\", the name of its folder",
                         QUOTED(version->agreement), QUOTED(agreement->id));
    }
    if (in_force->from.said.line != 0 && in_force->before.said.line != 0 &&
        in_force->before.value <= in_force->from.value) {
        licet_reader_say(reader, &in_force->before.said,
                         "in_force: ", "before \"%s\": expected a time after from \"%s\"",
                         QUOTED(in_force->before.said), QUOTED(in_force->from.said));
    }
}

/* Where a name stood first, in an open hash of rows so far. */
typedef struct name_set {
    const licet_scalar **slots;
    size_t mask;
} name_set;

static bool
name_set_init(name_set *set, size_t most)
{
    size_t len = 16;

    while (len < most * 2) {
        len *= 2;
    }
    set->slots = calloc(len, sizeof(*set->slots));
    set->mask = len - 1;
    return set->slots != NULL;
}

/* NULL: it is new, and now in the set. */
static const licet_scalar *
name_set_add(name_set *set, const licet_scalar *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    size_t i;

    for (size_t n = 0; n < name->text.len; n++) {
        hash = (hash ^ name->text.data[n]) * UINT64_C(1099511628211);
    }
    for (i = (size_t)(hash ^ hash >> 32) & set->mask; set->slots[i] != NULL; i = (i + 1) & set->mask) {
        if (licet_bytes_equal(set->slots[i]->text, name->text)) {
            return set->slots[i];
        }
    }
    set->slots[i] = name;
    return NULL;
}

static void
check_purposes(licet_reader *reader, const licet_terms_version *version)
{
    const struct licet_terms_purposes *purposes = &version->purposes;
    name_set seen;

    if (!name_set_init(&seen, (size_t)purposes->allowed.len + purposes->forbidden.len)) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < purposes->allowed.len; i++) {
        const licet_scalar *name = LICET_TERMS_ROW(licet_scalar, purposes->allowed, i);
        if (name_set_add(&seen, name) != NULL) {
            licet_reader_say(reader, name, "purposes: ", "allowed names \"%s\" twice", QUOTED(*name));
        }
    }
    for (uint32_t i = 0; i < purposes->forbidden.len; i++) {
        const licet_pair *pair = LICET_TERMS_ROW(licet_pair, purposes->forbidden, i);
        if (name_set_add(&seen, &pair->key) != NULL) {
            licet_reader_say(reader, &pair->key, "purposes: ", "\"%s\" is both allowed and forbidden",
                             QUOTED(pair->key));
        }
        if (licet_names_find(&version->clause_names, pair->value.text) == LICET_NONE) {
            licet_reader_say(reader, &pair->value,
                             "purposes: forbidden: ", "%s: clause \"%s\" is not among the clauses of this version",
                             QUOTED(pair->key), QUOTED(pair->value));
        }
    }
    free(seen.slots);
}

/* The unit that "10_000 posts" means: posts, or else post. False: none. */
bool
licet_terms_allow_unit(const licet_terms_version *version, licet_bytes *out_unit)
{
    licet_bytes unit = version->cannot_record.unit.text;

    if (!licet_terms_is_unit(version->catalogue, unit)) {
        if (unit.len < 2 || unit.data[unit.len - 1] != 's') {
            return false;
        }
        unit.len--;
        if (!licet_terms_is_unit(version->catalogue, unit)) {
            return false;
        }
    }
    *out_unit = unit;
    return true;
}

static void
check_version(licet_reader *reader, const licet_terms_agreement *agreement, const licet_terms_version *version)
{
    const licet_terms_cannot_record *cannot = &version->cannot_record;
    licet_bytes unit;

    check_in_force(reader, agreement, version);
    check_purposes(reader, version);
    licet_terms_check_recipient_rules(reader, agreement, version);
    if (version->catalogue_name.line != 0 && version->catalogue == NULL) {
        licet_reader_say(reader, &version->catalogue_name, "", "catalogue \"%s\": there is no file catalogue/%s.yaml",
                         QUOTED(version->catalogue_name), QUOTED(version->catalogue_name));
    }
    licet_terms_check_calendar(reader, version);
    licet_terms_check_limits(reader, agreement, version);
    licet_terms_check_prices(reader, version);
    if (version->tokens.clause.line != 0 &&
        licet_names_find(&version->clause_names, version->tokens.clause.text) == LICET_NONE) {
        licet_reader_say(reader, &version->tokens.clause,
                         "credentials: ", "clause \"%s\" is not among the clauses of this version",
                         QUOTED(version->tokens.clause));
    }
    if (cannot->unit.line != 0 && version->catalogue != NULL && !version->catalogue->file.broken &&
        !licet_terms_allow_unit(version, &unit)) {
        licet_reader_say(reader, &cannot->unit,
                         "cannot_record: ", "allow: unit \"%s\": expected request, byte or a unit of catalogue %s",
                         QUOTED(cannot->unit), QUOTED(version->catalogue_name));
    }
}

/* ---- the versions of one agreement, ordered by from -------------------------------- */

static void
check_overlap(licet_reader *reader, const licet_terms_agreement *agreement)
{
    const licet_terms_version *before = NULL;

    for (uint32_t i = 0; i < agreement->versions_len; i++) {
        const licet_terms_version *version = &agreement->versions[i];
        const licet_number *from = &version->in_force.from;
        if (version->file.broken || from->said.line == 0) {
            continue;
        }
        reader->file = version->file.path;
        if (before != NULL && from->value == before->in_force.from.value) {
            licet_reader_say(reader, &from->said, "in_force: ", "from \"%s\": version %s begins at the same time",
                             QUOTED(from->said), QUOTED(before->id));
        } else if (before != NULL && before->in_force.before.said.line != 0 &&
                   from->value < before->in_force.before.value) {
            licet_reader_say(reader, &from->said, "in_force: ",
                             "from \"%s\": version %s is in force before \"%s\"; two versions may not overlap",
                             QUOTED(from->said), QUOTED(before->id), QUOTED(before->in_force.before.said));
        }
        before = version;
    }
}

static void
check_kinds(licet_reader *reader, const licet_terms_agreement *agreement)
{
    const licet_scalar *units[LICET_KINDS_MAX];
    uint32_t len = 0;

    for (uint32_t i = 0; i < agreement->versions_len; i++) {
        const licet_terms_version *version = &agreement->versions[i];
        if (version->catalogue == NULL || version->catalogue->units.len > LICET_KINDS_MAX - 2) {
            continue;
        }
        for (uint32_t j = 0; j < version->catalogue->units.len; j++) {
            const licet_scalar *unit = &LICET_TERMS_ROW(licet_terms_unit, version->catalogue->units, j)->key;
            uint32_t k = 0;
            while (k < len && !licet_bytes_equal(units[k]->text, unit->text)) {
                k++;
            }
            if (k < len) {
                continue;
            }
            if (len == LICET_KINDS_MAX - 2) {
                reader->file = version->file.path;
                licet_reader_say(reader, &version->catalogue_name, "",
                                 "catalogue \"%s\": unit %s is more than the %u that all versions of an agreement may "
                                 "name together",
                                 QUOTED(version->catalogue_name), QUOTED(*unit), LICET_KINDS_MAX - 2);
                return;
            }
            units[len++] = unit;
        }
    }
}

/* ---- apps.yaml ---------------------------------------------------------------------- */

static bool
names_purpose(const licet_terms_agreement *agreement, licet_bytes purpose)
{
    for (uint32_t i = 0; i < agreement->versions_len; i++) {
        const licet_terms_version *version = &agreement->versions[i];
        const struct licet_terms_purposes *purposes = &version->purposes;
        if (version->file.broken || purposes->allowed.flawed || purposes->forbidden.flawed ||
            purposes->not_named.value == LICET_RULE_RECORD) {
            return true;
        }
        for (uint32_t j = 0; j < purposes->allowed.len; j++) {
            if (licet_bytes_equal(LICET_TERMS_ROW(licet_scalar, purposes->allowed, j)->text, purpose)) {
                return true;
            }
        }
        for (uint32_t j = 0; j < purposes->forbidden.len; j++) {
            if (licet_bytes_equal(LICET_TERMS_ROW(licet_pair, purposes->forbidden, j)->key.text, purpose)) {
                return true;
            }
        }
    }
    return agreement->versions_len == 0;
}

static void
check_use_cases(licet_reader *reader, const licet_terms_agreement *agreement)
{
    const licet_terms_apps *apps = &agreement->apps;
    char context[LICET_CONTEXT_MAX];
    bool flawed = false;

    for (uint32_t i = 0; i < apps->apps.len; i++) {
        const licet_rows *products = &LICET_TERMS_ROW(licet_terms_app, apps->apps, i)->products;
        flawed = flawed || products->flawed || products->len == 0;
    }
    for (uint32_t i = 0; i < apps->use_cases.len; i++) {
        const licet_terms_use_case *use_case = LICET_TERMS_ROW(licet_terms_use_case, apps->use_cases, i);
        licet_context_of(context, "use case %s: ", QUOTED(use_case->key));
        if (use_case->product.line != 0 && !flawed &&
            licet_names_find(&apps->product_names, use_case->product.text) == LICET_NONE) {
            licet_reader_say(reader, &use_case->product, context, "product \"%s\": no app feeds it",
                             QUOTED(use_case->product));
        }
        if (use_case->purpose.line != 0 && !names_purpose(agreement, use_case->purpose.text)) {
            licet_reader_say(reader, &use_case->purpose, context,
                             "purpose \"%s\" is neither allowed nor forbidden in any version of agreement %s",
                             QUOTED(use_case->purpose), QUOTED(agreement->id));
        }
    }
}

static bool
feeds(const licet_terms_app *app, licet_bytes product)
{
    for (uint32_t i = 0; i < app->products.len; i++) {
        if (licet_bytes_equal(LICET_TERMS_ROW(licet_terms_fed, app->products, i)->name.text, product)) {
            return true;
        }
    }
    return false;
}

static void
check_app(licet_reader *reader, const licet_terms_apps *apps, const licet_terms_app *app, name_set *ids)
{
    char context[LICET_CONTEXT_MAX];

    licet_context_of(context, "app %s: ", QUOTED(app->key));
    if (app->default_use_case.line != 0) {
        uint32_t row = licet_names_find(&apps->use_case_names, app->default_use_case.text);
        const licet_terms_use_case *use_case =
            row == LICET_NONE ? NULL : LICET_TERMS_ROW(licet_terms_use_case, apps->use_cases, row);
        if (use_case == NULL) {
            licet_reader_say(reader, &app->default_use_case, context, "default_use_case \"%s\" is not in use_cases",
                             QUOTED(app->default_use_case));
        } else if (use_case->product.line != 0 && app->products.len > 0 && !feeds(app, use_case->product.text)) {
            licet_reader_say(reader, &app->default_use_case, context,
                             "default_use_case \"%s\" is for product \"%s\", which this app does not feed",
                             QUOTED(app->default_use_case), QUOTED(use_case->product));
        }
    }
    for (uint32_t i = 0; i < app->credentials.len; i++) {
        const licet_terms_credential *credential = LICET_TERMS_ROW(licet_terms_credential, app->credentials, i);
        const licet_scalar *first = credential->id.text.len == 0 ? NULL : name_set_add(ids, &credential->id);
        if (first != NULL) {
            licet_reader_say(reader, &credential->id, context, "credential %s: id \"%s\" is taken already in line %u",
                             QUOTED(credential->id), QUOTED(credential->id), first->line);
        }
        if (credential->from.said.line != 0 && credential->before.said.line != 0 &&
            credential->before.value < credential->from.value) { /* equal: revoked as soon as it was given */
            licet_reader_say(reader, &credential->before.said, context,
                             "credential %s: before \"%s\": expected from \"%s\" or a later time",
                             QUOTED(credential->id), QUOTED(credential->before.said), QUOTED(credential->from.said));
        }
        licet_terms_credential_check(reader, context, credential);
    }
}

static void
check_apps(licet_reader *reader, const licet_terms_agreement *agreement)
{
    const licet_terms_apps *apps = &agreement->apps;
    size_t credentials = 0;
    name_set ids;

    for (uint32_t i = 0; i < apps->apps.len; i++) {
        credentials += LICET_TERMS_ROW(licet_terms_app, apps->apps, i)->credentials.len;
    }
    if (!name_set_init(&ids, credentials)) {
        reader->failed = true;
        return;
    }
    for (uint32_t i = 0; i < apps->apps.len; i++) {
        check_app(reader, apps, LICET_TERMS_ROW(licet_terms_app, apps->apps, i), &ids);
    }
    free(ids.slots);
    licet_terms_check_outbound(reader, apps);
    check_use_cases(reader, agreement);
    licet_terms_check_recipients(reader, apps);
    licet_terms_check_payments(reader, apps);
}

/* ---- credentials, over all agreements ---------------------------------------------- */

typedef struct shown {
    const licet_terms_credential *credential;
    const licet_terms_app *app;
    const char *file;
} shown;

static int
compare_shown(const void *left, const void *right)
{
    const shown *a = left, *b = right;
    int order = memcmp(a->credential->hmac, b->credential->hmac, sizeof(a->credential->hmac));

    order = order != 0 ? order : strcmp(a->file, b->file);
    return order != 0 ? order : (a->credential > b->credential) - (a->credential < b->credential);
}

static size_t
gather_credentials(const licet_site *site, shown *out)
{
    size_t n = 0;

    for (uint32_t i = 0; i < site->agreements_len; i++) {
        const licet_terms_apps *apps = &site->agreements[i].apps;
        for (uint32_t j = 0; j < apps->apps.len; j++) {
            const licet_terms_app *app = LICET_TERMS_ROW(licet_terms_app, apps->apps, j);
            for (uint32_t k = 0; k < app->credentials.len; k++) {
                const licet_terms_credential *credential = LICET_TERMS_ROW(licet_terms_credential, app->credentials, k);
                if (credential->hmac_at.line != 0) {
                    if (out != NULL) {
                        out[n] = (shown){credential, app, apps->file.path};
                    }
                    n++;
                }
            }
        }
    }
    return n;
}

static bool
check_credentials(licet_reader *reader, const licet_site *site)
{
    size_t len = gather_credentials(site, NULL), first = 0;
    shown *all = calloc(len + 1, sizeof(*all));

    if (all == NULL) {
        return false;
    }
    gather_credentials(site, all);
    qsort(all, len, sizeof(*all), compare_shown);
    for (size_t i = 1; i < len; i++) {
        if (memcmp(all[first].credential->hmac, all[i].credential->hmac, LICET_SHA256_LEN) != 0) {
            first = i;
            continue;
        }
        reader->file = all[i].file;
        licet_reader_say(reader, &all[i].credential->hmac_at, "",
                         "app %s: credential %s: the same secret as credential %s of app %s in %s; a secret belongs to "
                         "one app",
                         QUOTED(all[i].app->key), QUOTED(all[i].credential->id), QUOTED(all[first].credential->id),
                         QUOTED(all[first].app->key), all[first].file);
    }
    free(all);
    return true;
}

/* An upstream that no agreement has is a name written wrong: its requests would go where the others go. */
static void
check_upstreams(licet_reader *reader, const licet_site *site)
{
    const licet_rows *upstreams = &site->config.upstreams;

    for (uint32_t i = 0; i < upstreams->len; i++) {
        const licet_scalar *name = &LICET_TERMS_ROW(licet_pair, *upstreams, i)->key;
        bool found = false;
        for (uint32_t j = 0; j < site->agreements_len && !found; j++) {
            found = licet_bytes_equal(site->agreements[j].id.text, name->text);
        }
        if (!found) {
            licet_reader_say(reader, name, "upstreams: ", "agreement \"%s\": there is no folder agreements/%s",
                             QUOTED(*name), QUOTED(*name));
        }
    }
}

bool
licet_terms_check_site(licet_site *site, licet_mistakes *mistakes)
{
    licet_reader reader = {.arena = &site->arena, .mistakes = mistakes};
    licet_reader notes = {.arena = &site->arena, .mistakes = &site->notes};

    reader.file = "licet.yaml";
    check_upstreams(&reader, site);
    for (uint32_t i = 0; i < site->agreements_len; i++) {
        const licet_terms_agreement *agreement = &site->agreements[i];
        for (uint32_t j = 0; j < agreement->versions_len; j++) {
            if (!agreement->versions[j].file.broken) {
                reader.file = agreement->versions[j].file.path;
                notes.file = reader.file;
                check_version(&reader, agreement, &agreement->versions[j]);
                licet_terms_check_documents(&reader, &notes, &agreement->versions[j]);
                licet_terms_check_duties(&reader, &notes, &agreement->versions[j]);
            }
        }
        check_overlap(&reader, agreement);
        check_kinds(&reader, agreement);
        if (agreement->has_apps && !agreement->apps.file.broken) {
            reader.file = agreement->apps.file.path;
            check_apps(&reader, agreement);
            licet_terms_check_budgets(&reader, agreement);
            licet_terms_check_lives(&reader, agreement);
        }
    }
    return check_credentials(&reader, site) && !reader.failed && !notes.failed;
}
