/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan, the reference: see scan_ref.h.
 *
 *  (1) The whole body is read first, up to the first byte that breaks the
 *      grammar of RFC 8259. Every value stands in one list, in the order of
 *      first bytes, with a link to the container it lies in.
 *  (2) Paths are judged backwards, from a value up to its root, with no tree
 *      of names and nothing remembered from one value to the next.
 *  (3) Each kind of fault is looked for over the whole body; the one at the
 *      lowest offset counts, and only what lies before it is told.
 */
#include "scan_ref.h"

#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

typedef enum kind { KEY_ONLY, OBJECT, ARRAY, STRING, NUMBER, LITERAL } kind;

typedef struct value {
    kind kind; /* KEY_ONLY: its key was read, its first byte not */
    size_t start;
    size_t end;                  /* NONE: not complete */
    size_t parent;               /* container, or NONE */
    size_t key_start;            /* of the quote of its key, or NONE */
    size_t key, key_len;         /* in texts, decoded */
    size_t content, content_len; /* in texts: of a string or number, also when it is not complete */
} value;

typedef struct reader {
    licet_bytes in;
    bool ended;
    size_t pos;
    value *values;
    size_t values_len, values_capacity;
    licet_buffer texts;
    licet_unmetered reason; /* the grammar's fault */
    size_t offset;
    size_t documents;
} reader;

/* ---- reading ------------------------------------------------------------------ */

static bool
fault(reader *r, licet_unmetered reason, size_t offset)
{
    r->reason = reason;
    r->offset = offset;
    return false;
}

/* The byte at the reader, or -1 where the bytes end. */
static int
peek(const reader *r)
{
    return r->pos < r->in.len ? r->in.data[r->pos] : -1;
}

static bool
expected_otherwise(reader *r)
{
    return peek(r) < 0 ? fault(r, LICET_UNMETERED_INCOMPLETE, r->in.len) : fault(r, LICET_UNMETERED_MALFORMED, r->pos);
}

static void
skip_space(reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r') {
        r->pos++;
    }
}

static value *
add_value(reader *r, size_t parent)
{
    value *grown;

    if (r->values_len == r->values_capacity) {
        size_t capacity = r->values_capacity == 0 ? 64 : r->values_capacity * 2;

        grown = realloc(r->values, capacity * sizeof(*grown));
        if (grown == NULL) {
            r->texts.failed = true; /* one flag for all memory */
            return NULL;
        }
        r->values = grown;
        r->values_capacity = capacity;
    }
    grown = &r->values[r->values_len++];
    *grown = (value){.kind = KEY_ONLY, .start = NONE, .end = NONE, .parent = parent, .key_start = NONE};
    return grown;
}

static void
put_code_point(reader *r, uint32_t point)
{
    if (point < 0x80) {
        licet_put_u8(&r->texts, (uint8_t)point);
    } else if (point < 0x800) {
        licet_put_u16(&r->texts, (uint16_t)(0xc080 | (point & 0x7c0) << 2 | (point & 0x3f)));
    } else if (point < 0x10000) {
        licet_put_uint(&r->texts, 3, 0xe08080 | (point & 0xf000) << 4 | (point & 0xfc0) << 2 | (point & 0x3f));
    } else {
        licet_put_u32(&r->texts, 0xf0808080 | (point & 0x1c0000) << 6 | (point & 0x3f000) << 4 | (point & 0xfc0) << 2 |
                                     (point & 0x3f));
    }
}

/* \uXXXX, the reader behind the u. */
static bool
read_hex(reader *r, uint32_t *out_code)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    uint32_t code = 0;

    for (int i = 0; i < 4; i++) {
        const char *digit = peek(r) <= 0 ? NULL : strchr(digits, peek(r));

        if (digit == NULL) {
            return expected_otherwise(r);
        }
        code = code * 16 + (uint32_t)(digit - digits) % 16;
        r->pos++;
    }
    *out_code = code;
    return true;
}

