/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform's token: which files give one, and what an image says of them. Numbers are those of outbound.c.
 */
#include "test_site.h"

#include <fcntl.h>

#define SECRET "S3cr3t-that-nobody-may-read"

static void
put(const char *path, const char *text, size_t len, mode_t mode)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* (1), (2) and (3) */
static void
files(void **state)
{
    static char most[LICET_OUTBOUND_TOKEN_MAX + 1];
    static const struct row {
        const char *name, *text;
        mode_t mode;
        licet_errc code;
    } rows[] = {
        {"a line", SECRET "\n", 0600, LICET_E_NONE},
        {"without end", SECRET, 0640, LICET_E_NONE},
        {"of another system", SECRET "\r\n", 0440, LICET_E_NONE},
        {"the longest", most, 0600, LICET_E_NONE},
        {"readable by all", SECRET, 0644, LICET_E_INVALID},
        {"writable by the group", SECRET, 0660, LICET_E_INVALID},
        {"runnable by others", SECRET, 0601, LICET_E_INVALID},
        {"empty", "", 0600, LICET_E_INVALID},
        {"an empty line", "\n", 0600, LICET_E_INVALID},
        {"two lines", SECRET "\n" SECRET "\n", 0600, LICET_E_INVALID},
        {"a space", "Bearer " SECRET, 0600, LICET_E_INVALID},
        {"a header more", SECRET "\r\nX-Other: 1", 0600, LICET_E_INVALID},
        {"no ASCII", "S3cr\xc3\xa9t", 0600, LICET_E_INVALID},
    };
    licet_outbound_token token;
    licet_error err;
    char dir[] = "/tmp/licet-outbound-XXXXXX", path[64];

    (void)state;
    memset(most, 'x', LICET_OUTBOUND_TOKEN_MAX);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/token", dir);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strcspn(rows[i].text, "\r\n");

        put(path, rows[i].text, strlen(rows[i].text), rows[i].mode);
        memset(&err, 0, sizeof(err));
        if (licet_outbound_read(path, &token, &err) != (rows[i].code == LICET_E_NONE) || err.code != rows[i].code) {
            fail_msg("%s: %d %s", rows[i].name, (int)err.code, err.text);
        }
        if (rows[i].code == LICET_E_NONE) {
            assert_int_equal(token.len, len);
            assert_memory_equal(token.text, rows[i].text, len);
        } else {
            assert_null(strstr(err.text, "S3cr"));
        }
    }
    put(path, most, LICET_OUTBOUND_TOKEN_MAX, 0600);
    assert_int_equal(truncate(path, LICET_OUTBOUND_TOKEN_MAX + 100), 0);
    assert_false(licet_outbound_read(path, &token, &err));
    assert_int_equal(unlink(path), 0);
    assert_false(licet_outbound_read(path, &token, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes into it: it must not be waited for */
    assert_false(licet_outbound_read(path, &token, &err));
    assert_int_equal(err.code, LICET_E_INVALID);
    assert_int_equal(unlink(path), 0);
    assert_false(licet_outbound_read(dir, &token, &err));
    assert_int_equal(rmdir(dir), 0);
}

static bool
counter_of(void *user, const char *identity, uint32_t rows, uint32_t *out_counter, licet_error *err)
{
    uint32_t *next = user;

    (void)identity;
    (void)err;
    *out_counter = *next;
    *next += rows;
    return true;
}

static void
expect(const licet_image *image, const char *app, const char *id, const char *header, const char *scheme,
       const char *file)
{
    for (uint32_t i = 0; i < image->header->apps_len; i++) {
        const licet_image_outbound *o;

        if (!licet_bytes_equal_text(licet_image_text(image, image->apps[i].id), app)) {
            continue;
        }
        if (id == NULL) {
            assert_int_equal(image->apps[i].outbound, LICET_NONE);
            return;
        }
        assert_true(image->apps[i].outbound < image->header->outbounds_len);
        o = &image->outbounds[image->apps[i].outbound];
        assert_true(licet_bytes_equal_text(licet_image_text(image, o->id), id));
        assert_true(licet_bytes_equal_text(licet_image_text(image, o->header), header));
        assert_true(licet_bytes_equal_text(licet_image_text(image, o->scheme), scheme));
        assert_true(licet_bytes_equal_text(licet_image_text(image, o->file), file));
        return;
    }
    fail_msg("no app %s", app);
}

/* An app's own comes before the one of all. */
static void
compiled(void **state)
{
    static const struct row {
        const char *from, *to;
        const char *pages[4], *feed[4];
        uint32_t len;
    } rows[] = {
        {"use_cases:", "use_cases:", {NULL}, {NULL}, 0},
        {"use_cases:",
         "outbound: { id: OUT-1, file: secrets/x }\nuse_cases:",
         {"OUT-1", "Authorization", "Bearer", "secrets/x"},
         {"OUT-1", "Authorization", "Bearer", "secrets/x"},
         1},
        {"environment: staging }",
         "environment: staging,\n    outbound: { id: OUT-2, header: X-API-Key, file: /etc/y } }\noutbound: { id: "
         "OUT-1, "
         "scheme: none, file: x }",
         {"OUT-1", "Authorization", "", "x"},
         {"OUT-2", "X-API-Key", "", "/etc/y"},
         2},
        {"environment: staging }",
         "environment: staging,\n    outbound: { id: OUT-2, header: X-Auth, scheme: Token, file: y } }\noutbound: { "
         "id: "
         "OUT-1, header: authorization, scheme: token, file: x }",
         {"OUT-1", "authorization", "token", "x"},
         {"OUT-2", "X-Auth", "Token", "y"},
         2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        licet_error err = {0};
        uint32_t next = 0;
        licet_compile_options options = {.cell = 1, .number = 1, .counter_of = counter_of, .user = &next};
        licet_site *site;
        licet_buffer blob;
        licet_image image;
        test_site dir;

        test_site_init(&dir);
        test_change(&dir, APPS, row->from, row->to);
        site = test_site_load(&dir);
        licet_buffer_init(&blob, 1 << 20);
        assert_true(licet_site_compile(site, 0, &options, &blob, &err));
        assert_true(licet_image_open(licet_buffer_view(&blob), &image, &err));
        assert_int_equal(image.header->outbounds_len, row->len);
        expect(&image, "pages", row->pages[0], row->pages[1], row->pages[2], row->pages[3]);
        expect(&image, "feed", row->feed[0], row->feed[1], row->feed[2], row->feed[3]);
        licet_buffer_done(&blob);
        licet_site_free(site);
        test_site_done(&dir);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files), cmocka_unit_test(compiled)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
