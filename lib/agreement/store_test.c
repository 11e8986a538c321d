/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: what apply leaves on disk, what plan says before it, what a crash or a stranger's file does to it.
 */
#include "test_site.h"

#include "number_table.h"

#include "licet/store.h"

#include <dirent.h>

typedef struct fixture {
    test_site site;
    licet_store *store;
} fixture;

static licet_store *
open_store(const fixture *f, bool read_only)
{
    licet_store *store = NULL;
    licet_error err = {0};

    if (!licet_store_open(f->site.dir, read_only, &store, &err)) {
        fail_msg("%s", err.text);
    }
    return store;
}

static void
fixture_init(fixture *f)
{
    test_site_init(&f->site);
    f->store = open_store(f, false);
}

static void
fixture_done(fixture *f)
{
    licet_store_close(f->store);
    test_site_done(&f->site);
}

static void
reopen(fixture *f)
{
    licet_store_close(f->store);
    f->store = open_store(f, false);
}

/* The words of all changes, one after the other. Owned by the caller. */
static char *
change(fixture *f, bool apply)
{
    licet_site *loaded = test_site_load(&f->site);
    licet_store_changes changes = {0};
    licet_error err = {0};
    licet_buffer words;
    char *text;

    licet_buffer_init(&words, (size_t)1 << 20);
    if (!(apply ? licet_store_apply : licet_store_plan)(f->store, loaded, &changes, &err)) {
        fail_msg("%s", err.text);
    }
    for (size_t i = 0; i < changes.len; i++) {
        licet_put_format(&words, "%s", changes.list[i].words);
    }
    licet_put_u8(&words, 0);
    text = strdup((const char *)words.data);
    licet_buffer_done(&words);
    licet_store_changes_done(&changes);
    licet_site_free(loaded);
    return text;
}

static void
expect(fixture *f, bool apply, const char *expected)
{
    char *text = change(f, apply);

    assert_string_equal(text, expected);
    free(text);
}

static void
apply(fixture *f)
{
    free(change(f, true));
}

static char *
read_text(const fixture *f, const char *name)
{
    char path[512];
    uint8_t *data = NULL;
    size_t len;

    snprintf(path, sizeof(path), "%s/%s", f->site.dir, name);
    assert_true(licet_file_read(path, (size_t)1 << 20, &data, &len, NULL));
    return (char *)data;
}

static void
assert_file(const fixture *f, const char *name, const char *expected)
{
    char *text = read_text(f, name);

    assert_string_equal(text, expected);
    free(text);
}

static unsigned
mode_of(const fixture *f, const char *name)
{
    char path[512];
    struct stat info;

    snprintf(path, sizeof(path), "%s/%s", f->site.dir, name);
    return stat(path, &info) == 0 ? (unsigned)info.st_mode & 07777 : 0;
}

static const char everything[] =
    "+ agreement M-2022-7 between Example Platform Inc. and Meridian Corporation\n"
    "+ version 2022-10-10: in force from 2022-10-10 before 2023-10-10, then refuse; enforce; catalogue "
    "x-api-v2@2022-10-10 with 3 endpoints, unlisted record; cannot record: allow 10000 post per outage; overrun: "
    "deliver\n"
    "+ clause CAP-MONTH (section Order form 2) in version 2022-10-10\n"
    "+ clause NO-TRAIN (section II.A.g) in version 2022-10-10\n"
    "+ clause RATE (section Order form 3) in version 2022-10-10\n"
    "+ purpose display allowed in version 2022-10-10\n"
    "+ purpose search allowed in version 2022-10-10\n"
    "+ purpose train-ai forbidden by NO-TRAIN in version 2022-10-10\n"
    "+ limit CAP-MONTH: 2000000 post per month over licensee in version 2022-10-10\n"
    "+ limit RATE: 450 request per 15m over app at search-recent in version 2022-10-10\n"
    "+ use case UC-2 (product Pages, purpose display, recipient public) approved from 2022-10-10\n"
    "+ use case UC-3 (product Feed, purpose search) not approved\n"
    "+ app feed (Feed, Pages, staging)\n"
    "+ app pages (Pages, prod, by default UC-2)\n"
    "+ credential K-1 of app pages (bearer) from 2022-10-10\n";

/* ---- apply ----------------------------------------------------------------------- */

