/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: any bytes as the only segment of a journal. The first byte picks
 * reading or writing; the rest is the file. Whatever opens must replay whole,
 * and open again with nothing left to cut.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "licet/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
count(void *user, const licet_journal_entry *entry, licet_error *err)
{
    uint64_t *next = user;
    licet_journal_facts facts;
    licet_journal_facts_of(entry, &facts, err); /* may refuse it: a journal keeps payloads it does not read */
    if (entry->number != (*next)++)
        abort();
    return true;
}

/* The number behind the last entry; 0 when it does not open. */
static uint64_t
open_and_replay(const char *dir, bool read_only, bool again)
{
    licet_journal *j = NULL;
    licet_error err;
    uint64_t next = 1;
    if (!licet_journal_file_open(dir, read_only, 0, &j, &err)) {
        if (again || (err.code != LICET_E_CORRUPT && err.code != LICET_E_MEMORY))
            abort();
        return 0;
    }
    if (!j->ops->replay(j, 1, count, &next, &err) || next != j->ops->next(j) || (again && j->ops->cut(j) != 0))
        abort();
    j->ops->close(j, &err);
    return next;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char dir[] = "/tmp/licet-journal-fuzz-XXXXXX", path[128];
    bool read_only = size > 0 && data[0] % 2 == 0;
    if (mkdtemp(dir) == NULL)
        abort();
    snprintf(path, sizeof(path), "%s/0000000000000001.jnl", dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || (size > 1 && write(fd, data + 1, size - 1) != (ssize_t)(size - 1)))
        abort();
    close(fd);
    uint64_t next = open_and_replay(dir, read_only, false);
    if (next > 0 && !read_only && open_and_replay(dir, false, true) != next)
        abort();
    unlink(path);
    rmdir(dir);
    return 0;
}
