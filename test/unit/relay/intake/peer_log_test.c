/* How many lines a peer gets, and that what is left out is counted exactly. */
#include "test/support/test_support.h"

#include <stdio.h>

#include "relay/base/log.h"
#include "relay/intake/peer_log.h"

static struct peer_log peer_log;
static uint64_t n_told, n_suppressed;
static char last_ip[IP_TEXT_SIZE];

static void take(void *owner, const struct event *event)
{
    (void)owner;
    assert_int_equal(event->kind, EVENT_SUPPRESSED);
    n_told++;
    n_suppressed += (uint64_t)event->fields[1].number;
    snprintf(last_ip, sizeof(last_ip), "%.*s", (int)event->fields[0].text.len,
             event->fields[0].text.data ? event->fields[0].text.data : "");
}

static int begin(void **state)
{
    (void)state;
    log_set("logfmt", "info");
    event_set_sink(take, NULL);
    peer_log_init(&peer_log);
    n_told = n_suppressed = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    peer_log_end_window(&peer_log);
    event_set_sink(NULL, NULL);
    return 0;
}

static struct ip_address address(const char *text)
{
    struct ip_address result;

    assert_true(ip_parse(slice_of(text), &result));
    return result;
}

static uint64_t say(const char *ip, uint64_t n_times)
{
    uint64_t n_said = 0;

    for (uint64_t i = 0; i < n_times; i++)
        n_said += peer_log_may(&peer_log, EVENT_REFUSED, address(ip));
    return n_said;
}

static void a_thousand_errors_of_one_address_are_few_lines_and_an_exact_number(void **state)
{
    (void)state;
    assert_int_equal(say("192.0.2.1", 1000), PEER_LOG_LINES);
    assert_int_equal(n_told, 0);
    peer_log_end_window(&peer_log);
    assert_int_equal(n_told, 1);
    assert_int_equal(n_suppressed, 1000 - PEER_LOG_LINES);
    assert_string_equal(last_ip, "192.0.2.1");
}

static void the_next_window_starts_afresh(void **state)
{
    (void)state;
    say("192.0.2.1", 1000);
    peer_log_end_window(&peer_log);
    assert_int_equal(say("192.0.2.1", PEER_LOG_LINES), PEER_LOG_LINES);
    peer_log_end_window(&peer_log);
    assert_int_equal(n_told, 1);
}

static void another_address_is_still_heard(void **state)
{
    (void)state;
    say("192.0.2.1", 1000);
    assert_int_equal(say("192.0.2.2", 1), 1);
}

static void v6_is_counted_by_64(void **state)
{
    (void)state;
    assert_int_equal(say("2001:db8::1", PEER_LOG_LINES), PEER_LOG_LINES);
    assert_int_equal(say("2001:db8::ffff", 1), 0);
    assert_int_equal(say("2001:db8:0:1::1", 1), 1);
}

static void many_addresses_together_are_bounded_in_lines_and_memory(void **state)
{
    const uint64_t n_addresses = UINT64_C(3) * PEER_LOG_PEERS, n_each = 3;
    uint64_t n_said = 0;
    char ip[32];

    (void)state;
    for (uint64_t i = 0; i < n_addresses; i++) {
        snprintf(ip, sizeof(ip), "10.%u.%u.1", (unsigned)(i >> 8), (unsigned)(i & 255));
        n_said += say(ip, n_each);
    }
    assert_int_equal(n_said, PEER_LOG_LINES_OF_ALL);
    assert_int_equal(peer_log.table.n_entries, PEER_LOG_PEERS);
    peer_log_end_window(&peer_log);
    assert_int_equal(n_said + n_suppressed, n_addresses * n_each);
    assert_true(n_told <= PEER_LOG_PEERS + 1);
    assert_string_equal(last_ip, ""); /* those without a place of their own come last */
}

/* fail2ban bans by login_failed: other noise of the same address, or of all, must not hide it. */
static void failed_logins_have_lines_of_their_own(void **state)
{
    uint64_t n_said = 0;

    (void)state;
    say("192.0.2.1", 1000);
    for (uint64_t i = 0; i < 1000; i++)
        n_said += peer_log_may(&peer_log, EVENT_LOGIN_FAILED, address("192.0.2.1"));
    assert_int_equal(n_said, PEER_LOG_LINES);
    assert_int_equal(say("192.0.2.2", 1), 1); /* nor the other way round */
    peer_log_end_window(&peer_log);
    assert_int_equal(n_suppressed, 2000 - 2 * PEER_LOG_LINES);
}

static void failed_logins_are_heard_behind_the_noise_of_all(void **state)
{
    const uint64_t n_addresses = UINT64_C(3) * PEER_LOG_PEERS;
    uint64_t n_said = 0;
    char ip[32];

    (void)state;
    for (uint64_t i = 0; i < n_addresses; i++) {
        snprintf(ip, sizeof(ip), "10.%u.%u.1", (unsigned)(i >> 8), (unsigned)(i & 255));
        say(ip, 3);
    }
    for (uint64_t i = 0; i < UINT64_C(2) * PEER_LOG_LINES_OF_ALL; i++)
        n_said += peer_log_may(&peer_log, EVENT_LOGIN_FAILED, address("192.0.2.1"));
    assert_int_equal(n_said, PEER_LOG_LINES_OF_ALL); /* it has no place, but the budget holds */
    assert_int_equal(peer_log.table.n_entries, PEER_LOG_PEERS);
}

static void what_the_level_hides_is_not_counted(void **state)
{
    (void)state;
    log_set("logfmt", "warning");
    assert_int_equal(say("192.0.2.1", 1000), 0);
    assert_true(peer_log_may(&peer_log, EVENT_LOGIN_FAILED, address("192.0.2.1")));
    peer_log_end_window(&peer_log);
    assert_int_equal(n_told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
        CASE(a_thousand_errors_of_one_address_are_few_lines_and_an_exact_number),
        CASE(the_next_window_starts_afresh),
        CASE(another_address_is_still_heard),
        CASE(v6_is_counted_by_64),
        CASE(many_addresses_together_are_bounded_in_lines_and_memory),
        CASE(failed_logins_have_lines_of_their_own),
        CASE(failed_logins_are_heard_behind_the_noise_of_all),
        CASE(what_the_level_hides_is_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
