/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Context: the dictionaries of a ledger. What repeats in receipts (who, what
 * for, under which terms) gets a number the first time it is met, by a record
 * in the same ledger ahead of the receipt.
 *
 *  (1) Numbers are dense from 1 in the order of their records; they are learned again from the ledger at every start.
 *  (2) One tuple has one number.
 *  (3) Purpose and recipient come from strangers' headers: beyond RECORDER_CONTEXTS_MAX contexts a new one is recorded
 *      with both as TOO_MANY, so that a caller cannot grow the dictionary without end.
 *      A worker that makes up rows, which are as many as the images allow, ends at one context that says nothing else.
 *      Unit kinds are named by the site's files alone; the last number stands for all that find none of their own.
 *  (4) Table places depend on a random seed: nobody outside can make two tuples meet on purpose.
 */
#include "rooms.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_FIRST 256
#define TEXTS_MAX ((size_t)1 << 30)
#define HEAD_LEN 5          /* kind and number of a context record; the tuple is what follows */
#define CONTEXTS_SPARE 4096 /* rows that are still told apart when declared values are not any more */
#define TOO_MANY "(too many to tell apart)"

bool
recorder_names_init(recorder_names *names, licet_error *err)
{
    memset(names, 0, sizeof(*names));
    licet_buffer_init(&names->texts, TEXTS_MAX);
    names->table = calloc(TABLE_FIRST, sizeof(*names->table));
    if (names->table == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a dictionary");
    }
    names->table_len = TABLE_FIRST;
    return licet_random(names->seed, sizeof(names->seed), err);
}

void
recorder_names_done(recorder_names *names)
{
    for (unsigned i = 0; i < names->units_len; i++) {
        free(names->units[i]);
    }
    free(names->units);
    free(names->rows);
    free(names->table);
    free(names->at);
    licet_buffer_done(&names->texts);
    memset(names, 0, sizeof(*names));
}

static uint64_t
hash_of(const recorder_names *names, licet_bytes tuple)
{
    licet_bytes pieces[2] = {{names->seed, sizeof(names->seed)}, tuple};
    licet_hash hash = licet_sha256(pieces, 2);
    uint64_t value;

    memcpy(&value, hash.bytes, sizeof(value));
    return value;
}

/* The place of a tuple: taken by it, or free. */
static recorder_name *
place_of(const recorder_names *names, uint64_t hash, licet_bytes tuple)
{
    size_t i = hash & (names->table_len - 1);

    for (;;) {
        recorder_name *n = &names->table[i];

        if (n->number == 0 ||
            (n->hash == hash && n->len == tuple.len && memcmp(names->texts.data + n->at, tuple.data, n->len) == 0)) {
            return n;
        }
        i = (i + 1) & (names->table_len - 1);
    }
}

static bool
table_grow(recorder_names *names, licet_error *err)
{
    recorder_name *old = names->table;
    size_t old_len = names->table_len;

    if ((size_t)names->contexts * 2 < old_len) {
        return true;
    }
    names->table = calloc(old_len * 2, sizeof(*old));
    if (names->table == NULL) {
        names->table = old;
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a dictionary of %zu contexts", old_len);
    }
    names->table_len = old_len * 2;
    for (size_t i = 0; i < old_len; i++) {
        size_t at = old[i].hash & (names->table_len - 1);

        if (old[i].number == 0) {
            continue;
        }
        while (names->table[at].number != 0) {
            at = (at + 1) & (names->table_len - 1);
        }
        names->table[at] = old[i];
    }
    free(old);
    return true;
}

static bool
at_grow(recorder_names *names, licet_error *err)
{
    uint32_t capacity = names->at_capacity == 0 ? 64 : 2 * names->at_capacity;
    uint32_t *grown;

    if (names->contexts < names->at_capacity) {
        return true;
    }
    grown = realloc(names->at, capacity * sizeof(*grown));
    if (grown == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u contexts", capacity);
    }
    names->at = grown;
    names->at_capacity = capacity;
    return true;
}

