/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet count --suggest: looks at a page and says what could be counted.
 *
 * The first document is read by jansson and every place that name steps lead
 * to is entered once, with how many values of each kind were met there. Each
 * place where arrays of objects lie becomes a proposal; its ids are the first
 * fitting member below. Every figure shown comes from the meter itself, which
 * then counts the document along the proposed paths. Single objects that have
 * an id are proposed, too: a lookup, or a line of a stream.
 *
 *  (1) No recursion; places, values on the way and the file have ceilings.
 *  (2) A place that no path can reach (more steps or longer names than paths
 *      have) is not entered.
 */
#include "count.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((size_t)256 << 20)

enum { PLACES_MOST = 1024, WAY_MOST = 1 << 22, SHOWN_MOST = 20, ID_BELOW_MOST = 2, PATH_TEXT = 4096 };

/* A place that name steps lead to. */
typedef struct place {
    unsigned parent; /* of the root: itself */
    unsigned steps;
    const char *name; /* borrowed from the document */
    size_t name_len;
    uint64_t objects_in_arrays, objects, scalars;
} place;

typedef struct proposal {
    unsigned place, id; /* id 0: none found (the root is no id) */
    licet_scan_result result;
} proposal;

/* A value still to be looked at. */
typedef struct visit {
    json_t *value;
    unsigned place;
    bool in_array;
} visit;

typedef struct survey {
    licet_bytes document;
    place *places;
    unsigned places_len;
    visit *way;
    size_t way_len, way_capacity;
    proposal proposals[SHOWN_MOST];
    size_t proposals_len;
} survey;

/* ---- walking ------------------------------------------------------------------------ */

static bool
push(survey *s, json_t *value, unsigned at, bool in_array, licet_error *err)
{
    if (s->way_len == s->way_capacity) {
        size_t capacity = s->way_capacity == 0 ? 1024 : s->way_capacity * 2;
        visit *way = capacity > WAY_MOST ? NULL : realloc(s->way, capacity * sizeof(*way));

        if (way == NULL) {
            return LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %zu values side by side; try a smaller page",
                              s->way_capacity);
        }
        s->way = way;
        s->way_capacity = capacity;
    }
    s->way[s->way_len++] = (visit){value, at, in_array};
    return true;
}

/* The place one step below parent; PLACES_MOST when it cannot be entered. */
static unsigned
place_below(survey *s, unsigned parent, const char *name, size_t len)
{
    if (s->places[parent].steps == LICET_PATH_STEPS_MAX || len > LICET_PATH_NAME_MAX) {
        return PLACES_MOST;
    }
    for (unsigned i = parent + 1; i < s->places_len; i++) {
        if (s->places[i].parent == parent && s->places[i].name_len == len &&
            memcmp(s->places[i].name, name, len) == 0) {
            return i;
        }
    }
    if (s->places_len == PLACES_MOST) {
        return PLACES_MOST;
    }
    s->places[s->places_len] =
        (place){.parent = parent, .steps = s->places[parent].steps + 1, .name = name, .name_len = len};
    return s->places_len++;
}

static bool
visit_members(survey *s, const visit *v, licet_error *err)
{
    const char *key;
    json_t *member;

    json_object_foreach(v->value, key, member)
    {
        unsigned below = place_below(s, v->place, key, strlen(key));

        if (below < PLACES_MOST && !push(s, member, below, false, err)) {
            return false;
        }
    }
    return true;
}

static bool
walk(survey *s, json_t *root, licet_error *err)
{
    s->places[0] = (place){.parent = 0};
    s->places_len = 1;
    if (!push(s, root, 0, false, err)) {
        return false;
    }
    while (s->way_len > 0) {
        visit v = s->way[--s->way_len];

        if (json_is_object(v.value)) {
            s->places[v.place].objects_in_arrays += v.in_array;
            s->places[v.place].objects += !v.in_array;
            if (!visit_members(s, &v, err)) {
                return false;
            }
        } else if (json_is_array(v.value)) {
            for (size_t i = json_array_size(v.value); i > 0; i--) {
                if (!push(s, json_array_get(v.value, i - 1), v.place, true, err)) {
                    return false;
                }
            }
        } else {
            s->places[v.place].scalars += json_is_string(v.value) || json_is_number(v.value);
        }
    }
    return true;
}

