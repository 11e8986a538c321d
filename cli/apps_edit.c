/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a credential goes, by the shape the operator gave the file:
 *
 *   no credentials, app in lines       a line 'credentials:' and a line '- {…}' behind the app's last line
 *   no credentials, app in braces      ', credentials: [ {…} ]' behind its last value
 *   credentials: (nothing)             ' [ {…} ]' behind the colon
 *   credentials: []                    '{…}' behind the bracket, in a line of its own if the app is in lines
 *   credentials: [ {…} ]               ', {…}' behind the last; below it, as far to the right, if the app is in lines
 *   credentials in lines               a line '- {…}' behind the last, as far to the right
 *
 * libyaml tells places in characters; they are turned into bytes here.
 */
#include "apps_edit.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct licet_apps_file {
    licet_bytes text;
    yaml_document_t document;
    const yaml_node_t *apps;
};

typedef struct insertion {
    size_t at; /* byte of the text */
    licet_buffer text;
} insertion;

/* ---- the tree --------------------------------------------------------------- */

static const yaml_node_t *
node_of(const licet_apps_file *file, int index)
{
    const yaml_node_t *first = file->document.nodes.start; /* what yaml_document_get_node does, but for const */

    return index >= 1 && index <= file->document.nodes.top - first ? &first[index - 1] : NULL;
}

static bool
is_text(const yaml_node_t *node, const char *text)
{
    return node != NULL && node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(text) &&
           memcmp(node->data.scalar.value, text, node->data.scalar.length) == 0;
}

/* The value of a key, or NULL. */
static const yaml_node_t *
member(const licet_apps_file *file, const yaml_node_t *mapping, const char *key)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING_NODE) {
        return NULL;
    }
    for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top; p++) {
        if (is_text(node_of(file, p->key), key)) {
            return node_of(file, p->value);
        }
    }
    return NULL;
}

bool
licet_apps_open(licet_bytes text, licet_apps_file **out_file, licet_error *err)
{
    licet_apps_file *file = calloc(1, sizeof(*file));
    yaml_parser_t parser;
    bool ok;

    if (file == NULL || !yaml_parser_initialize(&parser)) {
        free(file);
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for apps.yaml");
    }
    yaml_parser_set_input_string(&parser, text.data, text.len);
    ok = yaml_parser_load(&parser, &file->document) != 0;
    if (!ok) {
        LICET_FAIL(err, LICET_E_INVALID, parser.problem_offset, "apps.yaml:%zu: %s", parser.problem_mark.line + 1,
                   parser.problem != NULL ? parser.problem : "no YAML");
    }
    yaml_parser_delete(&parser);
    if (!ok) {
        free(file);
        return false;
    }
    file->text = text;
    file->apps = member(file, yaml_document_get_root_node(&file->document), "apps");
    if (file->apps == NULL || file->apps->type != YAML_MAPPING_NODE) {
        licet_apps_close(file);
        return LICET_FAIL(err, LICET_E_INVALID, 0, "apps.yaml: expected a mapping with apps");
    }
    *out_file = file;
    return true;
}

void
licet_apps_close(licet_apps_file *file)
{
    if (file != NULL) {
        yaml_document_delete(&file->document);
        free(file);
    }
}

const char *
licet_apps_name(const licet_apps_file *file, size_t i)
{
    const yaml_node_pair_t *p = file->apps->data.mapping.pairs.start;
    const yaml_node_t *key;

    if (i >= (size_t)(file->apps->data.mapping.pairs.top - p)) {
        return NULL;
    }
    key = node_of(file, p[i].key);
    return key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
}

bool
licet_apps_has(const licet_apps_file *file, const char *app)
{
    return member(file, file->apps, app) != NULL;
}

bool
licet_apps_has_credential(const licet_apps_file *file, const char *app, const char *id, const char *hmac)
{
    const char *name;

    for (size_t i = 0; (name = licet_apps_name(file, i)) != NULL; i++) {
        const yaml_node_t *list = member(file, member(file, file->apps, name), "credentials");

        if ((app != NULL && strcmp(app, name) != 0) || list == NULL || list->type != YAML_SEQUENCE_NODE) {
            continue;
        }
        for (const int *item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++) {
            const yaml_node_t *credential = node_of(file, *item);

            if (is_text(member(file, credential, "id"), id) &&
                (hmac == NULL || is_text(member(file, credential, "hmac_sha256"), hmac))) {
                return true;
            }
        }
    }
    return false;
}

/* ---- places ------------------------------------------------------------------ */

static size_t
byte_of(licet_bytes text, size_t characters)
{
    size_t pos = text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    for (; characters > 0 && pos < text.len; characters--) {
        pos++;
        while (pos < text.len && (text.data[pos] & 0xc0) == 0x80) {
            pos++;
        }
    }
    return pos;
}

