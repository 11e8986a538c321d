/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan: one pass over a JSON body that may be cut at any byte.
 *
 * A small machine for RFC 8259 runs over the bytes; beside it goes the place
 * in the plan. Containers on a path are a beginning of the stack of open
 * containers: below one that is on no path nothing is. So it is enough to
 * know how many of them are (active), one bit for the kind of each, and one
 * node for each that a name step or the root led to (an element of an array
 * stays at the node of its array).
 *
 *  (1) state fits licet_scan, holds no pointer and is the only memory.
 *  (2) The machine leaves a mode only at a byte: what feed does depends on
 *      state and the next byte alone, never on where a buffer begins.
 *  (3) All containers 0 .. active-1 are on a path, none from active on.
 *  (4) At most one object of a node is open at a time, so one bit for each
 *      node tells which members the open object of its parent has had.
 *  (5) An element is counted at its first byte, an id when it is complete.
 *
 * Bytes of 0x80 and above in strings are passed as they are: UTF-8 is not
 * checked. An escaped surrogate without its other half stands for U+FFFD.
 */
#include "scan_place.h"
#include "scan_token.h"

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool
is_line_end(uint8_t c)
{
    return c == '\n' || c == '\r';
}

/* Behind the white space at p; indented documents have long runs of it. */
static const uint8_t *
skip_spaces(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        unsigned others = not_space(p);

        if (others != 0) {
            return p + __builtin_ctz(others);
        }
        p += 16;
    }
#endif
    while (p < end && is_space(*p)) {
        p++;
    }
    return p;
}

/* Most tokens follow one another without any. */
static inline const uint8_t *
skip_space(const uint8_t *p, const uint8_t *end)
{
    return p<end && * p> ' ' ? p : skip_spaces(p, end);
}

/* ---- the machine ------------------------------------------------------------------ */

/* A string that nobody wants, from behind its quote on. */
static inline const uint8_t *
pass_string(pass *a, const uint8_t *p, token t)
{
    const uint8_t *end = skip_plain(p, a->end);

    a->s->token = (uint8_t)t;
    return end < a->end && *end == '"' ? end + 1 : licet_scan_take_string(a, end);
}

/* A key begins at p, on its quote. Most are whole in these bytes and without escapes: those are never copied. */
static const uint8_t *
begin_key(pass *a, const uint8_t *p)
{
    state *s = a->s;
    const uint8_t *end;

    if (s->depth > s->active) {
        return pass_string(a, p + 1, OTHER_KEY);
    }
    end = skip_plain(p + 1, a->end);
    if (end < a->end && *end == '"') {
        s->token = OTHER_KEY; /* done with */
        return take_key(a, p + 1, (size_t)(end - p - 1), offset_of(a, p)) ? end + 1 : NULL;
    }
    begin_kept(a, PATH_KEY, p);
    return licet_scan_take_string(a, p + 1);
}

/* A string value begins at p, on its quote. */
static const uint8_t *
begin_string(pass *a, const uint8_t *p)
{
    const uint8_t *end;

    if (begin_scalar(a) != ID) {
        return pass_string(a, p + 1, OTHER_VALUE);
    }
    end = skip_plain(p + 1, a->end);
    if (end < a->end && *end == '"' && end - p - 1 <= LICET_SCAN_ID_MAX) {
        a->s->token = OTHER_VALUE; /* done with */
        tell_id(a, p + 1, (size_t)(end - p - 1));
        return end + 1;
    }
    begin_kept(a, ID, p);
    return licet_scan_take_string(a, p + 1);
}

/* What a complete string is for is done. */
static bool
end_string(pass *a)
{
    state *s = a->s;

    if (s->token == PATH_KEY) {
        return take_key(a, s->kept, s->kept_len, s->token_start);
    }
    if (s->token == ID) {
        tell_id(a, s->kept, s->kept_len);
    }
    return true;
}

