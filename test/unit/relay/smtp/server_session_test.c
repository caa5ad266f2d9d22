#include "test/support/test_support.h"

#include <stdio.h>
#include <stdlib.h>

#include "relay/smtp/server_session.h"

/* What a dialogue (test/dialogues) cannot say: steps, memory, and calls at odd moments. */

static const struct smtp_server_settings in_network = {
    .hostname = {"relay.example", 13},
    .size_limit = 100000,
    .max_recipients = 10,
};

static struct smtp_server server;

static enum smtp_step feed(const char *text)
{
    struct slice input = slice_of(text);

    return smtp_server_feed(&server, &input);
}

static void assert_output_is(const char *text)
{
    assert_slice_is(buffer_slice(smtp_server_output(&server)), text);
    buffer_clear(smtp_server_output(&server));
}

static int begin(void **state)
{
    (void)state;
    smtp_server_init(&server, &in_network);
    return 0;
}

static int end(void **state)
{
    (void)state;
    smtp_server_fini(&server);
    return 0;
}

static void begin_transaction(void)
{
    assert_int_equal(feed("EHLO client.example\r\nMAIL FROM:<a@example.org>\r\n"),
                     SMTP_STEP_SENDER);
    smtp_server_decide(&server, SMTP_REPLY(250, 2, 1, 0, "Ok"));
    assert_int_equal(feed("RCPT TO:<b@example.net>\r\n"), SMTP_STEP_RECIPIENT);
    smtp_server_decide(&server, SMTP_REPLY(250, 2, 1, 5, "Ok"));
    buffer_clear(smtp_server_output(&server));
}

static void input_behind_a_question_stays_with_the_owner(void **state)
{
    struct slice input = slice_of("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n");

    (void)state;
    assert_int_equal(smtp_server_feed(&server, &input), SMTP_STEP_SENDER);
    assert_true(smtp_server_awaits_decision(&server));
    assert_slice_is(input, "RCPT TO:<c@d>\r\n");
    smtp_server_decide(&server, SMTP_REPLY(250, 2, 1, 0, "Ok"));
    assert_false(smtp_server_awaits_decision(&server));
    assert_int_equal(smtp_server_feed(&server, &input), SMTP_STEP_RECIPIENT);
    assert_int_equal(input.len, 0);
    assert_string_equal(server.helo, "c");
    assert_true(server.is_esmtp);
}

static void addresses_outlive_the_bytes_they_came_in(void **state)
{
    char line[] = "MAIL FROM:<a@example.org> ENVID=x1\r\n";
    struct slice input = slice_of(line);

    (void)state;
    (void)feed("EHLO c\r\n");
    assert_int_equal(smtp_server_feed(&server, &input), SMTP_STEP_SENDER);
    memset(line, '#', sizeof(line));
    assert_slice_is(server.mail.sender.whole, "a@example.org");
    assert_slice_is(server.mail.sender.local, "a");
    assert_slice_is(server.mail.sender.domain, "example.org");
    assert_slice_is(server.mail.envid, "x1");
}

static void a_client_that_does_not_read_stops_being_read(void **state)
{
    CLEANUP(buffer) struct buffer flood = BUFFER_INIT;
    struct slice input;
    enum smtp_step step;
    size_t n_flushes = 0;

    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        buffer_append_text(&flood, "HELP\r\n");
    input = buffer_slice(&flood);
    while ((step = smtp_server_feed(&server, &input)) == SMTP_STEP_FLUSH) {
        assert_in_range(smtp_server_output(&server)->len, 8192, 9000);
        assert_int_equal(feed(""), SMTP_STEP_FLUSH);
        buffer_clear(smtp_server_output(&server));
        n_flushes++;
    }
    assert_int_equal(step, SMTP_STEP_MORE);
    assert_in_range(n_flushes, 50, 1000);
}

