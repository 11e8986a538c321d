/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet.yaml: who we are, where the gate stands.
 */
#include "terms.h"

#include <string.h>

bool
licet_terms_read(licet_reader *reader, licet_bytes text, const licet_schema *schema, void *out)
{
    const licet_yaml_node *root;
    licet_arena tree;
    bool done = false;

    licet_arena_init(&tree, (size_t)256 << 20);
    root = licet_yaml_read(reader, &tree, text);
    if (tree.failed) {
        reader->failed = true;
    }
    if (root == NULL || reader->failed) {
        goto done;
    }
    if (root->kind != LICET_YAML_MAP) {
        if (root->kind != LICET_YAML_BAD) {
            licet_reader_say(reader, &root->scalar, "", "the file is no mapping: expected fields such as \"%s: ...\"",
                             schema->fields[0].name);
        }
        goto done;
    }
    licet_schema_read(reader, "", schema, root, out);
    done = !reader->arena->failed;
done:
    licet_arena_done(&tree);
    return done;
}

static bool
starts_with(licet_bytes text, const char *prefix)
{
    size_t len = strlen(prefix);

    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static licet_bytes
rest_of(licet_bytes text, size_t from)
{
    return licet_bytes_of(text.data + from, text.len - from);
}

static bool
is_port(licet_bytes text)
{
    uint64_t port;

    return licet_parse_u64(text, &port) && port >= 1 && port <= 65535;
}

/* name, 192.0.2.1 or [2001:db8::1]; *out_len is its length. */
static bool
is_host(licet_bytes text, size_t *out_len)
{
    bool bracket = text.len > 0 && text.data[0] == '[';
    size_t i = bracket ? 1 : 0;

    for (; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool digit = c >= '0' && c <= '9', letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (bracket ? !(hex || c == ':' || c == '.') : !(digit || letter || c == '.' || c == '-' || c == '_')) {
            break;
        }
    }
    if (bracket) {
        if (i == text.len || text.data[i] != ']' || i == 1) {
            return false;
        }
        i++;
    }
    *out_len = i;
    return i > 0 && i <= 255;
}

static bool
fits_upstream(licet_bytes text)
{
    size_t scheme = starts_with(text, "http://") ? 7 : starts_with(text, "https://") ? 8 : 0, len;
    licet_bytes rest;

    if (scheme == 0) {
        return false;
    }
    rest = rest_of(text, scheme);
    if (!is_host(rest, &len)) {
        return false;
    }
    rest = rest_of(rest, len);
    return rest.len == 0 || (rest.data[0] == ':' && is_port(rest_of(rest, 1)));
}

static bool
fits_listen(licet_bytes text)
{
    size_t len;

    return is_host(text, &len) && len < text.len && text.data[len] == ':' && is_port(rest_of(text, len + 1));
}

/* What is counted of one agreement is not another's business: nobody but this machine may ask. */
static bool
fits_loopback(licet_bytes text)
{
    size_t at = 4;

    if (starts_with(text, "[::1]:") || starts_with(text, "localhost:")) {
        return fits_listen(text);
    }
    while (at < text.len && ((text.data[at] >= '0' && text.data[at] <= '9') || text.data[at] == '.')) {
        at++;
    }
    return starts_with(text, "127.") && at < text.len && text.data[at] == ':' && fits_listen(text);
}

static bool
fits_path(licet_bytes text)
{
    if (!licet_fits_text(text) || text.len > 255) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) { /* they become part of an nginx configuration */
        if (strchr(" \"'\\;{}$", text.data[i]) != NULL || text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

bool
licet_fits_inner_path(licet_bytes text)
{
    size_t start = 0;

    if (!fits_path(text) || text.data[0] == '/' || text.data[text.len - 1] == '/') {
        return false;
    }
    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == '/') {
            licet_bytes part = licet_bytes_of(text.data + start, i - start);
            if (part.len == 0 || licet_bytes_equal_text(part, ".") || licet_bytes_equal_text(part, "..")) {
                return false;
            }
            start = i + 1;
        }
    }
    return true;
}

bool
licet_fits_absolute_path(licet_bytes text)
{
    return fits_path(text) && text.data[0] == '/' && licet_fits_inner_path(rest_of(text, 1));
}

static bool
fits_variable(licet_bytes text)
{
    if (text.len < 2 || text.len > LICET_NAME_MAX || text.data[0] != '$') {
        return false;
    }
    for (size_t i = 1; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return true;
}

static void
read_slots(licet_reader *reader, const char *context, const licet_field *field, const licet_yaml_node *node, void *out)
{
    licet_number *slots = out;
    uint64_t value;

    if (!licet_schema_number(reader, context, field->name, node, 16, 65536, &value)) {
        return;
    }
    if ((value & (value - 1)) != 0) {
        licet_reader_say(reader, &node->scalar, context, "%s \"%s\": expected a power of two", field->name,
                         licet_quote_of(node->scalar.text).text);
        return;
    }
    slots->value = value;
    slots->said = licet_schema_keep(reader, &node->scalar);
}

static const licet_word parties[] = {{"licensor", 0}, {"licensee", 1}, {NULL, 0}};
const licet_word licet_terms_flows[] = {
    {"acquired", LICET_FLOW_ACQUIRED}, {"passed-on", LICET_FLOW_PASSED_ON}, {NULL, 0}};
const licet_word licet_terms_counts[] = {{"gross", 0}, {"deduplicated", 1}, {NULL, 0}};

#define AT(member) .at = offsetof(licet_terms_config, member)
static const licet_field config_fields[] = {
    {.name = "party", .type = LICET_FIELD_WORD, .required = true, AT(party), .words = parties},
    {.name = "site", .type = LICET_FIELD_ID, .required = true, AT(site)},
    {.name = "gate", .type = LICET_FIELD_NUMBER, .required = true, AT(gate), .least = 1, .most = 65535},
    {.name = "flow", .type = LICET_FIELD_WORD, .required = true, AT(flow), .words = licet_terms_flows},
    {.name = "upstream",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(upstream),
     .fits = fits_upstream,
     .expected = "http:// or https:// with host and port and no path, such as https://api.internal"},
    {.name = "upstreams",
     .type = LICET_FIELD_PAIRS,
     AT(upstreams),
     .fits = fits_upstream,
     .expected = "http:// or https:// with host and port and no path, such as https://api.internal"},
    {.name = "listen",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(listen),
     .fits = fits_listen,
     .expected = "an address and a port such as 127.0.0.1:8640"},
    {.name = "metrics",
     .type = LICET_FIELD_TEXT,
     AT(metrics),
     .fits = fits_loopback,
     .expected = "a loopback address and a port such as 127.0.0.1:8641"},
    {.name = "key",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(key),
     .fits = licet_fits_inner_path,
     .expected = "a path within the site such as data/key"},
    {.name = "shared_memory",
     .type = LICET_FIELD_TEXT,
     .required = true,
     AT(shared_memory),
     .fits = licet_fits_absolute_path,
     .expected = "an absolute path such as /dev/shm/licet-mine"},
    {.name = "identity",
     .type = LICET_FIELD_TEXT,
     AT(identity),
     .fits = fits_variable,
     .expected = "an nginx variable such as $http_x_consumer_id"},
    {.name = "group", .type = LICET_FIELD_ID, AT(group)},
    {.name = "workers", .type = LICET_FIELD_NUMBER, AT(workers), .least = 1, .most = 256, .fallback = 16},
    {.name = "slots", .type = LICET_FIELD_OWN, AT(slots), .read = read_slots},
    {.name = NULL}};
#undef AT

const licet_schema licet_terms_config_schema = {
    .noun = "licet.yaml", .size = sizeof(licet_terms_config), .fields = config_fields};

bool
licet_terms_read_config(licet_reader *reader, licet_bytes text, licet_terms_config *out)
{
    out->slots.value = 1024;
    return licet_terms_read(reader, text, &licet_terms_config_schema, out);
}
