/* The loops run out of memory at every single allocation, and for a while from each: nobody's mail
 * is lost, sent twice, failed or held for it. */
#include "test/support/test_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "relay/base/secret.h"
#include "relay/delivery/shard.h"
#include "test/support/delivery_fixture.h"
#include "test/support/short_memory.h"
#include "test/support/smtp_receiver.h"

#define TEXT                                                                                       \
    "From: <news@shop.example>\r\nSubject: hello\r\n\r\nGr\xc3\xbc\xc3\x9f"                        \
    "e\r\n"

enum { RECIPIENTS = 3, KINDS = 4, MOST_CALLS = 2000, PATIENCE_MS = 90000 };

static const char *const recipients[] = {"ann@a.example", "bob@b.example", "cid@c.example", NULL};
static atomic_uint n_ended, n_delivered, n_lost_after_dot;
static _Atomic unsigned n_rcpts;

/* Without allocating: it runs on the loops. */
static void count_event(void *owner, const struct event *event)
{
    (void)owner;
    if (event->kind == EVENT_DOUBTFUL)
        atomic_fetch_add(&n_lost_after_dot, 1);
    if (event->kind == EVENT_DELIVERED)
        atomic_fetch_add(&n_delivered, 1);
    if (event->kind == EVENT_DELIVERED || event->kind == EVENT_BOUNCED ||
        event->kind == EVENT_EXPIRED || event->kind == EVENT_HELD || event->kind == EVENT_DELETED)
        atomic_fetch_add(&n_ended, 1);
}

static const char *now_and_then(void *owner, const char *line)
{
    (void)owner;
    return strncasecmp(line, "RCPT", 4) == 0 && atomic_fetch_add(&n_rcpts, 1) % 17 == 16
               ? "450 4.2.1 Come back"
               : NULL;
}

static void join(struct task *task)
{
    (void)task;
    short_memory_join();
}

static struct task joins[FIXTURE_LOOPS];

static void set_up_loops(struct delivery_fixture *fixture)
{
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++) {
        joins[i] = (struct task){.run = join};
        mailbox_answer(loop_mailbox(fixture->loops[i]), &joins[i]);
    }
}

static bool wait_for(const atomic_uint *count, unsigned n, int patience_ms)
{
    for (int i = 0; i < patience_ms && atomic_load(count) < n; i++)
        usleep(1000);
    return atomic_load(count) >= n;
}

struct run {
    struct smtp_receiver *receiver;
    struct delivery_route route;
    struct delivery_fixture *fixture;
    char via[32];
    unsigned n_sent;
};

static struct delivery_settings settings_of(struct run *run)
{
    return (struct delivery_settings){
        .retry = {{50}, 1},
          .routes = &run->route, .n_routes = 1
    };
}

static void start(struct run *run)
{
    atomic_store(&n_ended, 0);
    atomic_store(&n_delivered, 0);
    atomic_store(&n_lost_after_dot, 0);
    atomic_store(&n_rcpts, 0);
    run->receiver = receiver_start(now_and_then, NULL, "PIPELINING ENHANCEDSTATUSCODES");
    snprintf(run->via, sizeof(run->via), "127.0.0.1:%u", receiver_port(run->receiver));
    run->route = (struct delivery_route){.domain = "*", .via = run->via, .tls = DELIVERY_TLS_NEVER};
    run->fixture = delivery_fixture_start(settings_of(run));
    set_up_loops(run->fixture);
}

static char long_text[sizeof(TEXT) + 200000];

static void write_long_text(void)
{
    char *at = long_text + sprintf(long_text, "%s", TEXT);

    for (int i = 0; i < 3000; i++)
        at += sprintf(at, ".line %d of a body that leaves in pieces\r\n", i);
}

/* Short and long, as it is and converted on the way (8-bit, and the receiver takes 7). */
static void send_one(struct run *run)
{
    struct fixture_mail mail = {
        .sender = "news@shop.example",
        .recipients = recipients,
        .text = run->n_sent % KINDS < 2 ? TEXT : long_text,
        .flags = run->n_sent % 2 ? MESSAGE_8BIT_BODY : 0,
    };

    delivery_fixture_send(run->fixture, &mail);
    run->n_sent++;
}

