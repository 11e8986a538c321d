/* SPDX-License-Identifier: Apache-2.0 */
/* Names of a ledger's dictionary, see names.h. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_FREE UINT32_MAX
#define CONTEXTS_MAX ((size_t)1 << 26) /* 512 MiB of table: more is no dictionary */

void
ledger_names_done(ledger_names *names)
{
    free(names->contexts);
    memset(names, 0, sizeof(*names));
}

/* Where the number is, or the free place where it belongs. cap is a power of two and never full. */
static size_t
place_of(const uint32_t *table, size_t cap, uint32_t number)
{
    uint32_t hash = number * 2654435761u; /* wraps around */
    size_t place = hash & (cap - 1);
    while (table[place] != NUMBER_FREE && table[place] != number)
        place = (place + 1) & (cap - 1);
    return place;
}

static bool
given(const ledger_names *names, uint32_t number)
{
    if (number == NUMBER_FREE)
        return names->greatest;
    return names->contexts_cap > 0 && names->contexts[place_of(names->contexts, names->contexts_cap, number)] == number;
}

static bool
table_grow(ledger_names *names, licet_error *err)
{
    size_t cap = names->contexts_cap == 0 ? 64 : 2 * names->contexts_cap;
    if (cap > 2 * CONTEXTS_MAX)
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "more than %zu contexts", CONTEXTS_MAX);
    uint32_t *table = malloc(cap * sizeof(*table));
    if (table == NULL)
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a dictionary of %zu contexts", cap / 2);
    memset(table, 0xff, cap * sizeof(*table));
    for (size_t i = 0; i < names->contexts_cap; i++)
        if (names->contexts[i] != NUMBER_FREE)
            table[place_of(table, cap, names->contexts[i])] = names->contexts[i];
    free(names->contexts);
    names->contexts = table;
    names->contexts_cap = cap;
    return true;
}

bool
ledger_names_give_context(ledger_names *names, uint32_t number, licet_error *err)
{
    if (given(names, number))
        return LICET_FAIL(err, LICET_E_INVALID, 1, "context %u is given a second time", number);
    if (number == NUMBER_FREE) {
        names->greatest = true;
        return true;
    }
    if (2 * (names->contexts_len + 1) > names->contexts_cap && !table_grow(names, err))
        return false;
    names->contexts[place_of(names->contexts, names->contexts_cap, number)] = number;
    names->contexts_len++;
    return true;
}

bool
ledger_names_give_unit(ledger_names *names, uint8_t number, licet_error *err)
{
    uint64_t bit = (uint64_t)1 << (number % 64);
    if (names->units[number / 64] & bit)
        return LICET_FAIL(err, LICET_E_INVALID, 1, "unit kind %u is given a second time", number);
    names->units[number / 64] |= bit;
    return true;
}

bool
ledger_names_context(const ledger_names *names, uint32_t number, licet_error *err)
{
    if (!given(names, number))
        return LICET_FAIL(err, LICET_E_INVALID, 0, "context %u is named before its record", number);
    return true;
}

bool
ledger_names_units(const ledger_names *names, const licet_receipt_unit *units, size_t len, licet_error *err)
{
    for (size_t i = 0; i < len; i++)
        if (!(names->units[units[i].kind / 64] >> (units[i].kind % 64) & 1))
            return LICET_FAIL(err, LICET_E_INVALID, 0, "unit kind %u is named before its record", units[i].kind);
    return true;
}
