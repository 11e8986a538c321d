/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apps.yaml: the licensee's apps with their credentials, and the use cases they may name.
 */
#include "terms.h"

#include <string.h>

const licet_word licet_terms_environments[] = {{"prod", LICET_ENVIRONMENT_PROD},
                                               {"staging", LICET_ENVIRONMENT_STAGING},
                                               {"dev", LICET_ENVIRONMENT_DEV},
                                               {NULL, 0}};
static const licet_word states[] = {{"draft", LICET_USE_CASE_DRAFT},
                                    {"submitted", LICET_USE_CASE_SUBMITTED},
                                    {"approved", LICET_USE_CASE_APPROVED},
                                    {"changed", LICET_USE_CASE_CHANGED},
                                    {"withdrawn", LICET_USE_CASE_WITHDRAWN},
                                    {"rejected", LICET_USE_CASE_REJECTED},
                                    {NULL, 0}};

const char *
licet_terms_state_name(uint64_t state)
{
    return states[state].word;
}

#define AT(member) .at = offsetof(licet_terms_fed, member)
static const licet_field fed_fields[] = {
    {.name = "name", .type = LICET_FIELD_NAME, .required = true, AT(name)},
    {.name = "from", .type = LICET_FIELD_TIME, AT(from)},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = NULL}};
#undef AT
static const licet_schema fed_schema = {.noun = "product", .size = sizeof(licet_terms_fed), .fields = fed_fields};

/* A name alone, or a name with the time for which the app feeds it. */
static void
read_fed_row(licet_reader *reader, const char *context, const licet_yaml_node *node, licet_terms_fed *row)
{
    char inner[LICET_CONTEXT_MAX];

    *row = (licet_terms_fed){.before = {.value = UINT64_MAX}};
    if (node->kind == LICET_YAML_MAP) {
        licet_context_of(inner, "%sproducts: ", context);
        licet_schema_read(reader, inner, &fed_schema, node, row);
        return;
    }
    if (!licet_schema_scalar(reader, context, "products", node, LICET_EXPECTED_NAME)) {
        return;
    }
    if (licet_fits_name(node->scalar.text)) {
        row->name = licet_schema_keep(reader, &node->scalar);
    } else {
        licet_reader_say(reader, &node->scalar, context, "products \"%s\": expected " LICET_EXPECTED_NAME,
                         licet_quote_of(node->scalar.text).text);
    }
}

static void
read_fed(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    licet_rows *products = out;
    licet_terms_fed *rows;
    size_t mistakes = reader->mistakes->len;

    if (!licet_schema_list(reader, context, field->name, node)) {
        products->flawed = true;
        return;
    }
    if (node->len == 0) {
        licet_reader_say(reader, &node->scalar, context, "products is empty: expected at least one");
    }
    rows = node->len == 0 ? NULL : licet_arena_rows(reader->arena, node->len, sizeof(*rows));
    products->rows = rows;
    for (const licet_yaml_node *child = node->first; rows != NULL && child != NULL; child = child->next) {
        read_fed_row(reader, context, child, &rows[products->len]);
        products->len += rows[products->len].name.line != 0 ? 1 : 0;
    }
    products->flawed = reader->mistakes->len > mistakes;
}

#define AT(member) .at = offsetof(licet_terms_app, member)
static const licet_field app_fields[] = {
    {.name = "products",
     .type = LICET_FIELD_OWN,
     .required = true,
     AT(products),
     .schema = &fed_schema,
     .read = read_fed},
    {.name = "environment", .type = LICET_FIELD_WORD, AT(environment), .words = licet_terms_environments},
    {.name = "from", .type = LICET_FIELD_TIME, AT(from)},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = "default_use_case", .type = LICET_FIELD_NAME, AT(default_use_case)},
    {.name = "owner", .type = LICET_FIELD_TEXT, AT(owner)},
    {.name = "contact", .type = LICET_FIELD_TEXT, AT(contact)},
    {.name = "description", .type = LICET_FIELD_TEXT, AT(description)},
    {.name = "credentials", .type = LICET_FIELD_LIST, AT(credentials), .schema = &licet_terms_credential_schema},
    {.name = "outbound", .type = LICET_FIELD_OBJECT, AT(outbound), .schema = &licet_outbound_schema},
    {.name = "recipient", .type = LICET_FIELD_NAME, AT(recipient)},
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
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = "document", .type = LICET_FIELD_OWN, AT(document), .read = licet_terms_read_document},
    {.name = "says", .type = LICET_FIELD_TEXT, AT(says)},
    {.name = NULL}};
#undef AT
static const licet_schema approved_schema = {
    .noun = "approved", .size = sizeof(struct licet_terms_approved), .fields = approved_fields};

