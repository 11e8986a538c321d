/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Config: what the recorder needs of licet.yaml.
 *
 *  (1) A site whose files hold a mistake at the moment (somebody is editing them) still starts with what was read last:
 *      data/config keeps it, name TAB value LF. Before the first start there is none, and mistakes are the answer.
 *  (2) Agreements and registry never come from here: they are in force as they were applied.
 */
#include "rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_MAX 65536

void
recorder_config_take(licet_recorder *r, const licet_site_config *config)
{
    struct recorder_config *c = &r->config;

    snprintf(c->party, sizeof(c->party), "%s", config->party);
    snprintf(c->key, sizeof(c->key), "%s", config->key);
    snprintf(c->shared_memory, sizeof(c->shared_memory), "%s", config->shared_memory);
    snprintf(c->group, sizeof(c->group), "%s", config->group != NULL ? config->group : "");
    c->gate = config->gate;
    c->flow = config->flow;
    c->workers = config->workers;
    c->slots = config->slots;
}

bool
recorder_config_write(licet_recorder *r, licet_error *err)
{
    const struct recorder_config *c = &r->config;
    char path[PATH_MAX];
    licet_buffer text;
    bool ok;

    licet_buffer_init(&text, CONFIG_MAX);
    ok = licet_put_format(
        &text, "party\t%s\nkey\t%s\nshared_memory\t%s\ngroup\t%s\ngate\t%u\nflow\t%u\nworkers\t%u\nslots\t%u\n",
        c->party, c->key, c->shared_memory, c->group, c->gate, (unsigned)c->flow, c->workers, c->slots);
    if (!ok) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for data/config");
    }
    ok = ok && recorder_path(r, path, err, "data/config") &&
         licet_file_replace(path, licet_buffer_view(&text), 0640, err);
    licet_buffer_done(&text);
    return ok;
}

static bool
take_number(const char *value, uint64_t most, uint64_t *out)
{
    return licet_parse_u64(licet_bytes_of_text(value), out) && *out <= most;
}

/* One line of data/config. Unknown names are of another version and left alone. */
static bool
take_line(struct recorder_config *c, const char *name, const char *value)
{
    uint64_t n = 0;

    if (strcmp(name, "party") == 0) {
        return snprintf(c->party, sizeof(c->party), "%s", value) < (int)sizeof(c->party);
    }
    if (strcmp(name, "key") == 0) {
        return snprintf(c->key, sizeof(c->key), "%s", value) < (int)sizeof(c->key);
    }
    if (strcmp(name, "shared_memory") == 0) {
        return snprintf(c->shared_memory, sizeof(c->shared_memory), "%s", value) < (int)sizeof(c->shared_memory);
    }
    if (strcmp(name, "group") == 0) {
        return snprintf(c->group, sizeof(c->group), "%s", value) < (int)sizeof(c->group);
    }
    if (strcmp(name, "gate") == 0 && take_number(value, UINT16_MAX, &n)) {
        c->gate = (uint16_t)n;
    } else if (strcmp(name, "flow") == 0 && take_number(value, LICET_FLOW_PASSED_ON, &n)) {
        c->flow = (licet_flow)n;
    } else if (strcmp(name, "workers") == 0 && take_number(value, 256, &n)) {
        c->workers = (uint32_t)n;
    } else if (strcmp(name, "slots") == 0 && take_number(value, 65536, &n)) {
        c->slots = (uint32_t)n;
    }
    return true;
}

static bool
config_recall(licet_recorder *r, licet_error *err)
{
    struct recorder_config c = {.gate = 0};
    char path[PATH_MAX], *line, *next, *tab;
    uint8_t *text = NULL;
    size_t len;
    bool ok = true;

    if (!recorder_path(r, path, err, "data/config") || !licet_file_read(path, CONFIG_MAX, &text, &len, err)) {
        return false;
    }
    for (line = (char *)text; ok && line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        tab = strchr(line, '\t');
        ok = tab != NULL;
        if (ok) {
            *tab = '\0';
            ok = take_line(&c, line, tab + 1);
        }
    }
    free(text);
    if (!ok || c.gate == 0 || c.workers == 0 || c.slots == 0 || c.shared_memory[0] != '/' || c.key[0] == '\0') {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0,
                          "%s: not what the recorder wrote; correct the site's files and "
                          "start again",
                          path);
    }
    r->config = c;
    return true;
}

bool
recorder_mistakes_fail(const char *dir, const licet_mistakes *mistakes, licet_error *err)
{
    const licet_mistake *m = mistakes->list;

    return LICET_FAIL(err, LICET_E_INVALID, 0, "%s/%s:%u:%u: %.300s (%zu mistake%s in all; licet check %s lists them)",
                      dir, m->file, m->line, m->column, m->text, mistakes->len, mistakes->len == 1 ? "" : "s", dir);
}

bool
recorder_config_read(licet_recorder *r, licet_error *err)
{
    licet_mistakes mistakes = {NULL, 0, 0};
    licet_site *site = NULL;
    licet_error local;
    bool ok = false;

    if (licet_site_load(r->dir, &mistakes, &site, &local)) {
        recorder_config_take(r, licet_site_config_view(site));
        ok = true;
    } else if (mistakes.len > 0 && config_recall(r, NULL)) {
        recorder_mistakes_fail(r->dir, &mistakes, &local);
        recorder_say(r, LICET_LOG_WARNING, "the site's files hold mistakes; going on as last applied: %s", local.text);
        ok = true;
    } else if (mistakes.len > 0) {
        recorder_mistakes_fail(r->dir, &mistakes, err);
    } else if (err != NULL) {
        *err = local;
    }
    licet_site_free(site);
    licet_mistakes_done(&mistakes);
    return ok;
}