/* ---- proposals ------------------------------------------------------------------------- */

static bool
name_is(const place *p, const char *name)
{
    return p->name_len == strlen(name) && memcmp(p->name, name, p->name_len) == 0;
}

/* How much a member looks like an id, less is more; 0: not at all. */
static unsigned
id_rank(const place *p)
{
    static const char *const names[] = {"id", "id_str", "uuid", "guid", "uri", "urn", "_id"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (name_is(p, names[i])) {
            return i + 1;
        }
    }
    if (p->name_len > 3 && memcmp(p->name + p->name_len - 3, "_id", 3) == 0) {
        return 20;
    }
    return p->name_len > 4 && memcmp(p->name + p->name_len - 4, "_key", 4) == 0 ? 21 : 0;
}

static licet_path
path_of(const survey *s, unsigned i)
{
    licet_path path = {.steps = (uint8_t)s->places[i].steps};

    for (unsigned k = path.steps; k > 0; k--, i = s->places[i].parent) {
        path.name_len[k - 1] = (uint8_t)s->places[i].name_len;
        memcpy(path.name[k - 1], s->places[i].name, s->places[i].name_len);
    }
    return path;
}

/* Counts the document along the paths. */
static bool
measure(const survey *s, proposal *p, licet_error *err)
{
    licet_plan_unit unit = {.count = path_of(s, p->place), .has_ids = p->id != 0};
    licet_plan *plan;
    licet_scan scan;

    if (p->id != 0) {
        unit.ids = path_of(s, p->id);
    }
    if (!licet_plan_new(&unit, 1, &plan, err)) {
        return false;
    }
    licet_scan_init(&scan, plan, LICET_BODY_JSON);
    licet_scan_feed(&scan, plan, s->document, NULL, NULL);
    licet_scan_end(&scan, plan, NULL, NULL);
    licet_scan_look(&scan, &p->result);
    licet_plan_free(plan);
    return true;
}

/* How many steps place i lies below 'above'; 0: it does not. */
static unsigned
steps_below(const survey *s, unsigned i, unsigned above)
{
    unsigned steps = 0;

    while (i > above) {
        i = s->places[i].parent;
        steps++;
    }
    return i == above ? steps : 0;
}

/* Chooses the ids of a proposal: as many as elements before others, then the nearest, then the likeliest name. */
static bool
choose_ids(const survey *s, proposal *p, licet_error *err)
{
    unsigned best_rank = UINT32_MAX;
    proposal tried;

    for (unsigned i = p->place + 1; i < s->places_len; i++) {
        unsigned below = steps_below(s, i, p->place), rank = id_rank(&s->places[i]);

        if (below == 0 || below > ID_BELOW_MOST || rank == 0 || s->places[i].scalars == 0) {
            continue;
        }
        tried = (proposal){.place = p->place, .id = i};
        if (!measure(s, &tried, err)) {
            return false;
        }
        rank += below * 100 + (tried.result.reason == LICET_UNMETERED_NONE ? 0 : 1000);
        if (rank < best_rank) {
            best_rank = rank;
            *p = tried;
        }
    }
    return true;
}

static int
by_size(const void *a, const void *b)
{
    const proposal *x = a, *y = b;

    if (x->result.count[0] != y->result.count[0]) {
        return x->result.count[0] < y->result.count[0] ? 1 : -1;
    }
    return x->place < y->place ? -1 : x->place > y->place; /* the order of the document */
}