/* Keeps a tuple under the next number. */
static bool
keep(recorder_names *names, uint64_t hash, licet_bytes tuple, licet_error *err)
{
    recorder_name *place;
    size_t at = names->texts.len;

    if (!table_grow(names, err) || !at_grow(names, err)) {
        return false;
    }
    if (!licet_put_bytes(&names->texts, tuple)) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "the dictionary of a ledger has grown beyond %zu bytes", TEXTS_MAX);
    }
    names->at[names->contexts] = (uint32_t)at; /* TEXTS_MAX fits */
    place = place_of(names, hash, tuple);
    *place = (recorder_name){hash, at, tuple.len, ++names->contexts};
    return true;
}

bool
recorder_names_learn_context(recorder_names *names, licet_bytes entry, uint32_t *out_number, licet_error *err)
{
    licet_context context;
    licet_bytes tuple;

    if (!licet_context_decode(entry, out_number, &context, err)) {
        return false;
    }
    if (*out_number != names->contexts + 1) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "context %u follows context %u", *out_number, names->contexts);
    }
    tuple = licet_bytes_of(entry.data + HEAD_LEN, entry.len - HEAD_LEN);
    return keep(names, hash_of(names, tuple), tuple, err);
}

bool
recorder_names_context(const recorder_names *names, uint32_t number, licet_context *out_context)
{
    licet_cursor c = {licet_buffer_view(&names->texts), 0};

    if (number == 0 || number > names->contexts) {
        return false;
    }
    c.pos = names->at[number - 1];
#define TAKE_FIELD(name)                                                                                               \
    if (!licet_take_text(&c, &out_context->name)) {                                                                    \
        return false;                                                                                                  \
    }
    LICET_CONTEXT_FIELDS(TAKE_FIELD)
#undef TAKE_FIELD
    return true;
}

/* ---- unit kinds ------------------------------------------------------------- */

static bool
unit_keep(recorder_names *names, licet_bytes name, licet_error *err)
{
    char **grown;
    char *copy;

    if (names->units_len >= UINT8_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "a ledger has %d unit kinds, the most there may be", UINT8_MAX);
    }
    grown = realloc(names->units, (names->units_len + 1) * sizeof(*grown));
    if (grown == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a unit kind");
    }
    names->units = grown;
    copy = strndup((const char *)name.data, name.len);
    if (copy == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a unit kind");
    }
    names->units[names->units_len++] = copy;
    return true;
}

bool
recorder_names_learn_unit(recorder_names *names, licet_bytes entry, licet_error *err)
{
    licet_bytes name;
    uint8_t number;

    if (!licet_unit_decode(entry, &number, &name, err)) {
        return false;
    }
    if (number != names->units_len + 1) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "unit kind %u follows unit kind %u", number, names->units_len);
    }
    return unit_keep(names, name, err);
}

uint8_t
recorder_unit_known(const recorder_book *book, licet_bytes name)
{
    for (unsigned i = 0; i < book->names.units_len; i++) {
        if (licet_bytes_equal_text(name, book->names.units[i])) {
            return (uint8_t)(i + 1);
        }
    }
    return 0;
}

bool
recorder_unit(licet_recorder *r, recorder_book *book, licet_bytes name, uint8_t *out_number, licet_error *err)
{
    licet_buffer entry;
    uint8_t number = recorder_unit_known(book, name);
    bool ok;

    if (number == 0 && book->names.units_len >= UINT8_MAX - 1) {
        name = LICET_BYTES_LITERAL(TOO_MANY);
        number = recorder_unit_known(book, name);
    }
    if (number != 0) {
        *out_number = number;
        return true;
    }
    licet_buffer_init(&entry, 1024);
    ok = unit_keep(&book->names, name, err) && licet_unit_encode((uint8_t)book->names.units_len, name, &entry, err) &&
         recorder_stage_entry(r, book, licet_buffer_view(&entry), err);
    licet_buffer_done(&entry);
    *out_number = (uint8_t)book->names.units_len;
    return ok;
}

/* ---- contexts of responses ----------------------------------------------------- */

static licet_bytes
text(const licet_image *image, licet_text t)
{
    return licet_image_text(image, t);
}

