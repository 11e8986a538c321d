/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML: libyaml's events become a tree; see yaml.h.
 *
 * One stack of open containers stands in for recursion. What the subset refuses becomes a mistake and a BAD node, and
 * reading goes on, so that one run names them all; only what libyaml itself cannot read ends the file.
 */
#include "yaml_read.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct builder {
    licet_reader *reader;
    licet_arena *tree;
    licet_yaml_node *open[LICET_YAML_DEPTH_MAX];
    licet_scalar key[LICET_YAML_DEPTH_MAX]; /* of the member whose value comes next */
    bool has_key[LICET_YAML_DEPTH_MAX];
    unsigned depth;
    unsigned nodes;
    unsigned documents;
    licet_yaml_node *root;
    bool stop;
} builder;

void
licet_reader_say(licet_reader *reader, const licet_scalar *at, const char *context, const char *format, ...)
{
    const licet_scalar none = {0};
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof(text) / 2, "%s", context);
    va_list list;

    len = len >= sizeof(text) / 2 ? sizeof(text) / 2 - 1 : len;
    va_start(list, format);
    vsnprintf(text + len, sizeof(text) - len, format, list);
    va_end(list);
    at = at == NULL ? &none : at;
    if (!licet_mistakes_add(reader->mistakes, reader->file, at->line, at->column, text)) {
        reader->failed = true;
    }
}

void
licet_context_of(char out[LICET_CONTEXT_MAX], const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(out, LICET_CONTEXT_MAX, format, list);
    va_end(list);
}

licet_quote
licet_quote_of(licet_bytes text)
{
    licet_quote quote;
    size_t n = 0, most = sizeof(quote.text) - 4;

    for (size_t i = 0; i < text.len && n < most; i++) {
        uint8_t c = text.data[i];
        quote.text[n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    if (n < text.len) {
        while (n > 0 && ((uint8_t)quote.text[n - 1] & 0xc0) == 0x80) { /* do not end inside a character */
            n--;
        }
        if (n > 0 && ((uint8_t)quote.text[n - 1] & 0x80) != 0) {
            n--;
        }
        memcpy(quote.text + n, "...", 3);
        n += 3;
    }
    quote.text[n] = '\0';
    return quote;
}

static licet_scalar
place_of(const yaml_mark_t *mark)
{
    licet_scalar place = {0};

    place.line = (unsigned)mark->line + 1;
    place.column = (unsigned)mark->column + 1;
    return place;
}

static size_t
characters(licet_bytes text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        n += (text.data[i] & 0xc0) != 0x80;
    }
    return n;
}

static licet_scalar
scalar_of(builder *b, const yaml_event_t *event)
{
    licet_scalar scalar = place_of(&event->start_mark);
    unsigned lead = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 1;

    scalar.text = licet_arena_copy(b->tree, licet_bytes_of(event->data.scalar.value, event->data.scalar.length));
    if (event->start_mark.line == event->end_mark.line &&
        event->end_mark.column - event->start_mark.column == characters(scalar.text) + 2 * (size_t)lead) {
        scalar.text_column = scalar.column + lead;
    }
    return scalar;
}

static void
refuse(builder *b, const licet_scalar *at, const char *format, const char *value)
{
    char text[256];

    snprintf(text, sizeof(text), format, licet_quote_of(licet_bytes_of_text(value)).text);
    licet_reader_say(b->reader, at, "", "%s", text);
}

/* Puts a node where the open container wants its next value. */
static licet_yaml_node *
add_node(builder *b, licet_yaml_kind kind, licet_scalar scalar)
{
    licet_yaml_node *node, *parent = b->depth > 0 ? b->open[b->depth - 1] : NULL;

    if (++b->nodes > LICET_YAML_NODES_MAX) {
        licet_reader_say(b->reader, &scalar, "", "more than %u values in one file", LICET_YAML_NODES_MAX);
        b->stop = true;
        return NULL;
    }
    node = licet_arena_alloc(b->tree, sizeof(*node));
    if (node == NULL) {
        b->stop = true;
        return NULL;
    }
    node->kind = kind;
    node->scalar = scalar;
    if (parent == NULL) {
        b->root = node;
        return node;
    }
    if (parent->kind == LICET_YAML_MAP) {
        node->key = b->key[b->depth - 1];
        b->has_key[b->depth - 1] = false;
    }
    if (parent->last == NULL) {
        parent->first = node;
    } else {
        parent->last->next = node;
    }
    parent->last = node;
    parent->len++;
    return node;
}

static bool
wants_key(const builder *b)
{
    return b->depth > 0 && b->open[b->depth - 1]->kind == LICET_YAML_MAP && !b->has_key[b->depth - 1];
}

static void
take_key(builder *b, licet_scalar key)
{
    b->key[b->depth - 1] = key;
    b->has_key[b->depth - 1] = true;
}

/* Anchors and tags, which any node may carry. True when the node is still readable. */
static bool
check_decoration(builder *b, const licet_scalar *at, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        refuse(b, at, "anchor \"&%s\" is not part of licet's YAML: write each value where it is meant",
               (const char *)anchor);
    }
    if (tag != NULL) {
        refuse(b, at, "tag \"%s\" is not part of licet's YAML: the schema says which type a value has",
               (const char *)tag);
    }
    return anchor == NULL && tag == NULL;
}