#define AT(member) .at = offsetof(licet_terms_step, member)
static const licet_field step_fields[] = {
    {.name = "state", .type = LICET_FIELD_WORD, .required = true, AT(state), .words = states, .fallback = UINT64_MAX},
    {.name = "at", .type = LICET_FIELD_TIME, .required = true, AT(at), .fallback = UINT64_MAX},
    {.name = "by", .type = LICET_FIELD_TEXT, .required = true, AT(by)},
    {.name = "role", .type = LICET_FIELD_TEXT, .required = true, AT(role)},
    {.name = "document", .type = LICET_FIELD_OWN, AT(document), .read = licet_terms_read_document},
    {.name = "says", .type = LICET_FIELD_TEXT, AT(says)},
    {.name = NULL}};
#undef AT
static const licet_schema step_schema = {
    .noun = "life", .title = "state", .size = sizeof(licet_terms_step), .fields = step_fields};

#define AT(member) .at = offsetof(licet_terms_use_case, member)
static const licet_field use_case_fields[] = {
    {.name = "product", .type = LICET_FIELD_NAME, .required = true, AT(product)},
    {.name = "purpose", .type = LICET_FIELD_NAME, .required = true, AT(purpose)},
    {.name = "recipient", .type = LICET_FIELD_NAME, AT(recipient)},
    {.name = "description", .type = LICET_FIELD_TEXT, AT(description)},
    {.name = "approved", .type = LICET_FIELD_OBJECT, AT(approved), .schema = &approved_schema},
    {.name = "life", .type = LICET_FIELD_LIST, AT(life), .schema = &step_schema},
    {.name = NULL}};
#undef AT
static const licet_schema use_case_schema = {.noun = "use case",
                                             .size = sizeof(licet_terms_use_case),
                                             .fields = use_case_fields,
                                             .key_fits = licet_fits_name,
                                             .key_expected = LICET_EXPECTED_NAME};

#define AT(member) .at = offsetof(licet_terms_product, member)
static const licet_field product_fields[] = {
    {.name = "owner", .type = LICET_FIELD_TEXT, AT(owner)},
    {.name = "contact", .type = LICET_FIELD_TEXT, AT(contact)},
    {.name = "description", .type = LICET_FIELD_TEXT, AT(description)},
    {.name = "from", .type = LICET_FIELD_TIME, AT(from)},
    {.name = "before", .type = LICET_FIELD_TIME, AT(before), .fallback = UINT64_MAX},
    {.name = NULL}};
#undef AT
static const licet_schema product_schema = {.noun = "product",
                                            .size = sizeof(licet_terms_product),
                                            .fields = product_fields,
                                            .key_fits = licet_fits_name,
                                            .key_expected = LICET_EXPECTED_NAME};

#define AT(member) .at = offsetof(licet_terms_apps, member)
static const licet_field apps_fields[] = {
    {.name = "apps", .type = LICET_FIELD_MAP, .required = true, AT(apps), .schema = &app_schema},
    {.name = "products", .type = LICET_FIELD_MAP, AT(registered), .schema = &product_schema},
    {.name = "use_cases", .type = LICET_FIELD_MAP, AT(use_cases), .schema = &use_case_schema},
    {.name = "recipients", .type = LICET_FIELD_MAP, AT(recipients), .schema = &licet_terms_recipient_schema},
    {.name = "budgets", .type = LICET_FIELD_LIST, AT(budgets), .schema = &licet_terms_budget_schema},
    {.name = "payments", .type = LICET_FIELD_LIST, AT(payments), .schema = &licet_terms_payment_schema},
    {.name = "outbound", .type = LICET_FIELD_OBJECT, AT(outbound), .schema = &licet_outbound_schema},
    {.name = NULL}};
#undef AT
const licet_schema licet_terms_apps_schema = {
    .noun = "apps.yaml", .size = sizeof(licet_terms_apps), .fields = apps_fields};

/* Every product that an app feeds or that is registered, once. */
static bool
gather_products(licet_arena *arena, licet_terms_apps *apps)
{
    licet_names sorted;
    licet_scalar *all;
    uint32_t len = apps->registered.len, n = 0;

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
            all[n++] = LICET_TERMS_ROW(licet_terms_fed, *products, j)->name;
        }
    }
    for (uint32_t i = 0; i < apps->registered.len; i++) {
        all[n++] = LICET_TERMS_ROW(licet_terms_product, apps->registered, i)->key;
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

    return licet_terms_read(reader, text, &licet_terms_apps_schema, out) &&
           licet_names_build(&out->app_names, arena, out->apps.rows, out->apps.len, sizeof(licet_terms_app)) &&
           licet_names_build(&out->use_case_names, arena, out->use_cases.rows, out->use_cases.len,
                             sizeof(licet_terms_use_case)) &&
           licet_names_build(&out->registered_names, arena, out->registered.rows, out->registered.len,
                             sizeof(licet_terms_product)) &&
           licet_terms_recipients_finish(arena, out) && gather_products(arena, out) &&
           licet_names_build(&out->product_names, arena, out->products, out->products_len, sizeof(licet_scalar));
}