static void
enter(survey *s, const proposal *p)
{
    if (s->proposals_len < SHOWN_MOST) {
        s->proposals[s->proposals_len++] = *p;
    } else if (by_size(p, &s->proposals[SHOWN_MOST - 1]) < 0) {
        s->proposals[SHOWN_MOST - 1] = *p;
    }
    qsort(s->proposals, s->proposals_len, sizeof(*p), by_size);
}

/* Whether a single object is worth a proposal: it has as many ids as objects, one step below. */
static bool
has_own_id(const survey *s, const proposal *p)
{
    return p->id != 0 && s->places[p->id].parent == p->place && p->result.reason == LICET_UNMETERED_NONE;
}

/* The largest places with arrays of objects, and single objects with an id: those near the root, as in lookups and
 * streams; all of them where there is nothing else. */
static bool
propose(survey *s, licet_error *err)
{
    for (unsigned steps = 1; steps <= LICET_PATH_STEPS_MAX; steps += LICET_PATH_STEPS_MAX - 1) {
        for (unsigned i = 0; i < s->places_len; i++) {
            const place *at = &s->places[i];
            proposal p = {.place = i};

            if (at->objects_in_arrays == 0 && (at->objects == 0 || at->steps > steps)) {
                continue;
            }
            if (!measure(s, &p, err) || !choose_ids(s, &p, err)) {
                return false;
            }
            if (at->objects_in_arrays > 0 || has_own_id(s, &p)) {
                enter(s, &p);
            }
        }
        if (s->proposals_len > 0) {
            break;
        }
    }
    return true;
}

/* ---- saying it --------------------------------------------------------------------------- */

static bool
is_plain_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = name[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9' && i > 0))) {
            return false;
        }
    }
    return len > 0;
}

/* A path as licet_path_parse reads it. */
static void
spell(const licet_path *path, licet_buffer *out)
{
    licet_put_u8(out, '$');
    for (unsigned i = 0; i < path->steps; i++) {
        if (is_plain_name(path->name[i], path->name_len[i])) {
            licet_put_format(out, ".%.*s", path->name_len[i], path->name[i]);
            continue;
        }
        licet_put_format(out, "['");
        for (unsigned k = 0; k < path->name_len[i]; k++) {
            uint8_t c = (uint8_t)path->name[i][k];

            if (c < 0x20 || c == 0x7f || c == '\'' || c == '\\') {
                licet_put_format(out, "\\u%04x", c);
            } else {
                licet_put_u8(out, c);
            }
        }
        licet_put_format(out, "']");
    }
    licet_put_u8(out, 0);
}

/* A name for the unit: that of the last step in the singular, 'post' where that says nothing. */
static void
name_unit(const survey *s, unsigned i, char out[LICET_PATH_NAME_MAX + 1])
{
    static const char *const silent[] = {"data",  "items",   "results", "entries", "children", "list",     "hits",
                                         "value", "records", "rows",    "content", "objects",  "elements", "feed"};
    const place *p = &s->places[i];
    size_t len = p->name_len;
    bool says = i > 0 && is_plain_name(p->name, len) && len <= 32;

    for (size_t k = 0; k < sizeof(silent) / sizeof(silent[0]); k++) {
        says = says && !name_is(p, silent[k]);
    }
    memcpy(out, says ? p->name : "post", says ? len : 4);
    len = says ? len : 4;
    if (len > 4 && memcmp(out + len - 3, "ies", 3) == 0) {
        out[len - 3] = 'y';
        len -= 2;
    } else if (len > 4 && memcmp(out + len - 4, "uses", 4) == 0) {
        len -= 2;
    } else if (len > 2 && out[len - 1] == 's' && strchr("siu", out[len - 2]) == NULL) {
        len--;
    }
    out[len] = '\0';
}

static void
print_proposal(const char *name, const char *count_path, const char *ids_path, const proposal *p)
{
    const licet_scan_result *r = &p->result;

    printf("%s %s (%" PRIu64 ")", name, count_path, r->count[0]);
    if (p->id != 0) {
        printf(" · ids %s (%" PRIu64 ", %s)", ids_path, r->ids[0], r->count[0] == r->ids[0] ? "equal" : "differ");
    }
    if (r->reason != LICET_UNMETERED_NONE && r->reason != LICET_UNMETERED_IDS_DIFFER) {
        printf(" · unmetered: %s", licet_unmetered_slug(r->reason));
    }
    putchar('\n');
}

