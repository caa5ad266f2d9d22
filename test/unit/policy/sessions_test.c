#include "test/unit/policy/policy_asking.h"

#include "policy/sessions.h"

enum { N_IN_ALL = 6, N_OF_ADDRESS = 4, N_OF_USER = 2 };

static int set_up(void **state)
{
    struct policy_settings settings = policy_default_settings;

    (void)state;
    settings.max_sessions = N_IN_ALL;
    settings.sessions_per_address = N_OF_ADDRESS;
    settings.sessions_per_user = N_OF_USER;
    start_policy(&settings);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_policy();
    return 0;
}

struct asked {
    struct session_request request;
    bool is_done;
};

static void session_done(struct session_request *request)
{
    ((struct asked *)(void *)request)->is_done = true;
}

/* Opens a session; the ticket, or NULL and *verdict. */
static struct session_ticket *open_session(const char *address, enum session_verdict *verdict)
{
    struct asked asked = {
        .request = {.answer_to = home, .done = session_done}
    };

    assert_true(ip_parse(slice_of(address), &asked.request.peer));
    assert_true(session_open(policy, &asked.request));
    wait_until(&asked.is_done);
    *verdict = asked.request.verdict;
    assert_int_equal(asked.request.ticket != NULL, *verdict == SESSION_OK);
    return asked.request.ticket;
}

static enum session_verdict use_session(struct session_ticket *ticket, uint32_t user_id,
                                        uint32_t max_sessions)
{
    struct asked asked = {
        .request = {.answer_to = home,
                    .done = session_done,
                    .ticket = ticket,
                    .user_id = user_id,
                    .max_sessions = max_sessions}
    };

    assert_true(session_use(policy, &asked.request));
    wait_until(&asked.is_done);
    assert_ptr_equal(asked.request.ticket, ticket);
    return asked.request.verdict;
}

static void tickets_run_out_and_come_back(void **state)
{
    struct session_ticket *tickets[N_IN_ALL];
    enum session_verdict verdict;

    (void)state;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < N_IN_ALL; i++) {
            tickets[i] = open_session(i < N_OF_ADDRESS ? "192.0.2.1" : "192.0.2.2", &verdict);
            assert_int_equal(verdict, SESSION_OK);
        }
        assert_null(open_session("192.0.2.3", &verdict));
        assert_int_equal(verdict, SESSION_TOO_MANY);
        session_ticket_return(tickets[N_IN_ALL - 1]);
        assert_null(open_session("192.0.2.1", &verdict));
        assert_int_equal(verdict, SESSION_TOO_MANY_OF_ADDRESS);
        for (int i = 0; i < N_IN_ALL - 1; i++)
            session_ticket_return(tickets[i]);
    }
    session_ticket_return(NULL);
}

static void a_user_is_counted_over_all_addresses(void **state)
{
    struct session_ticket *tickets[3];
    enum session_verdict verdict;

    (void)state;
    tickets[0] = open_session("192.0.2.1", &verdict);
    tickets[1] = open_session("192.0.2.2", &verdict);
    tickets[2] = open_session("2001:db8::1", &verdict);
    assert_int_equal(use_session(tickets[0], 7, 0), SESSION_OK);
    assert_int_equal(use_session(tickets[1], 7, 0), SESSION_OK);
    assert_int_equal(use_session(tickets[2], 7, 0), SESSION_TOO_MANY_OF_USER);
    session_ticket_return(tickets[0]);
    assert_int_equal(use_session(tickets[2], 7, 0), SESSION_OK);
    session_ticket_return(tickets[1]);
    session_ticket_return(tickets[2]);
}

static void new_limits_hold_at_once(void **state)
{
    struct policy_settings settings = policy_default_settings;
    struct session_ticket *first, *second;
    enum session_verdict verdict;

    (void)state;
    settings.sessions_per_address = 1;
    first = open_session("192.0.2.1", &verdict);
    assert_int_equal(policy_reload(policy, &settings), 0);
    assert_null(open_session("192.0.2.1", &verdict));
    assert_int_equal(verdict, SESSION_TOO_MANY_OF_ADDRESS);
    second = open_session("192.0.2.2", &verdict);
    assert_int_equal(verdict, SESSION_OK);
    session_ticket_return(first);
    session_ticket_return(second);
}

static void a_ticket_may_outlive_the_policy_thread(void **state)
{
    struct session_ticket *returned, *kept;
    enum session_verdict verdict;

    (void)state;
    returned = open_session("192.0.2.1", &verdict);
    kept = open_session("192.0.2.1", &verdict);
    session_ticket_return(returned);
    policy = policy_stop(policy);
    session_ticket_return(kept);
}

static void every_verdict_has_a_text(void **state)
{
    (void)state;
    for (int verdict = SESSION_OK; verdict <= SESSION_TOO_MANY_OF_USER; verdict++)
        assert_true(strlen(session_verdict_text((enum session_verdict)verdict)) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(tickets_run_out_and_come_back),
        TEST(a_user_is_counted_over_all_addresses),
        TEST(new_limits_hold_at_once),
        TEST(a_ticket_may_outlive_the_policy_thread),
        cmocka_unit_test(every_verdict_has_a_text),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
