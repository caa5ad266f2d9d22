/* Whole deliveries over a fixed route to a receiver on loopback. */
#include "test/support/test_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "relay/spool/queue_id.h"
#include "test/support/delivery_fixture.h"
#include "test/support/smtp_receiver.h"

#define HEADER "From: <news@shop.example>\r\nTo: <ann@dest.example>\r\nSubject: hello\r\n\r\n"
#define PLAIN  HEADER "One line\r\n.a dot in front\r\n"
#define EIGHT_BIT                                                                                  \
    "From: <news@shop.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "                 \
    "charset=utf-8\r\n"                                                                            \
    "Content-Transfer-Encoding: 8bit\r\n\r\ncaf\xc3\xa9\r\n"

static const char *const ann[] = {"ann@dest.example", NULL};

struct scene {
    struct smtp_receiver *receiver;
    struct delivery_fixture *fixture;
    char via[32];
};

static struct scene begin(receiver_behaviour *behave, void *owner, const char *extensions,
                          struct delivery_settings settings)
{
    struct scene scene = {.receiver = receiver_start(behave, owner, extensions)};
    struct delivery_route route = {.domain = "*", .tls = DELIVERY_TLS_NEVER};

    snprintf(scene.via, sizeof(scene.via), "127.0.0.1:%u", receiver_port(scene.receiver));
    route.via = scene.via;
    settings.routes = &route;
    settings.n_routes = 1;
    scene.fixture = delivery_fixture_start(settings);
    return scene;
}

static void end(struct scene *scene)
{
    delivery_fixture_stop(scene->fixture);
    receiver_stop(scene->receiver);
}

static const char usual[] = "PIPELINING 8BITMIME DSN SIZE ENHANCEDSTATUSCODES";
static const struct delivery_settings none;

static void a_message_arrives_whole_and_is_told_with_all_its_fields(void **state)
{
    struct scene scene = begin(NULL, NULL, usual, none);
    uint64_t id = delivery_fixture_send(
        scene.fixture, &(struct fixture_mail){"news@shop.example", ann, PLAIN, 0, 0, 0});
    const struct noted_event *event =
        delivery_fixture_await(scene.fixture, EVENT_DELIVERED, "to", "ann@dest.example", 0);
    char text[QUEUE_ID_SIZE];

    (void)state;
    queue_id_format(id, text);
    assert_string_equal(noted_value(event, "msg"), text);
    assert_string_equal(noted_value(event, "rcpt"), "1");
    assert_string_equal(noted_value(event, "site"), scene.via);
    assert_string_equal(noted_value(event, "mx"), "127.0.0.1");
    assert_string_equal(noted_value(event, "egress"), "127.0.0.1");
    assert_string_equal(noted_value(event, "tls"), "none");
    assert_string_equal(noted_value(event, "code"), "250");
    assert_string_equal(noted_value(event, "enhanced"), "2.0.0");
    assert_string_equal(noted_value(event, "reply"), "Ok");
    assert_int_equal(receiver_n_received(scene.receiver), 1);
    assert_string_equal(receiver_received(scene.receiver, 0)->data, PLAIN);
    assert_string_equal(receiver_received(scene.receiver, 0)->sender, "news@shop.example");
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_UNSIGNED), 1);
    end(&scene);
}

static void recipients_of_any_domain_behind_one_hop_share_a_transaction(void **state)
{
    static const char *const many[] = {"a@x.example", "b@y.example", "c@z.example", "d@x.example",
                                       NULL};
    struct scene scene = begin(NULL, NULL, usual, none);

    (void)state;
    delivery_fixture_send(scene.fixture,
                          &(struct fixture_mail){"news@shop.example", many, PLAIN, 0, 0, 0});
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 3);
    assert_int_equal(receiver_n_received(scene.receiver), 1);
    assert_int_equal(receiver_received(scene.receiver, 0)->n_recipients, 4);
    end(&scene);
}

static void many_messages_use_few_connections_within_the_limit(void **state)
{
    struct scene scene = begin(NULL, NULL, usual, none);

    (void)state;
    for (int i = 0; i < 100; i++)
        delivery_fixture_send(scene.fixture,
                              &(struct fixture_mail){"news@shop.example", ann, PLAIN, 0, 0, 0});
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 99);
    assert_int_equal(receiver_n_received(scene.receiver), 100);
    assert_in_range(receiver_most_at_once(scene.receiver), 1, 20);
    end(&scene);
}

