/* Deliveries in doubt: marked in the rows before the final dot leaves, told when the answer is
 * lost, and then treated as the destination's setting says. */
#include "test/support/test_support.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/spool/spool_reader.h"
#include "test/support/delivery_fixture.h"
#include "test/support/io_shim.h"
#include "test/support/smtp_receiver.h"

#define TEXT "From: <news@shop.example>\r\nSubject: hello\r\n\r\nOne line\r\n"

enum { MOST_ROWS = 64, HOUR_MS = 3600000 };

static const char *const ann[] = {"ann@dest.example", NULL};
static const char usual[] = "PIPELINING 8BITMIME DSN SIZE ENHANCEDSTATUSCODES";

struct seen_row {
    uint32_t n, flags;
    enum recipient_state state;
    int64_t next_utc_ms, tried_utc_ms;
    char host[64], reply[256];
};

struct scene {
    struct smtp_receiver *receiver;
    struct delivery_fixture *fixture;
    char via[32];
    /* at the final dots, on the receiver's threads */
    const char *reply; /* to the first n_lost; NULL: as usual */
    atomic_int n_lost, n_dots, n_unmarked, n_with_host;
    atomic_bool loses_marks;
};

struct seen {
    struct seen_row rows[MOST_ROWS];
    unsigned n_rows;
};

static bool note_rows(void *owner, const struct message_row *message)
{
    struct seen *seen = owner;

    for (uint32_t i = 0; i < message->n_rows && seen->n_rows < MOST_ROWS; i++) {
        const struct recipient_row *row = &message->recipients[i];
        struct seen_row *to = &seen->rows[seen->n_rows++];

        *to = (struct seen_row){row->n, row->flags, row->state, row->next_utc_ms, row->tried_utc_ms,
                                "",     ""};
        slice_copy_to(row->host, to->host, sizeof(to->host));
        slice_copy_to(row->reply, to->reply, sizeof(to->reply));
    }
    return true;
}

/* What is committed just now, read through a connection of its own. */
static void read_rows(const struct scene *scene, struct seen *seen)
{
    struct queue_filter filter = {0};
    struct spool_reader *reader;
    uint64_t cursor;

    *seen = (struct seen){0};
    if (spool_reader_new(&reader, scene->fixture->dir) ||
        spool_reader_list(reader, &filter, 100, 1000, note_rows, seen, &cursor))
        abort();
    spool_reader_free(reader);
}

static const char *on_line(void *owner, const char *line)
{
    struct scene *scene = owner;
    struct seen seen;

    if (strcmp(line, "DATA") == 0 && scene->loses_marks)
        io_shim_fail_next("write", EIO); /* what is written next is that the dot leaves */
    if (strcmp(line, ".") != 0)
        return NULL;
    read_rows(scene, &seen);
    for (unsigned i = 0; i < seen.n_rows; i++) {
        scene->n_unmarked += !(seen.rows[i].flags & RECIPIENT_OPEN);
        scene->n_with_host += strcmp(seen.rows[i].host, "127.0.0.1") == 0;
    }
    scene->n_dots++;
    return atomic_fetch_sub(&scene->n_lost, 1) > 0 ? scene->reply : NULL;
}

static struct scene *begin(struct delivery_settings settings)
{
    static struct scene scene;
    struct delivery_route route = {.domain = "*", .tls = DELIVERY_TLS_NEVER, .connections = 1};

    scene = (struct scene){.receiver = receiver_start(on_line, &scene, usual)};
    snprintf(scene.via, sizeof(scene.via), "127.0.0.1:%u", receiver_port(scene.receiver));
    route.via = scene.via;
    settings.routes = &route;
    settings.n_routes = 1;
    scene.fixture = delivery_fixture_start(settings);
    return &scene;
}

static void end(struct scene *scene)
{
    delivery_fixture_stop(scene->fixture);
    receiver_stop(scene->receiver);
}

static void send_to(struct scene *scene, const char *const *recipients)
{
    delivery_fixture_send(scene->fixture,
                          &(struct fixture_mail){"news@shop.example", recipients, TEXT, 0, 0, 0});
}

static void no_dot_leaves_before_its_mark_is_committed(void **state)
{
    static const char *const many[] = {"a@dest.example", "b@dest.example", "c@other.example", NULL};
    struct scene *scene = begin((struct delivery_settings){0});

    (void)state;
    send_to(scene, many); /* nothing was delivered there yet: marked by a commit of its own */
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 2);
    assert_int_equal(scene->n_with_host, 3);
    send_to(scene, ann); /* it is warm: marked at its arrival, before anybody knew the host */
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 3);
    assert_int_equal(scene->n_with_host, 3);
    send_to(scene, many); /* two destinations: not all at once */
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 6);
    assert_int_equal(scene->n_with_host, 6);
    assert_int_equal(scene->n_dots, 3);
    assert_int_equal(scene->n_unmarked, 0);
    end(scene);
}

static void a_dot_waits_for_a_slow_disk(void **state)
{
    struct scene *scene;

    (void)state;
    io_shim_be_default(true);
    io_shim_delay_syncs(50000);
    scene = begin((struct delivery_settings){0});
    send_to(scene, ann);
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 0);
    assert_int_equal(scene->n_dots, 1);
    assert_int_equal(scene->n_unmarked, 0);
    end(scene);
    io_shim_delay_syncs(0);
    io_shim_be_default(false);
}

