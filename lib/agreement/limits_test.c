/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of limits, calendars and budgets: each message with its place, what comes of what is right, and which
 * counters a limit has.
 */
#include "test_site.h"

#include "zone.h"

#define CAP "  - { clause: CAP-MONTH, unit: post, most: 2_000_000, per: month, over: licensee }\n"

static const struct change {
    const char *name, *file, *from, *to, *expected;
} changes[] = {
#include "limits_test_cases.h"
};

/* All mistakes as check prints them. Owned by the caller. */
static char *
mistakes_of(const test_site *site)
{
    licet_mistakes mistakes = {0};
    licet_site *loaded = NULL;
    licet_error err = {0};
    licet_buffer out;
    char *text;

    licet_buffer_init(&out, (size_t)1 << 20);
    licet_site_load(site->dir, &mistakes, &loaded, &err);
    for (size_t i = 0; i < mistakes.len; i++) {
        const licet_mistake *mistake = &mistakes.list[i];
        licet_put_format(&out, "%s:%u:%u: %s\n", mistake->file, mistake->line, mistake->column, mistake->text);
    }
    text = strndup(out.len == 0 ? "" : (const char *)out.data, out.len);
    assert_non_null(text);
    licet_buffer_done(&out);
    licet_mistakes_done(&mistakes);
    licet_site_free(loaded);
    return text;
}

static void
test_messages(void **state)
{
    unsigned failures = 0;
    test_site site;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const struct change *change = &changes[i];
        char *text;

        test_site_init(&site);
        test_change(&site, change->file, change->from, change->to);
        text = mistakes_of(&site);
        if (getenv("LICET_SHOW") != NULL) {
            printf("## %s\n%s", change->name, text);
        } else if (strcmp(text, change->expected) != 0) {
            print_error("%s:\n expected %s actual   %s", change->name, change->expected, text);
            failures++;
        }
        free(text);
        test_site_done(&site);
    }
    assert_int_equal(failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