struct once {
    const char *phase; /* how the line starts */
    const char *reply;
    atomic_int n_left;
};

static const char *reply_once(void *owner, const char *line)
{
    struct once *once = owner;

    /* The greeting is the empty line. */
    if (*once->phase ? strncasecmp(line, once->phase, strlen(once->phase)) != 0 : *line != '\0')
        return NULL;
    return atomic_fetch_sub(&once->n_left, 1) > 0 ? once->reply : NULL;
}

static void what_fails_for_now_is_tried_again_whatever_the_phase(void **state)
{
    static const struct {
        const char *phase, *reply, *code;
    } rows[] = {
        {"",     "421 4.3.2 Not now",    "421"},
        {"",     RECEIVER_DROP,          "0"  },
        {"EHLO", RECEIVER_DROP,          "0"  },
        {"MAIL", "451 4.7.1 Later",      "451"},
        {"MAIL", "421 4.7.0 Go away",    "421"},
        {"MAIL", RECEIVER_DROP,          "0"  },
        {"RCPT", "450 4.2.0 Greylisted", "450"},
        {"RCPT", RECEIVER_DROP,          "0"  },
        {"DATA", "451 4.3.0 Later",      "451"},
        {"DATA", RECEIVER_DROP,          "0"  },
        {".",    "451 4.3.0 Later",      "451"},
        {".",    "421 4.3.0 Later",      "421"},
        {".",    RECEIVER_DROP,          "0"  },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct once once = {rows[i].phase, rows[i].reply, 1};
        struct scene scene = begin(reply_once, &once, usual, none);
        const struct noted_event *deferred;

        delivery_fixture_send(scene.fixture,
                              &(struct fixture_mail){"news@shop.example", ann, PLAIN, 0, 0, 0});
        delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 0);
        deferred = delivery_fixture_await(scene.fixture, EVENT_DEFERRED, NULL, NULL, 0);
        assert_string_equal(noted_value(deferred, "code"), rows[i].code);
        assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_DEFERRED), 1);
        assert_int_equal(receiver_n_received(scene.receiver), 1);
        assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_DOUBTFUL),
                         rows[i].phase[0] == '.' && strcmp(rows[i].reply, RECEIVER_DROP) == 0);
        end(&scene);
    }
}

static const char *refuse_bob(void *owner, const char *line)
{
    (void)owner;
    return strstr(line, "RCPT TO:<bob@") ? "550 5.1.1 No such user" : NULL;
}

static void a_refused_recipient_is_reported_and_the_others_get_it(void **state)
{
    static const char *const both[] = {"bob@dest.example", "ann@dest.example", NULL};
    struct scene scene = begin(refuse_bob, NULL, usual, none);
    const struct noted_event *event;
    const struct received *report;

    (void)state;
    delivery_fixture_send(scene.fixture,
                          &(struct fixture_mail){"news@shop.example", both, PLAIN, 0, 0, 0});
    event = delivery_fixture_await(scene.fixture, EVENT_BOUNCED, "to", "bob@dest.example", 0);
    assert_string_equal(noted_value(event, "code"), "550");
    assert_string_equal(noted_value(event, "enhanced"), "5.1.1");
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, "to", "ann@dest.example", 0);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, "to", "news@shop.example", 0);
    assert_int_equal(receiver_n_received(scene.receiver), 2);
    report = receiver_received(scene.receiver, 1);
    if (report->sender[0])
        report = receiver_received(scene.receiver, 0);
    assert_string_equal(report->sender, "");
    assert_string_equal(report->recipients[0], "news@shop.example");
    assert_non_null(strstr(report->data, "multipart/report"));
    assert_non_null(strstr(report->data, "bob@dest.example"));
    assert_non_null(strstr(report->data, "550 5.1.1 No such user"));
    assert_null(strstr(report->data, "ann@dest.example\r\nAction"));
    end(&scene);
}

