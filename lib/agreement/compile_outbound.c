/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compile outbound: where the token lies that goes up for an app, and how it is shown.
 */
#include "compile.h"

uint32_t
compile_outbound(compiler *c, const licet_terms_app *app)
{
    const licet_terms_apps *apps = &c->agreement->apps;
    const licet_terms_outbound *outbound = licet_terms_outbound_of(apps, app);
    uint32_t row = ROWS(c, outbounds, licet_image_outbound);
    licet_image_outbound out;

    if (outbound == NULL) {
        return LICET_NONE;
    }
    if (outbound == &apps->outbound && c->outbound != 0) {
        return c->outbound - 1;
    }
    out = (licet_image_outbound){.id = compile_text(c, outbound->id.text),
                                 .header = compile_text(c, licet_terms_outbound_header(outbound)),
                                 .scheme = compile_text(c, licet_terms_outbound_scheme(outbound)),
                                 .file = compile_text(c, outbound->file.text)};
    PUT(c, outbounds, &out);
    if (outbound == &apps->outbound) {
        c->outbound = row + 1;
    }
    return row;
}
