/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile registry: apps, credentials, products and use cases, in the order of their names.
 */
#include "compile.h"

#include <string.h>

static void
put_app(compiler *c, const licet_terms_app *app, uint32_t app_row)
{
    static const char *const environments[] = {"prod", "staging", "dev"};
    const licet_terms_apps *apps = &c->agreement->apps;
    licet_image_app row = {
        .id = compile_text(c, app->key.text),
        .environment = compile_text(c, licet_bytes_of_text(environments[app->environment.value])),
        .default_use_case = LICET_NONE,
        .before_ms = UINT64_MAX,
        .products = {ROWS(c, app_products, licet_image_app_product), app->products.len},
    };

    if (app->default_use_case.line != 0) {
        row.default_use_case = licet_names_rank(&apps->use_case_names, app->default_use_case.text);
    }
    for (uint32_t i = 0; i < app->products.len; i++) {
        licet_image_app_product product = {
            .product = licet_names_rank(&apps->product_names, LICET_TERMS_ROW(licet_scalar, app->products, i)->text),
            .before_ms = UINT64_MAX};
        PUT(c, app_products, &product);
    }
    for (uint32_t i = 0; i < app->credentials.len; i++) {
        const licet_terms_credential *credential = LICET_TERMS_ROW(licet_terms_credential, app->credentials, i);
        licet_image_credential out = {.id = compile_text(c, credential->id.text),
                                      .app = app_row,
                                      .kind = (uint32_t)credential->kind.value,
                                      .from_ms = credential->from.value,
                                      .before_ms = credential->before.value,
                                      .recipient = LICET_NONE};
        memcpy(out.hmac, credential->hmac, sizeof(out.hmac));
        PUT(c, credentials, &out);
    }
    PUT(c, apps, &row);
}

static void
put_use_case(compiler *c, const licet_terms_use_case *use_case)
{
    licet_image_span approved = {use_case->approved.from.value, UINT64_MAX};
    bool ever = approved.from_ms != UINT64_MAX;
    licet_image_use_case row = {
        .id = compile_text(c, use_case->key.text),
        .purpose = compile_text(c, use_case->purpose.text),
        .recipient = compile_text(c, use_case->recipient.text),
        .product = licet_names_rank(&c->agreement->apps.product_names, use_case->product.text),
        .approved = {ROWS(c, spans, licet_image_span), ever},
    };

    if (ever) {
        PUT(c, spans, &approved);
    }
    PUT(c, use_cases, &row);
}

void
compile_registry(compiler *c)
{
    const licet_terms_apps *apps = &c->agreement->apps;

    for (uint32_t i = 0; i < apps->product_names.len; i++) {
        licet_text name = compile_text(c, apps->product_names.sorted[i]->text);
        PUT(c, products, &name);
    }
    for (uint32_t i = 0; i < apps->use_case_names.len; i++) {
        put_use_case(c,
                     LICET_TERMS_ROW(licet_terms_use_case, apps->use_cases, licet_names_row(&apps->use_case_names, i)));
    }
    for (uint32_t i = 0; i < apps->app_names.len; i++) {
        put_app(c, LICET_TERMS_ROW(licet_terms_app, apps->apps, licet_names_row(&apps->app_names, i)), i);
    }
}
