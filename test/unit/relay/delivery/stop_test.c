/* An end without a drain: nobody waits for a transaction whose peer still owes replies. */
#include "test/support/test_support.h"

#include <semaphore.h>
#include <stdio.h>
#include <strings.h>

#include "test/support/delivery_fixture.h"
#include "test/support/smtp_receiver.h"

#define TEXT "From: <news@shop.example>\r\nSubject: hello\r\n\r\nbody\r\n"

static sem_t may_answer;

static const char *refuse_and_hang(void *owner, const char *line)
{
    (void)owner;
    if (strncasecmp(line, "DATA", 4) == 0)
        sem_wait(&may_answer); /* it was pipelined: its reply is awaited, the outcome is known */
    return strncasecmp(line, "RCPT TO:<ann", 12) == 0 ? "550 5.1.1 Nobody" : NULL;
}

static void a_transaction_that_awaits_replies_ends_with_the_process(void **state)
{
    static const char *const ann[] = {"ann@dest.example", NULL};
    struct smtp_receiver *receiver = receiver_start(refuse_and_hang, NULL, "PIPELINING");
    char via[32];
    struct delivery_route route = {.domain = "*", .via = via, .tls = DELIVERY_TLS_NEVER};
    struct delivery_fixture *fixture;

    (void)state;
    sem_init(&may_answer, 0, 0);
    snprintf(via, sizeof(via), "127.0.0.1:%u", receiver_port(receiver));
    fixture = delivery_fixture_start((struct delivery_settings){.routes = &route, .n_routes = 1});
    delivery_fixture_send(fixture, &(struct fixture_mail){"", ann, TEXT, 0, 0, 0});
    delivery_fixture_await(fixture, EVENT_BOUNCED, NULL, NULL, 0);
    delivery_fixture_end(fixture, false);
    sem_post(&may_answer);
    receiver_stop(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_that_awaits_replies_ends_with_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
