#include "test/support/test_support.h"

#include "policy/permit_book.h"

static void a_concurrent_budget_never_exceeds_its_limit(void **state)
{
    struct permit_budget budget = {.limit = 10};
    uint32_t n_out = 0;

    (void)state;
    for (int i = 0; i < 20; i++)
        n_out += permit_budget_lease(&budget, 3, i);
    assert_int_equal(n_out, 10);
    permit_budget_return(&budget, 4, 0, 0, 20);
    n_out = permit_budget_lease(&budget, 100, 21) + permit_budget_lease(&budget, 100, 21) +
            permit_budget_lease(&budget, 100, 21) + permit_budget_lease(&budget, 100, 21);
    assert_int_equal(n_out, 4);
    assert_int_equal(permit_budget_next_ms(&budget), INT64_MAX);
}

static void the_first_to_ask_does_not_take_all(void **state)
{
    struct permit_budget budget = {.limit = 10};

    (void)state;
    assert_int_equal(permit_budget_lease(&budget, 100, 0), 5);
    assert_int_equal(permit_budget_lease(&budget, 100, 0), 3);
    assert_int_equal(permit_budget_lease(&budget, 1, 0), 1);
    assert_int_equal(permit_budget_lease(&budget, 1, 0), 1);
    assert_int_equal(permit_budget_lease(&budget, 1, 0), 0);
}

static void no_limit_grants_all(void **state)
{
    struct permit_budget budget = {.limit = 0};

    (void)state;
    assert_int_equal(permit_budget_lease(&budget, 1000000, 0), 1000000);
}

static void a_lowered_limit_grants_nothing_until_it_holds(void **state)
{
    struct permit_budget budget = {.limit = 10};

    (void)state;
    assert_int_equal(permit_budget_lease(&budget, 5, 0), 5);
    assert_int_equal(permit_budget_lease(&budget, 5, 0), 3);
    budget.limit = 4;
    assert_int_equal(permit_budget_lease(&budget, 1, 0), 0);
    permit_budget_return(&budget, 4, 0, 0, 1);
    assert_int_equal(permit_budget_lease(&budget, 1, 1), 0);
    permit_budget_return(&budget, 1, 0, 0, 1);
    assert_int_equal(permit_budget_lease(&budget, 1, 1), 1);
}

static void a_spent_permit_comes_back_a_window_after_its_use(void **state)
{
    struct permit_budget budget = {.limit = 1, .window_ms = 1000};
    int64_t back_ms;

    (void)state;
    assert_int_equal(permit_budget_lease(&budget, 1, 5000), 1);
    permit_budget_return(&budget, 0, 1, 5400, 5900);
    back_ms = permit_budget_next_ms(&budget);
    assert_in_range((uint64_t)back_ms, 6400, 6400 + 1000 / N_SPENT_SLOTS + 1);
    assert_int_equal(permit_budget_lease(&budget, 1, back_ms - 1), 0);
    assert_int_equal(permit_budget_lease(&budget, 1, back_ms), 1);
}

static void a_use_reported_after_its_window_is_free_at_once(void **state)
{
    struct permit_budget budget = {.limit = 1, .window_ms = 100};

    (void)state;
    assert_int_equal(permit_budget_lease(&budget, 1, 0), 1);
    permit_budget_return(&budget, 0, 1, 10, 600);
    assert_int_equal(permit_budget_lease(&budget, 1, 600), 1);
}

/* A small generator of our own, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

enum { N_PURSES = 4, MOST_STARTS = 20000, LIMIT = 20, WINDOW_MS = 1000 };

struct purse {
    uint32_t n_idle, n_spent;
    int64_t last_ms;
};

static void check_windows(const int64_t *starts_ms, int n_starts)
{
    assert_true(n_starts > 200);
    for (int i = LIMIT; i < n_starts; i++)
        assert_true(starts_ms[i] - starts_ms[i - LIMIT] >= WINDOW_MS);
}

static void no_window_of_any_position_holds_more_starts_than_the_limit(void **state)
{
    static int64_t starts_ms[MOST_STARTS];
    struct permit_budget budget = {.limit = LIMIT, .window_ms = WINDOW_MS};
    struct purse purses[N_PURSES] = {{0}};
    uint32_t seed = 7;
    int n_starts = 0;

    (void)state;
    for (int64_t now_ms = 0; now_ms < 60000; now_ms += 1 + next_random(&seed) % 7) {
        struct purse *purse = &purses[next_random(&seed) % N_PURSES];

        switch (next_random(&seed) % 3) {
        case 0:
            purse->n_idle += permit_budget_lease(&budget, next_random(&seed) % 8, now_ms);
            break;
        case 1:
            while (purse->n_idle && next_random(&seed) % 4) {
                purse->n_idle--;
                purse->n_spent++;
                purse->last_ms = now_ms;
                starts_ms[n_starts++] = now_ms;
            }
            break;
        default:
            permit_budget_return(&budget, purse->n_idle / 2, purse->n_spent, purse->last_ms,
                                 now_ms);
            purse->n_idle -= purse->n_idle / 2;
            purse->n_spent = 0;
        }
    }
    check_windows(starts_ms, n_starts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_concurrent_budget_never_exceeds_its_limit),
        cmocka_unit_test(the_first_to_ask_does_not_take_all),
        cmocka_unit_test(no_limit_grants_all),
        cmocka_unit_test(a_lowered_limit_grants_nothing_until_it_holds),
        cmocka_unit_test(a_spent_permit_comes_back_a_window_after_its_use),
        cmocka_unit_test(a_use_reported_after_its_window_is_free_at_once),
        cmocka_unit_test(no_window_of_any_position_holds_more_starts_than_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
