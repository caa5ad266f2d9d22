/* Numbers of addresses that mean others than before. */
#include "test/support/test_support.h"

#include "relay/base/secret.h"
#include "relay/schedule/provider.h"
#include "test/support/schedule_bench.h"

enum { HOUR_MS = 3600000 };

static void what_was_said_of_an_address_goes_with_it(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct provider *provider =
        schedule_make_provider(bench->schedule, SLICE_LITERAL("big"), &(struct site_limits){0});
    struct lane *gone, *stays;
    int64_t now_ms = bench->now_ms;

    site_set_provider(site, provider);
    gone = site_lane(site, 1);
    stays = site_lane(site, 2);
    bound_suspend(&gone->bound, BOUND_BY_RULE, "listed", now_ms + HOUR_MS, now_ms);
    bound_slow_down(&gone->road->bound, "slower", now_ms, now_ms);
    bound_suspend(&stays->bound, BOUND_BY_RULE, "listed", now_ms + HOUR_MS, now_ms);
    gone->bound.n_open = gone->road->bound.n_open = 3; /* still to be closed */
    schedule_forget_egress(bench->schedule, 1U << 1);
    assert_null(gone->bound.words);
    assert_null(gone->road->bound.words);
    assert_false(gone->bound.is_probed);
    assert_int_equal(gone->bound.n_open, 3);
    assert_int_equal(gone->road->bound.n_open, 3);
    assert_int_equal(gone->bound.limits.connections, 5);
    assert_true(bound_is_suspended(&stays->bound, BOUND_BY_RULE, now_ms));
    gone->bound.n_open = gone->road->bound.n_open = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_said_of_an_address_goes_with_it, bench_set_up,
                                        bench_tear_down),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