/* What was left in the rows alone is found by the next start. */
static void finish(struct run *run)
{
    unsigned n_expected = run->n_sent * RECIPIENTS, n_received = 0;

    short_memory_end();
    wait_for(&n_ended, n_expected, 2000);
    run->fixture = delivery_fixture_again(run->fixture, settings_of(run));
    set_up_loops(run->fixture);
    assert_true(wait_for(&n_ended, n_expected, PATIENCE_MS));
    delivery_fixture_stop(run->fixture);
    assert_int_equal(n_ended, n_expected);
    assert_int_equal(n_delivered, n_expected);
    for (unsigned i = 0; i < receiver_n_received(run->receiver); i++)
        n_received += receiver_received(run->receiver, i)->n_recipients;
    assert_in_range(n_received, n_expected, n_expected + n_lost_after_dot);
    receiver_stop(run->receiver);
}

/* How often the loops ask for memory for one message of each kind. */
static int count_calls(struct run *run)
{
    int n_calls;

    short_memory_end();
    for (int i = 0; i < KINDS; i++)
        send_one(run);
    assert_true(wait_for(&n_ended, KINDS * RECIPIENTS, PATIENCE_MS));
    n_calls = short_memory_n_calls();
    assert_in_range(n_calls, 50, MOST_CALLS);
    return n_calls;
}

/* What is sent goes on while the next call is let fail: each of them is hit, and often with more
 * than one message under way. */
static void fail_everywhere(int n_failing, int step)
{
    struct run run = {0};
    int n_calls;

    write_long_text();
    start(&run);
    n_calls = count_calls(&run) / KINDS + n_failing;
    for (int n = 1; n <= n_calls; n += step) {
        short_memory_set(n, n_failing);
        send_one(&run);
        for (int i = 0; i < 150 && !short_memory_has_failed() &&
                        atomic_load(&n_ended) < run.n_sent * RECIPIENTS;
             i++)
            usleep(1000);
    }
    finish(&run);
}

static void one_allocation_that_fails_costs_nobody_his_mail(void **state)
{
    (void)state;
    fail_everywhere(1, 1);
}

static void nor_does_a_shortage(void **state)
{
    (void)state;
    fail_everywhere(20, 3);
}

static void *do_nothing(void *argument)
{
    return argument;
}

static struct stored *open_message(void)
{
    struct stored *stored = calloc(1, sizeof(*stored));

    assert_non_null(stored);
    atomic_store(&stored->n_references, 1);
    stored->is_open = true;
    return stored;
}

static unsigned n_announced(struct delivery *delivery)
{
    unsigned n = 0;

    for (size_t i = 0; i < WARMTH_CELLS; i++)
        n += atomic_load(&delivery->warmth.cells[i]);
    return n;
}

/* Else its destination would seem busy for ever. */
static void what_there_is_no_memory_for_is_not_awaited(void **state)
{
    struct delivery_fixture *fixture = delivery_fixture_start((struct delivery_settings){0});
    struct delivery *delivery = fixture->delivery;
    struct recipient recipient = {.address = SLICE_LITERAL("ann@a.example")};
    struct envelope envelope = {.recipients = &recipient, .n_recipients = 1};
    struct new_entry entry = {.message = open_message(),
                              .domain = SLICE_LITERAL("a.example"),
                              .n = 1,
                              .flags = ENTRY_OPEN | ENTRY_ANNOUNCED};
    struct stored *stored = open_message();

    (void)state;
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++) { /* what is theirs is ours now */
        loop_stop(fixture->loops[i]);
        pthread_join(fixture->threads[i], NULL);
        assert_int_equal(pthread_create(&fixture->threads[i], NULL, do_nothing, NULL), 0);
    }
    short_memory_join();
    short_memory_set(1, 1000);
    delivery_admit(delivery, stored, &envelope);
    assert_int_equal(n_announced(delivery), 0);
    warmth_announce(&delivery->warmth, table_hash_ignoring_case(entry.domain));
    delivery_shard_admit(&delivery->shards[0], &entry);
    assert_int_equal(n_announced(delivery), 0);
    short_memory_end();
    short_memory_leave();
    delivery_fixture_end(fixture, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_that_fails_costs_nobody_his_mail),
        cmocka_unit_test(nor_does_a_shortage),
        cmocka_unit_test(what_there_is_no_memory_for_is_not_awaited),
    };

    delivery_fixture_sink = count_event;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
