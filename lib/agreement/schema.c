/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema: the reader of tables; see schema.h.
 */
#include "schema.h"

#include "licet/image.h"

#include <stdio.h>
#include <string.h>

#define LIST_TEXT_MAX 600

/* ---- what scalars may be -------------------------------------------------- */

static bool
printable(licet_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return false;
        }
        if (text.data[i] == 0xc2 && i + 1 < text.len && text.data[i + 1] < 0xa0) { /* C1 controls */
            return false;
        }
    }
    return true;
}

bool
licet_fits_text(licet_bytes text)
{
    return text.len >= 1 && text.len <= LICET_TEXT_MAX && printable(text);
}

bool
licet_fits_name(licet_bytes text)
{
    return text.len >= 1 && text.len <= LICET_NAME_MAX && printable(text) && text.data[0] != ' ' &&
           text.data[text.len - 1] != ' ';
}

static bool
alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
licet_fits_id(licet_bytes text)
{
    if (text.len < 1 || text.len > LICET_NAME_MAX || !alphanumeric(text.data[0])) {
        return false;
    }
    for (size_t i = 1; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (!alphanumeric(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

bool
licet_schema_digits(licet_bytes text, uint64_t *out_value)
{
    uint64_t value = 0;

    if (text.len == 0 || (text.len > 1 && text.data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '_' && i > 0 && i + 1 < text.len && text.data[i - 1] != '_') {
            continue;
        }
        if (c < '0' || c > '9' || value > (UINT64_MAX - (uint64_t)(c - '0')) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(c - '0');
    }
    *out_value = value;
    return true;
}

/* ---- saying what is wrong ------------------------------------------------- */

void
licet_schema_later(licet_reader *reader, const licet_scalar *at, const char *context, const char *what,
                   licet_bytes value)
{
    licet_reader_say(reader, at, context, "%s \"%s\" comes with a later version of licet; this one cannot enforce it",
                     what, licet_quote_of(value).text);
}

static void
say_unfit(licet_reader *reader, const char *context, const char *name, const licet_scalar *at, const char *expected)
{
    licet_reader_say(reader, at, context, "%s \"%s\": expected %s", name, licet_quote_of(at->text).text, expected);
}

/* Levenshtein's distance, or more than most; both texts are short. */
static unsigned
distance(licet_bytes a, const char *b, unsigned most)
{
    unsigned row[LICET_NAME_MAX + 1];
    size_t len = strlen(b);

    if (a.len > LICET_NAME_MAX || len > LICET_NAME_MAX) {
        return most + 1;
    }
    for (size_t j = 0; j <= len; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= len; j++) {
            unsigned change = corner + (a.data[i - 1] != (uint8_t)b[j - 1]);
            unsigned drop = row[j] + 1, put = row[j - 1] + 1;
            corner = row[j];
            row[j] = change < drop ? change : drop;
            row[j] = put < row[j] ? put : row[j];
        }
    }
    return row[len];
}

static void
say_unknown(licet_reader *reader, const char *context, const licet_schema *schema, const licet_scalar *key)
{
    char list[LIST_TEXT_MAX];
    const char *near = NULL;
    unsigned least = key->text.len <= 4 ? 2 : 3; /* a name further off than this is another name */
    size_t len = 0;

    list[0] = '\0';
    for (const licet_field *field = schema->fields; field->name != NULL; field++) {
        unsigned away = distance(key->text, field->name, least);
        if (away < least) {
            least = away;
            near = field->name;
        }
        if (field->type != LICET_FIELD_LATER && len < sizeof(list)) {
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len == 0 ? "" : ", ", field->name);
        }
    }
    licet_reader_say(reader, key, context, "field \"%s\" is not known here: expected one of %s%s%s%s",
                     licet_quote_of(key->text).text, list, near == NULL ? "" : "; did you mean \"",
                     near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

bool
licet_schema_scalar(licet_reader *reader, const char *context, const char *name, const licet_yaml_node *node,
                    const char *expected)
{
    if (node->kind == LICET_YAML_BAD) {
        return false;
    }
    if (node->kind != LICET_YAML_SCALAR) {
        licet_reader_say(reader, &node->scalar, context, "%s is a %s: expected %s", name,
                         node->kind == LICET_YAML_LIST ? "list" : "mapping", expected);
        return false;
    }
    if (node->scalar.text.len == 0 && !node->quoted) {
        licet_reader_say(reader, &node->scalar, context, "%s has no value: expected %s", name, expected);
        return false;
    }
    return true;
}

static bool
is_container(licet_reader *reader, const char *context, const char *name, const licet_yaml_node *node,
             licet_yaml_kind kind)
{
    const char *expected = kind == LICET_YAML_LIST ? "a list" : "a mapping";

    if (node->kind == kind) {
        return true;
    }
    if (node->kind == LICET_YAML_SCALAR) {
        if (node->scalar.text.len == 0 && !node->quoted) {
            licet_reader_say(reader, &node->scalar, context, "%s has no value: expected %s", name, expected);
        } else {
            say_unfit(reader, context, name, &node->scalar, expected);
        }
    } else if (node->kind != LICET_YAML_BAD) {
        licet_reader_say(reader, &node->scalar, context, "%s is a %s: expected %s", name,
                         node->kind == LICET_YAML_LIST ? "list" : "mapping", expected);
    }
    return false;
}

bool
licet_schema_list(licet_reader *reader, const char *context, const char *name, const licet_yaml_node *node)
{
    return is_container(reader, context, name, node, LICET_YAML_LIST);
}

/* ---- fields ----------------------------------------------------------------- */

licet_scalar
licet_schema_keep(licet_reader *reader, const licet_scalar *scalar)
{
    licet_scalar kept = *scalar;

    kept.text = licet_arena_copy(reader->arena, scalar->text);
    return kept;
}

static bool
read_fitting(licet_reader *reader, const char *context, const char *name, const licet_yaml_node *node,
             bool (*fits)(licet_bytes text), const char *expected, licet_scalar *out)
{
    if (!licet_schema_scalar(reader, context, name, node, expected)) {
        return false;
    }
    if (!fits(node->scalar.text)) {
        say_unfit(reader, context, name, &node->scalar, expected);
        return false;
    }
    *out = licet_schema_keep(reader, &node->scalar);
    return true;
}

static void
read_text(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    bool (*fits)(licet_bytes) = licet_fits_text;
    const char *expected = LICET_EXPECTED_TEXT;

    if (field->fits != NULL) {
        fits = field->fits;
        expected = field->expected;
    } else if (field->type == LICET_FIELD_NAME) {
        fits = licet_fits_name;
        expected = LICET_EXPECTED_NAME;
    } else if (field->type == LICET_FIELD_ID) {
        fits = licet_fits_id;
        expected = LICET_EXPECTED_ID;
    }
    read_fitting(reader, context, field->name, node, fits, expected, out);
}

/* "refuse or continue"; "second, minute or hour". */
static void
list_words(const licet_word *words, char *out, size_t room)
{
    size_t n = 0, total = 0, len = 0;

    for (const licet_word *word = words; word->word != NULL; word++) {
        total += word->value != LICET_WORD_LATER;
    }
    out[0] = '\0';
    for (const licet_word *word = words; word->word != NULL; word++) {
        if (word->value == LICET_WORD_LATER || len >= room) {
            continue;
        }
        n++;
        len += (size_t)snprintf(out + len, room - len, "%s%s", n == 1 ? "" : n == total ? " or " : ", ", word->word);
    }
}

static void
read_word(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    licet_number *number = out;
    char expected[LIST_TEXT_MAX];

    list_words(field->words, expected, sizeof(expected));
    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    for (const licet_word *word = field->words; word->word != NULL; word++) {
        size_t len = strlen(word->word);
        licet_bytes text = node->scalar.text;
        if (word->value == LICET_WORD_LATER && text.len >= len && memcmp(text.data, word->word, len) == 0) {
            licet_schema_later(reader, &node->scalar, context, field->name, text);
            return;
        }
        if (licet_bytes_equal_text(text, word->word)) {
            number->value = word->value;
            number->said = licet_schema_keep(reader, &node->scalar);
            return;
        }
    }
    say_unfit(reader, context, field->name, &node->scalar, expected);
}

bool
licet_schema_number(licet_reader *reader, const char *context, const char *name, const licet_yaml_node *node,
                    uint64_t least, uint64_t most, uint64_t *out_value)
{
    uint64_t value;
    char expected[80];

    snprintf(expected, sizeof(expected), "a whole number from %llu to %llu", (unsigned long long)least,
             (unsigned long long)most);
    if (!licet_schema_scalar(reader, context, name, node, expected)) {
        return false;
    }
    if (!licet_schema_digits(node->scalar.text, &value) || value < least || value > most) {
        say_unfit(reader, context, name, &node->scalar, expected);
        return false;
    }
    *out_value = value;
    return true;
}

static void
read_number(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    licet_number *number = out;

    if (licet_schema_number(reader, context, field->name, node, field->least, field->most, &number->value)) {
        number->said = licet_schema_keep(reader, &node->scalar);
    }
}

static void
read_time(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static const char expected[] = "a date such as 2022-10-10 or a time such as 2022-10-10T12:00:00Z";
    licet_number *number = out;
    uint64_t ms;

    if (!licet_schema_scalar(reader, context, field->name, node, expected)) {
        return;
    }
    if (!licet_time_parse(node->scalar.text, &ms)) {
        say_unfit(reader, context, field->name, &node->scalar, expected);
        return;
    }
    number->value = ms;
    number->said = licet_schema_keep(reader, &node->scalar);
}

static void *
make_rows(licet_reader *reader, licet_rows *rows, const licet_yaml_node *node, size_t size)
{
    rows->rows = node->len == 0 ? NULL : licet_arena_rows(reader->arena, node->len, size);
    rows->len = rows->rows == NULL ? 0 : node->len;
    return rows->rows;
}

static void
read_names(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    licet_rows *rows = out;
    licet_scalar *names;
    uint32_t kept = 0;

    if (!is_container(reader, context, field->name, node, LICET_YAML_LIST)) {
        return;
    }
    if (node->len == 0 && field->least > 0) {
        licet_reader_say(reader, &node->scalar, context, "%s is empty: expected at least one", field->name);
    }
    names = make_rows(reader, rows, node, sizeof(*names));
    if (names == NULL) {
        return;
    }
    for (const licet_yaml_node *child = node->first; child != NULL; child = child->next) {
        bool good = read_fitting(reader, context, field->name, child, field->fits ? field->fits : licet_fits_name,
                                 field->fits ? field->expected : LICET_EXPECTED_NAME, &names[kept]);
        kept += good ? 1 : 0;
    }
    rows->len = kept;
}

static void
read_pairs(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    char inner[LICET_CONTEXT_MAX];
    licet_rows *rows = out;
    licet_pair *pairs;
    uint32_t kept = 0;

    if (!is_container(reader, context, field->name, node, LICET_YAML_MAP)) {
        return;
    }
    pairs = make_rows(reader, rows, node, sizeof(*pairs));
    if (pairs == NULL) {
        return;
    }
    licet_context_of(inner, "%s%s: ", context, field->name);
    for (const licet_yaml_node *child = node->first; child != NULL; child = child->next) {
        licet_quote name = licet_quote_of(child->key.text);
        if (!licet_fits_name(child->key.text)) {
            licet_reader_say(reader, &child->key, inner, "name \"%s\": expected " LICET_EXPECTED_NAME, name.text);
            continue;
        }
        if (read_fitting(reader, inner, name.text, child, field->fits ? field->fits : licet_fits_name,
                         field->fits ? field->expected : LICET_EXPECTED_NAME, &pairs[kept].value)) {
            pairs[kept++].key = licet_schema_keep(reader, &child->key);
        }
    }
    rows->len = kept;
}

static void
read_object(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    char inner[LICET_CONTEXT_MAX];

    if (is_container(reader, context, field->name, node, LICET_YAML_MAP)) {
        licet_context_of(inner, "%s%s: ", context, field->name);
        licet_schema_read(reader, inner, field->schema, node, out);
    }
}

/* "limit CAP-MONTH: ", from the field that names the row; "limit 3: " where it has none. */
static void
row_context(char out[LICET_CONTEXT_MAX], const char *context, const licet_schema *schema, const licet_yaml_node *row,
            unsigned number)
{
    for (const licet_yaml_node *member = row->first; member != NULL && row->kind == LICET_YAML_MAP;
         member = member->next) {
        if (schema->title != NULL && licet_bytes_equal_text(member->key.text, schema->title) &&
            member->kind == LICET_YAML_SCALAR && member->scalar.text.len > 0) {
            licet_context_of(out, "%s%s %s: ", context, schema->noun, licet_quote_of(member->scalar.text).text);
            return;
        }
    }
    licet_context_of(out, "%s%s %u: ", context, schema->noun, number);
}

static void
read_list(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    char inner[LICET_CONTEXT_MAX];
    uint8_t *row;
    unsigned number = 0;

    if (!is_container(reader, context, field->name, node, LICET_YAML_LIST)) {
        return;
    }
    row = make_rows(reader, out, node, field->schema->size);
    if (row == NULL) {
        return;
    }
    for (const licet_yaml_node *child = node->first; child != NULL; child = child->next) {
        licet_scalar *place = (licet_scalar *)(void *)row;
        row_context(inner, context, field->schema, child, ++number);
        place->line = child->scalar.line;
        place->column = child->scalar.column;
        if (child->kind == LICET_YAML_MAP) {
            licet_schema_read(reader, inner, field->schema, child, row);
        } else {
            is_container(reader, context, field->schema->noun, child, LICET_YAML_MAP);
        }
        row += field->schema->size;
    }
}

static void
read_map(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    const licet_schema *schema = field->schema;
    char inner[LICET_CONTEXT_MAX];
    uint8_t *row;

    if (!is_container(reader, context, field->name, node, LICET_YAML_MAP)) {
        return;
    }
    row = make_rows(reader, out, node, schema->size);
    if (row == NULL) {
        return;
    }
    for (const licet_yaml_node *child = node->first; child != NULL; child = child->next) {
        licet_quote name = licet_quote_of(child->key.text);
        licet_context_of(inner, "%s%s %s: ", context, schema->noun, name.text);
        if (!schema->key_fits(child->key.text)) {
            licet_reader_say(reader, &child->key, context, "%s \"%s\": expected %s", schema->noun, name.text,
                             schema->key_expected);
        }
        *(licet_scalar *)(void *)row = licet_schema_keep(reader, &child->key);
        if (child->kind == LICET_YAML_MAP) {
            licet_schema_read(reader, inner, schema, child, row);
        } else {
            char what[LICET_NAME_MAX * 3];
            snprintf(what, sizeof(what), "%s %s", schema->noun, name.text);
            is_container(reader, context, what, child, LICET_YAML_MAP);
        }
        row += schema->size;
    }
}

static void
read_field(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    static void (*const readers[])(licet_reader *, const char *, const licet_field *, const licet_yaml_node *,
                                   void *) = {
        [LICET_FIELD_TEXT] = read_text,   [LICET_FIELD_NAME] = read_text,     [LICET_FIELD_ID] = read_text,
        [LICET_FIELD_WORD] = read_word,   [LICET_FIELD_NUMBER] = read_number, [LICET_FIELD_TIME] = read_time,
        [LICET_FIELD_NAMES] = read_names, [LICET_FIELD_PAIRS] = read_pairs,   [LICET_FIELD_OBJECT] = read_object,
        [LICET_FIELD_LIST] = read_list,   [LICET_FIELD_MAP] = read_map,
    };

    size_t mistakes = reader->mistakes->len;

    if (field->type == LICET_FIELD_LATER) {
        licet_schema_later(reader, &node->key, context, "field", node->key.text);
    } else if (field->type == LICET_FIELD_OWN) {
        field->read(reader, context, field, node, out);
    } else {
        readers[field->type](reader, context, field, node, out);
    }
    if ((field->type == LICET_FIELD_NAMES || field->type == LICET_FIELD_PAIRS) && reader->mistakes->len > mistakes) {
        ((licet_rows *)out)->flawed = true;
    }
}

static void
set_fallback(const licet_field *field, uint8_t *out)
{
    if (field->type == LICET_FIELD_WORD || field->type == LICET_FIELD_NUMBER || field->type == LICET_FIELD_TIME) {
        ((licet_number *)(void *)(out + field->at))->value = field->fallback;
    } else if (field->type == LICET_FIELD_OBJECT && field->schema != NULL) {
        for (const licet_field *inner = field->schema->fields; inner->name != NULL; inner++) {
            if (inner->type != LICET_FIELD_OBJECT) {
                set_fallback(inner, out + field->at);
            }
        }
    }
}

void
licet_schema_read(licet_reader *reader, const char *context, const licet_schema *schema, const licet_yaml_node *node,
                  void *out)
{
    uint64_t seen = 0;

    for (const licet_field *field = schema->fields; field->name != NULL; field++) {
        set_fallback(field, out);
    }
    for (const licet_yaml_node *child = node->first; child != NULL; child = child->next) {
        const licet_field *field = schema->fields;
        while (field->name != NULL && !licet_bytes_equal_text(child->key.text, field->name)) {
            field++;
        }
        if (field->name == NULL) {
            bool merge = licet_bytes_equal_text(child->key.text, "<<") || child->key.text.data == NULL;
            if (!merge) { /* those were reported where they stand */
                say_unknown(reader, context, schema, &child->key);
            }
            continue;
        }
        seen |= UINT64_C(1) << (field - schema->fields);
        read_field(reader, context, field, child, (uint8_t *)out + field->at);
    }
    for (const licet_field *field = schema->fields; field->name != NULL; field++) {
        if (field->required && !(seen >> (field - schema->fields) & 1)) {
            licet_reader_say(reader, &node->scalar, context, "field \"%s\" is missing", field->name);
        }
    }
}