static void refusing_says_so_and_closes(void **state)
{
    (void)state;
    smtp_server_refuse(&server, SMTP_REPLY(421, 4, 7, 0, "Too many sessions"));
    assert_int_equal(feed("EHLO c\r\n"), SMTP_STEP_CLOSE);
    assert_output_is("421 4.7.0 Too many sessions\r\n");
    assert_int_equal(feed("EHLO c\r\n"), SMTP_STEP_CLOSE);
    assert_output_is("");
}

static void a_decision_that_comes_too_late_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(feed("EHLO c\r\nMAIL FROM:<a@b>\r\n"), SMTP_STEP_SENDER);
    buffer_clear(smtp_server_output(&server));
    smtp_server_timeout(&server);
    smtp_server_shutdown(&server);
    smtp_server_decide(&server, SMTP_REPLY(250, 2, 1, 0, "Ok"));
    assert_output_is("421 4.4.2 Timeout, closing\r\n");
    assert_int_equal(feed(""), SMTP_STEP_CLOSE);
}

static void a_session_is_idle_between_transactions_only(void **state)
{
    (void)state;
    assert_true(smtp_server_is_idle(&server));
    assert_int_equal(feed("EHLO c\r\n"), SMTP_STEP_MORE);
    assert_true(smtp_server_is_idle(&server));
    begin_transaction();
    assert_false(smtp_server_is_idle(&server));
    assert_int_equal(feed("DATA\r\n"), SMTP_STEP_BODY_BEGINS);
    smtp_server_decide(&server, SMTP_REPLY(354, 0, 0, 0, ""));
    assert_true(server.is_reading_body);
    assert_int_equal(feed(".\r\n"), SMTP_STEP_MESSAGE_ENDS);
    assert_false(server.is_reading_body);
    assert_false(smtp_server_is_idle(&server));
    smtp_server_decide(&server, SMTP_REPLY(250, 2, 0, 0, "Ok: queued as 7Q2F"));
    assert_true(smtp_server_is_idle(&server));
}

static void a_refused_body_ends_the_transaction_and_says_why(void **state)
{
    struct slice input = slice_of("a\nb\r\n.\r\n");

    (void)state;
    begin_transaction();
    assert_int_equal(feed("DATA\r\n"), SMTP_STEP_BODY_BEGINS);
    smtp_server_decide(&server, SMTP_REPLY(354, 0, 0, 0, ""));
    assert_int_equal(smtp_server_feed(&server, &input), SMTP_STEP_BODY);
    assert_slice_is(server.chunk, "a");
    assert_int_equal(smtp_server_feed(&server, &input), SMTP_STEP_TRANSACTION_ENDS);
    assert_int_equal(server.body_verdict, BODY_BARE_NEWLINE);
    assert_int_equal(server.n_recipients, 0);
    assert_int_equal(server.arena.used, 0);
    assert_int_equal(feed(""), SMTP_STEP_MORE);
}

static void tls_forgets_and_input_before_it_is_thrown_away(void **state)
{
    struct smtp_server_settings settings = in_network;
    struct slice input = slice_of("EHLO c\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n");

    (void)state;
    smtp_server_fini(&server);
    settings.offers_starttls = true;
    smtp_server_init(&server, &settings);
    assert_int_equal(smtp_server_feed(&server, &input), SMTP_STEP_START_TLS);
    assert_int_equal(input.len, 0);
    buffer_clear(smtp_server_output(&server));
    assert_int_equal(feed("MAIL FROM:<a@b>\r\n"), SMTP_STEP_MORE);
    assert_output_is("");
    smtp_server_tls_started(&server);
    assert_string_equal(server.helo, "");
    assert_int_equal(server.state, SMTP_CONNECTED);
    assert_true(server.settings.is_tls);
}