static void a_null_sender_gets_no_report(void **state)
{
    static const char *const bob[] = {"bob@dest.example", NULL};
    struct scene scene = begin(refuse_bob, NULL, usual, none);

    (void)state;
    delivery_fixture_send(scene.fixture, &(struct fixture_mail){"", bob, PLAIN, 0, 0, 0});
    delivery_fixture_await(scene.fixture, EVENT_BOUNCED, NULL, NULL, 0);
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_REPORT_SENT), 0);
    end(&scene);
}

static void success_is_reported_where_the_next_hop_has_no_dsn(void **state)
{
    struct scene scene = begin(NULL, NULL, "8BITMIME", none);
    const struct received *report;

    (void)state;
    delivery_fixture_send(scene.fixture, &(struct fixture_mail){"news@shop.example", ann, PLAIN, 0,
                                                                NOTIFY_SUCCESS, 0});
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, "to", "news@shop.example", 0);
    report = receiver_received(scene.receiver, 1);
    assert_non_null(strstr(report->data, "Action: relayed"));
    end(&scene);
}

static const char *always_later(void *owner, const char *line)
{
    (void)owner;
    return strncasecmp(line, "RCPT TO:<ann", 12) == 0 ? "450 4.2.1 Come back" : NULL;
}

static void what_stays_undelivered_expires_with_a_report(void **state)
{
    struct scene scene = begin(always_later, NULL, usual, none);

    (void)state;
    delivery_fixture_send(scene.fixture,
                          &(struct fixture_mail){"news@shop.example", ann, PLAIN, 0, 0, 2500});
    delivery_fixture_await(scene.fixture, EVENT_DEFERRED, NULL, NULL, 0);
    delivery_fixture_await(scene.fixture, EVENT_EXPIRED, "to", "ann@dest.example", 0);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, "to", "news@shop.example", 0);
    assert_non_null(strstr(receiver_received(scene.receiver, 0)->data, "Status: 4.4.7"));
    end(&scene);
}

static void lateness_is_reported_once(void **state)
{
    struct delivery_settings settings = {.delay_report_ms = 1500};
    struct scene scene = begin(always_later, NULL, usual, settings);

    (void)state;
    delivery_fixture_send(scene.fixture,
                          &(struct fixture_mail){"news@shop.example", ann, PLAIN, 0, 0, 0});
    delivery_fixture_await(scene.fixture, EVENT_REPORT_SENT, NULL, NULL, 0);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, "to", "news@shop.example", 0);
    delivery_fixture_await(scene.fixture, EVENT_DEFERRED, NULL, NULL, 3);
    assert_non_null(strstr(receiver_received(scene.receiver, 0)->data, "Action: delayed"));
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_REPORT_SENT), 1);
    end(&scene);
}

static void eight_bits_are_converted_for_a_hop_that_takes_seven(void **state)
{
    struct scene scene = begin(NULL, NULL, "PIPELINING", none);
    const struct received *mail;

    (void)state;
    delivery_fixture_send(scene.fixture, &(struct fixture_mail){"news@shop.example", ann, EIGHT_BIT,
                                                                MESSAGE_8BIT_BODY, 0, 0});
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 0);
    mail = receiver_received(scene.receiver, 0);
    assert_non_null(strstr(mail->data, "quoted-printable"));
    assert_non_null(strstr(mail->data, "caf=C3=A9"));
    for (size_t i = 0; i < mail->data_bytes; i++)
        assert_true((unsigned char)mail->data[i] < 0x80);
    end(&scene);
}

static void utf8_addresses_bounce_where_nobody_takes_them(void **state)
{
    static const char *const jose[] = {"jos\xc3\xa9@dest.example", NULL};
    struct scene scene = begin(NULL, NULL, usual, none);
    const struct noted_event *event;

    (void)state;
    delivery_fixture_send(scene.fixture, &(struct fixture_mail){"news@shop.example", jose, PLAIN,
                                                                MESSAGE_SMTPUTF8, 0, 0});
    event = delivery_fixture_await(scene.fixture, EVENT_BOUNCED, NULL, NULL, 0);
    assert_string_equal(noted_value(event, "enhanced"), "5.6.7");
    end(&scene);
}