static const uint8_t *
begin_number(pass *a, const uint8_t *p)
{
    token t = begin_scalar(a);

    a->s->token = (uint8_t)t;
    if (t == ID) {
        begin_kept(a, ID, p);
        licet_scan_keep(a, p, 1);
    }
    a->s->number = *p == '-' ? NUMBER_MINUS : *p == '0' ? NUMBER_ZERO : NUMBER_INT;
    return licet_scan_take_number(a, p + 1);
}

static const uint8_t *
begin_literal(pass *a, const uint8_t *p)
{
    begin_scalar(a);
    a->s->literal = *p == 't' ? 0 : *p == 'f' ? 1 : 2;
    a->s->literal_at = 1;
    return licet_scan_take_literal(a, p + 1);
}

/* Whether the byte between two documents separates them. */
static bool
separates(const state *s, uint8_t c)
{
    return s->form == LICET_BODY_NDJSON || (s->form == LICET_BODY_AUTO && is_line_end(c));
}

/* Runs to the end of the bytes or to a fault. */
static void
run(pass *a)
{
    state *s = a->s;
    const uint8_t *p = a->start, *const end = a->end;

    switch ((mode)s->mode) {
    case AT_ROOT:
        goto at_root;
    case AT_ROOT_GAP:
        goto at_root_gap;
    case AT_VALUE:
        goto at_value;
    case AT_FIRST_VALUE:
        goto at_first_value;
    case AT_KEY:
        goto at_key;
    case AT_FIRST_KEY:
        goto at_first_key;
    case AT_COLON:
        goto at_colon;
    case AFTER_VALUE:
        goto after_value;
    case IN_STRING:
        p = licet_scan_take_string(a, p);
        goto after_cut_string;
    case IN_ESCAPE:
        p = licet_scan_take_escape(a, p);
        p = p == NULL ? NULL : licet_scan_take_string(a, p);
        goto after_cut_string;
    case IN_HEX:
        p = licet_scan_take_hex(a, p);
        p = p == NULL ? NULL : licet_scan_take_string(a, p);
        goto after_cut_string;
    case IN_NUMBER:
        p = licet_scan_take_number(a, p);
        goto after_scalar;
    case IN_LITERAL:
        p = licet_scan_take_literal(a, p);
        goto after_scalar;
    case STOPPED:
        return;
    }

at_root_gap:
    for (;; p++) {
        if (p == end) {
            pause_in(a, AT_ROOT_GAP);
            return;
        }
        if (!is_space(*p)) {
            malformed(a, p);
            return;
        }
        if (separates(s, *p)) {
            break;
        }
    }
at_root:
    for (; p < end && is_space(*p); p++) {
        s->line_end |= is_line_end(*p);
    }
    if (p == end) {
        pause_in(a, AT_ROOT);
        return;
    }
at_value:
    p = skip_space(p, end);
    if (p == end) {
        pause_in(a, AT_VALUE);
        return;
    }
begin_value:
    switch (*p) {
    case '"':
        p = begin_string(a, p);
        goto after_string;
    case '{':
        if (!open_container(a, p++, true)) {
            return;
        }
        goto at_first_key;
    case '[':
        if (!open_container(a, p++, false)) {
            return;
        }
        goto at_first_value;
    case 't':
    case 'f':
    case 'n':
        p = begin_literal(a, p);
        goto after_scalar;
    case '-':
    case '0' ... '9':
        p = begin_number(a, p);
        goto after_scalar;
    default:
        malformed(a, p);
        return;
    }

at_first_value:
    p = skip_space(p, end);
    if (p == end) {
        pause_in(a, AT_FIRST_VALUE);
        return;
    }
    if (*p != ']') {
        goto begin_value;
    }
    goto at_close;

at_first_key:
    p = skip_space(p, end);
    if (p == end) {
        pause_in(a, AT_FIRST_KEY);
        return;
    }
    if (*p == '}') {
        goto at_close;
    }
at_key:
    p = skip_space(p, end);
    if (p == end) {
        pause_in(a, AT_KEY);
        return;
    }
    if (*p != '"') {
        malformed(a, p);
        return;
    }
    p = begin_key(a, p);
    goto after_string;

at_colon:
    p = skip_space(p, end);
    if (p == end) {
        pause_in(a, AT_COLON);
        return;
    }
    if (*p != ':') {
        malformed(a, p);
        return;
    }
    p++;
    goto at_value;

after_string:
after_cut_string:
    if (p == NULL || (is_kept(s) && !end_string(a))) {
        return;
    }
    if (s->token == OTHER_KEY || s->token == PATH_KEY) {
        goto at_colon;
    }
after_scalar:
    if (p == NULL) {
        return;
    }
    if (s->depth == 0) {
        goto after_document;
    }
after_value:
    p = skip_space(p, end);
    if (p == end) {
        pause_in(a, AFTER_VALUE);
        return;
    }
    if (*p == ',') {
        p++;
        if (in_object(s)) {
            goto at_key;
        }
        goto at_value;
    }
    if (*p != (in_object(s) ? '}' : ']')) {
        malformed(a, p);
        return;
    }
at_close:
    close_container(s);
    p++;
    if (s->depth > 0) {
        goto after_value;
    }
after_document:
    if (!end_document(a, p)) {
        return;
    }
    goto at_root_gap;
}

