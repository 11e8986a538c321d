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
#include "plan.h"

#include <assert.h>
#include <string.h>

typedef enum mode {
    AT_ROOT,        /* a document may begin */
    AT_ROOT_GAP,    /* a document has ended, what must separate it from the next has not come */
    AT_VALUE,       /* a value must begin */
    AT_FIRST_VALUE, /* after '[': a value or ']' */
    AT_KEY,         /* after ',' in an object */
    AT_FIRST_KEY,   /* after '{': a key or '}' */
    AT_COLON,       /* after a key */
    AFTER_VALUE,    /* in a container: ',' or its end */
    IN_STRING,      /* token says what it is for */
    IN_ESCAPE,      /* after '\' */
    IN_HEX,         /* hex_left digits of \u to come */
    IN_NUMBER,      /* number says where */
    IN_LITERAL,     /* literal says where */
    STOPPED,        /* a fault, or the end */
} mode;

/* What the string or number under way is. */
typedef enum token {
    OTHER_KEY,   /* of an object on no path */
    OTHER_VALUE, /* neither kept nor looked at */
    PATH_KEY,    /* kept, to be looked up */
    ID,          /* kept, to be told */
} token;

typedef enum number {
    NUMBER_MINUS, /* '-' */
    NUMBER_ZERO,  /* '0', complete */
    NUMBER_INT,   /* complete */
    NUMBER_DOT,
    NUMBER_FRACTION, /* complete */
    NUMBER_E,
    NUMBER_SIGN,
    NUMBER_EXPONENT, /* complete */
    NUMBER_END,      /* the byte does not belong to it */
} number;

#define TOKEN_MAX LICET_SCAN_ID_MAX
#define TOKEN_TOO_LONG (TOKEN_MAX + 1) /* a key that can match nothing */

static_assert(LICET_SCAN_ID_MAX == LICET_PATH_NAME_MAX, "one buffer serves keys and ids");

typedef struct state {
    uint64_t documents, bytes;
    uint64_t count[LICET_SCAN_UNITS_MAX];
    uint64_t ids[LICET_SCAN_UNITS_MAX];
    uint64_t offset;      /* of the fault */
    uint64_t token_start; /* offset of the key or id that is kept */
    uint32_t seen;        /* set of nodes, see (4) */
    uint16_t depth;       /* containers open */
    uint16_t active;      /* those on a path */
    uint16_t surrogate;   /* a high one that waits for its low one, or 0 */
    uint16_t hex;         /* digits of \u so far */
    uint8_t hex_left;
    uint8_t mode, form, reason, unit, token, number;
    uint8_t literal, literal_at;
    uint8_t line_end;  /* seen where a document may begin */
    uint8_t member;    /* node that the key before the value leads to, or LICET_PLAN_NONE */
    uint8_t nodes_len; /* used part of nodes */
    uint8_t nodes[LICET_PATH_STEPS_MAX + 1];
    uint8_t kept_len; /* TOKEN_TOO_LONG: too much */
    uint8_t kept[TOKEN_MAX];
    uint8_t objects[(LICET_SCAN_DEPTH_MAX + 7) / 8]; /* a bit per open container: 1 object, 0 array */
} state;

static_assert(sizeof(state) <= LICET_SCAN_BYTES_MAX, "scan state");
static_assert(sizeof(licet_scan) == LICET_SCAN_BYTES_MAX, "scan state");

/* One call of feed or end. */
typedef struct pass {
    state *s;
    const licet_plan *plan;
    const uint8_t *start, *end; /* of the bytes fed */
    uint64_t base;              /* offset of start in the body */
    licet_on_id on_id;
    void *user;
} pass;

static uint64_t
offset_of(const pass *a, const uint8_t *p)
{
    return a->base + (uint64_t)(p - a->start);
}

/* Notes the first fault; nothing is looked at after it. Returns NULL, so that callers write 'return stop(…)'. */
static const uint8_t *
stop(pass *a, licet_unmetered reason, unsigned unit, uint64_t offset)
{
    a->s->reason = (uint8_t)reason;
    a->s->unit = (uint8_t)unit;
    a->s->offset = offset;
    a->s->mode = STOPPED;
    return NULL;
}