/* A string, the reader on its quote; what was decoded goes to texts, as far as it came. */
static bool
read_string(reader *r)
{
    uint32_t high = 0; /* a high surrogate that was read, not yet put */

    for (r->pos++;;) {
        int c = peek(r);
        uint32_t code = (uint32_t)c;
        bool escaped = false;

        if (c < 0x20) {
            return expected_otherwise(r); /* also at the end of the bytes */
        }
        r->pos++;
        if (c == '\\') {
            static const char letters[] = "\"\\/bfnrtu", meanings[] = "\"\\/\b\f\n\r\t";
            const char *letter = peek(r) <= 0 ? NULL : strchr(letters, peek(r));

            if (letter == NULL) {
                return expected_otherwise(r);
            }
            r->pos++;
            escaped = *letter == 'u';
            if (escaped && !read_hex(r, &code)) {
                return false;
            }
            code = escaped ? code : (uint8_t)meanings[letter - letters];
        }
        if (escaped && high != 0 && code >= 0xdc00 && code <= 0xdfff) {
            put_code_point(r, 0x10000 + (high - 0xd800) * 0x400 + (code - 0xdc00));
            high = 0;
            continue;
        }
        if (high != 0) {
            put_code_point(r, 0xfffd);
            high = 0;
        }
        if (c == '"') {
            return true;
        }
        if (escaped && code >= 0xd800 && code <= 0xdbff) {
            high = code;
        } else if (escaped) {
            put_code_point(r, code >= 0xdc00 && code <= 0xdfff ? 0xfffd : code);
        } else {
            licet_put_u8(&r->texts, (uint8_t)code); /* UTF-8 passes byte by byte */
        }
    }
}

static size_t
read_digits(reader *r)
{
    size_t start = r->pos;

    while (peek(r) >= '0' && peek(r) <= '9') {
        r->pos++;
    }
    return r->pos - start;
}

/* A number as in RFC 8259 section 6. */
static bool
read_number_grammar(reader *r)
{
    if (peek(r) == '-') {
        r->pos++;
    }
    if (peek(r) == '0') {
        r->pos++;
    } else if (read_digits(r) == 0) {
        return expected_otherwise(r);
    }
    if (peek(r) == '.') {
        r->pos++;
        if (read_digits(r) == 0) {
            return expected_otherwise(r);
        }
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->pos++;
        if (peek(r) == '+' || peek(r) == '-') {
            r->pos++;
        }
        if (read_digits(r) == 0) {
            return expected_otherwise(r);
        }
    }
    return true;
}

/* A number ends where the next byte shows it; at the end of the bytes only a root does, and only if nothing follows. */
static bool
read_number(reader *r, size_t parent)
{
    size_t start = r->pos;
    bool ok = read_number_grammar(r);

    licet_put_bytes(&r->texts, licet_bytes_of(r->in.data + start, r->pos - start));
    if (ok && peek(r) < 0 && !(parent == NONE && r->ended)) {
        return expected_otherwise(r);
    }
    return ok;
}

static bool
read_literal(reader *r, const char *text)
{
    for (; *text != '\0'; text++, r->pos++) {
        if (peek(r) != *text) {
            return expected_otherwise(r);
        }
    }
    return true;
}

/* The scalar or the beginning of the container at the reader, as value i. */
static bool
read_value(reader *r, size_t i)
{
    value *v = &r->values[i];
    int c = peek(r);
    bool ok;

    v->start = r->pos;
    v->content = r->texts.len;
    switch (c) {
    case '{':
    case '[':
        v->kind = c == '{' ? OBJECT : ARRAY;
        r->pos++;
        return true;
    case '"':
        v->kind = STRING;
        ok = read_string(r);
        break;
    case 't':
    case 'f':
    case 'n':
        v->kind = LITERAL;
        ok = read_literal(r, c == 't' ? "true" : c == 'f' ? "false" : "null");
        break;
    default:
        v->kind = NUMBER;
        ok = read_number(r, v->parent);
    }
    v->content_len = r->texts.len - v->content;
    v->end = ok ? r->pos : NONE;
    return ok;
}

static bool
may_begin_value(int c)
{
    return c > 0 && strchr("{[\"tfn-0123456789", c) != NULL;
}

/* A key and its colon, entered as a value whose first byte is still to come. */
static bool
read_key(reader *r, size_t parent)
{
    value *v;
    size_t start = r->pos, text = r->texts.len;

    if (peek(r) != '"') {
        return expected_otherwise(r);
    }
    if (!read_string(r)) {
        return false;
    }
    v = add_value(r, parent);
    if (v == NULL) {
        return false;
    }
    v->key_start = start;
    v->key = text;
    v->key_len = r->texts.len - text;
    skip_space(r);
    if (peek(r) != ':') {
        return expected_otherwise(r);
    }
    r->pos++;
    skip_space(r);
    return true;
}

/* Reads on behind a complete value: closes what ends here. Gives the container that goes on, NONE when the document is
 * complete, or false. */
