/* Settings change while mail flows: everybody gets it once, and by the way of the last settings. */
#include "test/support/test_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "relay/delivery/shard.h"
#include "test/support/delivery_fixture.h"
#include "test/support/smtp_receiver.h"

#define TEXT "From: <news@shop.example>\r\nSubject: hello\r\n\r\nbody\r\n"

enum { MESSAGES = 40, RECIPIENTS = 30, MOST_PORTS = 40 };

static char texts[RECIPIENTS][40];
static const char *recipients[RECIPIENTS + 1];

static const char *come_back(void *owner, const char *line)
{
    (void)owner;
    return strncasecmp(line, "RCPT", 4) == 0 ? "450 4.2.1 Come back" : NULL;
}

struct way {
    char via[32];
    struct delivery_route route;
    struct delivery_settings settings;
};

static void set_way(struct way *way, unsigned port)
{
    snprintf(way->via, sizeof(way->via), "127.0.0.1:%u", port);
    way->route = (struct delivery_route){.domain = "*", .via = way->via, .tls = DELIVERY_TLS_NEVER};
    way->settings = (struct delivery_settings){
        .hostname = "relay.example",
        .retry = {{1000}, 1},
        .expire_ms = 3600000,
        .routes = &way->route,
        .n_routes = 1,
    };
}

/* Whoever is asked must be on another loop than the former: only then is there anything to mistake.
 */
static struct smtp_receiver *receiver_of_other_loop(struct delivery *delivery,
                                                    const struct way *former, struct way *way)
{
    struct delivery_shard *taken = delivery_owner_of(delivery, slice_of(former->via));
    struct smtp_receiver *tried[MOST_PORTS], *found = NULL;
    unsigned n = 0;

    while (!found && n < MOST_PORTS) {
        struct smtp_receiver *receiver =
            receiver_start(NULL, NULL, "PIPELINING 8BITMIME ENHANCEDSTATUSCODES");

        set_way(way, receiver_port(receiver));
        if (delivery_owner_of(delivery, slice_of(way->via)) != taken)
            found = receiver;
        else
            tried[n++] = receiver;
    }
    while (n > 0)
        receiver_stop(tried[--n]);
    assert_non_null(found);
    return found;
}

struct changing {
    struct delivery *delivery;
    const struct way *ways[2];
    atomic_bool is_over;
};

static void *change(void *argument)
{
    struct changing *changing = argument;

    for (unsigned i = 0; !atomic_load(&changing->is_over); i++) {
        assert_int_equal(delivery_reload(changing->delivery, &changing->ways[i % 2]->settings), 0);
        usleep(200);
    }
    return NULL;
}

static void everybody_gets_it_once_by_the_last_way(void **state)
{
    struct smtp_receiver *late = receiver_start(come_back, NULL, "PIPELINING"), *taking;
    struct way late_way, taking_way;
    struct delivery_fixture *fixture;
    struct changing changing = {0};
    pthread_t thread;
    unsigned n_received = 0;

    (void)state;
    for (int i = 0; i < RECIPIENTS; i++) {
        snprintf(texts[i], sizeof(texts[i]), "ann@dest%d.example", i);
        recipients[i] = texts[i];
    }
    set_way(&late_way, receiver_port(late));
    fixture = delivery_fixture_start(late_way.settings);
    taking = receiver_of_other_loop(fixture->delivery, &late_way, &taking_way);
    changing.delivery = fixture->delivery;
    changing.ways[0] = &taking_way;
    changing.ways[1] = &late_way;
    assert_int_equal(pthread_create(&thread, NULL, change, &changing), 0);
    for (int i = 0; i < MESSAGES; i++)
        delivery_fixture_send(
            fixture, &(struct fixture_mail){"news@shop.example", recipients, TEXT, 0, 0, 0});
    atomic_store(&changing.is_over, true);
    pthread_join(thread, NULL);
    assert_int_equal(delivery_reload(fixture->delivery, &taking_way.settings), 0);
    delivery_fixture_await(fixture, EVENT_DELIVERED, NULL, NULL, MESSAGES * RECIPIENTS - 1);
    delivery_fixture_stop(fixture);
    for (unsigned i = 0; i < receiver_n_received(taking); i++)
        n_received += receiver_received(taking, i)->n_recipients;
    assert_int_equal(n_received, MESSAGES * RECIPIENTS);
    receiver_stop(late);
    receiver_stop(taking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_gets_it_once_by_the_last_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