static void
test_first_apply(void **state)
{
    fixture f;

    fixture_init(&f);
    assert_int_equal(licet_store_generation(f.store), 0);
    assert_int_equal(licet_store_cells(f.store), 1);
    assert_string_equal(licet_store_cell_name(f.store, 0), "unidentified");
    expect(&f, false, everything);
    assert_int_equal(licet_store_cells(f.store), 1); /* plan gives no numbers */
    assert_int_equal(licet_store_counters(f.store), 0);
    expect(&f, true, everything);
    assert_int_equal(licet_store_generation(f.store), 1);
    assert_int_equal(licet_store_cells(f.store), 2);
    assert_string_equal(licet_store_cell_name(f.store, 1), "M-2022-7");
    assert_null(licet_store_cell_name(f.store, 2));
    assert_int_equal(licet_store_counters(f.store), 3);
    assert_string_equal(licet_store_counter_identity(f.store, 2), "M-2022-7/RATE/request/900s/app/pages");
    assert_null(licet_store_image(f.store, 0));
    assert_non_null(licet_store_image(f.store, 1));
    assert_ptr_equal(licet_store_image(f.store, 1), licet_store_image_of(f.store, "M-2022-7"));
    assert_null(licet_store_image_of(f.store, "M-1"));
    assert_file(&f, "data/cells", "0\tunidentified\n1\tM-2022-7\n");
    assert_file(&f, "data/counters",
                "0\tM-2022-7/CAP-MONTH/post/month/licensee\n1\tM-2022-7/RATE/request/900s/app/feed\n"
                "2\tM-2022-7/RATE/request/900s/app/pages\n");
    assert_file(&f, "data/images/current", "1\n");
    assert_int_equal(mode_of(&f, "data/images/image-1"), 0640);
    assert_int_equal(mode_of(&f, "data/images/index-1"), 0640);
    assert_int_equal(mode_of(&f, "data/images/current"), 0640);
    assert_int_equal(mode_of(&f, "data/images"), 0750);
    fixture_done(&f);
}

static void
test_apply_again(void **state)
{
    fixture f;

    fixture_init(&f);
    apply(&f);
    expect(&f, false, "");
    expect(&f, true, "");
    assert_int_equal(licet_store_generation(f.store), 1);
    reopen(&f);
    expect(&f, true, "");
    assert_int_equal(licet_store_generation(f.store), 1);
    assert_int_equal(licet_store_image(f.store, 1)->header->number, 1);
    fixture_done(&f);
}

/* What was mapped before an apply can be read after it; numbers of images and generations only grow. */
static void
test_apply_change(void **state)
{
    fixture f;

    fixture_init(&f);
    apply(&f);
    const licet_image *before = licet_store_image(f.store, 1);
    test_change(&f.site, VERSION, "most: 2_000_000", "most: 1_000_000");
    expect(&f, false, "~ limit CAP-MONTH of version 2022-10-10: most 2000000 -> 1000000 post per month\n");
    expect(&f, true, "~ limit CAP-MONTH of version 2022-10-10: most 2000000 -> 1000000 post per month\n");
    assert_int_equal(licet_store_generation(f.store), 2);
    assert_int_equal(licet_store_counters(f.store), 3);
    assert_int_equal(before->limits[0].most, 2000000);
    assert_int_equal(licet_store_image(f.store, 1)->limits[0].most, 1000000);
    assert_int_equal(licet_store_image(f.store, 1)->header->number, 2);
    assert_ptr_equal(licet_store_image_number(f.store, 1), before);
    reopen(&f);
    assert_int_equal(licet_store_image_number(f.store, 1)->limits[0].most, 2000000);
    assert_null(licet_store_image_number(f.store, 9));
    fixture_done(&f);
}