/* The rows were checked against the image; LICET_NONE gives no text. */
static void
fill(const licet_image *image, const licet_wide *wide, licet_context *out)
{
    memset(out, 0, sizeof(*out));
    if (image == NULL) {
        return;
    }
    if (wide->app != LICET_NONE) {
        out->app = text(image, image->apps[wide->app].id);
    }
    if (wide->credential != LICET_NONE) {
        out->credential = text(image, image->credentials[wide->credential].id);
    }
    if (wide->use_case != LICET_NONE) {
        const licet_image_use_case *use_case = &image->use_cases[wide->use_case];

        out->use_case = text(image, use_case->id);
        out->product =
            use_case->product != LICET_NONE ? text(image, image->products[use_case->product]) : (licet_bytes){NULL, 0};
    }
    if (wide->endpoint != LICET_NONE) {
        out->endpoint = text(image, image->endpoints[wide->endpoint].id);
    }
    if (wide->version != LICET_NONE) {
        out->version = text(image, image->versions[wide->version].id);
        out->catalogue = text(image, image->versions[wide->version].catalogue);
    }
    if (wide->clause != LICET_NONE) {
        out->clause = text(image, image->clauses[wide->clause].key);
    }
    if (wide->registered != LICET_NONE) {
        out->country = text(image, image->recipients[wide->registered].country);
    }
    out->purpose = licet_bytes_of(wide->purpose, wide->purpose_len);
    out->recipient = licet_bytes_of(wide->recipient, wide->recipient_len);
}

/* Number of a context, by a new record if need be. */
static bool
intern(licet_recorder *r, recorder_book *book, licet_context *context, uint32_t *out_number, licet_error *err)
{
    recorder_names *names = &book->names;
    licet_bytes entry, tuple;
    recorder_name *place;
    uint64_t hash;

    for (int again = 0;; again++) {
        r->scratch.len = 0;
        if (!licet_context_encode(names->contexts + 1, context, &r->scratch, err)) {
            return false;
        }
        entry = licet_buffer_view(&r->scratch);
        tuple = licet_bytes_of(entry.data + HEAD_LEN, entry.len - HEAD_LEN);
        hash = hash_of(names, tuple);
        place = place_of(names, hash, tuple);
        if (place->number != 0) {
            *out_number = place->number;
            return true;
        }
        if (names->contexts < RECORDER_CONTEXTS_MAX ||
            (again == 1 && names->contexts < RECORDER_CONTEXTS_MAX + CONTEXTS_SPARE) || again == 2) {
            break;
        }
        if (again == 1) {
            memset(context, 0, sizeof(*context));
        }
        context->purpose = LICET_BYTES_LITERAL(TOO_MANY);
        context->recipient = LICET_BYTES_LITERAL(TOO_MANY);
    }
    *out_number = names->contexts + 1;
    return keep(names, hash, tuple, err) && recorder_stage_entry(r, book, entry, err);
}

static void
tuple_of(const licet_wide *wide, recorder_tuple *out)
{
    memset(out, 0, sizeof(*out));
    out->image = wide->image;
    out->version = wide->version;
    out->app = wide->app;
    out->credential = wide->credential;
    out->use_case = wide->use_case;
    out->endpoint = wide->endpoint;
    out->registered = wide->registered;
    out->clause = wide->clause;
    out->lens = (uint32_t)wide->purpose_len << 8 | wide->recipient_len;
    memcpy(out->purpose, wide->purpose, wide->purpose_len);
    memcpy(out->recipient, wide->recipient, wide->recipient_len);
}

/* FNV-1a over whole words: the cache forgets, it is never wrong. */
static size_t
cache_place(const recorder_tuple *tuple)
{
    const uint8_t *bytes = (const uint8_t *)tuple;
    uint64_t h = 0xcbf29ce484222325, word;

    for (size_t i = 0; i + sizeof(word) <= sizeof(*tuple); i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        h = (h ^ word) * 0x100000001b3;
        h ^= h >> 29;
    }
    return h % RECORDER_CACHE_LEN;
}

bool
recorder_context(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_wide *wide,
                 uint32_t *out_number, licet_error *err)
{
    recorder_cached *cached;
    licet_context context;
    recorder_tuple tuple;

    if (image == NULL) {
        fill(NULL, wide, &context);
        return intern(r, book, &context, out_number, err);
    }
    tuple_of(wide, &tuple);
    cached = &r->cache[cache_place(&tuple)];
    if (cached->context != 0 && cached->cell == book->cell && memcmp(&cached->tuple, &tuple, sizeof(tuple)) == 0) {
        *out_number = cached->context;
        return true;
    }
    fill(image, wide, &context);
    if (!intern(r, book, &context, out_number, err)) {
        return false;
    }
    cached->tuple = tuple;
    cached->cell = book->cell;
    cached->context = *out_number;
    return true;
}
