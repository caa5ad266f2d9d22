/* A crowd is asked to come by before a group is taken, as long as that brings more; one message
 * waits for nothing, and nobody waits for a thread that does not come. */
#include "test/support/test_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/spool/gather.h"

enum { ENDLESS = 1000000, GROUP = 256, PATIENCE_MS = 30000 };

/* A thread that has one more message at each visit, n_left times. */
struct source {
    struct mailbox *mailbox, *spool;
    struct gatherer *gatherer;
    pthread_t thread;
    atomic_bool is_over;
    unsigned n_left;
    atomic_uint n_visits;
};

struct message {
    struct task task;
    struct gatherer *gatherer;
};

static void on_message(struct task *task)
{
    struct message *message = CONTAINER_OF(task, struct message, task);

    gather_note(message->gatherer);
    free(message);
}

static void post(struct source *source)
{
    struct message *message = malloc(sizeof(*message));

    *message = (struct message){.task = {.run = on_message}, .gatherer = source->gatherer};
    mailbox_answer(source->spool, &message->task);
}

static void *run(void *argument)
{
    struct source *source = argument;

    while (!atomic_load(&source->is_over)) {
        if (!mailbox_wait(source->mailbox, 10))
            continue;
        if (source->n_left > 0) {
            source->n_left--;
            post(source);
        }
        atomic_fetch_add(&source->n_visits, mailbox_run(source->mailbox));
    }
    return NULL;
}

static struct mailbox *new_mailbox(void)
{
    struct mailbox *mailbox;

    assert_int_equal(mailbox_new(&mailbox, 1 << 20), 0);
    return mailbox;
}

static void begin(struct gatherer *gatherer, struct source *sources, uint32_t n)
{
    struct mailbox *spool = new_mailbox(), *mailboxes[4];

    for (uint32_t i = 0; i < n; i++) {
        sources[i].mailbox = mailboxes[i] = new_mailbox();
        sources[i].spool = spool;
        sources[i].gatherer = gatherer;
    }
    assert_int_equal(gather_init(gatherer, spool, mailboxes, n), 0);
}

static void start(struct source *source)
{
    assert_int_equal(pthread_create(&source->thread, NULL, run, source), 0);
}

static void end(struct gatherer *gatherer, struct source *sources, uint32_t n)
{
    struct mailbox *spool = sources[0].spool;

    for (uint32_t i = 0; i < n; i++) {
        atomic_store(&sources[i].is_over, true);
        if (sources[i].thread)
            pthread_join(sources[i].thread, NULL);
        mailbox_run(sources[i].mailbox); /* what a thread that never came has left */
    }
    mailbox_run(spool);
    for (uint32_t i = 0; i < n; i++)
        mailbox_free(sources[i].mailbox);
    mailbox_free(spool);
    gather_fini(gatherer);
}

static void notes(struct gatherer *gatherer, uint32_t n)
{
    while (n-- > 0)
        gather_note(gatherer);
}

static void a_message_on_its_own_asks_nobody(void **state)
{
    struct source source = {0};
    struct gatherer gatherer;

    (void)state;
    begin(&gatherer, &source, 1);
    notes(&gatherer, 1);
    gather_run(&gatherer);
    assert_true(mailbox_may_sleep(source.mailbox));
    assert_false(gatherer.was_crowd);
    end(&gatherer, &source, 1);
}

static void in_a_crowd_what_is_in_the_house_comes_along(void **state)
{
    struct source sources[2] = {{.n_left = 20}, {.n_left = 7}};
    struct gatherer gatherer;

    (void)state;
    begin(&gatherer, sources, 2);
    gatherer.patience_ms = INT32_MAX;
    start(&sources[0]);
    start(&sources[1]);
    notes(&gatherer, 2);
    gather_run(&gatherer);
    assert_int_equal(sources[0].n_left + sources[1].n_left, 0);
    assert_true(mailbox_may_sleep(sources[0].spool)); /* all of it is in the group */
    assert_true(gatherer.was_crowd);
    notes(&gatherer, 1); /* the next one is asked for too, and finds that the crowd has gone */
    gather_run(&gatherer);
    assert_false(gatherer.was_crowd);
    end(&gatherer, sources, 2);
}

static void a_group_has_an_end(void **state)
{
    struct source source = {.n_left = ENDLESS};
    struct gatherer gatherer;

    (void)state;
    begin(&gatherer, &source, 1);
    gatherer.patience_ms = INT32_MAX;
    start(&source);
    notes(&gatherer, 2);
    gather_run(&gatherer);
    assert_true(source.n_left > 0);
    end(&gatherer, &source, 1);
}

static void nobody_waits_twice_for_a_thread_that_does_not_come(void **state)
{
    struct source sources[2] = {{0}, {.n_left = 3}};
    struct gatherer gatherer;

    (void)state;
    begin(&gatherer, sources, 2);
    start(&sources[1]);
    notes(&gatherer, 2);
    gather_run(&gatherer); /* runs out of patience */
    assert_true(sources[0].n_visits == 0 && gatherer.n_awaited >= 1);
    for (unsigned i = 0; i < 3000; i++) { /* with patience for each: longer than a test may take */
        notes(&gatherer, 2);
        gather_run(&gatherer);
    }
    assert_int_equal(sources[1].n_left, 0);
    end(&gatherer, sources, 2);
}

static void a_group_that_is_full_waits_for_nobody(void **state)
{
    struct source source = {0};
    struct gatherer gatherer;
    int64_t end_ms;

    (void)state;
    begin(&gatherer, &source, 1);
    gatherer.patience_ms = PATIENCE_MS;
    notes(&gatherer, 2);
    for (unsigned i = 0; i < GROUP; i++)
        post(&source); /* from elsewhere: this one's thread does not come */
    end_ms = clock_monotonic_ms() + PATIENCE_MS;
    gather_run(&gatherer);
    assert_true(clock_monotonic_ms() < end_ms);
    assert_true(mailbox_may_sleep(source.spool));
    assert_int_equal(gatherer.n_awaited, 1);
    end(&gatherer, &source, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_on_its_own_asks_nobody),
        cmocka_unit_test(in_a_crowd_what_is_in_the_house_comes_along),
        cmocka_unit_test(a_group_has_an_end),
        cmocka_unit_test(a_group_that_is_full_waits_for_nobody),
        cmocka_unit_test(nobody_waits_twice_for_a_thread_that_does_not_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
