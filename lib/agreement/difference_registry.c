/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difference of the registry: products, apps, credentials, use cases with the steps of their lives.
 *
 *  (1) A line takes effect with the earliest time that the row came to say, where it says one.
 */
#include "difference.h"

static const char other_words[] = "owner, contact or description have other words";

static void
words_changed(differ *d, const about *what, uint64_t x, uint64_t y)
{
    if (x != y) {
        licet_put_format(d->out, "~ %s %.*s: %s", licet_subject_name(what->subject), SHOWN(what->id), other_words);
        differ_line(d, LICET_ACTION_CHANGED, what);
    }
}

static void
put_span(licet_buffer *out, uint64_t from_ms, uint64_t before_ms)
{
    if (from_ms != 0) {
        licet_put_format(out, " from %s", differ_time(from_ms).text);
    }
    if (before_ms != UINT64_MAX) {
        licet_put_format(out, " before %s", differ_time(before_ms).text);
    }
}

/* ---- products ----------------------------------------------------------------------------- */

static about
product_of(const licet_image *image, uint32_t row)
{
    return (about){LICET_SUBJECT_PRODUCT, differ_text(image, image->products[image->product_terms[row].product]), 0};
}

static int
product_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return licet_bytes_order(product_of(a, x).id, product_of(b, y).id);
}

static void
product_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_product *product = &image->product_terms[row];
    about what = product_of(image, row);

    what.from_ms = sign == '+' ? product->from_ms : 0;
    licet_put_format(d->out, "%c product %.*s", sign, SHOWN(what.id));
    put_span(d->out, product->from_ms, product->before_ms);
    differ_line(d, differ_action(sign), &what);
}

static void
product_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_product *a = &d->old_image->product_terms[x], *b = &d->new_image->product_terms[y];
    about what = product_of(d->new_image, y);

    differ_froms(d, &what, "from", a->from_ms, b->from_ms);
    differ_befores(d, &what, "before", a->before_ms, b->before_ms);
    words_changed(d, &what, a->says, b->says);
}

const row_kind differ_products = {product_order, product_show, product_compare};

/* ---- apps ------------------------------------------------------------------------------------ */

static int
app_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->apps[x].id, b, b->apps[y].id);
}

static about
app_of(const licet_image *image, uint32_t row)
{
    return (about){LICET_SUBJECT_APP, differ_text(image, image->apps[row].id), 0};
}

static void
put_app(licet_buffer *out, const licet_image *image, uint32_t row)
{
    const licet_image_app *app = &image->apps[row];

    licet_put_format(out, "app %.*s (", SHOWN(differ_text(image, app->id)));
    for (uint32_t i = 0; i < app->products.count; i++) {
        const licet_image_app_product *fed = &image->app_products[app->products.first + i];
        licet_put_format(out, "%.*s", SHOWN(differ_text(image, image->products[fed->product])));
        put_span(out, fed->from_ms, fed->before_ms);
        licet_put_format(out, ", ");
    }
    licet_put_format(out, "%.*s", SHOWN(differ_text(image, app->environment)));
    if (app->default_use_case != LICET_NONE) {
        licet_put_format(out, ", by default %.*s",
                         SHOWN(differ_text(image, image->use_cases[app->default_use_case].id)));
    }
    if (app->outbound != LICET_NONE) {
        const licet_image_outbound *o = &image->outbounds[app->outbound];
        licet_put_format(out, ", sends %.*s as %.*s: %.*s%sthe token of %.*s", SHOWN(differ_text(image, o->id)),
                         SHOWN(differ_text(image, o->header)), SHOWN(differ_text(image, o->scheme)),
                         o->scheme.len > 0 ? " and " : "", SHOWN(differ_text(image, o->file)));
    }
    licet_put_format(out, ")");
}

static void
app_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_app *app = &image->apps[row];
    about what = app_of(image, row);

    what.from_ms = sign == '+' ? app->from_ms : 0;
    licet_put_format(d->out, "%c ", sign);
    put_app(d->out, image, row);
    put_span(d->out, app->from_ms, app->before_ms);
    differ_line(d, differ_action(sign), &what);
}

/* The earlier of two times, where 0 stands for none. */
static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a == 0 || b == 0 ? a + b : a < b ? a : b;
}

/* (1) of what an app feeds: the first time at which one of them feeds it and the other does not; 0: none is said. */
static uint64_t
fed_from(const licet_image *a, const licet_image_app *left, const licet_image *b, const licet_image_app *right)
{
    uint64_t from = 0;

    for (uint32_t i = 0; i < right->products.count; i++) {
        const licet_image_app_product *fed = &b->app_products[right->products.first + i], *was = NULL;
        bool same = false;
        for (uint32_t j = 0; j < left->products.count && !same; j++) {
            const licet_image_app_product *other = &a->app_products[left->products.first + j];
            if (differ_order(a, a->products[other->product], b, b->products[fed->product]) == 0) {
                same = other->from_ms == fed->from_ms && other->before_ms == fed->before_ms;
                was = other->from_ms == fed->from_ms || was == NULL ? other : was;
            }
        }
        if (same) {
            continue;
        }
        if (was == NULL || was->from_ms != fed->from_ms) {
            from = earlier(from, was == NULL ? fed->from_ms : earlier(was->from_ms, fed->from_ms));
        } else {
            from = earlier(from, was->before_ms < fed->before_ms ? was->before_ms : fed->before_ms);
        }
    }
    return from;
}

