#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/schedule/wheel.h"

struct thing {
    struct list link;
    uint32_t due_s, number;
};

static uint32_t due_of(const struct list *element)
{
    return CONTAINER_OF(element, struct thing, link)->due_s;
}

static void every_thing_comes_at_its_second_and_never_before(void **state)
{
    enum { N = 20000 };
    struct wheel *wheel = malloc(sizeof(*wheel));
    struct thing *things = calloc(N, sizeof(*things));
    uint32_t now_s = 1000, n_taken = 0;

    (void)state;
    srand(1);
    wheel_init(wheel, now_s);
    for (uint32_t i = 0; i < N; i++) {
        things[i].due_s = now_s + (uint32_t)(rand() % (i % 2 ? 500000 : 300));
        list_init(&things[i].link);
        wheel_add(wheel, &things[i].link, things[i].due_s);
    }
    while (wheel->n_elements > 0) {
        uint32_t next_s = wheel_next_s(wheel);
        struct list *element;

        assert_true(next_s >= now_s);
        now_s = next_s;
        while ((element = wheel_take_due(wheel, now_s, due_of)) != NULL) {
            assert_int_equal(due_of(element), now_s);
            n_taken++;
        }
    }
    assert_int_equal(n_taken, N);
    assert_int_equal(wheel_next_s(wheel), UINT32_MAX);
    free(things);
    free(wheel);
}

static void things_of_one_second_keep_their_order_through_the_circles(void **state)
{
    enum { N = 100 };
    struct wheel *wheel = malloc(sizeof(*wheel));
    struct thing things[N];
    struct list *element;
    uint32_t n_taken = 0;

    (void)state;
    wheel_init(wheel, 250);
    for (uint32_t i = 0; i < N; i++) {
        things[i] = (struct thing){.due_s = 70000, .number = i};
        wheel_add(wheel, &things[i].link, 70000);
    }
    assert_null(wheel_take_due(wheel, 69999, due_of));
    while ((element = wheel_take_due(wheel, 70000, due_of)) != NULL)
        assert_int_equal(CONTAINER_OF(element, struct thing, link)->number, n_taken++);
    assert_int_equal(n_taken, N);
    free(wheel);
}

static void what_is_overdue_or_removed_is_handled(void **state)
{
    struct wheel *wheel = malloc(sizeof(*wheel));
    struct thing late = {.due_s = 10}, gone = {.due_s = 120};

    (void)state;
    wheel_init(wheel, 100);
    wheel_add(wheel, &late.link, late.due_s);
    wheel_add(wheel, &gone.link, gone.due_s);
    wheel_remove(wheel, &gone.link);
    assert_ptr_equal(wheel_take_due(wheel, 100, due_of), &late.link);
    assert_null(wheel_take_due(wheel, 100000, due_of));
    assert_int_equal(wheel->n_elements, 0);
    free(wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_thing_comes_at_its_second_and_never_before),
        cmocka_unit_test(things_of_one_second_keep_their_order_through_the_circles),
        cmocka_unit_test(what_is_overdue_or_removed_is_handled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