static json_t *
json_proposal(const char *name, const char *count_path, const char *ids_path, const proposal *p)
{
    const licet_scan_result *r = &p->result;
    json_t *item = json_pack("{s:s,s:s,s:I}", "unit", name, "count", count_path, "units", (json_int_t)r->count[0]);

    json_object_set_new(item, "ids", p->id == 0 ? json_null() : json_string(ids_path));
    json_object_set_new(item, "ids_total", json_integer((json_int_t)r->ids[0]));
    json_object_set_new(item, "unmetered",
                        r->reason == LICET_UNMETERED_NONE ? json_null() : json_string(licet_unmetered_slug(r->reason)));
    return item;
}

static void
print_proposals(const survey *s, const char *file, json_t *list)
{
    for (size_t i = 0; i < s->proposals_len; i++) {
        const proposal *p = &s->proposals[i];
        licet_path count = path_of(s, p->place), ids = path_of(s, p->id);
        char name[LICET_PATH_NAME_MAX + 1];
        licet_buffer count_text, ids_text;

        licet_buffer_init(&count_text, PATH_TEXT);
        licet_buffer_init(&ids_text, PATH_TEXT);
        spell(&count, &count_text);
        spell(&ids, &ids_text);
        name_unit(s, p->place, name);
        if (count_text.failed || ids_text.failed) {
            fprintf(stderr, "licet count: no memory for a path\n");
        } else if (list != NULL) {
            json_array_append_new(list, json_proposal(name, (char *)count_text.data, (char *)ids_text.data, p));
        } else {
            print_proposal(name, (char *)count_text.data, (char *)ids_text.data, p);
        }
        licet_buffer_done(&count_text);
        licet_buffer_done(&ids_text);
    }
    if (list == NULL && s->proposals_len == 0) {
        fprintf(stderr, "licet count: %s: no array of objects, and no object with an id, in its first document\n",
                file);
    }
}

static int
print_survey(const survey *s, const char *file, bool json)
{
    json_t *list = json ? json_array() : NULL;

    print_proposals(s, file, list);
    if (json && !count_print_document(json_pack("{s:o}", "suggestions", list))) {
        return licet_cli_fail(&licet_command_count, "no memory for the result");
    }
    if (fflush(stdout) != 0) {
        return licet_cli_fail(&licet_command_count, "cannot write the result: %m");
    }
    return s->proposals_len > 0 ? LICET_EXIT_OK : LICET_EXIT_NO;
}

int
count_suggest(const char *file, bool json)
{
    survey s = {0};
    licet_error err = {0};
    json_error_t json_err;
    json_t *root = NULL;
    uint8_t *data = NULL;
    size_t len;
    int code = LICET_EXIT_FAILED;

    if (!licet_file_read(file, FILE_MOST, &data, &len, &err)) {
        return licet_cli_error(&licet_command_count, &err);
    }
    root = json_loadb((const char *)data, len, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &json_err);
    if (root == NULL) {
        licet_cli_fail(&licet_command_count, "%s: byte %d: %s", file, json_err.position, json_err.text);
        goto done;
    }
    s.document = licet_bytes_of(data, (size_t)json_err.position);
    s.places = calloc(PLACES_MOST, sizeof(*s.places));
    if (s.places == NULL) {
        licet_cli_fail(&licet_command_count, "no memory to look at %s", file);
        goto done;
    }
    if (!walk(&s, root, &err) || !propose(&s, &err)) {
        licet_cli_error(&licet_command_count, &err);
        goto done;
    }
    code = print_survey(&s, file, json);
done:
    json_decref(root);
    free(s.places);
    free(s.way);
    free(data);
    return code;
}