/* Marked at its arrival; when its record cannot say that it is being tried, the row must. */
static void a_record_that_cannot_be_marked_costs_a_commit_and_no_truth(void **state)
{
    struct scene *scene;

    (void)state;
    delivery_fixture_io = &io_shim;
    io_shim_be_default(true);
    scene = begin((struct delivery_settings){0});
    send_to(scene, ann);
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 0);
    assert_int_equal(scene->n_with_host, 1);
    scene->loses_marks = true;
    send_to(scene, ann);
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 1);
    assert_true(io_shim_has_failed());
    assert_int_equal(scene->n_with_host, 2);
    assert_int_equal(scene->n_unmarked, 0);
    end(scene);
    io_shim_be_default(false);
    delivery_fixture_io = NULL;
}

static void a_burst_is_marked_whichever_way_before_each_dot(void **state)
{
    struct scene *scene = begin((struct delivery_settings){0});

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        send_to(scene, ann);
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 39);
    assert_int_equal(scene->n_dots, 40);
    end(scene);
}

static void a_second_try_needs_a_mark_of_its_own(void **state)
{
    struct scene *scene = begin((struct delivery_settings){0});

    (void)state;
    send_to(scene, ann);
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 0);
    scene->n_dots = scene->n_with_host = 0;
    scene->reply = "451 4.3.0 Later";
    scene->n_lost = 1;
    send_to(scene, ann);
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 1);
    assert_int_equal(scene->n_dots, 2);
    assert_int_equal(scene->n_with_host, 1); /* the second only: the first was made at arrival */
    assert_int_equal(scene->n_unmarked, 0);
    assert_int_equal(delivery_fixture_count(scene->fixture, EVENT_DOUBTFUL), 0);
    end(scene);
}

static void lose_one(struct scene *scene)
{
    const struct noted_event *event;

    scene->reply = RECEIVER_DROP;
    scene->n_lost = 1;
    send_to(scene, ann);
    event = delivery_fixture_await(scene->fixture, EVENT_DOUBTFUL, "to", "ann@dest.example", 0);
    assert_string_equal(noted_value(event, "rcpt"), "1");
    assert_string_equal(noted_value(event, "mx"), "127.0.0.1");
    assert_string_equal(noted_value(event, "cause"), "connection");
}

static void by_default_it_is_tried_again(void **state)
{
    struct scene *scene = begin((struct delivery_settings){0});

    (void)state;
    lose_one(scene);
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 0);
    assert_int_equal(scene->n_dots, 2);
    end(scene);
}

static void it_waits_longer_where_that_is_set(void **state)
{
    struct scene *scene = begin(
        (struct delivery_settings){.doubtful = DOUBTFUL_WAIT, .doubtful_wait_ms = 6LL * HOUR_MS});
    struct seen seen;

    (void)state;
    lose_one(scene);
    delivery_fixture_await(scene->fixture, EVENT_DEFERRED, NULL, NULL, 0);
    read_rows(scene, &seen);
    assert_int_equal(seen.n_rows, 1);
    assert_int_equal(seen.rows[0].state, RECIPIENT_DEFERRED);
    assert_int_equal(seen.rows[0].flags, RECIPIENT_DOUBTFUL);
    assert_string_equal(seen.rows[0].host, "127.0.0.1");
    assert_in_range(seen.rows[0].next_utc_ms - clock_utc_ms(), 5LL * HOUR_MS, 6LL * HOUR_MS + 1000);
    end(scene);
}

static void release_all(struct scene *scene)
{
    struct delivery_command release = {.verb = DELIVERY_RELEASE, .selection = {.is_all = true}};

    delivery_fixture_command(scene->fixture, &release);
    assert_int_equal(release.n_selected, 1);
}

static void an_operator_is_asked_where_that_is_set(void **state)
{
    static const struct delivery_destination destinations[] = {
        {"OTHER.example", DOUBTFUL_RETRY},
        {"Dest.example",  DOUBTFUL_ASK  }
    };
    struct scene *scene = begin((struct delivery_settings){.doubtful = DOUBTFUL_WAIT,
                                                           .doubtful_wait_ms = HOUR_MS,
                                                           .destinations = destinations,
                                                           .n_destinations = 2});
    struct seen seen;

    (void)state;
    lose_one(scene);
    delivery_fixture_await(scene->fixture, EVENT_HELD, "to", "ann@dest.example", 0);
    read_rows(scene, &seen);
    assert_int_equal(seen.rows[0].state, RECIPIENT_HELD);
    assert_int_equal(seen.rows[0].flags, RECIPIENT_DOUBTFUL);
    assert_non_null(strstr(seen.rows[0].reply, "may have been delivered"));
    assert_true(seen.rows[0].tried_utc_ms > 0);
    release_all(scene);
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, 0);
    assert_int_equal(scene->n_unmarked, 0);
    end(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_dot_leaves_before_its_mark_is_committed),
        cmocka_unit_test(a_dot_waits_for_a_slow_disk),
        cmocka_unit_test(a_record_that_cannot_be_marked_costs_a_commit_and_no_truth),
        cmocka_unit_test(a_burst_is_marked_whichever_way_before_each_dot),
        cmocka_unit_test(a_second_try_needs_a_mark_of_its_own),
        cmocka_unit_test(by_default_it_is_tried_again),
        cmocka_unit_test(it_waits_longer_where_that_is_set),
        cmocka_unit_test(an_operator_is_asked_where_that_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
