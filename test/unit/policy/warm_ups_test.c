/* The desk of young addresses before a database that fails, and what it lists.  The settings thread
 * takes its turns when the test says so. */
#include "test/unit/policy/policy_asking.h"

#include <stdatomic.h>

#include "policy/policy_internal.h"
#include "policy/warm_ups.h"
#include "relay/base/event.h"

static const struct warm_up_curve curve = {
    3, {100, 200, 400}
};
static atomic_uint n_not_stored;
static struct warm_ups_query query;
static unsigned n_answered;
static bool is_listed;

static void note_event(void *owner, const struct event *event)
{
    (void)owner;
    if (event->kind == EVENT_WARM_UP_NOT_STORED)
        atomic_fetch_add(&n_not_stored, 1);
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&n_not_stored, 0);
    n_answered = 0;
    make_folder();
    assert_int_equal(mailbox_new(&home, 16), 0);
    open_policy_alone(&policy_default_settings);
    return 0;
}

static void on_answer(struct warm_ups_query *asked)
{
    (void)asked;
    n_answered++;
}

static void ask(const char *provider, struct warm_up_news news)
{
    query = (struct warm_ups_query){
        .answer_to = home,
        .done = on_answer,
        .address = SLICE_LITERAL("192.0.2.1"),
        .provider = slice_of(provider),
        .curve = &curve,
        .news = news,
    };
    warm_ups_ask(policy, &query);
}

static void on_list(struct warm_ups_list *list)
{
    (void)list;
    is_listed = true;
}

/* All that was told to the policy thread until now is done, and what it answered has come. */
static struct warm_ups_list list_now(void)
{
    struct warm_ups_list list = {.answer_to = home, .done = on_list};

    is_listed = false;
    assert_true(warm_ups_ask_list(policy, &list));
    wait_until(&is_listed);
    assert_non_null(list.views);
    return list;
}

static uint32_t used_now(void)
{
    struct warm_ups_list list = list_now();
    uint32_t n_used = list.n_views ? list.views[0].state.n_used : 0;

    free(list.views);
    return n_used;
}

static void turn(void)
{
    registry_turn(registry);
    (void)used_now();
}

/* A transaction that is open already: the next one cannot begin. */
static void failing_turn(void)
{
    assert_int_equal(db_begin(registry->db), 0);
    turn();
    db_rollback(registry->db);
}

static void nothing_is_granted_before_it_is_stored(void **state)
{
    (void)state;
    ask("big", (struct warm_up_news){.wants_some = true});
    (void)used_now();
    assert_int_equal(n_answered, 0);
    turn();
    assert_int_equal(n_answered, 1);
    assert_int_equal(query.answer.n_granted, 5);
    close_policy_alone();
    open_policy_alone(&policy_default_settings);
    assert_int_equal(used_now(), 5);
    assert_int_equal(atomic_load(&n_not_stored), 0);
}

/* It is said, mail passes, and what was granted is stored with the next that can be. */
static void mail_does_not_wait_for_a_disk_that_fails(void **state)
{
    (void)state;
    ask("big", (struct warm_up_news){.wants_some = true});
    (void)used_now();
    failing_turn();
    assert_int_equal(n_answered, 1);
    assert_int_equal(query.answer.n_granted, 5);
    assert_int_equal(atomic_load(&n_not_stored), 1);
    ask("big", (struct warm_up_news){.wants_some = true});
    (void)used_now();
    failing_turn();
    assert_int_equal(n_answered, 2);
    assert_int_equal(atomic_load(&n_not_stored), 2);
    ask("other", (struct warm_up_news){.wants_some = true});
    (void)used_now();
    turn();
    assert_int_equal(n_answered, 3);
    assert_int_equal(atomic_load(&n_not_stored), 2);
    close_policy_alone();
    open_policy_alone(&policy_default_settings);
    {
        struct warm_ups_list list = list_now();
        uint32_t n_used = 0;

        assert_int_equal(list.n_views, 2);
        for (uint32_t i = 0; i < list.n_views; i++)
            n_used += list.views[i].state.n_used;
        assert_int_equal(n_used, 15);
        free(list.views);
    }
}

static void the_list_says_what_each_pair_did(void **state)
{
    struct warm_ups_list list;

    (void)state;
    list = list_now();
    assert_int_equal(list.n_views, 0);
    free(list.views);
    ask("big", (struct warm_up_news){.wants_some = true});
    (void)used_now();
    turn();
    ask("big", (struct warm_up_news){.n_well = 3, .n_put_off = 1, .n_unused = 1});
    (void)used_now();
    turn();
    list = list_now();
    assert_int_equal(list.n_views, 1);
    assert_string_equal(list.views[0].address, "192.0.2.1");
    assert_string_equal(list.views[0].provider, "big");
    assert_int_equal(list.views[0].state.day, 1);
    assert_int_equal(list.views[0].state.n_used, 4);
    assert_int_equal(list.views[0].state.n_well, 3);
    assert_int_equal(list.views[0].state.n_put_off, 1);
    assert_int_equal(warm_up_limit(&list.views[0].state, &curve), 100);
    list.views[0].state.day = 4;
    assert_int_equal(warm_up_limit(&list.views[0].state, &curve), 0);
    free(list.views);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_policy)
        TEST(nothing_is_granted_before_it_is_stored),
        TEST(mail_does_not_wait_for_a_disk_that_fails),
        TEST(the_list_says_what_each_pair_did),
    };

    if (secret_start() != 0)
        return 1;
    event_set_sink(note_event, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
