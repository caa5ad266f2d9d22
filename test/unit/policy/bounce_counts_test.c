#include "policy/bounce_counts.h"

#include <stdio.h>

#include "relay/base/secret.h"
#include "test/support/test_support.h"

static uint64_t total(const struct bounce_counts *counts, enum bounce_by by)
{
    uint64_t n = 0;

    for (int i = 0; i < N_BOUNCE_CLASSES; i++)
        n += counts->by[by].other.failed[i] + counts->by[by].other.deferred[i];
    LIST_FOR_EACH(link, &counts->by[by].ages)
    {
        const struct bounce_row *row = CONTAINER_OF(link, struct bounce_row, age);

        for (int i = 0; i < N_BOUNCE_CLASSES; i++)
            n += row->figures.failed[i] + row->figures.deferred[i];
    }
    return n;
}

static void figures_stand_by_name_kind_and_class(void **state)
{
    struct bounce_counts counts;
    const struct bounce_figures *figures;

    (void)state;
    bounce_counts_init(&counts);
    bounce_counts_add(&counts, BOUNCES_BY_USER, slice_of("ann"), BOUNCE_BAD_MAILBOX, 3, 0);
    bounce_counts_add(&counts, BOUNCES_BY_USER, slice_of("Ann"), BOUNCE_BAD_MAILBOX, 1, 2);
    bounce_counts_add(&counts, BOUNCES_BY_USER, slice_of("ann"), BOUNCE_SLOW_DOWN, 0, 5);
    bounce_counts_add(&counts, BOUNCES_BY_PROVIDER, slice_of("big"), BOUNCE_POLICY, 9, 0);
    figures = bounce_counts_find(&counts, BOUNCES_BY_USER, slice_of("ann"));
    assert_int_equal(figures->failed[BOUNCE_BAD_MAILBOX], 4);
    assert_int_equal(figures->deferred[BOUNCE_BAD_MAILBOX], 2);
    assert_int_equal(figures->deferred[BOUNCE_SLOW_DOWN], 5);
    assert_int_equal(figures->failed[BOUNCE_POLICY], 0);
    assert_null(bounce_counts_find(&counts, BOUNCES_BY_PROVIDER, slice_of("ann")));
    bounce_counts_fini(&counts);
}

static void the_least_recent_name_is_folded_into_other_and_nothing_is_lost(void **state)
{
    struct bounce_counts counts;
    char name[32];

    (void)state;
    bounce_counts_init(&counts);
    for (unsigned i = 0; i < BOUNCE_NAMES + 100; i++) {
        snprintf(name, sizeof(name), "provider-%u", i);
        bounce_counts_add(&counts, BOUNCES_BY_PROVIDER, slice_of(name), BOUNCE_OTHER, 1, 1);
        bounce_counts_add(&counts, BOUNCES_BY_PROVIDER, slice_of("provider-0"), BOUNCE_OTHER, 1, 0);
    }
    assert_int_equal(counts.by[BOUNCES_BY_PROVIDER].n_rows, BOUNCE_NAMES);
    assert_int_equal(counts.by[BOUNCES_BY_PROVIDER].n_folded, 100);
    assert_non_null(bounce_counts_find(&counts, BOUNCES_BY_PROVIDER, slice_of("provider-0")));
    assert_null(bounce_counts_find(&counts, BOUNCES_BY_PROVIDER, slice_of("provider-1")));
    assert_non_null(bounce_counts_find(&counts, BOUNCES_BY_PROVIDER, slice_of("provider-101")));
    assert_int_equal(total(&counts, BOUNCES_BY_PROVIDER), 3 * (BOUNCE_NAMES + 100));
    bounce_counts_fini(&counts);
    assert_int_equal(counts.by[BOUNCES_BY_PROVIDER].n_rows, 0);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_stand_by_name_kind_and_class),
        cmocka_unit_test(the_least_recent_name_is_folded_into_other_and_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