static licet_bytes
default_recipient(const licet_image *image, const licet_image_app *app)
{
    return app->recipient == LICET_NONE ? licet_bytes_of(NULL, 0)
                                        : licet_image_text(image, image->recipients[app->recipient].id);
}

static void
app_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_app *a = &d->old_image->apps[x], *b = &d->new_image->apps[y];
    about what = app_of(d->new_image, y), fed = what;
    licet_bytes was = default_recipient(d->old_image, a), is = default_recipient(d->new_image, b);

    fed.from_ms = fed_from(d->old_image, a, d->new_image, b);
    differ_as_shown(d, put_app, &fed, x, y);
    differ_froms(d, &what, "from", a->from_ms, b->from_ms);
    differ_befores(d, &what, "before", a->before_ms, b->before_ms);
    words_changed(d, &what, a->says, b->says);
    if (!licet_bytes_equal(was, is)) {
        licet_put_format(d->out, "~ app %.*s: recipient \"%.*s\" -> \"%.*s\"", SHOWN(what.id), SHOWN(was), SHOWN(is));
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
}

const row_kind differ_apps = {app_order, app_show, app_compare};

/* ---- use cases ------------------------------------------------------------------------------- */

static int
use_case_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->use_cases[x].id, b, b->use_cases[y].id);
}

static about
use_case_of(const licet_image *image, uint32_t row)
{
    return (about){LICET_SUBJECT_USE_CASE, differ_text(image, image->use_cases[row].id), 0};
}

static const struct {
    licet_action action;
    const char *said;
} states[LICET_USE_CASE_STATES_LEN] = {
    [LICET_USE_CASE_DRAFT] = {LICET_ACTION_DRAFTED, "draft"},
    [LICET_USE_CASE_SUBMITTED] = {LICET_ACTION_SUBMITTED, "submitted"},
    [LICET_USE_CASE_APPROVED] = {LICET_ACTION_APPROVED, "approved"},
    [LICET_USE_CASE_CHANGED] = {LICET_ACTION_REOPENED, "changed, not approved any more"},
    [LICET_USE_CASE_WITHDRAWN] = {LICET_ACTION_WITHDRAWN, "withdrawn"},
    [LICET_USE_CASE_REJECTED] = {LICET_ACTION_REJECTED, "rejected"},
};

/* One line for a step that came, went, or has other words. */
static void
step_line(differ *d, char sign, const licet_image *image, uint32_t row, const licet_image_step *step,
          const char *changed)
{
    about what = use_case_of(image, row);

    what.from_ms = step->at_ms;
    licet_put_format(d->out, "%c use case %.*s: %s from %s%s", sign, SHOWN(what.id), states[step->state].said,
                     differ_time(step->at_ms).text, changed);
    differ_step(d, sign == '+' ? states[step->state].action : differ_action(sign), &what, step);
}

static void
use_case_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_use_case *use_case = &image->use_cases[row];
    licet_bytes recipient = differ_text(image, use_case->recipient);
    const licet_image_step *first = &image->steps[use_case->life.first];
    about what = use_case_of(image, row);

    licet_put_format(d->out, "%c use case %.*s (product %.*s, purpose %.*s", sign, SHOWN(what.id),
                     SHOWN(differ_text(image, image->products[use_case->product])),
                     SHOWN(differ_text(image, use_case->purpose)));
    if (recipient.len > 0) {
        licet_put_format(d->out, ", recipient %.*s", SHOWN(recipient));
    }
    if (use_case->life.count == 0) {
        licet_put_format(d->out, ") not approved");
        differ_line(d, differ_action(sign), &what);
        return;
    }
    licet_put_format(d->out, ") %s from %s", states[first->state].said, differ_time(first->at_ms).text);
    if (sign == '-') {
        differ_line(d, LICET_ACTION_REMOVED, &what);
        return;
    }
    what.from_ms = first->at_ms;
    differ_step(d, states[first->state].action, &what, first);
    for (uint32_t i = 1; i < use_case->life.count; i++) {
        step_line(d, sign, image, row, first + i, "");
    }
}

static void
compare_steps(differ *d, uint32_t x, uint32_t y, const licet_image_step *a, const licet_image_step *b)
{
    if (a->state != b->state || a->has_document != b->has_document ||
        memcmp(a->document, b->document, sizeof(a->document)) != 0) {
        step_line(d, '-', d->old_image, x, a, "");
        step_line(d, '+', d->new_image, y, b, "");
    } else if (a->says != b->says) {
        step_line(d, '~', d->new_image, y, b, ", by another or in other words");
    }
}

