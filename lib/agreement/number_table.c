/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Number table: an array of names with a hash over it; see number_table.h.
 */
#include "number_table.h"

#include "licet/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 30)
#define NAME_MAX_LEN 4096u
#define NUMBERS_MAX (UINT32_MAX / 4)

void
licet_numbers_init(licet_numbers *numbers)
{
    memset(numbers, 0, sizeof(*numbers));
}

void
licet_numbers_done(licet_numbers *numbers)
{
    for (uint32_t i = 0; i < numbers->len; i++) {
        free(numbers->names[i]);
    }
    free(numbers->names);
    free(numbers->slots);
    memset(numbers, 0, sizeof(*numbers));
}

static uint64_t
hash_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 32;
}

static void
put_slot(licet_numbers *numbers, uint32_t number)
{
    size_t mask = numbers->slots_len - 1, i = (size_t)hash_of(numbers->names[number]) & mask;

    while (numbers->slots[i] != 0) {
        i = (i + 1) & mask;
    }
    numbers->slots[i] = number + 1;
}

static bool
make_slots(licet_numbers *numbers, size_t len)
{
    uint32_t *slots = calloc(len, sizeof(*slots));

    if (slots == NULL) {
        return false;
    }
    free(numbers->slots);
    numbers->slots = slots;
    numbers->slots_len = len;
    for (uint32_t i = 0; i < numbers->len; i++) {
        put_slot(numbers, i);
    }
    return true;
}

uint32_t
licet_numbers_find(const licet_numbers *numbers, const char *name)
{
    size_t mask = numbers->slots_len - 1;

    if (numbers->slots_len == 0) {
        return LICET_NONE;
    }
    for (size_t i = (size_t)hash_of(name) & mask; numbers->slots[i] != 0; i = (i + 1) & mask) {
        if (strcmp(numbers->names[numbers->slots[i] - 1], name) == 0) {
            return numbers->slots[i] - 1;
        }
    }
    return LICET_NONE;
}

static bool
add(licet_numbers *numbers, const char *name, size_t len, licet_error *err)
{
    char *copy;

    if (numbers->len == NUMBERS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "no number is left for %.64s", name);
    }
    if (numbers->len == numbers->capacity) {
        uint32_t capacity = numbers->capacity == 0 ? 64 : numbers->capacity * 2;
        char **names = realloc(numbers->names, capacity * sizeof(*names));
        if (names == NULL) {
            return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u names", capacity);
        }
        numbers->names = names;
        numbers->capacity = capacity;
    }
    if ((size_t)numbers->len * 2 + 2 > numbers->slots_len &&
        !make_slots(numbers, numbers->slots_len == 0 ? 128 : numbers->slots_len * 2)) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %u names", numbers->len);
    }
    copy = strndup(name, len);
    if (copy == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a name");
    }
    numbers->names[numbers->len++] = copy;
    put_slot(numbers, numbers->len - 1);
    return true;
}

bool
licet_numbers_of(licet_numbers *numbers, const char *name, uint32_t *out_number, licet_error *err)
{
    uint32_t number = licet_numbers_find(numbers, name);

    if (number == LICET_NONE) {
        if (!add(numbers, name, strlen(name), err)) {
            return false;
        }
        number = numbers->len - 1;
    }
    *out_number = number;
    return true;
}

/* One line without its LF. */
static bool
read_line(licet_numbers *numbers, const char *path, licet_bytes line, uint64_t offset, licet_error *err)
{
    const uint8_t *tab = line.len == 0 ? NULL : memchr(line.data, '\t', line.len);
    uint64_t number;
    licet_bytes name;

    if (tab == NULL || !licet_parse_u64(licet_bytes_of(line.data, (size_t)(tab - line.data)), &number) ||
        number != numbers->len) {
        return LICET_FAIL(err, LICET_E_CORRUPT, offset, "%s: line %u: expected number %u, a tab and a name", path,
                          numbers->len + 1, numbers->len);
    }
    name = licet_bytes_of(tab + 1, line.len - (size_t)(tab - line.data) - 1);
    if (name.len == 0 || name.len > NAME_MAX_LEN || memchr(name.data, '\0', name.len) != NULL) {
        return LICET_FAIL(err, LICET_E_CORRUPT, offset, "%s: line %u: its name cannot be", path, numbers->len + 1);
    }
    return add(numbers, (const char *)name.data, name.len, err);
}

bool
licet_numbers_load(licet_numbers *numbers, const char *path, licet_error *err)
{
    uint8_t *data = NULL;
    size_t len = 0, start = 0;
    bool good = false;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return true;
    }
    if (!licet_file_read(path, FILE_MAX, &data, &len, err)) {
        return false;
    }
    while (start < len) {
        const uint8_t *end = memchr(data + start, '\n', len - start);
        if (end == NULL) {
            break; /* (3) */
        }
        if (!read_line(numbers, path, licet_bytes_of(data + start, (size_t)(end - data) - start), start, err)) {
            goto done;
        }
        start = (size_t)(end - data) + 1;
    }
    numbers->durable = numbers->len;
    numbers->file_len = start;
    good = true;
done:
    free(data);
    return good;
}

bool
licet_numbers_append(licet_numbers *numbers, const char *path, licet_error *err)
{
    licet_buffer lines;
    bool good = false;
    int fd = -1;

    licet_buffer_init(&lines, FILE_MAX);
    if (numbers->durable == numbers->len) {
        good = true;
        goto done;
    }
    for (uint32_t i = numbers->durable; i < numbers->len; i++) {
        licet_put_format(&lines, "%u\t%s\n", i, numbers->names[i]);
    }
    if (lines.failed) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for %u lines", path, numbers->len - numbers->durable);
        goto done;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 || ftruncate(fd, (off_t)numbers->file_len) != 0) { /* (3): what a crash left goes first */
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
        goto done;
    }
    if (!licet_file_write_at(fd, path, licet_buffer_view(&lines), numbers->file_len, err)) {
        goto done;
    }
    if (fsync(fd) != 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
        goto done;
    }
    numbers->file_len += lines.len;
    numbers->durable = numbers->len;
    good = true;
done:
    if (fd >= 0) {
        close(fd);
    }
    licet_buffer_done(&lines);
    return good;
}

void
licet_numbers_forget(licet_numbers *numbers)
{
    if (numbers->len == numbers->durable) {
        return;
    }
    while (numbers->len > numbers->durable) {
        free(numbers->names[--numbers->len]);
    }
    memset(numbers->slots, 0, numbers->slots_len * sizeof(*numbers->slots));
    for (uint32_t i = 0; i < numbers->len; i++) {
        put_slot(numbers, i);
    }
}