static void
test_agreement_goes_and_comes(void **state)
{
    fixture f;

    fixture_init(&f);
    char *text = test_replaced(test_files[2].text, "agreement: M-2022-7", "agreement: M-2");
    test_write(&f.site, "agreements/M-2/2022-10-10.yaml", text, strlen(text));
    test_write(&f.site, "agreements/M-2/apps.yaml", "apps: {}\n", 9);
    apply(&f);
    assert_int_equal(licet_store_cells(f.store), 3);
    const uint64_t number = licet_store_image_of(f.store, "M-2")->header->number;
    char path[128];
    snprintf(path, sizeof(path), "%s/agreements/M-2/2022-10-10.yaml", f.site.dir);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/agreements/M-2/apps.yaml", f.site.dir);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/agreements/M-2", f.site.dir);
    assert_int_equal(rmdir(path), 0);
    expect(&f, false, "- agreement M-2\n");
    expect(&f, true, "- agreement M-2\n");
    assert_null(licet_store_image_of(f.store, "M-2"));
    expect(&f, true, "");
    reopen(&f);
    assert_null(licet_store_image_of(f.store, "M-2"));
    assert_string_equal(licet_store_cell_name(f.store, 1), "M-2"); /* its number stays */
    test_write(&f.site, "agreements/M-2/2022-10-10.yaml", text, strlen(text));
    test_write(&f.site, "agreements/M-2/apps.yaml", "apps: {}\n", 9);
    apply(&f);
    assert_int_equal(licet_store_image_of(f.store, "M-2")->header->cell, 1);
    assert_true(licet_store_image_of(f.store, "M-2")->header->number > number);
    assert_int_equal(licet_store_cells(f.store), 3);
    free(text);
    fixture_done(&f);
}

static void
assert_kind(const fixture *f, uint32_t kind, const char *name)
{
    const licet_image *image = licet_store_image(f->store, 1);

    assert_true(kind < image->header->kinds_len);
    assert_true(licet_bytes_equal_text(licet_image_text(image, image->header->kinds[kind]), name));
}

/* Leases and ids under way know a kind by its number alone, and belong to no image. */
static void
test_kinds_keep_their_numbers(void **state)
{
    fixture f;

    fixture_init(&f);
    apply(&f);
    assert_kind(&f, 2, "post");
    assert_kind(&f, 3, "user");
    char *text =
        test_replaced(test_files[1].text, "units: { post: {}, user: {} }", "units: { list: {}, user: {}, post: {} }");
    test_write(&f.site, CATALOGUE, text, strlen(text));
    free(text);
    apply(&f);
    assert_int_equal(licet_store_image(f.store, 1)->header->number, 2);
    assert_kind(&f, 2, "post");
    assert_kind(&f, 3, "user");
    assert_kind(&f, 4, "list");
    expect(&f, true, ""); /* the same again, and after a start */
    reopen(&f);
    expect(&f, true, "");
    assert_int_equal(licet_store_image(f.store, 1)->header->number, 2);
    fixture_done(&f);
}

static void
test_flow_is_in_the_image(void **state)
{
    fixture f;

    fixture_init(&f);
    apply(&f);
    test_change(&f.site, CONFIG, "flow: acquired", "flow: passed-on");
    expect(&f, true, "~ agreement M-2022-7: flow acquired -> passed-on\n");
    assert_int_equal(licet_store_image(f.store, 1)->header->flow, LICET_FLOW_PASSED_ON);
    fixture_done(&f);
}

static void
test_unknown_group(void **state)
{
    licet_store_changes changes = {0};
    licet_error err = {0};
    fixture f;

    fixture_init(&f);
    test_change(&f.site, CONFIG, "gate: 1\n", "gate: 1\ngroup: no-such-group\n");
    licet_site *loaded = test_site_load(&f.site);
    assert_false(licet_store_apply(f.store, loaded, &changes, &err));
    assert_string_equal(err.text, "licet.yaml: group \"no-such-group\": this machine has no such group");
    licet_site_free(loaded);
    fixture_done(&f);
}

/* ---- reading ----------------------------------------------------------------------- */

static void
test_read_only(void **state)
{
    licet_store_changes changes = {0};
    licet_store *reader;
    licet_error err = {0};
    test_site site;

    test_site_init(&site);
    fixture f = {.site = site};
    f.store = open_store(&f, true); /* of a site that was never applied; it makes nothing */
    assert_int_equal(mode_of(&f, "data"), 0);
    assert_int_equal(licet_store_generation(f.store), 0);
    expect(&f, false, everything);
    assert_int_equal(licet_store_cells(f.store), 1);
    assert_string_equal(licet_store_cell_name(f.store, 0), "unidentified");
    licet_site *loaded = test_site_load(&f.site);
    assert_false(licet_store_apply(f.store, loaded, &changes, &err));
    assert_int_equal(err.code, LICET_E_STATE);
    licet_site_free(loaded);
    reopen(&f);
    apply(&f);
    reader = open_store(&f, true);
    assert_int_equal(licet_store_generation(reader), 1);
    assert_non_null(licet_store_image_of(reader, "M-2022-7"));
    licet_store_close(reader);
    fixture_done(&f);
}

