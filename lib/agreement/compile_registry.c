/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile registry: apps, credentials, products and use cases, in the order of their names.
 *
 *  (1) An app feeds a product while both say so: the image holds the time that is common to them.
 *  (2) A use case is approved from a step that says so until the next, whatever it is.
 *  (3) What persons said is in an image as a number that changes with it, no more.
 */
#include "compile.h"

#include <string.h>

static uint64_t
later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* (3) */
static uint64_t
number_of_texts(const licet_scalar *const texts[3])
{
    static const uint8_t end = 0;
    licet_bytes pieces[6];
    uint64_t number = 0;
    bool any = false;
    licet_hash hash;

    for (size_t i = 0; i < 3; i++) {
        pieces[2 * i] = texts[i]->text;
        pieces[2 * i + 1] = licet_bytes_of(&end, 1);
        any = any || texts[i]->text.len > 0;
    }
    hash = licet_sha256(pieces, 6);
    memcpy(&number, hash.bytes, sizeof(number));
    return any ? number : 0;
}

#define SAYS(a, b, c) number_of_texts((const licet_scalar *const[]){&(a), &(b), &(c)})

/* ---- apps --------------------------------------------------------------------- */

static void
put_fed(compiler *c, const licet_terms_fed *fed)
{
    const licet_terms_apps *apps = &c->agreement->apps;
    uint32_t registered = licet_names_find(&apps->registered_names, fed->name.text);
    licet_image_app_product row = {.product = licet_names_rank(&apps->product_names, fed->name.text),
                                   .from_ms = fed->from.value,
                                   .before_ms = fed->before.value};

    if (registered != LICET_NONE) {
        const licet_terms_product *product = LICET_TERMS_ROW(licet_terms_product, apps->registered, registered);
        row.from_ms = later(row.from_ms, product->from.value);
        row.before_ms = later(row.from_ms, earlier(row.before_ms, product->before.value));
    }
    PUT(c, app_products, &row);
}

static void
put_credential(compiler *c, const licet_terms_app *app, uint32_t app_row, const licet_terms_credential *credential)
{
    bool own = credential->environment.value != UINT64_MAX;
    licet_image_credential row = {
        .id = compile_text(c, credential->id.text),
        .app = app_row,
        .kind = (uint32_t)credential->kind.value,
        .from_ms = credential->from.value,
        .before_ms = credential->before.value,
        .recipient = compile_recipient(c, credential->recipient.line != 0 ? &credential->recipient : &app->recipient),
        .environment = (uint32_t)(own ? credential->environment.value : app->environment.value)};

    memcpy(row.hmac, credential->hmac, sizeof(row.hmac));
    memcpy(row.key, credential->key, sizeof(row.key));
    PUT(c, credentials, &row);
}

static void
put_app(compiler *c, const licet_terms_app *app, uint32_t app_row)
{
    static const char *const environments[] = {"prod", "staging", "dev"};
    const licet_terms_apps *apps = &c->agreement->apps;
    licet_image_app row = {
        .id = compile_text(c, app->key.text),
        .environment = compile_text(c, licet_bytes_of_text(environments[app->environment.value])),
        .default_use_case = LICET_NONE,
        .from_ms = app->from.value,
        .before_ms = app->before.value,
        .says = SAYS(app->owner, app->contact, app->description),
        .products = {ROWS(c, app_products, licet_image_app_product), app->products.len},
        .outbound = compile_outbound(c, app),
        .recipient = compile_recipient(c, &app->recipient),
    };

    if (app->default_use_case.line != 0) {
        row.default_use_case = licet_names_rank(&apps->use_case_names, app->default_use_case.text);
    }
    for (uint32_t i = 0; i < app->products.len; i++) {
        put_fed(c, LICET_TERMS_ROW(licet_terms_fed, app->products, i));
    }
    for (uint32_t i = 0; i < app->credentials.len; i++) {
        put_credential(c, app, app_row, LICET_TERMS_ROW(licet_terms_credential, app->credentials, i));
    }
    PUT(c, apps, &row);
}

/* ---- use cases ------------------------------------------------------------------ */

static void
put_step(compiler *c, licet_image_use_case *row, uint32_t state, uint64_t at_ms, uint64_t says,
         const licet_terms_document *document)
{
    licet_image_step step = {
        .at_ms = at_ms, .says = says, .state = state, .has_document = document != NULL && document->at.line != 0};

    if (step.has_document) {
        memcpy(step.document, document->sha256.bytes, sizeof(step.document));
    }
    PUT(c, steps, &step);
    row->life.count++;
}

static void
put_approved(compiler *c, licet_image_use_case *row, uint64_t from_ms, uint64_t before_ms)
{
    licet_image_span span = {from_ms, before_ms};

    PUT(c, spans, &span);
    row->approved.count++;
}