static bool
read_after_value(reader *r, size_t *container, bool *out_complete)
{
    for (;;) {
        if (*container == NONE) {
            *out_complete = true;
            return true;
        }
        skip_space(r);
        if (peek(r) == ',') {
            r->pos++;
            *out_complete = false;
            return true;
        }
        if (peek(r) != (r->values[*container].kind == OBJECT ? '}' : ']')) {
            return expected_otherwise(r);
        }
        r->pos++;
        r->values[*container].end = r->pos;
        *container = r->values[*container].parent;
    }
}

/* One document, the reader on its first byte. */
static bool
read_document(reader *r)
{
    size_t container = NONE, depth, i;
    bool complete = false;

    for (;;) {
        skip_space(r);
        if (container != NONE && r->values[container].kind == OBJECT) {
            if (!read_key(r, container)) {
                return false;
            }
        } else if (!may_begin_value(peek(r))) {
            return expected_otherwise(r);
        } else if (add_value(r, container) == NULL) {
            return false;
        }
        i = r->values_len - 1;
        if (!may_begin_value(peek(r))) {
            return expected_otherwise(r);
        }
        if (!read_value(r, i)) {
            return false;
        }
        if (r->values[i].kind == OBJECT || r->values[i].kind == ARRAY) {
            depth = 1;
            for (size_t up = container; up != NONE; up = r->values[up].parent) {
                depth++;
            }
            if (depth > LICET_SCAN_DEPTH_MAX) {
                return fault(r, LICET_UNMETERED_TOO_DEEP, r->pos - 1);
            }
            container = i;
            skip_space(r);
            if (peek(r) != (r->values[i].kind == OBJECT ? '}' : ']')) {
                continue;
            }
        }
        if (!read_after_value(r, &container, &complete)) {
            return false;
        }
        if (complete) {
            r->documents++;
            return true;
        }
    }
}

/* White space before a document; tells whether it has a line end. */
static bool
skip_gap(reader *r)
{
    size_t start = r->pos;

    skip_space(r);
    return memchr(r->in.data + start, '\n', r->pos - start) != NULL ||
           memchr(r->in.data + start, '\r', r->pos - start) != NULL;
}

static void
read_body(reader *r, licet_body_form form)
{
    size_t start;
    bool line_end = skip_gap(r);

    while (r->pos < r->in.len) {
        if (!read_document(r)) {
            return;
        }
        start = r->pos;
        line_end = skip_gap(r);
        if (r->pos < r->in.len &&
            (form == LICET_BODY_JSON || r->pos == start || (form == LICET_BODY_AUTO && !line_end))) {
            fault(r, LICET_UNMETERED_MALFORMED, r->pos);
            return;
        }
    }
    if (r->documents == 0 && (form == LICET_BODY_JSON || (form == LICET_BODY_AUTO && !line_end))) {
        fault(r, LICET_UNMETERED_EMPTY, r->in.len);
    }
}

/* ---- judging ---------------------------------------------------------------------- */

static bool
key_is(const reader *r, const value *v, const char *name, size_t len)
{
    return v->key_start != NONE &&
           licet_bytes_equal(licet_bytes_of(r->texts.data + v->key, v->key_len), licet_bytes_of(name, len));
}

/* Whether the first k steps of path lead to value i itself (and not to an array that i is an element of). */
static bool
leads_to(const reader *r, const licet_path *path, size_t k, size_t i)
{
    for (; k > 0; k--) {
        if (!key_is(r, &r->values[i], path->name[k - 1], path->name_len[k - 1])) {
            return false;
        }
        i = r->values[i].parent;
        while (r->values[i].parent != NONE && r->values[r->values[i].parent].kind == ARRAY) {
            i = r->values[i].parent;
        }
    }
    return r->values[i].parent == NONE;
}

/* Whether value i is an element of an array that the path leads to. */
static bool
is_element(const reader *r, const licet_path *path, size_t i)
{
    size_t parent = r->values[i].parent;

    return parent != NONE && r->values[parent].kind == ARRAY && leads_to(r, path, path->steps, parent);
}

static bool
is_counted(const reader *r, const licet_path *path, size_t i)
{
    return r->values[i].kind != KEY_ONLY &&
           (is_element(r, path, i) || (r->values[i].kind == OBJECT && leads_to(r, path, path->steps, i)));
}

static bool
is_id(const reader *r, const licet_path *path, size_t i)
{
    return (r->values[i].kind == STRING || r->values[i].kind == NUMBER) &&
           (leads_to(r, path, path->steps, i) || is_element(r, path, i));
}

