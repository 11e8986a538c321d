/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mistakes: a growing list, ordered at the end; see mistakes.h.
 */
#include "mistakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
make_room(licet_mistakes *mistakes)
{
    size_t capacity = mistakes->capacity == 0 ? 16 : mistakes->capacity * 2;
    licet_mistake *list;

    if (mistakes->len < mistakes->capacity) {
        return true;
    }
    list = realloc(mistakes->list, capacity * sizeof(*list));
    if (list == NULL) {
        return false;
    }
    mistakes->list = list;
    mistakes->capacity = capacity;
    return true;
}

bool
licet_mistakes_add(licet_mistakes *mistakes, const char *file, unsigned line, unsigned column, const char *text)
{
    licet_mistake *mistake;
    char cut[96];

    if (mistakes->len > LICET_MISTAKES_MAX) {
        return true;
    }
    if (mistakes->len == LICET_MISTAKES_MAX) {
        snprintf(cut, sizeof(cut), "more than %u mistakes: mend these first, the rest is not listed",
                 LICET_MISTAKES_MAX);
        text = cut;
        line = column = 0;
    }
    if (!make_room(mistakes)) {
        return false;
    }
    mistake = &mistakes->list[mistakes->len];
    mistake->file = strdup(file);
    mistake->text = strdup(text);
    mistake->line = line;
    mistake->column = column;
    if (mistake->file == NULL || mistake->text == NULL) {
        free(mistake->file);
        free(mistake->text);
        return false;
    }
    mistakes->len++;
    return true;
}

static int
compare(const void *left, const void *right)
{
    const licet_mistake *a = left, *b = right;
    int order = strcmp(a->file, b->file);

    if (order == 0) {
        order = (a->line > b->line) - (a->line < b->line);
    }
    if (order == 0) {
        order = (a->column > b->column) - (a->column < b->column);
    }
    return order != 0 ? order : strcmp(a->text, b->text);
}

void
licet_mistakes_sort(licet_mistakes *mistakes)
{
    size_t kept = 0;

    if (mistakes->len < 2) {
        return;
    }
    qsort(mistakes->list, mistakes->len, sizeof(*mistakes->list), compare);
    for (size_t i = 1; i < mistakes->len; i++) {
        if (compare(&mistakes->list[kept], &mistakes->list[i]) == 0) {
            free(mistakes->list[i].file);
            free(mistakes->list[i].text);
        } else {
            mistakes->list[++kept] = mistakes->list[i];
        }
    }
    mistakes->len = kept + 1;
}

void
licet_mistakes_done(licet_mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes->len; i++) {
        free(mistakes->list[i].file);
        free(mistakes->list[i].text);
    }
    free(mistakes->list);
    memset(mistakes, 0, sizeof(*mistakes));
}
