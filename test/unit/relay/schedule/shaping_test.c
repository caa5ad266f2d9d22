/* What is said of a provider, beside what holds for a stranger. */
#include "test/support/test_support.h"

#include "relay/schedule/shaping.h"

static void a_providers_rate_may_be_above_a_strangers(void **state)
{
    static const struct {
        uint32_t stranger, said, expected;
    } cases[] = {
        {100, 0,    100 },
        {100, 10,   100 }, /* the provider's own bound holds: it counts all lanes */
        {100, 1000, 1000},
        {0,   1000, 0   }, /* without a bound, none is made */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct provider_limits said = {.messages_per_second = cases[i].said,
                                             .connections_per_minute = cases[i].said};
        struct site_limits lane = {.messages_per_second = cases[i].stranger,
                                   .connections_per_minute = cases[i].stranger};

        shaping_of_lane(&said, &lane);
        assert_int_equal(lane.messages_per_second, cases[i].expected);
        assert_int_equal(lane.connections_per_minute, cases[i].expected);
        assert_int_equal(shaping_of_provider(&said).messages_per_second, cases[i].said);
    }
}

static void what_is_not_said_stays(void **state)
{
    const struct provider_limits said = {.connections = 3};
    struct site_limits lane = site_limits_default;

    (void)state;
    lane.start_connections = 5;
    shaping_of_lane(&said, &lane);
    assert_int_equal(lane.connections, 3);
    assert_int_equal(lane.start_connections, 3);
    assert_int_equal(lane.messages_per_connection, site_limits_default.messages_per_connection);
    assert_int_equal(lane.recipients_per_transaction,
                     site_limits_default.recipients_per_transaction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_providers_rate_may_be_above_a_strangers),
        cmocka_unit_test(what_is_not_said_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