static const uint8_t *
malformed(pass *a, const uint8_t *p)
{
    return stop(a, LICET_UNMETERED_MALFORMED, 0, offset_of(a, p));
}

/* The bytes end here; the next feed goes on in this mode. */
static const uint8_t *
pause_in(pass *a, mode m)
{
    a->s->mode = (uint8_t)m;
    return NULL;
}

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

static const uint8_t *
skip_space(const uint8_t *p, const uint8_t *end)
{
    while (p < end && is_space(*p)) {
        p++;
    }
    return p;
}

/* ---- the place in the plan ------------------------------------------------- */

static bool
is_object(const state *s, unsigned i)
{
    return s->objects[i / 8] >> (i % 8) & 1;
}

static bool
in_object(const state *s)
{
    return s->depth > 0 && is_object(s, s->depth - 1u);
}

/* How the paths see the value that begins. */
typedef struct place {
    uint8_t node; /* LICET_PLAN_NONE: not at all */
    bool direct;  /* a name step or '$' led to it */
    bool element; /* of an array that a name step or '$' led to */
} place;

static inline place
place_of_value(const state *s)
{
    unsigned depth = s->depth;

    if (depth > s->active) {
        return (place){.node = LICET_PLAN_NONE};
    }
    if (depth == 0) {
        return (place){.node = 0, .direct = true};
    }
    if (is_object(s, depth - 1)) {
        return (place){.node = s->member, .direct = true};
    }
    return (place){.node = s->nodes[s->nodes_len - 1], .element = depth == 1 || is_object(s, depth - 2)};
}

static void
count_units(state *s, unsigned units)
{
    for (; units != 0; units &= units - 1) {
        s->count[__builtin_ctz(units)]++;
    }
}

/* A string, number or literal begins; tells whether it is an id, which a literal never is. */
static inline token
begin_scalar(pass *a)
{
    place v = place_of_value(a->s);
    const licet_plan_node *n;

    if (v.node == LICET_PLAN_NONE) {
        return OTHER_VALUE;
    }
    n = &a->plan->nodes[v.node];
    if (v.element) {
        count_units(a->s, n->count_units);
    }
    return n->id_units != 0 && (v.direct || v.element) ? ID : OTHER_VALUE;
}

/* Opens the container at p; false after a fault. */
static bool
open_container(pass *a, const uint8_t *p, bool object)
{
    state *s = a->s;
    place v = place_of_value(s);
    unsigned bit = s->depth % 8u;
    bool follow = false;

    if (v.node != LICET_PLAN_NONE) {
        const licet_plan_node *n = &a->plan->nodes[v.node];

        if (v.element || (v.direct && object)) {
            count_units(s, n->count_units);
        }
        follow = n->children != 0 || (!object && v.direct && (n->count_units | n->id_units) != 0);
    }
    if (s->depth == LICET_SCAN_DEPTH_MAX) {
        stop(a, LICET_UNMETERED_TOO_DEEP, 0, offset_of(a, p));
        return false;
    }
    s->objects[s->depth / 8] = (uint8_t)((s->objects[s->depth / 8] & ~(1u << bit)) | (unsigned)object << bit);
    s->depth++;
    if (follow) {
        s->active = s->depth;
        if (v.direct) {
            s->nodes[s->nodes_len++] = v.node;
        }
        if (object) {
            s->seen &= ~a->plan->nodes[v.node].children;
        }
    }
    return true;
}

static void
close_container(state *s)
{
    s->depth--;
    if (s->depth < s->active) {
        s->active = s->depth;
        if (s->depth == 0 || in_object(s)) {
            s->nodes_len--; /* it was direct */
        }
    }
}