static bool
in_lines(const yaml_node_t *node)
{
    return (node->type == YAML_MAPPING_NODE && node->data.mapping.style != YAML_FLOW_MAPPING_STYLE) ||
           (node->type == YAML_SEQUENCE_NODE && node->data.sequence.style != YAML_FLOW_SEQUENCE_STYLE);
}

/* Where the last thing in a node ends: libyaml ends a block where the next begins, comments between them included. */
static size_t
end_of(const licet_apps_file *file, const yaml_node_t *node)
{
    while (in_lines(node)) {
        const yaml_node_t *last = NULL;

        if (node->type == YAML_MAPPING_NODE && node->data.mapping.pairs.top > node->data.mapping.pairs.start) {
            last = node_of(file, node->data.mapping.pairs.top[-1].value);
        } else if (node->type == YAML_SEQUENCE_NODE &&
                   node->data.sequence.items.top > node->data.sequence.items.start) {
            last = node_of(file, node->data.sequence.items.top[-1]);
        }
        if (last == NULL) {
            break;
        }
        node = last;
    }
    return byte_of(file->text, node->end_mark.index);
}

/* The start of the line behind pos; pos itself when it stands at such a start. */
static size_t
next_line(licet_bytes text, size_t pos)
{
    if (pos > 0 && text.data[pos - 1] == '\n') {
        return pos;
    }
    while (pos < text.len && text.data[pos] != '\n') {
        pos++;
    }
    return pos < text.len ? pos + 1 : pos;
}

static const char *
line_end(licet_bytes text)
{
    const uint8_t *lf = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;

    return lf != NULL && lf > text.data && lf[-1] == '\r' ? "\r\n" : "\n";
}

/* A whole line, pushed to the right by column spaces, behind the line that end stands in. */
static void
insert_line(const licet_apps_file *file, insertion *ins, size_t end, size_t column, const char *before, const char *row)
{
    const char *eol = line_end(file->text);
    bool open;

    ins->at = next_line(file->text, end);
    open = ins->at > 0 && file->text.data[ins->at - 1] != '\n'; /* the last line of the file, without its end */
    licet_put_format(&ins->text, "%s%*s%s%s%s", open && ins->text.len == 0 ? eol : "", (int)column, "", before, row,
                     eol);
}

static size_t
skip_blanks(licet_bytes text, size_t pos)
{
    while (pos < text.len && (text.data[pos] == ' ' || text.data[pos] == '\t')) {
        pos++;
    }
    return pos;
}

/* Behind the last of a list in brackets, in a line of its own; a comment stays with what it stood behind. */
static void
insert_below(const licet_apps_file *file, const yaml_node_t *last, const char *row, insertion *ins)
{
    const char *eol = line_end(file->text);
    int column = (int)last->start_mark.column;
    size_t end = byte_of(file->text, last->end_mark.index), behind = skip_blanks(file->text, end);
    bool comma = behind < file->text.len && file->text.data[behind] == ',';
    size_t rest = skip_blanks(file->text, behind + (comma ? 1 : 0));

    if (rest < file->text.len && file->text.data[rest] == '#') {
        ins->at = next_line(file->text, rest);
        licet_put_format(&ins->text, "%*s%s%s%s%s", column, "", comma ? "" : ", ", row, comma ? "," : "", eol);
    } else if (comma) {
        ins->at = behind + 1;
        licet_put_format(&ins->text, "%s%*s%s,", eol, column, "", row);
    } else {
        ins->at = end;
        licet_put_format(&ins->text, ",%s%*s%s", eol, column, "", row);
    }
}

static void
insert_into_list(const licet_apps_file *file, const yaml_node_t *app, const yaml_node_t *list, const char *row,
                 insertion *ins)
{
    const yaml_node_t *last = list->data.sequence.items.top > list->data.sequence.items.start
                                  ? node_of(file, list->data.sequence.items.top[-1])
                                  : NULL;
    const char *eol = line_end(file->text);

    if (in_lines(list)) {
        insert_line(file, ins, end_of(file, list), list->start_mark.column, "- ", row);
    } else if (last != NULL && in_lines(app)) {
        insert_below(file, last, row, ins);
    } else if (last != NULL) {
        ins->at = byte_of(file->text, last->end_mark.index);
        licet_put_format(&ins->text, ", %s", row);
    } else {
        ins->at = byte_of(file->text, list->start_mark.index) + 1;
        if (in_lines(app) && list->start_mark.line == list->end_mark.line) {
            int column = (int)node_of(file, app->data.mapping.pairs.start[0].key)->start_mark.column;

            licet_put_format(&ins->text, "%s%*s%s%s%*s", eol, column + 2, "", row, eol, column, "");
        } else {
            licet_put_format(&ins->text, " %s%s", row, file->text.data[ins->at] == ']' ? " " : "");
        }
    }
}