static void
expect_corrupt(fixture *f, const char *expected)
{
    licet_store *store = NULL;
    licet_error err = {0};

    assert_false(licet_store_open(f->site.dir, true, &store, &err));
    if (strstr(err.text, expected) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, expected);
    }
}

static void
test_spoiled_files(void **state)
{
    fixture f;
    char *image;

    fixture_init(&f);
    apply(&f);
    test_write(&f.site, "data/images/current", "x\n", 2);
    expect_corrupt(&f, "/data/images/current: expected the number of a generation");
    test_write(&f.site, "data/images/current", "2\n", 2);
    expect_corrupt(&f, "/data/images/index-2: No such file or directory");
    test_write(&f.site, "data/images/current", "1\n", 2);
    test_write(&f.site, "data/cells", "0\tunidentified\n2\tM-2022-7\n", 26);
    expect_corrupt(&f, "/data/cells: line 2: expected number 1, a tab and a name");
    test_write(&f.site, "data/cells", "0\tM-2022-7\n", 11);
    expect_corrupt(&f, "cell 0: expected unidentified");
    test_write(&f.site, "data/cells", "0\tunidentified\n", 15);
    expect_corrupt(&f, "names cell 1, which data/cells does not have");
    test_write(&f.site, "data/cells", "0\tunidentified\n1\tM-2022-8\n", 26);
    expect_corrupt(&f, "image 1 is not that of cell 1");
    test_write(&f.site, "data/cells", "0\tunidentified\n1\tM-2022-7\n", 26);
    image = read_text(&f, "data/images/image-1");
    test_write(&f.site, "data/images/image-1", image, 100);
    expect_corrupt(&f, "/data/images/image-1: image: 100 bytes are shorter than its header");
    free(image);
    test_write(&f.site, "data/images/index-1", "LICETIDX", 8);
    expect_corrupt(&f, "/data/images/index-1: index: it does not begin with LICETIDX and a header");
    fixture_done(&f);
}

/* A line that a crash cut counts as never written, and the next append takes its place. */
static void
test_cut_tables(void **state)
{
    fixture f;

    fixture_init(&f);
    apply(&f);
    char *counters = read_text(&f, "data/counters");
    char *cut = test_replaced("", NULL, counters);
    strcpy(cut + strlen(cut) - 1, "");
    test_write(&f.site, "data/counters", cut, strlen(cut)); /* the last line without its LF */
    reopen(&f);
    assert_int_equal(licet_store_counters(f.store), 2);
    test_change(&f.site, VERSION, "mode: enforce", "mode: observe");
    apply(&f);
    assert_file(&f, "data/counters", counters);
    free(counters);
    free(cut);
    fixture_done(&f);
}

/* Files of an apply that never came to its end: not in force, and their numbers are not given again. */
static void
test_leftovers(void **state)
{
    fixture f;

    fixture_init(&f);
    apply(&f);
    test_write(&f.site, "data/images/image-7", "x", 1);
    test_write(&f.site, "data/images/index-4", "x", 1);
    test_change(&f.site, VERSION, "mode: enforce", "mode: observe");
    apply(&f);
    assert_int_equal(licet_store_generation(f.store), 5);
    assert_int_equal(licet_store_image(f.store, 1)->header->number, 8);
    reopen(&f);
    assert_int_equal(licet_store_generation(f.store), 5);
    fixture_done(&f);
}

static unsigned
count_files(const fixture *f)
{
    char path[512];
    unsigned n = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/data/images", f->site.dir);
    dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *found; (found = readdir(dir)) != NULL;) {
        n += found->d_name[0] != '.';
    }
    closedir(dir);
    return n;
}