/* The short form: approved, and withdrawn when it ends. */
static void
put_short(compiler *c, const struct licet_terms_approved *approved, licet_image_use_case *row)
{
    if (approved->from.value == UINT64_MAX) {
        return;
    }
    put_step(c, row, LICET_USE_CASE_APPROVED, approved->from.value, SAYS(approved->by, approved->role, approved->says),
             &approved->document);
    if (approved->before.value != UINT64_MAX) {
        put_step(c, row, LICET_USE_CASE_WITHDRAWN, approved->before.value, 0, NULL);
    }
    put_approved(c, row, approved->from.value, approved->before.value);
}

static void
put_life(compiler *c, const licet_rows *life, licet_image_use_case *row)
{
    for (uint32_t i = 0; i < life->len; i++) {
        const licet_terms_step *step = LICET_TERMS_ROW(licet_terms_step, *life, i);
        bool last = i + 1 == life->len;

        put_step(c, row, (uint32_t)step->state.value, step->at.value, SAYS(step->by, step->role, step->says),
                 &step->document);
        if (step->state.value == LICET_USE_CASE_APPROVED) {
            put_approved(c, row, step->at.value, last ? UINT64_MAX : step[1].at.value);
        }
    }
}

static void
put_use_case(compiler *c, const licet_terms_use_case *use_case)
{
    static const licet_scalar none = {.line = 0};
    licet_image_use_case row = {
        .id = compile_text(c, use_case->key.text),
        .purpose = compile_text(c, use_case->purpose.text),
        .recipient = compile_text(c, use_case->recipient.text),
        .product = licet_names_rank(&c->agreement->apps.product_names, use_case->product.text),
        .approved = {ROWS(c, spans, licet_image_span), 0},
        .life = {ROWS(c, steps, licet_image_step), 0},
        .says = SAYS(use_case->description, none, none),
    };

    put_short(c, &use_case->approved, &row);
    put_life(c, &use_case->life, &row);
    PUT(c, use_cases, &row);
}

bool
licet_site_step_who(const licet_site *site, size_t i, licet_bytes name, uint64_t at_ms, licet_buffer *out)
{
    const licet_terms_apps *apps = &site->agreements[i].apps;
    uint32_t row = licet_names_find(&apps->use_case_names, name);
    const licet_terms_use_case *use_case;
    const licet_scalar *by = NULL, *role = NULL;

    if (row == LICET_NONE) {
        return false;
    }
    use_case = LICET_TERMS_ROW(licet_terms_use_case, apps->use_cases, row);
    if (use_case->approved.from.said.line != 0 && use_case->approved.from.value == at_ms) {
        by = &use_case->approved.by;
        role = &use_case->approved.role;
    }
    for (uint32_t s = 0; s < use_case->life.len; s++) {
        const licet_terms_step *step = LICET_TERMS_ROW(licet_terms_step, use_case->life, s);
        if (step->at.value == at_ms) {
            by = &step->by;
            role = &step->role;
        }
    }
    return by != NULL && licet_put_format(out, "%.*s, %.*s", (int)by->text.len, (const char *)by->text.data,
                                          (int)role->text.len, (const char *)role->text.data);
}

/* ---- the whole --------------------------------------------------------------------- */

static void
put_product(compiler *c, uint32_t row, licet_bytes name)
{
    const licet_terms_apps *apps = &c->agreement->apps;
    uint32_t at = licet_names_find(&apps->registered_names, name);
    licet_text text = compile_text(c, name);

    PUT(c, products, &text);
    if (at != LICET_NONE) {
        const licet_terms_product *product = LICET_TERMS_ROW(licet_terms_product, apps->registered, at);
        licet_image_product terms = {.product = row,
                                     .from_ms = product->from.value,
                                     .before_ms = product->before.value,
                                     .says = SAYS(product->owner, product->contact, product->description)};
        PUT(c, product_terms, &terms);
    }
}

void
compile_registry(compiler *c)
{
    const licet_terms_apps *apps = &c->agreement->apps;

    for (uint32_t i = 0; i < apps->product_names.len; i++) {
        put_product(c, i, apps->product_names.sorted[i]->text);
    }
    for (uint32_t i = 0; i < apps->use_case_names.len; i++) {
        put_use_case(c,
                     LICET_TERMS_ROW(licet_terms_use_case, apps->use_cases, licet_names_row(&apps->use_case_names, i)));
    }
    for (uint32_t i = 0; i < apps->app_names.len; i++) {
        put_app(c, LICET_TERMS_ROW(licet_terms_app, apps->apps, licet_names_row(&apps->app_names, i)), i);
    }
}
