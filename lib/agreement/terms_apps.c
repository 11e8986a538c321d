/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apps.yaml: the licensee's apps with their credentials, and the use cases they may name.
 */
#include "terms.h"

#include <string.h>

static void
read_hmac(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] = "64 hex digits, as licet credential new writes them";
    licet_terms_credential *credential = out;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!licet_unhex(node->scalar.text, credential->hmac, sizeof(credential->hmac))) {
        /* not shown: somebody may have put the secret itself here */
        licet_reader_say(reader, &node->scalar, context, "%s of %zu characters: expected %s", field->name,
                         node->scalar.text.len, expected);
        return;
    }
    credential->hmac_at = licet_schema_keep(reader, &node->scalar);
}

static const licet_word kinds[] = {{"bearer", LICET_CREDENTIAL_BEARER},
                                   {"api-key", LICET_CREDENTIAL_API_KEY},
                                   {"client-certificate", LICET_WORD_LATER},
                                   {"http-signature", LICET_WORD_LATER},
                                   {NULL, 0}};
static const licet_word environments[] = {{"prod", 0}, {"staging", 1}, {"dev", 2}, {NULL, 0}};

#define AT(member) .at = offsetof(licet_terms_credential, member)
static const licet_field credential_fields[] = {
    {.name = "id", .type = LICET_FIELD_ID, .required = true, AT(id)},
    {.name = "kind", .type = LICET_FIELD_WORD, .required = true, AT(kind), .words = kinds},
    {.name = "hmac_sha256", .type = LICET_FIELD_OWN, .required = true, .at = 0, .read = read_hmac},
    {.name = "from", .type = LICET_FIELD_TIME, .required = true, AT(from)},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = NULL}};
#undef AT
static const licet_schema credential_schema = {
    .noun = "credential", .title = "id", .size = sizeof(licet_terms_credential), .fields = credential_fields};

#define AT(member) .at = offsetof(licet_terms_app, member)
static const licet_field app_fields[] = {
    {.name = "products", .type = LICET_FIELD_NAMES, .required = true, AT(products), .least = 1},
    {.name = "environment", .type = LICET_FIELD_WORD, AT(environment), .words = environments},
    {.name = "default_use_case", .type = LICET_FIELD_NAME, AT(default_use_case)},
    {.name = "credentials", .type = LICET_FIELD_LIST, AT(credentials), .schema = &credential_schema},
    {.name = "outbound", .type = LICET_FIELD_LATER},
    {.name = "recipients", .type = LICET_FIELD_LATER},
    {.name = NULL}};
#undef AT
static const licet_schema app_schema = {.noun = "app",
                                        .size = sizeof(licet_terms_app),
                                        .fields = app_fields,
                                        .key_fits = licet_fits_id,
                                        .key_expected = LICET_EXPECTED_ID};

#define AT(member) .at = offsetof(struct licet_terms_approved, member)
static const licet_field approved_fields[] = {
    {.name = "by", .type = LICET_FIELD_TEXT, .required = true, AT(by)},
    {.name = "role", .type = LICET_FIELD_TEXT, .required = true, AT(role)},
    {.name = "from", .type = LICET_FIELD_TIME, .required = true, AT(from), .fallback = UINT64_MAX},
    {.name = NULL}};
#undef AT
static const licet_schema approved_schema = {
    .noun = "approved", .size = sizeof(struct licet_terms_approved), .fields = approved_fields};

#define AT(member) .at = offsetof(licet_terms_use_case, member)
static const licet_field use_case_fields[] = {
    {.name = "product", .type = LICET_FIELD_NAME, .required = true, AT(product)},
    {.name = "purpose", .type = LICET_FIELD_NAME, .required = true, AT(purpose)},
    {.name = "recipient", .type = LICET_FIELD_NAME, AT(recipient)},
    {.name = "approved", .type = LICET_FIELD_OBJECT, AT(approved), .schema = &approved_schema},
    {.name = NULL}};
#undef AT
static const licet_schema use_case_schema = {.noun = "use case",
                                             .size = sizeof(licet_terms_use_case),
                                             .fields = use_case_fields,
                                             .key_fits = licet_fits_name,
                                             .key_expected = LICET_EXPECTED_NAME};

#define AT(member) .at = offsetof(licet_terms_apps, member)
static const licet_field apps_fields[] = {
    {.name = "apps", .type = LICET_FIELD_MAP, .required = true, AT(apps), .schema = &app_schema},
    {.name = "use_cases", .type = LICET_FIELD_MAP, AT(use_cases), .schema = &use_case_schema},
    {.name = "recipients", .type = LICET_FIELD_LATER},
    {.name = "outbound", .type = LICET_FIELD_LATER},
    {.name = "payments", .type = LICET_FIELD_LIST, AT(payments), .schema = &licet_terms_payment_schema},
    {.name = NULL}};
#undef AT
static const licet_schema apps_schema = {.noun = "apps.yaml", .size = sizeof(licet_terms_apps), .fields = apps_fields};

/* Every product that an app feeds, once. */
static bool
gather_products(licet_arena *arena, licet_terms_apps *apps)
{
    licet_names sorted;
    licet_scalar *all;
    uint32_t len = 0, n = 0;

    for (uint32_t i = 0; i < apps->apps.len; i++) {
        len += LICET_TERMS_ROW(licet_terms_app, apps->apps, i)->products.len;
    }
    if (len == 0) {
        return true;
    }
    all = licet_arena_rows(arena, len, sizeof(*all));
    apps->products = licet_arena_rows(arena, len, sizeof(*apps->products));
    if (all == NULL || apps->products == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < apps->apps.len; i++) {
        const licet_rows *products = &LICET_TERMS_ROW(licet_terms_app, apps->apps, i)->products;
        for (uint32_t j = 0; j < products->len; j++) {
            all[n++] = *LICET_TERMS_ROW(licet_scalar, *products, j);
        }
    }
    if (!licet_names_build(&sorted, arena, all, len, sizeof(*all))) {
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        if (i == 0 || !licet_bytes_equal(sorted.sorted[i]->text, sorted.sorted[i - 1]->text)) {
            apps->products[apps->products_len++] = *sorted.sorted[i];
        }
    }
    return true;
}

bool
licet_terms_read_apps(licet_reader *reader, licet_bytes text, licet_terms_apps *out)
{
    licet_arena *arena = reader->arena;

    return licet_terms_read(reader, text, &apps_schema, out) &&
           licet_names_build(&out->app_names, arena, out->apps.rows, out->apps.len, sizeof(licet_terms_app)) &&
           licet_names_build(&out->use_case_names, arena, out->use_cases.rows, out->use_cases.len,
                             sizeof(licet_terms_use_case)) &&
           gather_products(arena, out) &&
           licet_names_build(&out->product_names, arena, out->products, out->products_len, sizeof(licet_scalar));
}
