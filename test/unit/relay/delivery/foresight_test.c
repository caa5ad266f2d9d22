/* A signature that is asked for before the commit is the one that leaves; what the commit refuses
 * leaves nothing behind. */
#include "test/support/test_support.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/registry_domains.h"
#include "relay/base/clock.h"
#include "relay/base/log.h"
#include "relay/base/thread.h"
#include "relay/spool/io.h"
#include "signer/protocol.h"
#include "test/support/delivery_fixture.h"
#include "test/support/smtp_receiver.h"

enum { PATIENCE_MS = 30000 };

#define TEXT      "From: <news@shop.example>\r\nSubject: hello\r\n\r\nOne line\r\n"
#define SIGNATURE "DKIM-Signature: v=1; of=the-test\r\n"

static const char *const ann[] = {"ann@dest.example", NULL};
static const struct fixture_mail to_ann = {"news@shop.example", ann, TEXT, 0, 0, 0};

/* A signer that signs everything alike. */
struct scene {
    struct smtp_receiver *receiver;
    struct delivery_fixture *fixture;
    pthread_t signers[FIXTURE_LOOPS];
    int fds[FIXTURE_LOOPS];
    atomic_uint n_asked, n_answered;
    _Atomic enum sign_result result;
    atomic_bool is_silent; /* asked, it answers later */
};

static struct scene scene;

static void answer(int fd, struct slice datagram)
{
    struct reader reader = {.rest = datagram};
    struct buffer replies = BUFFER_INIT;
    struct signer_record record;

    while (signer_record_next(&reader, &record) == 1) {
        struct wire_signed done = {.result = atomic_load(&scene.result),
                                   .n_signatures = 1,
                                   .domain = SLICE_LITERAL("shop.example"),
                                   .selectors = SLICE_LITERAL("s1"),
                                   .header = SLICE_LITERAL(SIGNATURE)};

        if (record.kind != RECORD_SIGN)
            continue;
        if (done.result != SIGN_OK)
            done = (struct wire_signed){.result = done.result};
        wire_put_signed(&replies, record.id, &done);
        atomic_fetch_add(&scene.n_asked, 1);
    }
    while (atomic_load(&scene.is_silent))
        usleep(1000);
    if (replies.len)
        assert_int_equal(channel_send(fd, SIGNER_REPLIES, buffer_slice(&replies), NULL, 0), 0);
    if (replies.len)
        atomic_fetch_add(&scene.n_answered, 1);
    buffer_fini(&replies);
}

static void *sign(void *argument)
{
    const int *fd = argument;
    struct channel_message message = {0};

    while (channel_receive(*fd, &message) == 1) {
        answer(*fd, buffer_slice(&message.bytes));
        channel_message_fini(&message);
    }
    return NULL;
}

static void start_signers(void)
{
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++) {
        int pair[2];

        assert_int_equal(channel_pair(pair), 0);
        scene.fds[i] = pair[0];
        assert_int_equal(thread_start(&scene.signers[i], "signer", sign, &scene.fds[i]), 0);
        delivery_signer_link(scene.fixture->delivery, i, pair[1]);
    }
}

static atomic_bool is_added;

static void on_added(struct registry_request *request)
{
    (void)request;
    atomic_store(&is_added, true);
}

static void add_domain(void)
{
    struct domain_request request = {
        .request = {.answer_to = scene.fixture->answers, .done = on_added},
        .name = SLICE_LITERAL("shop.example"),
    };

    assert_true(registry_domain_add(scene.fixture->registry, &request));
    while (!atomic_load(&is_added)) {
        mailbox_wait(scene.fixture->answers, -1);
        mailbox_run(scene.fixture->answers);
    }
}

/* The next message's bytes stay unsynced until the signer was asked so often. */
static struct {
    atomic_uint n_asked; /* 0: they do not */
    atomic_int error;    /* then it fails */
} held;

/* Both loops, where their turns stand still. */
struct stop {
    struct task task;
    sem_t reached, go_on;
};

static struct stop before_commit[FIXTURE_LOOPS], after_commit[FIXTURE_LOOPS];
static atomic_bool stops_loops;

static void stand_still(struct task *task)
{
    struct stop *stop = CONTAINER_OF(task, struct stop, task);

    sem_post(&stop->reached);
    sem_wait(&stop->go_on);
}

static void post(struct stop *stops)
{
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++) {
        stops[i].task.run = stand_still;
        sem_init(&stops[i].reached, 0, 0);
        sem_init(&stops[i].go_on, 0, 0);
        mailbox_answer(loop_mailbox(scene.fixture->loops[i]), &stops[i].task);
    }
}

static void await(struct stop *stops)
{
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        sem_wait(&stops[i].reached);
}

static void go_on(struct stop *stops)
{
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        sem_post(&stops[i].go_on);
}

static int sync_when_asked(int fd)
{
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    unsigned n_asked = atomic_exchange(&held.n_asked, 0);
    int error = atomic_exchange(&held.error, 0);

    while (atomic_load(&scene.n_asked) < n_asked && clock_monotonic_ms() < end_ms)
        usleep(1000);
    if (atomic_exchange(&stops_loops, false)) {
        post(before_commit);
        await(before_commit);
    }
    return error ? -error : io_system.data_sync(fd);
}