static void a_long_message_passes_whole(void **state)
{
    enum { LINES = 20000 };
    static const char line[] = ".0123456789012345678901234567890123456789012345678901234567890\r\n";
    char *text = malloc(sizeof(HEADER) + LINES * (sizeof(line) - 1));
    char *at = text + sprintf(text, HEADER);
    struct scene scene = begin(NULL, NULL, usual, none);

    (void)state;
    for (int i = 0; i < LINES; i++)
        at += sprintf(at, "%s", line);
    delivery_fixture_send(scene.fixture,
                          &(struct fixture_mail){"news@shop.example", ann, text, 0, 0, 0});
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 0);
    assert_string_equal(receiver_received(scene.receiver, 0)->data, text);
    end(&scene);
    free(text);
}

static const char *later_once_for_all(void *owner, const char *line)
{
    if (atomic_load((atomic_int *)owner) && strncasecmp(line, "RCPT TO:<ann", 12) == 0)
        return "450 4.2.1 Come back";
    return NULL;
}

static void operators_hold_release_return_and_delete(void **state)
{
    atomic_int is_later = 1;
    struct delivery_settings settings = {
        .retry = {{3600000}, 1}
    };
    struct scene scene = begin(later_once_for_all, &is_later, usual, settings);
    struct delivery_command all = {.selection = {.is_all = true}};
    uint64_t ids[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        ids[i] = delivery_fixture_send(
            scene.fixture, &(struct fixture_mail){"news@shop.example", ann, PLAIN, 0, 0, 0});
        delivery_fixture_await(scene.fixture, EVENT_DEFERRED, NULL, NULL, (unsigned)i);
    }
    /* A moment may pass between an event and the schedule's knowing it. */
    do {
        all.verb = DELIVERY_COUNT;
        delivery_fixture_command(scene.fixture, &all);
    } while (all.n_by_state[ENTRY_WAITING] < 3);
    all.verb = DELIVERY_HOLD;
    delivery_fixture_command(scene.fixture, &all);
    assert_int_equal(all.n_selected, 3);
    delivery_fixture_await(scene.fixture, EVENT_HELD, NULL, NULL, 2);
    do {
        all.verb = DELIVERY_COUNT;
        delivery_fixture_command(scene.fixture, &all);
    } while (all.n_by_state[ENTRY_HELD] < 3);

    atomic_store(&is_later, 0);
    all.verb = DELIVERY_RETRY; /* held mail is not touched by it */
    delivery_fixture_command(scene.fixture, &all);
    all.selection = (struct selection){.ids = &ids[0], .n_ids = 1};
    all.verb = DELIVERY_RELEASE;
    delivery_fixture_command(scene.fixture, &all);
    assert_int_equal(all.n_selected, 1);
    delivery_fixture_await(scene.fixture, EVENT_RELEASED, NULL, NULL, 0);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, "to", "ann@dest.example", 0);

    all.selection.ids = &ids[1];
    all.verb = DELIVERY_BOUNCE;
    delivery_fixture_command(scene.fixture, &all);
    delivery_fixture_await(scene.fixture, EVENT_BOUNCED, NULL, NULL, 0);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, "to", "news@shop.example", 0);

    all.selection = (struct selection){.sender_hash = stored_hash(slice_of("news@shop.example"))};
    all.verb = DELIVERY_DELETE;
    delivery_fixture_command(scene.fixture, &all);
    assert_int_equal(all.n_selected, 1);
    delivery_fixture_await(scene.fixture, EVENT_DELETED, NULL, NULL, 0);
    assert_int_equal(receiver_n_received(scene.receiver), 2);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_arrives_whole_and_is_told_with_all_its_fields),
        cmocka_unit_test(recipients_of_any_domain_behind_one_hop_share_a_transaction),
        cmocka_unit_test(many_messages_use_few_connections_within_the_limit),
        cmocka_unit_test(what_fails_for_now_is_tried_again_whatever_the_phase),
        cmocka_unit_test(a_refused_recipient_is_reported_and_the_others_get_it),
        cmocka_unit_test(a_null_sender_gets_no_report),
        cmocka_unit_test(success_is_reported_where_the_next_hop_has_no_dsn),
        cmocka_unit_test(what_stays_undelivered_expires_with_a_report),
        cmocka_unit_test(lateness_is_reported_once),
        cmocka_unit_test(eight_bits_are_converted_for_a_hop_that_takes_seven),
        cmocka_unit_test(utf8_addresses_bounce_where_nobody_takes_them),
        cmocka_unit_test(a_long_message_passes_whole),
        cmocka_unit_test(operators_hold_release_return_and_delete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
