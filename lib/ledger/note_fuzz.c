/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: any bytes as a note, as a checkpoint's text and as a key. What
 * is accepted must be what formatting gives.
 */
#include <stdlib.h>
#include <string.h>

#include "note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same_or_abort(const licet_buffer *out, licet_bytes in, bool prefix)
{
    if (out->failed || out->len > in.len || (!prefix && out->len != in.len) ||
        memcmp(out->data, in.data, out->len) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char TEXT[] = "licet.example/log-one+124d9418+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    licet_bytes in = {data, size};
    licet_verifier_key key, parsed;
    licet_signer_key signer;
    licet_checkpoint c;
    licet_buffer out;
    licet_error err;
    licet_buffer_init(&out, 1 << 16);
    if (!licet_verifier_key_parse(LICET_BYTES_LITERAL(TEXT), &key, &err))
        abort();
    if (licet_checkpoint_open(in, &key, 1, &c, &err) && strcmp(c.origin, key.name) != 0)
        abort();
    if (licet_checkpoint_parse(in, &c, &err)) {
        licet_checkpoint_format(&c, &out);
        if (memchr(c.origin, '\0', sizeof(c.origin)) == NULL)
            abort();
        if (memchr(data, '\0', size) == NULL) /* notes hold no NUL; a bare text may */
            same_or_abort(&out, in, true);
    }
    out.len = 0;
    if (licet_verifier_key_parse(in, &parsed, &err)) {
        licet_verifier_key_format(&parsed, &out);
        same_or_abort(&out, in, false);
    }
    out.len = 0;
    if (licet_signer_key_parse(in, &signer, &err)) {
        licet_signer_key_format(&signer, &out);
        same_or_abort(&out, in, false);
    }
    licet_buffer_done(&out);
    return 0;
}