/* Looks up the complete key of an object on a path; false after a fault. */
static bool
take_key(pass *a, const uint8_t *name, size_t len, uint64_t offset)
{
    state *s = a->s;

    s->member = licet_plan_child(a->plan, s->nodes[s->nodes_len - 1], name, len);
    if (s->member == LICET_PLAN_NONE) {
        return true;
    }
    if ((s->seen & licet_plan_bit(s->member)) != 0) {
        stop(a, LICET_UNMETERED_DUPLICATE_KEY, a->plan->nodes[s->member].through_unit, offset);
        return false;
    }
    s->seen |= licet_plan_bit(s->member);
    return true;
}

/* Units whose ids are taken at the value under way. */
static unsigned
id_units(const pass *a)
{
    return a->plan->nodes[place_of_value(a->s).node].id_units;
}

static void
tell_id(pass *a, const uint8_t *id, size_t len)
{
    for (unsigned units = id_units(a); units != 0; units &= units - 1) {
        unsigned unit = (unsigned)__builtin_ctz(units);

        a->s->ids[unit]++;
        if (a->on_id != NULL) {
            a->on_id(a->user, unit, licet_bytes_of(id, len));
        }
    }
}

/* The document ends before p: its ids must be as many as its units. Earlier documents agreed, so sums may be compared.
 * False after a fault. */
static bool
end_document(pass *a, const uint8_t *p)
{
    state *s = a->s;

    s->documents++;
    for (unsigned units = a->plan->units_with_ids; units != 0; units &= units - 1) {
        unsigned unit = (unsigned)__builtin_ctz(units);

        if (s->count[unit] != s->ids[unit]) {
            stop(a, LICET_UNMETERED_IDS_DIFFER, unit, offset_of(a, p));
            return false;
        }
    }
    return true;
}

/* ---- keys and ids that are kept ---------------------------------------------- */

static void
begin_kept(pass *a, token t, const uint8_t *p)
{
    a->s->token = (uint8_t)t;
    a->s->token_start = offset_of(a, p);
    a->s->kept_len = 0;
    a->s->surrogate = 0;
}

/* Appends bytes to what is kept; false after a fault. */
static bool
keep(pass *a, const uint8_t *bytes, size_t len)
{
    state *s = a->s;

    if (s->kept_len == TOKEN_TOO_LONG) {
        return true;
    }
    if (len > TOKEN_MAX - (size_t)s->kept_len) {
        if (s->token == ID) {
            stop(a, LICET_UNMETERED_ID_TOO_LONG, (unsigned)__builtin_ctz(id_units(a)), s->token_start);
            return false;
        }
        s->kept_len = TOKEN_TOO_LONG;
        return true;
    }
    memcpy(s->kept + s->kept_len, bytes, len);
    s->kept_len = (uint8_t)(s->kept_len + len);
    return true;
}