static int begin(void **state)
{
    static struct io io;
    struct delivery_route route = {.domain = "*", .tls = DELIVERY_TLS_NEVER, .connections = 2};
    char via[32];

    (void)state;
    log_set("logfmt", "debug"); /* `signed` is told */
    scene = (struct scene){.receiver = receiver_start(NULL, NULL, "PIPELINING SIZE 8BITMIME")};
    snprintf(via, sizeof(via), "127.0.0.1:%u", receiver_port(scene.receiver));
    route.via = via;
    io = io_system;
    io.data_sync = sync_when_asked;
    delivery_fixture_io = &io;
    delivery_fixture_from_domain = "shop.example";
    atomic_store(&is_added, false);
    scene.fixture =
        delivery_fixture_start((struct delivery_settings){.routes = &route, .n_routes = 1});
    add_domain();
    start_signers();
    delivery_fixture_send(scene.fixture, &to_ann); /* leaves a connection to spare */
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 0);
    assert_int_equal(atomic_load(&scene.n_asked), 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    delivery_fixture_stop(scene.fixture);
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++) {
        pthread_join(scene.signers[i], NULL); /* its peer is gone */
        close(scene.fds[i]);
    }
    receiver_stop(scene.receiver);
    delivery_fixture_io = NULL;
    delivery_fixture_from_domain = NULL;
    return 0;
}

static int send_held(unsigned n_asked, int error)
{
    uint64_t id;
    int result;

    atomic_store(&held.n_asked, n_asked);
    atomic_store(&held.error, error);
    result = delivery_fixture_try(scene.fixture, &to_ann, &id);
    assert_int_equal(atomic_load(&held.n_asked), 0); /* its bytes were synced, or not, by then */
    assert_true(atomic_load(&scene.n_asked) >= n_asked); /* who sends it may have asked again */
    return result;
}

static void the_signature_is_asked_for_while_bytes_are_synced(void **state)
{
    const struct received *mail;

    (void)state;
    assert_int_equal(send_held(2, 0), 0);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 1);
    assert_int_equal(atomic_load(&scene.n_asked), 2); /* and not once more */
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_SIGNED), 2);
    mail = receiver_received(scene.receiver, 1);
    assert_non_null(strstr(mail->data, SIGNATURE));
}

static void what_the_commit_refuses_is_not_told_and_holds_nobody_up(void **state)
{
    (void)state;
    assert_true(send_held(2, EIO) < 0);
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_SIGNED), 1);
    delivery_fixture_send(scene.fixture, &to_ann);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 1);
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_SIGNED), 2);
    assert_int_equal(receiver_n_received(scene.receiver), 2);
}

static void a_signer_that_could_not_is_asked_again_by_who_sends(void **state)
{
    (void)state;
    atomic_store(&scene.result, SIGN_NO_KEY);
    assert_int_equal(send_held(2, 0), 0);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 1);
    assert_int_equal(atomic_load(&scene.n_asked), 3);
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_UNSIGNED), 1);
}

/* The answer comes in the turn in which its mail is opened to be sent: after the dispatch began,
 * before what the answer leads to has run. */
static void send_met_by(enum sign_result result)
{
    unsigned n_answered = atomic_load(&scene.n_answered);

    atomic_store(&scene.result, result);
    atomic_store(&scene.is_silent, true);
    atomic_store(&stops_loops, true);
    assert_int_equal(send_held(2, 0), 0);
    post(after_commit); /* behind the mail itself */
    go_on(before_commit);
    await(after_commit);
    atomic_store(&scene.is_silent, false);
    while (atomic_load(&scene.n_answered) == n_answered)
        usleep(1000);
    go_on(after_commit);
}

static void a_refusal_in_the_turn_of_sending_is_no_delivery(void **state)
{
    (void)state;
    send_met_by(SIGN_FAILED);
    delivery_fixture_await(scene.fixture, EVENT_DEFERRED, NULL, NULL, 0);
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_DELIVERED), 1);
    assert_int_equal(receiver_n_received(scene.receiver), 1);
    assert_int_equal(atomic_load(&scene.n_asked), 3);
}

static void no_key_in_the_turn_of_sending_is_found_again(void **state)
{
    (void)state;
    send_met_by(SIGN_NO_KEY);
    delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 1);
    assert_int_equal(receiver_n_received(scene.receiver), 2);
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_UNSIGNED), 1);
    assert_int_equal(delivery_fixture_count(scene.fixture, EVENT_DEFERRED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_signature_is_asked_for_while_bytes_are_synced, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_the_commit_refuses_is_not_told_and_holds_nobody_up,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_signer_that_could_not_is_asked_again_by_who_sends, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_refusal_in_the_turn_of_sending_is_no_delivery, begin,
                                        end),
        cmocka_unit_test_setup_teardown(no_key_in_the_turn_of_sending_is_found_again, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