static void
test_prune(void **state)
{
    static const char *const modes[] = {"mode: observe", "mode: enforce"};
    fixture f;

    fixture_init(&f);
    for (unsigned i = 0; i < 4; i++) {
        test_change(&f.site, VERSION, "mode: enforce", modes[i % 2]);
        apply(&f);
    }
    assert_int_equal(count_files(&f), 9);
    licet_store_prune(f.store, 3, 2); /* image 2 is needed, though its generation is left */
    assert_int_equal(count_files(&f), 6);
    assert_int_equal(mode_of(&f, "data/images/image-1"), 0);
    assert_int_equal(mode_of(&f, "data/images/image-2"), 0640);
    licet_store_prune(f.store, 3, 100); /* image 3 is named by index 3 */
    assert_int_equal(count_files(&f), 5);
    licet_store_prune(f.store, 100, 100); /* what is in force stays */
    assert_int_equal(count_files(&f), 3);
    assert_non_null(licet_store_image_number(f.store, 1)); /* mapped until close */
    reopen(&f);
    assert_int_equal(licet_store_generation(f.store), 4);
    assert_null(licet_store_image_number(f.store, 1));
    fixture_done(&f);
}

static unsigned
count_mapped_images(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[4096];
    unsigned n = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        n += strstr(line, "/data/images/image-") != NULL;
    }
    fclose(maps);
    return n;
}

static bool
judge_no(void *user, const licet_store_changes *changes, licet_error *err)
{
    (void)user;
    assert_int_equal(changes->len, 1);
    return LICET_FAIL(err, LICET_E_INVALID, 0, "no");
}

/* What a refused apply compiled is neither kept nor mapped; the next one is as if it had not been. */
static void
test_a_refused_apply_leaves_nothing(void **state)
{
    fixture f;
    unsigned files, mapped;

    fixture_init(&f);
    apply(&f);
    files = count_files(&f);
    mapped = count_mapped_images();
    test_change(&f.site, VERSION, "mode: enforce", "mode: observe");
    for (unsigned i = 0; i < 20; i++) {
        licet_mistakes mistakes = {0};
        licet_store_changes changes = {0};
        licet_site *site = NULL;
        licet_error err = {0};

        assert_true(licet_site_load(f.site.dir, &mistakes, &site, &err));
        assert_false(licet_store_apply_judged(f.store, site, judge_no, NULL, &changes, &err));
        licet_site_free(site);
        licet_mistakes_done(&mistakes);
    }
    assert_int_equal(count_files(&f), files);
    assert_int_equal(count_mapped_images(), mapped);
    apply(&f);
    assert_int_equal(licet_store_generation(f.store), 2);
    fixture_done(&f);
}

/* ---- index ---------------------------------------------------------------------------- */