static void
on_scalar(builder *b, const yaml_event_t *event)
{
    licet_scalar scalar = scalar_of(b, event);
    bool fine = check_decoration(b, &scalar, event->data.scalar.anchor, event->data.scalar.tag);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    licet_yaml_node *node;

    if (wants_key(b)) {
        if (licet_bytes_equal_text(scalar.text, "<<")) {
            licet_reader_say(b->reader, &scalar, "",
                             "merge key \"<<\" is not part of licet's YAML: write the fields out");
        }
        take_key(b, scalar);
        return;
    }
    node = add_node(b, fine ? LICET_YAML_SCALAR : LICET_YAML_BAD, scalar);
    if (node != NULL) {
        node->quoted = !plain;
    }
}

static void
on_alias(builder *b, const yaml_event_t *event)
{
    licet_scalar at = place_of(&event->start_mark);

    refuse(b, &at, "alias \"*%s\" is not part of licet's YAML: write each value where it is meant",
           (const char *)event->data.alias.anchor);
    if (wants_key(b)) {
        take_key(b, at);
    } else {
        add_node(b, LICET_YAML_BAD, at);
    }
}

static void
on_open(builder *b, licet_yaml_kind kind, const licet_scalar *at, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    licet_yaml_node *node;

    (void)check_decoration(b, at, anchor, tag); /* what hangs below is read all the same: its mistakes are wanted too */
    if (wants_key(b)) {
        licet_reader_say(b->reader, at, "", "a key must be plain text, not a list or a mapping");
        b->stop = true;
        return;
    }
    if (b->depth == LICET_YAML_DEPTH_MAX) {
        licet_reader_say(b->reader, at, "", "more than %u levels of lists and mappings", LICET_YAML_DEPTH_MAX);
        b->stop = true;
        return;
    }
    node = add_node(b, kind, *at);
    if (node == NULL) {
        return;
    }
    b->has_key[b->depth] = false;
    b->open[b->depth++] = node;
}

static int
compare_keys(const void *left, const void *right)
{
    const licet_yaml_node *a = *(const licet_yaml_node *const *)left, *b = *(const licet_yaml_node *const *)right;
    size_t len = a->key.text.len < b->key.text.len ? a->key.text.len : b->key.text.len;
    int order = len == 0 ? 0 : memcmp(a->key.text.data, b->key.text.data, len);

    if (order == 0) {
        order = (a->key.text.len > b->key.text.len) - (a->key.text.len < b->key.text.len);
    }
    if (order == 0) {
        order = (a->key.line > b->key.line) - (a->key.line < b->key.line);
    }
    return order != 0 ? order : (a->key.column > b->key.column) - (a->key.column < b->key.column);
}

/* Reports members of a map that was just closed whose key stood there before, and takes them out. Sorting keeps a map
 * of many members from costing their square. */