/* ---- the door ------------------------------------------------------------------------ */

static state *
state_of(licet_scan *scan)
{
    return (state *)scan->opaque;
}

void
licet_scan_init(licet_scan *scan, const licet_plan *plan, licet_body_form form)
{
    state *s = state_of(scan);

    (void)plan;
    memset(scan, 0, sizeof(*scan));
    s->mode = AT_ROOT;
    s->form = (uint8_t)form;
    s->member = LICET_PLAN_NONE;
}

void
licet_scan_feed(licet_scan *scan, const licet_plan *plan, licet_bytes bytes, licet_on_id on_id, void *user)
{
    state *s = state_of(scan);
    pass a = {s, plan, bytes.data, bytes.data + bytes.len, s->bytes, on_id, user};

    if (bytes.len == 0) {
        return;
    }
    s->bytes += bytes.len;
    run(&a);
}

void
licet_scan_end(licet_scan *scan, const licet_plan *plan, licet_on_id on_id, void *user)
{
    static const uint8_t nothing[1];
    state *s = state_of(scan);
    pass a = {s, plan, nothing, nothing, s->bytes, on_id, user};
    bool complete = s->mode == AT_ROOT || s->mode == AT_ROOT_GAP;

    if (s->mode == STOPPED) {
        return;
    }
    if (s->mode == IN_NUMBER && s->depth == 0 && number_is_complete((number)s->number)) {
        complete = true;
        if (s->token == ID) {
            tell_id(&a, s->kept, s->kept_len);
        }
        if (!end_document(&a, nothing)) {
            return;
        }
    }
    if (!complete) {
        stop(&a, LICET_UNMETERED_INCOMPLETE, 0, s->bytes);
    } else if (s->documents == 0 && !(s->form == LICET_BODY_NDJSON || (s->form == LICET_BODY_AUTO && s->line_end))) {
        stop(&a, LICET_UNMETERED_EMPTY, 0, s->bytes);
    }
    s->mode = STOPPED;
}

void
licet_scan_look(const licet_scan *scan, licet_scan_result *out_result)
{
    const state *s = (const state *)scan->opaque;

    *out_result = (licet_scan_result){
        .documents = s->documents,
        .bytes = s->bytes,
        .reason = (licet_unmetered)s->reason,
        .unit = s->unit,
        .offset = s->offset,
    };
    memcpy(out_result->count, s->count, sizeof(s->count));
    memcpy(out_result->ids, s->ids, sizeof(s->ids));
}
