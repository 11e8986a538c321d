/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what was handed over: each file once, from begin to end, for its hash, its length and its ids.
 *
 *  (1) Memory does not grow with a file, but for the set of distinct ids, which has a ceiling.
 *  (2) A file that changes while it is read is refused: its hash would be of nothing that was ever handed over.
 *  (3) A file in which something cannot be counted is refused with its place. Unknown is never a zero.
 */
#include "disclose.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };
#define PROGRESS_FROM ((uint64_t)100 << 20)

typedef struct file_state {
    disclose_reading *reading;
    const char *name;
    disclose_form form;
    EVP_MD_CTX *digest;
    licet_scan scan;
    disclose_table table;
    uint64_t size; /* so far */
    struct stat before;
    struct timespec shown;
    bool failed; /* adding an id did */
    licet_error *err;
} file_state;

static disclose_form
form_of(const disclose_reading *reading, const char *name)
{
    static const struct {
        const char *ending;
        disclose_form form;
    } endings[] = {
        {".csv", DISCLOSE_CSV}, {".json", DISCLOSE_JSON}, {".ndjson", DISCLOSE_NDJSON}, {".jsonl", DISCLOSE_NDJSON}};
    size_t len = strlen(name);

    for (size_t i = 0; reading->form == DISCLOSE_AUTO && i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i].ending);

        if (len > n && strcmp(name + len - n, endings[i].ending) == 0) {
            return endings[i].form;
        }
    }
    return reading->form == DISCLOSE_AUTO ? DISCLOSE_LINES : reading->form;
}

static bool
is_json(disclose_form form)
{
    return form == DISCLOSE_JSON || form == DISCLOSE_NDJSON;
}

/* ---- ids ------------------------------------------------------------------------------ */

static bool
on_table_id(void *user, licet_bytes id, licet_error *err)
{
    file_state *f = user;
    bool is_new;

    f->reading->total++;
    if (!count_ids_add(f->reading->ids, 0, id, &is_new, err)) {
        return false;
    }
    f->reading->distinct += is_new;
    return true;
}

static void
on_scan_id(void *user, unsigned unit, licet_bytes id)
{
    file_state *f = user;

    (void)unit;
    f->failed = f->failed || !on_table_id(f, id, f->err);
}

static bool
feed(file_state *f, licet_bytes bytes)
{
    if (EVP_DigestUpdate(f->digest, bytes.data, bytes.len) != 1) {
        return LICET_FAIL(f->err, LICET_E_SYSTEM, 0, "libcrypto cannot hash");
    }
    f->size += bytes.len;
    if (is_json(f->form)) {
        licet_scan_feed(&f->scan, f->reading->plan, bytes, on_scan_id, f);
        return !f->failed;
    }
    return f->form == DISCLOSE_NOTHING || disclose_table_feed(&f->table, bytes, on_table_id, f, f->err);
}

static bool
end(file_state *f)
{
    licet_scan_result result;

    if (f->form == DISCLOSE_NOTHING) {
        return true;
    }
    if (!is_json(f->form)) {
        return disclose_table_end(&f->table, on_table_id, f, f->err);
    }
    licet_scan_end(&f->scan, f->reading->plan, on_scan_id, f);
    licet_scan_look(&f->scan, &result);
    if (f->failed) {
        return false;
    }
    return result.reason == LICET_UNMETERED_NONE ||
           LICET_FAIL(f->err, LICET_E_INVALID, 0, "byte %llu: it cannot be counted: %s",
                      (unsigned long long)result.offset, licet_unmetered_slug(result.reason));
}

/* ---- the file --------------------------------------------------------------------------- */

/* A line on stderr, five times a second at most. */
static void
show_progress(file_state *f)
{
    struct timespec now;

    if ((uint64_t)f->before.st_size < PROGRESS_FROM || !isatty(STDERR_FILENO)) {
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - f->shown.tv_sec) * 1000 + (now.tv_nsec - f->shown.tv_nsec) / 1000000 < 200) {
        return;
    }
    f->shown = now;
    fprintf(stderr, "\r\033[K%s: %llu %%", f->name,
            (unsigned long long)(f->size / ((uint64_t)f->before.st_size / 100 + 1)));
}

static bool
unchanged(const file_state *f, int fd)
{
    struct stat after;

    return fstat(fd, &after) == 0 && after.st_size == f->before.st_size && (uint64_t)after.st_size == f->size &&
           after.st_mtim.tv_sec == f->before.st_mtim.tv_sec && after.st_mtim.tv_nsec == f->before.st_mtim.tv_nsec;
}

static bool
read_all(file_state *f, int fd, uint8_t *buffer)
{
    bool ok = true;
    ssize_t n = 1;

    while (ok && n != 0) {
        n = read(fd, buffer, READ_SIZE);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        if (n < 0) {
            return LICET_FAIL(f->err, LICET_E_SYSTEM, 0, "cannot read: %s", strerror(errno));
        }
        ok = n == 0 || feed(f, licet_bytes_of(buffer, (size_t)n));
        show_progress(f);
    }
    if (f->shown.tv_sec != 0) {
        fputs("\r\033[K", stderr);
    }
    if (!ok || !end(f)) {
        return false;
    }
    return unchanged(f, fd) || LICET_FAIL(f->err, LICET_E_CONFLICT, 0, "it changed while it was read");
}

static bool
begin(file_state *f, int fd)
{
    if (fd < 0 || fstat(fd, &f->before) != 0) {
        return LICET_FAIL(f->err, LICET_E_SYSTEM, 0, "cannot open: %s", strerror(errno));
    }
    if (!S_ISREG(f->before.st_mode)) {
        return LICET_FAIL(f->err, LICET_E_INVALID, 0, "it is no file");
    }
    if (is_json(f->form) && f->reading->plan == NULL) {
        return LICET_FAIL(f->err, LICET_E_INVALID, 0, "it is JSON, and %s", f->reading->why_no_plan);
    }
    if (is_json(f->form)) {
        licet_scan_init(&f->scan, f->reading->plan, f->form == DISCLOSE_JSON ? LICET_BODY_JSON : LICET_BODY_NDJSON);
    }
    disclose_table_init(&f->table, f->form == DISCLOSE_LINES, f->reading->column);
    return (f->digest != NULL && EVP_DigestInit_ex(f->digest, EVP_sha256(), NULL) == 1) ||
           LICET_FAIL(f->err, LICET_E_MEMORY, 0, "no memory to hash");
}

bool
disclose_read(disclose_reading *reading, const char *name, licet_error *err)
{
    licet_error why = {0};
    file_state f = {.reading = reading, .name = name, .form = form_of(reading, name), .err = &why};
    licet_disclosure_file *file = &reading->files[reading->files_len];
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t *buffer = malloc(READ_SIZE);
    bool ok;

    f.digest = EVP_MD_CTX_new();
    ok = (buffer != NULL || LICET_FAIL(&why, LICET_E_MEMORY, 0, "no memory to read it")) && begin(&f, fd) &&
         read_all(&f, fd, buffer);
    if (ok && EVP_DigestFinal_ex(f.digest, file->sha256.bytes, NULL) == 1) {
        file->size = f.size;
        reading->files_len++;
    } else if (ok) {
        ok = LICET_FAIL(&why, LICET_E_SYSTEM, 0, "libcrypto cannot hash");
    }
    EVP_MD_CTX_free(f.digest);
    free(buffer);
    if (fd >= 0) {
        close(fd);
    }
    return ok || LICET_FAIL(err, why.code, 0, "%.300s: %.200s", name, why.text);
}
