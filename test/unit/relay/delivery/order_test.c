/* What an operator says of a recipient while it is being sent. */
#include "test/support/test_support.h"

#include <semaphore.h>
#include <stdio.h>
#include <strings.h>

#include "test/support/delivery_fixture.h"
#include "test/support/smtp_receiver.h"

#define TEXT "From: <news@shop.example>\r\nSubject: hello\r\n\r\nbody\r\n"

static sem_t is_asked, may_answer;

/* "Too many recipients" means: in a transaction of its own, at once; no attempt is counted. */
static const char *put_off_bob_once(void *owner, const char *line)
{
    bool *is_done = owner;

    if (*is_done || strncasecmp(line, "RCPT TO:<bob", 12) != 0)
        return NULL;
    *is_done = true;
    sem_post(&is_asked);
    sem_wait(&may_answer);
    return "452 4.5.3 Too many recipients";
}

static const struct {
    enum delivery_verb verb;
    enum event_kind event;
} rows[] = {
    {DELIVERY_DELETE, EVENT_DELETED},
    {DELIVERY_BOUNCE, EVENT_BOUNCED},
    {DELIVERY_HOLD,   EVENT_HELD   },
};

static void an_order_is_obeyed_also_when_no_attempt_was_made(void **state)
{
    static const char *const both[] = {"ann@dest.example", "bob@dest.example", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_done = false;
        char via[32];
        struct smtp_receiver *receiver =
            receiver_start(put_off_bob_once, &is_done, "PIPELINING 8BITMIME ENHANCEDSTATUSCODES");
        struct delivery_route route = {.domain = "*", .via = via, .tls = DELIVERY_TLS_NEVER};
        struct delivery_fixture *fixture;
        struct delivery_command command = {.verb = rows[i].verb, .selection = {.is_all = true}};

        sem_init(&is_asked, 0, 0);
        sem_init(&may_answer, 0, 0);
        snprintf(via, sizeof(via), "127.0.0.1:%u", receiver_port(receiver));
        fixture =
            delivery_fixture_start((struct delivery_settings){.routes = &route, .n_routes = 1});
        delivery_fixture_send(fixture,
                              &(struct fixture_mail){"news@shop.example", both, TEXT, 0, 0, 0});
        sem_wait(&is_asked);
        delivery_fixture_command(fixture, &command);
        assert_int_equal(command.n_busy, 2);
        sem_post(&may_answer);
        delivery_fixture_await(fixture, rows[i].event, "to", "bob@dest.example", 0);
        delivery_fixture_await(fixture, EVENT_DELIVERED, "to", "ann@dest.example", 0);
        delivery_fixture_stop(fixture);
        for (unsigned k = 0; k < receiver_n_received(receiver); k++)
            assert_string_not_equal(receiver_received(receiver, k)->recipients[0],
                                    "bob@dest.example");
        receiver_stop(receiver);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_obeyed_also_when_no_attempt_was_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