static void
insert_list(const licet_apps_file *file, const yaml_node_t *app, const char *row, insertion *ins)
{
    if (in_lines(app)) {
        size_t column = node_of(file, app->data.mapping.pairs.start[0].key)->start_mark.column;
        size_t end = end_of(file, app);

        insert_line(file, ins, end, column, "credentials:", "");
        insert_line(file, ins, end, column + 2, "- ", row);
    } else {
        ins->at = byte_of(file->text, node_of(file, app->data.mapping.pairs.top[-1].value)->end_mark.index);
        licet_put_format(&ins->text, ", credentials: [ %s ]", row);
    }
}

bool
licet_apps_add_credential(const licet_apps_file *file, const char *app, const char *row, licet_buffer *out,
                          unsigned *out_line, licet_error *err)
{
    const yaml_node_t *node = member(file, file->apps, app), *list;
    insertion ins = {.at = 0};
    unsigned line = 1;
    bool ok = false;

    if (node == NULL || node->type != YAML_MAPPING_NODE ||
        node->data.mapping.pairs.top == node->data.mapping.pairs.start) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "app \"%s\": expected an app with its fields in apps.yaml", app);
    }
    licet_buffer_init(&ins.text, 4096);
    list = member(file, node, "credentials");
    if (list == NULL) {
        insert_list(file, node, row, &ins);
    } else if (list->type == YAML_SEQUENCE_NODE) {
        insert_into_list(file, node, list, row, &ins);
    } else if (list->type == YAML_SCALAR_NODE && list->data.scalar.length == 0) {
        ins.at = byte_of(file->text, list->start_mark.index);
        licet_put_format(&ins.text, " [ %s ]", row);
    } else {
        LICET_FAIL(err, LICET_E_INVALID, 0, "app \"%s\": credentials is no list", app);
        goto done;
    }
    for (size_t i = 0; i < ins.at; i++) {
        line += file->text.data[i] == '\n';
    }
    for (size_t i = 0; i < ins.text.len && ins.text.data[i] != '{'; i++) { /* up to the row itself */
        line += ins.text.data[i] == '\n';
    }
    licet_put_bytes(out, licet_bytes_of(file->text.data, ins.at));
    licet_put_bytes(out, licet_buffer_view(&ins.text));
    licet_put_bytes(out, licet_bytes_of(file->text.data + ins.at, file->text.len - ins.at));
    ok = !ins.text.failed && !out->failed ? true : LICET_FAIL(err, LICET_E_LIMIT, 0, "apps.yaml is too large");
    *out_line = line;
done:
    licet_buffer_done(&ins.text);
    return ok;
}

/* The credential with this id, of whatever app; or NULL. */
static const yaml_node_t *
credential_named(const licet_apps_file *file, const char *id)
{
    const char *name;

    for (size_t i = 0; (name = licet_apps_name(file, i)) != NULL; i++) {
        const yaml_node_t *list = member(file, member(file, file->apps, name), "credentials");

        if (list == NULL || list->type != YAML_SEQUENCE_NODE) {
            continue;
        }
        for (const int *item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++) {
            if (is_text(member(file, node_of(file, *item), "id"), id)) {
                return node_of(file, *item);
            }
        }
    }
    return NULL;
}

bool
licet_apps_end_credential(const licet_apps_file *file, const char *id, const char *before, licet_buffer *out,
                          unsigned *out_line, licet_error *err)
{
    const yaml_node_t *credential = credential_named(file, id), *was;
    size_t rest;
    insertion ins = {.at = 0};
    unsigned line = 1;
    bool ok;

    if (credential == NULL) {
        return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "credential \"%s\": no app has it", id);
    }
    licet_buffer_init(&ins.text, 4096);
    was = member(file, credential, "before");
    if (was != NULL) {
        ins.at = byte_of(file->text, was->start_mark.index);
        rest = byte_of(file->text, was->end_mark.index);
        licet_put_format(&ins.text, "%s%s", rest == ins.at ? " " : "", before);
    } else if (in_lines(credential)) {
        insert_line(file, &ins, end_of(file, credential),
                    node_of(file, credential->data.mapping.pairs.start[0].key)->start_mark.column, "before: ", before);
        rest = ins.at;
    } else {
        ins.at = rest =
            byte_of(file->text, node_of(file, credential->data.mapping.pairs.top[-1].value)->end_mark.index);
        licet_put_format(&ins.text, ", before: %s", before);
    }
    for (size_t i = 0; i < ins.at; i++) {
        line += file->text.data[i] == '\n';
    }
    licet_put_bytes(out, licet_bytes_of(file->text.data, ins.at));
    licet_put_bytes(out, licet_buffer_view(&ins.text));
    licet_put_bytes(out, licet_bytes_of(file->text.data + rest, file->text.len - rest));
    ok = !ins.text.failed && !out->failed ? true : LICET_FAIL(err, LICET_E_LIMIT, 0, "apps.yaml is too large");
    *out_line = line;
    licet_buffer_done(&ins.text);
    return ok;
}