/* Whether value i is the second member of its name in its object, and a step of the path takes that name there. */
static bool
is_duplicate(const reader *r, const licet_path *path, size_t i)
{
    const value *v = &r->values[i];

    for (size_t k = 1; k <= path->steps; k++) {
        if (!leads_to(r, path, k, i)) {
            continue;
        }
        for (size_t j = v->parent + 1; j < i; j++) {
            if (r->values[j].parent == v->parent &&
                key_is(r, &r->values[j], (const char *)r->texts.data + v->key, v->key_len)) {
                return true;
            }
        }
    }
    return false;
}

typedef struct judgement {
    licet_unmetered reason;
    unsigned unit;
    size_t offset; /* NONE: no fault */
} judgement;

static void
propose(judgement *first, licet_unmetered reason, size_t unit, size_t offset)
{
    if (offset < first->offset) {
        *first = (judgement){reason, (unsigned)unit, offset};
    }
}

static void
judge_value(const reader *r, const licet_plan_unit *u, size_t unit, size_t i, judgement *first)
{
    const value *v = &r->values[i];

    if (v->key_start != NONE && (is_duplicate(r, &u->count, i) || (u->has_ids && is_duplicate(r, &u->ids, i)))) {
        propose(first, LICET_UNMETERED_DUPLICATE_KEY, unit, v->key_start);
    }
    if (u->has_ids && is_id(r, &u->ids, i) && v->content_len > LICET_SCAN_ID_MAX) {
        propose(first, LICET_UNMETERED_ID_TOO_LONG, unit, v->start);
    }
}

/* Compares count and ids of a unit at the end of each document. */
static void
judge_documents(const reader *r, const licet_plan_unit *u, size_t unit, judgement *first)
{
    size_t count = 0, ids = 0, end = NONE;

    for (size_t i = 0; i <= r->values_len; i++) {
        if ((i == r->values_len || r->values[i].parent == NONE) && end != NONE && count != ids) {
            propose(first, LICET_UNMETERED_IDS_DIFFER, unit, end);
        }
        if (i < r->values_len) {
            end = r->values[i].parent == NONE ? r->values[i].end : end;
            count += is_counted(r, &u->count, i);
            ids += is_id(r, &u->ids, i);
        }
    }
}

static void
tell(const reader *r, const licet_plan_unit *units, size_t n, size_t before, licet_on_id on_id, void *user,
     licet_scan_result *out)
{
    for (size_t i = 0; i < r->values_len; i++) {
        const value *v = &r->values[i];
        bool complete = v->end != NONE && v->end <= before;

        out->documents += v->parent == NONE && complete;
        for (unsigned unit = 0; unit < n; unit++) {
            if (v->start != NONE && v->start <= before && is_counted(r, &units[unit].count, i)) {
                out->count[unit]++;
            }
            if (units[unit].has_ids && complete && is_id(r, &units[unit].ids, i)) {
                out->ids[unit]++;
                if (on_id != NULL) {
                    on_id(user, unit, licet_bytes_of(r->texts.data + v->content, v->content_len));
                }
            }
        }
    }
}

bool
licet_scan_ref(const licet_plan_unit *units, size_t n, licet_body_form form, licet_bytes bytes, bool ended,
               licet_on_id on_id, void *user, licet_scan_result *out_result)
{
    static const uint8_t nothing[1];
    reader r = {.in = bytes.len == 0 ? licet_bytes_of(nothing, 0) : bytes, .ended = ended};
    judgement first = {.offset = NONE};
    licet_scan_result out = {.bytes = bytes.len};
    bool ok;

    licet_buffer_init(&r.texts, SIZE_MAX / 4);
    licet_put_u8(&r.texts, 0); /* so that texts.data is never NULL */
    read_body(&r, form);
    for (size_t unit = 0; unit < n; unit++) {
        for (size_t i = 0; i < r.values_len; i++) {
            judge_value(&r, &units[unit], unit, i, &first);
        }
        if (units[unit].has_ids) {
            judge_documents(&r, &units[unit], unit, &first);
        }
    }
    if (r.reason == LICET_UNMETERED_MALFORMED || r.reason == LICET_UNMETERED_TOO_DEEP ||
        (r.reason != LICET_UNMETERED_NONE && ended)) {
        propose(&first, r.reason, 0, r.offset);
    }
    tell(&r, units, n, first.offset, on_id, user, &out);
    if (first.offset != NONE) {
        out.reason = first.reason;
        out.unit = first.unit;
        out.offset = first.offset;
    }
    ok = !r.texts.failed;
    if (ok) {
        *out_result = out;
    }
    licet_buffer_done(&r.texts);
    free(r.values);
    return ok;
}
