#include "test/unit/webui/serving.h"

#include "relay/base/clock.h"
#include "relay/events/events.h"
#include "webui/history_desk.h"
#include "webui/pulse.h"

static struct pulse_wait waiter;
static unsigned n_served;

static int start_looking(void **state)
{
    int result = start_serving(state);

    if (result == 0)
        result = history_desk_new(&webui->history_desk, folder);
    if (result == 0)
        result = events_start(&webui->parts.events, &(struct history_settings){0});
    return result;
}

static int stop_looking(void **state)
{
    webui->parts.events = events_stop(webui->parts.events);
    return stop_serving(state);
}

static void note_served(struct pulse_wait *wait)
{
    (void)wait;
    n_served++;
}

static void ask(void)
{
    waiter.done = note_served;
    n_served = 0;
    pulse_await(&webui->pulse, &waiter);
}

static void look(void)
{
    ask();
    pulse_turn(&webui->pulse);
    while (n_served == 0) {
        assert_true(webui->pulse.is_running);
        assert_true(mailbox_wait(webui->mailbox, 10000));
        mailbox_run(webui->mailbox);
    }
}

/* What was seen is as old as that. */
static void grow_old(int64_t ms)
{
    webui->pulse.begun_ms -= ms;
    webui->pulse.view.seen_ms -= ms;
}

static void loops_that_are_busy_do_not_make_the_queue_look_empty(void **state)
{
    (void)state;
    n_selected = 7;
    look();
    assert_int_equal(webui->pulse.view.n_by_state[ENTRY_WAITING], 7);
    webui->pulse.took_ms = 0;
    grow_old(10000);
    is_busy = true;
    look();
    is_busy = false;
    assert_int_equal(webui->pulse.view.n_by_state[ENTRY_WAITING], 7);
    assert_true(webui->pulse.view.seen_ms < clock_monotonic_ms() - 5000);
    assert_int_equal(webui->n_waiting, 0);
}

static void who_asks_when_the_share_is_spent_gets_the_last_look(void **state)
{
    (void)state;
    webui->pulse.took_ms = 0;
    grow_old(10000);
    look();
    webui->pulse.took_ms = 5000; /* of 100 s */
    grow_old(10000);
    ask();
    assert_int_equal(n_served, 1);
    pulse_turn(&webui->pulse);
    assert_false(webui->pulse.is_running);
    grow_old(100000);
    ask();
    assert_int_equal(n_served, 0);
    assert_int_equal(pulse_timeout_ms(&webui->pulse), 0);
    list_remove(&waiter.link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_that_are_busy_do_not_make_the_queue_look_empty),
        cmocka_unit_test(who_asks_when_the_share_is_spent_gets_the_last_look),
    };

    return cmocka_run_group_tests(tests, start_looking, stop_looking);
}
