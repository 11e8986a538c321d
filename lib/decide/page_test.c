/* SPDX-License-Identifier: Apache-2.0 */
/* Page: what a query reserves, case by case, and the same as the slow reading on random queries. */
#include "licet/decide.h"

#include "decide_ref.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    licet_page_from from;
    const char *query; /* a\0b cannot be written here; the random test has it */
    uint64_t units;
} cases[] = {
    /* number: whatever is asked for */
    {LICET_PAGE_NONE, "max_results=50", 1},
    {LICET_PAGE_NUMBER, "max_results=5", 100},
    /* query: default 10, most 100 */
    {LICET_PAGE_QUERY, "", 10},
    {LICET_PAGE_QUERY, "query=cats", 10},
    {LICET_PAGE_QUERY, "max_results=50", 50},
    {LICET_PAGE_QUERY, "query=cats&max_results=50&x", 50},
    {LICET_PAGE_QUERY, "max_results=1", 1},
    {LICET_PAGE_QUERY, "max_results=0", 1},
    {LICET_PAGE_QUERY, "max_results=100", 100},
    {LICET_PAGE_QUERY, "max_results=101", 100},
    {LICET_PAGE_QUERY, "max_results=18446744073709551617", 100},
    {LICET_PAGE_QUERY, "max_results=00000000000000000000000000007", 7},
    {LICET_PAGE_QUERY, "max_results=-5", 100},
    {LICET_PAGE_QUERY, "max_results=+5", 100},
    {LICET_PAGE_QUERY, "max_results=5.0", 100},
    {LICET_PAGE_QUERY, "max_results=0x5", 100},
    {LICET_PAGE_QUERY, "max_results=five", 100},
    {LICET_PAGE_QUERY, "max_results=", 100},
    {LICET_PAGE_QUERY, "max_results", 100},
    {LICET_PAGE_QUERY, "max_results=%35", 5},
    {LICET_PAGE_QUERY, "max_results=%355", 55},
    {LICET_PAGE_QUERY, "max_results=5%", 100},
    {LICET_PAGE_QUERY, "max_results=5%00", 100},
    {LICET_PAGE_QUERY, "max%5fresults=50", 50},
    {LICET_PAGE_QUERY, "%6d%61%78_results=50", 50},
    {LICET_PAGE_QUERY, "max_results%3d50", 10},
    {LICET_PAGE_QUERY, "max_results_=50", 10},
    {LICET_PAGE_QUERY, "max_result=50", 10},
    {LICET_PAGE_QUERY, "amax_results=50", 10},
    {LICET_PAGE_QUERY, "max_results=5&max_results=60", 60},
    {LICET_PAGE_QUERY, "max_results=60&max_results=5", 60},
    {LICET_PAGE_QUERY, "max_results=5&max_results=x", 100},
    {LICET_PAGE_QUERY, "max_results=5=6", 100},
    {LICET_PAGE_QUERY, "&&max_results=50&&", 50},
    /* items: default 1, most 100 */
    {LICET_PAGE_ITEMS, "", 1},
    {LICET_PAGE_ITEMS, "ids=1", 1},
    {LICET_PAGE_ITEMS, "ids=1,2,3", 3},
    {LICET_PAGE_ITEMS, "ids=1%2C2%2c3", 3},
    {LICET_PAGE_ITEMS, "ids=", 1},
    {LICET_PAGE_ITEMS, "ids=1,,2", 3},
    {LICET_PAGE_ITEMS, "ids=1,2&ids=3,4", 4},
    {LICET_PAGE_ITEMS,
     "ids=,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,", 100},
};

static licet_image_count *
make(world *w, licet_page_from from)
{
    world_init(w);
    world_endpoint(w, "search", "GET /search");
    return world_count(w, 2, from, from == LICET_PAGE_ITEMS ? "ids" : "max_results", from == LICET_PAGE_ITEMS ? 1 : 10,
                       100);
}

static void
test_cases(void **state)
{
    static world w;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        licet_image_count *count = make(&w, cases[i].from);
        licet_bytes query = licet_bytes_of_text(cases[i].query);
        uint64_t units = licet_page_of(&w.image, count, query), slow = 0;

        assert_true(licet_page_ref(&w.image, count, query, &slow));
        if (units != cases[i].units || slow != cases[i].units) {
            fail_msg("query \"%s\" reserves %llu, slowly %llu, expected %llu", cases[i].query,
                     (unsigned long long)units, (unsigned long long)slow, (unsigned long long)cases[i].units);
        }
    }
}

static uint32_t
next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Queries made of the pieces that matter, cut and joined at random; each in memory of exactly its length. */
static void
test_random(void **state)
{
    static const char *const pieces[] = {"max_results",
                                         "ids",
                                         "=",
                                         "&",
                                         "%",
                                         "%3",
                                         "%2c",
                                         "%2C",
                                         "%3d",
                                         "%26",
                                         "%6d",
                                         "ax_results",
                                         "+",
                                         ",",
                                         "1",
                                         "99",
                                         "100",
                                         "101",
                                         "0",
                                         "x",
                                         "%00",
                                         "\xff",
                                         "max_results=",
                                         "ids=",
                                         "&max_results=",
                                         "&ids=",
                                         "99999999999999999999"};
    static world w;
    uint64_t seed = 20221010;

    for (unsigned round = 0; round < 200000; round++) {
        licet_page_from from = (licet_page_from)(next_random(&seed) % 4);
        licet_image_count *count = make(&w, from);
        char text[512];
        size_t len = 0;
        uint64_t fast, slow = 0;
        uint8_t *exact;

        count->page_most = next_random(&seed) % 4 == 0 ? UINT64_MAX : next_random(&seed) % 200;
        count->page_default = next_random(&seed) % 120;
        for (unsigned n = next_random(&seed) % 12; n > 0; n--) {
            const char *piece = pieces[next_random(&seed) % (sizeof(pieces) / sizeof(pieces[0]))];

            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        exact = malloc(len + (len == 0));
        assert_non_null(exact);
        memcpy(exact, text, len);
        fast = licet_page_of(&w.image, count, licet_bytes_of(exact, len));
        assert_true(licet_page_ref(&w.image, count, licet_bytes_of(exact, len), &slow));
        if (fast != slow) {
            fail_msg("round %u: query \"%.*s\", form %d, most %llu: fast %llu, slow %llu", round, (int)len, text,
                     (int)from, (unsigned long long)count->page_most, (unsigned long long)fast,
                     (unsigned long long)slow);
        }
        free(exact);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