static void
compare_lives(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_use_case *a = &d->old_image->use_cases[x], *b = &d->new_image->use_cases[y];
    const licet_image_step *old_steps = &d->old_image->steps[a->life.first];
    const licet_image_step *new_steps = &d->new_image->steps[b->life.first];
    uint32_t i = 0, j = 0;

    while (i < a->life.count || j < b->life.count) {
        if (j == b->life.count || (i < a->life.count && old_steps[i].at_ms < new_steps[j].at_ms)) {
            step_line(d, '-', d->old_image, x, &old_steps[i++], "");
        } else if (i == a->life.count || new_steps[j].at_ms < old_steps[i].at_ms) {
            step_line(d, '+', d->new_image, y, &new_steps[j++], "");
        } else {
            compare_steps(d, x, y, &old_steps[i++], &new_steps[j++]);
        }
    }
}

static void
use_case_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_use_case *a = &d->old_image->use_cases[x], *b = &d->new_image->use_cases[y];
    about what = use_case_of(d->new_image, y);

    differ_texts(d, &what, "product", d->old_image->products[a->product], d->new_image->products[b->product]);
    differ_texts(d, &what, "purpose", a->purpose, b->purpose);
    differ_texts(d, &what, "recipient", a->recipient, b->recipient);
    if (a->says != b->says) {
        licet_put_format(d->out, "~ use case %.*s: its description has other words", SHOWN(what.id));
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
    compare_lives(d, x, y);
}

const row_kind differ_use_cases = {use_case_order, use_case_show, use_case_compare};

/* ---- credentials -------------------------------------------------------------------------------- */

static const char *
kind_name(uint32_t kind)
{
    static const char *const names[LICET_CREDENTIAL_KINDS_LEN] = {
        [LICET_CREDENTIAL_BEARER] = "bearer",
        [LICET_CREDENTIAL_API_KEY] = "api-key",
        [LICET_CREDENTIAL_CLIENT_CERTIFICATE] = "client-certificate",
        [LICET_CREDENTIAL_JWT] = "jwt",
        [LICET_CREDENTIAL_HTTP_SIGNATURE] = "http-signature",
    };

    return names[kind];
}

static const char *
environment_name(uint32_t environment)
{
    return environment == LICET_ENVIRONMENT_DEV ? "dev" : environment == LICET_ENVIRONMENT_STAGING ? "staging" : "prod";
}

static licet_bytes
recipient_of(const licet_image *image, const licet_image_credential *credential)
{
    return credential->recipient == LICET_NONE ? licet_bytes_of(NULL, 0)
                                               : differ_text(image, image->recipients[credential->recipient].id);
}

static int
credential_order(const licet_image *a, uint32_t x, const licet_image *b, uint32_t y)
{
    return differ_order(a, a->credentials[x].id, b, b->credentials[y].id);
}

static about
credential_of(const licet_image *image, uint32_t row)
{
    return (about){LICET_SUBJECT_CREDENTIAL, differ_text(image, image->credentials[row].id), 0};
}

static void
credential_show(differ *d, char sign, const licet_image *image, uint32_t row)
{
    const licet_image_credential *credential = &image->credentials[row];
    licet_bytes recipient = recipient_of(image, credential);
    about what = credential_of(image, row);

    what.from_ms = sign == '+' ? credential->from_ms : 0;
    licet_put_format(d->out, "%c credential %.*s of app %.*s (%s%s%.*s) from %s", sign, SHOWN(what.id),
                     SHOWN(differ_text(image, image->apps[credential->app].id)), kind_name(credential->kind),
                     recipient.len > 0 ? ", recipient " : "", SHOWN(recipient), differ_time(credential->from_ms).text);
    put_span(d->out, 0, credential->before_ms);
    differ_line(d, differ_action(sign), &what);
}

static void
credential_compare(differ *d, uint32_t x, uint32_t y)
{
    const licet_image_credential *a = &d->old_image->credentials[x], *b = &d->new_image->credentials[y];
    about what = credential_of(d->new_image, y);
    licet_bytes was = recipient_of(d->old_image, a), is = recipient_of(d->new_image, b);

    differ_texts(d, &what, "app", d->old_image->apps[a->app].id, d->new_image->apps[b->app].id);
    differ_words(d, &what, "kind", kind_name(a->kind), kind_name(b->kind));
    differ_words(d, &what, "environment", environment_name(a->environment), environment_name(b->environment));
    differ_froms(d, &what, "from", a->from_ms, b->from_ms);
    differ_befores(d, &what, "before", a->before_ms, b->before_ms);
    if (!licet_bytes_equal(was, is)) {
        licet_put_format(d->out, "~ credential %.*s: recipient \"%.*s\" -> \"%.*s\"", SHOWN(what.id), SHOWN(was),
                         SHOWN(is));
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
    if (memcmp(a->hmac, b->hmac, sizeof(a->hmac)) != 0) {
        licet_put_format(d->out, "~ credential %.*s: another %s", SHOWN(what.id),
                         b->kind <= LICET_CREDENTIAL_API_KEY ? "secret" : "identity");
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
    if (memcmp(a->key, b->key, sizeof(a->key)) != 0) {
        licet_put_format(d->out, "~ credential %.*s: another key", SHOWN(what.id));
        differ_line(d, LICET_ACTION_CHANGED, &what);
    }
}

const row_kind differ_credentials = {credential_order, credential_show, credential_compare};