static void a_login_is_wiped_once_it_is_decided(void **state)
{
    struct smtp_server_settings settings = in_network;

    (void)state;
    smtp_server_fini(&server);
    settings.is_tls = settings.needs_auth = true;
    smtp_server_init(&server, &settings);
    assert_int_equal(feed("EHLO c\r\nAUTH LOGIN\r\nYWxpY2U=\r\nc2Vjcm"), SMTP_STEP_MORE);
    assert_int_equal(feed("V0\r\n"), SMTP_STEP_AUTHENTICATE);
    assert_slice_is(server.login.user, "alice");
    assert_slice_is(server.login.password, "secret");
    assert_null(server.lines.partial.data);
    smtp_server_decide(&server, SMTP_REPLY(235, 2, 7, 0, "Ok"));
    assert_null(server.secret);
    assert_null(server.login.password.data);
    assert_true(server.is_logged_in);
}

/* Refused recipients cost memory of the transaction too; it is bounded, and says so. */
static void memory_of_a_transaction_is_bounded(void **state)
{
    enum smtp_step step = SMTP_STEP_MORE;
    char line[700];
    unsigned n_asked = 0;

    (void)state;
    assert_int_equal(feed("EHLO c\r\nMAIL FROM:<a@b>\r\n"), SMTP_STEP_SENDER);
    smtp_server_decide(&server, SMTP_REPLY(250, 2, 1, 0, "Ok"));
    (void)snprintf(line, sizeof(line), "RCPT TO:<b@example.net> ORCPT=rfc822;%0490d\r\n", 7);
    for (unsigned i = 0; i < 1000; i++) {
        buffer_clear(smtp_server_output(&server));
        step = feed(line);
        if (step != SMTP_STEP_RECIPIENT)
            break;
        smtp_server_decide(&server, SMTP_REPLY(550, 5, 1, 1, "No"));
        n_asked++;
    }
    assert_int_equal(step, SMTP_STEP_MORE);
    assert_output_is("452 4.5.3 Too many recipients\r\n");
    assert_in_range(n_asked, 20, 60);
    assert_int_equal(server.n_errors, 0);
}

static void without_memory_for_replies_the_session_closes(void **state)
{
    (void)state;
    smtp_server_output(&server)->failed = true;
    assert_int_equal(feed("EHLO c\r\n"), SMTP_STEP_CLOSE);
}

static void without_memory_for_a_sender_the_answer_is_452(void **state)
{
    (void)state;
    (void)feed("EHLO c\r\n");
    buffer_clear(smtp_server_output(&server));
    server.arena.limit = 8;
    assert_int_equal(feed("MAIL FROM:<a@example.org>\r\n"), SMTP_STEP_MORE);
    assert_output_is("452 4.3.1 Out of memory, try again shortly\r\n");
    assert_int_equal(server.state, SMTP_GREETED);
    assert_int_equal(feed("MAIL FROM:<>\r\n"), SMTP_STEP_SENDER);
    smtp_server_decide(&server, SMTP_REPLY(250, 2, 1, 0, "Ok"));
    buffer_clear(smtp_server_output(&server));
    assert_int_equal(feed("RCPT TO:<Postmaster>\r\n"), SMTP_STEP_MORE);
    assert_output_is("452 4.5.3 Too many recipients\r\n");
}

static void a_long_helo_is_cut_to_fit(void **state)
{
    char line[1000];

    (void)state;
    (void)snprintf(line, sizeof(line), "EHLO %0800d\r\n", 1);
    assert_int_equal(feed(line), SMTP_STEP_MORE);
    assert_int_equal(strlen(server.helo), sizeof(server.helo) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(input_behind_a_question_stays_with_the_owner),
        TEST(addresses_outlive_the_bytes_they_came_in),
        TEST(a_client_that_does_not_read_stops_being_read),
        TEST(refusing_says_so_and_closes),
        TEST(a_decision_that_comes_too_late_is_ignored),
        TEST(a_session_is_idle_between_transactions_only),
        TEST(a_refused_body_ends_the_transaction_and_says_why),
        TEST(tls_forgets_and_input_before_it_is_thrown_away),
        TEST(a_login_is_wiped_once_it_is_decided),
        TEST(memory_of_a_transaction_is_bounded),
        TEST(without_memory_for_replies_the_session_closes),
        TEST(without_memory_for_a_sender_the_answer_is_452),
        TEST(a_long_helo_is_cut_to_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
