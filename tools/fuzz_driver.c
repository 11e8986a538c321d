/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz driver: runs a fuzz target over the files of a corpus folder, for
 * builds without libFuzzer, so that no target rots.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t len = 0, capacity = 0;

    if (file == NULL) {
        perror(path);
        return 1;
    }
    for (;;) {
        if (len == capacity) {
            capacity = capacity ? capacity * 2 : 65536;
            uint8_t *more = realloc(data, capacity);
            if (more == NULL) {
                abort();
            }
            data = more;
        }
        size_t n = fread(data + len, 1, capacity - len, file);
        if (n == 0) {
            break;
        }
        len += n;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, len);
    free(data);
    return 0;
}

int
main(int argc, char **argv)
{
    unsigned files = 0;
    int rc = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    DIR *dir = opendir(argv[1]);
    if (dir == NULL) {
        perror(argv[1]);
        return 2;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        rc |= run_file(path);
        files++;
    }
    closedir(dir);
    LLVMFuzzerTestOneInput(NULL, 0);
    printf("%u corpus files\n", files);
    return files > 0 ? rc : 1;
}
