/* The clock is a variable. */
#include "test/support/test_support.h"

#include "relay/net/patience.h"

enum { FIRST_MS = 1000, LONGEST_MS = 30000 };

/* How long from the break to the ask. */
static int64_t ask(struct patience *patience, int64_t *now_ms)
{
    int64_t began_ms = *now_ms;

    patience_broken(patience, *now_ms);
    assert_true(patience->ask_at_ms > *now_ms);
    *now_ms = patience->ask_at_ms - 1;
    assert_false(patience_ends(patience, *now_ms));
    *now_ms += 1;
    assert_true(patience_ends(patience, *now_ms));
    return *now_ms - began_ms;
}

static void what_is_whole_is_not_asked_for(void **state)
{
    struct patience patience = patience_of(FIRST_MS, LONGEST_MS);

    (void)state;
    assert_false(patience_ends(&patience, 1000000));
    patience_whole(&patience, 1000000);
    assert_int_equal(patience.ask_at_ms, INT64_MAX);
}

static void what_breaks_again_at_once_is_asked_for_ever_less_often(void **state)
{
    static const int64_t expected_ms[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct patience patience = patience_of(FIRST_MS, LONGEST_MS);
    int64_t now_ms = 1000000;

    (void)state;
    for (size_t i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
        assert_int_equal(ask(&patience, &now_ms), expected_ms[i]);
        patience_whole(&patience, now_ms); /* mended, and soon broken */
        now_ms += 10;
    }
}

static void while_it_stays_broken_too(void **state)
{
    struct patience patience = patience_of(FIRST_MS, LONGEST_MS);
    int64_t now_ms = 1000000;

    (void)state;
    ask(&patience, &now_ms);
    for (int64_t pause_ms = 2000; pause_ms < LONGEST_MS; pause_ms *= 2) {
        assert_int_equal(patience.ask_at_ms, now_ms + pause_ms);
        now_ms = patience.ask_at_ms;
        assert_true(patience_ends(&patience, now_ms));
    }
}

static void after_a_long_life_it_is_asked_for_soon(void **state)
{
    struct patience patience = patience_of(FIRST_MS, LONGEST_MS);
    int64_t now_ms = 1000000;

    (void)state;
    ask(&patience, &now_ms);
    ask(&patience, &now_ms);
    patience_whole(&patience, now_ms);
    now_ms += LONGEST_MS;
    assert_int_equal(ask(&patience, &now_ms), FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_whole_is_not_asked_for),
        cmocka_unit_test(what_breaks_again_at_once_is_asked_for_ever_less_often),
        cmocka_unit_test(while_it_stays_broken_too),
        cmocka_unit_test(after_a_long_life_it_is_asked_for_soon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
