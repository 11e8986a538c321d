/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: whole or not at all, and what is said when the system refuses.
 */
#include "licet/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int
make_folder(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/licet-files-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int
remove_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

static const char *
in_folder(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static unsigned
entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned n = 0;

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    }
    closedir(dir);
    return n;
}

static void
test_replace_and_read(void **state)
{
    licet_error err = {0};
    uint8_t *data;
    size_t len;
    struct stat st;

    umask(022);
    assert_true(licet_file_replace(in_folder("a"), LICET_BYTES_LITERAL("one"), 0600, &err));
    assert_int_equal(stat(in_folder("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(licet_file_replace(in_folder("a"), LICET_BYTES_LITERAL("second"), 0666, &err));
    assert_int_equal(stat(in_folder("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_true(licet_file_read(in_folder("a"), 6, &data, &len, &err));
    assert_int_equal(len, 6);
    assert_memory_equal(data, "second\0", 7);
    free(data);
    assert_false(licet_file_read(in_folder("a"), 5, &data, &len, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
    assert_non_null(strstr(err.text, "6 bytes, more than the 5"));
    assert_true(licet_file_replace(in_folder("a"), licet_bytes_of(NULL, 0), 0600, &err));
    assert_true(licet_file_read(in_folder("a"), 0, &data, &len, &err));
    assert_int_equal(len, 0);
    assert_int_equal(data[0], 0);
    free(data);
    assert_int_equal(entries(folder), 1); /* nothing is left beside it */
}

static void
test_refusals(void **state)
{
    licet_error err = {0};
    uint8_t *data;
    size_t len;

    assert_false(licet_file_read(in_folder("missing"), 10, &data, &len, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "missing: cannot open: No such file"));
    assert_false(licet_file_read(folder, 10, &data, &len, &err));
    assert_int_equal(err.code, LICET_E_INVALID);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_false(licet_file_read(in_folder("pipe"), 10, &data, &len, &err)); /* and does not wait for a writer */
    assert_int_equal(err.code, LICET_E_INVALID);
    assert_false(licet_file_replace(in_folder("no/such"), LICET_BYTES_LITERAL("x"), 0600, &err));
    assert_int_equal(err.code, LICET_E_NOT_FOUND);
    assert_int_equal(mkdir(in_folder("dir"), 0700), 0);
    assert_false(licet_file_replace(in_folder("dir"), LICET_BYTES_LITERAL("x"), 0600, &err));
    assert_int_equal(err.code, LICET_E_SYSTEM);
    assert_int_equal(entries(folder), 3); /* a, pipe, dir: the file that could not be renamed is gone */
}

/* A file whose size says 0 though it has content, as in /proc. */
static void
test_size_unknown(void **state)
{
    licet_error err = {0};
    uint8_t *data;
    size_t len;

    assert_true(licet_file_read("/proc/self/status", 1 << 20, &data, &len, &err));
    assert_true(len > 500);
    assert_int_equal(strlen((char *)data), len);
    free(data);
    assert_false(licet_file_read("/proc/self/status", 100, &data, &len, &err));
    assert_int_equal(err.code, LICET_E_LIMIT);
}

static void
test_at(void **state)
{
    licet_error err = {0};
    const char *path = in_folder("at");
    uint8_t back[8];
    int fd = open(path, O_RDWR | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_true(licet_file_write_at(fd, path, LICET_BYTES_LITERAL("world"), 6, &err));
    assert_true(licet_file_write_at(fd, path, LICET_BYTES_LITERAL("hello "), 0, &err));
    assert_true(licet_file_read_at(fd, path, back, 5, 6, &err));
    assert_memory_equal(back, "world", 5);
    assert_false(licet_file_read_at(fd, path, back, 6, 6, &err));
    assert_int_equal(err.code, LICET_E_CORRUPT);
    assert_int_equal(err.offset, 11);
    assert_false(licet_file_read_at(fd, path, back, 6, UINT64_MAX - 2, &err));
    assert_int_equal(err.code, LICET_E_INVALID);
    assert_false(licet_file_write_at(fd, path, LICET_BYTES_LITERAL("x"), INT64_MAX, &err));
    assert_int_equal(err.code, LICET_E_INVALID);
    close(fd);
    fd = open(path, O_RDONLY);
    assert_false(licet_file_write_at(fd, path, LICET_BYTES_LITERAL("x"), 0, &err));
    assert_int_equal(err.code, LICET_E_SYSTEM);
    close(fd);
}

static void
test_dir_make(void **state)
{
    licet_error err = {0};
    struct stat st;

    assert_true(licet_dir_make(in_folder("x/y//z/"), 0700, &err));
    assert_int_equal(stat(in_folder("x/y/z"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(licet_dir_make(in_folder("x/y/z"), 0700, &err));
    assert_true(licet_dir_make("/", 0700, &err));
    assert_true(licet_file_replace(in_folder("x/file"), LICET_BYTES_LITERAL("x"), 0600, &err));
    assert_false(licet_dir_make(in_folder("x/file"), 0700, &err));
    assert_int_equal(err.code, LICET_E_CONFLICT);
    assert_false(licet_dir_make(in_folder("x/file/under"), 0700, &err));
    assert_int_equal(err.code, LICET_E_CONFLICT);
    assert_false(licet_dir_make("", 0700, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace_and_read), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_size_unknown),     cmocka_unit_test(test_at),
        cmocka_unit_test(test_dir_make),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
