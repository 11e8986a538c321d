/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this room share: folders that go away, random numbers with a seed, entries that decode. */
#ifndef LICET_LEDGER_TEST_H
#define LICET_LEDGER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "licet/ledger.h"

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        licet_error must_error = {0}, *oops = &must_error;                                                             \
        if (!(call))                                                                                                   \
            fail_msg("%s: %s", #call, oops->text);                                                                     \
    } while (0)

static inline char *
test_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *path = malloc(4096);
    assert_non_null(path);
    snprintf(path, 4096, "%s/licet-ledger-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

/* The files of a folder go, and the folder; one level is all we make. */
static inline void
test_dir_clear(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        char name[8192];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(name);
    }
    closedir(dir);
    rmdir(path);
}

static inline void
test_dir_free(char *path)
{
    test_dir_clear(path);
    free(path);
}

static inline uint64_t
test_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A file as bytes; the caller frees. */
static inline uint8_t *
test_read(const char *path, size_t *out_len)
{
    uint8_t *data = NULL;
    MUST(licet_file_read(path, 1 << 28, &data, out_len, oops));
    return data;
}

static inline void
test_write(const char *path, const uint8_t *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Writes over bytes that are there, and lengths, in place: much cheaper on a disk than a new file. */
static inline void
test_poke(const char *path, size_t at, const uint8_t *data, size_t len)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, len, (off_t)at), len);
    close(fd);
}

static inline void
test_cut(const char *path, size_t len)
{
    assert_int_equal(truncate(path, (off_t)len), 0);
}

#define TEST_T 0x183c1c422faULL /* 2022-10-10T12:00:00.250Z */

/* A receipt of context 1 with 'request' (kind 0) 1 and 'post' (kind 2) some. */
static inline licet_receipt
test_receipt(uint64_t sequence)
{
    return (licet_receipt){.identity = {1, 1, sequence},
                           .time_ms = TEST_T + sequence,
                           .context = 1,
                           .duration_ms = 12,
                           .status = 200,
                           .bytes = 3000 + sequence % 1000,
                           .units_len = 2,
                           .units = {{0, 1}, {2, sequence % 100 + 1}}};
}

/* Entry number 'index' of a small ledger that verifies: fold version, dictionary, then receipts and runs. */
static inline void
test_entry(uint64_t index, licet_buffer *out)
{
    licet_fold_start start = {1, LICET_BYTES_LITERAL("M-1"), LICET_BYTES_LITERAL("licensor"), TEST_T};
    licet_context context = {.app = LICET_BYTES_LITERAL("pages")};
    uint64_t sequences[] = {index * 2, index * 2 + 1};
    licet_refusals run = {.gate = 1,
                          .epoch = 1,
                          .context = 1,
                          .status = 429,
                          .reason = LICET_REASON_CAP_REACHED,
                          .first_ms = TEST_T,
                          .last_ms = TEST_T + index,
                          .count = 2,
                          .sequences = sequences};
    licet_receipt receipt = test_receipt(index);
    out->len = 0;
    switch (index) {
    case 0:
        MUST(licet_fold_start_encode(&start, out, oops));
        break;
    case 1:
        MUST(licet_context_encode(1, &context, out, oops));
        break;
    case 2:
        MUST(licet_unit_encode(0, LICET_BYTES_LITERAL("request"), out, oops));
        break;
    case 3:
        MUST(licet_unit_encode(2, LICET_BYTES_LITERAL("post"), out, oops));
        break;
    default:
        if (index % 7 == 0)
            MUST(licet_refusals_encode(&run, out, oops));
        else
            MUST(licet_receipt_encode(&receipt, out, oops));
    }
}

#endif