static bool
keep_code_point(pass *a, uint32_t point)
{
    uint8_t bytes[4];

    if (point < 0x80) {
        bytes[0] = (uint8_t)point;
        return keep(a, bytes, 1);
    }
    if (point < 0x800) {
        bytes[0] = (uint8_t)(0xc0 | point >> 6);
        bytes[1] = (uint8_t)(0x80 | (point & 0x3f));
        return keep(a, bytes, 2);
    }
    if (point < 0x10000) {
        bytes[0] = (uint8_t)(0xe0 | point >> 12);
        bytes[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (point & 0x3f));
        return keep(a, bytes, 3);
    }
    bytes[0] = (uint8_t)(0xf0 | point >> 18);
    bytes[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    bytes[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    bytes[3] = (uint8_t)(0x80 | (point & 0x3f));
    return keep(a, bytes, 4);
}

/* A high surrogate still waits, and something else follows. */
static bool
keep_lone_surrogate(pass *a)
{
    if (a->s->surrogate == 0) {
        return true;
    }
    a->s->surrogate = 0;
    return keep_code_point(a, 0xfffd);
}

/* The code unit of a complete \u escape. */
static bool
keep_code_unit(pass *a, uint16_t code)
{
    state *s = a->s;
    uint32_t high = s->surrogate;

    if (code >= 0xdc00 && code <= 0xdfff) {
        s->surrogate = 0;
        return keep_code_point(a, high == 0 ? 0xfffd : 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00u));
    }
    if (!keep_lone_surrogate(a)) {
        return false;
    }
    if (code >= 0xd800 && code <= 0xdbff) {
        s->surrogate = code;
        return true;
    }
    return keep_code_point(a, code);
}

/* ---- tokens -------------------------------------------------------------------- */

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* The first byte from p on that is '"', '\' or a control character, or end. */
static inline const uint8_t *
skip_plain(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8) {
        uint64_t word, quote, backslash, found;

        memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        quote = word ^ ONES * '"';
        backslash = word ^ ONES * '\\';
        /* each term has the high bit of every byte it looks for; a borrow can only err above its first true byte */
        found = ((word - ONES * 0x20) & ~word) | ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash);
        found &= HIGHS;
        if (found != 0) {
            return p + __builtin_ctzll(found) / 8;
        }
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20) {
        p++;
    }
    return p;
}

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a letter after '\' stands for; 0: nothing. */
static uint8_t
escape_meaning(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

static bool
is_kept(const state *s)
{
    return s->token >= PATH_KEY;
}

static const uint8_t *
take_hex(pass *a, const uint8_t *p)
{
    state *s = a->s;

    for (; s->hex_left > 0; s->hex_left--, p++) {
        int digit;

        if (p == a->end) {
            return pause_in(a, IN_HEX);
        }
        digit = hex_digit(*p);
        if (digit < 0) {
            return malformed(a, p);
        }
        s->hex = (uint16_t)(s->hex << 4 | digit);
    }
    return is_kept(s) && !keep_code_unit(a, s->hex) ? NULL : p;
}

/* What follows '\'. */
static const uint8_t *
take_escape(pass *a, const uint8_t *p)
{
    state *s = a->s;
    uint8_t meaning;

    if (p == a->end) {
        return pause_in(a, IN_ESCAPE);
    }
    if (*p == 'u') {
        s->hex = 0;
        s->hex_left = 4;
        return take_hex(a, p + 1);
    }
    meaning = escape_meaning(*p);
    if (meaning == 0) {
        return malformed(a, p);
    }
    if (is_kept(s) && (!keep_lone_surrogate(a) || !keep(a, &meaning, 1))) {
        return NULL;
    }
    return p + 1;
}

/* The rest of a string, after its quote or anywhere inside; p behind its end, or NULL where the bytes end. */
static const uint8_t *
take_string(pass *a, const uint8_t *p)
{
    for (;;) {
        const uint8_t *from = p;

        p = skip_plain(p, a->end);
        if (is_kept(a->s) && p > from && (!keep_lone_surrogate(a) || !keep(a, from, (size_t)(p - from)))) {
            return NULL;
        }
        if (p == a->end) {
            return pause_in(a, IN_STRING);
        }
        if (*p == '"') {
            return is_kept(a->s) && !keep_lone_surrogate(a) ? NULL : p + 1;
        }
        if (*p != '\\') {
            return malformed(a, p);
        }
        p = take_escape(a, p + 1);
        if (p == NULL) {
            return NULL;
        }
    }
}

static number
number_after(number n, uint8_t c)
{
    bool digit = c >= '0' && c <= '9', e = c == 'e' || c == 'E';

    switch (n) {
    case NUMBER_MINUS:
        return c == '0' ? NUMBER_ZERO : digit ? NUMBER_INT : NUMBER_END;
    case NUMBER_ZERO:
        return c == '.' ? NUMBER_DOT : e ? NUMBER_E : NUMBER_END;
    case NUMBER_INT:
        return digit ? NUMBER_INT : c == '.' ? NUMBER_DOT : e ? NUMBER_E : NUMBER_END;
    case NUMBER_DOT:
        return digit ? NUMBER_FRACTION : NUMBER_END;
    case NUMBER_FRACTION:
        return digit ? NUMBER_FRACTION : e ? NUMBER_E : NUMBER_END;
    case NUMBER_E:
        return digit ? NUMBER_EXPONENT : c == '+' || c == '-' ? NUMBER_SIGN : NUMBER_END;
    default:
        return digit ? NUMBER_EXPONENT : NUMBER_END;
    }
}

static bool
number_is_complete(number n)
{
    return n == NUMBER_ZERO || n == NUMBER_INT || n == NUMBER_FRACTION || n == NUMBER_EXPONENT;
}

/* The rest of a number after its first byte. */
static const uint8_t *
take_number(pass *a, const uint8_t *p)
{
    state *s = a->s;
    const uint8_t *from = p;
    number n = (number)s->number;

    while (p < a->end) {
        number next = number_after(n, *p);

        if (next == NUMBER_END) {
            break;
        }
        n = next;
        p++;
    }
    if (s->token == ID && !keep(a, from, (size_t)(p - from))) {
        return NULL;
    }
    if (p == a->end) {
        s->number = (uint8_t)n;
        return pause_in(a, IN_NUMBER);
    }
    if (!number_is_complete(n)) {
        return malformed(a, p);
    }
    if (s->token == ID) {
        tell_id(a, s->kept, s->kept_len);
    }
    return p;
}

static const char *const literals[] = {"true", "false", "null"};

/* The rest of a literal. */
static const uint8_t *
take_literal(pass *a, const uint8_t *p)
{
    state *s = a->s;
    const char *text = literals[s->literal];

    for (; text[s->literal_at] != '\0'; s->literal_at++, p++) {
        if (p == a->end) {
            return pause_in(a, IN_LITERAL);
        }
        if (*p != (uint8_t)text[s->literal_at]) {
            return malformed(a, p);
        }
    }
    return p;
}

/* ---- the machine ------------------------------------------------------------------ */

/* A key begins at p, on its quote. Most are whole in these bytes and without escapes: those are never copied. */
static const uint8_t *
begin_key(pass *a, const uint8_t *p)
{
    state *s = a->s;
    const uint8_t *end;

    if (s->depth > s->active) {
        s->token = OTHER_KEY;
        return take_string(a, p + 1);
    }
    end = skip_plain(p + 1, a->end);
    if (end < a->end && *end == '"') {
        s->token = OTHER_KEY; /* done with */
        return take_key(a, p + 1, (size_t)(end - p - 1), offset_of(a, p)) ? end + 1 : NULL;
    }
    begin_kept(a, PATH_KEY, p);
    return take_string(a, p + 1);
}

/* A string value begins at p, on its quote. */
static const uint8_t *
begin_string(pass *a, const uint8_t *p)
{
    const uint8_t *end;

    if (begin_scalar(a) != ID) {
        a->s->token = OTHER_VALUE;
        return take_string(a, p + 1);
    }
    end = skip_plain(p + 1, a->end);
    if (end < a->end && *end == '"' && end - p - 1 <= LICET_SCAN_ID_MAX) {
        a->s->token = OTHER_VALUE; /* done with */
        tell_id(a, p + 1, (size_t)(end - p - 1));
        return end + 1;
    }
    begin_kept(a, ID, p);
    return take_string(a, p + 1);
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
        keep(a, p, 1);
    }
    a->s->number = *p == '-' ? NUMBER_MINUS : *p == '0' ? NUMBER_ZERO : NUMBER_INT;
    return take_number(a, p + 1);
}

static const uint8_t *
begin_literal(pass *a, const uint8_t *p)
{
    begin_scalar(a);
    a->s->literal = *p == 't' ? 0 : *p == 'f' ? 1 : 2;
    a->s->literal_at = 1;
    return take_literal(a, p + 1);
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
        p = take_string(a, p);
        goto after_cut_string;
    case IN_ESCAPE:
        p = take_escape(a, p);
        p = p == NULL ? NULL : take_string(a, p);
        goto after_cut_string;
    case IN_HEX:
        p = take_hex(a, p);
        p = p == NULL ? NULL : take_string(a, p);
        goto after_cut_string;
    case IN_NUMBER:
        p = take_number(a, p);
        goto after_scalar;
    case IN_LITERAL:
        p = take_literal(a, p);
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