static void
check_duplicates(builder *b, licet_yaml_node *map)
{
    const licet_yaml_node **sorted = calloc(map->len, sizeof(*sorted));
    const licet_yaml_node *stands = NULL;
    size_t n = 0;
    bool any = false;

    if (sorted == NULL) {
        b->reader->failed = b->stop = true;
        return;
    }
    for (licet_yaml_node *node = map->first; node != NULL; node = node->next) {
        sorted[n++] = node;
    }
    qsort(sorted, n, sizeof(*sorted), compare_keys);
    for (size_t i = 0; i < n; i++) {
        if (stands == NULL || !licet_bytes_equal(stands->key.text, sorted[i]->key.text)) {
            stands = sorted[i];
            continue;
        }
        licet_reader_say(b->reader, &sorted[i]->key, "", "\"%s\" is given twice: it stands already in line %u",
                         licet_quote_of(sorted[i]->key.text).text, stands->key.line);
        ((licet_yaml_node *)sorted[i])->key.line = 0; /* marked: taken out below */
        any = true;
    }
    free(sorted);
    if (any) {
        licet_yaml_node **at = &map->first;
        map->last = NULL;
        while (*at != NULL) {
            if ((*at)->key.line == 0) {
                *at = (*at)->next;
                map->len--;
            } else {
                map->last = *at;
                at = &(*at)->next;
            }
        }
    }
}

static void
on_close(builder *b)
{
    licet_yaml_node *node;

    assert(b->depth > 0); /* libyaml closes only what it opened, and what on_open refused ends the reading */
    node = b->open[--b->depth];

    if (node->kind == LICET_YAML_MAP && node->len > 1) {
        check_duplicates(b, node);
    }
}

static void
on_event(builder *b, const yaml_event_t *event)
{
    licet_scalar at = place_of(&event->start_mark);

    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++b->documents > 1) {
            licet_reader_say(b->reader, &at, "", "a second document: expected one document in a file");
            b->stop = true;
        }
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(b, event);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(b, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_open(b, LICET_YAML_LIST, &at, event->data.sequence_start.anchor, event->data.sequence_start.tag);
        break;
    case YAML_MAPPING_START_EVENT:
        on_open(b, LICET_YAML_MAP, &at, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_close(b);
        break;
    case YAML_STREAM_END_EVENT:
        b->stop = true;
        break;
    default:
        break;
    }
}

/* libyaml tells bytes it cannot decode by their offset alone. */
static licet_scalar
place_of_offset(licet_bytes text, size_t offset)
{
    licet_scalar place = {.line = 1, .column = 1};

    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.data[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if ((text.data[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static void
say_broken(builder *b, const yaml_parser_t *parser, licet_bytes text)
{
    const char *problem = parser->problem == NULL ? "cannot be read" : parser->problem;
    licet_scalar at = parser->error == YAML_READER_ERROR ? place_of_offset(text, parser->problem_offset)
                                                         : place_of(&parser->problem_mark);

    if (parser->error == YAML_MEMORY_ERROR) {
        b->reader->failed = true;
        return;
    }
    if (parser->context != NULL) {
        licet_reader_say(b->reader, &at, "", "not YAML: %s (%s)", problem, parser->context);
    } else {
        licet_reader_say(b->reader, &at, "", "not YAML: %s", problem);
    }
}

const licet_yaml_node *
licet_yaml_read(licet_reader *reader, licet_arena *tree, licet_bytes text)
{
    builder b = {.reader = reader, .tree = tree};
    size_t before = reader->mistakes->len;
    yaml_parser_t parser;
    yaml_event_t event;
    bool broken = false;

    if (text.len > LICET_YAML_SIZE_MAX) {
        licet_reader_say(reader, NULL, "", "%zu bytes: expected at most %zu", text.len, LICET_YAML_SIZE_MAX);
        return NULL;
    }
    if (!yaml_parser_initialize(&parser)) {
        reader->failed = true;
        return NULL;
    }
    yaml_parser_set_input_string(&parser, text.data, text.len);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    while (!b.stop && !tree->failed) {
        if (!yaml_parser_parse(&parser, &event)) {
            say_broken(&b, &parser, text);
            broken = true;
            break;
        }
        on_event(&b, &event);
        broken = broken || (b.stop && event.type != YAML_STREAM_END_EVENT);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (broken || tree->failed || reader->failed) {
        return NULL;
    }
    if (b.root == NULL && reader->mistakes->len == before) {
        licet_reader_say(reader, NULL, "", "the file is empty");
    }
    return b.root;
}