static void
test_index(void **state)
{
    static const char other_apps[] = "apps:\n  pages:\n    products: [P]\n    credentials:\n"
                                     "      - { id: K-9, kind: api-key, from: 2022-10-10, hmac_sha256: "
                                     "0011223344556677889900000000000000000000000000000000000000000000 }\n";
    licet_index index;
    uint8_t hmac[32];
    uint8_t *data;
    size_t len;
    char path[128];
    fixture f;

    fixture_init(&f);
    char *text = test_replaced(test_files[2].text, "agreement: M-2022-7", "agreement: M-2");
    test_write(&f.site, "agreements/M-2/2022-10-10.yaml", text, strlen(text));
    free(text);
    test_write(&f.site, "agreements/M-2/apps.yaml", other_apps, strlen(other_apps));
    apply(&f);
    snprintf(path, sizeof(path), "%s/data/images/index-1", f.site.dir);
    assert_true(licet_file_read(path, (size_t)1 << 20, &data, &len, NULL));
    assert_true(licet_index_open(licet_bytes_of(data, len), &index, NULL));
    assert_int_equal(index.header->images_len, 2);
    assert_true(licet_unhex(LICET_BYTES_LITERAL("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
                            hmac, sizeof(hmac)));
    const licet_index_credential *credential = licet_index_by_hmac(&index, hmac);
    assert_non_null(credential);
    assert_int_equal(credential->cell, 2);
    hmac[31] ^= 1;
    assert_null(licet_index_by_hmac(&index, hmac));
    memset(hmac, 0xff, sizeof(hmac));
    assert_null(licet_index_by_hmac(&index, hmac));
    assert_null(licet_index_by_app(&index, LICET_BYTES_LITERAL("pages"))); /* two agreements have it */
    assert_non_null(licet_index_by_app(&index, LICET_BYTES_LITERAL("feed")));
    assert_int_equal(licet_index_by_app(&index, LICET_BYTES_LITERAL("M-2/pages"))->cell, 1);
    assert_int_equal(licet_index_by_app(&index, LICET_BYTES_LITERAL("M-2022-7/pages"))->cell, 2);
    assert_int_equal(licet_index_by_app(&index, LICET_BYTES_LITERAL("M-2022-7/pages"))->app, 1);
    assert_null(licet_index_by_app(&index, LICET_BYTES_LITERAL("")));
    for (size_t i = 0; i < len; i++) {   /* no byte of it may change */
        bool header = i >= 12 && i < 16; /* reserved */
        bool generation = i >= offsetof(licet_index_header, generation) && i < offsetof(licet_index_header, sha256);
        data[i] ^= 0x80;
        if (!header && !generation && licet_index_open(licet_bytes_of(data, len), &index, NULL)) {
            fail_msg("byte %zu changed and the index opened", i);
        }
        data[i] ^= 0x80;
    }
    free(data);
    fixture_done(&f);
}

/* ---- keys ------------------------------------------------------------------------------- */

static void
test_gate_keys(void **state)
{
    licet_gate_keys keys, again;
    licet_error err = {0};
    char path[128];
    fixture f;

    fixture_init(&f);
    snprintf(path, sizeof(path), "%s/data/gate.key", f.site.dir);
    assert_false(licet_gate_keys_read(f.site.dir, false, &keys, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    assert_true(licet_gate_keys_read(f.site.dir, true, &keys, &err));
    assert_int_equal(mode_of(&f, "data/gate.key"), 0600);
    assert_true(licet_gate_keys_read(f.site.dir, true, &again, &err));
    assert_memory_equal(&keys, &again, sizeof(keys));
    assert_int_equal(chmod(path, 0640), 0);
    assert_false(licet_gate_keys_read(f.site.dir, true, &again, &err));
    assert_int_equal(err.code, LICET_E_STATE);
    assert_non_null(strstr(err.text, "mode 0640: expected 0600"));
    assert_int_equal(chmod(path, 0600), 0);
    test_write(&f.site, "data/gate.key", "decision 00\n", 12);
    assert_false(licet_gate_keys_read(f.site.dir, true, &again, &err));
    assert_int_equal(err.code, LICET_E_CORRUPT);
    fixture_done(&f);
}

/* ---- numbers ------------------------------------------------------------------------------ */

static void
test_numbers(void **state)
{
    licet_numbers numbers;
    uint32_t number;
    char name[32], path[128];
    test_site site;

    test_site_init(&site);
    snprintf(path, sizeof(path), "%s/numbers", site.dir);
    licet_numbers_init(&numbers);
    assert_int_equal(licet_numbers_find(&numbers, "n0"), LICET_NONE);
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        assert_true(licet_numbers_of(&numbers, name, &number, NULL));
        assert_int_equal(number, i);
        if (i == 1999) {
            assert_true(licet_numbers_append(&numbers, path, NULL));
        }
    }
    licet_numbers_forget(&numbers);
    assert_int_equal(numbers.len, 2000);
    assert_int_equal(licet_numbers_find(&numbers, "n2000"), LICET_NONE);
    assert_int_equal(licet_numbers_find(&numbers, "n1999"), 1999);
    assert_true(licet_numbers_of(&numbers, "other", &number, NULL));
    assert_int_equal(number, 2000);
    assert_true(licet_numbers_append(&numbers, path, NULL));
    licet_numbers_done(&numbers);
    licet_numbers_init(&numbers);
    assert_true(licet_numbers_load(&numbers, path, NULL));
    assert_int_equal(numbers.len, 2001);
    assert_int_equal(licet_numbers_find(&numbers, "other"), 2000);
    licet_numbers_done(&numbers);
    test_site_done(&site);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_apply),
        cmocka_unit_test(test_apply_again),
        cmocka_unit_test(test_apply_change),
        cmocka_unit_test(test_agreement_goes_and_comes),
        cmocka_unit_test(test_kinds_keep_their_numbers),
        cmocka_unit_test(test_flow_is_in_the_image),
        cmocka_unit_test(test_unknown_group),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_spoiled_files),
        cmocka_unit_test(test_cut_tables),
        cmocka_unit_test(test_leftovers),
        cmocka_unit_test(test_prune),
        cmocka_unit_test(test_a_refused_apply_leaves_nothing),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_gate_keys),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
